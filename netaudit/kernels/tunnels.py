"""Kinds of encapsulation; a tag is ``kind << 24 | number`` (number: VLAN id, label, VNI)."""

from __future__ import annotations

VLAN = 1
PPPOE = 2
MPLS = 3
IP = 4
GRE = 5
VXLAN = 6
GENEVE = 7
GTP = 8
ERSPAN = 9
TEREDO = 10
AYIYA = 11
CAPWAP = 12
L2TP = 13
PPTP = 14

WORDS = {
    VLAN: "vlan", PPPOE: "pppoe", MPLS: "mpls", IP: "ip", GRE: "gre", VXLAN: "vxlan", GENEVE: "geneve",
    GTP: "gtp", ERSPAN: "erspan", TEREDO: "teredo", AYIYA: "ayiya", CAPWAP: "capwap", L2TP: "l2tp",
    PPTP: "pptp",
}  # fmt: skip
"""How they are printed."""
NUMBERED = (VLAN, MPLS, VXLAN, GENEVE)
"""Those whose number is printed too."""

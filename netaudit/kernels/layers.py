"""Headers that a packet may have next: plain integers, so that kernels have one type for them."""

from __future__ import annotations

DONE = 0
ETHERNET = 1
IPV4 = 2
IPV6 = 3
TCP = 4
UDP = 5
VLAN = 6
LLC = 7
SLL = 8
SLL2 = 9
NULL = 10
PPP = 11
PPP_HDLC = 12
CISCO_HDLC = 13
WLAN = 14
RADIOTAP = 15
PRISM = 16
AVS = 17
PPI = 18
PPPOE = 19
MPLS = 20
ARP = 21
FRAME_RELAY = 22
MAC_IN_MAC = 23
NFLOG = 24
PFLOG = 25
PKTAP = 26
SLIP = 27
OTHER = 28
IP = 29
EXTENSION = 30
AUTHENTICATION = 31
FRAGMENT = 32
IPV4_IN_IP = 33
IPV6_IN_IP = 34
GRE = 35
ICMPV6 = 36
VXLAN = 37
GENEVE = 38
GTP = 39
ERSPAN2 = 40
ERSPAN3 = 41
TEREDO = 42
AYIYA = 43
CAPWAP = 44
L2TP = 45
ETHER_IP = 46
IPCOMP = 47

FIRST_INTERNET = IP
"""From here on: IP and what is over it."""

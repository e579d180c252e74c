"""From packets to columns: link layer to transport, for all packets of a piece at once.

A table of layer functions; each round moves every unfinished packet by one layer, so the number
of rounds is the depth of the deepest packet, whatever the number of packets.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from netaudit.kernels import internet_layers as internet
from netaudit.kernels import link_layers as link
from netaudit.kernels.cursor import Cursor, Layer
from netaudit.kernels.status import Status
from netaudit.kernels.window import Bools, Ints, Octets, Window

MAX_LAYERS = 40
"""Headers in one packet, IPv6 extensions and MPLS labels included."""

LAYERS: dict[int, Callable[[Cursor, Ints], None]] = {
    Layer.ETHERNET: link.ethernet, Layer.LLC: link.llc, Layer.VLAN: link.vlan,
    Layer.SLL: link.sll, Layer.SLL2: link.sll2, Layer.NULL: link.null,
    Layer.PPP: link.ppp, Layer.PPP_HDLC: link.ppp_hdlc, Layer.CISCO_HDLC: link.cisco_hdlc,
    Layer.FRAME_RELAY: link.frame_relay, Layer.WLAN: link.wlan, Layer.RADIOTAP: link.radiotap,
    Layer.PRISM: link.prism, Layer.PPPOE: link.pppoe, Layer.MPLS: link.mpls, Layer.ARP: link.arp,
    Layer.OTHER: link.other,
    Layer.IP: internet.ip, Layer.IPV4: internet.ipv4, Layer.IPV6: internet.ipv6,
    Layer.EXTENSION: internet.extension, Layer.AUTHENTICATION: internet.authentication,
    Layer.FRAGMENT: internet.fragment, Layer.IPV4_IN_IP: internet.ipv4_in_ip,
    Layer.IPV6_IN_IP: internet.ipv6_in_ip, Layer.GRE: internet.gre,
    Layer.TCP: internet.tcp, Layer.UDP: internet.udp,
    Layer.VXLAN: internet.vxlan, Layer.GENEVE: internet.geneve, Layer.GTP: internet.gtp,
}  # fmt: skip


class Headers(NamedTuple):
    """One row a packet. Addresses, ports and so on are those of the innermost layers."""

    status: Octets
    """`Status`; OK where `protocol` and what belongs to it is known."""
    protocol: Octets
    """`cursor.TCP`, `cursor.UDP` or `cursor.ARP`."""
    src: Octets
    """``(n, 16)``; IPv4 as v4-mapped IPv6."""
    dst: Octets
    sport: Ints
    dport: Ints
    seq: Ints
    flags: Octets
    """TCP flags; for ARP the operation."""
    mac: Octets
    """``(n, 6)``: link address of the sender."""
    has_mac: Bools
    tunnel: np.ndarray
    """``(n, 8)`` uint32 tags, outermost first, 0 where there is none (see `cursor.Tunnel`)."""
    at: Ints
    """Where the payload begins (for SLOW rows: the header that was declined)."""
    length: Ints
    """Captured payload octets."""
    cut: Bools
    """Whether less was captured than the length fields say."""
    ip_at: Ints
    """Where the innermost IP header begins, -1 where there is none."""


def read_headers(window: Window, at: Ints, length: Ints, link_type: Ints) -> Headers:
    """Read the headers of all packets.

    Args:
        window: The octets.
        at: Where each packet begins in the window.
        length: Captured octets of each; ``at + length`` lies within the window.
        link_type: LINKTYPE number of each.
    """
    cursor = Cursor(window, at, length, np.zeros(len(at), np.uint8))
    for number in np.unique(link_type):
        rows = np.flatnonzero(link_type == number)
        if int(number) in link.LINK_TYPES:
            cursor.layer[rows] = link.LINK_TYPES[int(number)]
        else:
            cursor.finish(rows, Status.UNSUPPORTED)
    active = np.flatnonzero(cursor.layer)
    for _ in range(MAX_LAYERS):
        if not active.size:
            break
        kinds = cursor.layer[active]
        for kind in np.flatnonzero(np.bincount(kinds)):
            LAYERS[int(kind)](cursor, active[kinds == kind])
        active = active[cursor.layer[active] != Layer.DONE]
    cursor.finish(active, Status.TOO_DEEP)
    return Headers(
        cursor.status,
        cursor.protocol,
        cursor.src,
        cursor.dst,
        cursor.sport,
        cursor.dport,
        cursor.seq,
        cursor.flags,
        cursor.mac,
        cursor.has_mac,
        cursor.tunnel,
        cursor.at,
        np.maximum(cursor.end - cursor.at, 0),
        cursor.cut,
        cursor.ip_at,
    )

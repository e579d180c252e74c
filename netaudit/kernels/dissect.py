"""From a packet's octets to its innermost ends and payload: link layer to transport."""

from __future__ import annotations

from typing import Any

from netaudit.kernels import internet_layers as internet
from netaudit.kernels import layers, tunnels
from netaudit.kernels import link_layers as link
from netaudit.kernels import packet as packets
from netaudit.kernels import radio_layers as radio
from netaudit.kernels import tunnel_layers as tunnel
from netaudit.kernels.compiled import kernel, part
from netaudit.kernels.link_layers import FIRST_LAYER
from netaudit.kernels.octets import Octets
from netaudit.kernels.packet import Rows

MAX_LAYERS = 40
"""Headers in one packet, IPv6 extensions and MPLS labels included."""


@kernel
def dissect(data: Octets, rows: Rows, begin: int, end: int) -> None:
    """Read the headers of ``rows[begin:end]``, whose `at`, `end` and `link` a walk has set."""
    for row in range(begin, end):
        packet = rows[row]
        packet.ip_at, packet.depth, packet.has_mac, packet.cut = -1, 0, 0, 0
        packet.protocol, packet.flags, packet.channel, packet.padded = 0, 0, 0, 0
        packet.sport, packet.dport = 0, 0
        packet.src0, packet.src1, packet.dst0, packet.dst1 = 0, 0, 0, 0
        for depth in range(len(packet.tunnel)):
            packet.tunnel[depth] = 0
        packet.layer = 0
        if 0 <= packet.link < len(FIRST_LAYER):
            packet.layer = FIRST_LAYER[packet.link]
        packet.status = packets.UNSUPPORTED if packet.link >= 0 else packets.UNDESCRIBED
        read(data, packet)


@part
def read(data: Octets, packet: Any) -> None:
    """Go through the layers of one packet from the one that it stands at."""
    for _ in range(MAX_LAYERS):
        layer = packet.layer
        if layer == layers.DONE:
            return
        if layer <= layers.UDP:
            _usual(data, packet, layer)
        elif layer >= layers.FIRST_INTERNET:
            _internet(data, packet, layer)
        else:
            _link(data, packet, layer)
    if packet.layer != layers.DONE:
        link.finish(packet, packets.TOO_DEEP)


@part
def _usual(data: Octets, packet: Any, layer: int) -> None:
    if layer == layers.ETHERNET:
        link.ethernet(data, packet)
    elif layer == layers.IPV4:
        internet.ipv4(data, packet)
    elif layer == layers.IPV6:
        internet.ipv6(data, packet)
    elif layer == layers.TCP:
        internet.tcp(data, packet)
    else:
        internet.udp(data, packet)


@part
def _link(data: Octets, packet: Any, layer: int) -> None:
    if layer == layers.VLAN:
        link.vlan(data, packet)
    elif layer == layers.LLC:
        link.llc(data, packet)
    elif layer == layers.ARP:
        link.arp(packet)
    elif layer == layers.WLAN:
        radio.wlan(data, packet)
    elif layer == layers.RADIOTAP:
        radio.radiotap(data, packet)
    elif layer == layers.PPPOE:
        link.pppoe(data, packet)
    elif layer == layers.PPP:
        link.ppp(data, packet)
    elif layer == layers.MPLS:
        link.mpls(data, packet)
    elif layer == layers.SLL:
        link.sll(data, packet)
    elif layer == layers.SLL2:
        link.sll2(data, packet)
    elif layer == layers.NULL:
        link.null(data, packet)
    elif layer == layers.PPP_HDLC:
        link.ppp_hdlc(data, packet)
    elif layer == layers.CISCO_HDLC:
        link.cisco_hdlc(data, packet)
    elif layer == layers.FRAME_RELAY:
        link.frame_relay(data, packet)
    elif layer == layers.PRISM:
        radio.prism(data, packet)
    elif layer == layers.AVS:
        radio.avs(data, packet)
    elif layer == layers.PPI:
        radio.ppi(data, packet)
    elif layer == layers.MAC_IN_MAC:
        link.mac_in_mac(packet)
    elif layer == layers.NFLOG:
        link.nflog(data, packet)
    elif layer == layers.PFLOG:
        link.pflog(data, packet)
    elif layer == layers.PKTAP:
        link.pktap(data, packet)
    elif layer == layers.SLIP:
        link.slip(data, packet)
    else:
        link.finish(packet, packets.OTHER)


@part
def _internet(data: Octets, packet: Any, layer: int) -> None:
    if layer == layers.IP:
        internet.ip(data, packet)
    elif layer == layers.EXTENSION:
        internet.extension(data, packet)
    elif layer == layers.AUTHENTICATION:
        internet.authentication(data, packet)
    elif layer == layers.FRAGMENT:
        internet.fragment(data, packet)
    elif layer == layers.IPV4_IN_IP:
        internet.inner(packet, tunnels.IP, 0, 0, layers.IPV4)
    elif layer == layers.IPV6_IN_IP:
        internet.inner(packet, tunnels.IP, 0, 0, layers.IPV6)
    elif layer == layers.GRE:
        tunnel.gre(data, packet)
    elif layer == layers.ICMPV6:
        internet.icmpv6(packet)
    elif layer == layers.VXLAN:
        tunnel.vxlan(data, packet)
    elif layer == layers.GENEVE:
        tunnel.geneve(data, packet)
    elif layer == layers.GTP:
        tunnel.gtp(data, packet)
    elif layer == layers.ERSPAN2 or layer == layers.ERSPAN3:
        tunnel.erspan(data, packet)
    elif layer == layers.TEREDO:
        tunnel.teredo(data, packet)
    elif layer == layers.AYIYA:
        tunnel.ayiya(data, packet)
    elif layer == layers.CAPWAP:
        tunnel.capwap(data, packet)
    elif layer == layers.IPCOMP:
        internet.ipcomp(data, packet)
    elif layer == layers.L2TP:
        tunnel.l2tp(data, packet)
    else:
        tunnel.ether_ip(packet)

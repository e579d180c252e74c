"""Link layers: one function a layer, over one packet.

Each reads at ``packet.at``, sets what it learns and leaves the packet at its next layer or finished.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from netaudit.kernels import layers, tunnels
from netaudit.kernels import packet as packets
from netaudit.kernels.compiled import part
from netaudit.kernels.octets import Octets, int64, le16, le32, raw64, u8, u16, u32
from netaudit.kernels.packet import ARP, MAX_DEPTH

LINK_TYPES: dict[int, int] = {
    0: layers.NULL, 108: layers.NULL, 109: layers.NULL,
    1: layers.ETHERNET, 143: layers.ETHERNET,
    8: layers.SLIP,
    9: layers.PPP, 50: layers.PPP_HDLC, 51: layers.PPPOE, 104: layers.CISCO_HDLC,
    12: layers.IP, 14: layers.IP, 101: layers.IP, 228: layers.IPV4, 229: layers.IPV6,
    105: layers.WLAN, 119: layers.PRISM, 127: layers.RADIOTAP, 163: layers.AVS, 192: layers.PPI,
    107: layers.FRAME_RELAY,
    113: layers.SLL, 276: layers.SLL2,
    117: layers.PFLOG, 239: layers.NFLOG, 149: layers.PKTAP, 258: layers.PKTAP,
}  # fmt: skip
"""Registry of link types (https://www.tcpdump.org/linktypes.html) to the first layer."""

FIRST_LAYER = np.zeros(1 << 16, np.uint8)
"""The same as an array; 0 where the link type is not read."""
for _number, _layer in LINK_TYPES.items():
    FIRST_LAYER[_number] = _layer


@part
def finish(packet: Any, status: int) -> None:
    """The packet is read to the end of what can be read."""
    packet.status = status
    packet.layer = layers.DONE


@part
def has(packet: Any, size: int) -> bool:
    """Whether `size` more octets are there; else the packet is finished as cut short."""
    if packet.end - packet.at >= size:
        return True
    finish(packet, packets.TRUNCATED)
    return False


@part
def enter(packet: Any, kind: int, number: int) -> bool:
    """Note an encapsulation; a packet that is too deep is finished."""
    if packet.depth >= MAX_DEPTH:
        finish(packet, packets.TOO_DEEP)
        return False
    packet.tunnel[packet.depth] = kind << 24 | number
    packet.depth += 1
    return True


@part
def step(packet: Any, size: int, layer: int) -> None:
    """Go over a header; `layer` comes next."""
    packet.at += size
    packet.layer = layer


@part
def station(data: Octets, at: int) -> Any:
    """Six octets of a link address, as they lie in memory."""
    return (
        raw64(data, at) & np.uint64(0xFFFFFFFFFFFF) if at + 8 <= len(data.u8) else _station_at_end(data, at)
    )


@part
def _station_at_end(data: Octets, at: int) -> Any:
    return np.uint64(le32(data, at)) | np.uint64(le16(data, at + 4)) << np.uint64(32)


@part
def ethertype_layer(ethertype: int) -> int:
    """The layer of an IEEE 802 EtherType; a value below 0x0600 is a length, and LLC follows."""
    if ethertype == 0x0800:
        return layers.IPV4
    if ethertype == 0x86DD:
        return layers.IPV6
    if ethertype < 0x0600:
        return layers.LLC
    if ethertype == 0x8100 or ethertype == 0x88A8 or ethertype == 0x9100 or ethertype == 0x9200:
        return layers.VLAN
    if ethertype == 0x0806 or ethertype == 0x8035:
        return layers.ARP
    if ethertype == 0x8864:
        return layers.PPPOE
    if ethertype == 0x8847 or ethertype == 0x8848:
        return layers.MPLS
    if ethertype == 0x6558:
        return layers.ETHERNET
    if ethertype == 0x880B:
        return layers.PPP
    if ethertype == 0x88BE:
        return layers.ERSPAN2
    if ethertype == 0x22EB:
        return layers.ERSPAN3
    if ethertype == 0x88E7:
        return layers.MAC_IN_MAC
    return layers.OTHER


@part
def ethernet(data: Octets, packet: Any) -> None:
    """Ethernet II, or IEEE 802.3 with LLC where the type is a length."""
    if has(packet, 14):
        packet.mac, packet.has_mac = station(data, packet.at + 6), 1
        step(packet, 14, ethertype_layer(u16(data, packet.at + 12)))


@part
def llc(data: Octets, packet: Any) -> None:
    """IEEE 802.2: SNAP (RFC 1042), or IP by its own service access point; other LLC carries nothing here."""
    if packet.end - packet.at < 4:
        finish(packet, packets.OTHER)
    elif u16(data, packet.at) == 0xAAAA and packet.end - packet.at >= 8:
        step(packet, 8, ethertype_layer(u16(data, packet.at + 6)))
    elif u16(data, packet.at) == 0x0606:
        step(packet, 3, layers.IP)
    else:
        finish(packet, packets.OTHER)


@part
def vlan(data: Octets, packet: Any) -> None:
    """IEEE 802.1Q and 802.1ad tags."""
    if has(packet, 4) and enter(packet, tunnels.VLAN, u16(data, packet.at) & 0x0FFF):
        step(packet, 4, ethertype_layer(u16(data, packet.at + 2)))


@part
def mac_in_mac(packet: Any) -> None:
    """IEEE 802.1ah: a service tag of four octets, then the customer's Ethernet frame."""
    if has(packet, 18):
        step(packet, 4, layers.ETHERNET)


@part
def sll(data: Octets, packet: Any) -> None:
    """Linux cooked capture (LINKTYPE_LINUX_SLL): the address is the sender's."""
    if has(packet, 16):
        _cookedstation(data, packet, u16(data, packet.at + 4), packet.at + 6)
        step(packet, 16, _cooked_layer(u16(data, packet.at + 14), u16(data, packet.at + 2)))


@part
def sll2(data: Octets, packet: Any) -> None:
    """Linux cooked capture, second version."""
    if has(packet, 20):
        _cookedstation(data, packet, u8(data, packet.at + 11), packet.at + 12)
        step(packet, 20, _cooked_layer(u16(data, packet.at), u16(data, packet.at + 8)))


@part
def _cookedstation(data: Octets, packet: Any, size: int, at: int) -> None:
    mac = station(data, at)
    if size == 6 and mac != 0:  # a loopback interface has six zeros
        packet.mac, packet.has_mac = mac, 1


@part
def _cooked_layer(protocol: int, hardware: int) -> int:
    """The protocol field is an EtherType, or a number of Linux's own; or an ARPHRD type decides."""
    if hardware == 778:  # ARPHRD_IPGRE
        return layers.GRE
    if hardware == 803:  # ARPHRD_IEEE80211_RADIOTAP
        return layers.RADIOTAP
    if protocol == 4 or protocol == 1:  # LINUX_SLL_P_802_2, P_802_3
        return layers.LLC
    return ethertype_layer(protocol)


@part
def null(data: Octets, packet: Any) -> None:
    """BSD loopback: an address family in the byte order of the machine that captured."""
    if not has(packet, 4):
        return
    family = le32(data, packet.at)
    if family > 0xFFFF:
        family = u32(data, packet.at)
    if (
        family == 2 or family == 10 or family == 24 or family == 28 or family == 30
    ):  # AF_INET; AF_INET6 of Linux, BSDs, macOS
        step(packet, 4, layers.IP)
    else:
        finish(packet, packets.OTHER)


@part
def ppp(data: Octets, packet: Any) -> None:
    """PPP with or without address and control (RFC 1661, 1662), compressed protocol allowed."""
    if not has(packet, 4):
        return
    if u16(data, packet.at) == 0xFF03:
        packet.at += 2
    protocol, size = u16(data, packet.at), 2
    if u8(data, packet.at) & 1:  # RFC 1661 section 6.5
        protocol, size = u8(data, packet.at), 1
    layer = layers.OTHER
    if protocol == 0x0021:
        layer = layers.IPV4
    elif protocol == 0x0057:
        layer = layers.IPV6
    elif protocol == 0x0281:
        layer = layers.MPLS
    step(packet, size, layer)


@part
def ppp_hdlc(data: Octets, packet: Any) -> None:
    """PPP in HDLC-like framing, or Cisco HDLC, which the first octet tells apart."""
    if has(packet, 4):
        packet.layer = layers.PPP if u8(data, packet.at) == 0xFF else layers.CISCO_HDLC


@part
def cisco_hdlc(data: Octets, packet: Any) -> None:
    """Cisco HDLC: address, control, EtherType."""
    if has(packet, 4):
        if u16(data, packet.at) == 0xFF03:
            packet.layer = layers.PPP
        else:
            step(packet, 4, ethertype_layer(u16(data, packet.at + 2)))


@part
def frame_relay(data: Octets, packet: Any) -> None:
    """Frame relay with a two-octet address (RFC 2427): NLPID, or Cisco's EtherType."""
    if not has(packet, 4):
        return
    nlpid = u8(data, packet.at + 3)
    if u8(data, packet.at + 2) != 0x03:
        step(packet, 4, ethertype_layer(u16(data, packet.at + 2)))
    elif nlpid == 0xCC or nlpid == 0x8E:
        step(packet, 4, layers.IP)
    elif nlpid == 0x80 and packet.end - packet.at >= 9:
        step(packet, 9, ethertype_layer(u16(data, packet.at + 7)))
    else:
        finish(packet, packets.OTHER)


@part
def pppoe(data: Octets, packet: Any) -> None:
    """PPPoE session (RFC 2516 section 4): code 0, then PPP."""
    if not has(packet, 8):
        return
    if u16(data, packet.at) != 0x1100:
        finish(packet, packets.OTHER)
    elif enter(packet, tunnels.PPPOE, 0):
        step(packet, 6, layers.PPP)


@part
def mpls(data: Octets, packet: Any) -> None:
    """One label of an MPLS stack (RFC 3032 section 2.1).

    Under the last label the version nibble decides; a zero nibble is a pseudowire's control word
    before Ethernet (RFC 4385 section 3).
    """
    if not has(packet, 5):
        return
    entry = u32(data, packet.at)
    if not enter(packet, tunnels.MPLS, entry >> 12):
        return
    nibble = u8(data, packet.at + 4) >> 4
    if not entry & 0x100:
        step(packet, 4, layers.MPLS)
    elif nibble == 4 or nibble == 6:
        step(packet, 4, layers.IP)
    else:
        step(packet, 8 if nibble == 0 else 4, layers.ETHERNET)


@part
def arp(packet: Any) -> None:
    """ARP (RFC 826): a message of its own."""
    if has(packet, 8):
        packet.protocol = ARP
        finish(packet, packets.OK)


@part
def nflog(data: Octets, packet: Any) -> None:
    """Linux netfilter log: TLVs, of which number 9 is the packet (in the machine's byte order)."""
    if not has(packet, 4):
        return
    at = packet.at + 4
    while at + 4 <= packet.end:
        size, type_ = le16(data, at), le16(data, at + 2) & 0x7FFF
        if size < 4:
            break
        if type_ == 9:
            packet.end = min(packet.end, at + size)
            packet.at = at + 4
            packet.layer = layers.IP
            return
        at += (size + 3) // 4 * 4
    finish(packet, packets.OTHER)


@part
def pflog(data: Octets, packet: Any) -> None:
    """OpenBSD packet filter log: its length first, padded to four octets."""
    if has(packet, 4):
        size = (u8(data, packet.at) + 3) // 4 * 4
        if size < 4:
            finish(packet, packets.MALFORMED)
        elif has(packet, size):
            step(packet, size, layers.IP)


@part
def pktap(data: Octets, packet: Any) -> None:
    """MacOS packet tap: its length, and the link type of what follows."""
    if not has(packet, 12):
        return
    size, link = le32(data, packet.at), le32(data, packet.at + 8)
    if size < 12:
        finish(packet, packets.MALFORMED)
    elif has(packet, size):
        first = int64(FIRST_LAYER[link]) if link < len(FIRST_LAYER) else int64(0)
        step(packet, size, first if first != 0 and first != layers.PKTAP else layers.OTHER)


@part
def slip(data: Octets, packet: Any) -> None:
    """SLIP with libpcap's pseudo-header of sixteen octets, or without it."""
    if has(packet, 1):
        if u8(data, packet.at) >> 4 == 4 or u8(data, packet.at) >> 4 == 6:
            packet.layer = layers.IP
        elif has(packet, 17):
            step(packet, 16, layers.IP)

"""Encapsulations in IP and UDP: one function a layer, as in `link_layers`."""

from __future__ import annotations

from typing import Any

from netaudit.kernels import layers, tunnels
from netaudit.kernels import packet as packets
from netaudit.kernels.compiled import part
from netaudit.kernels.internet_layers import VXLAN_GPE_PORT, inner
from netaudit.kernels.link_layers import ethertype_layer, finish, has
from netaudit.kernels.octets import Octets, u8, u16, u32


@part
def gre(data: Octets, packet: Any) -> None:
    """GRE (RFC 2784, RFC 2890), and PPTP's version 1 (RFC 2637 section 4.1)."""
    if not has(packet, 4):
        return
    at = packet.at
    flags, protocol = u16(data, at), u16(data, at + 2)
    if flags & 7 > 1 or flags & 0x4000:  # RFC 1701 routing is not followed
        finish(packet, packets.OTHER)
        return
    size = 4
    # checksum, key, sequence number and (version 1) acknowledgement are four octets each
    if flags & 0x8000:
        size += 4
    if flags & 0x2000:
        size += 4
    if flags & 0x1000:
        size += 4
    if flags & 7 == 1 and flags & 0x0080:
        size += 4
    if not has(packet, size):
        return
    layer = ethertype_layer(protocol)
    if layer == layers.ERSPAN2 and not flags & 0x1000:
        layer = layers.ETHERNET  # type I has no header of its own
    inner(packet, tunnels.PPTP if flags & 7 == 1 else tunnels.GRE, 0, size, layer)


@part
def erspan(data: Octets, packet: Any) -> None:
    """ERSPAN II and III (draft-foschiano-erspan section 4): 8 or 12 octets, then a mirrored frame."""
    size = 8
    if packet.layer == layers.ERSPAN3:
        size = 20 if u8(data, packet.at + 11) & 1 else 12
    if has(packet, size):
        inner(packet, tunnels.ERSPAN, 0, size, layers.ETHERNET)


@part
def ether_ip(packet: Any) -> None:
    """Ethernet in IP (RFC 3378): two octets, then a frame."""
    if has(packet, 16):
        inner(packet, tunnels.IP, 0, 2, layers.ETHERNET)


@part
def vxlan(data: Octets, packet: Any) -> None:
    """VXLAN (RFC 7348 section 5) and its generic extension; what does not look like it stays UDP."""
    at = packet.at
    if packet.end - at < 22 or not u8(data, at) & 0x08:
        packet.layer = layers.DONE
        return
    layer = layers.ETHERNET
    if packet.dport == VXLAN_GPE_PORT and u8(data, at) & 0x04:
        following = u8(data, at + 3)
        layer = layers.IPV4 if following == 1 else layers.IPV6 if following == 2 else layers.ETHERNET
    inner(packet, tunnels.VXLAN, u32(data, at + 4) >> 8, 8, layer)


@part
def geneve(data: Octets, packet: Any) -> None:
    """Geneve (RFC 8926 section 3.4): version 0, options counted in words."""
    at = packet.at
    size = 8 + (u8(data, at) & 0x3F) * 4
    if packet.end - at < max(size, 22) or u8(data, at) >> 6:
        packet.layer = layers.DONE
        return
    inner(packet, tunnels.GENEVE, u32(data, at + 4) >> 8, size, ethertype_layer(u16(data, at + 2)))


@part
def gtp(data: Octets, packet: Any) -> None:
    """GTP-U user data (3GPP TS 29.281 section 5): version 1, message type 255."""
    at = packet.at
    if packet.end - at < 9 or u8(data, at) >> 4 != 3 or u8(data, at + 1) != 0xFF:
        packet.layer = layers.DONE
        return
    flags, size = u8(data, at), 8
    if flags & 7:
        size = 12
        following = u8(data, at + 11) if flags & 4 else 0
        for _ in range(16):  # extension headers: a length in words first, the next type last
            words = u8(data, at + size) * 4
            if not following or not words or at + size + words > packet.end:
                break
            following = u8(data, at + size + words - 1)
            size += words
    version = u8(data, at + size) >> 4
    if packet.end - at <= size or (version != 4 and version != 6):
        packet.layer = layers.DONE
        return
    inner(packet, tunnels.GTP, 0, size, layers.IP)


@part
def teredo(data: Octets, packet: Any) -> None:
    """Teredo (RFC 4380 section 5.1.1): authentication, then origin indication, then IPv6."""
    at = packet.at
    if u16(data, at) == 0x0001:
        at += 13 + u8(data, at + 2) + u8(data, at + 3)
    if u16(data, at) == 0x0000:
        at += 8
    if packet.end - at < 40 or u8(data, at) >> 4 != 6:
        packet.layer = layers.DONE
        return
    inner(packet, tunnels.TEREDO, 0, at - packet.at, layers.IPV6)


@part
def ayiya(data: Octets, packet: Any) -> None:
    """AYIYA (draft-massar-v6ops-ayiya section 3.1): identity and signature counted in their lengths."""
    at = packet.at
    identity, signature = 1 << (u8(data, at) >> 4), (u8(data, at + 1) >> 4) * 4
    size = 8 + identity + signature
    following = u8(data, at + 3)
    if packet.end - at <= size or u8(data, at + 2) & 0x0F != 1 or (following != 4 and following != 41):
        packet.layer = layers.DONE
        return
    inner(packet, tunnels.AYIYA, 0, size, layers.IPV6 if following == 41 else layers.IPV4)


@part
def capwap(data: Octets, packet: Any) -> None:
    """CAPWAP data (RFC 5415 section 4.3): an 802.3 or 802.11 frame behind a header of words."""
    at = packet.at
    size = (u8(data, at + 1) >> 3) * 4
    flags = u16(data, at + 2)
    is_fragment = flags & 0x00C0 or u16(data, at + 6) & 0xFFF8
    if packet.end - at < size + 10 or u8(data, at) or size < 8 or is_fragment:
        packet.layer = layers.DONE
        return
    is_native = flags & 0x0100  # T: the payload is in the native format of the wireless binding
    inner(packet, tunnels.CAPWAP, 0, size, layers.WLAN if is_native else layers.ETHERNET)


@part
def l2tp(data: Octets, packet: Any) -> None:
    """L2TP version 2 data (RFC 2661 section 3.1), and PPP in it."""
    at = packet.at
    flags = u16(data, at)
    if flags & 0x8000 or flags & 0x000F != 2 or packet.end - at < 8:  # control messages stay UDP
        packet.layer = layers.DONE
        return
    size = 6
    if flags & 0x4000:
        size += 2
    if flags & 0x0800:
        size += 4
    if flags & 0x0200:
        size += 2 + u16(data, at + size)
    if packet.end - at < size + 4:
        packet.layer = layers.DONE
        return
    inner(packet, tunnels.L2TP, 0, size, layers.PPP)

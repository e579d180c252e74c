"""IEEE 802.11 and what monitoring puts before it: one function a layer, as in `link_layers`."""

from __future__ import annotations

from typing import Any

from netaudit.kernels import layers, tunnels
from netaudit.kernels import packet as packets
from netaudit.kernels.compiled import part
from netaudit.kernels.link_layers import FIRST_LAYER, finish, has, station, step
from netaudit.kernels.octets import Octets, int64, le16, le32, u8, u16, u32
from netaudit.kernels.packet import WLAN


@part
def wlan(data: Octets, packet: Any) -> None:
    """IEEE 802.11 (section 9.2.4): data frames in the clear; management frames are messages."""
    if packet.end - packet.at < 10:
        finish(packet, packets.OTHER)
        return
    control = u16(data, packet.at)
    if _is_in_capwap(packet) and (control & 0x0300 or control & 0x000C == 0x0008):
        control = (control & 0xFF) << 8 | control >> 8  # Cisco's controllers swap the two octets
    if control & 0x0C00 == 0:
        packet.protocol = WLAN
        finish(packet, packets.OK)
        return
    # data, with a body (null-function subtypes carry none), not protected
    if control & 0x0C00 != 0x0800 or control & 0x4000 or control & 0x0040 or packet.end - packet.at < 24:
        finish(packet, packets.OTHER)
        return
    to_ds, from_ds, is_qos = control & 1, control & 2, control & 0x8000
    # address 2 is the sender unless the frame comes from the access point, then address 3
    packet.mac = station(data, packet.at + (16 if from_ds else 10))
    packet.has_mac = not (to_ds and from_ds)
    size = 24
    if to_ds and from_ds:
        size += 6
    is_mesh_or_bundle = is_qos and u8(data, packet.at + size) & 0x80  # A-MSDU present
    if is_qos:
        size += 6 if control & 0x0080 else 2  # HT control
    if packet.padded:  # radiotap said that the header is padded to four octets
        size = (size + 3) // 4 * 4
    if is_mesh_or_bundle:
        size += 14  # the first subframe's header
    if has(packet, size):
        step(packet, size, layers.LLC)


@part
def _is_in_capwap(packet: Any) -> bool:
    """Whether an access point sent the frame on to its controller."""
    return packet.depth > 0 and packet.tunnel[packet.depth - 1] >> 24 == tunnels.CAPWAP


@part
def radiotap(data: Octets, packet: Any) -> None:
    """Radiotap (https://www.radiotap.org): its length, the channel, and whether headers are padded."""
    if not has(packet, 8):
        return
    size = le16(data, packet.at + 2)
    if size < 8:
        finish(packet, packets.MALFORMED)
        return
    if not has(packet, size):
        return
    present = le32(data, packet.at + 4)
    at, word = packet.at + 8, present
    while word & 0x80000000 and at + 4 <= packet.at + size:  # further words of presence
        word = le32(data, at)
        at += 4
    if present & 1:  # TSFT, eight octets, aligned
        at += -(at - packet.at) % 8 + 8
    has_fcs = 0
    if present & 2:
        flags = u8(data, at)
        packet.padded = flags & 0x20 != 0
        has_fcs = flags & 0x10
        at += 1
    if present & 4:
        at += 1
    if present & 8:  # channel: frequency and flags, two octets each, aligned to two
        at += (at - packet.at) % 2
        packet.channel = _channel(le16(data, at))
    packet.at += size
    if has_fcs and packet.end - packet.at >= 4 and packet.caplen >= packet.wirelen:
        packet.end -= 4
    packet.layer = layers.WLAN


@part
def _channel(frequency: int) -> int:
    """The number of a channel by its middle frequency in MHz (IEEE 802.11 section 19.3.15); 0 unknown."""
    if frequency == 2484:
        return 14
    if 2412 <= frequency <= 2472:
        return (frequency - 2407) // 5
    if 5955 <= frequency <= 7115:
        return (frequency - 5950) // 5
    if 5160 <= frequency <= 5885:
        return (frequency - 5000) // 5
    return 0


@part
def prism(data: Octets, packet: Any) -> None:
    """Prism monitoring header, usually 144 octets; where it is AVS, that."""
    if not has(packet, 8):
        return
    if u32(data, packet.at) & 0xFFFFF000 == 0x80211000:
        packet.layer = layers.AVS
    elif has(packet, 144):
        step(packet, 144, layers.WLAN)


@part
def avs(data: Octets, packet: Any) -> None:
    """AVS monitoring header: a magic, then its length in network order."""
    if not has(packet, 8):
        return
    size = u32(data, packet.at + 4)
    if size < 8:
        finish(packet, packets.MALFORMED)
    elif has(packet, size):
        step(packet, size, layers.WLAN)


@part
def ppi(data: Octets, packet: Any) -> None:
    """CACE per-packet information: its length, and the link type of what follows."""
    if not has(packet, 8):
        return
    size, link = le16(data, packet.at + 2), le32(data, packet.at + 4)
    if size < 8:
        finish(packet, packets.MALFORMED)
    elif has(packet, size):
        first = int64(FIRST_LAYER[link]) if link < len(FIRST_LAYER) else int64(0)
        step(packet, size, first if first != 0 and first != layers.PPI else layers.OTHER)

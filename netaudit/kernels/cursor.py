"""Where each packet of a piece has been read to, and what its layers have said so far."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from netaudit.kernels.status import Status
from netaudit.kernels.window import Bools, Ints, Octets, Window

MAX_DEPTH = 8
"""Encapsulations inside each other; no sane network has more."""


class Layer(IntEnum):
    """What comes next in a packet."""

    DONE = 0
    ETHERNET = 1
    LLC = 2
    SLL = 3
    SLL2 = 4
    NULL = 5
    PPP = 6
    PPP_HDLC = 7
    CISCO_HDLC = 8
    WLAN = 9
    RADIOTAP = 10
    PRISM = 11
    VLAN = 12
    PPPOE = 13
    MPLS = 14
    ARP = 15
    IP = 16
    IPV4 = 17
    IPV6 = 18
    EXTENSION = 19
    AUTHENTICATION = 20
    FRAGMENT = 21
    IPV4_IN_IP = 22
    IPV6_IN_IP = 23
    GRE = 24
    TCP = 25
    UDP = 26
    VXLAN = 27
    GENEVE = 28
    GTP = 29
    FRAME_RELAY = 30
    OTHER = 31


class Tunnel(IntEnum):
    """Kinds of encapsulation; a tag is ``kind << 24 | number`` (number: VLAN id, label, VNI)."""

    VLAN = 1
    PPPOE = 2
    MPLS = 3
    IP = 4
    GRE = 5
    VXLAN = 6
    GENEVE = 7
    GTP = 8


NUMBERED = (Tunnel.VLAN, Tunnel.MPLS, Tunnel.VXLAN, Tunnel.GENEVE)

TCP = 6
UDP = 17
ARP = 255
"""Stands in `Cursor.protocol` for ARP, which has no number of its own (255 is reserved)."""


class Cursor:
    """One row a packet; layer functions read at `at` and set what they learn.

    `at` and `end` bound what is left of the packet in the window. `end` shrinks as length
    fields are read, it never grows, so no layer can read behind the captured bytes.
    """

    def __init__(self, window: Window, start: Ints, length: Ints, layer: Octets) -> None:
        """Begin all packets at their first `layer`."""
        count = len(start)
        self.window = window
        self.at: Ints = start.astype(np.int64)
        self.end: Ints = self.at + length
        self.layer: Octets = layer.astype(np.uint8)
        self.status: Octets = np.full(count, Status.OTHER, np.uint8)
        self.cut: Bools = np.zeros(count, np.bool_)
        self.ip_at: Ints = np.full(count, -1, np.int64)
        self.src: Octets = np.zeros((count, 16), np.uint8)
        self.dst: Octets = np.zeros((count, 16), np.uint8)
        self.protocol: Octets = np.zeros(count, np.uint8)
        self.sport: Ints = np.zeros(count, np.int64)
        self.dport: Ints = np.zeros(count, np.int64)
        self.seq: Ints = np.zeros(count, np.int64)
        self.flags: Octets = np.zeros(count, np.uint8)
        self.mac: Octets = np.zeros((count, 6), np.uint8)
        self.has_mac: Bools = np.zeros(count, np.bool_)
        self.tunnel = np.zeros((count, MAX_DEPTH), np.uint32)
        self.depth: Ints = np.zeros(count, np.int64)

    def finish(self, rows: Ints, status: Status) -> None:
        """These packets are read to the end of what can be read."""
        self.status[rows] = status
        self.layer[rows] = Layer.DONE

    def having(self, rows: Ints, size: int | Ints) -> Ints:
        """Those of `rows` that have `size` more octets; the others are cut short."""
        fits = self.end[rows] - self.at[rows] >= size
        if fits.all():
            return rows
        self.finish(rows[~fits], Status.TRUNCATED)
        return rows[fits]

    def sound(self, rows: Ints, test: Bools) -> Ints:
        """Those of `rows` that pass `test`; the others contradict their protocol."""
        if test.all():
            return rows
        self.finish(rows[~test], Status.MALFORMED)
        return rows[test]

    def advance(self, rows: Ints, size: int | Ints, layer: int | Octets) -> None:
        """Step over a header; `layer` comes next."""
        self.at[rows] += size
        self.layer[rows] = layer

    def enter(self, rows: Ints, kind: Tunnel, number: Ints | int = 0) -> Ints:
        """Note an encapsulation; gives those of `rows` that are not too deep."""
        depth = self.depth[rows]
        deep = depth >= MAX_DEPTH
        if deep.any():
            self.finish(rows[deep], Status.TOO_DEEP)
            number = number[~deep] if isinstance(number, np.ndarray) else number
            rows, depth = rows[~deep], depth[~deep]
        self.tunnel[rows, depth] = (int(kind) << 24) | number
        self.depth[rows] = depth + 1
        return rows

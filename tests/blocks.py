"""Blocks of messages made by hand, for tests of single protocols."""

import numpy as np

from netaudit.kernels.octets import octets_of
from netaudit.kernels.packet import MESSAGE, UDP
from netaudit.records.addresses import parse_ip
from netaudit.sources.messages import Messages

START = 1_700_000_000


def message(kind, data, src="10.0.0.7", dst="192.0.2.53", sport=5000, dport=53, **fields):
    """One message as a dictionary: `data` is its octets, `fields` are columns of `MESSAGE`."""
    return dict(kind=kind, data=data, src=src, dst=dst, sport=sport, dport=dport, **fields)


def block(*given, now=None):
    """`Messages` of some `message`s; ordinals count from 1 and seconds from `START` unless given."""
    rows = np.zeros(len(given), MESSAGE)
    arena, at = b"", 0
    for number, one in enumerate(given):
        row = {
            "protocol": UDP,
            "timed": 1,
            "flow": -1,
            "ordinal": number + 1,
            "ts": (START + number) * 10**9,
        }
        row |= {name: value for name, value in one.items() if name not in {"data", "src", "dst"}}
        for side in ("src", "dst"):
            raw = np.frombuffer(parse_ip(one[side]), "<u8")
            row[side + "0"], row[side + "1"] = int(raw[0]), int(raw[1])
        row["at"], row["length"] = at, len(one["data"])
        for name, value in row.items():
            rows[name][number] = value
        arena += one["data"]
        at = len(arena)
    latest = int(rows["ts"].max(initial=0)) if now is None else now
    return Messages(rows, octets_of(arena), latest)

"""Write a capture of any size, and beside it the truth: every name in it with its time, client and kind.

    python benchmarks/generate.py office.pcap --packets 5000000
    python benchmarks/generate.py dns-vlan.pcap --packets 1000000 --profile dns --wrap vlan

Some thousands of conversations are made frame by frame, then played again and again by other clients
at other times: only the client's addresses and port, the datagram's number and the time differ. The
same arguments give the same octets. Nothing of netaudit is used. Checksums are left zero, as a card
that computes them itself leaves them.
"""

from __future__ import annotations

import argparse
import ipaddress
import struct
from pathlib import Path

import numpy as np
from conversations import Conversation, Frame, dns, http, quic, tls
from wrappings import WRAPPINGS, wrapped

BEGIN_US = 1_767_600_000 * 10**6
PER_SECOND = 2_000
"""Packets a second of the capture's own time."""
CLIENTS = 1_000
CLIENT_BASE = 0x0A010002
"""The last four octets of the first client's address: 10.1.0.2, and 2001:db8:1::a01:2."""
FIRST_PORT, PORTS = 20_000, 40_000
CHUNK = 50_000
RECORD = 16
ETHERNET_LINK, WLAN_LINK = 1, 105

SHARES = {
    "office": {"dns": 0.08, "tls": 0.70, "quic": 0.16, "http": 0.06},
    "dns": {"dns": 1.0},
}
"""Parts of the packets."""
DISTINCT = {
    "office": {"dns": 3_000, "tls": 900, "quic": 250, "http": 300},
    "dns": {"dns": 30_000},
}
"""Conversations, and so names."""


def conversations_of(
    profile: str, wrapping: str, packets: int, rng: np.random.Generator
) -> list[Conversation]:
    """Everything that is played, each with a name of its own; less of it for a small capture."""
    made = []
    for kind, count in DISTINCT[profile].items():
        for number in range(min(count, packets // 10)):
            talk = Conversation(
                kind, _name(len(made), rng), is_v6=wrapping != "fragmented" and number % 5 == 4
            )
            if kind == "dns":
                dns(talk, rng, over_tcp=wrapping == "dns-over-tcp")
            else:
                {"tls": tls, "http": http, "quic": quic}[kind](talk, rng)
            made.append(wrapped(talk, wrapping))
    return made


def _name(number: int, rng: np.random.Generator) -> str:
    words = [
        "".join(rng.choice(list("aeiou") if n % 2 else list("bcdfgklmnprst")) for n in range(size))
        for size in (4, 8)
    ]
    end = ("com", "cn", "net", "com.cn", "org")[number % 5]
    return f"{words[0]}.{words[1]}{number}.{end}"


def generate(path: Path, profile: str, packets: int, wrapping: str = "plain", seed: int = 1) -> None:
    """Write `path` and ``path.truth.tsv``; `packets` is reached but for a handful."""
    rng = np.random.default_rng(seed)
    talks = conversations_of(profile, wrapping, packets, rng)
    lengths = np.array([len(talk.frames) for talk in talks])
    played = _played(talks, lengths, profile, packets, rng)
    start = (rng.random(len(played)) * packets / PER_SECOND * 1e6).astype(np.int64)
    frames = [frame for talk in talks for frame in talk.frames]
    first_frame = np.cumsum(lengths) - lengths
    offset = np.cumsum([frame.gap_us for frame in frames])
    offset -= np.repeat(offset[first_frame], lengths)
    # Every packet: whose it is, which frame, when.
    player = np.repeat(np.arange(len(played), dtype=np.int32), lengths[played])
    begun = np.cumsum(lengths[played]) - lengths[played]
    frame = (np.arange(len(player)) - np.repeat(begun - first_frame[played], lengths[played])).astype(
        np.int32
    )
    when = start[player] + offset[frame]
    order = np.argsort(when, kind="stable")[:packets]
    place = np.full(len(player), len(player), np.int64)
    place[order] = np.arange(len(order))
    first = np.array([talk.first for talk in talks])[played]
    last = np.array([talk.last for talk in talks])[played]
    told = place[begun + last] < len(player)
    order = order[told[player[order]] | (place[(begun + first)[player[order]]] == len(player))]
    _write(
        path,
        frames,
        frame[order],
        player[order],
        when[order],
        WLAN_LINK if wrapping == "wlan" else ETHERNET_LINK,
    )
    said = np.flatnonzero(told)
    said = said[np.argsort(when[begun[said] + first[said]], kind="stable")]
    _write_truth(path, [(when[begun[n] + first[n]], n, talks[played[n]]) for n in said.tolist()])


def _played(
    talks: list[Conversation], lengths: np.ndarray, profile: str, packets: int, rng: np.random.Generator
) -> np.ndarray:
    """Which conversations, some of them often, for a fifth more packets than are asked for."""
    chosen = []
    kinds = np.array([talk.kind for talk in talks])
    for kind, share in SHARES[profile].items():
        these = np.flatnonzero(kinds == kind)
        weight = 1 / np.arange(1, len(these) + 1) ** 0.8
        count = int(np.ceil(1.2 * packets * share / lengths[these].mean()))
        chosen.append(rng.choice(these, count, p=weight / weight.sum()))
    return rng.permutation(np.concatenate(chosen))


def _client_of(player: np.ndarray) -> np.ndarray:
    return CLIENT_BASE + player % CLIENTS


def _write(
    path: Path, frames: list[Frame], frame: np.ndarray, player: np.ndarray, when: np.ndarray, link: int
) -> None:
    octets = [bytes(RECORD) + one.octets for one in frames]
    size = np.array([len(one) for one in octets])
    datagram = np.array([one.datagram for one in frames])
    places = {
        n: np.array([getattr(one, n) for one in frames])
        for n in ("mac_at", "ip_at", "port_at", "number_at")
    }
    with path.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, link))
        for begin in range(0, len(frame), CHUNK):
            part = slice(begin, begin + CHUNK)
            these, whose = frame[part], player[part].astype(np.int64)
            data = np.frombuffer(bytearray(b"".join([octets[n] for n in these.tolist()])), np.uint8)
            at = np.cumsum(size[these]) - size[these]
            us, length = when[part] + BEGIN_US, size[these] - RECORD
            header = np.stack((us // 10**6, us % 10**6, length, length), 1).astype("<u4").view(np.uint8)
            data[at[:, None] + np.arange(RECORD)] = header.reshape(-1, RECORD)
            client, port = _client_of(whose), FIRST_PORT + whose // CLIENTS % PORTS
            number = (whose * 977 + datagram[these]) & 0xFFFF
            for name, value, width in (
                ("mac_at", client, 4), ("ip_at", client, 4), ("port_at", port, 2), ("number_at", number, 2),
            ):  # fmt: skip
                _put(data, at + RECORD, places[name][these], value, width)
            out.write(data.data)


def _put(data: np.ndarray, base: np.ndarray, place: np.ndarray, value: np.ndarray, width: int) -> None:
    """Big-endian values into frames, where they have a place for them."""
    there = place >= 0
    at, value = (base + place)[there], value[there]
    for n in range(width):
        data[at + n] = (value >> 8 * (width - 1 - n)) & 0xFF


def _write_truth(path: Path, rows: list[tuple[int, int, Conversation]]) -> None:
    with path.with_name(path.name + ".truth.tsv").open("w", encoding="utf-8") as out:
        out.write("time\tclient\tkind\tname\n")
        for when, player, talk in rows:
            us, low = int(when) + BEGIN_US, CLIENT_BASE + player % CLIENTS
            prefix = 0x20010DB8000100000000000000000000
            client = ipaddress.IPv6Address(prefix | low) if talk.is_v6 else ipaddress.IPv4Address(low)
            out.write(f"{us // 10**6}.{us % 10**6:06d}\t{client}\t{talk.kind}\t{talk.name}\n")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("capture", type=Path)
    parser.add_argument("--packets", type=int, default=1_000_000)
    parser.add_argument("--profile", choices=SHARES, default="office")
    parser.add_argument("--wrap", choices=WRAPPINGS, default="plain")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    generate(given.capture, given.profile, given.packets, given.wrap, given.seed)


if __name__ == "__main__":
    main()

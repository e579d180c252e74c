"""pcap and pcapng: byte orders, clocks, damage."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.kernels.capture import PCAP_MAGICS
from netaudit.kernels.pcap import PcapWalker
from netaudit.kernels.pcapng import PcapngWalker
from netaudit.kernels.window import Window

FRAME = b"\x02" * 60
S = 1_700_000_000


def record(order="<", second=S, fraction=5, frame=FRAME, caplen=None, extra=b""):
    size = len(frame) if caplen is None else caplen
    return struct.pack(order + "IIII", second, fraction, size, max(size, 60) & 0xFFFFFFFF) + extra + frame


def pcap_header(magic=b"\xd4\xc3\xb2\xa1", link_type=1):
    order = PCAP_MAGICS[magic][0]
    return magic + struct.pack(order + "HHiIII", 2, 4, 0, 0, 262144, link_type)


def walk(header, body):
    return PcapWalker(header).walk(Window(body), final=True)


@pytest.mark.parametrize("magic", PCAP_MAGICS)
def test_byte_orders_and_resolutions(magic):
    order, tick, size = PCAP_MAGICS[magic]
    body = record(order, extra=b"\0" * (size - 16)) * 3
    walked = walk(pcap_header(magic), body)
    assert walked.packets.at.tolist() == [size + k * (size + 60) for k in range(3)]
    assert walked.packets.ts.tolist() == [S * 10**9 + 5 * tick] * 3
    assert (walked.used, walked.damaged) == (len(body), 0)


@pytest.mark.parametrize(
    "bad",
    [
        record(caplen=0xFFFFFFFF),
        record(caplen=0xFFFFFFFF, frame=b""),
        struct.pack("<IIII", S, 5, 5000, 60) + FRAME,  # longer than on the wire
        struct.pack("<IIII", S, 2_000_000, 70_000, 60) + FRAME,
        b"\xff" * 333,
    ],
)
def test_the_walk_goes_on_behind_a_damaged_record(bad):
    body = record() * 4 + bad + record(second=S + 1) * 3
    walked = walk(pcap_header(), body)
    assert len(walked.packets.at) == 7
    assert (walked.damaged, walked.gaps, walked.used) == (len(bad), 1, len(body))


def test_a_jump_in_time_is_no_damage():
    body = record() * 3 + record(second=S + 10 * 365 * 86_400) * 2 + record(second=0)
    walked = walk(pcap_header(), body)
    assert len(walked.packets.at) == 6
    assert walked.damaged == 0


def test_a_consistent_oddity_is_no_damage():
    body = (struct.pack("<IIII", S, 5, 60, 0) + FRAME) * 5  # a writer that leaves the length away
    assert len(walk(pcap_header(), body).packets.at) == 5


@pytest.mark.parametrize("split", range(0, 400, 23))
def test_pieces_give_the_same_as_the_whole(split):
    body = record() * 2 + b"\xff" * 40 + record() * 3
    walker = PcapWalker(pcap_header())
    first = walker.walk(Window(body[:split]), final=False)
    rest = body[first.used : split] + body[split:]
    second = walker.walk(Window(rest), final=True)
    assert len(first.packets.at) + len(second.packets.at) == 5
    assert first.damaged + second.damaged == 40


def block(type_, body, order="<"):
    body += b"\0" * (-len(body) % 4)
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", type_) + size + body + size


def section(order="<"):
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(order="<", link_type=1, options=b"", snaplen=0):
    return block(1, struct.pack(order + "HHI", link_type, 0, snaplen) + options, order)


def enhanced(ticks, order="<", number=0, frame=FRAME):
    head = struct.pack(order + "IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), len(frame))
    return block(6, head + frame, order)


def resolution(value, order="<"):
    return struct.pack(order + "HHB3x", 9, 1, value)


def walk_ng(data):
    return PcapngWalker().walk(Window(data), final=True)


def test_sections_interfaces_and_block_types():
    data = (
        section() + interface() + interface(link_type=113, options=resolution(9))
        + enhanced(S * 10**6) + enhanced(S * 10**9 + 7, number=1)
        + block(3, struct.pack("<I", 60) + FRAME)  # simple: no time
        + block(2, struct.pack("<HHIIII", 1, 0, (S * 10**9) >> 32, (S * 10**9) & 0xFFFFFFFF, 60, 60) + FRAME)
        + block(0x0BAD, b"unknown") + section(">") + interface(">", link_type=101) + enhanced(S * 10**6, ">")
    )  # fmt: skip
    walked = walk_ng(data)
    assert walked.packets.link_type.tolist() == [1, 113, 1, 113, 101]
    assert walked.packets.timed.tolist() == [True, True, False, True, True]
    expected = [S * 10**9, S * 10**9 + 7, 0, S * 10**9, S * 10**9]
    assert walked.packets.ts.tolist() == expected
    assert (walked.used, walked.damaged) == (len(data), 0)


@pytest.mark.parametrize(
    ("value", "ticks", "expected"),
    [
        (3, S * 10**3, S * 10**9), (12, 10**15, 10**12), (0x80 | 1, S * 2 + 1, S * 10**9 + 5 * 10**8),
        (0x80 | 30, S << 30, S * 10**9), (0x80 | 33, (S << 33) + 1, S * 10**9),
        (255, S, None), (127, S, None), (0x80 | 63, S, None), (0x80, S, None), (13, S, None), (0, S, None),
    ],
)  # fmt: skip
def test_resolutions_that_can_be_and_those_that_cannot(value, ticks, expected):
    walked = walk_ng(section() + interface(options=resolution(value)) + enhanced(ticks))
    assert len(walked.packets.at) == 1
    assert walked.packets.timed.tolist() == [expected is not None]
    assert walked.packets.ts.tolist() == [expected or 0]


def test_a_packet_of_no_interface_is_kept_apart():
    walked = walk_ng(section() + enhanced(1, number=4))
    assert walked.packets.link_type.tolist() == [-1]
    assert walked.packets.timed.tolist() == [False]


@pytest.mark.parametrize("length", [0, 4, 13, 0xFFFFFFF0])
def test_impossible_block_lengths_are_walked_past(length):
    bad = struct.pack("<II", 6, length) + b"\xee" * 24
    data = section() + interface() + enhanced(S) + bad + enhanced(S) * 2
    walked = walk_ng(data)
    assert len(walked.packets.at) == 3
    assert (walked.damaged, walked.used) == (len(bad), len(data))


def test_a_wrong_length_at_the_end_of_a_block_does_not_lose_it():
    wrong = bytearray(enhanced(S))
    wrong[-4:] = b"\1\2\3\4"
    assert len(walk_ng(section() + interface() + bytes(wrong) + enhanced(S)).packets.at) == 2


WHOLE_NG = section() + interface() + enhanced(S) * 3 + section(">") + interface(">") + enhanced(S, ">")
WHOLE = record() * 4


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(WHOLE_NG)), st.integers(0, 10**6), st.integers(0, 255), st.booleans())
def test_no_damage_raises_or_leads_outside(cut, flip, value, ng):
    data = bytearray((WHOLE_NG if ng else WHOLE)[: max(cut, 1)])
    data[flip % len(data)] = value
    walker = PcapngWalker() if ng else PcapWalker(pcap_header())
    walked = walker.walk(Window(bytes(data)), final=True)
    packets = walked.packets
    assert (packets.at + packets.caplen <= len(data)).all()
    assert (packets.caplen >= 0).all()
    assert 0 <= walked.damaged <= walked.used <= len(data)
    assert (np.diff(packets.at) > 0).all()

"""pcap and pcapng: byte orders, clocks, damage; scapy's reading is the judge of what is sound."""

import io
import struct
import warnings

import numpy as np
import pytest
from containers import block, enhanced, interface, pcap_header, record, resolution, section
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.kernels import pcap, pcapng
from netaudit.kernels.magics import PCAP, PCAPNG
from netaudit.kernels.octets import octets_of
from netaudit.kernels.packet import PACKET

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from scapy.utils import RawPcapNgReader, RawPcapReader

FRAME = b"\x02" * 60
S = 1_700_000_000


class Walk:
    """A walk over windows that end where `splits` say."""

    def __init__(self, data, splits=(), room=64):
        self.is_ng = data[:4] == PCAPNG
        if self.is_ng:
            self.file, self.interfaces = pcapng.file_of()
        else:
            self.file, data = pcap.file_of(data[: pcap.FILE_HEADER]), data[pcap.FILE_HEADER :]
        self.size, self.found = len(data), []
        begin = 0
        for end in [*splits, len(data)]:
            final = end == len(data)
            count = room
            while count == room:
                rows = np.zeros(room, PACKET)
                count, at = self._walk(octets_of(data[begin:end]), end - begin, rows, final=final)
                rows["at"] += begin
                rows["end"] += begin
                self.found.append(rows[:count])
                begin += at
        self.used = begin
        self.packets = np.concatenate(self.found)
        self.damaged, self.gaps = int(self.file["damaged"][0]), int(self.file["gaps"][0])

    def _walk(self, data, size, rows, *, final):
        if self.is_ng:
            return pcapng.walk(data, 0, size, final, self.file, self.interfaces, rows)
        return pcap.walk(data, 0, size, final, self.file, rows)


def times(walked):
    return walked.packets["ts"].tolist()


@pytest.mark.parametrize("magic", PCAP)
def test_byte_orders_and_resolutions(magic):
    order, tick, size = PCAP[magic]
    mark = "<" if order == "little" else ">"
    header = magic + pcap_header(order=mark)[4:]
    body = record(FRAME, fraction=5, order=mark, extra=b"\0" * (size - 16)) * 3
    walked = Walk(header + body)
    assert walked.packets["at"].tolist() == [size + k * (size + 60) for k in range(3)]
    assert times(walked) == [S * 10**9 + 5 * tick] * 3
    assert walked.packets["ordinal"].tolist() == [1, 2, 3]
    assert (walked.used, walked.damaged, walked.gaps) == (len(body), 0, 0)


def test_the_upper_half_of_the_link_type_is_no_part_of_it():
    header = bytearray(pcap_header(link=1))
    header[20:24] = struct.pack("<I", 1 | 0x14000000)  # a frame check sequence of four octets
    assert Walk(bytes(header) + record(FRAME)).packets["link"].tolist() == [1]


BAD_RECORDS = [
    record(FRAME, caplen=0xFFFFFFFF),
    record(b"", caplen=0xFFFFFFFF),
    struct.pack("<IIII", S, 5, 5000, 60) + FRAME,  # longer than on the wire
    struct.pack("<IIII", S, 2_000_000, 70_000, 60) + FRAME,
    b"\xff" * 333,
    b"\0" * 7,
]


@pytest.mark.parametrize("bad", BAD_RECORDS)
def test_the_walk_goes_on_behind_a_damaged_record(bad):
    body = record(FRAME) * 4 + bad + record(FRAME, second=S + 1) * 3
    walked = Walk(pcap_header() + body)
    assert len(walked.packets) == 7
    assert (walked.damaged, walked.gaps, walked.used) == (len(bad), 1, len(body))


def test_a_jump_in_time_is_no_damage():
    body = record(FRAME) * 3 + record(FRAME, second=S + 10 * 365 * 86_400) * 2 + record(FRAME, second=0)
    walked = Walk(pcap_header() + body)
    assert len(walked.packets) == 6
    assert walked.damaged == 0


def test_a_consistent_oddity_is_no_damage():
    body = (struct.pack("<IIII", S, 5, 60, 0) + FRAME) * 5  # a writer that leaves the length away
    assert len(Walk(pcap_header() + body).packets) == 5


def test_a_record_of_no_octets_is_a_packet():
    walked = Walk(pcap_header() + record(FRAME) + record(b"", wirelen=60) + record(FRAME))
    assert walked.packets["caplen"].tolist() == [60, 0, 60]
    assert walked.damaged == 0


MIXED = record(FRAME) * 2 + b"\xff" * 40 + record(FRAME) * 3


@pytest.mark.parametrize("split", range(0, len(MIXED), 23))
@pytest.mark.parametrize("room", [1, 2, 64])
def test_windows_give_the_same_as_the_whole(split, room):
    whole, parts = Walk(pcap_header() + MIXED), Walk(pcap_header() + MIXED, [split], room)
    assert (whole.packets == parts.packets).all()
    assert len(whole.packets) == 5
    assert (parts.damaged, parts.gaps) == (40, 1)


def test_sections_interfaces_and_block_types():
    data = (
        section() + interface() + interface(link=113, options=resolution(9))
        + enhanced(FRAME) + enhanced(FRAME, S * 10**9 + 7, number=1)
        + block(3, struct.pack("<I", 60) + FRAME)  # simple: no time
        + block(2, struct.pack("<HHIIII", 1, 0, (S * 10**9) >> 32, (S * 10**9) & 0xFFFFFFFF, 60, 60) + FRAME)
        + block(0x0BAD, b"unknown") + section(">") + interface(">", link=101) + enhanced(FRAME, order=">")
    )  # fmt: skip
    walked = Walk(data)
    assert walked.packets["link"].tolist() == [1, 113, 1, 113, 101]
    assert walked.packets["timed"].tolist() == [1, 1, 0, 1, 1]
    assert times(walked) == [S * 10**9, S * 10**9 + 7, 0, S * 10**9, S * 10**9]
    assert (walked.used, walked.damaged) == (len(data), 0)


@pytest.mark.parametrize(
    ("value", "ticks", "expected"),
    [
        (3, S * 10**3, S * 10**9), (12, 10**15, 10**12), (0x80 | 1, S * 2 + 1, S * 10**9 + 5 * 10**8),
        (0x80 | 30, S << 30, S * 10**9), (0x80 | 33, (S << 33) + 1, S * 10**9),
        (255, S, None), (127, S, None), (0x80 | 63, S, None), (0x80, S, None), (13, S, None), (0, S, None),
        (1, 2**64 - 1, None),
    ],
)  # fmt: skip
def test_resolutions_that_can_be_and_those_that_cannot(value, ticks, expected):
    walked = Walk(section() + interface(options=resolution(value)) + enhanced(FRAME, ticks))
    assert len(walked.packets) == 1
    assert walked.packets["timed"].tolist() == [expected is not None]
    assert times(walked) == [expected or 0]


@pytest.mark.parametrize(("offset", "expected"), [(3600, S + 3600), (-S, 0), (-S - 1, None), (2**62, None)])
def test_an_offset_of_the_clock(offset, expected):
    option = struct.pack("<HHq", 14, 8, offset)
    walked = Walk(section() + interface(options=option) + enhanced(FRAME))
    assert walked.packets["timed"].tolist() == [expected is not None]
    assert times(walked) == [(expected or 0) * 10**9]


def test_a_packet_of_no_interface_is_kept_apart():
    walked = Walk(section() + enhanced(FRAME, number=4))
    assert walked.packets["link"].tolist() == [pcapng.UNDESCRIBED]
    assert walked.packets["timed"].tolist() == [0]


def test_a_simple_packet_is_as_long_as_its_interface_lets_it_be():
    walked = Walk(section() + interface(snaplen=20) + block(3, struct.pack("<I", 60) + FRAME[:20]))
    assert (walked.packets["caplen"].tolist(), walked.packets["wirelen"].tolist()) == ([20], [60])


def test_more_interfaces_than_there_is_room_for():
    many = interface() * (pcapng.MAX_INTERFACES + 10)
    walked = Walk(section() + many + enhanced(FRAME) + enhanced(FRAME, number=pcapng.MAX_INTERFACES + 5))
    assert walked.packets["link"].tolist() == [1, pcapng.UNDESCRIBED]


def drops(number, *counts):
    options = b"".join(
        struct.pack("<HHQ", code, 8, count) for code, count in zip((5, 7), counts, strict=False)
    )
    return block(5, struct.pack("<III", number, 0, 0) + options)


def test_drops_of_the_capturing_machine_are_totals():
    data = section() + interface() * 2 + drops(0, 3, 4) + drops(0, 5, 4) + drops(1, 1) + drops(9, 99)
    assert Walk(data).file["dropped"].tolist() == [10]
    assert Walk(section() + interface() + drops(0, 2**63 + 5)).file["dropped"].tolist() == [0]


@pytest.mark.parametrize("length", [0, 4, 8, 13, 0xFFFFFFF0])
def test_impossible_block_lengths_are_walked_past(length):
    bad = struct.pack("<II", 6, length) + b"\xee" * 24
    data = section() + interface() + enhanced(FRAME) + bad + enhanced(FRAME) * 2
    walked = Walk(data)
    assert len(walked.packets) == 3
    assert (walked.damaged, walked.used, walked.gaps) == (len(bad), len(data), 1)


def test_a_wrong_length_at_the_end_of_a_block_does_not_lose_it():
    data = section() + interface() + enhanced(FRAME, trailer=0x04030201) + enhanced(FRAME)
    assert len(Walk(data).packets) == 2


def test_short_blocks_are_no_packets():
    data = (
        section()
        + interface()
        + block(6, b"1234")
        + block(3, b"")
        + block(2, b"")
        + block(1, b"")
        + block(5, b"")
    )
    walked = Walk(data)
    assert (len(walked.packets), walked.damaged) == (0, 0)


WHOLE_NG = (
    section()
    + interface()
    + enhanced(FRAME) * 3
    + section(">")
    + interface(">")
    + enhanced(FRAME, order=">")
)
WHOLE = pcap_header() + record(FRAME) * 4


@pytest.mark.parametrize("split", range(0, len(WHOLE_NG), 17))
def test_windows_of_pcapng(split):
    whole, parts = Walk(WHOLE_NG), Walk(WHOLE_NG, [split], room=1)
    assert (whole.packets == parts.packets).all()
    assert len(whole.packets) == 4


def test_scapy_finds_the_same_packets_at_the_same_times():
    frames = [bytes([k]) * (60 + 17 * k) for k in range(9)]
    data = pcap_header() + b"".join(record(f, S + k, 1000 * k, wirelen=2000) for k, f in enumerate(frames))
    theirs = [(m.sec * 10**6 + m.usec, octets) for octets, m in RawPcapReader(io.BytesIO(data))]
    walked = Walk(data)
    ours = [(p["ts"] // 1000, data[24:][p["at"] : p["end"]]) for p in walked.packets]
    assert ours == theirs
    ng = section() + interface() + b"".join(enhanced(f, (S + k) * 10**6 + k) for k, f in enumerate(frames))
    theirs = [((m.tshigh << 32) + m.tslow, octets) for octets, m in RawPcapNgReader(io.BytesIO(ng))]
    assert [(p["ts"] // 1000, ng[p["at"] : p["end"]]) for p in Walk(ng).packets] == theirs


@settings(max_examples=200, deadline=None)
@given(
    st.integers(24, max(len(WHOLE_NG), len(WHOLE))),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=4),
    st.booleans(),
    st.lists(st.integers(0, 500), max_size=3),
)
def test_no_damage_raises_or_leads_outside_or_depends_on_windows(cut, flips, ng, splits):
    data = bytearray((WHOLE_NG if ng else WHOLE)[:cut])
    for where, value in flips:
        data[4 + where % (len(data) - 4)] = value
    walked = Walk(bytes(data))
    packets = walked.packets
    assert (packets["end"] <= walked.size).all()
    assert (packets["caplen"] == packets["end"] - packets["at"]).all()
    assert 0 <= walked.damaged <= walked.used <= walked.size
    assert (np.diff(packets["at"]) > 0).all()
    again = Walk(bytes(data), sorted(s for s in splits if s < walked.size), room=2)
    assert (again.packets == packets).all()
    assert (again.used, again.damaged, again.gaps) == (walked.used, walked.damaged, walked.gaps)

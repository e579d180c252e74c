"""DHCP and BOOTP datagrams to events."""

import socket
import struct

import pytest
from blocks import START, block, message
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.intake.opening import Identity
from netaudit.intake.tally import Tally
from netaudit.kernels.packet import Kind
from netaudit.records.printed import readable
from netaudit.records.schemas import conform
from netaudit.sources.protocols.dhcp import PROTOCOL

MAC = bytes.fromhex("52540000aa01")
SERVER = "10.1.0.1"


def option(code, value):
    return bytes([code, len(value)]) + value


def packet(*options, op=1, yiaddr="0.0.0.0", ciaddr="0.0.0.0", sname=b"", file=b"", hlen=6, cookie=True):
    head = struct.pack("!BBBBIHH", op, 1, hlen, 0, 7, 0, 0)
    head += b"".join(socket.inet_aton(a) for a in (ciaddr, yiaddr, "0.0.0.0", "0.0.0.0"))
    head += MAC[:hlen].ljust(16, b"\0") + sname.ljust(64, b"\0") + file.ljust(128, b"\0")
    return head + (b"\x63\x82\x53\x63" if cookie else b"") + b"".join(options)


@pytest.fixture
def tally():
    return Tally(Identity("0" * 16, "a.pcap", "0" * 64, 0))


def events(tally, *given):
    reader = PROTOCOL.open(tally)
    found = [*reader.read(block(*given)), *reader.close()]
    return [
        row
        for e in found
        for row in readable(conform(e.kind, e.columns, len(e.columns["ordinal"]))).to_pylist()
    ]


def one(tally, data, src=SERVER, **fields):
    (row,) = events(tally, message(Kind.DHCP, data, src, "255.255.255.255", 67, 68, **fields))
    return row


def reasons(tally):
    return {reason: count for reason, (count, _, _) in tally._skipped.items()}


def test_an_acknowledgement_bounds_the_lease(tally):
    data = packet(
        option(53, b"\5"),
        option(51, struct.pack("!I", 3600)),
        option(54, socket.inet_aton(SERVER)),
        option(61, b"\1" + MAC),
        b"\xff",
        op=2,
        yiaddr="10.1.0.12",
    )
    row = one(tally, data)
    assert row["message"] == "ack"
    assert (row["client_ip"], row["client_mac"]) == ("10.1.0.12", "52:54:00:00:aa:01")
    assert row["server_ip"] == SERVER
    assert row["lease_s"] == 3600
    assert row["client_id"] == "01:52:54:00:00:aa:01"
    assert int(row["ts"].timestamp()) == START
    assert int(row["ts_end"].timestamp()) == START + 3600


@pytest.mark.parametrize(("lease", "word"), [(0xFFFFFFFF, b"\5"), (60, b"\2")])
def test_a_lease_without_end_and_an_offer_bound_nothing(tally, lease, word):
    row = one(
        tally, packet(option(53, word), option(51, struct.pack("!I", lease)), op=2, yiaddr="10.1.0.12")
    )
    assert row["ts_end"] is None
    assert row["server_ip"] == SERVER  # of the packet: option 54 is missing


def test_a_request_names_the_device(tally):
    row = one(
        tally,
        packet(option(53, b"\3"), option(12, "前台".encode()), option(60, b"MSFT 5.0"), b"\xff"),
        "0.0.0.0",
    )
    assert (row["message"], row["hostname"], row["vendor_class"]) == ("request", "前台", "MSFT 5.0")
    assert row["client_ip"] is None
    assert row["server_ip"] is None


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        ("办公".encode("gb18030"), "办公"),
        (b"caf\xff", "caf\\xff"),
        (b"a\x1b[31m\0", "a\\x1b[31m"),
        ("a\u202eb".encode(), "a\\u202eb"),
        (b"\0\0", None),
    ],
)
def test_names_are_shown_and_steer_nothing(tally, octets, text):
    assert one(tally, packet(option(53, b"\1"), option(12, octets)))["hostname"] == text


@pytest.mark.parametrize(("flags", "name"), [(0, b"pc.example."), (4, b"\2pc\7example\0")])
def test_the_full_name_stands_in_for_the_host_name(tally, flags, name):
    row = one(tally, packet(option(53, b"\3"), option(81, bytes([flags, 0, 0]) + name)))
    assert row["hostname"] == "pc.example"


def test_options_lie_in_lent_fields_and_in_parts(tally):
    data = packet(
        option(53, b"\3"), option(52, b"\3"), option(12, b"long"), b"\0", option(12, b"er"), b"\xff",
        file=option(12, b"-na") + b"\xff", sname=option(12, b"me") + b"\xff",
    )  # fmt: skip
    assert one(tally, data)["hostname"] == "longer-name"
    assert reasons(tally) == {}


def test_bootp_has_no_kind_of_message(tally):
    assert one(tally, packet(op=2, yiaddr="10.1.0.9", cookie=False) + bytes(64))["message"] == "bootp-reply"


def test_what_is_there_of_a_cut_message_counts(tally):
    whole = packet(option(53, b"\5"), option(12, b"name"), op=2, yiaddr="10.1.0.12")
    row = one(tally, whole[:-2], cut=1)
    assert (row["message"], row["hostname"]) == ("ack", None)
    row = one(tally, whole[:100], cut=1)
    assert (row["message"], row["client_ip"], row["client_mac"]) == (None, "10.1.0.12", "52:54:00:00:aa:01")
    assert reasons(tally) == {"the options of a DHCP message could not all be read": 2}


def test_no_message_is_lost_silently(tally):
    whole = packet(option(53, b"\5"))
    given = [
        message(Kind.DHCP, whole[:20], cut=1),
        message(Kind.DHCP, whole[:20]),
        message(Kind.DHCP, b"\7" + whole[1:]),
    ]
    assert events(tally, *given) == []
    assert reasons(tally) == {"a DHCP message is cut short": 1, "a DHCP message is malformed": 2}
    assert tally.bytes_skipped == 40 + len(whole)


def test_a_link_without_room_for_its_address_uses_the_identifier(tally):
    row = one(tally, packet(option(53, b"\3"), option(61, b"\1" + MAC), hlen=0))
    assert row["client_mac"] == "52:54:00:00:aa:01"


def test_an_unknown_time_bounds_nothing(tally):
    row = one(tally, packet(option(53, b"\5"), option(51, b"\0\0\0\1")), timed=0)
    assert (row["ts"], row["ts_end"]) == (None, None)
    far = one(tally, packet(option(53, b"\5"), option(51, b"\xf0\0\0\0")), ts=2**63 - 10)
    assert far["ts_end"] is None


_WHOLE = packet(
    option(53, b"\5"),
    option(52, b"\3"),
    option(81, b"\4\0\0\2pc\0"),
    option(61, b"\1" + MAC),
    b"\xff",
    op=2,
)


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, len(_WHOLE)), st.lists(st.tuples(st.integers(0, len(_WHOLE) - 1), st.integers(0, 255)))
)
def test_damage_is_never_an_error(length, flips):
    data = bytearray(_WHOLE)
    for place, value in flips:
        data[place] = value
    counting = Tally(Identity("0" * 16, "a.pcap", "0" * 64, 0))
    assert len(events(counting, message(Kind.DHCP, bytes(data[:length])))) <= 1

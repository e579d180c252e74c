"""802.11 management frames to events."""

import struct

import pytest
from blocks import START, block, message
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.intake.opening import Identity
from netaudit.intake.tally import Tally
from netaudit.kernels import wlan
from netaudit.kernels.packet import Kind
from netaudit.records.printed import readable
from netaudit.records.schemas import conform
from netaudit.sources.protocols.wlan import PROTOCOL

AP, STATION, EVERYBODY = bytes.fromhex("001122334455"), bytes.fromhex("52540000aa01"), b"\xff" * 6
HOUR = 3600 * 10**9


def element(number, value):
    return bytes([number, len(value)]) + value


def suite(number):
    return b"\x00\x0f\xac" + bytes([number])


def rsn(*akm, pairwise=(4,)):
    value = b"\1\0" + suite(4) + struct.pack("<H", len(pairwise)) + b"".join(suite(n) for n in pairwise)
    return element(48, value + struct.pack("<H", len(akm)) + b"".join(suite(n) for n in akm) + b"\0\0")


WPA_ELEMENT = element(221, b"\x00\x50\xf2\x01\1\0")


def frame(subtype, fixed, *elements, to=EVERYBODY, by=AP, bssid=AP, flags=0, sequence=0, between=b""):
    head = bytes([subtype << 4, flags, 0, 0]) + to + by + bssid + struct.pack("<H", sequence << 4)
    return head + between + fixed + b"".join(elements)


def beacon(*elements, privacy=True, subtype=8, time=0, **fields):
    fixed = struct.pack("<QHH", time, 100, 0x11 if privacy else 0x01)
    return frame(subtype, fixed, *elements, **fields)


def named(name):
    return element(0, name)


@pytest.fixture
def tally():
    return Tally(Identity("0" * 16, "a.pcap", "0" * 64, 0))


def rows_of(found):
    return [
        row
        for e in found
        for row in readable(conform(e.kind, e.columns, len(e.columns["ordinal"]))).to_pylist()
    ]


def events(tally, *given, **fields):
    reader = PROTOCOL.open(tally)
    found = [*reader.read(block(*(message(Kind.WLAN, d, **fields) for d in given))), *reader.close()]
    return rows_of(found)


def reasons(tally):
    return {reason: count for reason, (count, _, _) in tally._skipped.items()}


def test_a_beacon_describes_its_network(tally):
    (row,) = events(tally, beacon(named("办公".encode()), element(3, b"\6"), rsn(2), b"FCS!"))
    assert (row["message"], row["ssid"], row["bssid"]) == ("beacon", "办公", "00:11:22:33:44:55")
    assert (row["security"], row["channel"], row["client_mac"]) == ("WPA2", 6, None)


@pytest.mark.parametrize(
    ("privacy", "elements", "word"),
    [
        (False, (), "OPEN"),
        (True, (), "WEP"),
        (True, (WPA_ELEMENT,), "WPA"),
        (True, (rsn(1),), "WPA2"),
        (True, (rsn(1, 3, 5, 6),), "WPA2"),
        (True, (element(48, b"\1\0"),), "WPA2"),
        (True, (WPA_ELEMENT, rsn(2)), "WPA+WPA2"),
        (True, (rsn(8),), "WPA3"),
        (True, (rsn(24, 9, pairwise=(4, 9)),), "WPA3"),
        (True, (rsn(2, 8),), "WPA2/WPA3"),
        (True, (rsn(18),), "OWE"),
        (True, (element(68, b"\1\0"),), "WAPI"),
        (False, (element(221, b"\x50\x6f\x9a\x1c" + AP + b"\4open"),), "OPEN"),
    ],
)
def test_security_has_the_words_of_the_certification(tally, privacy, elements, word):
    assert events(tally, beacon(named(b"x"), *elements, privacy=privacy))[0]["security"] == word


def wpa(*suites, family=b"\x00\x50\xf2"):
    listed = b"".join(family + bytes([n]) for n in suites)
    body = b"\1\0" + family + b"\2" + b"\1\0" + family + b"\2" + struct.pack("<H", len(suites)) + listed
    return element(221, b"\x00\x50\xf2\1" + body)


def wapi(*suites):
    listed = b"".join(b"\x00\x14\x72" + bytes([n]) for n in suites)
    return element(68, b"\1\0" + struct.pack("<H", len(suites)) + listed)


@pytest.mark.parametrize(
    ("privacy", "elements", "word"),
    [
        (False, (), "open"),
        (True, (), "wep"),
        (True, (rsn(2),), "psk"),
        (True, (rsn(1, 3, 5),), "802.1x"),
        (True, (rsn(8),), "sae"),
        (True, (rsn(2, 8),), "psk+sae"),
        (True, (rsn(1, 2, pairwise=(4, 2)),), "psk+802.1x"),
        (True, (rsn(12),), "802.1x"),
        (True, (rsn(18),), "owe"),
        (True, (wpa(2), rsn(6)), "psk"),
        (True, (wpa(1),), "802.1x"),
        (True, (element(48, b"\1\0" + suite(4)),), "802.1x"),
        (True, (rsn(200),), None),
        (True, (element(48, rsn(2)[2:14] + b"\1\0\x00\x40\x96\0"),), None),
        (True, (wapi(1),), "certificate"),
        (True, (wapi(2),), "psk"),
        (True, (element(68, b"\1\0"),), None),
    ],
)
def test_the_way_in_is_what_the_key_managers_say(tally, privacy, elements, word):
    (row,) = events(tally, beacon(named(b"x"), *elements, privacy=privacy))
    assert row["auth"] == word


def test_a_station_that_asks_names_no_way_in(tally):
    (row,) = events(tally, frame(4, b"", named(b"home"), rsn(2), by=STATION, bssid=EVERYBODY))
    assert row["auth"] is None


@pytest.mark.parametrize("name", [b"", bytes(8)])
def test_a_hidden_name_is_none(tally, name):
    assert events(tally, beacon(named(name)))[0]["ssid"] is None


def test_the_channel_is_the_networks_own_before_the_radios(tally):
    assert events(tally, beacon(element(61, b"\x24"), named(b"x")), channel=40)[0]["channel"] == 36
    assert events(tally, beacon(named(b"x")), channel=40)[0]["channel"] == 40


def test_stations_ask_and_join(tally):
    asks = frame(4, b"", named(b"home"), by=STATION, bssid=EVERYBODY)
    joins = frame(0, b"\x11\0\0\0", named(b"office"), rsn(2), to=AP, by=STATION)
    moves = frame(2, b"\x11\0\0\0" + AP, named(b"office"), rsn(2), to=AP, by=STATION)
    probe, first, again = events(tally, asks, joins, moves, channel=11)
    assert (probe["message"], probe["ssid"], probe["client_mac"]) == (
        "probe-request",
        "home",
        "52:54:00:00:aa:01",
    )
    assert probe["bssid"] is probe["security"] is probe["channel"] is None
    assert (first["message"], again["message"]) == ("association", "reassociation")
    for row in (first, again):
        assert (row["bssid"], row["client_mac"], row["security"]) == (
            "00:11:22:33:44:55",
            "52:54:00:00:aa:01",
            "WPA2",
        )


def test_equal_frames_are_one_event_an_hour(tally):
    reader = PROTOCOL.open(tally)
    tim = [element(5, bytes([0, 1, 0, n])) for n in range(3)]
    frames = [beacon(named(b"x"), tim[n], time=n, sequence=n) for n in range(3)]
    times = [START * 10**9 + n for n in (0, 10**8, HOUR)]
    given = [
        message(Kind.WLAN, d, ts=t, ordinal=n)
        for n, (d, t) in enumerate(zip(frames, times, strict=True), 1)
    ]
    apart = [row["ordinal"] for m in given for row in rows_of(reader.read(block(m)))]
    together = [row["ordinal"] for row in rows_of(PROTOCOL.open(tally).read(block(*given)))]
    assert apart == together == [1, 3]


def test_a_change_is_an_event(tally):
    frames = [beacon(named(b"x"), rsn(2)), beacon(named(b"x")), beacon(named(b"x"), rsn(2))]
    assert [row["security"] for row in events(tally, *frames)] == ["WPA2", "WEP"]


def test_the_first_name_counts_and_one_too_long_is_none(tally):
    first, long = events(tally, beacon(named(b"x"), named(b"y")), beacon(named(b"x" * 33)))
    assert (first["ssid"], long["ssid"]) == ("x", None)
    assert reasons(tally) == {"a Wi-Fi network's name is too long": 1}


def test_controls_of_the_header_are_stepped_over(tally):
    (row,) = events(tally, beacon(named(b"x"), flags=0x80, between=b"\1\2\3\4"))
    assert row["ssid"] == "x"


def test_a_frame_control_with_its_octets_swapped(tally):
    asks = frame(0, b"", named(b"home"), by=STATION, bssid=EVERYBODY, flags=0x40)
    assert events(tally, asks)[0]["message"] == "probe-request"


def test_what_is_there_of_a_cut_frame_counts_and_nothing_is_guessed(tally):
    data = beacon(named(b"office"), rsn(2))
    (row,) = events(tally, data[:-6])
    assert (row["ssid"], row["security"]) == ("office", None)
    assert events(tally, data[:30], b"") == []
    assert reasons(tally) == {
        "the elements of a Wi-Fi frame could not all be read": 1,
        "a Wi-Fi management frame is cut short": 2,
    }


def test_other_frames_say_nothing_of_a_network(tally):
    assert events(tally, frame(12, b"\0\0"), frame(1, bytes(6))) == []
    assert reasons(tally) == {}


def test_a_block_without_frames_gives_nothing(tally):
    assert events(tally) == []


def test_who_names_no_network_joins_none(tally):
    assert events(tally, frame(0, bytes(4), bytes(40), by=STATION, flags=0x08)) == []


def test_memory_is_bounded(tally):
    reader = PROTOCOL.open(tally)
    count = wlan.SLOTS + 20_000
    for start in range(0, count, 20_000):
        frames = [message(Kind.WLAN, beacon(named(b"%08d" % n))) for n in range(start, start + 20_000)]
        (found,) = reader.read(block(*frames))
        assert len(found.columns["ordinal"]) == 20_000
    assert list(reader.close()) == []
    assert reasons(tally)["a Wi-Fi frame was forgotten: too many different ones"] >= 20_000


_WHOLE = beacon(named(b"office"), element(3, b"\6"), rsn(2, 8), WPA_ELEMENT)


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, len(_WHOLE)), st.lists(st.tuples(st.integers(0, len(_WHOLE) - 1), st.integers(0, 255)))
)
def test_damage_is_never_an_error(length, flips):
    data = bytearray(_WHOLE)
    for place, value in flips:
        data[place] = value
    counting = Tally(Identity("0" * 16, "a.pcap", "0" * 64, 0))
    assert len(events(counting, bytes(data[:length]))) <= 1

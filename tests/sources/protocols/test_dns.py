"""DNS messages to events, judged by dnspython."""

import struct
from itertools import pairwise

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rrset
import dns.update
import numpy as np
import pyarrow as pa
import pytest
from blocks import START, block, message
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.intake.opening import Identity
from netaudit.intake.tally import Tally
from netaudit.kernels import dnsjoin, dnsrecords, dnswire
from netaudit.kernels.packet import TCP, Kind
from netaudit.records.addresses import format_ip
from netaudit.records.schemas import concat, conform
from netaudit.sources import dns_columns
from netaudit.sources.protocols import dns as protocol

CLIENT, SERVER, GROUP = "10.0.0.7", "192.0.2.53", "224.0.0.251"


@pytest.fixture
def tally():
    return Tally(Identity("0" * 16, "a.pcap", "0" * 64, 0))


def ask(data, **fields):
    return message(Kind.DNS, data, **fields)


def reply(data, **fields):
    return message(Kind.DNS, data, **({"src": SERVER, "dst": CLIENT, "sport": 53, "dport": 5000} | fields))


def events(tally, *blocks_of_messages, reader=None):
    reader = reader or protocol.PROTOCOL.open(tally)
    found = [e for given_ in blocks_of_messages for e in reader.read(given_)]
    found += reader.close()
    batches = [conform(e.kind, e.columns, len(e.columns["ordinal"])) for e in found]
    return concat("dns", batches).to_pylist()


def lookup(name="www.Example.org", type_="A", id_=7, answers=()):
    query = dns.message.make_query(name, type_, id=id_)
    response = dns.message.make_response(query)
    response.answer = [dns.rrset.from_text(*answer) for answer in answers]
    return query.to_wire(), response.to_wire()


USUAL = (
    ("www.example.org.", 60, "IN", "CNAME", "CDN.example.net."),
    ("cdn.example.net.", 60, "IN", "A", "192.0.2.1", "192.0.2.2"),
    ("cdn.example.net.", 60, "IN", "AAAA", "2001:db8::1", "::ffff:1.2.3.4", "::"),
    ("cdn.example.net.", 60, "IN", "HTTPS", '1 . alpn="h3,h2" port=8443 ipv4hint=192.0.2.9 ipv6hint=2001:db8::9'),
    ("cdn.example.net.", 60, "IN", "HTTPS", "0 alias.example.net."),
    ("cdn.example.net.", 60, "IN", "HTTPS", r'2 . mandatory=alpn alpn="f\\\\oo\\,bar" no-default-alpn key99=x'),
    ("cdn.example.net.", 60, "IN", "SVCB", "1 svc.example.net. alpn=h2 no-default-alpn"),
    ("cdn.example.net.", 60, "IN", "MX", "10 mail.example.net."),
    ("cdn.example.net.", 60, "IN", "SRV", "1 2 443 srv.example.net."),
    ("cdn.example.net.", 60, "IN", "SOA", "ns.example.net. host.example.net. 2026112201 7200 900 1209600 60"),
    ("cdn.example.net.", 60, "IN", "TXT", r'"a \"b\" \\ \200" "" "c"'),
    ("cdn.example.net.", 60, "IN", "NAPTR", '1 2 "u" "sip" "!a!b!" .'),
    ("cdn.example.net.", 60, "IN", "CAA", '0 issue "ca.example"'),
    ("cdn.example.net.", 60, "IN", "TYPE65280", r"\# 3 010203"),
    ("cdn.example.net.", 60, "IN", "NS", r"n\.s.example.net.", "."),
    ("cdn.example.net.", 60, "CH", "TXT", '"chaos"'),
)  # fmt: skip


def test_a_query_and_its_response_are_one_event(tally):
    query, response = lookup(answers=USUAL[:2])
    (event,) = events(tally, block(ask(query, mac=0x0100AA005452, has_mac=1), reply(response)))
    assert (event["name"], event["name_source"]) == ("www.example.org", "qname")
    assert (event["qtype"], event["rcode"], event["opcode"]) == ("A", "NOERROR", None)
    assert event["answers"][0] == "CDN.example.net."
    assert sorted(event["answers"][1:]) == ["192.0.2.1", "192.0.2.2"]
    assert (format_ip(event["client_ip"]), format_ip(event["server_ip"])) == (CLIENT, SERVER)
    assert (event["client_port"], event["server_port"], event["transport"]) == (5000, 53, "udp")
    assert event["client_mac"].hex(":") == "52:54:00:aa:00:01"
    assert (event["ordinal"], event["ts"].value) == (1, START * 10**9)


@pytest.mark.parametrize("answer", USUAL, ids=lambda a: a[3])
def test_answers_are_spelled_as_dnspython_spells_them(tally, answer):
    _, response = lookup(answers=[answer])
    judged = dns.message.from_wire(response).answer  # dnspython shuffles a set as it writes it
    (event,) = events(tally, block(reply(response)))
    assert sorted(event["answers"]) == sorted(rdata.to_text() for rrset in judged for rdata in rrset)


def test_unanswered_and_unasked_messages_are_events(tally):
    query, response = lookup()
    other = lookup("other.example.org")[1]
    found = events(tally, block(ask(query), ask(query), reply(response), reply(other)))
    assert [(e["ordinal"], e["name"], e["rcode"]) for e in found] == [
        (2, "www.example.org", "NOERROR"),
        (4, "other.example.org", "NOERROR"),
        (1, "www.example.org", None),  # waited until the end
    ]
    assert all(format_ip(e["client_ip"]) == CLIENT for e in found)


@pytest.mark.parametrize(
    "different",
    [{"sport": 54}, {"dport": 5001}, {"src": "192.0.2.54"}, {"dst": "10.0.0.8"}, {"protocol": TCP}],
)
def test_a_response_of_other_ends_belongs_to_no_query(tally, different):
    query, response = lookup()
    assert len(events(tally, block(ask(query), reply(response)))) == 1
    assert len(events(tally, block(ask(query), reply(response, **different)))) == 2


def test_a_response_with_another_id_name_or_type_belongs_to_no_query(tally):
    query, _ = lookup()
    for other in (lookup(id_=8), lookup("x.example.org"), lookup(type_="AAAA")):
        assert len(events(tally, block(ask(query), reply(other[1])))) == 2
    assert len(events(tally, block(ask(query), reply(lookup("WWW.eXample.org")[1])))) == 1


@pytest.mark.parametrize(("seconds", "count"), [(30, 1), (31, 2), (-31, 2)])
def test_a_response_after_half_a_minute_is_not_joined(tally, seconds, count):
    query, response = lookup()
    later = (START + seconds) * 10**9
    assert len(events(tally, block(ask(query), reply(response, ts=later)))) == count
    assert len(events(tally, block(ask(query)), block(reply(response, ts=later)))) == count
    assert len(events(tally, block(ask(query), reply(response, ts=later, timed=0)))) == 1


def test_what_waited_comes_out_once_time_has_passed(tally):
    reader = protocol.PROTOCOL.open(tally)
    assert not list(reader.read(block(ask(lookup("a.example")[0]))))
    late = block(ask(lookup("b.example")[0], ts=(START + 40) * 10**9))
    (found,) = reader.read(late)
    assert found.columns["name"].to_pylist() == ["a.example"]
    assert [e["name"] for e in events(tally, reader=reader)] == ["b.example"]


def test_an_event_may_have_no_time(tally):
    (event,) = events(tally, block(ask(lookup()[0], timed=0)))
    assert event["ts"] is None


def test_too_many_waiting_queries_are_given_up_oldest_first(tally):
    pairs = [lookup(f"n{k}.example", id_=k) for k in range(40)]
    rows = block(*(ask(q, ts=START * 10**9) for q, _ in pairs))
    count = dnsjoin.MAX_WAITING // 40 + 2
    many = rows.take(np.tile(np.arange(40), count))
    many.rows["sport"] = np.arange(len(many)) % 60_000
    reader = protocol.PROTOCOL.open(tally)
    found = [port for e in reader.read(many) for port in e.columns["client_port"].to_pylist()]
    over = len(many) - dnsjoin.MAX_WAITING
    assert found == (np.arange(over) % 60_000).tolist()
    assert len(events(tally, reader=reader)) == dnsjoin.MAX_WAITING
    (skipped,) = [value for reason, value in tally._skipped.items() if "too many waited" in reason]
    assert (skipped[0], skipped[2]) == (over, False)


def test_a_message_may_ask_several_things_and_an_announcement_asks_nothing(tally):
    query = struct.pack("!HHHHHH", 0, 0, 2, 0, 0, 0) + b"\1a\5local\0\0\x0c\0\1" + b"\1b\xc0\x0e\0\x0c\0\1"
    answer = struct.pack("!HHHHHH", 0, 0x8400, 0, 1, 0, 0) + b"\1a\5local\0\0\1\0\1\0\0\0\1\0\4\1\2\3\4"
    sent = [
        ask(m, dst=group, sport=5353, dport=5353) for group in (GROUP, "ff02::fb") for m in (query, answer)
    ]
    found = events(tally, block(*sent))
    assert [(e["name"], e["transport_detail"], e["qtype"]) for e in found] == [
        ("a.local", "mdns", "PTR"),
        ("b.local", "mdns", "PTR"),
    ] * 2
    assert tally._skipped == {"a DNS announcement to a group answers nobody": (2, [2, 4], False)}


def test_a_question_to_a_group_waits_for_nobody_and_the_answer_stands_alone(tally):
    query, response = lookup("printer", answers=[("printer.", 30, "IN", "A", "10.0.0.9")])
    reader = protocol.PROTOCOL.open(tally)
    (first,) = reader.read(block(ask(query, dst="224.0.0.252", dport=5355)))
    assert first.columns["transport_detail"].to_pylist() == ["llmnr"]
    (second,) = reader.read(block(reply(response, src="10.0.0.9", sport=5355)))
    assert second.columns["answers"].to_pylist() == [["10.0.0.9"]]
    assert second.columns["transport_detail"].to_pylist() == ["llmnr"]


def test_a_damaged_message_is_counted_and_the_rest_kept(tally):
    query, response = lookup(answers=USUAL[:2])
    loop = query[:12] + b"\xc0\x0c\0\1\0\1"
    found = events(
        tally, block(ask(loop), ask(query[:20], cut=1), ask(query), reply(response[:-3]), ask(b"\0" * 5))
    )
    assert [(e["ordinal"], e["rcode"], len(e["answers"])) for e in found] == [(3, "NOERROR", 2)]
    assert tally._skipped == {
        "a DNS message is malformed": (2, [1, 5], True),
        "a DNS message is cut short": (1, [2], True),
        "the answers of a DNS message could not all be read": (1, [4], True),
    }
    assert tally.bytes_skipped == len(loop) + 20 + 5


def test_questions_before_a_damaged_one_are_kept(tally):
    query = struct.pack("!HHHHHH", 0, 0, 2, 0, 0, 0) + b"\1a\0\0\1\0\1" + b"\x41a\0\0\1\0\1"
    assert [e["name"] for e in events(tally, block(ask(query)))] == ["a"]
    assert tally._skipped == {"a DNS message is malformed": (1, [1], True)}


def test_claimed_numbers_are_bounded_by_the_octets(tally):
    query, response = lookup(answers=USUAL[:2])
    claimed = response[:6] + b"\xff\xff\xff\xff\xff\xff" + response[12:]
    (event,) = events(tally, block(ask(query), reply(claimed)))
    assert len(event["answers"]) == 3
    asked = query[:4] + b"\xff\xff" + query[6:]
    assert [e["name"] for e in events(tally, block(ask(asked)))] == ["www.example.org"]


def test_pointers_cannot_multiply_a_message(tally):
    name = (b"\x3f" + b"\0" * 63) * 3 + b"\0"
    head = struct.pack("!HHHHHH", 1, 0x8000, 1, 4000, 0, 0) + name + b"\0\1\0\1"
    record = b"\xc0\x0c" + struct.pack("!HHIH", 5, 1, 0, 2) + b"\xc0\x0c"
    (event,) = events(tally, block(reply(head + record * 4000)))
    size = sum(map(len, event["answers"]))
    assert size <= dnswire.TEXT_ROOM
    assert 0 < len(event["answers"]) < 4000
    assert "the answers of a DNS message could not all be read" in tally._skipped
    questions = b"".join(b"\1%c\xc0\x0c\0\1\0\1" % k for k in range(200))
    asked = struct.pack("!HHHHHH", 1, 0, 201, 0, 0, 0) + name + b"\0\1\0\1" + questions
    assert 0 < len(events(tally, block(ask(asked)))) < 201
    assert "a DNS message is malformed" in tally._skipped


def test_a_response_without_a_question_and_a_query_without_one(tally):
    nothing = struct.pack("!HHHHHH", 7, 0x8005, 0, 0, 0, 0)
    (event,) = events(tally, block(reply(nothing), ask(struct.pack("!HHHHHH", 7, 0, 0, 0, 0, 0))))
    assert (event["name"], event["name_source"], event["qtype"], event["rcode"]) == (
        None,
        None,
        None,
        "REFUSED",
    )
    assert tally._skipped == {"a DNS query asks nothing": (1, [2], False)}


def test_the_root_is_a_dot(tally):
    assert [e["name"] for e in events(tally, block(ask(lookup(".", "NS")[0])))] == ["."]


def test_odd_octets_are_escaped_and_compared_label_by_label(tally):
    odd = struct.pack("!HHHHHH", 7, 0, 1, 0, 0, 0) + b"\3A.b\6\0\x1b\xff<\nZ\3com\0\0\1\0\1"
    plain = lookup("a.b.com")[0]
    found = events(tally, block(ask(odd), ask(plain)))
    assert [e["name"] for e in found] == ["a\\.b.\\000\\027\\255<\\010z.com", "a.b.com"]


def test_the_upper_bits_of_a_response_code_are_in_the_options(tally):
    query = dns.message.make_query("www.example.org", "A", id=7, use_edns=0)
    response = dns.message.make_response(query)
    response.set_rcode(dns.rcode.BADVERS)
    (event,) = events(tally, block(ask(query.to_wire()), reply(response.to_wire())))
    assert event["rcode"] == "BADVERS"


def test_other_operations_have_their_word(tally):
    update = dns.update.UpdateMessage("example.org", id=7)
    update.add("host", 60, "A", "10.0.0.9")
    update.present("other")
    response = dns.message.make_response(dns.message.from_wire(update.to_wire()))
    (event,) = events(tally, block(ask(update.to_wire()), reply(response.to_wire())))
    assert (event["name"], event["qtype"], event["opcode"]) == ("example.org", "SOA", "UPDATE")
    assert (event["rcode"], event["answers"]) == ("NOERROR", None)
    notify = dns.message.make_query("example.org", "SOA", id=7)
    notify.set_opcode(dns.opcode.NOTIFY)
    assert [e["opcode"] for e in events(tally, block(ask(notify.to_wire())))] == ["NOTIFY"]


def test_several_questions_with_answers(tally):
    body = b"".join(b"\1%c\0\0\1\0\1" % (97 + k) for k in range(2)) + b"\1a\0\0\1\0\1\0\0\0\1\0\4\1\2\3\4"
    found = events(tally, block(reply(struct.pack("!HHHHHH", 1, 0x8000, 2, 1, 0, 0) + body)))
    assert [(e["name"], e["answers"]) for e in found] == [("a", ["1.2.3.4"]), ("b", ["1.2.3.4"])]


def test_addresses_are_learned_with_what_was_asked(tally):
    query, response = lookup(answers=USUAL[:3])
    refused = response[:3] + bytes([response[3] | 3]) + response[4:]
    reader = protocol.PROTOCOL.open(tally)
    list(reader.read(block(ask(query), reply(response), reply(refused), reply(response, timed=0))))
    (learned,) = reader.learned()
    assert not list(reader.learned())
    assert set(learned.name.to_pylist()) == {"www.example.org"}
    assert {format_ip(bytes(a)) for a in learned.client} == {CLIENT}
    told = {format_ip(bytes(a)) for a in learned.address}
    assert told == {"192.0.2.1", "192.0.2.2", "2001:db8::1", "1.2.3.4", "::"}
    assert set(learned.ts.tolist()) == {(START + 1) * 10**9}


def test_no_room_left_makes_more_events_but_the_same(tally, monkeypatch):
    pairs = [lookup(f"n{k}.example.org", id_=k, answers=USUAL[:6]) for k in range(60)]
    rows = block(*(m for q, r in pairs for m in (ask(q), reply(r))))
    whole = events(tally, rows)
    for module in (protocol, dns_columns):
        monkeypatch.setattr(module, "MAX_TEXT", 64)
    parts = list(protocol.PROTOCOL.open(tally).read(rows))
    assert len(whole) == 60
    assert pa.concat_arrays([e.columns["answers"] for e in parts]).to_pylist() == [
        e["answers"] for e in whole
    ]


wires = [m for k in range(3) for m in lookup(f"n{k}.Example.org", id_=k, answers=USUAL[: 5 * k])]
steps = st.lists(st.tuples(st.sampled_from(range(6)), st.integers(0, 40)), max_size=24)


@settings(max_examples=40, deadline=None)
@given(steps, st.lists(st.integers(0, 24), max_size=4))
def test_where_a_block_ends_changes_nothing(sequence, cuts):
    second, sent = 0, []
    for which, later in sequence:
        second += later - 10
        make = reply if which % 2 else ask
        sent.append(make(wires[which], ts=(START + second) * 10**9, ordinal=len(sent) + 1))
    edges = sorted({0, len(sent), *(c for c in cuts if c < len(sent))})
    parts = [block(*sent[a:b]) for a, b in pairwise(edges)]
    one, other = (
        sorted(events(Tally(Identity("0", "a", "0" * 64, 0)), *some), key=lambda e: e["ordinal"])
        for some in ([block(*sent)], parts)
    )
    assert one == other


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damage_never_raises_and_nothing_is_lost(data):
    wire = bytearray(data.draw(st.sampled_from(wires)))
    for _ in range(data.draw(st.integers(0, 3))):
        wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    wire = bytes(wire[: data.draw(st.integers(0, len(wire)))])
    tally = Tally(Identity("0", "a", "0" * 64, 0))
    found = events(tally, block(ask(wire)))
    assert found or sum(count for count, *_ in tally._skipped.values())
    try:
        judged = dns.message.from_wire(wire)
    except Exception:  # noqa: BLE001 -- dnspython is stricter in many ways
        return
    if judged.opcode() != dns.opcode.UPDATE and len(judged.question) == len(found):
        assert [e["qtype"] for e in found] == [dns.rdatatype.to_text(q.rdtype) for q in judged.question]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=60), min_size=1, max_size=6))
def test_garbage_never_raises(parts):
    tally = Tally(Identity("0", "a", "0" * 64, 0))
    found = events(tally, block(*(reply(part) for part in parts)))
    lost = sum(count for count, *_ in tally._skipped.values())
    assert len({e["ordinal"] for e in found}) + lost >= len(parts)


def test_the_records_are_small():
    assert dnswire.ASK.itemsize <= 104
    assert dnsrecords.ODD.itemsize <= 40

"""Hostile DNS and names out of captures. Each case has its id."""

import struct
import time

import pytest
from containers import START, pcap_header, record
from frames import CLIENT, SERVER, client_hello, dns_query, dns_response, pcap, tcp, udp, wire_name
from hellos import hello, vector

QUESTION = b"\0\1\0\1"
CLEAN, HIT, UNUSABLE, INCONCLUSIVE = 0, 1, 2, 3


def raw(name, ident=7, flags=0x0100, counts=(1, 0, 0, 0), rest=QUESTION):
    return struct.pack("!HHHHHH", ident, flags, *counts) + name + rest


def answered(message):
    return udp(message, 53, 5000, SERVER, CLIENT)


POINTERS = {
    "to itself": b"\xc0\x0c", "forward": b"\xc0\x40", "ping-pong": b"\xc0\x0e\xc0\x0c", "into the header": b"\xc0\x00",
    "outside": b"\xff\xff", "a label of 64": b"\x40" + b"a" * 64 + b"\0", "reserved": b"\x80abc\0",
    "over 255": b"".join(b"\x3f" + b"a" * 63 for _ in range(5)) + b"\0", "cut": b"\x0dabc",
}  # fmt: skip


@pytest.mark.parametrize("name", POINTERS.values(), ids=POINTERS)
def test_b01_names_that_lead_nowhere(reads, name):
    good = udp(dns_query("good.example.org"))
    begun = time.perf_counter()
    reading = reads(pcap(good, udp(raw(name)), good))
    assert time.perf_counter() - begun < 5
    assert reading.names("dns") <= {"good.example.org"} | {
        n for n in reading.names("dns") if n.startswith("a" * 63)
    }
    assert reading.code == INCONCLUSIVE


def test_b01_a_chain_of_pointers(reads):
    chain = b"".join(struct.pack("!H", 0xC000 | 12 + 2 * k + 2) for k in range(127)) + b"\1a\0"
    reading = reads(pcap(udp(raw(chain)), udp(dns_query("good.example.org"))))
    assert "good.example.org" in reading.names("dns")


def test_b01_an_answer_with_a_bad_pointer_keeps_its_question(reads):
    message = dns_response("good.example.org", [(5, b"\xc0\xff"), (1, b"\1\2\3\4")])
    reading = reads(pcap(udp(dns_query("good.example.org")), answered(message)))
    assert [(e["name"], e["rcode"]) for e in reading.events["dns"]] == [("good.example.org", "NOERROR")]


def test_b02_more_answers_claimed_than_present(reads):
    records = [(1, bytes([10, 1, k >> 8, k & 255])) for k in range(3000)]
    message = bytearray(dns_response("n0.example.org", records))
    message[6:8] = b"\xff\xff"
    reading = reads(pcap(answered(bytes(message))))
    (event,) = reading.events["dns"]
    assert event["name"] == "n0.example.org"
    assert event["answers"][0] == "10.1.0.0"
    assert reading.code == INCONCLUSIVE


@pytest.mark.parametrize(
    ("message", "names"),
    [
        (raw(b"", counts=(0, 0, 0, 0), rest=b""), set()),
        (
            raw(wire_name("a.example") + QUESTION + wire_name("b.example"), counts=(2, 0, 0, 0)),
            {"a.example", "b.example"},
        ),
        (raw(wire_name("a.example"), flags=0x0300), {"a.example"}),
        (
            raw(
                wire_name("a.example"),
                counts=(1, 0, 0, 1),
                rest=QUESTION + b"\0\0\x29\xff\xff\xff\xff\xff\xff\xff\xffxx",
            ),
            {"a.example"},
        ),
        (raw(wire_name("a.example"), rest=b"\0\1\0\3"), {"a.example"}),  # class CH
        (raw(wire_name("a.example"), rest=b"\0\x41\0\1"), {"a.example"}),  # HTTPS
    ],
)
def test_b02_questions_of_every_shape(reads, message, names):
    assert reads(pcap(udp(message))).names("dns") == names


def test_b02_a_response_that_nobody_asked_for_is_an_event_of_its_own(reads):
    frames = [udp(dns_query("a.example", 1)), answered(dns_response("b.example", [(1, b"\1\2\3\4")], 1))]
    rows = sorted(reads(pcap(*frames)).events["dns"], key=lambda e: e["ordinal"])
    assert [(e["name"], e["rcode"]) for e in rows] == [("a.example", None), ("b.example", "NOERROR")]


LABELS = {
    "dot": b"\3a.b\3com\0", "nul": b"\x05bad\0x\3com\0", "newline": b"\x07bad\ncom\3com\0",
    "markup": b"\x08<script>\3com\0", "escape": b"\x05\x1b[31m\3com\0", "high": b"\2\xff\xfe\3com\0",
    "cells": b"\x05=cmd|\3com\0",
}  # fmt: skip


@pytest.mark.parametrize("label", LABELS.values(), ids=LABELS)
def test_b03_labels_stay_labels(reads, label):
    reading = reads(pcap(udp(raw(label))), bad=("a.b.com", "bad.com"))
    (name,) = reading.names("dns") or {""}
    assert name not in {"a.b.com", "bad.com"}
    assert not any(ord(c) < 32 or ord(c) == 127 for c in name)
    assert "\x1b" not in reading.said
    assert reading.code != HIT


def test_b03_case_does_not_matter(reads):
    reading = reads(pcap(udp(dns_query("BaD.cOm"))))
    assert reading.names("dns") == {"bad.com"}
    assert reading.code == HIT


@pytest.mark.parametrize(
    ("name", "hit"),
    [
        ("x.bad.com", True), ("BAD.COM", True), ("bad.com", True), ("notbad.com", False), ("bad.com.evil.org", False),
        ("bad-com.org", False), ("b\u0430d.com", False), ("xn--bd-7ka.com", False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["dns", "tls", "http"])
def test_b04_what_is_listed_and_what_only_looks_like_it(reads, name, hit, kind):
    octets = name.encode()
    frame = {
        "dns": udp(raw(b"".join(vector(label, 1) for label in octets.split(b".")) + b"\0")),
        "tls": tcp(b"\x16\3\1" + vector(hello(octets))),
        "http": tcp(b"GET / HTTP/1.1\r\nHost: " + octets + b"\r\n\r\n", dport=80),
    }[kind]
    assert (reads(pcap(frame)).code == HIT) is hit


def test_b05_dns_over_tcp_however_it_is_cut(reads):
    stream = b"".join(vector(dns_query(f"n{k}.example.org", k)) for k in range(3))
    for cut in (1, 2, 3, 20, 40, len(stream)):
        frames = [tcp(stream[at : at + cut], 1 + at, dport=53) for at in range(0, len(stream), cut)]
        reading = reads(pcap(tcp(b"", 0, 2, dport=53), *frames))
        assert reading.names("dns") == {"n0.example.org", "n1.example.org", "n2.example.org"}
        assert reading.code == CLEAN


@pytest.mark.parametrize(("port", "detail"), [(5353, "mdns"), (5355, "llmnr"), (8053, None)])
def test_b05_dns_on_other_ports(reads, port, detail):
    reading = reads(pcap(udp(dns_query("bad.com"), 6000, port)))
    (event,) = reading.events["dns"]
    assert (event["name"], event["transport_detail"]) == ("bad.com", detail)
    assert "asked" in reading.said  # and not contacted
    assert "connected" not in reading.said


def chained(length, loop=False):
    """A response of aliases of aliases."""
    names = [f"c{k}.example.org" for k in range(length)]
    out = struct.pack("!HHHHHH", 7, 0x8180, 1, length, 0, 0) + wire_name(names[0]) + QUESTION
    for k, name in enumerate(names):
        last = k == length - 1
        target = (
            wire_name(names[0] if loop else names[k + 1]) if not last or loop else bytes([192, 0, 2, 9])
        )
        target = wire_name(names[(k + 1) % length]) if not last or loop else target
        out += (
            wire_name(name)
            + struct.pack("!HHIH", 5 if not last or loop else 1, 1, 60, len(target))
            + target
        )
    return out


@pytest.mark.parametrize("loop", [False, True])
def test_b06_chains_of_aliases_are_bounded(reads, loop):
    begun = time.perf_counter()
    reading = reads(
        pcap(udp(dns_query("c0.example.org")), answered(chained(30, loop)), tcp(b"", 1, 2, dst="192.0.2.9"))
    )
    assert time.perf_counter() - begun < 5
    assert [e["name"] for e in reading.events["dns"]] == ["c0.example.org"]
    (flow,) = reading.events["flow"]
    assert flow["name"] in ({None} if loop else {"c0.example.org", None})


def shared(count, bad, gap=1):
    """`count` names for one address, one of them bad; then a flow to the address."""
    frames = []
    for k in range(count):
        name = "bad.com" if k == bad else f"n{k}.example.org"
        answer = dns_response(name, [(1, b"\xc0\0\2\x09")], k)
        frames.append(record(udp(dns_query(name, k), 5000 + k), START, k))
        frames.append(record(udp(answer, 53, 5000 + k, SERVER, CLIENT), START, k))
    frames.append(record(tcp(b"", 1, 2, dst="192.0.2.9", dport=8443), START + gap))
    return pcap_header() + b"".join(frames)


def test_b06_many_names_for_one_address(reads):
    reading = reads(shared(2000, bad=5))
    (flow,) = reading.events["flow"]
    assert flow["name_source"] == "dns_answer"
    assert flow["also_named"]


def test_b07_an_old_answer_is_inferred_with_its_age_and_both_names(reads):
    reading = reads(shared(2, bad=0, gap=3 * 3600))
    (flow,) = reading.events["flow"]
    assert flow["name_source"] in {"dns_answer", None}
    if flow["name"]:
        assert flow["age_s"] == pytest.approx(3 * 3600, abs=1)
        assert {flow["name"], *flow["also_named"]} == {"bad.com", "n1.example.org"}


def test_b07_a_name_that_was_said_is_not_replaced_by_one_that_was_answered(reads):
    data = shared(1, bad=0) + record(
        tcp(client_hello("good.example.org"), 2, dst="192.0.2.9", dport=8443), START + 2
    )
    (flow,) = reads(data).events["flow"]
    assert (flow["name"], flow["name_source"]) == ("good.example.org", "sni")


def test_b08_a_forged_answer_accuses_no_inner_server(reads):
    inner = "10.0.0.99"
    frames = [
        udp(dns_query("bad.com")), answered(dns_response("bad.com", [(1, bytes([10, 0, 0, 99]))])),
    ]  # fmt: skip
    reading = reads(pcap(*frames))
    assert [e["name"] for e in reading.events["dns"]] == ["bad.com"]
    assert all(inner not in line for line in reading.said.splitlines() if "server" in line.lower())

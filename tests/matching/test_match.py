import pyarrow as pa

from netaudit.matching import match
from netaudit.matching.index import build_index
from netaudit.matching.indicator import Field
from netaudit.records.addresses import parse_ip
from netaudit.records.schemas import conform


def dns(names, answers=None, **columns):
    columns = {"name": names, "name_source": "qname", **columns}
    if answers is not None:
        columns["answers"] = answers
    return conform("dns", columns, len(names))


def told(found, index):
    fields = list(Field)
    return [
        (r, fields[f].value, p, index.hit(e).entry)
        for r, e, f, p in zip(
            found.row.tolist(),
            found.entry.tolist(),
            found.field.tolist(),
            found.position.tolist(),
            strict=True,
        )
    ]


def test_names_answers_and_addresses(read):
    index = build_index([read("bad.example\n192.0.2.7\n", "domains-subtree")])
    batch = conform(
        "dns",
        {
            "name": ["x.bad.example", "ok.example", None, "asks.example", "x.bad.example"],
            "name_source": "qname",
            "answers": [None, ["cdn.bad.example", "192.0.2.7"], [], ["198.51.100.1"], ["192.0.2.7"]],
            "server_ip": pa.array(
                [None, None, parse_ip("192.0.2.7"), parse_ip("192.0.2.8"), None], pa.binary(16)
            ),
        },
        5,
    )
    assert told(match(batch, index), index) == [
        (0, "name", -1, "bad.example"),
        (1, "answer", 0, "bad.example"),
        (1, "answer", 1, "192.0.2.7"),
        (2, "server_ip", -1, "192.0.2.7"),
        (4, "name", -1, "bad.example"),
        (4, "answer", 0, "192.0.2.7"),
    ]


def test_a_name_that_hides_the_real_one_is_not_the_destination(read):
    index = build_index([read("front.example\n", "domains")])
    batch = conform("tls", {"name": ["front.example"] * 2, "name_source": ["ech_outer", "sni"]}, 2)
    assert match(batch, index).row.tolist() == [1]


def test_names_in_text_and_server_answers_are_no_destination(read):
    index = build_index([read("bad.example\n", "domains-subtree")])
    batch = dns(["a.example"] * 3, [["bad.example"]] * 3, qtype=["TXT", "NS", "A"])
    assert match(batch, index).row.tolist() == [2]


def test_kinds_that_are_no_contact(read):
    index = build_index([read("192.0.2.7\n", "domains")])
    batch = conform("arp", {"server_ip": pa.array([parse_ip("192.0.2.7")], pa.binary(16))}, 1)
    assert match(batch, index).row.size == 0


def test_slices_and_empty_batches(read):
    index = build_index([read("bad.example\n192.0.2.7\n", "domains")])
    batch = dns(
        ["a.example", "bad.example", "bad.example"], [["192.0.2.7"], [], ["192.0.2.7", "x.example"]]
    )
    assert told(match(batch.slice(1), index), index) == [
        (0, "name", -1, "bad.example"),
        (1, "name", -1, "bad.example"),
        (1, "answer", 0, "192.0.2.7"),
    ]
    assert match(batch.slice(0, 0), index).row.size == 0


def test_an_exception_for_the_asked_name_covers_its_answers(read):
    index = build_index([read("||bad.example^\n@@||good.example^\n192.0.2.7\n", "adguard-dns")])
    batch = dns(["good.example", "other.example"], [["x.bad.example", "192.0.2.7"], ["x.bad.example"]])
    found = match(batch, index)
    assert found.row.tolist() == [1]
    assert found.allowed_row.tolist() == [0, 0]
    assert {index.hit(int(e)).entry for e in found.allowed_by} == {"@@||good.example^"}


def test_an_exception_for_one_answer_covers_that_answer_only(read):
    index = build_index([read("||bad.example^\n@@||ok.bad.example^\n", "adguard-dns")])
    found = match(dns(["a.example"], [["ok.bad.example", "x.bad.example"]]), index)
    assert (found.position.tolist(), found.allowed_position.tolist()) == ([1], [0])


def test_allow_lists_are_kept_apart(read):
    index = build_index(
        [
            read("bad.example\n192.0.2.7\n", "domains-subtree"),
            read("ok.bad.example\n", "domains", allow=True, reason="ours"),
        ]
    )
    batch = dns(["ok.bad.example", "bad.example"], [["192.0.2.7"], None])
    found = match(batch, index)
    assert found.row.tolist() == [1]
    assert found.allowed_row.tolist() == [0, 0]
    assert index.hit(int(found.allowed_by[0])).reason == "ours"


def test_conditions_look_at_the_event(read):
    index = build_index(
        [
            read(
                "||typed.example^$dnstype=AAAA\n||mine.example^$client=192.0.2.0/24\n||wide.example^$denyallow=ok.wide.example\n",
                "adguard-dns",
            )
        ]
    )
    clients = pa.array([parse_ip("192.0.2.9"), parse_ip("198.51.100.9")] * 3, pa.binary(16))
    batch = dns(
        ["typed.example"] * 2 + ["mine.example"] * 2 + ["ok.wide.example", "wide.example"],
        qtype=["A", "AAAA", "A", "A", "A", "A"],
        client_ip=clients,
    )
    assert match(batch, index).row.tolist() == [1, 2, 5]


def test_masks_look_at_answers_but_not_at_connections(read):
    index = build_index([read("://203.0.113.\n", "adguard-dns")])
    batch = conform(
        "dns",
        {
            "name": ["a.example"] * 2,
            "answers": [["203.0.113.5"], []],
            "server_ip": pa.array([parse_ip("203.0.113.5")] * 2, pa.binary(16)),
        },
        2,
    )
    assert told(match(batch, index), index) == [(0, "answer", 0, "://203.0.113.")]

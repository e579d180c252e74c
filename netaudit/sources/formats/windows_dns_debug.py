"""Windows DNS Server's debug log (`dns.log`), with or without details.

Of the four packets of a look-up two concern the client: the question that came in (``Rcv``) and the
response that went out (``Snd … R``). The other two are between this server and its upstream; their
address is no client and they are passed over. Question and response are two rows.

The client's port and the answers stand in the indented block of details, where it was switched on.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake import times
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, extract
from netaudit.records.addresses import ip_column
from netaudit.records.names import normalise_column
from netaudit.sources.dns_words import qtype_column, rcode_column
from netaudit.sources.formats._date_order import STAMP, DateOrder
from netaudit.sources.formats._lookups import UNREADABLE
from netaudit.sources.formats._outcome import keep, refused
from netaudit.sources.formats._owned import lists_of
from netaudit.sources.formats._stanzas import Stanzas
from netaudit.sources.formats._values import mask, port, words

_LIKE = rf"^{STAMP} +(?P<thread>[0-9A-Fa-f]{{3,8}}) PACKET +[0-9A-Fa-f]+ "
_PACKET = (
    rf"{_LIKE}(?P<transport>UDP|TCP) +(?P<way>Rcv|Snd) +(?P<ip>[0-9a-fA-F:.]+)(?:%\S+)? +[0-9a-fA-F]{{4}} +"
    r"(?P<reply>R )? *(?P<opcode>[QNU?]) *\[(?P<flags>[0-9a-fA-F]{4}[^\]]*?) *(?P<rcode>[A-Za-z0-9]+)\] "
    r"*(?P<qtype>\S+) +(?P<name>\S.*?)\s*$"
)
_BEGINS = r"^(?:\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{8}) .{0,8}\d{1,2}:\d{2}:\d{2}"
_OURS = re.compile(r"\d .*\b[0-9A-F]{3,8} PACKET +[0-9A-F]{8,16} (?:UDP|TCP) +(?:Rcv|Snd) ")
_HEADS = ("DNS Server log file creation at", "Message logging key (for packets")
_SECTION = r"^\s+(?P<section>[A-Z]+) SECTION:"
_DATA = r"^\s+DATA\s+(?P<data>\S.*?)\s*$"
_LABEL = re.compile(r"\((\d{1,2})\)")
_MARKS = re.compile(r"\[[0-9A-Fa-f]{4}\]")
_OPCODES = {"N": "NOTIFY", "U": "UPDATE"}
_ESCAPED = set('."();@$\\')


def _open(context: times.Context) -> Parse:
    order = DateOrder(context)

    def parse(chunk: Chunk) -> Parsed:
        begins = _starts(chunk.lines)
        records = Stanzas.beginning(begins)
        index, field = extract(chunk.lines, _PACKET)
        received = mask(pc.equal(field["way"], "Rcv"))
        answers = mask(pc.is_valid(field["reply"]))
        clients = received != answers
        is_answer = pa.array(answers)
        details = _details(chunk.lines, records, index)
        columns = {
            "ts": order.moments(field),
            "client_ip": ip_column(field["ip"]),
            **details,
            "transport": pc.ascii_lower(field["transport"]),
            "name": normalise_column(_names(field["name"])),
            "name_source": "qname",
            "qtype": qtype_column(field["qtype"]),
            "rcode": rcode_column(pc.if_else(is_answer, field["rcode"], None)),
            "opcode": words(field["opcode"], _OPCODES.get),
        }
        readable = mask(pc.is_valid(columns["client_ip"]))
        rows = keep(Rows("dns", columns, index), readable & clients)
        like = np.flatnonzero(mask(pc.match_substring_regex(chunk.lines, _LIKE)))
        bad = np.setdiff1d(like, index[readable])
        other = len(records.orphans(chunk.lines)) + len(records.first) - len(rows.line) - len(bad)
        return Parsed([rows] if len(rows.line) else [], refused({UNREADABLE: bad}), other)

    return parse


def _details(lines: pa.StringArray, records: Stanzas, index: np.ndarray) -> dict[str, pa.Array]:
    """Port and answers out of the blocks behind the lines `index`; nothing where there are no blocks."""
    blocks = np.flatnonzero(mask(pc.match_substring_regex(lines, r"^\s+\S")))
    if not len(blocks):
        return {}
    record = records.owner[index]
    text = lines.take(pa.array(blocks))
    at, field = extract(text, r"^\s+Remote addr \S+, port (?P<port>\d+)")
    ports = records.column(blocks[at], port(field["port"]))
    heads, head = extract(text, _SECTION)
    data, value = extract(text, _DATA)
    behind = np.searchsorted(heads, data) - 1
    answers = np.append(mask(pc.equal(head["section"], "ANSWER")), values=False)
    owner = records.owner[blocks[data]]
    same = (behind >= 0) & (owner >= 0)
    same[same] = records.owner[blocks[heads[behind[same]]]] == owner[same]
    wanted = same & answers[behind]
    shown = words(value["data"].filter(pa.array(wanted)), _shown)
    lists = lists_of(len(records.first), owner[wanted], shown)
    return {"client_port": ports.take(pa.array(record)), "answers": lists.take(pa.array(record))}


def _shown(data: str) -> str:
    """Record data: a name in its labels' form as a name, anything else as it stands."""
    return f"{_name(data) or data}." if data.startswith(("(", "[")) else data


def _names(text: pa.Array) -> pa.Array:
    """Names out of their labels' form: usual ones by column, the rest by `_name`."""
    usual = pc.fill_null(pc.match_substring_regex(text, r"^(?:\(\d{1,2}\)[A-Za-z0-9_-]+)+\(0\)$"), False)
    dotted = pc.utf8_trim(pc.replace_substring_regex(text, r"\(\d+\)", "."), ".")
    return pc.if_else(usual, dotted, words(pc.if_else(usual, None, text), _name))


def _name(text: str) -> str | None:
    """A name out of ``(3)www(7)example(3)com(0)`` with compression marks, or of older ``.www.example.com.``."""
    text = _MARKS.sub("", text)
    if not text.startswith("("):
        return text.strip(".") or "."
    labels, at = [], 0
    while (length := _LABEL.match(text, at)) and (size := int(length[1])):
        begin = length.end()
        at = begin + size
        labels.append("".join(_spelled(char) for char in text[begin:at]))
    if length is None:
        return None
    return ".".join(labels) or "."


def _spelled(char: str) -> str:
    """A character of a label as RFC 4343 has it."""
    if char in _ESCAPED:
        return "\\" + char
    return char if "!" <= char <= "~" else "".join(f"\\{octet:03}" for octet in char.encode())


def _starts(lines: pa.StringArray) -> np.ndarray:
    return mask(pc.match_substring_regex(lines, _BEGINS))


def _sniff(lines: list[str]) -> float:
    return 0.95 if any(_OURS.search(line[:200]) or line.startswith(_HEADS) for line in lines) else 0.0


_ASKED = (
    "{} 0E70 PACKET  00000000033397A0 UDP Rcv 10.161.60.71    5b47   Q [0001   D   NOERROR] A      "
    "(12)somecomputer(6)domain(3)com(0)"
)
_SAMPLES = (
    Sample(
        _ASKED.format("6/15/2013 10:00:32 PM") + "\n"
        "6/15/2013 10:00:33 PM 0E70 PACKET  00000000033397A0 UDP Snd 8.8.8.8         3434   Q [0001   D   NOERROR] A  "
        "    (12)somecomputer(6)domain(3)com(0)\n"
        "6/15/2013 10:00:33 PM 0E70 PACKET  00000000033397A0 UDP Snd 10.161.60.71    5b47 R Q [8385 A DR NXDOMAIN] A  "
        "    (12)somecomputer(6)domain(3)com(0)",
        (
            {
                "kind": "dns", "ts": "2013-06-15T14:00:32.000000000Z", "client_ip": "10.161.60.71",
                "client_port": None, "transport": "udp", "name": "somecomputer.domain.com", "qtype": "A",
                "rcode": None,
            },
            {"kind": "dns", "client_ip": "10.161.60.71", "rcode": "NXDOMAIN"},
        ),
        timezone="Asia/Shanghai",
        note="American dates; the packet to the upstream server is no look-up of a client",
    ),
    Sample(
        _ASKED.format("2024/3/4 下午 1:02:03"),
        ({"kind": "dns", "ts": "2024-03-04T05:02:03.000000000Z", "client_ip": "10.161.60.71"},),
        timezone="Asia/Shanghai",
        note="Chinese dates with the half of the day",
    ),
    Sample(
        "22/12/2021 21:46:04 0E1C PACKET  0000017DEDFE28D0 TCP Snd 10.20.0.6       966f R Q [8081   DR  NOERROR] A      "
        "(3)we\\ird(4)a.bc(3)com(0)\n"
        "TCP response info at 0000017DEDFE28D0\n"
        "  Socket = 508\n"
        "  Remote addr 10.20.0.6, port 56301\n"
        "  Message:\n"
        "    QUESTION SECTION:\n"
        '      Name      "(5)login(4)live(3)com(0)"\n'
        "    ANSWER SECTION:\n"
        '      Name      "[C00C](5)login(4)live(3)com(0)"\n'
        "        TYPE   CNAME  (5)\n"
        "        DATA   (3)www[C012](4)live(3)com(0)\n"
        "        DATA   192.0.2.1\n"
        "    AUTHORITY SECTION:\n"
        "        DATA   192.0.2.9",
        note="a label that is no three octets: rejected names are kept as rows without one",
        records=({
            "kind": "dns", "ts": "2021-12-22T21:46:04.000000000Z", "client_port": 56301, "transport": "tcp",
            "name": None, "answers": ["www.live.com.", "192.0.2.1"],
        },),
    ),
    Sample("Message logging key (for packets - other items use a subset of these fields):", note="the head"),
    Sample("22/12/2021 21:46:04 0E1C PACKET  0000017DEDFE28D0 UDP Rcv 10.20", note="cut: rejected"),
)  # fmt: skip

FORMAT = LogFormat(
    title="Windows DNS Server debug log (dns.log)",
    kinds=("dns",),
    reference="https://learn.microsoft.com/previous-versions/windows/it-pro/windows-server-2012-r2-and-2012/dn800669(v=ws.11)",
    sniff=_sniff,
    open=_open,
    samples=_SAMPLES,
    starts=_starts,
)

r"""ISC dhcpd's lease file (``dhcpd.leases``, ``dhcpd6.leases``): a journal of blocks.

Each block is one change of one address; later blocks replace earlier ones, and the server drops
the earlier ones when it writes the file anew. Times are UTC with the weekday in front, or
``epoch N``. In the v6 file an identity association holds its addresses; its quoted name is four
bytes of IAID and the client's DUID, C-escaped.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, extract, said
from netaudit.intake.times import Context, from_epoch, from_iso
from netaudit.records.addresses import by_distinct, ip_column, mac_column, parse_mac
from netaudit.records.schemas import MAC
from netaudit.sources.formats._outcome import refused
from netaudit.sources.formats._stanzas import Stanzas
from netaudit.sources.formats._values import duid_mac, mask, octets, unescape, whole, words

_BLOCK = r"^\s*(?:lease|ia-na|ia-ta|ia-pd|host|group|failover|class|subclass|key|zone)\b.*\{\s*$"
_HEAD = r"^\s*(?:lease (?P<v4>[0-9.]+)|iaaddr (?P<v6>[0-9a-fA-F:.]+)(?:/\d+)?|iaprefix (?P<prefix>[0-9a-fA-F:.]+)/\d+) \{\s*$"
_CLIENT = r'^\s*ia-(?:na|ta|pd) "(?P<client>.*)" \{\s*$'
_KEY = (
    r"^\s*(?P<key>starts|ends|cltt|binding state|hardware|uid|client-hostname|max-life"
    r"|set vendor-class-identifier =|option agent\.circuit-id|option agent\.remote-id) (?P<value>.*);\s*(?:#.*)?$"
)
_STAMP = r"^(?:\d (?P<date>\d{4}/\d{1,2}/\d{1,2} \d{1,2}:\d{2}:\d{2})(?: UTC)?|epoch (?P<epoch>\d{1,11}))$"
_OWN_LINE = re.compile(
    r"\s*(?:#|\}|(?:lease|ia-\w\w|iaaddr|iaprefix|host|failover|server-duid|authoring-byte-order|starts|ends|cltt|tstp"
    r"|tsfp|atsfp|binding|next|rewind|hardware|uid|client-hostname|set|option|preferred-life|max-life|on|log"
    r"|dynamic|fixed-address|my|partner|mclt|reserved|bootp|abandoned|dynamic-bootp|ddns-\S+|billing)\b)"
)
_BEGINNING = re.compile(r'\s*(?:lease [0-9.]+|ia-(?:na|ta|pd) ".*") \{\s*$')


def _starts(lines: pa.StringArray) -> np.ndarray:
    return mask(pc.match_substring_regex(lines, _BLOCK))


def _sniff(lines: list[str]) -> float:
    """Sure once a block of this file begins, and nothing else is in the way."""
    seen = [line for line in lines if line.strip()]
    own = sum(bool(_OWN_LINE.match(line)) for line in seen)
    return own / len(seen) if any(_BEGINNING.match(line) for line in seen) else 0.0


def _open(context: Context) -> Parse:
    del context  # UTC, or epochs

    def parse(chunk: Chunk) -> Parsed:
        lines = chunk.lines
        begins = _starts(lines)
        blocks = Stanzas.beginning(begins)
        at, address = extract(lines, _HEAD)
        begins[at] = True
        leases = Stanzas.beginning(begins)
        columns = _columns(lines, blocks, leases)
        wanted = np.isin(leases.first, at)
        first = leases.first[wanted]
        columns = {name: column.filter(pa.array(wanted)) for name, column in columns.items()}
        columns["client_ip"] = ip_column(pc.coalesce(address["v4"], address["v6"], address["prefix"]))
        owner = blocks.owner[first]  # -1 = its block's beginning is not in the file
        whole_block = np.append(_balanced(lines, blocks), [False])[owner]
        timed = ~mask(columns.pop("wrong"))
        known = mask(pc.is_valid(columns["client_ip"]))
        good = whole_block & timed & known
        rows = {name: column.filter(pa.array(good)) for name, column in columns.items()}
        orphan, _ = extract(lines.slice(0, int(blocks.first[0]) if len(blocks.first) else len(lines)), _KEY)
        return Parsed(
            [Rows("dhcp", rows, first[good])],
            refused(
                {
                    "A lease is cut off.": np.union1d(first[~whole_block], orphan[:1]),
                    "A lease has a time that is none.": first[whole_block & ~timed],
                    "A lease has an address that is none.": first[whole_block & timed & ~known],
                }
            ),
            int((blocks.owner < 0).sum()) - len(orphan[:1]),
        )

    return parse


def _columns(lines: pa.StringArray, blocks: Stanzas, leases: Stanzas) -> dict[str, pa.Array]:
    """One value per lease for each key; for v6 also what stands in its identity association."""
    at, pair = extract(lines, _KEY)

    def values(key: str, of: Stanzas = leases) -> pa.Array:
        here = mask(pc.equal(pair["key"], key))
        return of.column(at[here], pair["value"].filter(pa.array(here)))

    block = pa.array(blocks.owner[leases.first], mask=blocks.owner[leases.first] < 0)
    named, client = extract(lines, _CLIENT)
    duid = blocks.column(named, client["client"]).take(block)
    contact = pc.if_else(pc.is_valid(duid), values("cltt", blocks).take(block), None)
    begin, end = pc.coalesce(values("starts"), contact), values("ends")
    ts, ts_end = _moments(begin), _moments(end)
    uid = _unquoted(values("uid"))
    mac = mac_column(said(values("hardware"), r" (?P<mac>\S+)$"))
    return {
        "ts": ts,
        "ts_end": ts_end,
        "client_mac": pc.coalesce(mac, by_distinct(uid, _uid_mac, MAC), by_distinct(duid, _ia_mac, MAC)),
        "hostname": words(_unquoted(values("client-hostname")), unescape),
        "vendor_class": words(_unquoted(values("set vendor-class-identifier =")), unescape),
        "lease_s": pc.coalesce(_seconds(values("max-life")), _between(ts, ts_end)),
        "message": pc.coalesce(values("binding state"), leases.column(*_abandoned(lines))),
        "client_id": pc.coalesce(uid, duid),
        "nas": _agent(values("option agent.remote-id")),
        "nas_port": _agent(values("option agent.circuit-id")),
        "wrong": pc.or_(_unread(begin, ts), pc.and_(_unread(end, ts_end), pc.not_equal(end, "never"))),
    }


def _abandoned(lines: pa.StringArray) -> tuple[np.ndarray, pa.Array]:
    """The lines by which OpenBSD and old versions, which write no state, say that a lease is none."""
    index, got = extract(lines, r"^\s*(?P<word>abandoned);\s*$")
    return index, got["word"]


def _balanced(lines: pa.StringArray, blocks: Stanzas) -> np.ndarray:
    """Per block whether its braces close again."""
    opened = mask(pc.match_substring_regex(lines, r"\{\s*$")).astype(np.int64)
    closed = mask(pc.match_substring_regex(lines, r"^\s*\}"))
    balanced: np.ndarray = blocks.total(opened - closed) == 0
    return balanced


def _moments(text: pa.Array) -> pa.Array:
    parts = pc.extract_regex(text, _STAMP)
    date, epoch = pc.struct_field(parts, "date"), pc.struct_field(parts, "epoch")
    return pc.coalesce(from_iso(pc.binary_join_element_wise(date, "Z", ""), Context()), from_epoch(epoch))


def _unread(text: pa.Array, moment: pa.Array) -> pa.Array:
    return pc.and_(pc.is_valid(text), pc.is_null(moment))


def _unquoted(text: pa.Array) -> pa.Array:
    return said(text, r'^"(?P<inner>.*)"$')


def _seconds(text: pa.Array) -> pa.Array:
    return whole(text, 0xFFFF_FFFF, pa.uint32())


def _between(ts: pa.Array, ts_end: pa.Array) -> pa.Array:
    seconds = pc.divide(pc.subtract(ts_end.cast(pa.int64()), ts.cast(pa.int64())), 10**9)
    return pc.if_else(pc.and_(pc.greater_equal(seconds, 0), pc.less(seconds, 2**32)), seconds, None).cast(
        pa.uint32()
    )


def _agent(text: pa.Array) -> pa.Array:
    """What the relay adds (option 82): quoted text, or octets as hex."""
    return pc.coalesce(words(_unquoted(text), unescape), text)


def _uid_mac(uid: str) -> bytes | None:
    """The MAC in a client identifier of hardware type 1 (RFC 2132 section 9.14)."""
    raw = octets(uid)
    return parse_mac(raw[1:].hex()) if len(raw) == 7 and raw[0] == 1 else None


def _ia_mac(name: str) -> bytes | None:
    mac = duid_mac(octets(name)[4:])
    return parse_mac(mac) if mac else None


_V4 = r"""
lease 10.1.0.101 {
  starts 0 2026/11/22 16:07:36;
  ends 0 2026/11/22 16:08:36;
  cltt 0 2026/11/22 16:07:36;
  binding state active;
  next binding state free;
  hardware ethernet 52:54:00:aa:00:02;
  uid "\001RT\000\252\000\002";
  set vendor-class-identifier = "udhcp 1.35.0";
  client-hostname "pc-101";
}
""".lstrip()
_V6 = r"""
ia-na "4dv\352\000\001\000\001\035f\037\342RT\000\314\000\001" {
  cltt 2 2015/08/18 16:55:37;
  iaaddr 2001:db8:1::60 {
    binding state active;
    preferred-life 375;
    max-life 600;
    ends 2 2015/08/18 17:05:37;
    on expiry {
      log (debug, "expiry");
    }
  }
}
""".lstrip()
_ODD = r"""
host reserved {
  hardware ethernet 52:54:00:aa:00:09;
}
lease 10.1.0.7 {
  starts epoch 1795363656; # Sun Nov 22 16:07:36 2026
  ends never;
  binding state backup;
  uid "\001RT\000\252\000\003";
  option agent.circuit-id 0:1:3:e9;
  option agent.remote-id "sw-3f";
}
""".lstrip()

FORMAT = LogFormat(
    title="ISC DHCP lease file (dhcpd.leases, dhcpd6.leases)",
    kinds=("dhcp",),
    reference="https://kb.isc.org/docs/isc-dhcp-44-manual-pages-dhcpdleases",
    sniff=_sniff,
    open=_open,
    starts=_starts,
    samples=(
        Sample(
            _V4,
            (
                {
                    "kind": "dhcp",
                    "ts": "2026-11-22T16:07:36.000000000Z",
                    "ts_end": "2026-11-22T16:08:36.000000000Z",
                    "client_ip": "10.1.0.101",
                    "client_mac": "52:54:00:aa:00:02",
                    "hostname": "pc-101",
                    "message": "active",
                    "lease_s": 60,
                    "vendor_class": "udhcp 1.35.0",
                    "client_id": r"\001RT\000\252\000\002",
                },
            ),
        ),
        Sample(
            _V6,
            (
                {
                    "kind": "dhcp",
                    "ts": "2015-08-18T16:55:37.000000000Z",
                    "ts_end": "2015-08-18T17:05:37.000000000Z",
                    "client_ip": "2001:db8:1::60",
                    "client_mac": "52:54:00:cc:00:01",
                    "message": "active",
                    "lease_s": 600,
                },
            ),
            note="the start is the client's last contact; the MAC comes out of the DUID",
        ),
        Sample(
            _ODD,
            (
                {
                    "kind": "dhcp",
                    "ts": "2026-11-22T16:07:36.000000000Z",
                    "ts_end": None,
                    "client_ip": "10.1.0.7",
                    "client_mac": "52:54:00:aa:00:03",
                    "message": "backup",
                    "nas": "sw-3f",
                    "nas_port": "0:1:3:e9",
                },
            ),
            note="local times as epochs, no end, no hardware line; the host block is no lease",
        ),
        Sample(
            "lease 192.168.64.51 {\n\tstarts 2 2019/03/12 17:45:21 UTC;\n\tends 2 2019/03/12 17:49:32 UTC;\n"
            "\thardware ethernet 00:a0:cc:63:b6:72;\n\tabandoned;\n}\n"
            'ia-pd "4dv\\352\\000\\001" {\n  cltt 2 2015/08/18 16:55:40;\n  iaaddr 2001:610:500:fff::/64 {\n'
            "    binding state active;\n    ends 2 2015/08/18 17:05:40;\n  }\n}",
            (
                {"kind": "dhcp", "client_ip": "192.168.64.51", "message": "abandoned", "lease_s": 251},
                {"kind": "dhcp", "client_ip": "2001:610:500:fff::", "message": "active"},
            ),
            note="OpenBSD; a delegated prefix as dhcpd 4.2 writes it",
        ),
        Sample(_V4[:150], note="cut off at the end of the file"),
        Sample(_V4.replace("2026/11/22 16:08:36", "2026/02/30 16:08:36"), note="no date"),
    ),
)

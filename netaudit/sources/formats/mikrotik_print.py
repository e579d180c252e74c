"""What RouterOS prints: ``/ip dhcp-server lease``, ``/ip arp``, ``/ipv6 neighbor``, ``/interface bridge host``.

As a table, in detail or terse. Times are relative to the moment of the print, which the source's
``taken_at`` declares. The prompt names the router, else the source's ``nas`` option does.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample
from netaudit.intake.times import Context, taken_at
from netaudit.records.addresses import parse_ip
from netaudit.records.schemas import TIMESTAMP
from netaudit.sources.formats._outcome import refused
from netaudit.sources.formats._printed_table import Column, Titles, cells_of, mac_of, titled, words
from netaudit.sources.formats._table_records import Record, arp_record, as_rows, fdb_record
from netaudit.sources.formats._table_rows import TOO_WIDE, Cells, Entries, Entry
from netaudit.sources.formats._terminal import MAX_WIDTH, plain, prompt
from netaudit.sources.formats._values import mask

NOTHING = "The entry has neither an address nor a hardware address."
TITLES = Titles(
    index="#",
    ip="address",
    mac="mac-address",
    port="on-interface,interface",
    vlan="vid",
    type="status",
    name="host-name",
    server="server",
    seen="last-seen",
    bridge="bridge",
    skip="rate-limit,published,age",
)
_KEYS = {
    "address": "ip",
    "mac-address": "mac",
    "active-address": "active-ip",
    "active-mac-address": "active-mac",
    "on-interface": "port",
    "interface": "interface",
    "vid": "vlan",
    "status": "type",
    "host-name": "name",
    "client-id": "client",
    "server": "server",
    "last-seen": "seen",
    "expires-after": "left",
    "bridge": "bridge",
    "published": "published",
    "identity": "identity",
    "name": "other",
}
_INDEX = re.compile(r"\s*\d{1,6}\s")
_PAIR = re.compile(r'(?<!\S)(?P<key>[a-z][a-z0-9-]*)=(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>\S*))')
_HEAD = re.compile(r"\s*#\s+[A-Z][A-Z-]+(?:\s+[A-Z][A-Z-]*)*\s*\Z")
_SPAN = r"^(?:(?P<w>\d{1,4})w)?(?:(?P<d>\d{1,4})d)?(?:(?P<h>\d{1,4})h)?(?:(?P<m>\d{1,4})m)?(?:(?P<s>\d{1,6})s)?$"
_SECONDS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}


class _Print:
    """One session while it is read: the columns of the table at hand, and the router."""

    def __init__(self) -> None:
        self.columns: list[Column] = []
        self.nas: str | None = None

    def read(self, lines: list[str]) -> Entries:
        """The entries of some lines; a chunk ends where one begins."""
        out = Entries()
        text, first = "", -1
        for number, line in enumerate([*lines, "0 "]):
            is_wide = len(line) > MAX_WIDTH
            shown = "" if is_wide else plain(line)
            if first >= 0 and shown.startswith(" ") and "=" in shown and not _INDEX.match(shown):
                text += " " + shown.strip()
                continue
            if first >= 0:
                self._entry(text, first, out)
            text, first = shown, number if _INDEX.match(shown) else -1
            if first < 0:
                self._aside(shown)
                out.other += not is_wide
            if is_wide:
                out.refuse(TOO_WIDE, number)
        return out

    def _aside(self, text: str) -> None:
        """Take notice of a line that is no entry."""
        if _HEAD.match(text):
            self.columns = titled([text.lower()], TITLES)
        self.nas = prompt(text) or self.nas

    def _entry(self, text: str, number: int, out: Entries) -> None:
        pairs = {m["key"]: m["bare"] or m["quoted"] or "" for m in reversed([*_PAIR.finditer(text)])}
        cells = {_KEYS[key]: value for key, value in pairs.items() if key in _KEYS and value}
        if not pairs and self.columns:
            cells = cells_of(words(text)[:40], self.columns)
        roles = frozenset(cells) if pairs else frozenset(column.role for column in self.columns)
        cells.setdefault("port", cells.get("interface", ""))
        kind = _kind_of(roles)
        if not kind:
            out.other += 1
        elif not _addressed(cells):
            out.refuse(NOTHING, number)
        else:
            out.found.append(Entry(cells, number, self.nas, kind, roles))


def _kind_of(roles: frozenset[str]) -> str:
    if roles & {"other", "identity"}:
        return ""
    if roles & {"server", "seen"}:
        return "dhcp"
    if "bridge" in roles:
        return "fdb" if "mac" in roles else ""
    return (
        "arp"
        if "ip" in roles and roles & {"interface", "port"} and roles & {"mac", "type", "published"}
        else ""
    )


def _addressed(cells: Cells) -> bool:
    return bool(parse_ip(_address(cells)) or mac_of(cells.get("mac", "")))


def _address(cells: Cells) -> str:
    """The address of a lease; a static one may name a pool, and the address is what is active."""
    ip = cells.get("ip", "")
    return ip if parse_ip(ip) else cells.get("active-ip", "")


def _lease_record(entry: Entry) -> Record:
    cells = entry.cells
    return {
        "client_ip": parse_ip(_address(cells)),
        "client_mac": mac_of(cells.get("mac", "") or cells.get("active-mac", "")),
        "hostname": cells.get("name"),
        "client_id": cells.get("client"),
        "message": cells.get("type"),
    }


_MAKERS = {"arp": arp_record, "fdb": fdb_record}


def _rows(kind: str, entries: list[Entry], context: Context) -> list[Rows]:
    if kind != "dhcp":
        pairs = [(entry, record) for entry in entries if (record := _MAKERS[kind](entry)) is not None]
        return [as_rows(kind, pairs, context)] if pairs else []
    columns: dict[str, list[object]] = {}
    for entry in entries:
        for name, value in _lease_record(entry).items():
            columns.setdefault(name, []).append(value)
    moment = pa.array([taken_at(context)] * len(entries), pa.int64())
    seen, left = (_spans([entry.cells.get(role) for entry in entries]) for role in ("seen", "left"))
    times = {
        "ts": pc.subtract(moment, seen).cast(TIMESTAMP),
        "ts_end": pc.add(moment, left).cast(TIMESTAMP),
        "nas": pa.array([entry.nas or context.options.get("nas") for entry in entries], pa.string()),
    }
    return [Rows(kind, columns | times, np.array([entry.line for entry in entries], np.int64))]


def _spans(texts: list[str | None]) -> pa.Array:
    """``35w12h24m42s`` as nanoseconds (int64); ``never`` and anything else is null."""
    parts = pc.extract_regex(pa.array([text or None for text in texts], pa.string()), _SPAN)
    total = pc.if_else(pc.is_null(parts), pa.scalar(None, pa.int64()), 0)
    for name, seconds in _SECONDS.items():
        text = pc.struct_field(parts, name)
        count = pc.if_else(pc.equal(text, ""), "0", text).cast(pa.int64())
        total = pc.add(total, pc.multiply(count, seconds * 10**9))
    return total


def _open(context: Context) -> Parse:
    printed = _Print()

    def parse(chunk: Chunk) -> Parsed:
        found = printed.read([line or "" for line in chunk.lines.to_pylist()])
        rows = [
            made
            for kind in ("arp", "dhcp", "fdb")
            if (entries := [entry for entry in found.found if entry.kind == kind])
            for made in _rows(kind, entries, context)
        ]
        given = sum(len(made.line) for made in rows)
        reasons = {reason: np.array(lines, np.int64) for reason, lines in found.refused.items()}
        return Parsed(rows, refused(reasons), found.other + len(found.found) - given)

    return parse


def _starts(lines: pa.StringArray) -> np.ndarray:
    return mask(pc.match_substring_regex(lines, r"^\s*\d{1,6}\s"))


def _sniff(lines: list[str]) -> float:
    """Sure where entries are in RouterOS' own shape: ``key=value``, or below a header that begins with ``#``."""
    numbered = [line for line in lines if _INDEX.match(line)]
    if not numbered or not any(_HEAD.match(line) or "address=" in line for line in lines):
        return 0.0
    return 0.95 * min(1.0, len(_Print().read(lines).found) / len(numbered))


FORMAT = LogFormat(
    title="MikroTik RouterOS print: DHCP leases, ARP, IPv6 neighbours, bridge hosts",
    kinds=("dhcp", "arp", "fdb"),
    reference="https://help.mikrotik.com/docs/display/ROS/DHCP",
    sniff=_sniff,
    open=_open,
    starts=_starts,
    numbered=False,
    samples=(
        Sample(
            "Flags: X - disabled, R - radius, D - dynamic, B - blocked\n"
            " #   ADDRESS          MAC-ADDRESS        HOST-NAME  SERVER         RATE-LIMIT  STATUS  LAST-SEEN\n"
            " 0   192.168.60.254                                 *1                         bound   35w13h13m15s\n"
            " 2 D 192.168.88.254   12:34:56:78:90:AB  MikroTik   DHCPv4_Server              waiting never",
            (
                {"kind": "dhcp", "client_ip": "192.168.60.254", "client_mac": None, "message": "bound"},
                {
                    "kind": "dhcp",
                    "ts": None,
                    "client_mac": "12:34:56:78:90:ab",
                    "hostname": "MikroTik",
                    "message": "waiting",
                },
            ),
        ),
        Sample(
            " 1   address=172.16.16.120 mac-address=30:07:4D:F5:07:49 client-id="
            '"1:30:7:4d:f5:7:49" address-lists="" server=defconf dhcp-option="" status=bound expires-after=8m55s '
            'last-seen=1m5s active-address=172.16.16.120 active-mac-address=30:07:4D:F5:07:49 host-name="Galaxy-S8"',
            (
                {
                    "kind": "dhcp",
                    "client_ip": "172.16.16.120",
                    "client_mac": "30:07:4d:f5:07:49",
                    "client_id": "1:30:7:4d:f5:7:49",
                    "hostname": "Galaxy-S8",
                    "message": "bound",
                },
            ),
        ),
        Sample(
            "[admin@gw] > /ip arp print terse\n"
            " 0 DC address=10.160.1.230 mac-address=12:34:56:78:90:AA interface=ether2_BOX published=no",
            (
                {
                    "kind": "arp",
                    "client_ip": "10.160.1.230",
                    "client_mac": "12:34:56:78:90:aa",
                    "nas": "gw",
                    "nas_port": "ether2_BOX",
                },
            ),
        ),
        Sample(
            ' 2 R address=fe80::d7:4cff:fec1:2e32 interface=main mac-address=00:0C:42:28:79:45 status="stale" \n'
            "1 D E mac-address=11:22:33:44:55:02 interface=ether3 bridge=lan-bridge on-interface=ether3",
            (
                {"kind": "arp", "client_ip": "fe80::d7:4cff:fec1:2e32", "message": "stale"},
                {"kind": "fdb", "client_mac": "11:22:33:44:55:02", "nas_port": "ether3"},
            ),
        ),
        Sample(" 3   address=pool1 server=defconf status=waiting last-seen=never", note="nobody"),
    ),
)

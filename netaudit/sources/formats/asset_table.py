"""The inventory that most offices have: a table with titles of its own, as CSV, TSV or XLSX.

The header is found by its titles, below whatever stands above it; a later header takes over (several
sheets, several sections). A line that holds a network alone is the segment of what follows. An asset with two MAC addresses gives two rows; where it has several of
both, no pairing is claimed. What is no address is left out and noted, never repaired.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.errors import ConfigError
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample
from netaudit.intake.spreadsheet import SHEET
from netaudit.intake.times import Context, from_iso
from netaudit.records.schemas import IP, MAC
from netaudit.sources.formats._delimited import header_cells, record_starts, split_quoted, title
from netaudit.sources.formats._inventory_cells import (
    DATE_SYSTEMS,
    addresses,
    section,
    serial_date,
    stations,
    within,
)
from netaudit.sources.formats._inventory_titles import columns_of, is_inventory
from netaudit.sources.formats._outcome import refused
from netaudit.sources.formats._values import mask, whole, words

BAD_MAC = "Some hardware addresses in the inventory are none and were left out."
BAD_IP = "Some addresses in the inventory are none, or whole networks, and were left out."
TOO_MANY = "The ranges in the inventory come to more addresses than are read; some were left out."
BAD_DATE = "Some dates in the inventory could not be read; the validity is open there."
SERIAL = (
    "Some dates in the inventory are a spreadsheet's serial numbers; they were read as its days since 1900."
)
SERIAL_1904 = (
    "Some dates in the inventory are a spreadsheet's serial numbers; they were read as its days since 1904."
)
NO_HEADER = "A row stands before any header whose titles are known."
NOBODY = "The row names no address, no hardware address, no host and no asset number."
UNCLOSED = "A quoted cell does not close."
_TEXTS = (
    "hostname",
    "asset",
    "model",
    "owner",
    "department",
    "location",
    "site",
    "segment",
    "switch",
    "switch_port",
)
_FILLED = ("owner", "department", "location", "site", "segment", "vlan", "switch")
"""What may be declared to hold for the empty cells below it."""
_NUMBERS = frozenset({"asset", "vlan", "switch_port", "location"})
"""What a spreadsheet may have taken for a number (``301.0``)."""
_FEW = 8
_MOST_SPREAD = 1 << 16
"""Addresses of rows with more than a few, such as ranges, in one table."""
_MAX_TITLE_ROWS = 30
"""Rows above a header that may be titles and remarks, as long as they hold no address."""
_TOTALS = frozenset(["合计", "总计", "小计", "共计", "total", "subtotal", "sum"])
_VALUE = re.compile(r"\d\.\d{1,3}\.\d|(?:[0-9a-fA-F]{2}[:-]){5}")
"""What stands in no header."""
_DATE = r"^(?P<y>\d{4})[-/.年](?P<m>\d{1,2})[-/.月](?P<d>\d{1,2})日?(?:[ T](?P<clock>\d{1,2}:\d{2}(?::\d{2})?))?$"


def _sniff(lines: list[str]) -> float:
    """Never sure: a format that knows a header exactly goes first."""
    return 0.6 if any(is_inventory(header_cells(line)[1]) for line in lines[:50]) else 0.0


def _open(context: Context) -> Parse:
    table = _Table(context)

    def parse(chunk: Chunk) -> Parsed:
        return table.read(chunk.lines)

    return parse


class _Table:
    """One table while it is read: the header in force, and the rows so far of the chunk."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.separator = ","
        self.columns: dict[str, list[int]] = {}
        self.headless = 0
        self.section: dict[str, str] = {}
        self.above: dict[str, str | None] = {}
        self.spread = 0
        self.fill_down = _fill_down(context)
        self.date_system = context.options.get("date_system", "1900")
        if self.date_system not in DATE_SYSTEMS:
            raise _wrong_option(context, "date_system", self.date_system, "1900, 1904")

    def read(self, lines: pa.StringArray) -> Parsed:
        first = np.flatnonzero(record_starts(lines)) if len(lines) else np.zeros(0, np.int64)
        texts = lines.to_pylist()
        rows: list[dict[str, object]] = []
        refusals: dict[str, list[int]] = {}
        other = 0
        for begin, end in zip(first.tolist(), [*first[1:].tolist(), len(texts)], strict=True):
            reason = self._record("\n".join(texts[begin:end]), begin, rows)
            if reason:
                refusals.setdefault(reason, []).append(begin)
            other += reason == ""
        return Parsed(
            [self._columns(rows)] if rows else [],
            refused({reason: np.array(index, np.int64) for reason, index in refusals.items()}),
            other,
        )

    def _record(self, text: str, line: int, rows: list[dict[str, object]]) -> str | None:
        """Read one record; why it is refused, empty where it holds none, None where it gave rows."""
        if text.startswith(SHEET):
            text, self.columns, self.headless = text.removeprefix(SHEET), {}, 0
            self.section, self.above = {}, {}
        if not text.strip(" \t,;|"):
            return ""
        if not _VALUE.search(text) and (found := columns_of(header_cells(text)[1])):
            self.separator, self.columns, self.above = header_cells(text)[0], found, {}
            return ""
        cells = split_quoted(text, self.separator) if '"' in text else text.split(self.separator)
        filled = [cell for cell in cells if cell.strip()]
        if not filled:
            return UNCLOSED
        if len(filled) == 1 and (found_section := section(filled[0])):
            self.section = found_section
            return ""
        return self._row(cells, filled, line, rows)

    def _row(
        self, cells: list[str], filled: list[str], line: int, rows: list[dict[str, object]]
    ) -> str | None:
        """Read a row below the header; gives what `_record` does."""
        if not self.columns:
            self.headless += 1
            holds = any(map(_VALUE.search, filled))
            return NO_HEADER if holds or self.headless > _MAX_TITLE_ROWS else ""
        if title(filled[0]) in _TOTALS:
            return ""
        found_rows = list(self._assets(cells, line))
        rows += found_rows
        return None if found_rows else NOBODY

    def _assets(self, cells: list[str], line: int) -> Iterator[dict[str, object]]:
        values = {name: self._first(cells, name) for name in (*_TEXTS, "vlan", "ts", "ts_end")}
        values["model"] = values["model"] or self._first(cells, "vendor")
        ips = self._all(cells, "ip", addresses, BAD_IP)
        macs = self._all(cells, "mac", stations, BAD_MAC)
        ips = self._affordable(ips)
        if not (ips or macs or values["hostname"] or values["asset"]):
            return
        for name in self.fill_down:
            values[name] = self.above[name] = values[name] or self.above.get(name)
        if self.section and ips and all(within(ip, self.section["segment"]) for ip in ips):
            values |= {name: values[name] or text for name, text in self.section.items()}
        some_ips: Sequence[bytes | None] = ips or (None,)
        some_macs: Sequence[bytes | None] = macs or (None,)
        pairs = [(ip, mac) for ip in some_ips for mac in some_macs]
        if len(ips) > 1 and len(macs) > 1:  # which card has which address is not said
            pairs = [(ip, None) for ip in some_ips] + [(None, mac) for mac in some_macs]
        for ip, mac in pairs:
            yield {**values, "ip": ip, "mac": mac, "line": line}

    def _affordable(self, ips: list[bytes]) -> list[bytes]:
        """The addresses of a row, unless the ranges of the table come to more than are written out."""
        if len(ips) <= _FEW:
            return ips
        self.spread += len(ips)
        if self.spread <= _MOST_SPREAD:
            return ips
        self.context.notes.add(TOO_MANY)
        return []

    def _first(self, cells: list[str], column: str) -> str | None:
        """The first cell of a column's titles that says something."""
        texts = (cells[i].strip() for i in self.columns.get(column, ()) if i < len(cells))
        found = next((" ".join(text.split()) for text in texts if text), None)
        return re.sub(r"^(\d+)\.0$", r"\1", found) if found and column in _NUMBERS else found

    def _all(
        self, cells: list[str], column: str, read: Callable[[str], tuple[bytes, ...] | None], note: str
    ) -> list[bytes]:
        """Every distinct value in the cells of a column, in order."""
        found: list[bytes] = []
        for text in (cells[i].strip() for i in self.columns.get(column, ()) if i < len(cells)):
            values = read(text) if text else ()
            if values is None:
                self.context.notes.add(note)
            found += [value for value in values or () if value not in found]
        return found

    def _columns(self, rows: list[dict[str, object]]) -> Rows:
        def column(name: str, type_: pa.DataType) -> pa.Array:
            return pa.array([row[name] for row in rows], type_)

        vlan = pc.replace_substring_regex(column("vlan", pa.string()), r"^(?i:vlan)?\s*(\d+)$", r"\1")
        columns = {name: column(name, pa.string()) for name in _TEXTS} | {
            "ip": column("ip", IP),
            "mac": column("mac", MAC),
            "vlan": whole(vlan, 4094, pa.uint16()),
            "ts": self._dates(column("ts", pa.string())),
            "ts_end": self._dates(column("ts_end", pa.string())),
        }
        return Rows("asset", columns, np.array([row["line"] for row in rows], np.int64))

    def _dates(self, text: pa.Array) -> pa.Array:
        """Dates of validity in the declared zone; words are not guessed at."""
        day_zero = DATE_SYSTEMS[self.date_system]
        serial = words(text, lambda cell: serial_date(cell, day_zero))
        if mask(pc.is_valid(serial)).any():
            self.context.notes.add(SERIAL if self.date_system == "1900" else SERIAL_1904)
        text = pc.coalesce(serial, text)
        parts = pc.extract_regex(text, _DATE)
        y, m, d, clock = (pc.struct_field(parts, n) for n in ("y", "m", "d", "clock"))
        clock = pc.if_else(pc.equal(clock, ""), "00:00", clock)
        iso = pc.binary_join_element_wise(pc.binary_join_element_wise(y, m, d, "-"), clock, " ")
        moments = from_iso(iso, self.context)
        if mask(pc.and_(pc.is_valid(text), pc.is_null(moments))).any():
            self.context.notes.add(BAD_DATE)
        return moments


def _fill_down(context: Context) -> tuple[str, ...]:
    """Columns whose empty cells mean what stands above: merged cells, which a table cannot show."""
    names = context.options.get("fill_down", "").replace(",", " ").split()
    for name in names:
        if name not in _FILLED:
            raise _wrong_option(context, "fill_down", name, ", ".join(_FILLED))
    return tuple(names)


def _wrong_option(context: Context, option: str, value: str, known: str) -> ConfigError:
    return ConfigError(
        "option-value-unknown",
        "The option {option} of this source cannot be {value}.",
        where=context.name,
        hint="It may be: {known}.",
        option=option,
        value=value,
        known=known,
    )


_CHINESE = (
    "办公室信息资产登记表\n"
    "序号,资产编号,设备名称,型号,IP地址,MAC地址,使用人,部门,位置,接入交换机,端口,VLAN,启用日期\n"
    "1,GD-007,PC-007,联想 M70q,10.1.2.7,52：54：00：aa：00：07 / 52-54-00-AA-01-07,张三,综合科,3楼 301,SW-3F,G1/0/7,120,2025/3/1\n"
)
_ENGLISH: str = (
    'Hostname\tIP Address\tMAC Address\tOwner\tRoom\tVLAN ID\nNA\t10.1.2.8\tn/a\tnull\t"A, 3"\t120.0\n'
)

FORMAT = LogFormat(
    title="Inventory table (CSV, TSV or XLSX with free titles)",
    kinds=("asset",),
    reference="the titles that are known are those of netaudit/sources/formats/_inventory_titles.py",
    sniff=_sniff,
    open=_open,
    starts=record_starts,
    samples=(
        Sample(
            _CHINESE,
            (
                {
                    "kind": "asset",
                    "ip": "10.1.2.7",
                    "mac": "52:54:00:aa:00:07",
                    "hostname": "PC-007",
                    "asset": "GD-007",
                    "model": "联想 M70q",
                    "owner": "张三",
                    "department": "综合科",
                    "location": "3楼 301",
                    "switch": "SW-3F",
                    "switch_port": "G1/0/7",
                    "vlan": 120,
                    "ts": "2025-02-28T16:00:00.000000000Z",
                    "ts_end": None,
                },
                {"kind": "asset", "ip": "10.1.2.7", "mac": "52:54:00:aa:01:07"},
            ),
            timezone="Asia/Shanghai",
            note="a title above the header, full-width colons, two cards",
        ),
        Sample(
            _ENGLISH,
            (
                {
                    "kind": "asset",
                    "hostname": "NA",
                    "ip": "10.1.2.8",
                    "mac": None,
                    "owner": "null",
                    "location": "A, 3",
                    "vlan": 120,
                },
            ),
            note="what looks like nothing may be a name; what is no address is left out",
        ),
        Sample(
            '名称;IP地址;MAC\nsrv-1;"10.1.2.9\n10.1.2.10";"52:54:00:aa:00:09\n52:54:00:aa:01:09"\n',
            (
                {"kind": "asset", "hostname": "srv-1", "ip": "10.1.2.9", "mac": None},
                {"kind": "asset", "ip": "10.1.2.10", "mac": None},
                {"kind": "asset", "ip": None, "mac": "52:54:00:aa:00:09"},
                {"kind": "asset", "ip": None, "mac": "52:54:00:aa:01:09"},
            ),
            note="line breaks in cells; which card has which address is not known",
        ),
        Sample(
            "10.1.3.0/24 - Office (vlan: 30 - Data)\nip address,hostname,mac,owner,switch,port\n10.1.3.7,pc-7,,Wang,sw-1,7.0\n"
            "10.1.3.20-21,,,printers,,\n",
            (
                {
                    "kind": "asset",
                    "ip": "10.1.3.7",
                    "hostname": "pc-7",
                    "segment": "10.1.3.0/24",
                    "vlan": 30,
                    "switch_port": "7",
                },
                {"kind": "asset", "ip": "10.1.3.20", "owner": "printers", "segment": "10.1.3.0/24"},
                {"kind": "asset", "ip": "10.1.3.21"},
            ),
            note="phpIPAM: the subnet stands above its addresses; a range",
        ),
        Sample(
            '#TYPE Microsoft.ActiveDirectory.Management.ADComputer\n"DistinguishedName","DNSHostName","Enabled","Name",'
            '"ObjectGUID","SamAccountName"\n"CN=PC-9,OU=3F,DC=corp","pc-9.corp.test","True","PC-9","8b6e","PC-9$"\n',
            ({"kind": "asset", "hostname": "pc-9.corp.test", "ip": None},),
            note="Get-ADComputer",
        ),
        Sample("IP地址,MAC地址,使用人\n10.1.2.300,,\n合计,,\n", note="nothing that names an asset"),
    ),
)

"""Make docs/conformance.md from a run over captures of public test suites and what tshark read in them.

    NETAUDIT_SHARED=../shared python docs/conformance.py [--check]

Every name of the expected tables is found, or `explanations` says why not; every name that netaudit
finds beyond them has a cause, else the run fails. ``--check`` compares with the page that is there.
"""  # noqa: INP001 -- a script

from __future__ import annotations

import csv
import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from explanations import ABSENT, MORE

from netaudit.config import Settings
from netaudit.intake.opening import ByteStream, identify
from netaudit.records.addresses import format_ip, format_mac
from netaudit.records.evidence import EvidenceFile, Ledger
from netaudit.records.schemas import kind_of
from netaudit.sources import read
from netaudit.sources.blocks import records
from netaudit.sources.protocols.arp import OPERATIONS
from netaudit.sources.protocols.dhcp import MESSAGES
from netaudit.sources.protocols.dhcpv6 import MESSAGES as MESSAGES_V6
from netaudit.sources.protocols.radius import CODES, STATUSES

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "conformance.md"
NAMES = ("dns", "tls", "quic", "http")
IDENTITY = ("dhcp", "radius", "arp", "wlan")

_UNSHARED = {
    4: frozenset(MESSAGES.values()) - frozenset(MESSAGES_V6.values()),
    6: frozenset(MESSAGES_V6.values()) - frozenset(MESSAGES.values()),
}
"""Words for messages that only DHCP for IPv4 has, or only that for IPv6."""
_LEFT_OUT = {
    "escapes": "a name with octets that need escapes; the table has it too, but its spelling is not comparable",
    "malformed": "tshark has it too, and calls something in that packet malformed",
    "root": "a question for the root; the table has it as `.`",
    "target": "the name stands in the target of CONNECT, not in a Host field, which alone the table has",
    "encrypted": "tshark read it by means of the session's secrets",
    "announced": "an announcement to a group",
}
"""Rows of the tables that do not count in the comparison, by why."""


class Found(NamedTuple):
    """All that a run gave."""

    keys: dict[str, dict[tuple[str, ...], int]]
    """By kind: file and what was seen, and the first packet."""
    files: list[EvidenceFile]


class Wanted(NamedTuple):
    """The expected tables."""

    keys: dict[str, dict[tuple[str, ...], int]]
    left_out: dict[tuple[str, ...], dict[int, str]]
    """By kind, file and the two ends: packets of rows that do not count, and why."""


_SPREAD = 50
"""Packets over which a message may be spread."""


def main() -> int:
    """Write the page, or compare it; 1 where it is stale or something has no explanation."""
    shared = Path(os.environ.get("NETAUDIT_SHARED", ROOT.parent / "shared")) / "conformance"
    wanted, found = expected(shared / "expected"), run(shared)
    text, unexplained = page(shared, wanted, found)
    for line in unexplained[:100]:
        print(line, file=sys.stderr)  # noqa: T201 -- a script
    stale = "--check" in sys.argv and (not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != text)
    if stale:
        print("docs/conformance.md is stale: run python docs/conformance.py", file=sys.stderr)  # noqa: T201
    elif "--check" not in sys.argv and not unexplained:
        PAGE.write_text(text, encoding="utf-8")
    return 1 if unexplained or stale else 0


# ---- what tshark read ---------------------------------------------------------------------------------------


def expected(folder: Path) -> Wanted:
    """Names and rows of the tables, and the packets of rows that do not count."""
    keys: dict[str, dict[tuple[str, ...], int]] = {kind: {} for kind in NAMES + IDENTITY}
    left_out: dict[tuple[str, ...], dict[int, str]] = defaultdict(dict)
    for kind in NAMES:
        for row in _rows(folder / f"{kind}.tsv"):
            file, client, server, names = row["file"], row["src"], row["dst"], _names_of(kind, row)
            if row.get("qr") == "1":
                client, server = server, client
            reason = _reason(kind, row, names)
            if reason:
                left_out[kind, file, client, server][int(row["frame"])] = reason
                continue
            for name in names:
                keys[kind].setdefault((file, client, server, name), int(row["frame"]))
    for kind in IDENTITY:
        for row in _rows(folder / f"{kind}.tsv"):
            frame = int(row.get("frame") or row["first_frame"])
            if row.get("malformed") == "1":
                left_out[kind, row["file"], "", ""][frame] = "malformed"
            else:
                keys[kind].setdefault((row["file"], *_identity(kind, row)), frame)
    return Wanted(keys, left_out)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    csv.field_size_limit(1 << 30)
    with path.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)


def _names_of(kind: str, row: dict[str, str]) -> list[str]:
    if kind == "dns":
        return [_plain(name) for name in row["qname"].split(";") if _plain(name)]
    name = _plain(row["host" if kind == "http" else "sni"])
    if kind == "http" and name.count(":") == 1:
        name = name.rsplit(":", 1)[0]
    return [name] if name else []


def _reason(kind: str, row: dict[str, str], names: list[str]) -> str:
    """Why a row does not count; empty where it does."""
    if row.get("encrypted") == "1":
        return "encrypted"
    if row["malformed"] == "1":
        return "malformed"
    if row.get("qname_wire"):
        return "escapes"
    if row.get("qr") == "1" and row["dst"].lower().startswith(("224.", "ff")):
        return "announced"
    if not names:
        return "target" if kind == "http" else "root"
    return ""


def _identity(kind: str, row: dict[str, str]) -> tuple[str, ...]:
    """What of a row is compared. Of DHCPv6 not the hardware address: the table's is of whichever DUID is last."""
    match kind:
        case "arp":
            word = OPERATIONS.get(int(row["op"]), f"operation-{row['op']}")
            return (word, _mac(row["sender_mac"]), _ip(row["sender_ip"]), _ip(row["target_ip"]))
        case "dhcp":
            known = MESSAGES if row["family"] == "4" else MESSAGES_V6
            number = int(row["msgtype"] or 0)
            word = known.get(number, f"type-{number}") if number else ""
            host = row["hostname"] or (row["fqdn"] if row["family"] == "6" else "")
            return (
                word,
                _mac(row["mac"]) if row["family"] == "4" else "",
                _ip(row["client_ip"]),
                _plain(host),
            )
        case "radius":
            word = CODES.get(int(row["code"]), f"code-{row['code']}")
            if row["acct_status"]:
                word = STATUSES[int(row["acct_status"])]
            return (word, row["user"], _ip(row["nas_ip"]), row["session"])
        case _:
            ends = {"ap": ("bssid",), "probe": ("station",), "assoc": ("bssid", "station")}[row["role"]]
            security = row["security"] if row["role"] == "ap" else ""
            return (row["role"], *(_mac(row[end]) for end in ends), row["ssid"], security)


def _plain(name: str) -> str:
    return name.lower().rstrip(".")


def _ip(text: str) -> str:
    return "" if text in {"0.0.0.0", "::"} else text  # noqa: S104 -- no address, not all of them


def _mac(text: str) -> str:
    return "" if text == "00:00:00:00:00:00" else text


# ---- what netaudit reads ------------------------------------------------------------------------------------


def run(shared: Path) -> Found:
    """Read every capture, all in one run."""
    files = {row["sha256"][:16]: row["file"] for row in _rows(shared / "expected" / "files.tsv")}
    keys: dict[str, dict[tuple[str, ...], int]] = {kind: {} for kind in NAMES + IDENTITY}
    ledger = Ledger()
    for batch in read([str(path) for path in _captures(shared)], Settings(), ledger):
        kind = kind_of(batch)
        if kind in keys:
            for row in batch.to_pylist():
                what = _seen(kind, row)
                if what:
                    first = keys[kind].setdefault((files[row["file"]], *what), row["ordinal"])
                    keys[kind][files[row["file"]], *what] = min(first, row["ordinal"])
    return Found(keys, ledger.files)


def _captures(shared: Path) -> list[Path]:
    return sorted((shared / "pcaps").iterdir())


def _seen(kind: str, row: dict[str, Any]) -> tuple[str, ...]:
    """What of an event is compared; nothing where the tables have nothing of the like."""
    if kind in NAMES:
        ends = (_address(row["client_ip"]), _address(row["server_ip"]))
        return (*ends, _plain(row["name"])) if row["name"] else ()
    word = row["message"] or ""
    client, station = _address(row["client_ip"]), _station(row["client_mac"])
    match kind:
        case "arp":
            is_nd = word.startswith(("neighbour", "router", "redirect"))
            return () if is_nd else (word, station, client, _address(row["server_ip"]))
        case "dhcp":
            return (word, "" if _is_v6(row) else station, client, _plain(row["hostname"] or ""))
        case "radius":
            return (word, row["account"] or "", row["nas"] or "", row["session"] or "")
    role = {"beacon": "ap", "probe-response": "ap", "probe-request": "probe"}.get(word, "assoc")
    ends = {"ap": ("bssid",), "probe": ("client_mac",), "assoc": ("bssid", "client_mac")}[role]
    security = (row["security"] or "") if role == "ap" else ""
    return (role, *(_station(row[end]) for end in ends), row["ssid"] or "", security)


def _is_v6(row: dict[str, Any]) -> bool:
    """Whether a ``dhcp`` event is of DHCPv6: by its word, else its addresses, else its DUID (RFC 8415 section 11)."""
    if row["message"] in _UNSHARED[4] or row["message"] in _UNSHARED[6]:
        return row["message"] in _UNSHARED[6]
    addresses = [_address(row[end]) for end in ("client_ip", "server_ip") if row[end]]
    return ":" in addresses[0] if addresses else (row["client_id"] or "").startswith("00:0")


def _address(packed: bytes | None) -> str:
    return "" if packed is None else format_ip(packed)


def _station(packed: bytes | None) -> str:
    return "" if packed is None else format_mac(packed)


# ---- the page -----------------------------------------------------------------------------------------------


def page(shared: Path, wanted: Wanted, found: Found) -> tuple[str, list[str]]:
    """The page, and what has no explanation."""
    missing: list[str] = []
    out = [
        "# Conformance\n",
        "<!-- Made by docs/conformance.py from a run. Do not edit. -->\n",
        (
            f"{len(found.files)} captures of public test suites (Wireshark, Zeek, Suricata, nDPI, Arkime, tcpdump and "
            "others), and what tshark 4.0 reads in them. Compared are, for names, the sets of (file, asker, answerer, "
            "name); for the others the sets of their essential columns, addresses and names.\n"
        ),
        "| kind | expected | found | recall | more |\n|---|---|---|---|---|",
    ]
    for kind in NAMES + IDENTITY:
        want, got = wanted.keys[kind], found.keys[kind]
        hit = len(want.keys() & got.keys())
        out.append(
            f"| {kind} | {len(want)} | {hit} | {hit / max(1, len(want)):.4f} | {len(got.keys() - want.keys())} |"
        )
    out += ["\n## Absent, one by one\n", "| kind | file | packet | what | why |\n|---|---|---|---|---|"]
    out += _absent(wanted, found, missing)
    out += ["\n## More than the tables have\n", "| kind | why | number | files |\n|---|---|---|---|"]
    counted, shown = _more(wanted, found, missing)
    out += counted
    out.append(
        "\nWhere tshark errs or does not look, the octets around the name, in the packet where it begins:\n"
    )
    out.append("| kind | file | packet | name | octets | why |\n|---|---|---|---|---|---|")
    out += [_evidence(shared, *one) for one in shown]
    out += ["\n## Octets\n", *_octets(found.files)]
    return "\n".join(out) + "\n", missing


def _absent(wanted: Wanted, found: Found, missing: list[str]) -> Iterator[str]:
    needed = set()
    for kind in NAMES + IDENTITY:
        for key in sorted(wanted.keys[kind].keys() - found.keys[kind].keys()):
            file, packet = key[0], wanted.keys[kind][key]
            place = (kind, file, key[-1] if kind in NAMES else str(packet))
            why = ABSENT.get(place, "")
            needed.add(place)
            if not why:
                missing.append(f"absent without an explanation: {kind} {key}")
            yield f"| {kind} | `{file}` | {packet} | {_code(' '.join(filter(None, key[3 if kind in NAMES else 1 :])))} | {why} |"
    missing += [f"explained, but not absent: {' '.join(place)}" for place in sorted(ABSENT.keys() - needed)]


class _Shown(NamedTuple):
    kind: str
    file: str
    packet: int
    name: str
    mark: bytes
    why: str


def _left_out(packets: dict[int, str], packet: int) -> str:
    """Why a row does not count; the table has the packet that completed it, netaudit the first."""
    later = [number for number in packets if packet <= number <= packet + _SPREAD]
    return packets[min(later)] if later else ""


def _more(wanted: Wanted, found: Found, missing: list[str]) -> tuple[list[str], list[_Shown]]:
    """Rows of the table of causes, and the names whose octets are to be shown."""
    counts: dict[tuple[str, str], list[str]] = defaultdict(list)
    shown = []
    for kind in NAMES + IDENTITY:
        for key in sorted(found.keys[kind].keys() - wanted.keys[kind].keys()):
            file, name = key[0], key[-1]
            client, server = (key[1], key[2]) if kind in NAMES else ("", "")
            packet = found.keys[kind][key]
            why = _LEFT_OUT.get(
                _left_out(wanted.left_out.get((kind, file, client, server), {}), packet), ""
            )
            if not why:
                why, mark = MORE.get((kind, file), ("", b""))
                shown += [_Shown(kind, file, packet, name, mark, why)] if kind in NAMES else []
            if not why:
                missing.append(f"more without an explanation: {kind} {key} in packet {packet}")
            counts[kind, why].append(file)
    rows = [
        f"| {kind} | {why} | {len(files)} | {', '.join(f'`{file}`' for file in sorted(set(files)))} |"
        for (kind, why), files in sorted(
            counts.items(), key=lambda item: ((NAMES + IDENTITY).index(item[0][0]), item[0][1])
        )
    ]
    return rows, shown


def _evidence(shared: Path, kind: str, file: str, packet: int, name: str, mark: bytes, why: str) -> str:
    with ByteStream(identify(shared / "pcaps" / file)) as stream:
        data = next(record.data for record in records(stream) if record.ordinal == packet)
    at = _place(data, mark or (_first_label(name) if kind == "dns" else name.encode()))
    octets = data[max(0, at - 8) : at + 24].hex(" ") if at >= 0 else ""
    return f"| {kind} | `{file}` | {packet} | {_code(name)} | {_code(octets)} | {why} |"


def _first_label(name: str) -> bytes:
    label = name.replace("\\.", "\0").split(".")[0].replace("\0", ".").encode()
    return bytes([len(label)]) + label


def _place(data: bytes, mark: bytes) -> int:
    return data.lower().find(mark.lower())


def _code(text: str) -> str:
    return f"`{text.replace('|', chr(0xA6))}`" if text else ""


def _octets(files: Iterable[EvidenceFile]) -> list[str]:
    """Whether all octets are accounted for."""
    entries = list(files)
    wrong = [e for e in entries if e.bytes_read + e.bytes_skipped != e.size]
    total, skipped = sum(e.size for e in entries), sum(e.bytes_skipped for e in entries)
    out = [
        (
            f"Read and skipped octets add up to the size in {len(entries) - len(wrong)} of {len(entries)} files "
            f"({total:,} octets, of which {skipped:,} were skipped, each with its reason in the ledger)."
        )
    ]
    return out + [
        f"\n* `{Path(e.name).name}`: {e.bytes_read} + {e.bytes_skipped} is not {e.size}" for e in wrong
    ]


if __name__ == "__main__":
    sys.exit(main())

"""The tables that a rule may name: what their columns mean, and why one can be empty.

Each is small: one row per thing, never one per event. Null means unknown, and nothing else.
Columns named ``first``, ``last``, ``events``, ``file`` and ``ordinal`` become a verdict's time
span, count and evidence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from netaudit.i18n.text import Text

WORD = pa.string()
NUMBER = pa.int64()
TRUTH = pa.bool_()
DATE = pa.date32()
TIME = pa.timestamp("us", tz="UTC")

SIGHTING = {
    "first": (TIME, "first seen"),
    "last": (TIME, "last seen"),
    "events": (NUMBER, "records that show it"),
    "file": (WORD, "evidence file of the first record"),
    "ordinal": (NUMBER, "packet or line number of the first record"),
}

PLACE = {
    "segment": (WORD, "id of the declared segment; unknown outside all of them"),
    "segment_name": (WORD, "name of that segment"),
    "zone": (WORD, "zone of that segment: gov_extranet, internet, office, server"),
    "segment_purpose": (WORD, "purpose of that segment: office, guest, public, server, device"),
}


@dataclass(frozen=True, slots=True)
class FactTable:
    """What one table holds."""

    about: str
    """One sentence for the documentation."""
    columns: Mapping[str, tuple[pa.DataType, str]]
    """Name to type and meaning."""
    absent: Text
    """Why there can be no row, where nothing that was given could have shown one."""

    @property
    def schema(self) -> pa.Schema:
        """Its Arrow schema."""
        return pa.schema([(name, type_) for name, (type_, _) in self.columns.items()])

    def build(self, rows: list[dict[str, Any]]) -> pa.Table:
        """A table of `rows`; columns that a row leaves out are unknown."""
        return pa.Table.from_pylist(rows, schema=self.schema)


TABLES: dict[str, FactTable] = {
    "unit": FactTable(
        "The unit itself, one row.",
        {
            "unit": (WORD, "its name"),
            "segments": (NUMBER, "segments that are declared"),
            "wireless": (NUMBER, "wireless networks that are declared"),
            "resolvers": (NUMBER, "approved resolvers that are declared"),
        },
        Text("Nothing is known of the unit.", "没有本单位的信息。", "沒有本單位的資訊。"),
    ),
    "segment": FactTable(
        "A declared network segment.",
        {
            **PLACE,
            "networks": (WORD, "its networks"),
            "addressing": (WORD, "dhcp, static, mixed"),
            "owner": (WORD, "who answers for it"),
            "department": (WORD, "of which department"),
            "egress": (WORD, "public address by which it leaves"),
            "overlaps": (WORD, "ids of declared segments that share addresses with it"),
            "overlap_count": (NUMBER, "how many those are"),
            "hosts_seen": (NUMBER, "devices seen in it; unknown where no record shows any"),
            "has_dhcp_log": (TRUTH, "whether leases of its addresses are logged"),
            "has_dns_log": (TRUTH, "whether its look-ups are logged"),
        },
        Text(
            "No network segment is declared.",
            "没有登记任何网段。",
            "未登錄任何網段。",
        ),
    ),
    "egress": FactTable(
        "A public address or network of the unit.",
        {
            "egress": (WORD, "the address"),
            "nat": (TRUTH, "whether it translates addresses"),
            "purposes": (WORD, "purposes of the segments that leave by it"),
            "purpose_count": (NUMBER, "how many different purposes those are"),
            "has_nat_log": (TRUTH, "whether its translations are logged"),
            "has_destination_log": (TRUTH, "whether any log says what was contacted: DNS, proxy, flows"),
        },
        Text(
            "No public address of the unit is declared.",
            "没有登记本单位的出口地址。",
            "未登錄本單位的對外位址。",
        ),
    ),
    "wireless": FactTable(
        "A wireless network: declared, or seen in the logs of access points and controllers.",
        {
            "ssid": (WORD, "its name"),
            **PLACE,
            "purpose": (WORD, "staff, guest, public"),
            "auth": (
                WORD,
                "open, wep, psk, sae, 802.1x, portal; on the air also certificate (WAPI), and several joined by +",
            ),
            "per_user_auth": (TRUTH, "whether each person has a credential of their own"),
            "portal_realname": (TRUTH, "whether a portal asks who the person is"),
            "key_changed_at": (DATE, "when its key was last changed"),
            "key_age_days": (NUMBER, "days since then"),
            "declared_users": (NUMBER, "how many people use it, as declared"),
            "distinct_devices": (
                NUMBER,
                "devices seen on it or on its segment in the last 30 days of the evidence",
            ),
            "isolation": (TRUTH, "whether its clients are kept apart"),
            "location": (WORD, "where it is"),
            "owner": (WORD, "who answers for it"),
            "department": (WORD, "of which department"),
            "declared": (TRUTH, "whether the configuration declares it"),
            "own_equipment": (
                TRUTH,
                "whether the unit's own equipment carries it: declared, or in its logs",
            ),
            "has_auth_log": (TRUTH, "whether log-ins with an account are logged"),
            **SIGHTING,
        },
        Text(
            "No wireless network is declared, and no log of access points was read.",
            "没有登记无线网络，也没有读到接入点日志。",
            "未登錄無線網路，也未讀到無線基地台日誌。",
        ),
    ),
    "access_point": FactTable(
        "A radio (BSSID) seen in the evidence, with the network name it carried.",
        {
            "bssid": (WORD, "its address"),
            "ssid": (WORD, "the name it carried"),
            "own_name": (TRUTH, "whether that name is a declared one"),
            "own_radio": (
                TRUTH,
                "whether the radio is declared for that name; unknown where no radio of it is",
            ),
            **SIGHTING,
        },
        Text(
            "No record of radios was read.",
            "没有读到无线射频（BSSID）的记录。",
            "未讀到無線射頻（BSSID）的紀錄。",
        ),
    ),
    "source": FactTable(
        "A log: declared, or read without being declared (then one row per format).",
        {
            "source": (WORD, "its id, or its path"),
            "role": (WORD, "dns, proxy, capture, nat, dhcp, access, inventory"),
            "declared": (TRUTH, "whether the configuration declares it"),
            "files": (NUMBER, "files of it that were read"),
            "records": (NUMBER, "records in them"),
            "retention_days": (NUMBER, "how long it is kept, as declared"),
            "coverage_days": (NUMBER, "whole days from its first to its last record"),
            "clock_error_s": (
                pa.float64(),
                "how far its clock is off, without sign: as declared, else as other logs or a step inside a file show",
            ),
            "clock_differs_s": (
                pa.float64(),
                "largest offset to another log by events that both saw, without sign, whichever of the two is right",
            ),
            "clock_steps": (
                NUMBER,
                "times that its clock was set inside a file; unknown where its records are in no order of time",
            ),
            "days_held": (NUMBER, "days (UTC) with at least one record, of its fullest kind"),
            "gaps": (NUMBER, "silences against its own rhythm"),
            "silent_hours": (
                NUMBER,
                "full hours without a record in which it usually has some; unknown where it runs for less than three days",
            ),
            "longest_gap_s": (NUMBER, "longest silence between two records, seconds"),
            "service_gap_s": (
                NUMBER,
                "most seconds of one silence within service hours: Monday to Friday, 9 to 17 in the unit's zone",
            ),
            "gap_from": (TIME, "begin of that silence"),
            "gap_to": (TIME, "end of that silence"),
            "events_per_hour": (NUMBER, "records per hour between the first and the last"),
            "first": (TIME, "first record"),
            "last": (TIME, "last record"),
        },
        Text(
            "No log is declared and none was read.",
            "没有登记日志，也没有读到日志。",
            "未登錄日誌，也未讀到日誌。",
        ),
    ),
    "host": FactTable(
        "A device seen on the unit's own addresses, once per address.",
        {
            "device": (
                WORD,
                "its MAC address, or its IPv4 address; unknown for an IPv6 address of which the MAC is not known",
            ),
            "address": (WORD, "the address it had"),
            "prefix": (
                WORD,
                "the segment's id, or outside of all segments the address's /24 or /64; unknown where none is declared",
            ),
            "mac": (
                WORD,
                "its MAC address; also the one that an IPv6 address was made of (EUI-64), where another record or the register has it too",
            ),
            "random_mac": (TRUTH, "whether that is a private (randomised) one"),
            **PLACE,
            "side": (
                WORD,
                "inner for zones gov_extranet, office, server; outer for zone internet, or a guest or public purpose",
            ),
            "in_segment": (
                TRUTH,
                "whether the address lies in a declared segment; unknown where none is declared",
            ),
            "on_both_sides": (
                TRUTH,
                "whether the same MAC was seen on the inner and on the outer side; unknown without a MAC",
            ),
            "sides_apart_hours": (
                NUMBER,
                "least hours between its being seen on the one side and on the other",
            ),
            "registered": (
                TRUTH,
                "whether the asset register has it; unknown without a register, and where it has no such address and the MAC is not known",
            ),
            "has_register": (TRUTH, "whether an asset register was read"),
            "seen_for_hours": (NUMBER, "hours from first seen to the time of the check"),
            **SIGHTING,
        },
        Text(
            "No record that shows the unit's own devices was read.",
            "没有读到能反映本单位终端的记录。",
            "未讀到能反映本單位終端設備的紀錄。",
        ),
    ),
    "resolver_use": FactTable(
        "A device asking a resolver, seen on the way (never a resolver's own log; the look-ups of approved resolvers left out).",
        {
            "device": (WORD, "the address that asked"),
            **PLACE,
            "resolver": (WORD, "the address that was asked"),
            "port": (NUMBER, "its port"),
            "encrypted": (TRUTH, "port 853, or known to a list as encrypted DNS, whatever its port"),
            "lists": (
                TRUTH,
                "whether lists of encrypted resolvers were compared; if not, and nobody was seen asking, one row says only that",
            ),
            "approved": (TRUTH, "whether the unit approves that resolver; unknown where none is declared"),
            **SIGHTING,
        },
        Text(
            "No traffic in which look-ups would show was read.",
            "没有读到能反映域名解析流向的流量记录。",
            "未讀到能反映網域名稱查詢流向的流量紀錄。",
        ),
    ),
    "dhcp_server": FactTable(
        "A server that offered or gave IPv4 addresses of the unit's own networks, once per segment of them.",
        {
            "server": (WORD, "its address"),
            "prefix": (WORD, "the segment's id, or outside of all segments the /24 of the addresses"),
            **SIGHTING,
        },
        Text(
            "No record of DHCP that names a server was read.",
            "没有读到能反映DHCP服务器的记录。",
            "未讀到能反映 DHCP 伺服器的紀錄。",
        ),
    ),
    "trace": FactTable(
        "The walk back from one visit that a notice names.",
        {
            "visit": (WORD, "what was asked: address and port"),
            "at": (TIME, "time of the visit"),
            "reach": (WORD, "nothing, address, device, account, person"),
            "broken_hop": (WORD, "first step that did not hold: nat, lease, station, asset"),
            "outcome": (WORD, "what that step gave: ambiguous, missing, not_covered"),
            "reason": (WORD, "first reason, such as R-NO-NATLOG"),
            "place": (WORD, "the smallest place that could be reached"),
            "asked_enough": (TRUTH, "whether the notice names time and port"),
            "first": (TIME, "time of the visit"),
        },
        Text("No visit of a notice was walked back.", "没有对来文线索进行溯源。", "未對來文線索進行溯源。"),
    ),
    "asset": FactTable(
        "What needs an owner: assets of the register, segments, wireless networks.",
        {
            "asset": (WORD, "its number or name"),
            "what": (WORD, "asset, segment, wireless"),
            "owner": (WORD, "who answers for it"),
            "department": (WORD, "of which department"),
            "file": (WORD, "evidence file that names it"),
            "ordinal": (NUMBER, "its line"),
        },
        Text(
            "Neither an asset register nor a network is declared.",
            "没有登记资产台账，也没有登记网络。",
            "未登錄資產清冊，也未登錄網路。",
        ),
    ),
    "register": FactTable(
        "The asset register.",
        {
            "register": (WORD, "its file"),
            "reviewed_at": (DATE, "when it was last reviewed"),
            "review_age_days": (NUMBER, "days since then"),
        },
        Text("No asset register is declared.", "没有登记资产台账。", "未登錄資產清冊。"),
    ),
    "waiver": FactTable(
        "A rule that the configuration knowingly does not keep for a subject.",
        {
            "waiver": (WORD, "rule and subject"),
            "waived_rule": (WORD, "the rule"),
            "waived_subject": (WORD, "the subject"),
            "reason": (WORD, "why"),
            "owner": (WORD, "who answers for it"),
            "expires": (DATE, "last day on which it holds"),
            "days_over": (NUMBER, "days since that day; negative before it"),
        },
        Text("No waiver is declared.", "没有登记例外。", "未登錄例外。"),
    ),
}
"""Every fact table by name."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known, ready for `check`."""

    tables: Mapping[str, pa.Table]
    """All of `TABLES`, each with its own schema."""
    absent: frozenset[str] = frozenset()
    """Empty tables about which nothing that was given could have said anything."""
    partial: frozenset[str] = frozenset()
    """Tables in which there was more than could be kept: they can show a breach, not its absence."""

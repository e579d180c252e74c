"""Connection events of Firepower Threat Defense, and which end of an ASA connection a user names."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.attribution.words import Role, nat_role
from netaudit.intake.lines import Chunk
from netaudit.intake.times import Context
from netaudit.records.addresses import format_ip
from netaudit.sources.formats.cisco_asa import FORMAT

_HEAD = "2023-07-27T09:00:00Z fw %FTD-1-430003: FirstPacketSecond: 2023-07-27T08:13:09Z, "
_FLOW = "SrcIP: 10.1.2.3, DstIP: 203.0.113.10, SrcPort: 50158, DstPort: 443, Protocol: tcp, "


def _rows(*lines: str) -> tuple[list[dict[str, object]], int]:
    """The records of some lines, and how many lines were accounted for."""
    chunk = Chunk(pa.array(lines, pa.string()), 1, np.zeros(0, np.int64), np.ones(len(lines), np.int64))
    parsed = FORMAT.open(Context(zone=dt.UTC))(chunk)
    rows = [row for part in parsed.rows for row in pa.table(part.columns).to_pylist()]
    return rows, len(rows) + sum(len(index) for index in parsed.rejected.values()) + parsed.other


def test_the_translation_and_the_verdict_are_read_behind_values_that_clients_choose() -> None:
    line = (
        _HEAD
        + "AccessControlRuleAction: Block with reset, "
        + _FLOW
        + "User: Default-AD\\li, ConnectionDuration: 5, "
        "URL: https://www.example.org/?a=1,b, NAT_InitiatorPort: 22294, NAT_ResponderPort: 443, "
        "NAT_InitiatorIP: 198.51.100.1, NAT_ResponderIP: 203.0.113.10"
    )
    (row,), _ = _rows(line)
    assert (format_ip(row["public_ip"]), row["public_port"]) == ("198.51.100.1", 22294)
    assert (row["action"], row["account"]) == ("block with reset", "Default-AD\\li")
    assert nat_role(str(row["message"])) is Role.IGNORE


def test_an_event_without_addresses_is_refused() -> None:
    assert _rows(_HEAD + "AccessControlRuleAction: Allow, Protocol: tcp") == ([], 1)


def test_the_first_end_is_inside_where_only_it_names_a_user() -> None:
    line = "%ASA-6-302014: Teardown TCP connection 7 for out:192.0.2.15/50120{} to out:192.0.2.3/443 duration 0:02:05 bytes 9"
    named, _ = _rows(line.format("(LOCAL\\li)"))
    grouped, _ = _rows(line.format("(9999:staff)"))
    assert format_ip(named[0]["client_ip"]) == "192.0.2.15"
    assert (format_ip(grouped[0]["client_ip"]), grouped[0]["account"]) == ("192.0.2.3", None)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\n\r"), max_size=60),
        max_size=4,
    )
)
def test_any_values_lose_no_line(values: list[str]) -> None:
    lines = [_HEAD + _FLOW.replace("443", value) + f"FirstPacketSecond: {value}" for value in values] + [
        f"%FTD-1-430002: FirstPacketSecond: {value}, ConnectionDuration: {value}, {_FLOW}"
        for value in values
    ]
    assert _rows(*lines)[1] == len(lines)

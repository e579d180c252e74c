"""The answer key of the week: what must be found, how far it can be traced, what must not match."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from netaudit.demo import incidents
from netaudit.demo.clock import rfc3339
from netaudit.demo.configuration import OWN_LIST
from netaudit.demo.letter import NUMBER
from netaudit.demo.office import GOV, OWNERLESS_ASSET, SEGMENTS, SSID
from netaudit.demo.traffic import Connection, Lookup, Schedule
from netaudit.demo.week import NOTICED_PORT, UNREGISTERED
from netaudit.demo.world import BY_NAME, CASINO, ENCRYPTED_DNS, FLAGGED, PHISHING

FINDING = "finding"
Numbers = dict[str, dict[str, list[int]]]
"""Relative path of a file to tag to packet or line numbers."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is true of one incident."""

    tag: str
    expect: str
    """``finding``, ``no-match``, or ``context`` (true, but nothing to report by itself)."""
    what: str
    list_id: str = ""
    entry: str = ""
    """As the list writes it."""
    rule: str = ""
    grade: str = ""
    reach: str = ""
    """Empty where the key does not say."""
    hops: tuple[tuple[str, str], ...] = ()
    """Hop and outcome of the walk-back; others may stand between them."""
    reasons: tuple[str, ...] = ()
    """Reasons that must be among those given."""
    first_at: str = ""
    clients: tuple[str, ...] = ()
    macs: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    public: tuple[str, ...] = ()
    """Address and port at the egress of each connection, as a letter would name them."""
    asset: str = ""
    """Number of the client's asset; empty where the office has none."""
    account: str = ""
    evidence: tuple[tuple[str, tuple[int, ...]], ...] = ()
    """File and packet or line numbers, sorted; of a block or record its first line."""


@dataclass(frozen=True, slots=True)
class PolicyAnswer:
    """A rule that the office does not keep."""

    rule: str
    subject: str
    """What the rule judges, by the rule's own name for it: no independent check of that name."""
    why: str
    named: str = ""
    """What the finding must name, where the subject does not."""


@dataclass(frozen=True, slots=True)
class NoticeAnswer:
    """What the letter asks, and who it was."""

    number: str
    public_ip: str
    port: int
    destination: str
    from_utc: str
    until_utc: str
    client: str
    without_destination: tuple[str, ...]
    """Addresses that are possible where the destination is not used."""


@dataclass(frozen=True, slots=True)
class AnswerKey:
    """The whole key."""

    seed: int
    notice: NoticeAnswer
    answers: tuple[Answer, ...]
    policy: tuple[PolicyAnswer, ...]
    gaps: tuple[tuple[str, str, str], ...]
    """File, begin and end of the silence."""

    def answer(self, tag: str) -> Answer:
        """The answer with this tag."""
        return next(answer for answer in self.answers if answer.tag == tag)


def answer_key(seed: int, schedule: Schedule, numbers: Numbers, gap_file: str) -> AnswerKey:
    """The key of a week that has been written."""
    answers = tuple(_answer(wanted, schedule, numbers) for wanted in _WANTED)
    client = {answer.tag: answer.clients[0] for answer in answers}
    ports = (incidents.FLAGGED_VISIT, incidents.PORT_BEFORE, incidents.PORT_AFTER)
    minute = incidents.NOTICED_MINUTE_US
    return AnswerKey(
        seed,
        NoticeAnswer(
            NUMBER,
            GOV.egress,
            NOTICED_PORT,
            f"{BY_NAME[FLAGGED].ip}:443",
            rfc3339(minute[0]),
            rfc3339(minute[1]),
            client[incidents.FLAGGED_VISIT],
            tuple(sorted(client[tag] for tag in ports)),
        ),
        answers,
        _POLICY,
        ((gap_file, rfc3339(incidents.GAP_US[0]), rfc3339(incidents.GAP_US[1])),),
    )


def write_key(path: Path, key: AnswerKey) -> None:
    """Write the key as JSON."""
    text = json.dumps({"schema_version": 1, **asdict(key)}, ensure_ascii=False, indent=1)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def _answer(wanted: Answer, schedule: Schedule, numbers: Numbers) -> Answer:
    """The answer with its time, its ends and its places in the files."""
    tag = wanted.tag
    lookups = [lookup for lookup in schedule.lookups if lookup.tag == tag]
    connections = [connection for connection in schedule.connections if connection.tag == tag]
    happened: list[Lookup | Connection] = [*lookups, *connections]
    stays = [one.stay for one in happened] or [stay for stay in schedule.stays if stay.tag == tag]
    outside = {lookup.resolver for lookup in lookups} - {segment.resolver for segment in SEGMENTS}
    return replace(
        wanted,
        first_at=rfc3339(min([one.at_us for one in happened] or [stay.start_us for stay in stays])),
        clients=tuple(sorted({stay.address for stay in stays})),
        macs=tuple(sorted({stay.device.mac for stay in stays})),
        names=tuple(sorted({one.name for one in happened})),
        servers=tuple(sorted(outside | {connection.server for connection in connections})),
        public=tuple(f"{one.public_ip}:{one.public_port}" for one in connections if "." in one.public_ip),
        asset=stays[0].device.asset,
        account=stays[0].device.account,
        evidence=tuple(sorted((file, tuple(tags[tag])) for file, tags in numbers.items() if tag in tags)),
    )


_WANTED = (
    Answer(
        incidents.FLAGGED_VISIT,
        FINDING,
        "the visit that the letter names, by a visitor's phone",
        list_id="demo-flagged",
        entry=FLAGGED,
        grade="exchanged",
        reach="address",  # a random hardware address holds, but names no device
        hops=(("nat", "held"), ("lease", "held"), ("station", "held"), ("asset", "missing")),
        reasons=("R-RANDOM-MAC", "R-SHARED-KEY"),
    ),
    Answer(
        incidents.PORT_BEFORE,
        "context",
        "the same public port 25 s earlier: another phone, another destination",
    ),
    Answer(
        incidents.PORT_AFTER,
        "context",
        "the same public port 25 s later: another phone, another destination",
    ),
    Answer(
        incidents.GAP_LOOKUP,
        FINDING,
        "a flagged name asked for while the DHCP server wrote nothing",
        list_id="demo-flagged",
        entry=FLAGGED,
        grade="asked",
        reach="address",
        hops=(("lease", "not_covered"),),
        reasons=("R-LOG-GAP",),
    ),
    Answer(
        incidents.PREFETCH,
        FINDING,
        "a flagged name looked up by a browser, never visited",
        list_id="demo-flagged",
        entry=FLAGGED,
        grade="answered",
        hops=(("lease", "held"),),
    ),
    Answer(
        incidents.BLOCKED,
        FINDING,
        "a phishing name that the resolver answered NXDOMAIN",
        list_id="demo-phishing",
        entry=f"||{PHISHING.partition('.')[2]}^",
        grade="blocked",
        hops=(("lease", "held"),),
    ),
    Answer(
        incidents.TRACEABLE,
        FINDING,
        "a gambling site visited from a registered computer with 802.1X",
        list_id="demo-flagged",
        entry=CASINO,
        grade="exchanged",
        reach="person",  # the register names who answers for the computer
        hops=(("lease", "held"), ("station", "held"), ("asset", "held")),
    ),
    Answer(incidents.LOOKALIKES[0], "no-match", "a name that only ends in the same letters"),
    Answer(incidents.LOOKALIKES[1], "no-match", "the flagged name below another domain"),
    Answer(incidents.FOREIGN, FINDING, "a computer that asks a resolver outside", rule="NA-DNS-01"),
    Answer(
        incidents.DOH,
        FINDING,
        "a computer that uses encrypted DNS",
        list_id=OWN_LIST,
        entry=ENCRYPTED_DNS,
        grade="exchanged",
        rule="NA-DNS-02",
    ),
    Answer(
        UNREGISTERED,
        FINDING,
        "a laptop at an extranet desk that is in no inventory",
        rule="NA-ROGUE-03",
    ),
)

_POLICY = (
    PolicyAnswer("NA-SEG-01", SSID, "a guest network on a government-extranet segment"),
    PolicyAnswer("NA-CRED-01", SSID, "the key is unchanged since 2022-03-01"),
    PolicyAnswer("NA-CRED-02", SSID, "one key shared by all visitors"),
    PolicyAnswer("NA-TRACE-01", SSID, "no user authentication"),
    PolicyAnswer("NA-WLAN-07", SSID, "no isolation of guests"),
    PolicyAnswer("NA-TRACE-02", "dns-gov", "kept for 90 days"),
    PolicyAnswer("NA-ASSET-01", "asset", "no owner", named=OWNERLESS_ASSET),
)

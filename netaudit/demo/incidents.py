"""What must be found in the week, and what must not: each incident has a tag for the answer key."""

from __future__ import annotations

from random import Random

from netaudit.demo.clock import MINUTE, SECOND, moment
from netaudit.demo.office import CASINO_ASSET, GOV, NET, Device, office_devices
from netaudit.demo.traffic import Connection, Lookup, Route, Schedule, Stay
from netaudit.demo.week import DAYS, NOTICED_PORT, WeekMaker, stay_of
from netaudit.demo.world import (
    BY_NAME,
    CASINO,
    ENCRYPTED_DNS,
    FLAGGED,
    FLAGGED_IMAGE,
    FOREIGN_RESOLVER,
    LONG_TEXT,
    LOOKALIKE,
    LOOKALIKE_BELOW,
    PHISHING,
)

FLAGGED_VISIT = "flagged-visit"
PORT_BEFORE = "port-reuse-before"
PORT_AFTER = "port-reuse-after"
GAP_LOOKUP = "lookup-in-gap"
PREFETCH = "prefetch-lookup"
BLOCKED = "blocked-lookup"
LOOKALIKES = ("lookalike-name", "lookalike-below")
TRACEABLE = "traceable-visit"
FOREIGN = "unauthorised-resolver"
DOH = "encrypted-dns"

GAP_US = (moment(3, "09:00:00"), moment(3, "15:00:00"))
"""Tuesday: the hall's DHCP server wrote nothing."""

NOTICED_MINUTE_US = (moment(4, "14:05:00"), moment(4, "14:06:00"))
"""As exactly as the letter says it."""

_KNOWN_PHONES = (
    (moment(4, "13:57:41"), moment(4, "14:31:06"), FLAGGED_VISIT),
    (moment(4, "13:49:12"), moment(4, "14:19:30"), PORT_BEFORE),
    (moment(4, "14:01:55"), moment(4, "14:40:02"), PORT_AFTER),
    (moment(3, "11:06:20"), moment(3, "11:41:33"), GAP_LOOKUP),
)


def make_schedule(seed: int) -> Schedule:
    """The whole week, incidents included. The same seed gives the same week."""
    maker = WeekMaker(Random(seed))  # noqa: S311 -- made-up traffic, no secret
    stays = [*maker.office_stays(), *maker.visitors(list(_KNOWN_PHONES))]
    _hall_incidents(maker, stays)
    _office_incidents(maker, stays)
    for stay in stays:
        maker.ordinary_visits(stay)
    maker.clock_queries()
    return maker.schedule(stays)


def _hall_incidents(maker: WeekMaker, stays: list[Stay]) -> None:
    phone = {stay.tag: stay for stay in stays if stay.tag}
    maker.visit(
        phone[PORT_BEFORE],
        moment(4, "14:04:43.618204"),
        BY_NAME["chat.demo-chat.example"],
        tag=PORT_BEFORE,
        public_port=NOTICED_PORT,
        linger_us=3 * SECOND,
    )
    maker.visit(
        phone[FLAGGED_VISIT],
        moment(4, "14:05:09.012340"),
        BY_NAME[FLAGGED],
        tag=FLAGGED_VISIT,
        public_port=NOTICED_PORT,
        linger_us=5 * SECOND,
    )
    maker.visit(
        phone[PORT_AFTER],
        moment(4, "14:05:34.870115"),
        BY_NAME["apply.county-portal.example"],
        tag=PORT_AFTER,
        public_port=NOTICED_PORT,
        linger_us=2 * SECOND,
    )
    maker.look_up(phone[GAP_LOOKUP], moment(3, "11:20:33.447190"), FLAGGED, ("A", "AAAA"), tag=GAP_LOOKUP)


def _office_incidents(maker: WeekMaker, stays: list[Stay]) -> None:
    def at_desk(device: Device, day: int, clock: str) -> tuple[Stay, int]:
        at = moment(day, clock)
        return stay_of(stays, device.mac, at), at

    gov = [device for device in office_devices() if device.segment is GOV]
    net = [device for device in office_devices() if device.segment is NET]
    finance = next(device for device in net if device.asset == CASINO_ASSET)
    maker.look_up(*at_desk(gov[5], 4, "14:31:40.412077"), FLAGGED_IMAGE, ("A", "AAAA"), tag=PREFETCH)
    maker.look_up(*at_desk(gov[2], 5, "09:47:18.330416"), PHISHING, ("A", "AAAA"), tag=BLOCKED)
    maker.visit(*at_desk(net[3], 5, "10:31:02.118840"), BY_NAME[LOOKALIKE], tag=LOOKALIKES[0])
    maker.visit(*at_desk(gov[7], 4, "14:22:50.905513"), BY_NAME[LOOKALIKE_BELOW], tag=LOOKALIKES[1])
    maker.visit(*at_desk(finance, 5, "10:12:30.266981"), BY_NAME[CASINO], tag=TRACEABLE)
    for day in DAYS:
        for clock in ("09:41:06", "10:20:44", "13:52:15", "14:40:31", "16:05:27"):
            stay, at = at_desk(gov[11], day, clock)
            site = maker.random.choice(("www.news-demo.example", "search.demo-search.example"))
            at += maker.random.randrange(2 * MINUTE)
            maker.visit(stay, at, BY_NAME[site], resolver=FOREIGN_RESOLVER, tag=FOREIGN)
        for clock in ("09:50:12", "14:10:48"):
            stay, at = at_desk(gov[14], day, clock)
            at += maker.random.randrange(2 * MINUTE)
            maker.visit(stay, at, BY_NAME[ENCRYPTED_DNS], tag=DOH, linger_us=40 * SECOND)
    _long_answer(maker, *at_desk(gov[16], 4, "13:44:09.551200"))


def _long_answer(maker: WeekMaker, stay: Stay, at_us: int) -> None:
    """A question whose answer does not fit a datagram: TC set, asked again over TCP."""
    resolver = stay.device.segment.resolver
    port = maker.client_port(stay.address)
    for tcp in (False, True):
        maker.lookups.append(
            Lookup(
                at_us + (31_000 if tcp else 0),
                stay,
                port if tcp else 52_113,
                resolver,
                LONG_TEXT,
                "TXT",
                0x1D0C,
                2_100,
                edns=True,
                tcp=tcp,
                truncated=not tcp,
            )
        )
    maker.connections.append(
        Connection(
            at_us + 29_400,
            stay,
            *Route(stay.address, port, resolver, 53),
            name=LONG_TEXT,
            rtt_us=700,
            certificate=0,
            request=0,
            response=0,
            linger_us=4_000,
            number=len(maker.connections),
        )
    )

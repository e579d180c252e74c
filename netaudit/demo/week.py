"""Who does what when: one schedule for the office's week, Monday 2 to Friday 6 November 2026."""

from __future__ import annotations

import bisect
from collections import Counter
from random import Random

from netaudit.demo.clock import DAY, HOUR, MINUTE, SECOND, moment
from netaudit.demo.office import (
    CASINO_ASSET,
    GOV,
    HALL,
    NET,
    Device,
    office_devices,
    random_mac,
    unregistered_laptop,
)
from netaudit.demo.traffic import Connection, Datagrams, Lookup, Route, Schedule, Stay
from netaudit.demo.world import BY_NAME, DEVICE_SERVICE, SITES, TIME_SERVER, Site, dns_messages

DAYS = (2, 3, 4, 5, 6)
START_US = moment(2, "00:00:00")
END_US = moment(6, "18:30:00")
"""When the files were collected."""
NOTICED_PORT = 31877
"""Public port of the visit that the letter names; lent to nobody by chance."""
UNREGISTERED = "unregistered-device"
_PHONES_A_DAY = 20
_VISITS_AN_HOUR = {GOV.id: 3.3, NET.id: 3.4, HALL.id: 14.0}
_BEAT_US = 20 * MINUTE
_POOL = range(50, 66)
"""Last octets that the hall's DHCP server gives to visitors."""


class WeekMaker:
    """Draws the week from a seed. Incidents are put in by name before the rest is drawn."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.lookups: list[Lookup] = []
        self.connections: list[Connection] = []
        self.datagrams: list[Datagrams] = []
        self._ports: Counter[str] = Counter()

    def schedule(self, stays: list[Stay]) -> Schedule:
        """Everything drawn so far, in order of time."""
        return Schedule(
            tuple(sorted(stays, key=lambda stay: (stay.start_us, stay.device.mac))),
            tuple(sorted(self.lookups, key=lambda lookup: (lookup.at_us, lookup.port))),
            tuple(sorted(self.connections, key=lambda one: (one.at_us, one.number))),
            tuple(sorted(self.datagrams, key=lambda one: (one.at_us, one.client))),
        )

    def look_up(
        self,
        stay: Stay,
        at_us: int,
        name: str,
        qtypes: tuple[str, ...],
        *,
        resolver: str = "",
        tag: str = "",
    ) -> int:
        """Ask for `name`, one query for each type; returns when the last response is there."""
        done = at_us
        for qtype in qtypes:
            latency = self.random.randrange(400, 9_000) + (12_000 if resolver else 0)
            lookup = Lookup(
                at_us,
                stay,
                self.random.randrange(10_000, 65_536),
                resolver or stay.device.segment.resolver,
                name,
                qtype,
                self.random.randrange(65_536),
                latency,
                edns=stay.device.segment is HALL,
                public_port=self.public_port() if resolver else 0,
                tag=tag,
            )
            self.lookups.append(lookup)
            if resolver:
                self._ask_outside(lookup)
            done = max(done, at_us + latency)
            at_us += self.random.randrange(60, 900)
        return done

    def _ask_outside(self, lookup: Lookup) -> None:
        query, response = dns_messages(lookup.name, lookup.qtype, edns=lookup.edns, truncated=False)
        self.datagrams.append(
            Datagrams(
                lookup.at_us,
                lookup.stay.address,
                lookup.port,
                lookup.resolver,
                53,
                lookup.stay.device.segment.egress,
                lookup.public_port,
                28 + len(query),
                28 + len(response),
                tag=lookup.tag,
            )
        )

    def visit(
        self,
        stay: Stay,
        at_us: int,
        site: Site,
        *,
        tag: str = "",
        resolver: str = "",
        public_port: int = 0,
        linger_us: int = 0,
    ) -> Connection:
        """Look a site up and visit it. With a foreign `resolver`, only the look-ups carry the tag."""
        device = stay.device
        qtypes: tuple[str, ...] = ("A",) if device.always_on else ("A", "AAAA")
        if (
            not device.always_on
            and site.port == 443
            and (device.segment is HALL or self.random.random() < 0.3)
        ):
            qtypes = (*qtypes, "HTTPS")
        ready = self.look_up(stay, at_us, site.name, qtypes, resolver=resolver, tag=tag)
        client_port = self.client_port(stay.address)
        route = Route(
            stay.address,
            client_port,
            site.ip,
            site.port,
            device.segment.egress,
            public_port or self.public_port(),
        )
        if site.ip6 and device.segment.prefix6 and self.random.random() < 0.5:
            client = _slaac(device)
            route = Route(client, client_port, site.ip6, site.port, client, client_port)
        return self.connect(
            stay,
            ready + self.random.randrange(800, 6_000),
            site.name,
            route,
            linger_us=linger_us,
            tag="" if resolver else tag,
        )

    def connect(
        self, stay: Stay, at_us: int, name: str, route: Route, *, linger_us: int = 0, tag: str = ""
    ) -> Connection:
        """Open a connection, with sizes and delays drawn."""
        connection = Connection(
            at_us,
            stay,
            *route,
            name=name,
            rtt_us=self.random.randrange(6_000, 48_000),
            certificate=self.random.randrange(1_900, 3_600),
            request=self.random.randrange(180, 900),
            response=int(self.random.triangular(1_100, 9_600, 2_400)),
            linger_us=linger_us or self.random.randrange(SECOND // 5, 9 * SECOND),
            number=len(self.connections),
            tag=tag,
        )
        self.connections.append(connection)
        return connection

    def public_port(self) -> int:
        """A port at the egress, as a translator with random ports gives them."""
        port = self.random.randrange(20_000, 61_000)
        return port if port != NOTICED_PORT else port + 1

    def client_port(self, address: str) -> int:
        """The next ephemeral port of an address."""
        self._ports[address] += self.random.randrange(1, 9)
        return 49_152 + self._ports[address] % 16_000

    def ordinary_visits(self, stay: Stay) -> None:
        """What people and machines do all day."""
        if stay.device.always_on:
            at = stay.start_us + self.random.randrange(_BEAT_US)
            while at < stay.end_us:
                self.visit(stay, at, BY_NAME[DEVICE_SERVICE])
                at += _BEAT_US + self.random.randrange(-2 * MINUTE, 2 * MINUTE)
        if stay.end_us - stay.start_us > DAY:
            return
        taste = (GOV, NET, HALL).index(stay.device.segment)
        weights = [site.weights[taste] for site in SITES]
        span = stay.end_us - stay.start_us - 2 * MINUTE
        for _ in range(round(span / HOUR * _VISITS_AN_HOUR[stay.device.segment.id])):
            at = stay.start_us + MINUTE + self.random.randrange(span)
            if stay.device.segment is HALL or not 12 * HOUR < _time_of_day(at) < 13 * HOUR + 20 * MINUTE:
                self.visit(stay, at, self.random.choices(SITES, weights)[0])

    def clock_queries(self) -> None:
        """The two resolvers ask a time server every 1024 s (NTP), day and night."""
        for segment in (GOV, NET):
            at = START_US + self.random.randrange(1024 * SECOND)
            while at < END_US:
                self.datagrams.append(
                    Datagrams(
                        at,
                        segment.resolver,
                        123,
                        TIME_SERVER,
                        123,
                        segment.egress,
                        self.public_port(),
                        76,
                        76,
                    )
                )
                at += 1024 * SECOND + self.random.randrange(-9 * SECOND, 9 * SECOND)

    def office_stays(self) -> list[Stay]:
        """The office's own devices: working days for people's, the whole week for machines."""
        stays = [
            self._working_day(device, day)
            for device in office_devices()
            if not device.always_on
            for day in DAYS
        ]
        stays += [
            Stay(
                device,
                f"{device.segment.prefix}.{device.host}",
                START_US + self.random.randrange(8 * MINUTE),
                END_US,
            )
            for device in office_devices()
            if device.always_on
        ]
        laptop = unregistered_laptop()
        address = f"{GOV.prefix}.{laptop.host}"
        hours = ((3, "10:05:41", "16:40:12"), (4, "09:58:20", "16:31:55"), (5, "09:21:07", "11:52:48"))
        stays += [
            Stay(laptop, address, moment(day, begin), moment(day, end), tag=UNREGISTERED)
            for day, begin, end in hours
        ]
        return stays

    def _working_day(self, device: Device, day: int) -> Stay:
        start = moment(day, "08:05:00") + self.random.randrange(50 * MINUTE)
        end = min(moment(day, "17:20:00") + self.random.randrange(55 * MINUTE), END_US - 5 * MINUTE)
        tag = "traceable-visit" if device.asset == CASINO_ASSET and day == 5 else ""
        return Stay(device, f"{device.segment.prefix}.{_host_on(device, day)}", start, end, tag)

    def visitors(self, known: list[tuple[int, int, str]]) -> list[Stay]:
        """Visitors' phones in the hall, with addresses from its pool.

        Args:
            known: Start, end and tag of stays that must be among them.
        """
        spans = list(known)
        for day in DAYS:
            for _ in range(_PHONES_A_DAY):
                start = moment(day, "08:32:00") + self.random.randrange(8 * HOUR)
                spans.append((start, start + self.random.randrange(12 * MINUTE, 70 * MINUTE), ""))
        stays: list[Stay] = []
        free_from = {f"{HALL.prefix}.{host}": 0 for host in _POOL}
        for start, end, tag in sorted(spans):
            address = min(free_from, key=lambda ip: (free_from[ip], ip))
            free_from[address] = end + HALL.lease_s * SECOND + MINUTE
            name = "" if self.random.random() < 0.4 else f"android-{self.random.randrange(1 << 24):06x}"
            stays.append(Stay(Device(name, random_mac(self.random), HALL), address, start, end, tag))
        return stays


def stay_of(stays: list[Stay], mac: str, at_us: int) -> Stay:
    """The stay of a device that covers a moment."""
    mine = sorted((stay for stay in stays if stay.device.mac == mac), key=lambda stay: stay.start_us)
    return mine[bisect.bisect([stay.start_us for stay in mine], at_us) - 1]


def _host_on(device: Device, day: int) -> int:
    """Two computers of the Internet office change addresses on Thursday: the lease log must be asked."""
    swapped = {39: 35, 35: 39}
    return swapped.get(device.host, device.host) if device.segment is NET and day >= 5 else device.host


def _slaac(device: Device) -> str:
    """The IPv6 address that a device makes from its hardware address (RFC 4291, appendix A)."""
    octets = bytes.fromhex(device.mac.replace(":", ""))
    low = bytes([octets[0] ^ 2]) + octets[1:3] + b"\xff\xfe" + octets[3:]
    groups = ":".join(f"{int.from_bytes(low[i : i + 2], 'big'):x}" for i in range(0, 8, 2))
    return f"{device.segment.prefix6}:{groups}"


def _time_of_day(at_us: int) -> int:
    return (at_us - START_US) % DAY

"""What is known on the way from questions to their answers, and what an empty look-up means.

Many questions are walked at once: every fact is a column with one value for each question, and a
hop reads what the hops before it found. One question is many of which there is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from netaudit.attribution.columns import SECOND
from netaudit.attribution.held import Held
from netaudit.attribution.intervals import Pairs
from netaudit.attribution.logs import Logs
from netaudit.attribution.packed import Packed
from netaudit.attribution.questions import ABSENT, Questions
from netaudit.attribution.trace import Outcome, Reach, Reason

DAY_S = 86_400
"""How far around the time asked for neighbours are looked for: `skew_stable_s` never says more."""
PLACES = ("segment", "ssid", "ap", "port")
OUTCOMES = tuple(Outcome)
REACHES = tuple(Reach)
HELD, AMBIGUOUS, MISSING, NOT_COVERED = (OUTCOMES.index(o) for o in Outcome)
NO_HOP = -1
"""Outcome of a hop that had nothing to ask."""


@dataclass(slots=True)
class Walks:
    """The state of many walks."""

    logs: Logs
    asked: Questions
    site: np.ndarray
    """``(n,)`` text, empty where not known."""
    address: Packed
    mac: Packed
    personal: np.ndarray
    """``(n,)`` bool: an account was held that stands for one person."""
    asset: np.ndarray
    """``(n,)`` row of the register that was held, -1 for none."""
    confirmed: np.ndarray
    """``(n,)`` bool: the asset was found by its MAC, and not by what is declared for the address."""
    stopped: np.ndarray
    """``(n,)`` bool: no hop after this one has a single key to ask for."""
    port: np.ndarray
    """``(n,)`` source port of the inside host that was found, `ABSENT` where it is not known."""
    behind: np.ndarray
    """``(n,)`` bool: the host that was found is itself one that others hide behind."""
    place: dict[str, np.ndarray]
    """By name of `PLACES` ``(n,)`` texts, empty where not known."""
    reasons: list[tuple[Reason, np.ndarray]] = field(default_factory=list)
    """In the order in which they were found, each with ``(n,)`` bool: for which questions."""
    layer: int = 1
    """The layer of translation that is asked."""

    @staticmethod
    def begin(logs: Logs, asked: Questions) -> Walks:
        """Walks that have found nothing yet."""
        count = len(asked)
        inside = ~asked.public.known
        return Walks(
            logs,
            asked,
            asked.site.copy(),
            asked.client.only(inside),
            asked.mac.only(inside),
            np.zeros(count, bool),
            np.full(count, -1),
            np.zeros(count, bool),
            np.zeros(count, bool),
            np.full(count, ABSENT),
            np.zeros(count, bool),
            {name: np.full(count, "", object) for name in PLACES},
        )

    def because(self, reason: Reason, chosen: np.ndarray) -> None:
        """Note a reason for some of the questions (bool)."""
        if chosen.any():
            self.reasons.append((reason, chosen))

    def has(self, reason: Reason) -> np.ndarray:
        """``(n,)`` bool: for which questions a reason was noted."""
        found = np.zeros(len(self.asked), bool)
        for noted, chosen in self.reasons:
            if noted is reason:
                found |= chosen
        return found

    def known_place(self, name: str, texts: np.ndarray, chosen: np.ndarray) -> None:
        """Note a part of the place of some questions, where it is not yet known."""
        place = self.place[name]
        fresh = chosen & (place == "") & (texts != "")
        place[fresh] = texts[fresh]

    def hold(self, sites: np.ndarray, chosen: np.ndarray) -> None:
        """Take the site of answers that were held: codes, 0 where it is not named."""
        named = np.array(self.logs.sites, object)[sites]
        self.site = np.where(chosen & (self.site == ""), named, self.site)

    def here(self, held: Held, found: Pairs) -> Pairs:
        """Those of some spans that may be of the walk's site."""
        return self.logs.at_site(held, found, self.site)

    @property
    def around(self) -> tuple[np.ndarray, np.ndarray]:
        """The times in which neighbours are looked for."""
        low, high = self.asked.wide
        return low - DAY_S * SECOND, high + DAY_S * SECOND

    @property
    def segment(self) -> np.ndarray:
        """``(n,)`` number of the segment of the address that is known so far; -1 = none."""
        return self.logs.plan.segment_of(self.address, self.site)

    def absent(
        self, chosen: np.ndarray, kinds: Sequence[str], *, without: Reason, rows: int
    ) -> tuple[np.ndarray, list[tuple[Reason, np.ndarray]]]:
        """What it means that nothing was found.

        Args:
            chosen: ``(n,)`` bool: questions for which nothing was.
            kinds: Kinds of log that could have told.
            without: The reason where there is no such log, or none of this site and segment.
            rows: How many records there are; where no file of such a log is in the ledger, and no
                capture has them, they are a log of which nothing else is known.

        Returns:
            ``(n,)`` bool: for which the log covers the time and has no entry. And the reasons for
            the others, each with ``(n,)`` bool.
        """
        missing = np.zeros(len(self.asked), bool)
        why: dict[Reason, np.ndarray] = {}
        for site, segments, part in self._scopes(chosen):
            covered = self._covered(kinds, site, segments, part)
            missing[part[covered]] = True
            for reason, some in self._uncovered(kinds, site, segments, part[~covered], (without, rows)):
                why.setdefault(reason, np.zeros(len(self.asked), bool))[some] = True
        return missing, list(why.items())

    def _covered(
        self, kinds: Sequence[str], site: str, segments: tuple[str, ...], part: np.ndarray
    ) -> np.ndarray:
        low, high = self.asked.low[part], self.asked.high[part]
        covered = np.ones(len(part), bool)
        for coverage in self.logs.coverage.needed(kinds, site, segments):
            covered &= coverage.covers_each(low, high)
        return covered

    def _uncovered(
        self,
        kinds: Sequence[str],
        site: str,
        segments: tuple[str, ...],
        part: np.ndarray,
        otherwise: tuple[Reason, int],
    ) -> list[tuple[Reason, np.ndarray]]:
        coverage, (without, rows) = self.logs.coverage, otherwise
        segment = segments[0] if len(segments) == 1 else ""
        kept_here = any(coverage.of(kinds, site, one).files for one in segments or ("",))
        if not kept_here and (coverage.sites(kinds) or coverage.captured(kinds) or not rows):
            return [(without, part)]
        whole = coverage.of(kinds, site, segment)
        kept = [self.logs.plan.retention_days(kind, site, segment) for kind in kinds]
        days = [d for d in kept if d is not None]
        expired = np.zeros(len(part), bool)
        if whole.first is not None and whole.last is not None and days:
            since = min(whole.first, whole.last - max(days) * DAY_S * SECOND)
            expired = self.asked.low[part] < since
        return [(Reason.RETENTION_EXPIRED, part[expired]), (Reason.LOG_GAP, part[~expired])]

    def _scopes(self, chosen: np.ndarray) -> list[tuple[str, tuple[str, ...], np.ndarray]]:
        """Questions by whose logs matter: a site, and the address's segment or those behind the public one."""
        rows = np.flatnonzero(chosen)
        segment = self.logs.plan.segment_of(self.address.take(rows), self.site[rows])
        scopes: dict[tuple[str, tuple[str, ...]], list[np.ndarray]] = {}
        outside = (segment < 0) & ~self.address.known[rows] & self.asked.public.known[rows]
        public = self.asked.public.take(rows)
        halves = [np.where(outside, half, np.uint64(0)) for half in (public.high, public.low)]
        keys = np.stack([segment.astype(np.uint64), *halves])
        _, first, of = np.unique(keys, axis=1, return_index=True, return_inverse=True)
        for number, at in enumerate(first.tolist()):
            names: tuple[str, ...] = ()
            if segment[at] >= 0:
                names = (self.logs.plan.segments[segment[at]].id,)
            elif outside[at]:
                names = self.logs.plan.behind(public.value(at) or b"")
            mine = rows[of.reshape(-1) == number]
            for site in sorted(set(self.site[mine].tolist())):
                scopes.setdefault((site, names), []).append(mine[self.site[mine] == site])
        return [(site, names, np.concatenate(parts)) for (site, names), parts in scopes.items()]

    def reach(self) -> np.ndarray:
        """``(n,)`` place among `REACHES`: how far each answer holds.

        A device is reached with an asset, or with a MAC that its maker gave it: a random MAC that
        no register knows is an address of the link layer, no device. A person is reached only by
        a register that names an owner for the asset with this MAC, and only where nobody else
        logs in there and the account is not shared. What is declared for a mere address ends at
        the device.
        """
        shared = self.has(Reason.SHARED_ACCOUNT) | (self.logs.sharing.accounts_on(self.mac) > 1)
        owned = self.logs.register.texts("owner", self.asset) != ""
        person = self.mac.known & owned & self.confirmed & ~shared
        device = (self.asset >= 0) | (self.mac.known & ~self.mac.is_random_mac())
        address = self.address.known | self.mac.known
        steps = (Reach.PERSON, Reach.ACCOUNT, Reach.DEVICE, Reach.ADDRESS)
        return np.select(
            (person, self.personal, device, address),
            [REACHES.index(step) for step in steps],
            REACHES.index(Reach.NOTHING),
        )

"""What is known on the way from a question to its answer, and what an empty look-up means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from netaudit.attribution.columns import SECOND
from netaudit.attribution.held import Held
from netaudit.attribution.intervals import Window
from netaudit.attribution.logs import Logs
from netaudit.attribution.trace import Candidate, Outcome, Question, Reach, Reason
from netaudit.attribution.weighing import Weighed, weigh
from netaudit.config import Segment
from netaudit.records.addresses import is_random_mac

DAY_S = 86_400
"""How far around the window neighbours are looked for: `skew_stable_s` never says more."""


@dataclass(slots=True)
class Walk:
    """The state of one walk; each hop reads what the hops before it found."""

    logs: Logs
    question: Question
    window: Window
    site: str = ""
    address: bytes | None = None
    mac: bytes | None = None
    account: str = ""
    """A personal account that was held."""
    asset: Candidate | None = None
    confirmed: bool = False
    """Whether the asset was found by its MAC, and not by what is declared for the address."""
    place: dict[str, str] = field(default_factory=dict)
    reasons: list[Reason] = field(default_factory=list)
    stopped: bool = False
    """No hop after this one has a single key to ask for."""

    def because(self, *reasons: Reason | None) -> None:
        """Note reasons, each once."""
        self.reasons += [r for r in reasons if r is not None and r not in self.reasons]

    def known_place(self, **parts: str) -> None:
        """Note parts of the place that are not yet known."""
        for name, text in parts.items():
            if text:
                self.place.setdefault(name, text)

    def hold(self, candidate: Candidate) -> None:
        """Take the site of an answer that was held."""
        self.site = self.site or dict(candidate.details).get("site", "")

    def weigh(
        self,
        held: Held,
        rows: np.ndarray,
        near: Callable[[], np.ndarray] | None = None,
        preferred: np.ndarray | None = None,
    ) -> Weighed:
        """Candidates of the walk's site among `rows`.

        Args:
            held: The log.
            rows: Spans that overlap the widened window.
            near: Looks up the spans further away; asked only where one candidate holds.
            preferred: ``(len(rows),)`` bool: those that name the destination asked for.
        """
        if self.site and rows.size:
            here = self.logs.at_site(held.site[rows], self.site)
            rows, preferred = rows[here], None if preferred is None else preferred[here]
        return weigh(
            held,
            rows,
            self.window,
            near=None if near is None else lambda: self.at_site(held, near()),
            sites=self.logs.sites,
            preferred=preferred,
        )

    def at_site(self, held: Held, rows: np.ndarray) -> np.ndarray:
        """Those of some spans that may be of the walk's site."""
        if not self.site:
            return rows
        here: np.ndarray = rows[self.logs.at_site(held.site[rows], self.site)]
        return here

    @property
    def wide(self) -> tuple[int, int]:
        """The window, widened by the clock error."""
        return self.window.wide_low, self.window.wide_high

    @property
    def around(self) -> tuple[int, int]:
        """The time in which neighbours are looked for."""
        return self.window.wide_low - DAY_S * SECOND, self.window.wide_high + DAY_S * SECOND

    @property
    def segment(self) -> Segment | None:
        """The segment of the address that is known so far."""
        return self.logs.plan.segment(self.address, self.site) if self.address else None

    def absent(self, kinds: Sequence[str], *, without: Reason, rows: int) -> tuple[Outcome, Reason | None]:
        """What it means that nothing was found.

        Args:
            kinds: Kinds of log that could have told.
            without: The reason where there is no such log, or none of this site and segment.
            rows: How many records there are; where no file of such a log is in the ledger, and no
                capture has them, they are a log of which nothing else is known.
        """
        coverage, segments = self.logs.coverage, self._segments()
        if coverage.covers(kinds, self.site, self.window.low, self.window.high, segments=segments):
            return Outcome.MISSING, None
        segment = segments[0] if len(segments) == 1 else ""
        kept_here = any(coverage.of(kinds, self.site, one).files for one in segments or ("",))
        if not kept_here and (coverage.sites(kinds) or coverage.captured(kinds) or not rows):
            return Outcome.NOT_COVERED, without
        whole = coverage.of(kinds, self.site, segment)
        kept = [self.logs.plan.retention_days(kind, self.site, segment) for kind in kinds]
        days = [d for d in kept if d is not None]
        expired = (
            whole.first is not None
            and whole.last is not None
            and days
            and self.window.low < whole.first
            and self.window.low < whole.last - max(days) * DAY_S * SECOND
        )
        return Outcome.NOT_COVERED, Reason.RETENTION_EXPIRED if expired else Reason.LOG_GAP

    def _segments(self) -> tuple[str, ...]:
        """Segments whose logs matter: the address's own, else those behind the public address."""
        if self.segment is not None:
            return (self.segment.id,)
        public = self.question.public_ip
        return self.logs.plan.behind(public) if public is not None and self.address is None else ()

    def reach(self) -> Reach:
        """How far the answer holds.

        A device is reached with an asset, or with a MAC that its maker gave it: a random MAC that
        no register knows is an address of the link layer, no device. A person is reached only by
        a register that names an owner for the asset with this MAC, and only where nobody else
        logs in there and the account is not shared. What is declared for a mere address ends at
        the device.
        """
        mac, owner = self.mac, dict(self.asset.details).get("owner") if self.asset else None
        if mac is not None and owner and self.confirmed and not self._shared(mac):
            return Reach.PERSON
        if self.account:
            return Reach.ACCOUNT
        if self.asset is not None or (mac is not None and not is_random_mac(mac)):
            return Reach.DEVICE
        return Reach.ADDRESS if self.address is not None or mac is not None else Reach.NOTHING

    def _shared(self, mac: bytes) -> bool:
        accounts = {name for log in self.logs.access for name in log.accounts_on(mac)}
        return Reason.SHARED_ACCOUNT in self.reasons or len(accounts) > 1

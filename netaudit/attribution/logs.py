"""Everything that the walk-back looks up in, built once from the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from netaudit.attribution import deterministic
from netaudit.attribution.access_log import AccessLog
from netaudit.attribution.address_log import AddressLog
from netaudit.attribution.columns import Records
from netaudit.attribution.coverage import CoverageTable
from netaudit.attribution.held import Held
from netaudit.attribution.intervals import Pairs
from netaudit.attribution.nat_log import NatLog
from netaudit.attribution.packed import Packed
from netaudit.attribution.plan import Plan
from netaudit.attribution.port_log import PortLog
from netaudit.attribution.register import Register
from netaudit.attribution.sharing import Sharing
from netaudit.config import Settings
from netaudit.records.evidence import EvidenceFile
from netaudit.records.schemas import concat

KINDS = ("nat", "dhcp", "arp", "radius", "wlan", "fdb", "asset")


@dataclass(frozen=True, slots=True)
class Logs:
    """The unit's logs, sorted for looking up; its plan; and what the logs cover."""

    nat: NatLog
    addresses: AddressLog
    access: tuple[AccessLog, ...]
    """RADIUS first: it knows accounts."""
    ports: PortLog
    register: Register
    sharing: Sharing
    coverage: CoverageTable
    plan: Plan
    sites: tuple[str, ...]
    """Names of site codes; code 0 is the empty one."""
    settings: Settings

    @staticmethod
    def build(
        *, tables: Mapping[str, pa.Table], ledger: Sequence[EvidenceFile], settings: Settings
    ) -> Logs:
        """Sort the tables once.

        Args:
            tables: By kind, each of its schema in `records.schemas`; kinds that are absent count
                as empty, kinds that no hop uses are ignored.
            ledger: What was read; tells what the logs cover.
            settings: The unit's networks, segments, wireless networks and retention.
        """
        declared, covered = deterministic.translations(settings.deterministic_nat)
        tables, ledger = _with(tables, "nat", declared), [*ledger, *covered]
        records = {kind: Records(tables[kind] if kind in tables else concat(kind, [])) for kind in KINDS}
        sites = _site_names(records)
        site = {kind: _site_codes(table, sites) for kind, table in records.items()}
        access = tuple(AccessLog(k, records[k], site[k]) for k in ("radius", "wlan"))
        return Logs(
            nat=NatLog(records["nat"], site["nat"]),
            addresses=AddressLog(records["dhcp"], site["dhcp"], records["arp"], site["arp"], access),
            access=access,
            ports=PortLog(records["fdb"], site["fdb"]),
            register=Register(records["asset"], site["asset"]),
            sharing=Sharing(access),
            coverage=CoverageTable({k: r for k, r in records.items() if r.count}, ledger),
            plan=Plan(settings),
            sites=sites,
            settings=settings,
        )

    def knows(self, addresses: Packed) -> np.ndarray:
        """``(n,)`` bool: which any log or register ever names as an inside address."""
        where = (self.addresses, self.nat, self.register)
        known: np.ndarray = np.logical_or.reduce([log.knows(addresses) for log in where])
        return known

    def at_site(self, held: Held, found: Pairs, sites: np.ndarray) -> Pairs:
        """Those of some spans that may be of a site: of that one, or of no named one; all where none is asked for.

        Args:
            held: The log of the spans.
            found: The spans.
            sites: By question the name of the site.
        """
        asked = sites[found.question]
        if not (asked != "").any():
            return found
        own = np.array(self.sites, object)[held.site[found.row]]
        return found.where((asked == "") | (own == "") | (own == asked))


def _with(tables: Mapping[str, pa.Table], kind: str, more: pa.RecordBatch | None) -> Mapping[str, pa.Table]:
    if more is None:
        return tables
    batches = tables[kind].to_batches() if kind in tables else []
    return {**tables, kind: concat(kind, [*batches, more])}


def _site_names(records: Mapping[str, Records]) -> tuple[str, ...]:
    names: set[str] = set()
    for table in records.values():
        names.update(table.words("site")[1])
    return ("", *sorted(names - {""}))


def _site_codes(records: Records, sites: tuple[str, ...]) -> np.ndarray:
    codes, words = records.words("site")
    place = np.array([sites.index(word) for word in words] + [0], np.int16)
    by_row: np.ndarray = place[codes]
    return by_row

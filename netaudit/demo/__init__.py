"""A small office's week, made up: captures, logs, an inventory, a configuration, a letter.

All files are written from one schedule, so they agree, and the same seed gives the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from netaudit.demo.answers import AnswerKey

SEED = 20261102


@dataclass(frozen=True, slots=True)
class Week:
    """Where the files of the week are, and what must be found in them."""

    folder: Path
    configuration: Path
    letter: Path
    inventory: Path
    capture: Path
    query_logs: tuple[Path, ...]
    session_logs: tuple[Path, ...]
    lease_logs: tuple[Path, ...]
    access_logs: tuple[Path, ...]
    truth: Path
    key: AnswerKey

    @property
    def evidence(self) -> tuple[Path, ...]:
        """Everything that is evidence: captures and logs."""
        return (self.capture, *self.query_logs, *self.session_logs, *self.lease_logs, *self.access_logs)


def write_week(folder: Path, seed: int = SEED) -> Week:
    """Write the week's files into `folder`, which is made where it is absent.

    Args:
        folder: Existing files of the same names are overwritten.
        seed: Another seed gives another population around the same incidents.
    """
    from netaudit.demo.access import write_access_point_log, write_accounting
    from netaudit.demo.answers import answer_key, write_key
    from netaudit.demo.capture import write_capture
    from netaudit.demo.configuration import write_configuration, write_demo_key, write_own_list
    from netaudit.demo.incidents import GAP_US, make_schedule
    from netaudit.demo.inventory import write_inventory
    from netaudit.demo.leases import write_dnsmasq_log, write_lease_journal
    from netaudit.demo.letter import write_letter
    from netaudit.demo.logs import write_query_log, write_session_log
    from netaudit.demo.office import GOV, HALL, NET

    for name in (
        "evidence/capture",
        "evidence/dns",
        "evidence/nat",
        "evidence/dhcp",
        "evidence/access",
        "lists",
    ):
        (folder / name).mkdir(parents=True, exist_ok=True)
    schedule = make_schedule(seed)
    hall_leases = "evidence/dhcp/service-hall.leases"
    numbers = {
        "evidence/capture/mirror.pcapng": write_capture(
            folder / "evidence/capture/mirror.pcapng", schedule
        ),
        "evidence/dns/queries-gov.log": write_query_log(
            folder / "evidence/dns/queries-gov.log", schedule, GOV.resolver
        ),
        "evidence/dns/queries-internet.log": write_query_log(
            folder / "evidence/dns/queries-internet.log", schedule, NET.resolver
        ),
        "evidence/nat/conntrack-gov.log": write_session_log(
            folder / "evidence/nat/conntrack-gov.log", schedule, GOV.egress
        ),
        "evidence/nat/conntrack-internet.log": write_session_log(
            folder / "evidence/nat/conntrack-internet.log", schedule, NET.egress
        ),
        "evidence/dhcp/gov-offices.leases": write_lease_journal(
            folder / "evidence/dhcp/gov-offices.leases", schedule, GOV
        ),
        hall_leases: write_lease_journal(folder / hall_leases, schedule, HALL, silent_us=GAP_US),
        "evidence/dhcp/internet-offices-dnsmasq.log": write_dnsmasq_log(
            folder / "evidence/dhcp/internet-offices-dnsmasq.log", schedule, NET
        ),
        "evidence/access/radius-detail": write_accounting(
            folder / "evidence/access/radius-detail", schedule, NET
        ),
        "evidence/access/hall-ap.log": write_access_point_log(
            folder / "evidence/access/hall-ap.log", schedule, HALL
        ),
    }
    write_inventory(folder / "inventory.csv")
    write_letter(folder / "letter.txt")
    write_configuration(folder / "netaudit.toml")
    write_own_list(folder / "lists")
    write_demo_key(folder / "demo.key")
    key = answer_key(seed, schedule, numbers, gap_file=hall_leases)
    write_key(folder / "truth.json", key)
    paths = [folder / name for name in numbers]
    return Week(
        folder,
        folder / "netaudit.toml",
        folder / "letter.txt",
        folder / "inventory.csv",
        paths[0],
        query_logs=tuple(paths[1:3]),
        session_logs=tuple(paths[3:5]),
        lease_logs=tuple(paths[5:8]),
        access_logs=tuple(paths[8:10]),
        truth=folder / "truth.json",
        key=key,
    )

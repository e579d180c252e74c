"""One frozen `Settings` from ``netaudit.toml``. Unknown keys are errors with a did-you-mean."""

from __future__ import annotations

import datetime as dt
import difflib
import ipaddress
import tomllib
from collections.abc import Collection
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any

from netaudit.errors import ConfigError

FILE_NAME = "netaudit.toml"


@dataclass(frozen=True, slots=True)
class Unit:
    """The organisation whose network this is."""

    name: str = ""
    code: str = ""
    """Short code for case numbers (代字)."""
    timezone: str = ""
    """Zone of the paper, and of nothing else: a log's zone is declared in its source."""
    egress: tuple[str, ...] = ()
    """Public addresses or networks of the unit."""
    superior: str = ""
    """Organ that the report goes to."""
    resolvers: tuple[str, ...] = ()
    """Approved DNS resolvers, addresses or networks."""
    nat: bool | None = None
    """Whether the egress translates addresses; unset = unknown."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A network segment."""

    id: str
    network: tuple[str, ...]
    name: str = ""
    zone: str = ""
    """``gov_extranet``, ``internet``, ``office``, ``server``; empty = unknown."""
    purpose: str = ""
    """``office``, ``guest``, ``public``, ``server``, ``device``; empty = unknown."""
    addressing: str = ""
    """``dhcp``, ``static``, ``mixed``; empty = unknown."""
    vlan: int | None = None
    site: str = ""
    owner: str = ""
    department: str = ""
    egress: str = ""
    """Public address that this segment leaves by, where it is its own."""


@dataclass(frozen=True, slots=True)
class Wireless:
    """A wireless network (SSID)."""

    ssid: str
    segment: str = ""
    purpose: str = ""
    """``staff``, ``guest``, ``public``; empty = unknown."""
    auth: str = ""
    """``open``, ``wep``, ``psk``, ``sae``, ``802.1x``, ``portal``; empty = unknown."""
    per_user_auth: bool | None = None
    portal_realname: bool | None = None
    key_changed_at: dt.date | None = None
    opened_at: dt.date | None = None
    declared_users: int | None = None
    isolation: bool | None = None
    bssids: tuple[str, ...] = ()
    location: str = ""
    owner: str = ""
    department: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of evidence that the office has, and what its files do not say themselves."""

    path: str
    """A file, folder or glob, relative to the configuration file."""
    id: str = ""
    role: str = ""
    """``dns``, ``proxy``, ``capture``, ``nat``, ``dhcp``, ``access``, ``inventory``."""
    format: str = ""
    """Overrides recognition."""
    timezone: str = ""
    clock_offset_s: float = 0.0
    """Seconds that are added to this source's times to get true time."""
    site: str = ""
    retention_days: int | None = None
    """How long this log is kept; unset = unknown."""
    segments: tuple[str, ...] = ()
    """Segments that this source covers; empty = all."""
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeterministicNat:
    """Translations that follow from the configuration alone and are in no log (RFC 7422).

    The inside addresses, in their order, have one block of ports after the other: first all blocks of
    the first public address, then those of the next.
    """

    inside: str
    """Network of the inside hosts."""
    public: tuple[str, ...]
    """Addresses or networks that they leave by, in the order in which they are used."""
    since: dt.datetime
    """From when on it was configured so; with its offset."""
    until: dt.datetime | None = None
    """Until when; unset = still."""
    first_port: int = 1024
    last_port: int = 65535
    block: int = 0
    """Ports of each inside host; 0 = as many as all hosts can have alike."""
    site: str = ""


@dataclass(frozen=True, slots=True)
class Inventory:
    """The asset register."""

    path: str = ""
    reviewed_at: dt.date | None = None


@dataclass(frozen=True, slots=True)
class ListChoice:
    """A block list in use: one that netaudit ships (`id` only) or the office's own."""

    id: str
    path: str = ""
    """Of a ``.toml`` that describes it, or of the list itself with `format`."""
    format: str = ""
    category: str = ""
    allow: bool = False
    """An allow-list: what it names is no finding."""
    reason: str = ""
    """Why it is allowed."""


@dataclass(frozen=True, slots=True)
class Waiver:
    """A rule that is knowingly not kept for a subject, for a time."""

    rule: str
    subject: str
    reason: str
    owner: str
    expires: dt.date


@dataclass(frozen=True, slots=True)
class PolicySettings:
    """Changes to the rules that the office answers for."""

    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Rule id to parameter values."""
    waivers: tuple[Waiver, ...] = ()
    folders: tuple[str, ...] = ()
    """Folders with the office's own rules."""


@dataclass(frozen=True, slots=True)
class Privacy:
    """How persons are protected."""

    key_file: str = ""
    """Secret for pseudonyms; made beside the case where not given."""
    retention_days: int = 90
    """After this, ``netaudit case purge --if-due`` (run by the system's timer) forgets a case's persons."""


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """What papers need and no log can know; what is missing prints as a visible placeholder."""

    facts: dict[str, Any] = field(default_factory=dict)
    folders: tuple[str, ...] = ()
    """Folders with the office's own templates."""


@dataclass(frozen=True, slots=True)
class OwnFormats:
    """Formats of logs that netaudit does not know (docs/own-formats.md)."""

    folders: tuple[str, ...] = ()
    """Folders with the office's own formats, one ``.toml`` each."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that ``netaudit.toml`` says."""

    unit: Unit = field(default_factory=Unit)
    segment: tuple[Segment, ...] = ()
    wireless: tuple[Wireless, ...] = ()
    source: tuple[Source, ...] = ()
    deterministic_nat: tuple[DeterministicNat, ...] = ()
    inventory: Inventory = field(default_factory=Inventory)
    blocklist: tuple[ListChoice, ...] = ()
    policy: PolicySettings = field(default_factory=PolicySettings)
    privacy: Privacy = field(default_factory=Privacy)
    report: ReportSettings = field(default_factory=ReportSettings)
    formats: OwnFormats = field(default_factory=OwnFormats)
    folder: Path = field(default_factory=Path)
    """Where the file lies; relative paths start here."""


def configured_inputs(settings: Settings, *, without: Collection[str] = ()) -> list[str]:
    """The files that the configuration's sources and inventory name, sources of some roles left out."""
    paths = [source.path for source in settings.source if source.role not in without]
    if settings.inventory.path:
        paths.append(settings.inventory.path)
    return list(dict.fromkeys(str(settings.folder / path) for path in paths))


def find_config(start: Path) -> Path | None:
    """The nearest ``netaudit.toml`` in `start` or above it."""
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
    return None


def read_settings(path: Path) -> Settings:
    """Read and check a configuration file.

    Raises:
        ConfigError: Not TOML, an unknown key, or a value of the wrong type.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        if isinstance(error, FileNotFoundError):
            raise ConfigError(
                "config-missing",
                "There is no such configuration file.",
                where=str(path),
                hint="Check --config; without it, netaudit.toml is looked for here and above.",
            ) from error
        raise ConfigError(
            "config-unreadable",
            "The configuration cannot be read: {reason}.",
            where=str(path),
            hint="Check the file with any TOML editor.",
            reason=str(error),
        ) from error
    data.pop("folder", None)
    settings: Settings = read_table(data, Settings, str(path))
    from dataclasses import replace

    _check_networks(settings, str(path))
    return replace(settings, folder=path.resolve().parent)


def _check_networks(settings: Settings, where: str) -> None:
    """Refuse texts that are no address and no network."""
    named = [("unit.egress", t) for t in settings.unit.egress]
    named += [("unit.resolvers", t) for t in settings.unit.resolvers]
    for segment in settings.segment:
        named += [(f"segment {segment.id}: network", t) for t in segment.network]
        named += [(f"segment {segment.id}: egress", segment.egress)] if segment.egress else []
    for nat in settings.deterministic_nat:
        named += [("deterministic_nat: inside", nat.inside)]
        named += [("deterministic_nat: public", text) for text in nat.public]
    for key, text in named:
        try:
            ipaddress.ip_network(text, strict=False)
        except ValueError as error:
            raise ConfigError(
                "config-network",
                "{text} is no address and no network.",
                where=f"{where}: {key}",
                hint="Write 203.0.113.5, 10.66.1.0/24 or 2001:db8:66:1::/64.",
                text=text,
            ) from error


def read_table(data: Any, type_: Any, where: str) -> Any:
    """A parsed TOML table as the frozen dataclass `type_`, strictly.

    Raises:
        ConfigError: An unknown or missing key, or a wrong type, with the path of the key.
    """
    from cattrs import BaseValidationError, Converter, transform_error

    check_keys(data, type_, where)
    converter = Converter(forbid_extra_keys=True)
    for exact in (dt.date, dt.datetime, bool, int, float, str):
        converter.register_structure_hook(exact, _exactly)
    try:
        return converter.structure(data, type_)
    except BaseValidationError as error:
        raise ConfigError(
            "config-value",
            "A value is wrong: {reason}.",
            where=where,
            hint="Compare with docs/configuration.md.",
            reason="; ".join(transform_error(error, path="")),
        ) from error


def _exactly(value: Any, type_: Any) -> Any:
    """No silent conversion: the string "no" is no truth value, 1 is no text."""
    if type_ is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not type_:
        raise TypeError(f"expected {type_.__name__}, found {value!r}")
    return value


def check_keys(data: Any, type_: Any, where: str, key: str = "") -> None:
    """Refuse keys that `type_` does not have, saying which one was probably meant."""
    if not (isinstance(data, dict) and is_dataclass(type_)):
        return
    known = {f.name: f.type for f in fields(type_)}
    for name in data:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            raise ConfigError(
                "config-key",
                "There is no setting {key}.",
                where=f"{where}: {key}{name}",
                hint=f"Did you mean {near[0]}?" if near else "Known here: " + ", ".join(sorted(known)),
                key=f"{key}{name}",
            )
        if isinstance(data[name], str) and str(known[name]).startswith("tuple"):
            raise ConfigError(
                "config-list",
                "The setting {key} is a list.",
                where=f"{where}: {key}{name}",
                hint='Write it in brackets: ["..."].',
                key=f"{key}{name}",
            )
    nested = _NESTED.get(type_, {})
    for name, inner in nested.items():
        items = data.get(name, [])
        for item in items if isinstance(items, list) else [items]:
            check_keys(item, inner, where, f"{key}{name}.")


_NESTED: dict[Any, dict[str, Any]] = {
    Settings: {
        "unit": Unit,
        "segment": Segment,
        "wireless": Wireless,
        "source": Source,
        "deterministic_nat": DeterministicNat,
        "inventory": Inventory,
        "blocklist": ListChoice,
        "policy": PolicySettings,
        "privacy": Privacy,
        "report": ReportSettings,
        "formats": OwnFormats,
    },
    PolicySettings: {"waivers": Waiver},
}

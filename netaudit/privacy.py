"""Pseudonyms and masks: what stands in the place of a person.

Pseudonyms are keyed (HMAC-SHA256) and stable under one key, so that two findings about the same
account can be seen to be about one account without its name. Only `workflow.reveal` leads back.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from pathlib import Path

from netaudit.errors import ConfigError

KEY_BYTES = 32
_DIGITS = 8


class Pseudonymiser:
    """Names to stable pseudonyms under one secret key; remembers what it replaced."""

    def __init__(self, key: bytes) -> None:
        """Use `key`, at least 16 bytes."""
        self._key = key
        self.known: dict[str, str] = {}
        """Pseudonym to the value it stands for, of this run: what `reveal` may store."""

    def __call__(self, kind: str, value: str) -> str:
        """The pseudonym of `value`, such as ``account-3f2a9c1b``."""
        digest = hmac.new(self._key, f"{kind}\x1f{value}".encode(), hashlib.sha256).hexdigest()
        pseudonym = f"{kind}-{digest[:_DIGITS]}"
        self.known[pseudonym] = value
        return pseudonym


class Numbering(Pseudonymiser):
    """Pseudonyms without a key, in the order of appearance: ``account-1``. They hold for one run only."""

    def __init__(self) -> None:
        """Start at one."""
        super().__init__(b"")
        self._numbers: dict[tuple[str, str], str] = {}

    def __call__(self, kind: str, value: str) -> str:
        """The number of `value` among those of its kind."""
        if (kind, value) not in self._numbers:
            count = sum(k == kind for k, _ in self._numbers) + 1
            self._numbers[kind, value] = f"{kind}-{count}"
        pseudonym = self._numbers[kind, value]
        self.known[pseudonym] = value
        return pseudonym


def read_key(path: Path) -> bytes:
    """The secret of a key file.

    Raises:
        ConfigError: Not readable, or shorter than 16 bytes.
    """
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        raise ConfigError(
            "key-unreadable",
            "The key file for pseudonyms cannot be read: {reason}.",
            where=str(path),
            hint="Check [privacy] key_file.",
            reason=error.strerror or str(error),
        ) from error
    if len(key) < KEY_BYTES // 2:
        raise ConfigError(
            "key-short",
            "The key file for pseudonyms is too short.",
            where=str(path),
            hint="Put at least 16 random bytes into it.",
        )
    return key


def make_key(path: Path) -> bytes:
    """A new random key at `path`, readable by its owner only; an existing one is kept."""
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(os.urandom(KEY_BYTES).hex().encode())
    return read_key(path)


def mask_ip(text: str) -> str:
    """An address with its host part hidden: ``10.66.3.*``, ``2001:db8:1:*``."""
    if "." in text and ":" not in text:
        return text.rsplit(".", 1)[0] + ".*"
    return ":".join(text.split(":")[:3]) + ":*"


def mask_mac(text: str) -> str:
    """A MAC with its last three octets hidden; the maker's part stays."""
    return ":".join([*text.split(":")[:3], "*", "*", "*"])

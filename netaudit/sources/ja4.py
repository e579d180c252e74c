"""JA4: which program said hello, as text (FoxIO, technical details of JA4).

``t13d1516h2_8daaf6152771_e5627efa2ab1``: what is counted, the hash of the cipher suites, the hash
of extensions and signature algorithms. It is made of the key that `kernels.tls.fingerprints` writes.
"""

from __future__ import annotations

from hashlib import sha256

from netaudit.kernels.tls import KEY_HEAD

_VERSIONS = {
    0x0002: "s2", 0x0300: "s3", 0x0301: "10", 0x0302: "11", 0x0303: "12", 0x0304: "13",
    0xFEFF: "d1", 0xFEFD: "d2", 0xFEFC: "d3",
}  # fmt: skip
_NOTHING = "000000000000"


def ja4(key: bytes) -> str:
    """The fingerprint of one key."""
    version = _VERSIONS.get(int.from_bytes(key[1:3], "big"), "00")
    named = "d" if key[3] else "i"
    first = f"{chr(key[0])}{version}{named}{key[4]:02}{key[5]:02}{key[6:8].decode('ascii')}"
    ciphers, extensions, signatures = _lists(key[KEY_HEAD:])
    third = ",".join(extensions)
    if signatures:
        third += "_" + ",".join(signatures)
    return f"{first}_{_hash(','.join(ciphers))}_{_hash(third) if extensions else _NOTHING}"


def _lists(octets: bytes) -> list[list[str]]:
    """Three lists of four hexadecimal digits each, out of values that grease separates."""
    lists: list[list[str]] = [[], [], []]
    which = 0
    for at in range(0, len(octets), 2):
        value = octets[at : at + 2].hex()
        if value == "0a0a":
            which += 1
        else:
            lists[which].append(value)
    return lists


def _hash(text: str) -> str:
    return sha256(text.encode("ascii")).hexdigest()[:12] if text else _NOTHING

"""Keys of QUIC Initials: whoever sees a client's first packet can make them (RFC 9001 section 5.2)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from netaudit.kernels import quic

_BARE = modes.ECB()  # noqa: S305 -- header protection is one block of the cipher (RFC 9001 section 5.4.3)
_SAMPLE = 4
"""How far behind the beginning of the packet number the sample is (RFC 9001 section 5.4.2)."""


def _label(name: str, length: int) -> bytes:
    """HkdfLabel with no context (RFC 8446 section 7.1)."""
    full = b"tls13 " + name.encode("ascii")
    return length.to_bytes(2, "big") + bytes([len(full)]) + full + b"\0"


_CLIENT = _label("client in", 32)
_FIRST_LABELS = (_label("quic key", 16), _label("quic iv", 12), _label("quic hp", 16))
_SECOND_LABELS = (_label("quicv2 key", 16), _label("quicv2 iv", 12), _label("quicv2 hp", 16))


@dataclass(frozen=True, slots=True)
class Suite:
    """What a version makes its keys of."""

    salt: bytes
    labels: tuple[bytes, bytes, bytes] = _FIRST_LABELS
    """Of key, initialisation vector and header protection."""


_V1 = Suite(
    bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a")
)  # RFC 9001 section 5.2, drafts 33 and 34
_V2 = Suite(
    bytes.fromhex("0dede3def700a6db819381be6e269dcbf9bd2ed9"), _SECOND_LABELS
)  # RFC 9369 section 3.3
_V2_DRAFT = Suite(
    bytes.fromhex("a707c203a59b47184a1d62ca570406ea7ae3e5d3"), _SECOND_LABELS
)  # draft-ietf-quic-v2-00
_DRAFT_29 = Suite(bytes.fromhex("afbfec289993d24c9e9786f19c6111e04390a899"))  # to draft 32
_DRAFT_23 = Suite(bytes.fromhex("c3eef712c72ebb5a11a7d2432bb46365bef9f502"))  # to draft 28
_DRAFT_22 = Suite(bytes.fromhex("7fbcdb0e7c66bbe9193a96cd21519ebd7a02644a"))
_Q050 = Suite(bytes.fromhex("504574efd066fe2f9d945cfcdbd3a7f0d3b56b45"))
_T050 = Suite(bytes.fromhex("7ff579e5acd072915580304c43a2367c60488310"))
_T051 = Suite(bytes.fromhex("7a4edef4e7ccee5fa4506c19124fc8ccda6e033d"))

_KNOWN: dict[int, tuple[Suite, ...]] = {
    quic.V1: (_V1,),
    quic.V2: (_V2,),
    quic.V2_DRAFT: (_V2_DRAFT,),
    quic.Q050: (_Q050,),
    quic.T050: (_T050,),
    quic.T051: (_T051,),
}


def suites(version: int) -> tuple[Suite, ...]:
    """What a version's keys may be made of, the likeliest first.

    The tag of a packet tells whether a key is right. So versions that do not say which draft they
    follow (mvfst's; those that force negotiation, RFC 9000 section 15) are tried with several.
    """
    if version in _KNOWN:
        return _KNOWN[version]
    draft = version - quic.FIRST_DRAFT + 22
    if 22 <= draft <= 34:
        return (
            (_DRAFT_22,)
            if draft == 22
            else (_DRAFT_23,)
            if draft < 29
            else (_DRAFT_29,)
            if draft < 33
            else (_V1,)
        )
    if quic.FIRST_MVFST <= version <= quic.LAST_MVFST:
        return (_DRAFT_23, _DRAFT_22, _DRAFT_29, _V1)
    return (_DRAFT_29, _V1, _DRAFT_23, _V2)


def spelled(version: int) -> str:
    """A version as the column ``version`` has it: ``1``, ``2``, ``draft-29``, ``Q043``, ``mvfst``."""
    if version in {quic.V1, quic.V2}:
        return "1" if version == quic.V1 else "2"
    if version == quic.V2_DRAFT:
        return "2-draft"
    if quic.FIRST_DRAFT <= version <= quic.LAST_DRAFT:
        return f"draft-{version - quic.FIRST_DRAFT + 22}"
    if quic.FIRST_MVFST <= version <= quic.LAST_MVFST:
        return "mvfst"
    octets = version.to_bytes(4, "big")
    return octets.decode("ascii") if octets[:1] in {b"Q", b"T"} else "reserved"


def _expanded(secret: bytes, info: bytes, size: int) -> bytes:
    """HKDF-Expand (RFC 5869 section 2.3) to no more than its first block, which is one HMAC."""
    return hmac.digest(secret, info + b"\1", "sha256")[:size]


class ClientKeys:
    """A client's keys for its Initials, of one connection id that it chose."""

    __slots__ = ("_iv", "_key", "_largest", "_mask", "_open")

    def __init__(self, suite: Suite, dcid: bytes) -> None:
        """Derive them (RFC 9001 sections 5.1 and 5.2)."""
        key, vector, protection = suite.labels
        secret = _expanded(hmac.digest(suite.salt, dcid, "sha256"), _CLIENT, 32)
        self._key = _expanded(secret, key, 16)
        self._iv = int.from_bytes(_expanded(secret, vector, 12), "big")
        cipher = algorithms.AES(_expanded(secret, protection, 16))
        self._mask = Cipher(cipher, _BARE).encryptor().update
        self._open = AESGCM(self._key).decrypt
        self._largest = -1

    def decrypt(self, packet: bytes, number_at: int) -> bytes | None:
        """The contents of an Initial; None where these keys are not its keys.

        Args:
            packet: The packet from its first octet to its end.
            number_at: Where its protected packet number begins.
        """
        header, number, nonce = self._unprotect(packet, number_at)
        try:
            contents = self._open(nonce, packet[len(header) :], header)
        except InvalidTag:
            return None
        self._largest = max(self._largest, number)
        return contents

    def decrypt_cut(self, packet: bytes, number_at: int) -> bytes:
        """What is there of the contents of a packet that is cut short; nothing says whether it is right."""
        header, _, nonce = self._unprotect(packet, number_at)
        counter = modes.CTR(nonce + b"\0\0\0\2")  # GCM's first block of text (NIST SP 800-38D section 7.1)
        return Cipher(algorithms.AES(self._key), counter).decryptor().update(packet[len(header) :])

    def _unprotect(self, packet: bytes, number_at: int) -> tuple[bytes, int, bytes]:
        """The header as it was, the packet's number, and the nonce (RFC 9001 sections 5.3 and 5.4.1)."""
        mask = self._mask(packet[number_at + _SAMPLE : number_at + _SAMPLE + 16])
        first = packet[0] ^ (mask[0] & 0x0F)
        size = (first & 3) + 1
        protected = packet[number_at : number_at + size]
        sent = int.from_bytes(protected, "big") ^ int.from_bytes(mask[1 : 1 + size], "big")
        header = bytes([first]) + packet[1:number_at] + sent.to_bytes(size, "big")
        number = _number(sent, size, self._largest)
        return header, number, (self._iv ^ number).to_bytes(12, "big")


def _number(sent: int, size: int, largest: int) -> int:
    """The packet number that its lowest octets mean (RFC 9000 appendix A.3)."""
    window = 1 << 8 * size
    expected = largest + 1
    number = expected & -window | sent
    if number <= expected - window // 2:
        return number + window
    if number > expected + window // 2 and number >= window:
        return number - window
    return number

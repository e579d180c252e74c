"""How captures begin. A module of its own: who asks only this loads no compiled loops."""

from __future__ import annotations

PCAP: dict[bytes, tuple[str, int, int]] = {
    b"\xa1\xb2\xc3\xd4": ("big", 1000, 16), b"\xd4\xc3\xb2\xa1": ("little", 1000, 16),
    b"\xa1\xb2\x3c\x4d": ("big", 1, 16), b"\x4d\x3c\xb2\xa1": ("little", 1, 16),
    b"\xa1\xb2\xcd\x34": ("big", 1000, 24), b"\x34\xcd\xb2\xa1": ("little", 1000, 24),
}  # fmt: skip
"""Magic to byte order, nanoseconds a tick, octets of a record header (the last: Kuznetsov's)."""
PCAPNG = b"\x0a\x0d\x0d\x0a"
"""Type of a section header block, the same in both byte orders (draft-ietf-opsawg-pcapng section 4.1)."""


def is_capture(head: bytes) -> bool:
    """Whether a file's first bytes are those of pcap or pcapng."""
    return head[:4] in PCAP or head[:4] == PCAPNG

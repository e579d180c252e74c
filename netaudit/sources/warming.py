"""The first reading of a capture on a machine: kernels are compiled by two processes at once.

While this process compiles what finds messages, a child compiles what reads them, by reading one
small message of each usual kind. Both keep what they compile on disk, and later runs find it there.
"""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable
from functools import cache

import numpy as np

from netaudit.kernels import compiled

NOTICE = "The capture engine is being prepared for this computer, once; it takes about fifteen seconds."
_LIMIT_S = 120

_QUERY = bytes.fromhex("0001 0100 0001 0000 0000 0000 01 61 04 74657374 00 0001 0001")
_RESPONSE = bytes.fromhex(
    "0001 8180 0001 0002 0000 0000 01 61 04 74657374 00 0001 0001"
    "c00c 0001 0001 0000003c 0004 c0000201 c00c 0041 0001 0000003c 0003 0001 00"
)
_HELLO = bytes.fromhex("01 000035 0303" + "00" * 32 + "00 0002 1301 01 00 000a 0000 0006 0004 00 0001 61")
_REQUEST = b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"


@cache
def prepare(*, threaded: bool) -> Callable[[], None]:
    """Begin to compile where that was never done; what is returned waits for the child's half.

    Once in a process: later readings find done what this one needed.
    """
    if compiled.is_warm():
        return lambda: None
    logging.getLogger("netaudit").info(NOTICE)
    if not threaded or not compiled.claim():
        return compiled.keep_warm
    try:
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", __name__],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except OSError:  # no second process to be had: this one compiles everything
        return compiled.keep_warm

    @cache
    def wait() -> None:
        try:
            child.wait(_LIMIT_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        compiled.keep_warm()

    return wait


def read_samples() -> None:
    """Send one message of each usual kind through its protocol, so that its kernels are compiled."""
    from netaudit.intake.tally import Tally
    from netaudit.kernels import quic
    from netaudit.kernels.octets import octets_of
    from netaudit.kernels.packet import MESSAGE, TCP, UDP, Kind
    from netaudit.sources.inference import Answers
    from netaudit.sources.messages import Messages
    from netaudit.sources.protocols import dns, http, tls
    from netaudit.sources.protocols import quic as quic_protocol

    given = [
        (Kind.DNS, UDP, _QUERY), (Kind.DNS, UDP, _RESPONSE), (Kind.TLS, TCP, _HELLO),
        (Kind.HTTP, TCP, _REQUEST), (Kind.QUIC, UDP, _HELLO),
    ]  # fmt: skip
    rows = np.zeros(len(given), MESSAGE)
    for number, (kind, transport, data) in enumerate(given):
        rows[number]["kind"], rows[number]["protocol"], rows[number]["length"] = kind, transport, len(data)
        rows[number]["at"] = sum(len(data) for _, _, data in given[:number])
    messages = Messages(rows, octets_of(b"".join(data for _, _, data in given)), 0)
    for protocol in (dns.PROTOCOL, tls.PROTOCOL, http.PROTOCOL, quic_protocol.PROTOCOL):
        reader = protocol.open(Tally.of_nothing())
        for _ in (*reader.read(messages.of(protocol.takes)), *reader.close()):
            pass
    none, address = np.zeros(0, np.int64), np.zeros((0, 16), np.uint8)
    answers = Answers()
    answers.learn(address, _nothing(), address, none)
    answers.infer(address, address, none)
    octets = np.zeros(8, np.uint8)
    quic.put_together(messages.arena, none, none, none, octets, octets, none, none)


def _nothing() -> object:
    import pyarrow as pa

    return pa.array([], pa.string())


if __name__ == "__main__":
    read_samples()

"""tshark's reading of a capture as JSON lines: a program of its own, run by `workflow.second_opinion`.

``python -m netaudit.intake.tshark FILE PACKETS MEMORY`` sets its own limits, which tshark inherits,
and lets pyshark run it. It imports nothing that is large, so that the limit is tshark's. Each line is
one name that tshark read, the last line says how it ended.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import Iterator
from typing import Any

FILTER: str = (
    "dns || mdns || llmnr || tls.handshake.type == 1 || dtls.handshake.type == 1 || gquic.tag.sni"
    " || http.request.method || http2.headers.method"
)
PREFERENCES = {
    "tcp.reassemble_out_of_order": "TRUE",
    "tcp.check_checksum": "FALSE",
    "udp.check_checksum": "FALSE",
    "ip.check_checksum": "FALSE",
}
MAX_FILE = 64 << 20
"""Octets of any file that it or tshark writes: more than its own caches need."""
_DNS = ("dns", "mdns", "llmnr")
_SECURE = ("tls", "dtls", "quic", "gquic")
_NAMES = (
    ("dns", (*_DNS, "http2"), "dns.qry.name"),  # within HTTP/2: DNS over HTTP
    ("tls", ("tls", "dtls"), "tls.handshake.extensions_server_name"),
    ("tls", ("tls", "dtls"), "dtls.handshake.extensions_server_name"),
    ("quic", ("quic", "gquic"), "tls.handshake.extensions_server_name"),
    ("quic", ("quic", "gquic"), "gquic.tag.sni"),
    ("http", ("http",), "http.host"),
    ("http", ("http2",), "http2.headers.authority"),
)
"""Kind of event, layers, and the field that holds the name."""


def main(path: str, packets: int, memory: int) -> None:
    """Print what tshark reads in the first `packets` packets of `path` (0 = all)."""
    _limit(memory)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    end: dict[str, Any] = {"end": "whole"}
    try:
        for row in _rows(path, packets, loop):
            print(json.dumps(row))  # noqa: T201 -- this is the program's output
    except Exception as failure:  # noqa: BLE001 -- whatever happens in there, the caller is told
        end = {"end": "failed", "reason": str(failure) or type(failure).__name__}
    print(json.dumps(end), flush=True)  # noqa: T201


def _limit(memory: int) -> None:
    """Bounds for this process and what it starts, where the system has them."""
    if os.name == "posix":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_FILE, MAX_FILE))


def _rows(path: str, packets: int, loop: asyncio.AbstractEventLoop) -> Iterator[dict[str, Any]]:
    import pyshark

    class Capture(pyshark.FileCapture):  # type: ignore[misc]
        """Waits for tshark's own end: pyshark would kill it, and take a crash for an end."""

        exit_code = 0

        def _created_new_process(self, parameters: Any, process: Any, process_name: str = "") -> None:  # noqa: ARG002
            self._running_processes.add(process)

        async def _cleanup_subprocess(self, process: asyncio.subprocess.Process) -> None:
            self.exit_code = await process.wait()

    capture = Capture(
        path,
        tshark_path=shutil.which("tshark"),
        keep_packets=False,
        display_filter=FILTER,
        override_prefs=PREFERENCES,
        custom_parameters=["-c", str(packets)] if packets else None,
        eventloop=loop,
    )
    for packet in capture:
        yield from _names(int(packet.number), packet.layers)
    capture.close()
    if capture.exit_code:
        raise ChildProcessError(f"exit code {capture.exit_code}: {capture._last_error_line}")  # noqa: SLF001 -- no other way


def _names(number: int, layers: list[Any]) -> Iterator[dict[str, Any]]:
    """What tshark names in one packet, layer by layer: addresses are those of the nearest IP before."""
    flags = []
    if any(layer.layer_name.startswith("_ws.malformed") for layer in layers):
        flags.append("malformed")
    ends, ports, secure = ("", ""), (0, 0), False
    for layer in layers:
        name = layer.layer_name
        if name in {"ip", "ipv6"}:
            ends = (_first(layer, f"{name}.src"), _first(layer, f"{name}.dst"))
            secure = False
        elif name in {"tcp", "udp"}:
            ports = (int(_first(layer, f"{name}.srcport") or 0), int(_first(layer, f"{name}.dstport") or 0))
        elif name in {"icmp", "icmpv6"}:
            flags.append("quoted")
        for kind, found, back in _of_layer(layer):
            row = {"packet": number, "kind": kind, "client": ends[back], "server": ends[1 - back]}
            ways = [*flags, *(["decrypted"] if secure and name not in _SECURE else [])]
            yield row | {"name": found, "port": ports[1 - back], "flags": ways}
        secure = secure or name in _SECURE


def _of_layer(layer: Any) -> Iterator[tuple[str, str, bool]]:
    """Kind and name, and whether the packet went back to the client."""
    name = layer.layer_name
    if name == "http" and not _first(layer, "http.request.method"):
        return  # a response: tshark repeats the request's host in it
    answered = _first(layer, "dns.flags.response") in {"1", "True"}
    for kind, layers, field in _NAMES:
        if name in layers:
            for found in _all(layer, field):
                yield kind, found, answered and kind == "dns"


def _all(layer: Any, name: str) -> list[str]:
    field = layer.get_field(name)
    return [one.show or "" for one in field.all_fields] if field is not None else []


def _first(layer: Any, name: str) -> str:
    return next(iter(_all(layer, name)), "")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))

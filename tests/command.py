"""The command line within the tests' own process."""

from __future__ import annotations

import contextlib
import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from unittest import mock

from netaudit.cli import main


@dataclass
class Run:
    returncode: int
    stdout: str
    stderr: str


def netaudit(*arguments, cwd, lang="en", stdin=None):
    """The command line within this process: the same `main`, without a second start of Python."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in range(2))
    given = io.TextIOWrapper(io.BytesIO((stdin or "").encode()), encoding="utf-8")
    with (
        contextlib.chdir(cwd),
        redirect_stdout(out),
        redirect_stderr(err),
        mock.patch.object(sys, "stdin", given),
    ):
        try:
            main(["--lang", lang, *map(str, arguments)])
        except SystemExit as stop:
            code = stop.code
    texts = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode("utf-8"))
    return Run(code, *texts)

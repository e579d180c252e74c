"""How kernels are compiled: by Numba, once for this machine, and kept on disk afterwards.

Compiled code is kept in a folder of the user's cache that is named after the kernels' own text, so
that no change of a kernel can meet machine code of an older one. Where no such folder can be
written, each run compiles anew.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _cache_folder() -> Path | None:
    text = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        text.update(source.read_bytes())
    root = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    folder = Path(root).expanduser() / "netaudit" / f"kernels-{text.hexdigest()[:16]}"
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) and _is_ours_alone(folder) else None


def _is_ours_alone(folder: Path) -> bool:
    """Whether nobody else can put machine code there: what is kept is run again without being looked at."""
    if not hasattr(os, "getuid"):
        return True  # Windows keeps a user's profile to the user
    return all(
        status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        for status in (folder.stat(), folder.parent.stat())
    )


FOLDER = _cache_folder()
"""Where compiled kernels are kept; None where nothing can be."""
if FOLDER is not None:
    numba.config.CACHE_DIR = str(FOLDER)


def kernel(function: _Function) -> _Function:
    """Compile a function at its first call; it runs without Python's lock and raises nothing."""
    return _compiled(function, no_cfunc_wrapper=True)


def part(function: _Function) -> _Function:
    """Compile a function that only kernels call: it has no door for Python, which takes half the time."""
    return _compiled(function, no_cfunc_wrapper=True, no_cpython_wrapper=True)


def _compiled(function: _Function, **options: bool) -> _Function:
    compiled = numba.njit(cache=FOLDER is not None, nogil=True, error_model="numpy", _nrt=False, **options)(
        function
    )
    resolve = compiled.get_call_template

    def for_any_value(arguments: Any, keywords: Any) -> Any:
        # Numba would compile `f(packet, 14)` and `f(packet, 20)` apart
        return resolve(tuple(map(numba.types.unliteral, arguments)), keywords)

    compiled.get_call_template = for_any_value
    result: _Function = compiled
    return result


_MARK, _CLAIM = "complete", "begun"


def is_warm() -> bool:
    """Whether everything that reading a usual capture needs was compiled before."""
    return FOLDER is not None and (FOLDER / _MARK).exists()


def claim() -> bool:
    """Whether nobody else has begun to compile everything ahead; from now on somebody has."""
    if FOLDER is None:
        return False
    try:
        (FOLDER / _CLAIM).touch(exist_ok=False)
    except OSError:
        return False
    return True


def keep_warm() -> None:
    """Note that it is."""
    if FOLDER is not None:
        (FOLDER / _MARK).touch()

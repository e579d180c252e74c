"""How kernels are compiled: by Numba, once for this machine, and kept on disk afterwards.

Compiled code is kept in a folder of the user's cache that is named after the kernels' own text, so
that no change of a kernel can meet machine code of an older one. Where no such folder can be
written, each run compiles anew.
"""

from __future__ import annotations

import hashlib
import os
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
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


FOLDER = _cache_folder()
"""Where compiled kernels are kept; None where nothing can be."""
if FOLDER is not None:
    numba.config.CACHE_DIR = str(FOLDER)


def kernel(function: _Function) -> _Function:
    """Compile a function at its first call; it runs without Python's lock and raises nothing."""
    compiled: _Function = numba.njit(cache=FOLDER is not None, nogil=True, error_model="numpy")(function)
    return compiled


def is_cold() -> bool:
    """Whether the next call of a kernel may have to compile first."""
    return FOLDER is None or not any(FOLDER.rglob("*.nbi"))

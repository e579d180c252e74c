"""Families of one-file members: found by listing their folder, sorted, unique."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import Any


@cache
def discover(package: str, attribute: str = "FORMAT") -> dict[str, Any]:
    """The members of a family by module name, sorted.

    Args:
        package: Dotted name of the package whose modules are the members.
        attribute: The one public name each member defines.

    Returns:
        ``{module name: member}``; a member whose module name starts with ``_`` is not one.

    Raises:
        AttributeError: A member does not define `attribute` (a defect, caught by tests).
    """
    root = importlib.import_module(package)
    names = sorted(m.name for m in pkgutil.iter_modules(root.__path__) if not m.name.startswith("_"))
    return {name: getattr(importlib.import_module(f"{package}.{name}"), attribute) for name in names}

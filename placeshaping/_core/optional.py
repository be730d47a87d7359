"""Packages that only some users need."""

from __future__ import annotations

import importlib
from typing import Any

from placeshaping._core.errors import MissingExtraError


def require(module: str, *, extra: str) -> Any:
    """
    Import a module of an optional dependency, or say how to install it.

    Examples
    --------
    >>> require("json", extra="test").dumps([1])
    '[1]'
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        msg = (
            f"This needs the package {module.partition('.')[0]!r}, which is not installed. "
            f"Install it with: python -m pip install 'placeshaping[{extra}]'"
        )
        raise MissingExtraError(msg) from error

"""Words that sentences share: areas by their names, and what was counted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, Union

if TYPE_CHECKING:
    import pandas as pd

Names: TypeAlias = Union[Mapping[Any, str], "pd.Series[str]"]
"""Names of areas by their code."""

_HEAD = re.compile(r"^(.*?)(?= (?:of|from|in|at|by|for|on|to|with)\b|$)")
_COUNTABLE = ("crime", "theft", "offence")
_PLURAL = ("people", "children", "men", "women", "persons")
_MASS = ("drugs", "news")


def name_areas(codes: Iterable[object], names: Names | None) -> list[str]:
    """
    Write areas by their names where those are known, else by their codes.

    Examples
    --------
    >>> name_areas(["a", "b"], {"a": "Marsh 001A"})
    ['Marsh 001A', 'b']
    """
    known = {} if names is None else {code: name for code, name in names.items() if name == name}
    return [str(known.get(code, code)) for code in codes]


def uncapitalised(what: str) -> str:
    """
    Write a label as it stands within a sentence.

    Examples
    --------
    >>> uncapitalised("Vehicle crime"), uncapitalised("ASB calls")
    ('vehicle crime', 'ASB calls')
    """
    told = what.strip()
    return f"{told[:1].lower()}{told[1:]}" if told[1:2].islower() else told


def in_plural(what: str) -> str:
    """
    Write what was counted so that a number can stand before it.

    A plural stays; what has none, as shoplifting, becomes "records of" it.

    Examples
    --------
    >>> [in_plural(what) for what in ("burglaries", "Shoplifting", "Vehicle crime", "Drugs")]
    ['burglaries', 'records of shoplifting', 'vehicle crimes', 'records of drugs']
    """
    told = uncapitalised(what)
    found = _HEAD.match(told)
    head = found.group(1) if found else told
    last = head.rsplit(" ", 1)[-1]
    if last in _COUNTABLE:
        return f"{head}s{told[len(head) :]}"
    plural = last in _PLURAL or (last.endswith("s") and not last.endswith("ss"))
    return told if plural and last not in _MASS else f"records of {told}"

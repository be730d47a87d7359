"""Which districts a place holds: a district, a police force, a partnership or a county."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from placeshaping._core.checks import listed, near_names
from placeshaping._core.errors import InputError
from placeshaping.sources.police_files import force_key

_LEVELS = {
    "LAD": "district",
    "CSP": "community safety partnership",
    "PFA": "police force",
    "CTY": "county",
}
_CODE = re.compile(r"^(LAD|CSP|PFA|CTY)(\d\d)CD$", re.IGNORECASE)


@dataclass(frozen=True)
class Place:
    """
    A place and its districts.

    Attributes
    ----------
    name, level
        What it is called and what it is.
    districts
        Code and name of each of its districts.
    """

    name: str
    level: str
    districts: frozenset[tuple[str, str]]


def find_districts(
    within: Sequence[str], lookups: Sequence[pd.DataFrame]
) -> tuple[list[tuple[str, str]], list[str]]:
    """
    Find the districts of the places named.

    Where a name stands for several places of which one holds the others (the
    county of Essex lies in the area of Essex Police), the widest is taken:
    a narrower selection can be made from it later. A level before the name
    (``"county: Essex"``) settles it.

    Parameters
    ----------
    within
        Names or codes of places.
    lookups
        Tables with columns like ``LAD24CD``, ``LAD24NM``, ``PFA24CD``, ``PFA24NM``.

    Returns
    -------
    districts, notes
        Code and name of each district, and what was chosen between.

    Raises
    ------
    InputError
        If a name is not known, or stands for places that do not hold each other.

    Examples
    --------
    >>> lookup = pd.DataFrame({"LAD24CD": ["E07000071"], "LAD24NM": ["Colchester"],
    ...                        "PFA24CD": ["E23000028"], "PFA24NM": ["Essex"]})
    >>> find_districts(["essex"], [lookup])
    ([('E07000071', 'Colchester')], [])
    """
    places = [place for lookup in lookups for place in _places(lookup)]
    found: set[tuple[str, str]] = set()
    notes = []
    for name in within:
        place, note = _one_place(places, name)
        found |= place.districts
        notes += note
    return sorted(found), notes


def _places(lookup: pd.DataFrame) -> list[Place]:
    columns = {m[1].upper(): str(m[0]) for c in lookup.columns if (m := _CODE.match(str(c)))}
    if "LAD" not in columns:
        return []
    table = lookup.astype("str")
    district = list(zip(table[columns["LAD"]], table[_name(columns["LAD"])], strict=True))
    found = []
    for prefix, level in _LEVELS.items():
        if prefix not in columns:
            continue
        keys = zip(table[columns[prefix]], table[_name(columns[prefix])], strict=True)
        groups: dict[tuple[str, str], set[tuple[str, str]]] = {}
        for key, one in zip(keys, district, strict=True):
            groups.setdefault(key, set()).add(one)
        for (code, name), held in groups.items():
            found += [Place(name, level, frozenset(held)), Place(code, level, frozenset(held))]
    return found


def _name(code_column: str) -> str:
    return code_column[:-2] + ("NM" if code_column[-2:].isupper() else "nm")


def _is_called(place: Place, name: str) -> bool:
    if place.name.casefold() == name.casefold():
        return True
    police = place.level == "police force" and "police" in name.casefold()
    return police and force_key(place.name) == force_key(name)


def _one_place(places: Sequence[Place], asked: str) -> tuple[Place, list[str]]:
    level, _, rest = asked.partition(":")
    named = rest.strip() if rest and level.strip().casefold() in _LEVELS.values() else asked.strip()
    wanted = level.strip().casefold() if named != asked.strip() else None
    matching = [
        place for place in places if _is_called(place, named) and wanted in {None, place.level}
    ]
    if not matching:
        known = sorted({place.name for place in places})
        near = near_names(named, known)
        hint = f"Did you mean {listed(near)}?" if near else "Give a district, force or county."
        msg = f"{asked!r} is no place that is known. {hint}"
        raise InputError(msg)
    widest = max(matching, key=lambda place: len(place.districts))
    others = [
        p for p in matching if {d for d, _ in p.districts} != {d for d, _ in widest.districts}
    ]
    apart = [
        p for p in others if not {d for d, _ in p.districts} < {d for d, _ in widest.districts}
    ]
    if apart:
        levels = listed(sorted({p.level for p in matching}))
        msg = (
            f"{asked!r} stands for different places ({levels}). "
            f"Say which, for instance '{widest.level}: {named}'."
        )
        raise InputError(msg)
    notes = [
        f"{widest.name} is taken as the {widest.level} ({len(widest.districts):,} districts), not "
        f"the {p.level} ({len(p.districts):,} districts); '{p.level}: {named}' asks for that."
        for p in others
    ]
    return widest, list(dict.fromkeys(notes))

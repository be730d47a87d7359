"""Which files of a police.uk download hold what was asked for, going by their names."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from placeshaping._core.checks import listed
from placeshaping._core.errors import DuplicateError, EmptyError, RecipeError
from placeshaping.sources.archives import Member, list_members
from placeshaping.sources.police_files import force_key

_STREET = re.compile(r"^(\d{4}-\d{2})-(.+)-street\.csv$", re.IGNORECASE)
_MONTH = re.compile(r"^\d{4}-(0[1-9]|1[0-2])$")


def check_months(months: tuple[str, str] | None) -> tuple[str, str] | None:
    """
    Refuse a span of months that cannot be one.

    Parameters
    ----------
    months
        First and last month, or ``None`` for all.

    Returns
    -------
    months
        The same.

    Raises
    ------
    RecipeError
        If one is no month like ``"2023-01"``, or the first comes after the last.

    Examples
    --------
    >>> check_months(("2023-01", "2025-12"))
    ('2023-01', '2025-12')
    """
    if months is None:
        return None
    first, last = months
    for month in (first, last):
        if not _MONTH.match(month):
            msg = f"{month!r} is not a month. Write it as 2023-01."
            raise RecipeError(msg)
    if first > last:
        msg = f"The first month, {first}, comes after the last, {last}. Exchange them."
        raise RecipeError(msg)
    return first, last


def force_in_name(name: str) -> str | None:
    """
    Return the force that the name of a street-level file states.

    Parameters
    ----------
    name
        Base name of the file.

    Returns
    -------
    force
        As in the name; ``None`` where it states none.

    Examples
    --------
    >>> force_in_name("2024-01-west-mercia-street.csv"), force_in_name("crimes.csv")
    ('west-mercia', None)
    """
    found = _STREET.match(name)
    return None if found is None else found.group(2)


def street_members(path: Path) -> list[Member]:
    """
    List the street-level files of a download.

    Parameters
    ----------
    path
        A ZIP archive, a folder, or one CSV file of any name.

    Returns
    -------
    members
        In the order of their paths.

    Raises
    ------
    EmptyError
        If there is none.
    DuplicateError
        If one name stands twice.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for kind in ("street", "outcomes"):
    ...         _ = (Path(folder) / f"2024-01-essex-{kind}.csv").write_text("Month")
    ...     [member.name for member in street_members(Path(folder))]
    ['2024-01-essex-street.csv']
    """
    found = list_members(path)
    street = [member for member in found if member.name.casefold().endswith("-street.csv")]
    if not street and path.is_file() and len(found) == 1 and found[0].inside is None:
        return found  # a single CSV file may have any name
    if not street:
        names = [member.name for member in found]
        held = f"it holds {listed(names)}" if names else "it holds no CSV file"
        msg = (
            f"{path.name} has no street-level file (named like 2024-01-essex-street.csv); {held}. "
            "Tick 'Include crime data' when downloading from data.police.uk."
        )
        raise EmptyError(msg)
    names = [member.name.casefold() for member in street]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        places = [member.place for member in street if member.name.casefold() == twice[0]]
        msg = (
            f"{len(twice):,} files stand more than once under {path.name} ({listed(twice)}), "
            f"for example as {listed(places)}. Keep one of each, or every record counts twice."
        )
        raise DuplicateError(msg)
    return street


def select_members(
    members: list[Member],
    span: tuple[str, str] | None,
    wanted: Mapping[str, str] | None,
    *,
    where: str,
) -> list[Member]:
    """
    Keep the files that can hold something wanted, going by their names.

    Parameters
    ----------
    members
        From `street_members`.
    span
        First and last month, or ``None`` for all.
    wanted
        Forces by their `force_key`, as they were asked for; ``None`` for all.
    where
        Name of the download, for messages.

    Returns
    -------
    chosen
        In their order.

    Raises
    ------
    EmptyError
        If there is none, or a force asked for has none.

    Examples
    --------
    >>> names = ["2024-01-essex-street.csv", "2024-02-essex-street.csv"]
    >>> members = [Member(name, Path("crime.zip"), name) for name in names]
    >>> [m.name for m in select_members(members, ("2024-02", "2024-03"), None, where="crime.zip")]
    ['2024-02-essex-street.csv']
    """
    chosen, held_months, held_forces = [], set(), set()
    for member in members:
        found = _STREET.match(member.name)
        if found is None:
            chosen.append(member)
            continue
        month, force = found.groups()
        held_months.add(month)
        held_forces.add(force)
        in_span = span is None or span[0] <= month <= span[1]
        if in_span and (wanted is None or force_key(force) in wanted):
            chosen.append(member)
    if not chosen:
        asked = selection_told(span, wanted)
        held = f"{months_told(held_months)} of {listed(sorted(held_forces))}"
        msg = f"{where} has nothing of the selection ({asked}). It holds {held}."
        raise EmptyError(msg)
    if wanted is not None and held_forces:
        absent = [name for key, name in wanted.items() if key not in map(force_key, held_forces)]
        if absent and len(chosen) == len([m for m in chosen if _STREET.match(m.name)]):
            msg = f"{where} has no force {listed(absent)}. It holds {listed(sorted(held_forces))}."
            raise EmptyError(msg)
    return chosen


def selection_told(span: tuple[str, str] | None, wanted: Mapping[str, str] | None) -> str:
    """
    Say in a message which months and forces were asked for.

    Parameters
    ----------
    span, wanted
        As in `select_members`.

    Returns
    -------
    told
        Nothing where all were.

    Examples
    --------
    >>> selection_told(("2024-02", "2024-03"), {"essex": "Essex Police"})
    '2024-02 to 2024-03, Essex Police'
    """
    asked = [] if span is None else [f"{span[0]} to {span[1]}"]
    return ", ".join([*asked, *(wanted or {}).values()])


def months_told(months: Collection[str]) -> str:
    """
    Say in a message which months a download holds.

    Parameters
    ----------
    months
        Distinct months like ``"2024-01"``.

    Returns
    -------
    told
        First, last, and how many.

    Examples
    --------
    >>> months_told({"2024-02", "2024-01"})
    '2024-01 to 2024-02 (2 months)'
    """
    return f"{min(months)} to {max(months)} ({len(months):,} months)" if months else "no month"

"""Checks at the public door. Each message says how many, which, and what to do."""

from __future__ import annotations

import difflib
import operator
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from placeshaping._core.errors import (
    ColumnError,
    DuplicateError,
    InputError,
    LockedFileError,
    MissingFileError,
)

if TYPE_CHECKING:
    import pandas as pd


def near_names(name: str, known: Iterable[str], *, most: int = 3) -> list[str]:
    """
    Return the known names that look most like `name`, best first.

    Examples
    --------
    >>> near_names("Longtitude", ["Latitude", "Longitude", "Month"])
    ['Longitude', 'Latitude']
    """
    folded = {str(k).casefold(): str(k) for k in known}
    found = difflib.get_close_matches(name.casefold(), list(folded), n=most, cutoff=0.6)
    return [folded[f] for f in found]


def listed(names: Sequence[object], *, most: int = 5) -> str:
    """
    Write a few names out and count the rest.

    Examples
    --------
    >>> listed(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    shown = ", ".join(str(name) for name in names[:most])
    rest = len(names) - most
    return f"{shown} and {rest:,} more" if rest > 0 else shown


def check_file(path: str | Path) -> Path:
    """
    Return the path of a file or folder that can be read; name near ones where there is none.

    Raises
    ------
    MissingFileError
        If there is nothing at `path`.
    LockedFileError
        If it cannot be opened: held by another program, not permitted, or
        kept in a cloud that is out of reach.
    """
    path = Path(path)
    try:
        return _opened(path)
    except OSError as error:
        msg = (
            f"{path.name} cannot be opened ({error.strerror or error}). Close it in the other "
            "program, or check your rights to it and that it is stored on this machine."
        )
        raise LockedFileError(msg) from error


def _opened(path: Path) -> Path:
    if path.is_file():
        with path.open("rb") as stream:
            stream.read(1)  # a file that a cloud has yet to bring fails here, not on opening
        return path
    if path.exists():
        return path
    if not path.parent.is_dir():
        msg = f"{path.name}: no such file, nor its folder {path.parent}. Check the path."
        raise MissingFileError(msg)
    near = near_names(path.name, [p.name for p in path.parent.iterdir()])
    hint = f" Did you mean {listed(near)}?" if near else " Check the name."
    msg = f"{path.name}: no such file in {path.parent.resolve().name or path.parent}.{hint}"
    raise MissingFileError(msg)


def check_columns(present: Iterable[object], needed: Iterable[str], *, where: str) -> None:
    """
    Refuse a table that lacks a column, suggesting the names nearest to it.

    Raises
    ------
    ColumnError
        If a needed column is missing.

    Examples
    --------
    >>> check_columns(["Month", "Longtitude"], ["Longitude"], where="x.csv")
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.ColumnError: x.csv has no column 'Longitude'. Did you mean ...
    """
    names = [str(name) for name in present]
    for column in needed:
        if column in names:
            continue
        near = near_names(column, names)
        hint = f"Did you mean {listed(near)}?" if near else f"It has: {listed(names, most=12)}."
        msg = f"{where} has no column {column!r}. {hint}"
        raise ColumnError(msg)


def check_choice(value: object, choices: Sequence[object], *, name: str) -> None:
    """
    Refuse an option that is none of its choices.

    Raises
    ------
    InputError
        If it is another.

    Examples
    --------
    >>> check_choice("keep", ["raise", "drop"], name="outside")
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.InputError: outside is 'keep'. Give 'raise' or 'drop'.
    """
    if value not in choices:
        *others, last = [repr(choice) for choice in choices]
        msg = f"{name} is {value!r}. Give {', '.join(others)}{' or ' if others else ''}{last}."
        raise InputError(msg)


def check_whole(value: object, *, name: str, least: int = 1) -> int:
    """
    Return a whole number as such; refuse fractions and numbers below the least.

    Raises
    ------
    InputError
        If it is neither.

    Examples
    --------
    >>> check_whole(1.5, name="k")
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.InputError: k is 1.5. Give a whole number of 1 or more.
    """
    try:
        whole = None if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        whole = None
    if whole is None or whole < least:
        msg = f"{name} is {value!r}. Give a whole number of {least:,} or more."
        raise InputError(msg)
    return whole


def check_unique(index: pd.Index, *, where: str, what: str = "area codes") -> None:
    """
    Refuse an index in which a label stands twice.

    Raises
    ------
    DuplicateError
        If a label is repeated.
    """
    if index.is_unique:
        return
    repeated = index[index.duplicated()].unique()
    msg = (
        f"{where}: {len(repeated):,} {what} stand more than once ({listed(list(repeated))}). "
        "Keep one row for each, or dissolve them first."
    )
    raise DuplicateError(msg)


def check_labelled(values: object, *, name: str) -> None:
    """
    Refuse numbers without area codes.

    Raises
    ------
    InputError
        If `values` is no pandas Series or table.

    Examples
    --------
    >>> check_labelled([3, 4], name="count")
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.InputError: count is a list, without area codes. Give a pandas ...
    """
    if hasattr(getattr(values, "index", None), "is_unique"):
        return
    msg = (
        f"{name} is a {type(values).__name__}, without area codes. Give a pandas Series (or a "
        "table) indexed by area code."
    )
    raise InputError(msg)


def check_result(
    result: pd.DataFrame, *, made_by: str, columns: Iterable[str] = (), facts: Iterable[str] = ()
) -> None:
    """
    Refuse to describe a table that the function named did not make.

    Raises
    ------
    InputError
        If a column is missing, or what stood beside the table in ``attrs``.
    """
    present = [str(name) for name in getattr(result, "columns", ())]
    lost = [name for name in columns if name not in present]
    lost += [f"attrs[{name!r}]" for name in facts if name not in getattr(result, "attrs", {})]
    if not lost:
        return
    msg = (
        f"This is not what {made_by} gives: it lacks {listed(lost)}. Describe the result as it "
        "was; merging it with another table, or writing it to a file, loses what stood in attrs."
    )
    raise InputError(msg)

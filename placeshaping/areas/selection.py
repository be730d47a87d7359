"""Choosing areas by the name or code of a place that holds them."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from placeshaping._core.checks import check_columns, listed, near_names
from placeshaping._core.errors import InputError
from placeshaping.areas.lookups import other_code


def codes_within(
    lookup: pd.DataFrame, names: Sequence[str], *, level: str | None = None
) -> pd.Index:
    """
    Find the areas that lie in the places named.

    Parameters
    ----------
    lookup
        Table indexed by ``area_code``, from `areas.lookups.make_lookup`.
    names
        Names or codes of places at any level of the lookup, or codes of the
        areas themselves; upper and lower case are one, and so are the two
        codes of a recoded district (Barnsley, Sheffield).
    level
        The level that is meant (``"district"``), where a name stands for
        different places at several.

    Returns
    -------
    codes
        Area codes in the order of `lookup`.

    Raises
    ------
    InputError
        If a name is not known (near ones are suggested), or stands for more
        than one place.

    Examples
    --------
    >>> code = pd.Index(["E01000001", "E01000002"], name="area_code")
    >>> districts = {"district_code": ["E07000071", "E07000076"]}
    >>> lookup = pd.DataFrame(districts, index=code)
    >>> lookup["district_name"] = ["Colchester", "Tendring"]
    >>> codes_within(lookup, ["colchester"]).tolist()
    ['E01000001']
    """
    levels = [str(c).removesuffix("_code") for c in lookup.columns if str(c).endswith("_code")]
    if level is not None:
        check_columns(lookup.columns, [f"{level}_code"], where="The lookup")
        levels = [level]
    if isinstance(names, str):
        names = [names]
    chosen = pd.Series(False, index=lookup.index)
    for name in names:
        chosen |= _inside(lookup, levels, name, own_codes=level is None)
    return lookup.index[chosen]


def _inside(
    lookup: pd.DataFrame, levels: Sequence[str], name: str, *, own_codes: bool
) -> pd.Series[bool]:
    """Tell which areas lie in the one place of that name."""
    name = str(name).strip()
    sought = name.casefold()
    found: dict[str, pd.Series[bool]] = {}
    for level in levels:
        inside = _matches(lookup[f"{level}_code"], sought)
        if not inside.any():
            inside = _matches(lookup[f"{level}_code"], other_code(name))
        if f"{level}_name" in lookup:
            inside |= _matches(lookup[f"{level}_name"], sought)
        if inside.any():
            found[level] = inside
    if own_codes:
        own = _matches(lookup.index.to_series(), sought)
        if own.any():
            return own
    if not found:
        raise InputError(_unknown(lookup, levels, name))
    for level, inside in found.items():
        _check_one_place(lookup.loc[inside, f"{level}_code"], level, name)
    first, *others = found.values()
    if any(not first.equals(other) for other in others):
        msg = (
            f"{name!r} stands for different places at the levels {listed(list(found))}. "
            f"Say which one with level, for instance level={list(found)[-1]!r}, or give its code."
        )
        raise InputError(msg)
    return first


def _matches(values: pd.Series[str], sought: str | None) -> pd.Series[bool]:
    if not sought:
        return pd.Series(False, index=values.index)
    return values.astype("str").str.casefold().eq(sought).fillna(False).astype(bool)


def _check_one_place(codes: pd.Series[str], level: str, name: str) -> None:
    places = sorted(codes.dropna().unique())
    if len(places) > 1:
        msg = (
            f"{name!r} is the name of {len(places):,} places of level {level!r} "
            f"({listed(places)}). Give the code of the one that is meant."
        )
        raise InputError(msg)


def _unknown(lookup: pd.DataFrame, levels: Sequence[str], name: str) -> str:
    columns = [f"{level}_{part}" for level in levels for part in ("name", "code")]
    known = {
        str(value)
        for column in columns
        if column in lookup
        for value in lookup[column].dropna().unique()
    }
    near = near_names(name, sorted(known))
    hint = f"Did you mean {listed(near)}?" if near else f"Levels searched: {listed(list(levels))}."
    return f"{name!r} is no place in the lookup. {hint}"

"""
Names and pen portraits of segments, drafted from what sets each apart.

Drafts, for somebody who knows the place to read: neutral words, each with its
number beside that of all areas.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from placeshaping._core.checks import check_columns

APART = 0.5
"""Standard deviations of the areas from which a group is said to have more or fewer."""

WORTH_SAYING = 0.05
"""Share of the average that it must differ by as well: what nobody would notice is not said."""

ALIKE = 0.2
"""Standard deviations under which it is said to be near the average."""

IN_A_NAME = 2
IN_A_PORTRAIT = 3
AVERAGE = "Near the average"
NOTHING = "Near the average in all that was compared."


def draft_portraits(
    profile: pd.DataFrame,
    segments: pd.DataFrame,
    *,
    units: Mapping[str, str] | None = None,
    residents: pd.Series[float] | None = None,
) -> pd.DataFrame:
    """
    Draft a name and a pen portrait of each group.

    Parameters
    ----------
    profile
        From `profile_segments`. Its variables are named as they shall be read:
        ``"homes rented privately"``.
    segments
        From `make_segments`.
    units
        Variable -> what stands behind its numbers; ``"%"`` where not given.
    residents
        By area, to say how many live in each group.

    Returns
    -------
    portraits
        Indexed by group: `name` (unlike the others'), `portrait` (sentences),
        `summary` (a short one), `areas` and, where known, `residents`.

    Raises
    ------
    ColumnError
        If a table is not of the function named.

    Examples
    --------
    >>> profile = pd.DataFrame(
    ...     {"segment": ["A", "B"], "variable": "homes rented privately", "mean": [38.2, 12.0],
    ...      "everywhere": 21.0, "times": [1.82, 0.57], "deviations": [1.4, -0.8]}
    ... )
    >>> segments = pd.DataFrame({"segment": pd.Categorical(["A", "B", "B"])}, list("xyz"))
    >>> drafts = draft_portraits(profile, segments)
    >>> drafts["name"].tolist()
    ['More homes rented privately', 'Fewer homes rented privately']
    >>> drafts.loc["A", "portrait"]
    '1 of 3 areas. More homes rented privately (38.2%, 1.8 times the average of 21.0%).'
    """
    check_columns(segments.columns, ["segment"], where="segments")
    needed = ["segment", "variable", "mean", "everywhere", "times", "deviations"]
    check_columns(profile.columns, needed, where="profile")
    group = segments["segment"].dropna()
    rows = {}
    names: list[str] = []
    for letter in group.cat.categories:
        own = profile[profile["segment"] == letter].dropna(subset=["deviations"])
        own = own.iloc[np.argsort(-own["deviations"].abs().to_numpy(), kind="stable")]
        members = group.index[group == letter]
        people = None if residents is None else float(residents.reindex(members).sum())
        names.append(_name(own, names))
        told = _sentences(own, units or {})
        rows[letter] = {
            "name": names[-1],
            "portrait": f"{_size(len(members), len(group), people)} {told}",
            "summary": _summary(own, units or {}),
            "areas": len(members),
            **({} if people is None else {"residents": round(people)}),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("segment")


def _name(own: pd.DataFrame, taken: list[str]) -> str:
    """Name a group by what sets it apart most, and by more where another has that name."""
    apart = own[_is_apart(own)]
    name = AVERAGE
    for many in range(min(IN_A_NAME, len(apart)), len(apart) + 1):
        parts = [_more(row) for _, row in apart.head(many).iterrows()]
        name = _capital(", ".join(parts)) if parts else _nearly(own)
        if name not in taken:
            return name
    return next(
        made
        for number in range(1, len(taken) + 2)
        if (made := name if number == 1 else f"{name} ({number})") not in taken
    )


def _nearly(own: pd.DataFrame) -> str:
    """Name a group that nobody would tell from the average at a glance."""
    if own.empty or abs(own["deviations"].iloc[0]) < APART:
        return AVERAGE
    return f"Slightly {_more(own.iloc[0])}"


def _summary(own: pd.DataFrame, units: Mapping[str, str]) -> str:
    apart = own[_is_apart(own)].head(IN_A_NAME)
    if apart.empty:
        apart = own[own["deviations"].abs() >= APART].head(1)
    if apart.empty:
        return NOTHING
    parts = []
    for _, row in apart.iterrows():
        mean, everywhere = _numbers(row, units)
        parts.append(f"{row['variable']} ({mean}; average {everywhere})")
    return _capital("; ".join(parts)) + "."


def _is_apart(own: pd.DataFrame) -> pd.Series[bool]:
    far = own["deviations"].abs() >= APART
    return far & ((own["times"] - 1).abs() >= WORTH_SAYING)


def _more(row: pd.Series[float]) -> str:
    return f"{'more' if row['deviations'] > 0 else 'fewer'} {row['variable']}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _size(areas: int, all_areas: int, people: float | None) -> str:
    living = "" if people is None else f", {people:,.0f} residents"
    return f"{areas:,} of {all_areas:,} areas{living}."


def _sentences(own: pd.DataFrame, units: Mapping[str, str]) -> str:
    apart = own[_is_apart(own)]
    told = []
    for word, rows in (
        ("More", apart[apart["deviations"] > 0]),
        ("Fewer", apart[apart["deviations"] < 0]),
    ):
        if len(rows):
            parts = [_figure(row, units) for _, row in rows.head(IN_A_PORTRAIT).iterrows()]
            told.append(f"{word} {'; '.join(parts)}.")
    slight = own[(own["deviations"].abs() >= APART) & ~_is_apart(own)].head(IN_A_PORTRAIT)
    if len(slight):
        parts = [_figure(row, units) for _, row in slight.iterrows()]
        told.append(f"A little apart in {'; '.join(parts)}.")
    near = own[own["deviations"].abs() < ALIKE]["variable"].iloc[::-1].head(IN_A_PORTRAIT)
    if not told:
        return NOTHING
    if len(near):
        told.append(f"Near the average: {', '.join(near)}.")
    return " ".join(told)


def _figure(row: pd.Series[float], units: Mapping[str, str]) -> str:
    mean, everywhere = _numbers(row, units)
    times = f"{row['times']:.1f}"
    if times == "1.0":
        return f"{row['variable']} ({mean}; average {everywhere})"
    return f"{row['variable']} ({mean}, {times} times the average of {everywhere})"


def _numbers(row: pd.Series[float], units: Mapping[str, str]) -> tuple[str, str]:
    unit = units.get(str(row["variable"]), "%")
    return f"{row['mean']:.1f}{unit}", f"{row['everywhere']:.1f}{unit}"

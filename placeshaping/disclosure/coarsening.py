"""
How finely time and categories are shown, chosen before any area is coarsened.

By small area, category and month nearly every number is too small to be shown.
Longer periods and fewer categories bring most of them over the threshold; each
step has a price, so that no more is given up than helps.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.errors import InputError
from placeshaping.areas.ladder import Ladder
from placeshaping.disclosure.policies import Policy
from placeshaping.statistics.views import (
    By,
    CategoryView,
    PeriodView,
    make_categories,
    make_periods,
    tabulate,
)

_log = logging.getLogger(__name__)

Groups = Mapping[str, Sequence[str]]

POLICE_GROUPS: dict[str, tuple[str, ...]] = {
    "Violence, robbery and weapons": (
        "Violence and sexual offences",
        "Robbery",
        "Possession of weapons",
    ),
    "Theft": (
        "Bicycle theft",
        "Other theft",
        "Shoplifting",
        "Theft from the person",
        "Vehicle crime",
    ),
    "Damage, disorder and anti-social behaviour": (
        "Anti-social behaviour",
        "Criminal damage and arson",
        "Public order",
    ),
    "Drugs and other crime": ("Drugs", "Other crime"),
}
"""The 14 categories of police.uk as five: these four, and burglary by itself."""

TIME_COST = 0.10
GROUP_COST = 0.05
TOTAL_COST = 0.25
"""
What coarsening costs, as shares of the records that one would rather have hidden.

A step of time (month, quarter, year, the whole span) is worth a tenth of the
records; a step to fewer groups a twentieth; to give up all categories a
quarter, for then nobody knows what the map is about. Judgements, not estimates.
"""

_STEPS: tuple[By, ...] = ("month", "quarter", "year", "all")
_PERIOD = {"month": "M", "quarter": "Q", "year": "Y"}
_MANY_CELLS = 1_000
_ALONE = "the total alone"
_WORDS = (
    "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen",
)  # fmt: skip


@dataclass(frozen=True)
class Detail:
    """
    How finely a product shows time and categories.

    Attributes
    ----------
    by, groups
        As `analyse` takes them. One group of everything, under the label of
        the total, is the total alone.
    labels
        What is shown beside the total; the total itself where it is alone.
    candidates
        Unprotected: what could have been chosen, finest first. `by`,
        `categories` (in words), `cells` (share of the non-zero cells that are
        under the threshold), `records` (share of the records in them), `cost`
        (of the steps), `loss` (`records` plus `cost`) and `chosen`.
    sentence
        What was chosen and why, for print.
    """

    by: By
    groups: Mapping[str, tuple[str, ...]]
    labels: tuple[str, ...]
    candidates: pd.DataFrame
    sentence: str

    def to_dict(self) -> dict[str, Any]:
        """
        Return what a manifest may say: losses are told to a tenth.

        Exact shares of what is hidden would narrow the hidden counts.
        """
        told = self.candidates[["by", "categories", "cost"]].copy()
        told["loss"] = self.candidates["loss"].round(1)
        told["chosen"] = self.candidates["chosen"].astype(bool)
        return {"sentence": self.sentence, "candidates": told.to_dict("records")}


@dataclass(frozen=True)
class _Option:
    """A way to show categories: its groups, the parts of each view, and its price."""

    words: str
    groups: Mapping[str, tuple[str, ...]]
    views: tuple[CategoryView, ...]
    cost: float


def choose_detail(
    counts: pd.DataFrame,
    ladder: Ladder,
    *,
    policy: Policy,
    by: By = "month",
    groups: Groups | None = None,
    group_ladder: Sequence[Groups] = (POLICE_GROUPS,),
    total: str = "All recorded crime",
    sensitive: Collection[str] = (),
    covered: Collection[str] | None = None,
    keep: bool = False,
) -> Detail:
    """
    Choose the periods and categories that a policy leaves most of.

    What was asked for is the finest that may be chosen. From there, periods
    are made longer and categories fewer. The loss of each candidate is the
    share of all records that stand in cells under the threshold, by the
    finest areas, plus the price of its steps (`TIME_COST`, `GROUP_COST`,
    `TOTAL_COST`). The least loss is taken; of equal ones the cheapest.

    Parameters
    ----------
    counts
        Long table with `area_code`, `period`, `category` and `count`.
    ladder
        Its finest areas are those that count.
    policy
        Whose threshold decides.
    by
        Length of the periods that was asked for.
    groups
        Label -> categories, as asked for. A council's own groups are not
        coarsened to others, only to the total alone.
    group_ladder
        Groups to try where none were asked for, finer ones first. Those that
        the records do not fit are left out, and categories in none of them
        stand for themselves.
    total
        Label of all categories together.
    sensitive
        Categories whose threshold is the policy's `sensitive_threshold`;
        groups that hold one have it too.
    covered
        Codes of the areas that the records cover; all, where not given.
    keep
        Show exactly what was asked for.

    Returns
    -------
    detail
        The same whatever the order of the rows.

    Raises
    ------
    InputError
        If `by` is no length of a period, or the groups do not fit the records.

    Examples
    --------
    >>> from shapely import box
    >>> import geopandas as gpd
    >>> from placeshaping.areas.ladder import make_ladder
    >>> from placeshaping.disclosure.policies import policy_named
    >>> codes = pd.Index(["E01900001", "E01900002"], name="area_code")
    >>> squares = [box(0, 0, 1, 1), box(1, 0, 2, 1)]
    >>> areas = gpd.GeoDataFrame({"area_name": ["a", "b"]}, geometry=squares, index=codes)
    >>> months = pd.date_range("2025-01-01", periods=12, freq="MS").repeat(2)
    >>> counts = pd.DataFrame(
    ...     {"area_code": [*codes] * 12, "period": months, "category": "Burglary", "count": 4}
    ... )
    >>> choose_detail(counts, make_ladder(areas), policy=policy_named("public")).sentence
    'Shown by quarter and one category: by month and one category about 100% of the non-zero
    cells would be under 10.'
    """
    return next(
        details_by_loss(
            counts,
            ladder,
            policy=policy,
            by=by,
            groups=groups,
            group_ladder=group_ladder,
            total=total,
            sensitive=sensitive,
            covered=covered,
            keep=keep,
        )
    )


def details_by_loss(
    counts: pd.DataFrame,
    ladder: Ladder,
    *,
    policy: Policy,
    by: By = "month",
    groups: Groups | None = None,
    group_ladder: Sequence[Groups] = (POLICE_GROUPS,),
    total: str = "All recorded crime",
    sensitive: Collection[str] = (),
    covered: Collection[str] | None = None,
    keep: bool = False,
) -> Iterator[Detail]:
    """
    Yield the ways to show periods and categories, that of least loss first.

    The loss is that of `choose_detail`; of equal ones the cheapest comes first.

    Parameters
    ----------
    counts, ladder, policy, by, groups, group_ladder, total, sensitive, covered, keep
        As `choose_detail` takes them.

    Yields
    ------
    detail
        The first is that of `choose_detail`; the others are for when it hides
        too much all the same. With `keep`, or where nothing is hidden, there
        is one.

    Raises
    ------
    InputError
        If `by` is no length of a period, or the groups do not fit the records.
    """
    if by not in get_args(By):
        msg = f"by is {by!r}: give one of {', '.join(_STEPS)}."
        raise InputError(msg)
    names = sorted(str(name) for name in counts["category"].dropna().unique())
    options = _options(names, groups, group_ladder, total)
    periods = _parts(make_periods(pd.DatetimeIndex(counts["period"].dropna().unique()), by=by))
    codes = ladder.areas[ladder.finest].index
    cube = tabulate(counts, areas=codes, periods=periods, categories=options[0].views)
    if covered is not None:
        cube = cube[..., codes.isin(list(covered))]
    rows = []
    spans = _spans(periods, by)
    for (place, (length, span)), option in product(enumerate(spans.items()), options):
        shown = _coarsened(cube, span, options[0].views, option.views)
        limits = _limits(option.views, policy, sensitive)
        cost = TIME_COST * place + option.cost
        rows.append({"by": length, "categories": option.words, **_share(shown, limits, cost)})
    candidates = pd.DataFrame(rows)
    order = [0] if keep or policy.threshold == 0 else _by_loss(candidates)
    filled = int((cube > 0).sum())
    for turn, chosen in enumerate(order):
        option = options[chosen % len(options)]
        sentence = _sentence(candidates, chosen, policy, filled, keep=keep, again=turn > 0)
        _log.info(sentence)
        yield Detail(
            by=list(spans)[chosen // len(options)],
            groups=option.groups,
            labels=tuple(view.label for view in option.views),
            candidates=candidates.assign(chosen=np.arange(len(candidates)) == chosen),
            sentence=sentence,
        )


def labels_offered(
    categories: Iterable[str],
    *,
    groups: Groups | None = None,
    group_ladder: Sequence[Groups] = (POLICE_GROUPS,),
    total: str = "All recorded crime",
) -> tuple[str, ...]:
    """
    List the categories of some records and every label under which they may be shown.

    Parameters
    ----------
    categories
        Of the records.
    groups, group_ladder, total
        As `choose_detail` takes them.

    Examples
    --------
    >>> labels_offered(["Litter", "Graffiti"], total="All reports")
    ('Graffiti', 'Litter', 'All reports')
    """
    names = sorted(str(name) for name in categories)
    options = _options(names, groups, group_ladder, total)
    labels = [view.label for option in options for view in option.views]
    return tuple(dict.fromkeys([*names, *labels]))


def _options(
    names: Sequence[str], groups: Groups | None, group_ladder: Sequence[Groups], total: str
) -> list[_Option]:
    """List the ways to show categories, finest first."""
    asked = {label: tuple(parts) for label, parts in (groups or {}).items()}
    views = _parts(make_categories(names, groups=asked, total=total))
    what = "group" if asked else "category"
    found = [_Option(_number(len(views), what), asked, views, 0.0)]
    for place, step in enumerate(() if asked else group_ladder, start=1):
        fitting = {label: tuple(p for p in parts if p in names) for label, parts in step.items()}
        several = {
            label: parts
            for label, parts in fitting.items()
            if len(parts) > 1 and label not in (*names, total)
        }
        views = _parts(make_categories(names, groups=several, total=total))
        if 1 < len(views) < len(found[-1].views):
            found.append(_Option(_number(len(views), "group"), several, views, GROUP_COST * place))
    if len(found[0].views) > 1:
        alone = CategoryView(total, tuple(names), total=True)
        found.append(_Option(_ALONE, {total: tuple(names)}, (alone,), TOTAL_COST))
    return found


def _parts(views: Sequence[Any]) -> Any:
    """Leave out the whole where its parts stand beside it."""
    return tuple(views[1:]) if len(views) > 1 else tuple(views)


def _spans(periods: Sequence[PeriodView], by: By) -> dict[By, NDArray[np.intp]]:
    """Return, for each length from the one asked for, where its periods begin among `periods`."""
    first = pd.DatetimeIndex([period.first for period in periods])
    found: dict[By, NDArray[np.intp]] = {by: np.arange(len(periods))}
    for length in _STEPS[_STEPS.index(by) + 1 :]:
        if length == "all":
            starts = np.zeros(1, dtype=np.intp)
        else:
            labels = first.to_period(_PERIOD[length])
            starts = np.flatnonzero(np.r_[True, labels[1:] != labels[:-1]])
        if len(starts) < len(list(found.values())[-1]):
            found[length] = starts
    return found


def _coarsened(
    cube: NDArray[np.int64],
    starts: NDArray[np.intp],
    finest: Sequence[CategoryView],
    views: Sequence[CategoryView],
) -> NDArray[np.int64]:
    """Add a cube up to longer periods and fewer categories."""
    longer = np.add.reduceat(cube, starts, axis=0)
    if len(views) == len(finest):
        return longer
    parts = [[i for i, one in enumerate(finest) if set(one.parts) <= set(v.parts)] for v in views]
    return np.stack([longer[:, held].sum(axis=1) for held in parts], axis=1)


def _limits(
    views: Sequence[CategoryView], policy: Policy, sensitive: Collection[str]
) -> NDArray[np.int64]:
    """Return the threshold of each view, shaped for a cube."""
    strict = [not view.total and bool(set(view.parts) & set(sensitive)) for view in views]
    limits = np.where(strict, policy.sensitive_threshold, policy.threshold)
    return limits.astype(np.int64)[None, :, None]


def _share(shown: NDArray[np.int64], limits: NDArray[np.int64], cost: float) -> dict[str, float]:
    """Say how many non-zero cells are small, and how many of the records they hold."""
    small, filled = shown < limits, int((shown > 0).sum())
    records = float(shown[small].sum() / max(shown.sum(), 1))
    cells = float((small & (shown > 0)).sum() / max(filled, 1))
    return {"cells": cells, "records": records, "cost": round(cost, 9), "loss": records + cost}


def _by_loss(candidates: pd.DataFrame) -> list[int]:
    """Order places by loss, the least first; of equal ones the cheapest, then the finest."""
    loss = candidates["loss"].round(6).to_numpy()
    order: list[int] = np.lexsort((candidates["cost"].to_numpy(), loss)).tolist()
    return order


def _number(size: int, what: str) -> str:
    several = {"group": "groups", "category": "categories"}
    return f"{_WORDS[size] if size < len(_WORDS) else size} {what if size == 1 else several[what]}"


def _sentence(
    candidates: pd.DataFrame,
    chosen: int,
    policy: Policy,
    filled: int,
    *,
    keep: bool,
    again: bool = False,
) -> str:
    """
    Say what was chosen.

    Shares are told only of what is not shown, and of few cells only to a
    tenth: of what is shown they would narrow the hidden counts.
    """

    def named(place: int) -> str:
        row = candidates.iloc[place]
        whole = row["by"] == "all"
        span = "for the whole span" if whole else f"by {row['by']}"
        alone = row["categories"] == _ALONE
        return f"{span}{',' if alone else ' in' if whole else ' and'} {row['categories']}"

    if again:
        return f"Shown {named(chosen)}: otherwise too many areas would be hidden."
    if chosen == 0:
        why = "kept as asked for" if keep else "the finest that was asked for"
        return f"Shown {named(0)}, {why}."
    share = float(candidates["cells"].iloc[0])
    told = f"{share:.0%}" if filled >= _MANY_CELLS else f"about {round(share, 1):.0%}"
    return (
        f"Shown {named(chosen)}: {named(0)} {told} of the non-zero cells would be under "
        f"{policy.threshold}."
    )

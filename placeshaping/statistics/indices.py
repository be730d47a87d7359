"""
Composite indices: indicators shrunk, ranked, transformed and weighted.

The steps of the Indices of Deprivation (McLennan et al. 2019, "The English
Indices of Deprivation 2019: technical report", chapters 3.6 to 3.8), for an
index of a council's own: frailty, fuel poverty, readiness for school. Rank 1
is the worst off throughout. Deprivation columns are ``audit_only``, and so is
whatever is made of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special, stats

from placeshaping._core.checks import (
    check_choice,
    check_columns,
    check_labelled,
    check_unique,
    listed,
)
from placeshaping._core.columns import column_tags, tag_columns
from placeshaping._core.errors import ColumnError, EmptyError, InputError

DEPRIVATION_WEIGHTS: Mapping[str, float] = MappingProxyType(
    {
        "income": 0.225,
        "employment": 0.225,
        "education": 0.135,
        "health": 0.135,
        "crime": 0.093,
        "housing": 0.093,
        "environment": 0.093,
    }
)
"""Domain to weight, as published with the Indices of Deprivation; they sum to .999."""

STEEPNESS = 23.0
"""Constant of the exponential transformation: half of the 100 points go to the worst tenth."""

Worst = Literal["high", "low"]


def shrink_rates(
    count: pd.Series[float],
    exposure: pd.Series[float],
    group: pd.Series[str],
) -> pd.DataFrame:
    """
    Draw the proportion of each small area towards that of its larger area.

    On the log-odds scale, with weights from the area's own sampling variance
    and from the variance between the areas of its group, so that small areas
    in a homogeneous district move most (the shrinkage of the Indices of
    Deprivation: Noble et al. 2004; Scottish Executive 2003, appendix 1).

    Parameters
    ----------
    count
        People (or homes) who have what the indicator counts, by area.
    exposure
        People who could have it. None at all give the proportion of the group.
    group
        District (or other larger area) of each area.

    Returns
    -------
    shrunk
        Index of `count`; columns ``proportion`` (raw), ``shrunk`` and
        ``weight`` (what the area's own figure weighs, 0 to 1). An area alone
        in its group keeps its own figure.

    Raises
    ------
    InputError
        If a count is negative or above its exposure, or if a value is missing.

    Examples
    --------
    >>> areas = pd.Index(["a", "b", "c"], name="area_code")
    >>> count, people = pd.Series([1, 40, 90], areas), pd.Series([4, 400, 600], areas)
    >>> shrink_rates(count, people, pd.Series("Fen", areas)).round(3)
               proportion  shrunk  weight
    area_code
    a                0.25   0.185   0.392
    b                0.10   0.102   0.957
    c                0.15   0.150   0.979
    """
    for values, name in ((count, "count"), (exposure, "exposure"), (group, "group")):
        check_labelled(values, name=name)
    check_unique(count.index, where="count")
    hits, people = (_numbers(series, count.index) for series in (count, exposure))
    if (hits > people).any():
        wrong = count.index[hits > people]
        msg = (
            f"{len(wrong):,} areas have a count above the exposure ({listed(list(wrong))}). "
            "Shrinkage is of proportions; swap the two, or correct them."
        )
        raise InputError(msg)
    groups = group.reindex(count.index)
    if groups.isna().any():
        msg = f"{int(groups.isna().sum()):,} areas have no group. Give one for each area."
        raise InputError(msg)
    number, names = pd.factorize(groups)
    logit = np.log((hits + 0.5) / (people - hits + 0.5))
    safe = np.maximum(people, 1)
    own = (safe + 1) * (safe + 2) / (safe * (hits + 1) * (people - hits + 1))
    sums = [np.bincount(number, values, len(names)) for values in (hits, people)]
    centre = np.log((sums[0] + 0.5) / (sums[1] - sums[0] + 0.5))[number]
    members = np.bincount(number, minlength=len(names))
    squares = np.bincount(number, (logit - centre) ** 2, len(names))
    between = (squares / np.maximum(members - 1, 1))[number]
    weight = np.where(members[number] > 1, between / (between + own), 1.0)
    weight = np.where(people > 0, weight, 0.0)
    columns = {
        "proportion": np.divide(hits, people, out=np.full(len(hits), np.nan), where=people > 0),
        "shrunk": special.expit(weight * logit + (1 - weight) * centre),
        "weight": weight,
    }
    return pd.DataFrame(columns, index=count.index)


def rank_areas(
    values: pd.DataFrame, *, worst: Worst | Mapping[str, Worst] = "high"
) -> pd.DataFrame:
    """
    Rank the areas by each indicator, 1 being the worst off; ties share their mean rank.

    Parameters
    ----------
    values
        One column an indicator, indexed by area code.
    worst
        Whether high or low values are bad; one for all, or one for each column.

    Returns
    -------
    ranks
        Index and columns of `values`.

    Raises
    ------
    InputError
        If values are missing, or `worst` names no column.
    ColumnError
        If values are not numbers.
    EmptyError
        If there are fewer than two areas.

    Examples
    --------
    >>> values = pd.DataFrame({"damp": [9, 2, 2], "income": [10, 30, 20]}, index=list("abc"))
    >>> rank_areas(values, worst={"damp": "high", "income": "low"}).to_dict("list")
    {'damp': [1.0, 2.5, 2.5], 'income': [1.0, 3.0, 2.0]}
    """
    _check_values(values)
    ways: Mapping[str, Worst]
    ways = dict.fromkeys(values.columns, worst) if isinstance(worst, str) else worst
    check_columns(values.columns, ways, where="The table of indicators")
    check_columns(ways, values.columns, where="worst")
    for name, way in ways.items():
        check_choice(way, ["high", "low"], name=f"worst of {name}")
    ranks = pd.DataFrame(
        {name: values[name].rank(ascending=ways[str(name)] == "low") for name in values}
    )
    ranks.attrs = dict(values.attrs)
    return ranks


def exponential_scores(ranks: pd.DataFrame, *, steepness: float = STEEPNESS) -> pd.DataFrame:
    """
    Turn ranks into scores from 0 to 100 that stretch out the worst-off end.

    ``X = -s ln(1 - R (1 - exp(-100 / s)))`` with ``R = (N + 1 - rank) / N``
    and s = 23: the worst tenth of the areas take half of the scale, so that
    being well off in one domain does not cancel being badly off in another.

    Parameters
    ----------
    ranks
        Ranks of the areas, 1 being the worst off; ranks that skip after ties
        are averaged over the ties first.
    steepness
        The constant s, above zero.

    Returns
    -------
    scores
        Index and columns of `ranks`; 100 is the worst off.

    Raises
    ------
    InputError
        If ranks are missing or below 1, or `steepness` is not above zero.
    EmptyError
        If there are fewer than two areas.

    Examples
    --------
    >>> exponential_scores(pd.DataFrame({"income": [1, 2, 3, 4]}))["income"].round(1).tolist()
    [100.0, 31.0, 15.6, 6.5]
    """
    _check_values(ranks)
    if not steepness > 0:
        msg = f"steepness is {steepness}; it must be above zero (the official indices use 23)."
        raise InputError(msg)
    if (ranks < 1).any(axis=None):
        msg = "Ranks begin at 1, and some are below. Give ranks, not scores: rank_areas(values)."
        raise InputError(msg)
    share = (len(ranks) + 1 - ranks.rank()) / len(ranks)
    scores: pd.DataFrame = -steepness * np.log1p(share * np.expm1(-100 / steepness))
    scores.attrs = dict(ranks.attrs)
    return scores


def composite_index(
    ranks: pd.DataFrame,
    weights: Mapping[str, float] = DEPRIVATION_WEIGHTS,
    *,
    steepness: float = STEEPNESS,
) -> pd.DataFrame:
    """
    Combine ranks of domains into one index, as the Indices of Deprivation do.

    Parameters
    ----------
    ranks
        Ranks of the areas in each domain, 1 being the worst off; one column a
        domain, named as in `weights`. Other columns are not looked at.
    weights
        Domain to weight, used as given (the published ones sum to .999).
    steepness
        As in `exponential_scores`.

    Returns
    -------
    index
        Index of `ranks`; columns ``score``, ``rank`` (1 = worst off; equal
        scores share the lowest rank) and ``decile`` (1 = the worst-off tenth).
        Tagged as the most sensitive of its inputs. ``attrs`` hold ``method``,
        ``weights`` and ``cautions``.

    Raises
    ------
    InputError
        If ranks are missing or below 1, or a weight is not above zero.
    ColumnError
        If a domain has no column.
    EmptyError
        If there are fewer than two areas or no weights.

    Examples
    --------
    >>> ranks = pd.DataFrame({"cold": [1, 2, 3], "cost": [2, 3, 1]}, index=list("abc"))
    >>> composite_index(ranks, {"cold": 0.5, "cost": 0.5}).round(2)
       score  rank  decile
    a  62.34     1       4
    b  16.93     3      10
    c  54.59     2       7
    """
    _check_weights(weights)
    check_columns(ranks.columns, weights, where="The table of ranks")
    domains = list(weights)
    score = exponential_scores(ranks[domains], steepness=steepness) @ pd.Series(weights)
    result = pd.DataFrame({"score": score}, index=ranks.index)
    result["rank"] = rank_scores(score.to_numpy())
    result["decile"] = -(-10 * result["rank"] // len(result))
    _tag(result, ranks, domains)
    named = ", ".join(f"{name} {weight:g}" for name, weight in weights.items())
    result.attrs["method"] = (
        f"Exponentially transformed ranks (constant {steepness:g}) weighted {named}, after the "
        "technical report of the Indices of Deprivation 2019."
    )
    result.attrs["weights"] = dict(weights)
    result.attrs["cautions"] = tuple(_cautions(ranks[domains]))
    return result


def rank_scores(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """
    Rank scores from the highest down; equal ones, but for rounding, share the lowest rank.

    Examples
    --------
    >>> rank_scores(np.array([5.0, 9.0, 5.0])).tolist()
    [2, 1, 2]
    """
    return np.asarray(stats.rankdata(-np.round(scores, 10), method="min"), dtype=np.int64)


def _tag(result: pd.DataFrame, source: pd.DataFrame, domains: list[str]) -> None:
    """Tag every column as the most sensitive of what it was made from."""
    tags = column_tags(source)
    order = ("special", "personal", "audit_only")
    worst = next((tag for tag in order if tag in {tags.get(name) for name in domains}), None)
    if worst is not None:
        tag_columns(result, dict.fromkeys(result.columns, worst))


def _cautions(ranks: pd.DataFrame) -> Iterator[str]:
    if len(ranks) < 10:
        yield f"Only {len(ranks)} areas: a decile holds less than one."
    flat = [str(name) for name in ranks if ranks[name].min() == ranks[name].max()]
    if flat:
        yield f"{listed(flat)} rank every area alike and add nothing."
    along = ranks.corr("spearman").to_numpy()
    turned = [
        f"{ranks.columns[i]} and {ranks.columns[j]}"
        for i, j in zip(*np.nonzero(np.triu(along < -0.3, 1)), strict=True)
    ]
    if turned:
        yield f"{listed(turned)} run against each other: is 1 the worst off in both?"


def _check_weights(weights: Mapping[str, float]) -> None:
    if not weights:
        msg = "No weights were given. Name each domain with its weight."
        raise EmptyError(msg)
    wrong = [name for name, weight in weights.items() if not weight > 0]
    if wrong:
        msg = f"The weights of {listed(wrong)} are not above zero. Leave those domains out."
        raise InputError(msg)


def _check_values(values: pd.DataFrame) -> None:
    """Refuse tables that cannot be ranked."""
    if len(values) < 2 or not len(values.columns):
        msg = (
            "An index needs at least two areas and one column; "
            f"given: {len(values):,} and {len(values.columns):,}."
        )
        raise EmptyError(msg)
    check_unique(values.index, where="The table to rank")
    words = [str(n) for n, k in values.dtypes.items() if not pd.api.types.is_numeric_dtype(k)]
    if words:
        msg = f"Not numbers: {listed(words)}. Leave them out, or read them as numbers."
        raise ColumnError(msg)
    infinite = int(np.isinf(values.to_numpy(dtype="float64", na_value=np.nan)).any(axis=1).sum())
    if infinite:
        msg = f"{infinite:,} of {len(values):,} areas have an infinite value. Correct them first."
        raise InputError(msg)
    missing = values.columns[values.isna().any()]
    if len(missing):
        lost = int(values.isna().any(axis=1).sum())
        msg = (
            f"{lost:,} of {len(values):,} areas lack a value of {listed(list(missing))}. "
            "Leave those areas out, or fill the gaps (with the district's figure, say)."
        )
        raise InputError(msg)


def _numbers(series: pd.Series[float], index: pd.Index) -> NDArray[np.float64]:
    values: NDArray[np.float64] = np.asarray(
        series.reindex(index).to_numpy(dtype="float64", na_value=np.nan), dtype=np.float64
    )
    wrong = ~(values >= 0)
    if wrong.any():
        msg = (
            f"{int(wrong.sum()):,} areas have a missing or negative {series.name or 'number'} "
            f"({listed(list(index[wrong]))}). Correct them, or leave those areas out."
        )
        raise InputError(msg)
    return values

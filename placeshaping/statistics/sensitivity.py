"""How far the ranks of a composite index hang on its weights."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.checks import check_result
from placeshaping._core.columns import column_tags, tag_columns
from placeshaping._core.errors import InputError
from placeshaping.statistics.indices import (
    DEPRIVATION_WEIGHTS,
    STEEPNESS,
    composite_index,
    exponential_scores,
    rank_scores,
)


def rank_sensitivity(
    ranks: pd.DataFrame,
    weights: Mapping[str, float] = DEPRIVATION_WEIGHTS,
    *,
    draws: int = 500,
    spread: float = 0.25,
    level: float = 0.95,
    steepness: float = STEEPNESS,
    rng: int | np.random.Generator = 0,
) -> pd.DataFrame:
    """
    Tell how far each area's rank hangs on the weights.

    Weights are drawn at random about the given ones (Dirichlet), the index is
    made anew with each draw, and the ranks that an area takes are summed up
    (Saisana, Saltelli and Tarantola 2005). What no interval holds: another
    choice of indicators, or error in them.

    Parameters
    ----------
    ranks, weights, steepness
        As in `composite_index`.
    draws
        Number of random sets of weights.
    spread
        How far a typical weight strays: its standard deviation over its mean,
        for a domain of average weight. Above zero.
    level
        Share of the draws that the interval holds.
    rng
        Seed or generator.

    Returns
    -------
    sensitivity
        Index of `ranks`; columns ``rank``, ``lower``, ``upper`` (ranks at the
        ends of the interval), ``decile``, ``decile_kept`` (share of draws in
        which the area is in the same tenth) and ``worst_decile`` (share in
        which it is among the worst-off tenth). Tagged as the inputs.

    Raises
    ------
    InputError
        As in `composite_index`, or if an option is out of its range.
    ColumnError
        If a domain has no column.
    EmptyError
        If there are fewer than two areas or no weights.

    Examples
    --------
    >>> ranks = pd.DataFrame({"cold": [1, 2, 3], "cost": [2, 3, 1]}, index=list("abc"))
    >>> table = rank_sensitivity(ranks, {"cold": 0.5, "cost": 0.5}, rng=1)
    >>> table[["rank", "lower", "upper"]].to_dict("list")
    {'rank': [1, 3, 2], 'lower': [1, 3, 1], 'upper': [2, 3, 2]}
    """
    if draws < 2 or not spread > 0 or not 0 < level < 1:
        msg = "draws must be two or more, spread above zero and level between 0 and 1."
        raise InputError(msg)
    now = composite_index(ranks, weights, steepness=steepness)
    scores = exponential_scores(ranks[list(weights)], steepness=steepness).to_numpy()
    drawn = _draw_weights(weights, draws, spread, np.random.default_rng(rng))
    areas = len(ranks)
    placed = np.empty((draws, areas), dtype=np.int32)
    for row, weighted in enumerate(drawn):
        placed[row] = rank_scores(scores @ weighted)
    tenth = -(-10 * placed // areas)
    tail = (1 - level) / 2
    ends = np.quantile(placed, [tail, 1 - tail], axis=0, method="inverted_cdf")
    result = now[["rank"]].assign(
        lower=ends[0].astype(np.int64),
        upper=ends[1].astype(np.int64),
        decile=now["decile"],
        decile_kept=(tenth == now["decile"].to_numpy()).mean(axis=0),
        worst_decile=(tenth == 1).mean(axis=0),
    )
    tags = column_tags(now)
    result.attrs = {"cautions": now.attrs["cautions"]}
    if "rank" in tags:
        tag_columns(result, dict.fromkeys(result.columns, tags["rank"]))
    result.attrs["method"] = (
        f"{draws:,} random sets of weights (Dirichlet about the given ones, spread {spread:g}); "
        f"the interval holds {level:.0%} of the ranks."
    )
    return result


def weight_sensitivity(
    ranks: pd.DataFrame,
    weights: Mapping[str, float] = DEPRIVATION_WEIGHTS,
    *,
    by: float = 0.25,
    steepness: float = STEEPNESS,
) -> pd.DataFrame:
    """
    Change one weight at a time, and tell how the ranks move.

    Parameters
    ----------
    ranks, weights, steepness
        As in `composite_index`.
    by
        By how much a weight is raised and lowered, as a share of itself, up
        to 1 (1 lowers it to nothing). The others keep their proportions.

    Returns
    -------
    sensitivity
        One row a domain and ``change`` (``"lower"``, ``"higher"``): ``weight``
        (the new one, of a sum of one), ``median_shift`` and ``largest_shift``
        (in ranks), ``decile_changed`` (share of areas in another tenth),
        ``worst_decile_changed`` (share of the worst-off tenth that leaves it).

    Raises
    ------
    InputError
        As in `composite_index`, or if `by` is out of its range.
    ColumnError
        If a domain has no column.
    EmptyError
        If there are fewer than two areas or no weights.

    Examples
    --------
    >>> ranks = pd.DataFrame({"cold": [1, 2, 3], "cost": [2, 3, 1]}, index=list("abc"))
    >>> weight_sensitivity(ranks, {"cold": 0.5, "cost": 0.5})["largest_shift"].tolist()
    [1, 0, 0, 1]
    """
    if not 0 < by <= 1:
        msg = f"by is {by}; give a share above 0 and up to 1 (0.25 for a quarter up and down)."
        raise InputError(msg)
    now = composite_index(ranks, weights, steepness=steepness)
    scores = exponential_scores(ranks[list(weights)], steepness=steepness).to_numpy()
    rows = []
    for domain in weights:
        for change, factor in (("lower", 1 - by), ("higher", 1 + by)):
            changed = {name: w * (factor if name == domain else 1) for name, w in weights.items()}
            total = sum(changed.values())
            if not total > 0:
                continue
            placed = rank_scores(scores @ np.array(list(changed.values())))
            rows.append((domain, change, changed[domain] / total, *_moved(now, placed)))
    columns = ["domain", "change", "weight", "median_shift", "largest_shift", "decile_changed"]
    return pd.DataFrame(rows, columns=[*columns, "worst_decile_changed"])


def describe_index(sensitivity: pd.DataFrame, *, name: str = "index") -> str:
    """
    Say in a paragraph how far the ranks of an index can be trusted.

    Parameters
    ----------
    sensitivity
        From `rank_sensitivity`.
    name
        What the index is called.

    Returns
    -------
    paragraph
        For people who are not statisticians.

    Examples
    --------
    >>> ranks = pd.DataFrame({"cold": range(1, 41), "cost": range(1, 41)})
    >>> print(describe_index(rank_sensitivity(ranks, {"cold": 1, "cost": 1}, draws=20)))
    The index ranks 40 areas, 1 being the worst off. ...
    """
    needed = ["upper", "lower", "decile", "worst_decile", "decile_kept"]
    check_result(sensitivity, made_by="rank_sensitivity", columns=needed)
    width = (sensitivity["upper"] - sensitivity["lower"]).median()
    tenth = sensitivity[sensitivity["decile"] == 1]
    firm = int((tenth["worst_decile"] >= 0.95).sum())
    return (
        f"The {name} ranks {len(sensitivity):,} areas, 1 being the worst off. Had its parts been "
        f"weighted a little otherwise, the rank of a typical area would lie within a range of "
        f"{width:,.0f} places, so small differences in rank mean nothing. "
        f"{sensitivity['decile_kept'].mean():.0%} of the time an area stays in its tenth. "
        f"Of the {len(tenth):,} areas in the worst-off tenth, {firm:,} are there in at least "
        "95 % of the weightings tried."
    )


def _draw_weights(
    weights: Mapping[str, float], draws: int, spread: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw Dirichlet weights whose average domain varies by `spread`."""
    share = np.array(list(weights.values())) / sum(weights.values())
    average = 1 / len(share)
    strength = max((1 - average) / (average * spread**2) - 1, 1e-3)
    return rng.dirichlet(share * strength, draws)


def _moved(now: pd.DataFrame, placed: NDArray[np.int64]) -> tuple[float, int, float, float]:
    before, deciles = now["rank"].to_numpy(), now["decile"].to_numpy()
    shift = np.abs(placed - before)
    tenth = -(-10 * placed // len(placed))
    worst = deciles == 1
    left = float((tenth[worst] != 1).mean()) if worst.any() else float("nan")
    return float(np.median(shift)), int(shift.max()), float((tenth != deciles).mean()), left

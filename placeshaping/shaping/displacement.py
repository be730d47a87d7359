"""
Before and after with comparison areas: how many fewer, and whether they went next door.

The weighted displacement difference counts records: what was recorded after,
less what would have been had it changed as in the comparison areas, in the
treated areas and in the rings around them. Its standard error comes from the
counts themselves (Poisson), widened by how unevenly single areas changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from placeshaping._core.errors import InputError
from placeshaping.shaping._reassigned import FEWEST_SETS, lie_together, sets_together
from placeshaping.shaping.evaluation import COMPARISON, TREATED, Floats, Panel

LEVEL, POWER = 0.95, 0.80
"""Of the intervals, and of the smallest effect that could have been seen."""

TOGETHER = "treated and rings"

_MOST_SETS = 1999

METHOD = (
    "Weighted displacement difference (Wheeler and Ratcliffe 2018), the comparison areas scaled to "
    "the size of the treated ones before; Poisson variance, widened by the over-dispersion of the "
    "changes of single areas, and of sets of areas that lie together where the treated ones do."
)


def weighted_displacement(
    treated: Sequence[float],
    comparison: Sequence[float],
    displacement: Sequence[float] = (0, 0),
    displacement_comparison: Sequence[float] = (0, 0),
    *,
    time_weights: Sequence[float] = (1, 1),
    area_weights: Sequence[float] = (1, 1, 1, 1),
    overdispersion: float = 1.0,
    level: float = LEVEL,
) -> pd.DataFrame:
    """
    Work out the weighted displacement difference of counts before and after.

    The test of Wheeler and Ratcliffe (2018, Crime Science 7: 11): the change
    in the treated area less that in its comparison area, the same for the
    area that crime may have moved to, and their sum.

    Parameters
    ----------
    treated, comparison
        Counts before and after.
    displacement, displacement_comparison
        The same where crime may have moved to, and in its comparison area.
    time_weights
        Length of the time before and after: counts are divided by it.
    area_weights
        Sizes of the four areas in the order of the arguments; counts are
        divided by them.
    overdispersion
        What the Poisson variance is multiplied by.
    level
        Of the interval.

    Returns
    -------
    table
        Rows ``treated``, ``displacement``, ``together``; ``difference``,
        ``se``, ``lower``, ``upper``, ``z``, ``p_value``.

    Raises
    ------
    InputError
        If counts are not two numbers of zero or more, or weights not above
        zero.

    Examples
    --------
    The figures of the paper: 118 fewer, standard error 39.6.

    >>> weighted_displacement([207, 110], [308, 318], [178, 157], [150, 140]).round(2).loc[
    ...     "together", ["difference", "se", "z"]].tolist()
    [-118.0, 39.6, -2.98]
    """
    given = [treated, comparison, displacement, displacement_comparison]
    counts = np.array([list(map(float, pair)) for pair in given])
    weights = np.outer(area_weights, time_weights)
    if counts.shape != (4, 2) or not (np.isfinite(counts) & (counts >= 0)).all():
        msg = "Give each area two counts of zero or more: before and after."
        raise InputError(msg)
    if weights.shape != (4, 2) or not (weights > 0).all():
        msg = "Give two weights of time and four of areas, all above 0."
        raise InputError(msg)
    change = np.diff(counts / weights, axis=1)[:, 0] * [1, -1, 1, -1]
    variance = overdispersion * (counts / weights**2).sum(axis=1)
    parts = {"treated": [0, 1], "displacement": [2, 3], "together": [0, 1, 2, 3]}
    rows = {name: (change[of].sum(), np.sqrt(variance[of].sum())) for name, of in parts.items()}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["difference", "se"])
    return _with_interval(table, level, np.inf)


def displacement_quotient(
    treated: Sequence[float], comparison: Sequence[float], displacement: Sequence[float]
) -> float:
    """
    Work out the weighted displacement quotient of Bowers and Johnson (2003).

    Parameters
    ----------
    treated, comparison, displacement
        Counts before and after.

    Returns
    -------
    quotient
        Above 0, what was gained in the treated area was gained around it too
        (diffusion of benefit); below 0 it moved (displacement), below -1 more
        than all of it. It says nothing, and is missing, where the treated
        area did not do better than the comparison area.

    Examples
    --------
    >>> round(displacement_quotient([207, 110], [308, 318], [178, 157]), 3)
    0.258
    """
    (t0, t1), (c0, c1), (d0, d1) = treated, comparison, displacement
    if c0 <= 0 or c1 <= 0:
        return float("nan")
    gained = t1 / c1 - t0 / c0
    return float((d1 / c1 - d0 / c0) / gained) if gained < 0 else float("nan")


@dataclass(frozen=True)
class Dispersion:
    """
    How much more than chance single areas changed from before to after.

    Attributes
    ----------
    factor
        Variance over that of Poisson counts, at least 1.
    freedom
        Degrees of freedom that it was estimated with.
    """

    factor: float
    freedom: int


def overdispersion(panel: Panel) -> Dispersion:
    """
    Estimate the over-dispersion of the changes of single areas.

    The squared changes of single areas beyond that of their group (treated,
    comparison, each ring), summed, over what they would be were counts
    Poisson. It holds what single areas do on their own: outbreaks, ends of
    outbreaks, and what one month hands on to the next. Areas with many
    records weigh more, as they do in the totals that are compared.

    Parameters
    ----------
    panel
        From `make_panel`.

    Returns
    -------
    dispersion
        Factor 1 where nothing can be estimated.

    Examples
    --------
    >>> from placeshaping.shaping.evaluation import make_panel
    >>> counts = pd.DataFrame({"area_code": list("abcd") * 2, "period": ["2024-01-01"] * 4 +
    ...                        ["2024-02-01"] * 4, "count": [9, 8, 20, 7, 3, 20, 8, 7]})
    >>> overdispersion(make_panel(counts, treated=["a"], start="2024-02-01"))
    Dispersion(factor=6.42..., freedom=2)
    """
    squares, sizes, groups = 0.0, [], 0
    for role in (TREATED, COMPARISON, *panel.rings):
        before, after = panel.sums(role)
        both = before + after
        if before.sum() == 0 or after.sum() == 0:
            continue
        change = after.sum() / before.sum()
        squares += float(((after - change * before) ** 2).sum() / change)
        sizes.append(both * (1 - both / both.sum()))
        groups += int((both > 0).sum() > 1)
    weights = np.concatenate(sizes) if sizes else np.zeros(1)
    if weights.sum() == 0:
        return Dispersion(1.0, 0)
    alike = weights.sum() ** 2 / (weights**2).sum()  # areas, were they of one size
    return Dispersion(max(squares / float(weights.sum()), 1.0), max(round(alike) - groups, 1))


def displacement(panel: Panel, *, level: float = LEVEL, power: float = POWER) -> pd.DataFrame:
    """
    Compare treated areas and rings with what the comparison areas would have them be.

    Parameters
    ----------
    panel
        From `make_panel`.
    level, power
        Of the intervals and tests, and of the smallest effect that could have
        been seen.

    Returns
    -------
    table
        Rows ``treated``, each ring, and ``treated and rings`` where there are
        some; ``areas``, ``before``, ``after``, ``expected`` (before, scaled by
        the change of the comparison areas), ``difference`` (after less
        expected), ``se``, ``lower``, ``upper``, ``z``, ``p_value``, ``percent``
        (difference over expected, with its limits), ``detectable`` (percent of
        the smallest true change that would have been seen with `power`),
        ``se_poisson`` (without over-dispersion) and ``quotient`` (weighted
        displacement quotient, rings only). ``attrs``: ``method``, ``cautions``,
        ``overdispersion``, ``straying`` (see there), ``comparison`` (areas,
        before, after).

    Examples
    --------
    >>> from placeshaping.shaping.evaluation import make_panel
    >>> counts = pd.DataFrame({"area_code": list("abcd") * 2, "period": ["2024-01-01"] * 4 +
    ...                        ["2024-02-01"] * 4, "count": [90, 80, 85, 75, 50, 78, 90, 72]})
    >>> table = displacement(make_panel(counts, treated=["a"], start="2024-02-01"))
    >>> table.loc["treated", ["expected", "difference", "se"]].round(1).tolist()
    [90.0, -40.0, 14.4]
    """
    spread = overdispersion(panel)
    c0, c1 = (panel.total(COMPARISON, after=after) for after in (False, True))
    if c1 == 0:
        msg = (
            "Nothing was counted in the comparison areas after the start. Name more areas, more "
            "periods or more categories."
        )
        raise InputError(msg)
    parts: dict[str, tuple[str, ...]] = {name: (name,) for name in (TREATED, *panel.rings)}
    if panel.rings:
        parts[TOGETHER] = (TREATED, *panel.rings)
    rows = {name: _row(panel, roles, c0, c1) for name, roles in parts.items()}
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("part")
    freedom = spread.freedom if spread.factor > 1 else np.inf
    strayed = straying(panel, spread, level=level)
    widened = spread.factor * strayed**2
    table["se"] = table["se_poisson"] * np.sqrt(widened)
    table = _with_interval(table, level, freedom)
    for end in ("difference", "lower", "upper"):
        name = "percent" if end == "difference" else f"percent_{end}"
        table[name] = 100 * table[end] / table["expected"]
    table["detectable"] = _detectable(table, widened, c1 / c0, c0, level, power, freedom)
    table["quotient"] = [
        displacement_quotient(_pair(panel, TREATED), (c0, c1), _pair(panel, name))
        if name in panel.rings
        else np.nan
        for name in table.index
    ]
    table.attrs["method"] = METHOD
    table.attrs["cautions"] = _cautions(panel, spread, strayed)
    table.attrs["overdispersion"] = spread.factor
    table.attrs["straying"] = strayed
    table.attrs["comparison"] = (int((panel.roles == COMPARISON).sum()), c0, c1)
    return table


def _pair(panel: Panel, role: str) -> tuple[float, float]:
    return panel.total(role, after=False), panel.total(role, after=True)


def _row(panel: Panel, roles: tuple[str, ...], c0: float, c1: float) -> dict[str, float]:
    """Work out one part; the scale of the comparison is itself uncertain (delta method)."""
    before, after = (panel.total(*roles, after=late) for late in (False, True))
    change = c1 / c0
    variance = after + change**2 * before + (before / c0) ** 2 * (c1 + change**2 * c0)
    return {
        "areas": int(panel.roles.isin(roles).sum()),
        "before": before,
        "after": after,
        "expected": before * change,
        "difference": after - before * change,
        "se_poisson": float(np.sqrt(variance)),
    }


def _with_interval(table: pd.DataFrame, level: float, freedom: float) -> pd.DataFrame:
    reach = _quantile(0.5 + level / 2, freedom) * table["se"]
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (table["difference"] / table["se"]).to_numpy(np.float64)
    tail = stats.norm.sf(np.abs(z)) if np.isinf(freedom) else stats.t.sf(np.abs(z), freedom)
    return table.assign(
        lower=table["difference"] - reach,
        upper=table["difference"] + reach,
        z=z,
        p_value=2 * tail,
    )


def _quantile(share: float, freedom: float) -> float:
    found = stats.norm.ppf(share) if np.isinf(freedom) else stats.t.ppf(share, freedom)
    return float(found)


def _detectable(
    table: pd.DataFrame,
    factor: float,
    change: float,
    c0: float,
    level: float,
    power: float,
    freedom: float,
) -> Floats:
    """Return the smallest change seen with the power asked for, in per cent of the expected."""
    before, expected = (table[name].to_numpy(np.float64) for name in ("before", "expected"))
    null = expected + change**2 * before + (before / c0) ** 2 * (change * c0 + change**2 * c0)
    reach = _quantile(0.5 + level / 2, freedom) + _quantile(power, freedom)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = 100 * reach * np.sqrt(factor * null) / expected
    return found


def straying(panel: Panel, spread: Dispersion, *, level: float = LEVEL) -> float:
    """
    Tell how much further sets of areas that lie together stray than single areas tell.

    Areas that lie together rise and fall together: a burglar moves in, a shop
    closes. Sets of comparison areas, as many as are treated and lying
    together, are taken for treated; the factor brings their tests to the
    level promised.

    Parameters
    ----------
    panel
        From `make_panel`, with `areas`.
    spread
        From `overdispersion`.
    level
        Of the intervals.

    Returns
    -------
    factor
        Of standard errors, at least 1; 1 where the areas are not known, or
        the treated ones do not lie together.

    Examples
    --------
    >>> from placeshaping.shaping.evaluation import make_panel
    >>> counts = pd.DataFrame({"area_code": list("abcd") * 2, "period": ["2024-01-01"] * 4 +
    ...                        ["2024-02-01"] * 4, "count": [9, 8, 20, 7, 3, 20, 8, 7]})
    >>> straying(make_panel(counts, treated=["a"], start="2024-02-01"), Dispersion(1.0, 2))
    1.0
    """
    places = panel.places(TREATED, COMPARISON)
    chosen = int((panel.roles == TREATED).sum())
    if places is None or not lie_together(places, chosen):
        return 1.0
    sets = sets_together(places, chosen, most=_MOST_SETS, rng=0)[1:, chosen:]
    if len(sets) < FEWEST_SETS:
        return 1.0
    before, after = panel.sums(COMPARISON)
    b, a = sets @ before, sets @ after
    c0, c1 = before.sum() - b, after.sum() - a
    with np.errstate(divide="ignore", invalid="ignore"):
        change = c1 / c0
        variance = a + change**2 * b + (b / c0) ** 2 * (c1 + change**2 * c0)
        z = np.abs(a - b * change) / np.sqrt(spread.factor * variance)
    freedom = spread.freedom if spread.factor > 1 else np.inf
    far = float(np.quantile(z[np.isfinite(z)], level))
    return max(far / _quantile(0.5 + level / 2, freedom), 1.0)


def _cautions(panel: Panel, spread: Dispersion, strayed: float) -> tuple[str, ...]:
    told = list(panel.notes)
    if spread.freedom < 10:
        told.append(
            f"How much single areas change on their own was estimated from {spread.freedom} "
            "degrees of freedom; 20 comparison areas or more would say it better."
        )
    if spread.factor > 1.2:
        told.append(
            f"Single areas changed {spread.factor:.1f} times as much (in variance) as chance alone "
            "would have them; the intervals are wider for it."
        )
    if strayed > 1.1:
        told.append(
            "Areas that lie together rise and fall together: other sets of as many areas, in which "
            f"nothing was done, strayed {strayed:.1f} times as far as single areas tell. The "
            "intervals are wider for it."
        )
    told.append(
        "Areas are often chosen because counts were high; high counts tend to fall on their own "
        "(regression to the mean), and that looks like an effect."
    )
    return tuple(told)

"""
Synthetic control: a weighted mean of other areas that went as the treated ones did before.

One specification proves little, so the result of `synthetic_control` is the
range over specifications: what is matched, how long the time before is, which
areas may be drawn on. Each has its own placebo test: the same is done for
areas in which nothing happened.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.checks import check_whole
from placeshaping._core.errors import InputError
from placeshaping._core.progress import track
from placeshaping.shaping._reassigned import lie_together, sets_together
from placeshaping.shaping._simplex import simplex_weights
from placeshaping.shaping.evaluation import COMPARISON, TREATED, Floats, Panel

FEWEST_BEFORE, FEWEST_DONORS = 6, 19
"""Periods before that are needed, and donors: with 19 a placebo test can reach 5 %."""

MATCHED = {
    "every period": 1,
    "pairs of periods": 2,
    "fours of periods": 4,
}
"""What is matched: means over so many periods before."""

SHARES = {"all": 1.0, "last two thirds": 2 / 3, "last half": 0.5}
"""How much of the time before is used."""

LEVELS, CHANGES = "levels", "changes"

_MOST_LEFT_OUT = 10
_NOTABLE = 0.01


@dataclass(frozen=True, eq=False)
class SyntheticControl:
    """
    The range over specifications, and one of them to look at.

    Attributes
    ----------
    range
        A row a specification: ``matched``, ``before`` (share of the periods),
        ``periods`` (how many), ``fit`` (``"levels"``, or ``"changes"`` from the mean before),
        ``left_out`` (a donor, or empty), ``effect`` (mean count per period and
        treated area), ``percent`` (of the synthetic control), ``error_before``
        and ``error_after`` (root mean squared), ``ratio`` of the two, and
        ``p_value`` (share of placebos, the treated areas among them, with a
        ratio as large).
    series
        Of the first specification, by ``period``: ``after``, ``treated``,
        ``synthetic``, ``gap``, counts per treated area.
    weights
        Of the donors in the first specification.
    placebos
        Gaps of the placebos, a row each.
    method, cautions
        How it was made, and what a reader must know.
    """

    range: pd.DataFrame = field(repr=False)
    series: pd.DataFrame = field(repr=False)
    weights: pd.Series[float] = field(repr=False)
    placebos: pd.DataFrame = field(repr=False)
    method: str
    cautions: tuple[str, ...]


@dataclass(frozen=True)
class _Specification:
    matched: str
    before: str
    fit: str = LEVELS
    left_out: str = ""


@dataclass(frozen=True)
class _Fit:
    gap: Floats
    weights: Floats
    before: NDArray[np.bool_]
    synthetic: Floats


def synthetic_control(
    panel: Panel, *, placebos: int = 199, rng: int | np.random.Generator = 0
) -> SyntheticControl:
    """
    Compare the treated areas with weighted means of comparison areas, in many ways.

    Weights of zero or more that add up to 1 (Abadie, Diamond and Hainmueller
    2010), found exactly; what is matched are counts before, so that no
    weights of predictors have to be chosen. ``"changes"`` matches after the
    mean before is taken off each area (Ferman and Pinto 2021). Donors are the
    comparison areas of the most similar level, at most two for each period
    before: among hundreds some would match whatever chance did.

    Parameters
    ----------
    panel
        From `make_panel`; of several treated areas the mean is matched.
    placebos
        Sets of comparison areas, as many as are treated, that are taken for
        treated; with one treated area each comparison area in turn.
        They lie together where the treated areas do and the panel knows it.
    rng
        Seed or generator of those.

    Returns
    -------
    result
        See `SyntheticControl`.

    Raises
    ------
    InputError
        If there are fewer than 6 periods before, or too few comparison areas:
        19, and two for each treated area.

    Examples
    --------
    >>> from placeshaping.shaping.evaluation import make_panel
    >>> rng = np.random.default_rng(0)
    >>> months = pd.date_range("2024-01-01", periods=12, freq="MS")
    >>> codes = [f"a{i:02}" for i in range(25)]
    >>> means = np.repeat(rng.uniform(20, 60, 25), 12)
    >>> counts = pd.DataFrame({"area_code": np.repeat(codes, 12), "period": np.tile(months, 25),
    ...                        "count": rng.poisson(means)})
    >>> result = synthetic_control(make_panel(counts, treated=codes[:1], start="2024-09-01"))
    >>> len(result.range) >= 12, float(round(result.weights.sum(), 6))
    (True, 1.0)
    """
    check_whole(placebos, name="placebos", least=FEWEST_DONORS)
    donors = panel.counts[panel.roles == COMPARISON]
    own = panel.of(TREATED)
    _check(panel, len(own), len(donors))
    counts = donors.to_numpy(np.float64)
    sets = _placebo_sets(panel, len(own), len(counts), placebos, rng)
    first = next(_plain())
    main = _fitted(own.mean(axis=0), counts, first, panel)
    heavy = np.argsort(main.weights)[::-1][:_MOST_LEFT_OUT]
    named = [str(donors.index[n]) for n in heavy if main.weights[n] > _NOTABLE]
    specifications = [
        *_plain(),
        *(_Specification(first.matched, first.before, LEVELS, n) for n in named),
    ]
    rows, gaps = [], []
    for one in track(specifications, label="Synthetic controls"):
        keep = np.asarray(donors.index != one.left_out)
        row, gap = _judged(own.mean(axis=0), counts, keep, sets, one, panel)
        rows.append(row)
        gaps.append(gap)
    periods = panel.counts.columns.rename("period")
    series = pd.DataFrame(
        {
            "after": panel.after,
            "treated": own.mean(axis=0),
            "synthetic": main.synthetic,
            "gap": main.gap,
        },
        index=periods,
    )
    table = pd.DataFrame(rows).rename_axis("specification")
    return SyntheticControl(
        range=table,
        series=series,
        weights=pd.Series(main.weights, index=donors.index, name="weight"),
        placebos=pd.DataFrame(gaps[0], columns=periods),
        method=(
            f"Synthetic control (Abadie, Diamond and Hainmueller 2010) in {len(table)} "
            f"specifications, each with {len(sets)} placebos in other areas."
        ),
        cautions=_cautions(table, own.mean(axis=0), counts, ~panel.after),
    )


def _check(panel: Panel, treated: int, donors: int) -> None:
    before = int((~panel.after).sum())
    if before < FEWEST_BEFORE:
        msg = (
            f"There are {before} periods before {panel.start.date()}: a synthetic control needs at "
            f"least {FEWEST_BEFORE}, and is poor with fewer than 12."
        )
        raise InputError(msg)
    least = max(FEWEST_DONORS, 2 * treated + 1)
    if donors < least:
        msg = (
            f"There are {donors} comparison areas: a synthetic control of {treated} treated areas "
            f"with its placebo test needs at least {least}."
        )
        raise InputError(msg)


def _plain() -> Iterator[_Specification]:
    for fit in (LEVELS, CHANGES):
        for matched in MATCHED:
            for before in SHARES:
                yield _Specification(matched, before, fit)


def _placebo_sets(
    panel: Panel, treated: int, donors: int, most: int, rng: int | np.random.Generator
) -> NDArray[np.intp]:
    """Return donors that are taken for treated, a row a placebo."""
    if treated == 1:
        return np.arange(donors)[:, None]
    places = panel.places(TREATED, COMPARISON)
    if places is not None and lie_together(places, treated):
        sets = sets_together(places, treated, most=most + 1, rng=rng)[1:, treated:]
        return np.nonzero(sets)[1].reshape(len(sets), treated)
    drawn = np.random.default_rng(rng).random((most, donors)).argsort(axis=1)
    return drawn[:, :treated]


def _fitted(own: Floats, donors: Floats, one: _Specification, panel: Panel) -> _Fit:
    before = ~panel.after
    if one.before != "all":
        used = round(SHARES[one.before] * before.sum())
        before = before & (np.cumsum(before) > before.sum() - used)
    level = own[before].mean() if one.fit == CHANGES else 0.0
    levels = donors[:, before].mean(axis=1) if one.fit == CHANGES else np.zeros(len(donors))
    moved, others = own - level, donors - levels[:, None]
    size = MATCHED[one.matched]
    near = _alike(own[before].mean(), donors[:, before].mean(axis=1), int(before.sum()))
    weights = np.zeros(len(donors))
    weights[near] = simplex_weights(
        _means(moved[None, before], size)[0], _means(others[near][:, before], size).T
    )
    synthetic = weights @ others + level
    return _Fit(own - synthetic, weights, before, synthetic)


def _alike(level: float, levels: Floats, periods: int) -> NDArray[np.intp]:
    """Return the donors of the most similar level, at most two for each period before."""
    most = max(FEWEST_DONORS, 2 * periods)
    return np.sort(np.argsort(np.abs(levels - level), kind="stable")[:most])


def _means(series: Floats, size: int) -> Floats:
    """Return means over so many periods, counted from the last; an odd rest is one by itself."""
    length = series.shape[1]
    block = (np.arange(length)[::-1] // size)[::-1]
    block = block.max() - block
    number = np.bincount(block)
    sums = np.stack([np.bincount(block, weights=row) for row in series])
    means: Floats = sums / number
    return means


def _judged(
    own: Floats,
    donors: Floats,
    keep: NDArray[np.bool_],
    sets: NDArray[np.intp],
    one: _Specification,
    panel: Panel,
) -> tuple[dict[str, object], Floats]:
    """Fit the treated areas and every placebo, and compare how far they part after the start."""
    fit = _fitted(own, donors[keep], one, panel)
    gaps, ratios = [], []
    for members in sets:
        rest = keep.copy()
        rest[members] = False
        placebo = _fitted(donors[members].mean(axis=0), donors[rest], one, panel)
        gaps.append(placebo.gap)
        ratios.append(_ratio(placebo, panel.after))
    ratio = _ratio(fit, panel.after)
    after = panel.after
    counterfactual = fit.synthetic[after].mean()
    row: dict[str, object] = {
        "matched": one.matched,
        "before": one.before,
        "periods": int(fit.before.sum()),
        "fit": one.fit,
        "left_out": one.left_out,
        "effect": float(fit.gap[after].mean()),
        "percent": 100 * fit.gap[after].mean() / counterfactual if counterfactual > 0 else np.nan,
        "error_before": _error(fit.gap[fit.before]),
        "error_after": _error(fit.gap[after]),
        "ratio": ratio,
        "p_value": float((1 + np.sum(np.array(ratios) >= ratio)) / (1 + len(ratios))),
    }
    return row, np.array(gaps)


def _ratio(fit: _Fit, after: NDArray[np.bool_]) -> float:
    error = _error(fit.gap[fit.before])
    return _error(fit.gap[after]) / error if error > 1e-9 else float("inf")


def _error(gap: Floats) -> float:
    return float(np.sqrt((gap**2).mean()))


def _cautions(
    table: pd.DataFrame, own: Floats, donors: Floats, before: NDArray[np.bool_]
) -> tuple[str, ...]:
    told = []
    lowest, highest = table["percent"].min(), table["percent"].max()
    if lowest < 0 < highest:
        told.append("The specifications do not agree on the direction.")
    level, levels = own[before].mean(), donors[:, before].mean(axis=1)
    if not levels.min() <= level <= levels.max():
        told.append(
            "The treated areas had more, or fewer, records before than any comparison area: no "
            "weights can match them; trust only the specifications that match changes, not levels."
        )
    off = float(table["error_before"].iloc[0] / level) if level > 0 else np.inf
    if off > 0.25:
        told.append(
            f"Before the start the synthetic control is off by {100 * off:.0f} % on average; "
            "longer periods or more categories would match better."
        )
    return tuple(told)

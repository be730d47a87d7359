"""
Trials of areas: alike areas in pairs, one of each drawn, and what could be seen.

A trial that is drawn by lot answers what an evaluation afterwards can only
argue about. Pairs make it sharper; the draw is kept on the record; the power
comes from the areas' own series, with all their outbreaks and lulls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize, sparse, spatial, stats

from placeshaping._core.checks import check_unique, check_whole, listed
from placeshaping._core.errors import EmptyError, InputError
from placeshaping.shaping.evaluation import Floats

FEWEST_PAIRS = 6
"""Pairs from which a test can reach 5 % whatever the draw: 2 / 2^6 is 0.031."""

SECONDS = 60.0
"""Time that HiGHS is given for the pairs."""

_GAP = 1e-3  # of the sum of distances


def pair_areas(
    features: pd.DataFrame, *, neighbours: int = 12, seconds: float = SECONDS
) -> pd.DataFrame:
    """
    Put areas into pairs that are as alike as can be in all (minimum-weight matching).

    Parameters
    ----------
    features
        Areas by what they shall be alike in: counts before, covariates. Each
        column counts alike, after its mean and spread are taken off.
    neighbours
        Only so many most similar areas are considered as partners of each;
        more where these leave an area without one.
    seconds
        Time that the solver is given.

    Returns
    -------
    pairs
        ``pair`` (1 is the most alike) and ``distance`` of the two, by area in
        the order of `features`; both missing for the area that is left over
        where their number is odd. ``attrs["gap"]``: how far, as a share, the
        sum of distances may be from the least.

    Raises
    ------
    InputError
        If there are fewer than four areas, or values are missing.
    DuplicateError
        If an area stands twice.

    Examples
    --------
    >>> table = pd.DataFrame({"burglary": [10, 50, 11, 52, 90]}, index=list("abcde"))
    >>> pair_areas(table)["pair"].tolist()
    [1.0, 2.0, 1.0, 2.0, nan]
    """
    check_unique(features.index, where="features")
    values = features.to_numpy(np.float64)
    if len(values) < 4 or features.shape[1] == 0:
        msg = (
            f"There are {features.shape[0]} areas by {features.shape[1]} features; 4 by 1 at least."
        )
        raise InputError(msg)
    if not np.isfinite(values).all():
        lost = features.index[~np.isfinite(values).all(axis=1)]
        msg = f"{len(lost):,} areas lack a value: {listed(list(lost))}. Fill or drop them."
        raise InputError(msg)
    spread = values.std(axis=0)
    scaled = (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    check_whole(neighbours, name="neighbours")
    if features.shape[1] == 1:
        chosen, gap = _along_a_line(scaled[:, 0]), 0.0
    else:
        chosen, gap = _matching(scaled, min(neighbours, len(scaled) - 1), seconds)
    distance = np.sqrt(((scaled[chosen[:, 0]] - scaled[chosen[:, 1]]) ** 2).sum(axis=1))
    order = np.lexsort((chosen[:, 0], distance))
    out = pd.DataFrame(np.nan, index=features.index, columns=["pair", "distance"])
    for number, which in enumerate(order, start=1):
        out.iloc[chosen[which], 0] = number
        out.iloc[chosen[which], 1] = distance[which]
    out.attrs["gap"] = gap
    return out


def _along_a_line(values: Floats) -> NDArray[np.intp]:
    """Pair neighbours in order, which is best on a line; of an odd number leave the best out."""
    order = np.argsort(values, kind="stable")
    if len(order) % 2:
        steps = np.diff(values[order])
        before = np.concatenate([[0.0], steps[0::2].cumsum()])
        after = np.concatenate([steps[1::2][::-1].cumsum()[::-1], [0.0]])
        order = np.delete(order, 2 * int(np.argmin(before + after)))
    return order.reshape(-1, 2)


def _matching(points: Floats, near: int, seconds: float) -> tuple[NDArray[np.intp], float]:
    """Solve the matching over the nearest pairs; look at more where they do not suffice."""
    count = len(points)
    found = spatial.KDTree(points).query(points, k=near + 1)[1]
    edges = np.stack([np.repeat(np.arange(count), near + 1), found.ravel()], axis=1)
    edges = np.unique(np.sort(edges[edges[:, 0] != edges[:, 1]], axis=1), axis=0)
    cost = np.sqrt(((points[edges[:, 0]] - points[edges[:, 1]]) ** 2).sum(axis=1))
    which = np.arange(len(edges))
    degree = sparse.csr_array(
        (np.ones(2 * len(edges)), (edges.T.ravel(), np.tile(which, 2))), shape=(count, len(edges))
    )
    wanted = count // 2
    solved = optimize.milp(
        cost,
        integrality=np.ones(len(edges), dtype=np.int64),
        bounds=optimize.Bounds(0, 1),
        constraints=[
            optimize.LinearConstraint(degree, 1.0 if count % 2 == 0 else 0.0, 1.0),
            optimize.LinearConstraint(np.ones((1, len(edges))), wanted, wanted),
        ],
        options={"time_limit": seconds, "mip_rel_gap": _GAP},
    )
    if solved.x is not None:
        return edges[solved.x > 0.5], float(solved.mip_gap or 0.0)
    if near < count - 1:
        return _matching(points, min(2 * near, count - 1), seconds)
    msg = f"No pairs of {count:,} areas were found in {seconds:g} seconds. Give more."
    raise InputError(msg)


def draw_trial(pairs: pd.DataFrame, *, rng: int) -> pd.DataFrame:
    """
    Draw by lot which area of each pair is treated.

    Parameters
    ----------
    pairs
        From `pair_areas`.
    rng
        Seed. A number, kept with the result, so that anybody can repeat the
        draw; agree on it beforehand, and draw once.

    Returns
    -------
    trial
        `pairs` with ``arm``: ``"treated"``, ``"comparison"``, or missing for an
        area without a partner. ``attrs["drawn_with"]``: the seed, and how.

    Raises
    ------
    InputError
        If `rng` is no number, or a pair has not two areas.

    Examples
    --------
    >>> pairs = pd.DataFrame({"pair": [1, 2, 1, 2]}, index=list("abcd"))
    >>> trial = draw_trial(pairs, rng=7)
    >>> trial.groupby("pair")["arm"].nunique().tolist(), trial.attrs["drawn_with"]["seed"]
    ([2, 2], 7)
    """
    seed = check_whole(rng, name="rng", least=0)
    sizes = pairs["pair"].value_counts()
    if len(sizes) == 0 or not bool((sizes == 2).all()):
        msg = f"{int((sizes != 2).sum()):,} of {len(sizes):,} pairs do not have two areas."
        raise InputError(msg)
    heads = np.random.default_rng(seed).random(len(sizes)) < 0.5
    first_treated = dict(zip(sorted(sizes.index), heads, strict=True))
    first = ~pairs["pair"].duplicated()
    treated = pairs["pair"].map(first_treated) == first
    arm = pd.Series(np.where(treated, "treated", "comparison"), index=pairs.index, dtype=object)
    out = pairs.assign(arm=arm.where(pairs["pair"].notna()))
    out.attrs["drawn_with"] = {
        "seed": seed,
        "generator": f"numpy {np.__version__} default_rng, one number a pair in their order",
        "rule": "the first area of a pair is treated where the number is under a half",
    }
    return out


@dataclass(frozen=True, eq=False)
class _Windows:
    """Real counts before and after by area, at every time at which both fit into the series."""

    before: Floats
    after: Floats


def trial_power(
    counts: pd.DataFrame,
    pairs: pd.Series[float],
    *,
    effects: Sequence[float] = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5),
    months: Sequence[int] = (6, 12),
    numbers: Sequence[int] | None = None,
    simulations: int = 1000,
    rng: int | np.random.Generator = 0,
    level: float = 0.05,
) -> pd.DataFrame:
    """
    Simulate trials on the areas' own past, and count how often an effect would be seen.

    Every simulated trial begins at a time of the past, draws one area of each
    pair, takes away a share of its records after that time (each record by
    lot), and is tested as a real one would be: t over the pairs of their differences of
    changes. So over-dispersion,
    seasons and what one month hands on to the next are those of the real
    series.

    Parameters
    ----------
    counts
        Areas by monthly periods, without a gap.
    pairs
        Number of the pair by area, from `pair_areas`; missing for areas
        without one.
    effects
        Shares of records that the measure prevents.
    months
        Lengths of the time after; as much is looked at before.
    numbers
        How many pairs, the most alike first; by default a quarter, half and
        all of them.
    simulations
        Trials for each line.
    rng
        Seed or generator.
    level
        Of the test.

    Returns
    -------
    power
        A row for each number of ``pairs``, ``months`` and ``effect``: ``power``
        with its simulation error ``se``, and ``records`` (mean number after in
        the treated areas without an effect).

    Raises
    ------
    InputError
        If there are fewer than six pairs, or the series is too short.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> codes = [f"a{i:02}" for i in range(40)]
    >>> counts = pd.DataFrame(rng.poisson(4.0, (40, 24)), index=codes)
    >>> pairs = pd.Series(np.repeat(np.arange(1, 21), 2), index=codes)
    >>> table = trial_power(counts, pairs, effects=[0.0, 0.5], months=[6], numbers=[20])
    >>> table["power"].gt(0.9).tolist()
    [False, True]
    """
    sides = _sides(counts, pairs)
    numbers = [len(sides) // 4, len(sides) // 2, len(sides)] if numbers is None else list(numbers)
    numbers = [n for n in dict.fromkeys(numbers) if n >= FEWEST_PAIRS]
    if not numbers or max(numbers) > len(sides):
        msg = (
            f"There are {len(sides)} pairs. A trial needs {FEWEST_PAIRS} at least, and `numbers` "
            "cannot ask for more than there are."
        )
        raise InputError(msg)
    if any(not 0 <= effect <= 1 for effect in effects):
        msg = f"effects are shares from 0 to 1; they are {listed(list(effects))}."
        raise InputError(msg)
    generator = np.random.default_rng(rng)
    rows = []
    for length in months:
        windows = _windows(counts.to_numpy(np.float64), check_whole(length, name="months"))
        for number in numbers:
            for effect in effects:
                seen, records = _trials(
                    windows, sides[:number], effect, simulations, generator, level
                )
                error = np.sqrt(seen * (1 - seen) / simulations)
                rows.append((number, length, effect, seen, error, records))
    columns = ["pairs", "months", "effect", "power", "se", "records"]
    return pd.DataFrame(rows, columns=columns)


def smallest_effects(power: pd.DataFrame, *, wanted: float = 0.80) -> pd.DataFrame:
    """
    Read off the smallest effect that a trial would see with the power wanted.

    Parameters
    ----------
    power
        From `trial_power`.
    wanted
        The power.

    Returns
    -------
    table
        ``pairs``, ``months``, ``effect`` (between the two effects simulated, by
        straight line; missing where the largest was not enough) and
        ``false_positives`` (power at no effect, where that was simulated).

    Examples
    --------
    >>> power = pd.DataFrame({"pairs": 20, "months": 6, "effect": [0.0, 0.2, 0.4],
    ...                       "power": [0.05, 0.6, 1.0]})
    >>> smallest_effects(power)["effect"].round(3).tolist()
    [0.3]
    """
    rows = []
    for (pairs, months), one in power.groupby(["pairs", "months"], sort=True):
        effect, seen = (one[name].to_numpy(np.float64) for name in ("effect", "power"))
        order = np.argsort(effect)
        effect, seen = effect[order], np.maximum.accumulate(seen[order])
        enough = np.flatnonzero(seen >= wanted)
        found = np.nan
        if len(enough) and enough[0] > 0:
            last = slice(enough[0] - 1, enough[0] + 1)
            found = float(np.interp(wanted, seen[last], effect[last]))
        none = one.loc[one["effect"] == 0, "power"]
        rows.append((pairs, months, found, float(none.iloc[0]) if len(none) else np.nan))
    return pd.DataFrame(rows, columns=["pairs", "months", "effect", "false_positives"])


def _sides(counts: pd.DataFrame, pairs: pd.Series[float]) -> NDArray[np.intp]:
    """Return the rows of the two areas of each pair, pairs in their order."""
    known = pairs.dropna()
    if known.empty:
        msg = "No area has a partner."
        raise EmptyError(msg)
    lost = known.index.difference(counts.index)
    sizes = known.value_counts()
    if len(lost) or not bool((sizes == 2).all()):
        msg = (
            f"{len(lost):,} areas of the pairs have no counts, and "
            f"{int((sizes != 2).sum()):,} pairs have not two areas."
        )
        raise InputError(msg)
    by_pair = known.sort_values(kind="stable")
    return np.asarray(counts.index.get_indexer(by_pair.index)).reshape(-1, 2)


def _windows(counts: Floats, length: int) -> _Windows:
    starts = np.arange(length, counts.shape[1] - length + 1)
    if not len(starts):
        msg = (
            f"{length} months before and after need {2 * length} periods; there are "
            f"{counts.shape[1]}."
        )
        raise InputError(msg)
    sums = np.concatenate([np.zeros((len(counts), 1)), counts.cumsum(axis=1)], axis=1)
    return _Windows(
        sums[:, starts] - sums[:, starts - length], sums[:, starts + length] - sums[:, starts]
    )


def _trials(
    windows: _Windows,
    sides: NDArray[np.intp],
    effect: float,
    simulations: int,
    generator: np.random.Generator,
    level: float,
) -> tuple[float, float]:
    """Return the share of trials that saw an effect, and the mean number of records after."""
    when = generator.integers(windows.before.shape[1], size=(simulations, 1))
    side = generator.integers(2, size=(simulations, len(sides)))
    pair = np.arange(len(sides))
    own, other = sides[pair, side], sides[pair, 1 - side]
    after = windows.after[own, when]
    prevented = generator.binomial(after.astype(np.int64), effect)
    moved = (after - prevented - windows.before[own, when]) - (
        windows.after[other, when] - windows.before[other, when]
    )
    spread = moved.std(axis=1, ddof=1) / np.sqrt(len(sides))
    t = moved.mean(axis=1) / np.maximum(spread, 1e-12)
    critical = float(stats.t.ppf(1 - level / 2, len(sides) - 1))
    return float((np.abs(t) > critical).mean()), float(after.sum(axis=1).mean())

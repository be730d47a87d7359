"""
Scan statistics: which circle, and which stretch of time, holds more cases than chance explains.

Kulldorff (1997; 2001 for time; Kulldorff et al. 2005 for the space-time
permutation), with the conventions of SaTScan. Every window is looked at, and
the highest likelihood ratio is compared with the highest of data drawn where
nothing clusters: the p-value allows for all the windows that were looked at.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, get_args

import numba
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.checks import check_choice, check_whole
from placeshaping._core.errors import EmptyError, InputError
from placeshaping._core.progress import track
from placeshaping.hotspots._scan_kernels import log_ratio, scan_centres
from placeshaping.hotspots.cube import make_cube
from placeshaping.hotspots.scan_models import Model, ModelName, make_model
from placeshaping.hotspots.scan_windows import centres_of, distances_from, window_lists

_log = logging.getLogger(__name__)

Floats = NDArray[np.float64]

Analysis = Literal["spatial", "retrospective", "prospective"]
"""Circles; circles in any stretch of time; circles in stretches that last to the final step."""

Rates = Literal["high", "low", "both"]

CLUSTERS = ("most_likely_high", "secondary_high", "secondary_low", "most_likely_low", "none")
"""Labels of areas, in the order of a legend."""

FEWEST_CASES = 2
"""A cluster of high rates has at least so many cases, as in SaTScan."""


@dataclass(frozen=True)
class ScanResult:
    """
    Clusters, and the cluster of each area.

    Attributes
    ----------
    clusters
        One row a cluster, the most likely first.
    areas
        One row an area, labelled for a map.
    """

    clusters: pd.DataFrame
    areas: pd.DataFrame
    maxima: NDArray[np.float64] = field(repr=False)
    """The highest log likelihood ratio of each simulation."""


class _Found(NamedTuple):
    """The best window of each centre."""

    ratio: Floats
    depth: NDArray[np.int64]
    begin: NDArray[np.int64]
    end: NDArray[np.int64]


@dataclass(frozen=True)
class _Search:
    """What is looked for."""

    model: Model
    xy: Floats
    side: int
    first_end: int
    longest: int
    max_share: float
    max_radius: float


def scan(
    cases: pd.DataFrame | pd.Series[int],
    areas: pd.DataFrame,
    *,
    model: ModelName = "poisson",
    population: pd.DataFrame | pd.Series[float] | None = None,
    controls: pd.DataFrame | pd.Series[float] | None = None,
    analysis: Analysis = "spatial",
    rates: Rates = "high",
    max_share: float = 0.5,
    max_radius: float | None = None,
    max_duration: float = 0.5,
    simulations: int = 999,
    significance: float = 0.05,
    most: int = 20,
    rng: int | np.random.Generator = 0,
) -> ScanResult:
    """
    Find the most likely clusters of cases, and how likely chance alone makes one.

    Windows are circles around the areas' centres, from the centre's own area
    outwards, area by area (those at one distance together), as long as they
    hold no more than `max_share`; with time, each circle in every stretch of
    whole steps of no more than `max_duration`.

    Of each centre the best window counts. They are listed from the most likely
    down, leaving out any that shares an area with one already listed, whatever
    its time (SaTScan's default, "no geographical overlap").

    Parameters
    ----------
    cases
        Whole numbers: a Series indexed by area code; or a table of areas by
        steps, long or wide, as `make_cube` takes it.
    areas
        Polygons on the British National Grid, or a table with ``easting`` and
        ``northing``; indexed by area code.
    model
        ``"poisson"``: cases are in proportion to `population` (people, or any
        expected numbers); ``"bernoulli"``: cases against `controls`;
        ``"permutation"``: cases alone, for places that have more than usual at
        a time.
    population, controls
        Of each area (a Series), or of each area and step (a wide table).
    analysis
        See `Analysis`.
    rates
        Whether to look for clusters of high rates, low ones, or both.
    max_share
        Largest share of a window in the population (Poisson), in cases and
        controls (Bernoulli) or in cases (permutation).
    max_radius
        Largest radius, metres; unlimited where not given.
    max_duration
        Longest stretch, as a share of the known steps.
    simulations
        Number of data sets drawn from the model; the p-value cannot fall below
        1 / (simulations + 1).
    significance
        Up to which p-value areas are labelled as being in a cluster.
    most
        How many clusters to list at most.
    rng
        Seed or generator; the result does not depend on the number of threads.

    Returns
    -------
    result
        ``clusters``: indexed by ``rank``; columns ``centre`` (area code),
        ``radius`` (metres), ``areas`` (number), ``start``, ``end`` (first and
        last step), ``steps``, ``observed``, ``expected``, ``relative_risk``
        (inside over outside), ``log_likelihood_ratio``, ``p_value`` (rank
        among the simulations), ``p_gumbel`` (Abrams, Kulldorff and Kleinman
        2010, finer than the rank), ``recurrence`` (prospective alone: in how
        many steps, analysing at each, chance brings one such; at most
        simulations + 1).
        ``areas``: in the order of the cases; ``cluster`` (one of `CLUSTERS`),
        ``rank``, ``observed``, ``expected``, and ``relative_risk``,
        ``p_value`` of its cluster.
        Both with ``attrs["cautions"]`` and ``attrs["method"]``.

    Raises
    ------
    EmptyError
        If there are fewer than two areas, cases, or steps where time counts.
    InputError
        If an option is out of range, or tables do not fit one another.
    CRSError
        If places are in degrees.

    Examples
    --------
    >>> square = np.arange(36)
    >>> places = {"easting": 1e5 + square % 6 * 1e3, "northing": 1e5 + square // 6 * 1e3}
    >>> areas = pd.DataFrame(places, index=[f"a{i:02}" for i in square])
    >>> cases = pd.Series(2, index=areas.index)
    >>> cases[["a00", "a01", "a06"]] = 15
    >>> people = pd.Series(1000, index=areas.index)
    >>> found = scan(cases, areas, population=people).clusters.iloc[0]
    >>> print(found["centre"], found["areas"], found["observed"], found["relative_risk"].round(1))
    a00 3 45 7.5
    """
    _check_options(analysis, rates, max_share, max_radius, max_duration, significance)
    simulations = check_whole(simulations, name="simulations", least=19)
    table, gaps = _known_steps(cases, analysis)
    made = make_model(model, table, population, controls, spatial=analysis == "spatial")
    steps = made.cases.shape[1]
    search = _Search(
        model=made,
        xy=centres_of(areas, table.index),
        side={"high": 1, "low": -1, "both": 0}[rates],
        first_end=steps if analysis == "prospective" else 1,
        longest=1 if analysis == "spatial" else max(1, math.floor(max_duration * steps + 1e-9)),
        max_share=max_share,
        max_radius=math.inf if max_radius is None else max_radius,
    )
    found, maxima = _searched(search, simulations, np.random.default_rng(rng))
    chosen = _without_overlap(search, found, check_whole(most, name="most"))
    clusters = _cluster_table(search, table, chosen, maxima, analysis)
    labels = _area_table(search, table, chosen, clusters, significance)
    cautions = tuple(_cautions(search, gaps, analysis))
    for caution in cautions:
        _log.warning("%s", caution)
    for each in (clusters, labels):
        each.attrs = {"cautions": cautions, "method": _method(search, analysis, rates, simulations)}
    return ScanResult(clusters, labels, maxima)


def _check_options(
    analysis: Analysis,
    rates: Rates,
    max_share: float,
    max_radius: float | None,
    max_duration: float,
    significance: float,
) -> None:
    check_choice(analysis, get_args(Analysis), name="analysis")
    check_choice(rates, get_args(Rates), name="rates")
    for name, share, top in (
        ("max_share", max_share, 0.5),
        ("max_duration", max_duration, 0.9),
        ("significance", significance, 1.0),
    ):
        if not 0 < share <= top:
            msg = f"{name} is {share}. Give a number above 0 and up to {top:g}."
            raise InputError(msg)
    if max_radius is not None and not max_radius > 0:
        msg = f"max_radius is {max_radius}. Give metres above 0, or None."
        raise InputError(msg)


def _known_steps(
    cases: pd.DataFrame | pd.Series[int], analysis: Analysis
) -> tuple[pd.DataFrame, int]:
    """Return areas by known steps, and how many steps between them are unknown."""
    if isinstance(cases, pd.Series):
        if analysis != "spatial":
            msg = f"A {analysis} analysis needs cases by step: a table of areas by steps."
            raise InputError(msg)
        cases = cases.to_frame(0)
    cube = make_cube(cases)
    if len(cube) < 2:
        msg = f"There are {len(cube)} areas: a scan needs at least two."
        raise EmptyError(msg)
    known = cube.loc[:, cube.notna().any(axis=0)]
    if analysis != "spatial" and known.shape[1] < 2:
        msg = f"cases hold {known.shape[1]} steps: a {analysis} analysis needs at least two."
        raise EmptyError(msg)
    return known, cube.shape[1] - known.shape[1]


def _searched(
    search: _Search, simulations: int, generator: np.random.Generator
) -> tuple[_Found, Floats]:
    """Return the best window of each centre, and the highest ratio of each simulation."""
    seeds = generator.integers(0, 2**63, simulations)
    maxima = np.zeros(simulations)
    parts: list[tuple[Any, ...]] = []
    baseline = _running(search.model.expected)
    share = search.model.weight / search.model.weight.sum()
    options = {"max_share": search.max_share, "max_radius": search.max_radius}

    for windows in window_lists(search.xy, share, **options):

        def best(counts: NDArray[Any], floor: float, each: bool, lists: Any = windows) -> Any:
            return scan_centres(
                _running(counts), baseline, lists.order, lists.start, lists.closes,
                search.model.total, search.model.people, search.side, float(FEWEST_CASES),
                search.first_end, search.longest, floor, each,
            )  # fmt: skip

        def highest(number: int, best: Any = best) -> float:
            drawn = search.model.draw(np.random.default_rng(seeds[number]))
            before = float(maxima[number])
            return max(before, float(best(drawn, before, False)[0].max(initial=0)))

        parts.append(best(search.model.cases, 0.0, True))
        with ThreadPoolExecutor(numba.get_num_threads()) as pool:
            runs = pool.map(highest, range(simulations))
            maxima[:] = list(track(runs, label="Simulating", total=simulations))
    return _Found(*(np.concatenate(column) for column in zip(*parts, strict=True))), maxima


def _running(table: NDArray[Any]) -> Floats:
    """Return sums over time, from nothing to all."""
    sums = np.zeros((table.shape[0], table.shape[1] + 1))
    np.cumsum(table, axis=1, out=sums[:, 1:])
    return sums


class _Cluster(NamedTuple):
    centre: int
    radius: float
    members: NDArray[np.intp]
    begin: int
    end: int


def _without_overlap(search: _Search, found: _Found, most: int) -> list[_Cluster]:
    """List windows from the most likely down, none of which shares an area with one before."""
    taken = np.zeros(len(search.xy), dtype=bool)
    chosen: list[_Cluster] = []
    for centre in np.argsort(-found.ratio, kind="stable"):
        if len(chosen) == most or found.ratio[centre] <= 0:
            break
        if taken[centre]:
            continue
        distance = distances_from(search.xy, int(centre))
        members = np.argsort(distance, kind="stable")[: found.depth[centre]]
        if taken[members].any():
            continue
        taken[members] = True
        span = int(found.begin[centre]), int(found.end[centre])
        chosen.append(_Cluster(int(centre), float(distance[members[-1]]), members, *span))
    return chosen


def _cluster_table(
    search: _Search,
    table: pd.DataFrame,
    chosen: list[_Cluster],
    maxima: Floats,
    analysis: Analysis,
) -> pd.DataFrame:
    rows = [_cluster_row(search, table, one, analysis) for one in chosen]
    columns = ["centre", "radius", "areas", "start", "end", "steps", "observed", "expected"]
    columns += ["relative_risk", "log_likelihood_ratio"]
    index = pd.RangeIndex(1, len(rows) + 1, name="rank")
    clusters = pd.DataFrame(rows, columns=columns, index=index)
    ratio = clusters["log_likelihood_ratio"].to_numpy(dtype=float)
    reached = (maxima[None] >= ratio[:, None] * (1 - 1e-12)).sum(axis=1)
    clusters["p_value"] = (reached + 1) / (len(maxima) + 1)
    clusters["p_gumbel"] = gumbel_p(ratio, maxima)
    lasting = analysis == "prospective"
    clusters["recurrence"] = 1 / clusters["p_value"] if lasting else np.nan
    return clusters


def _cluster_row(
    search: _Search, table: pd.DataFrame, one: _Cluster, analysis: Analysis
) -> dict[str, Any]:
    model = search.model
    span = np.ix_(one.members, np.arange(one.begin, one.end))
    observed, expected = float(model.cases[span].sum()), float(model.expected[span].sum())
    outside = (model.total - observed) / (model.total - expected)
    times = analysis != "spatial"
    return {
        "centre": table.index[one.centre],
        "radius": one.radius,
        "areas": len(one.members),
        "start": table.columns[one.begin] if times else None,
        "end": table.columns[one.end - 1] if times else None,
        "steps": one.end - one.begin,
        "observed": round(observed),
        "expected": expected,
        "relative_risk": observed / expected / outside if outside else math.inf,
        "log_likelihood_ratio": log_ratio(observed, expected, model.total, model.people),
    }


def gumbel_p(ratio: NDArray[np.float64], maxima: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Return p-values from a Gumbel distribution fitted to the simulations by its moments.

    Abrams, Kulldorff and Kleinman (2010): it goes below what the rank among a
    limited number of simulations can tell.

    Parameters
    ----------
    ratio
        Log likelihood ratios of clusters.
    maxima
        The highest one of each simulation.

    Returns
    -------
    p_value
        One for each of `ratio`.

    Examples
    --------
    >>> gumbel_p(np.array([5.0, 20.0]), np.array([4.0, 5.0, 6.0])).round(9).tolist()
    [0.429623998, 2e-09]
    """
    scale = float(np.std(maxima, ddof=1)) * math.sqrt(6) / math.pi
    if scale == 0:
        return np.where(ratio > maxima.max(), 0.0, 1.0)
    mode = float(np.mean(maxima)) - np.euler_gamma * scale
    return np.asarray(-np.expm1(-np.exp(-(ratio - mode) / scale)))


def _area_table(
    search: _Search,
    table: pd.DataFrame,
    chosen: list[_Cluster],
    clusters: pd.DataFrame,
    significance: float,
) -> pd.DataFrame:
    code = np.full(len(table), CLUSTERS.index("none"))
    columns = {name: np.full(len(table), np.nan) for name in ("rank", "relative_risk", "p_value")}
    figures = clusters[["observed", "expected", "relative_risk", "p_value"]].to_numpy(dtype=float)
    for rank, (one, figure) in enumerate(zip(chosen, figures, strict=True), 1):
        observed, expected, risk, p_value = figure
        if p_value > significance:
            continue
        order = "most_likely" if rank == 1 else "secondary"
        side = "high" if observed > expected else "low"
        code[one.members] = CLUSTERS.index(f"{order}_{side}")
        columns["rank"][one.members] = rank
        columns["relative_risk"][one.members] = risk
        columns["p_value"][one.members] = p_value
    labels = {
        "cluster": pd.Categorical.from_codes(code, pd.Index(CLUSTERS)),
        "rank": columns["rank"],
        "observed": search.model.cases.sum(axis=1),
        "expected": search.model.expected.sum(axis=1),
        "relative_risk": columns["relative_risk"],
        "p_value": columns["p_value"],
    }
    return pd.DataFrame(labels, index=table.index)


def _cautions(search: _Search, gaps: int, analysis: Analysis) -> Iterator[str]:
    """Say what a reader must know."""
    share = search.model.weight / search.model.weight.sum()
    large = int((share > search.max_share).sum())
    if large:
        yield (
            f"{large:,} of {len(share):,} areas alone hold more than {search.max_share:.0%}: no "
            "window has them, so no cluster can be found there."
        )
    if gaps and analysis != "spatial":
        yield (
            f"{gaps:,} steps are missing in the records. They are left out: a cluster's time may "
            "reach across them."
        )
    elif gaps:
        yield f"{gaps:,} steps are missing in the records and left out."


def _method(search: _Search, analysis: Analysis, rates: Rates, simulations: int) -> str:
    names = {"poisson": "Poisson", "bernoulli": "Bernoulli", "permutation": "permutation"}
    kind = {
        "spatial": "spatial",
        "retrospective": "retrospective space-time",
        "prospective": "prospective space-time",
    }[analysis]
    radius = "" if math.isinf(search.max_radius) else f" and {search.max_radius:,.0f} m"
    lasting = "" if analysis == "spatial" else f", lasting up to {search.longest} steps"
    which = "high and low" if rates == "both" else rates
    return (
        f"Scan statistic (Kulldorff 1997), {kind}, {names[search.model.name]} model, {which} "
        f"rates: circles of up to {search.max_share:.0%} of the total{radius}{lasting}; "
        f"{simulations:,} simulations; clusters that share no area."
    )

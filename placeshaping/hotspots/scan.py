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
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.checks import check_choice, check_whole
from placeshaping._core.errors import EmptyError, InputError
from placeshaping.hotspots._scan_search import Search, search_windows
from placeshaping.hotspots._scan_tables import CLUSTERS, area_table, cluster_table, without_overlap
from placeshaping.hotspots.cube import make_cube
from placeshaping.hotspots.scan_models import ModelName, make_model
from placeshaping.hotspots.scan_windows import centres_of

__all__ = ["CLUSTERS", "Analysis", "Rates", "ScanResult", "scan"]

_log = logging.getLogger(__name__)

Analysis = Literal["spatial", "retrospective", "prospective"]
"""Circles; circles in any stretch of time; circles in stretches that last to the final step."""

Rates = Literal["high", "low", "both"]


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
    maxima
        The highest log likelihood ratio of each simulation.
    """

    clusters: pd.DataFrame
    areas: pd.DataFrame
    maxima: NDArray[np.float64] = field(repr=False)


def scan(
    cases: pd.DataFrame | pd.Series[int],
    areas: pd.DataFrame,
    *,
    model: ModelName = "poisson",
    population: pd.DataFrame | pd.Series[float] | None = None,
    controls: pd.DataFrame | pd.Series[float] | None = None,
    category: str | None = None,
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
    category
        Which category to take, where `cases` is a long table of several.
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
        Both with ``attrs["cautions"]``, ``attrs["method"]`` and
        ``attrs["simulations"]``.

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
    table, gaps = _known_steps(cases, category, analysis)
    made = make_model(model, table, population, controls, spatial=analysis == "spatial")
    steps = made.cases.shape[1]
    search = Search(
        model=made,
        xy=centres_of(areas, table.index),
        side={"high": 1, "low": -1, "both": 0}[rates],
        first_end=steps if analysis == "prospective" else 1,
        longest=1 if analysis == "spatial" else max(1, math.floor(max_duration * steps + 1e-9)),
        max_share=max_share,
        max_radius=math.inf if max_radius is None else max_radius,
    )
    found, maxima = search_windows(search, simulations, np.random.default_rng(rng))
    chosen = without_overlap(search, found, table.index, check_whole(most, name="most"))
    clusters = cluster_table(search, table, chosen, maxima, analysis)
    labels = area_table(search, table, chosen, clusters, significance)
    cautions = tuple(_cautions(search, table, gaps, analysis))
    for caution in cautions:
        _log.warning("%s", caution)
    for each in (clusters, labels):
        each.attrs = {
            "cautions": cautions,
            "method": _method(search, analysis, rates, simulations),
            "simulations": simulations,
        }
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
    cases: pd.DataFrame | pd.Series[int], category: str | None, analysis: Analysis
) -> tuple[pd.DataFrame, int]:
    """Return areas by known steps, and how many steps between them are unknown."""
    if isinstance(cases, pd.Series):
        if analysis != "spatial":
            msg = f"A {analysis} analysis needs cases by step: a table of areas by steps."
            raise InputError(msg)
        cases = cases.to_frame(0)
    cube = make_cube(cases, category=category)
    if len(cube) < 2:
        msg = f"A scan needs at least two areas; given: {len(cube)}."
        raise EmptyError(msg)
    known = cube.loc[:, cube.notna().any(axis=0)]
    if analysis != "spatial" and known.shape[1] < 2:
        msg = f"cases hold {known.shape[1]} steps: a {analysis} analysis needs at least two."
        raise EmptyError(msg)
    return known, cube.shape[1] - known.shape[1]


def _cautions(search: Search, table: pd.DataFrame, gaps: int, analysis: Analysis) -> Iterator[str]:
    """Say what a reader must know."""
    unknown = int(table.isna().any(axis=1).sum())
    if unknown:
        yield (
            f"{unknown:,} of {len(table):,} areas lack a count in some step: none is expected "
            "there, and none was found."
        )
    share = search.model.weight / search.model.weight.sum()
    large = int((share > search.max_share).sum())
    if large:
        yield (
            f"{large:,} of {len(share):,} areas alone hold more than {search.max_share:.0%}: no "
            "window has them, so no cluster can be found there."
        )
    if gaps and analysis != "spatial":
        yield (
            f"Steps missing in the records: {gaps:,}. They are left out: a cluster's time may "
            "reach across them."
        )
    elif gaps:
        yield f"Steps missing in the records and left out: {gaps:,}."


def _method(search: Search, analysis: Analysis, rates: Rates, simulations: int) -> str:
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

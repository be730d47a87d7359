"""
Emerging hot spots: where records concentrate, and whether that is new, lasting or passing.

Gi* of every area in every step (a space-time cube), then Mann-Kendall on each
area's scores. The 17 categories are those of ArcGIS's tool of that name, with
the sign of the score deciding between hot and cold.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
from libpysal.graph import Graph
from numpy.typing import NDArray

from placeshaping._core.errors import EmptyError, InputError
from placeshaping.hotspots._categories import CATEGORIES, UNKNOWN, classify
from placeshaping.hotspots._lattice import adjacency
from placeshaping.hotspots._trend import mann_kendall
from placeshaping.hotspots.cube import make_cube
from placeshaping.hotspots.cube_scores import Window, bin_scores

__all__ = ["CATEGORIES", "FEW_STEPS", "MINIMUM_STEPS", "Window", "emerging_hotspots"]

_log = logging.getLogger(__name__)

MINIMUM_STEPS = 4
"""With fewer steps no trend can be told from chance: the least two-sided p of three is 0.33."""

FEW_STEPS = 10
"""With fewer steps Mann-Kendall's normal approximation is poor, and no spot can be historical."""

SPARSE = 0.3
"""With fewer records per area and step, chance alone labels one area in a thousand."""


def emerging_hotspots(
    records: pd.DataFrame,
    neighbours: Graph,
    *,
    areas: gpd.GeoDataFrame | None = None,
    category: str | None = None,
    window: Window = "cube",
    steps_before: int = 1,
    correction: Literal["fdr"] | None = "fdr",
    significance: float = 0.05,
) -> pd.DataFrame:
    """
    Say of each area whether it is a hot or cold spot, and how that came about.

    Each bin of the cube (an area in a step) has its Gi*: its neighbourhood is
    its area and the neighbouring ones, in its own step and in `steps_before`
    earlier ones. A bin is hot (cold) where its q-value is below `significance`
    and its score above (below) zero. Of the steps that are known, and with
    "mostly" for at least 90 % of them, an area is:

    * *intensifying*, *persistent*, *diminishing*: hot in the final step and
      mostly, with a rising trend, none, a falling one;
    * *oscillating*: hot in the final step, not mostly, and cold in an earlier
      one;
    * *new*: hot in the final step, never before hot or cold;
    * *consecutive*: hot in an unbroken run of at least two final steps, never
      hot or cold before it, not mostly;
    * *sporadic*: hot in the final step, on and off before, not mostly, never
      cold;
    * *historical*: neither hot nor cold in the final step, mostly hot;

    and mirrored for cold, a trend towards colder scores counting as rising.
    Anything else is *no pattern*. Every series falls into exactly one.

    Parameters
    ----------
    records
        Counts, long or wide, or events with `areas`: see `make_cube`. A step
        that is missing in the records is unknown, not zero.
    neighbours
        Graph of the same areas, in any order.
    areas
        For events, the areas to count them in; for counts, the areas of the
        result and their order.
    category
        Which category to take, where there are several.
    window
        What a neighbourhood is compared with: all bins (``"cube"``; a level
        that changes everywhere shows as hot or cold steps), those of the steps
        of its neighbourhood (``"neighbourhood_step"``) or those of its own
        step (``"step"``; the place alone counts).
    steps_before
        How many earlier steps belong to a neighbourhood.
    correction
        ``"fdr"``: Benjamini and Hochberg among bins compared with one another;
        None: none.
    significance
        Limit of the q-value of a bin, and of the p-value of a trend.

    Returns
    -------
    result
        Indexed by area code, in the order of the records (or of `areas`):
        ``category`` (one of `CATEGORIES`; missing where the final step, or
        more than all but `MINIMUM_STEPS` steps, have no score),
        ``hot_steps``, ``cold_steps``, ``known_steps``, ``hot_share``,
        ``cold_share`` (of known steps), ``trend_z``, ``trend_p``
        (Mann-Kendall, allowing for ties and for the steps that neighbouring
        scores share), ``gi_star`` and ``q_value`` of the final step,
        ``mean_count`` (of known steps), ``total_count``.
        ``attrs["cautions"]``, ``attrs["method"]``, ``attrs["steps"]`` (labels
        of all steps), ``attrs["missing_steps"]``.

    Raises
    ------
    EmptyError
        If fewer than three areas or `MINIMUM_STEPS` steps are known.
    InputError
        If an option is out of range, or areas have no place in `neighbours`.

    Examples
    --------
    >>> from shapely import box
    >>> from placeshaping.areas.neighbours import contiguity
    >>> squares = [box(x, y, x + 1, y + 1) for y in range(6) for x in range(6)]
    >>> areas = gpd.GeoDataFrame(geometry=squares, index=[f"a{i:02}" for i in range(36)])
    >>> months = pd.date_range("2025-01-01", periods=12, freq="MS")
    >>> counts = pd.DataFrame(1.0, index=areas.index, columns=months)
    >>> counts.iloc[[0, 1, 6, 7], -3:] = 20
    >>> emerging_hotspots(counts, contiguity(areas))["category"].value_counts().head(2).to_dict()
    {'no_pattern': 28, 'consecutive_hot': 8}
    """
    if not 0 < significance < 1:
        msg = f"significance is {significance}. Give a number between 0 and 1, as 0.05."
        raise InputError(msg)
    cube = make_cube(records, areas=areas, category=category)
    values = cube.to_numpy()
    _check_size(values)
    z, _, q = bin_scores(cube, neighbours, window, steps_before, correction)
    near = adjacency(neighbours, cube.index)
    connected = np.asarray(near.sum(axis=1)).ravel() > 0
    states = _states(values, z, q, connected, significance)
    trend_z, trend_p = mann_kendall(z, steps_before=steps_before)
    moving = np.where(trend_p < significance, np.sign(trend_z), 0).astype(np.int8)
    code = classify(states, moving)
    known = (states != UNKNOWN).sum(axis=1)
    code[known < MINIMUM_STEPS] = -1
    result = _table(cube, states, code, (trend_z, trend_p), (z[:, -1], q[:, -1]))
    gaps = cube.columns[np.isnan(values).all(axis=0)]
    cautions = tuple(_cautions(values, connected, len(gaps), code))
    for caution in cautions:
        _log.warning("%s", caution)
    result.attrs = {
        "cautions": cautions,
        "method": _method(window, steps_before, correction, significance),
        "correction": correction,
        "steps": tuple(cube.columns),
        "missing_steps": tuple(gaps),
    }
    return result


def _check_size(values: NDArray[np.float64]) -> None:
    areas = int(np.isfinite(values).any(axis=1).sum())
    if areas < 3:
        msg = f"{areas} areas have counts: hot spots need at least three, and 30 to be trusted."
        raise EmptyError(msg)
    steps = int(np.isfinite(values).any(axis=0).sum())
    if steps < MINIMUM_STEPS:
        msg = (
            f"records hold {steps} steps; emerging hot spots need at least {MINIMUM_STEPS}, and "
            f"{FEW_STEPS} to be trusted. Use shorter steps, or getis_ord for one period."
        )
        raise EmptyError(msg)


def _states(
    values: NDArray[np.float64],
    z: NDArray[np.float64],
    q: NDArray[np.float64],
    connected: NDArray[np.bool_],
    significance: float,
) -> NDArray[np.int8]:
    """Tell hot, cold and neither; a known bin where nothing varies is neither."""
    found = np.where(q < significance, np.sign(z), 0.0)
    unknown = np.isnan(values) | ~connected[:, None]
    return np.where(unknown, UNKNOWN, np.nan_to_num(found)).astype(np.int8)


def _table(
    cube: pd.DataFrame,
    states: NDArray[np.int8],
    code: NDArray[np.int64],
    trend: tuple[NDArray[np.float64], NDArray[np.float64]],
    final: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> pd.DataFrame:
    values = cube.to_numpy()
    hot, cold = ((states == sign).sum(axis=1) for sign in (1, -1))
    known = (states != UNKNOWN).sum(axis=1)
    counted = np.isfinite(values).sum(axis=1)
    total = np.where(counted > 0, np.nansum(values, axis=1), np.nan)
    least = np.where(known > 0, known, np.nan)
    columns = {
        "category": pd.Categorical.from_codes(code, pd.Index(CATEGORIES), ordered=False),
        "hot_steps": hot,
        "cold_steps": cold,
        "known_steps": known,
        "hot_share": hot / least,
        "cold_share": cold / least,
        "trend_z": trend[0],
        "trend_p": trend[1],
        "gi_star": final[0],
        "q_value": final[1],
        "mean_count": total / np.where(counted > 0, counted, np.nan),
        "total_count": total,
    }
    return pd.DataFrame(columns, index=cube.index)


def _cautions(
    values: NDArray[np.float64],
    connected: NDArray[np.bool_],
    gaps: int,
    code: NDArray[np.int64],
) -> Iterator[str]:
    """Say what a reader must know."""
    areas, steps = values.shape
    known = steps - gaps
    if known < FEW_STEPS:
        yield (
            f"Only {known} steps are known: with fewer than {FEW_STEPS} a trend is seldom found, "
            "and no area can be a historical hot or cold spot."
        )
    if gaps:
        yield (
            f"{gaps:,} of {steps:,} steps are missing in the records. They count nowhere, not as "
            "zero; runs of steps and trends reach across them."
        )
    partly = int((np.isnan(values).sum(axis=1) > gaps).sum())
    if partly:
        yield f"{partly:,} of {areas:,} areas lack a count in some further step."
    if areas < 30:
        yield f"Only {areas} areas: under 30 the normal approximation of Gi* is poor."
    if 0 < (mean := float(np.nanmean(values))) < SPARSE:
        yield (
            f"Only {mean:.2g} records per area and step on average: scores of so few are skewed "
            "towards hot. Longer steps are surer."
        )
    if islands := int((~connected).sum()):
        yield f"{islands:,} of {areas:,} areas have no neighbours and no score."
    if np.nanmax(values) <= np.nanmin(values):
        yield "Every count is the same: nothing varies, so nothing can stand out."
    if unnamed := int((code < 0).sum()):
        yield f"{unnamed:,} of {areas:,} areas have no category: few scored steps, or not the last."


def _method(
    window: Window, steps_before: int, correction: Literal["fdr"] | None, significance: float
) -> str:
    against = {
        "cube": "the whole cube",
        "neighbourhood_step": "the steps of its neighbourhood",
        "step": "its own step",
    }[window]
    family = "the whole cube" if window == "cube" else "each step"
    corrected = f"false discovery rate within {family}" if correction else "no correction"
    return (
        f"Emerging hot spots: Gi* (Ord and Getis 1995) of each area and step with its neighbours "
        f"and {steps_before} earlier step{'' if steps_before == 1 else 's'}, against {against}; "
        f"{corrected}, significant below {significance:g}; "
        "trend by Mann-Kendall, corrected for ties and for the steps that scores share."
    )

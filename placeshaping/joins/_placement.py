"""What is refused, and what is told, once records have been placed."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.crs import looks_like_degrees
from placeshaping._core.errors import CRSError, UnmatchedError, VintageError
from placeshaping.joins.published import levels_differ

if TYPE_CHECKING:
    from placeshaping.joins.points import Outside, PlacementReport

_log = logging.getLogger(__name__)

UNLIKE_SHARE = 0.01
"""Share of records that may be lost to codes of the other census year before that is refused."""


def tell_several(several: int, rows: int) -> None:
    """Warn that areas overlap."""
    if several:
        _log.warning(
            "%s of %s events lie inside more than one area: areas overlap. "
            "Each went to the area whose code sorts first.",
            f"{several:,}",
            f"{rows:,}",
        )


def check_placed(
    report: PlacementReport,
    events: pd.DataFrame,
    areas: gpd.GeoDataFrame,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    outside: Outside,
) -> None:
    """Refuse what can only be a mistake; refuse losses unless they were accepted."""
    if report.other_vintage > UNLIKE_SHARE * report.rows:
        raise VintageError(_vintage_message(report, areas))
    if report.rows and not report.placed:
        _check_likeness(events, areas, x, y)
    lost = report.outside + report.unplaced
    if not lost:
        return
    told = (
        f"{lost:,} of {report.rows:,} events cannot be placed: {report.outside:,} lie outside "
        f"every area, {report.unplaced:,} have neither coordinates nor a code among the areas."
    )
    if outside == "raise":
        remedy = (
            'Check the boundaries, or give outside="drop" (areas.outside in a recipe) to leave '
            "these events out."
        )
        msg = f"{told} {remedy}"
        raise UnmatchedError(msg)
    _log.info("%s They are left out.", told)


def _vintage_message(report: PlacementReport, areas: gpd.GeoDataFrame) -> str:
    year, other = ("2011", "2021") if areas.attrs.get("vintage") == "2011" else ("2021", "2011")
    return (
        f"{report.other_vintage:,} of {report.rows:,} events can only be placed by their code, "
        f"and those codes are of {other} while the areas are of {year}. Give the lookup from "
        f"2011 to 2021 as changes (areas.lookups.read_changes), or boundaries of {other}."
    )


def _check_likeness(
    events: pd.DataFrame,
    areas: gpd.GeoDataFrame,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
) -> None:
    """Say why nothing at all could be placed, where the reason can be seen."""
    if len(x):
        bounds = [x.min(), y.min(), x.max(), y.max()]
        if looks_like_degrees(bounds) and not looks_like_degrees(areas.total_bounds):
            msg = (
                f"None of {len(x):,} located events lies in an area: coordinates like "
                f"{x[0]:.3f}, {y[0]:.3f} are degrees. Give easting and northing in metres."
            )
            raise CRSError(msg)
    levels = levels_differ(events["area_code"], areas) if "area_code" in events.columns else None
    if levels:
        msg = (
            f"None of {len(events):,} events has an area: their codes are of level "
            f"{levels[0]!r}, the areas of level {levels[1]!r}. Give areas of the records' level."
        )
        raise UnmatchedError(msg)

"""
Groups of residents for a fairness audit: where they live, what is flagged there, how it did.

Tables of groups are tagged ``audit_only``: no model learns from them.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy import sparse

from placeshaping._core.checks import listed
from placeshaping._core.columns import column_tags, tag_columns
from placeshaping._core.errors import CRSError, UnmatchedError
from placeshaping.likelihood._residents import of_units


def share_flagged(cells: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> pd.Series[float]:
    """
    Work out which share of each small area's surface lies in flagged cells.

    Residents are known by small area: of an area of which a third is flagged,
    a third of the residents are taken to live there.

    Parameters
    ----------
    cells
        The flagged cells, which do not overlap.
    areas
        Small areas in the same reference system, indexed by ``area_code``.

    Returns
    -------
    flagged
        0 to 1, in the order of `areas`.

    Raises
    ------
    CRSError
        If the reference systems differ.

    Examples
    --------
    >>> from shapely import box
    >>> areas = gpd.GeoDataFrame(geometry=[box(0, 0, 2, 1), box(2, 0, 4, 1)], crs=27700)
    >>> cells = gpd.GeoDataFrame(geometry=[box(1, 0, 2, 1)], crs=27700)
    >>> share_flagged(cells, areas).tolist()
    [0.5, 0.0]
    """
    if cells.crs != areas.crs:
        msg = "Cells and areas are in different reference systems. Bring them together: to_crs()."
        raise CRSError(msg)
    shapes, drawn = areas.geometry.to_numpy(), cells.geometry.to_numpy()
    cell, area = shapely.STRtree(shapes).query(drawn, predicate="intersects")
    both = shapely.area(shapely.intersection(drawn[cell], shapes[area]))
    covered = np.bincount(area, weights=both, minlength=len(areas))
    share = np.clip(covered / shapely.area(shapes), 0.0, 1.0)
    return pd.Series(share, index=areas.index, name="flagged")


def residents_of_cells(
    cells: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, residents: pd.DataFrame
) -> pd.DataFrame:
    """
    Share the residents of small areas out among the cells of a grid, by surface.

    Parameters
    ----------
    cells
        Cells that do not overlap, indexed by ``area_code``.
    areas
        Small areas in the same reference system, indexed by ``area_code``.
    residents
        Indexed by the code of the small area, one column a group.

    Returns
    -------
    residents
        By cell, with the tags of the table given.

    Raises
    ------
    CRSError
        If the reference systems differ.
    UnmatchedError
        If an area has no residents.

    Examples
    --------
    >>> from shapely import box
    >>> areas = gpd.GeoDataFrame(index=["a"], geometry=[box(0, 0, 2, 1)], crs=27700)
    >>> cells = gpd.GeoDataFrame(geometry=[box(0, 0, 1, 1), box(1, 0, 2, 1)], crs=27700)
    >>> residents_of_cells(cells, areas, pd.DataFrame({"1": [80]}, index=["a"]))["1"].tolist()
    [40.0, 40.0]
    """
    if cells.crs != areas.crs:
        msg = "Cells and areas are in different reference systems. Bring them together: to_crs()."
        raise CRSError(msg)
    people = of_units(residents, areas.index, "residents")
    shapes, drawn = areas.geometry.to_numpy(), cells.geometry.to_numpy()
    cell, area = shapely.STRtree(shapes).query(drawn, predicate="intersects")
    part = (
        shapely.area(shapely.intersection(drawn[cell], shapes[area])) / shapely.area(shapes)[area]
    )
    shared = sparse.csr_array((part, (cell, area)), shape=(len(cells), len(areas))) @ people
    table = pd.DataFrame(shared, index=cells.index, columns=residents.columns)
    tag_columns(table, column_tags(residents))
    return table


def count_flagged(flagged: pd.Series[float], residents: pd.DataFrame) -> pd.DataFrame:
    """
    Count the residents of each group, and those of them in what is flagged.

    Parameters
    ----------
    flagged
        Indexed by unit code: which share of the unit is flagged.
    residents
        Indexed by unit code, one column a group.

    Returns
    -------
    counts
        Index: the groups. ``residents``, ``flagged_residents``.

    Raises
    ------
    UnmatchedError
        If units of `flagged` are not in `residents`.
    InputError
        If numbers are missing or below zero.

    Examples
    --------
    >>> people = pd.DataFrame({"White": [80, 20], "Asian": [20, 80]}, index=["a", "b"])
    >>> count_flagged(pd.Series([0.5, 0.0], index=["a", "b"]), people).to_dict("list")
    {'residents': [100.0, 100.0], 'flagged_residents': [40.0, 10.0]}
    """
    people = of_units(residents, flagged.index, "residents")
    return pd.DataFrame(
        {"residents": people.sum(axis=0), "flagged_residents": flagged.to_numpy(float) @ people},
        index=pd.Index(residents.columns, name="group"),
    )


def scores_by_group(
    observed: pd.Series[float],
    expected: pd.Series[float],
    flagged: pd.Series[float],
    residents: pd.DataFrame,
    *,
    least: int = 0,
) -> pd.DataFrame:
    """
    Tell how well a forecast did for the places of each group of residents.

    The events of a unit are shared out among the groups as its residents are.

    Parameters
    ----------
    observed, expected
        Events of each unit in the test periods.
    flagged
        Which share of the unit was flagged.
    residents
        Indexed by unit code, one column a group.
    least
        Groups with fewer events than this have no scores.

    Returns
    -------
    scores
        Index: the groups. ``hit_rate`` (share of their events in what was
        flagged), ``calibration`` (events expected over observed).

    Raises
    ------
    UnmatchedError
        If units of `observed` are not in the other tables.

    Examples
    --------
    >>> units = pd.Index(["a", "b"], name="area_code")
    >>> seen, hoped = pd.Series([8.0, 2.0], units), pd.Series([4.0, 4.0], units)
    >>> people = pd.DataFrame({"1 to 5": [10, 0], "6 to 10": [0, 10]}, units)
    >>> table = scores_by_group(seen, hoped, pd.Series([1.0, 0.0], units), people)
    >>> table.to_numpy().tolist()
    [[1.0, 0.5], [0.0, 2.0]]
    """
    units = observed.index
    people = of_units(residents, units, "residents")
    hoped, part = (
        of_units(one.to_frame(), units, name)[:, 0]
        for one, name in ((expected, "expected"), (flagged, "flagged"))
    )
    seen = observed.to_numpy(dtype=float)
    of_unit = people / np.maximum(people.sum(axis=1, keepdims=True), 1e-12)
    total = seen @ of_unit
    enough = total >= max(least, 1e-12)
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = {
            "hit_rate": (seen * part) @ of_unit / total,
            "calibration": hoped @ of_unit / total,
        }
    return pd.DataFrame(
        {name: np.where(enough, value, np.nan) for name, value in scores.items()},
        index=pd.Index(residents.columns, name="group"),
    )


def residents_by_decile(decile: pd.Series[int], population: pd.Series[float]) -> pd.DataFrame:
    """
    Make the table of residents by deprivation decile, tagged as an audit's alone.

    Parameters
    ----------
    decile
        Of each unit, 1 (most deprived) to 10.
    population
        Residents of each unit.

    Returns
    -------
    residents
        One column a decile: all residents of a unit stand in that of its
        decile. Tagged ``audit_only``.

    Raises
    ------
    UnmatchedError
        If a unit has no population.

    Examples
    --------
    >>> units = pd.Index(["a", "b"])
    >>> residents_by_decile(pd.Series([1, 10], units), pd.Series([50, 60], units))["10"].tolist()
    [0, 60]
    """
    missing = decile.index.difference(population.index)
    if len(missing):
        msg = f"{len(missing):,} units have no population ({listed(list(missing))})."
        raise UnmatchedError(msg)
    people = population.reindex(decile.index)
    table = pd.DataFrame({str(d): people.where(decile == d, 0) for d in range(1, 11)})
    tag_columns(table, dict.fromkeys(table.columns, "audit_only"))
    return table

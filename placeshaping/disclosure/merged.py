"""The tables of a study, put together for merged areas."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.checks import check_columns, listed
from placeshaping._core.codes import LEVEL_SHORT, level_of_all
from placeshaping._core.errors import UnmatchedError
from placeshaping.areas.ladder import dissolve
from placeshaping.disclosure.adaptive import Partition

DECILE = "imd_decile"


@dataclass(frozen=True)
class MergedTables:
    """
    What `make_ladder` and `analyse` take, with merged areas for the finest.

    Attributes
    ----------
    areas
        Indexed by the codes that are shown, with `area_name` and `geometry`.
    counts
        Columns `area_code`, `period`, `category`, `count`, summed.
    lookup
        The larger areas of each, None where there was none.
    population
        Summed; None where there was none.
    deprivation
        The decile alone; None where there was none.
    covered
        Codes of the areas that the records cover; None for all.
    notes
        Sentences on what was decided, for print.
    """

    areas: gpd.GeoDataFrame
    counts: pd.DataFrame
    lookup: pd.DataFrame | None
    population: pd.DataFrame | None
    deprivation: pd.DataFrame | None
    covered: pd.Index | None
    notes: tuple[str, ...]


def apply_partition(
    partition: Partition,
    *,
    areas: gpd.GeoDataFrame,
    counts: pd.DataFrame,
    lookup: pd.DataFrame | None = None,
    population: pd.DataFrame | None = None,
    deprivation: pd.DataFrame | None = None,
    covered: Collection[str] | None = None,
) -> MergedTables:
    """
    Put the tables of merged areas together.

    Outlines are dissolved, counts and people summed. A merged area's
    deprivation decile is the mean of its parts', weighted by their residents
    (each alike where those are not known) and rounded, halves to the even
    one. Where its parts lie in several larger areas (two wards), it goes to
    the one with most of its residents: best fit, as with the small areas
    themselves.

    Parameters
    ----------
    partition
        From `merge_areas`.
    areas, counts, lookup, population, deprivation
        As `make_ladder` and `analyse` take them. `population` must know every
        area.
    covered
        Codes of the areas that the records cover.

    Returns
    -------
    merged
        The areas in the order of `areas`, a merged one where its first part
        stood.

    Raises
    ------
    UnmatchedError
        If the partition, the lookup or the population lacks an area.

    Examples
    --------
    >>> from shapely import box
    >>> from placeshaping.disclosure.adaptive import merge_areas
    >>> from placeshaping.disclosure.policies import policy_named
    >>> codes = pd.Index(["E01900001", "E01900002"], name="area_code")
    >>> names = {"area_name": ["Marsh 001A", "Marsh 001B"]}
    >>> squares = [box(0, 0, 1, 1), box(1, 0, 2, 1)]
    >>> areas = gpd.GeoDataFrame(names, geometry=squares, index=codes, crs=27700)
    >>> may = pd.Timestamp("2025-05-01")
    >>> counts = pd.DataFrame(
    ...     {"area_code": codes, "period": may, "category": "Burglary", "count": [3, 40]}
    ... )
    >>> partition = merge_areas(counts, areas, None, policy=policy_named("public"))
    >>> merged = apply_partition(partition, areas=areas, counts=counts)
    >>> merged.counts[["area_code", "count"]]
         area_code  count
    0  E01900001+1     43
    >>> merged.areas.geometry.area.tolist()
    [2.0]
    """
    check_columns(areas.columns, ["area_name"], where="areas")
    shown = _of(partition.areas["shown"], areas.index, what="The partition")
    position, codes = pd.factorize(shown)
    groups = _Groups(position.astype(np.intp), pd.Index(codes, name="area_code", dtype="str"))
    people = None
    if population is not None:
        people = _of(population, areas.index, what="population")
    residents = np.ones(len(areas))
    if people is not None and "residents" in people:
        residents = people["residents"].to_numpy(dtype=float)
    above, notes = _lookup(lookup, areas, groups, residents)
    return MergedTables(
        areas=_areas(partition, areas, groups),
        counts=_counts(counts, partition.areas["shown"]),
        lookup=above,
        population=None if people is None else _summed(people, groups),
        deprivation=_deciles(deprivation, areas.index, groups, residents),
        covered=None if covered is None else groups.codes_of(areas.index.isin(list(covered))),
        notes=(*partition.sentences(), *notes),
    )


@dataclass(frozen=True)
class _Groups:
    """The group of each area, and the code of each group."""

    position: NDArray[np.intp]
    codes: pd.Index

    def sum(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Add the values of each group."""
        return np.bincount(self.position, values, minlength=len(self.codes)).astype(float)

    def codes_of(self, chosen: NDArray[np.bool_]) -> pd.Index:
        """Return the codes of the groups of some areas."""
        return self.codes[np.unique(self.position[chosen])]


def _of(table: Any, codes: pd.Index, *, what: str) -> Any:
    """Return the rows of a table for some areas, in their order."""
    lost = codes.difference(table.index)
    if len(lost):
        msg = (
            f"{what} lacks {len(lost):,} of {len(codes):,} areas ({listed(list(lost))}). Take "
            "the tables that the areas were merged by."
        )
        raise UnmatchedError(msg)
    return table.loc[codes]


def _areas(partition: Partition, areas: gpd.GeoDataFrame, groups: _Groups) -> gpd.GeoDataFrame:
    size = np.bincount(groups.position)
    merged = np.flatnonzero(size[groups.position] > 1)
    first = np.unique(groups.position, return_index=True)[1]
    shapes = areas.geometry.to_numpy()
    outlines = shapes[first].copy()
    if len(merged):
        which, order = np.unique(groups.position[merged], return_inverse=True)
        outlines[which] = dissolve(shapes[merged], order.astype(np.intp), len(which))
    names = partition.areas["area_name"].reindex(areas.index).to_numpy()[first]
    made = gpd.GeoDataFrame(
        {"area_name": names}, geometry=outlines, index=groups.codes, crs=areas.crs
    )
    made.attrs = {**areas.attrs, "level": areas.attrs.get("level") or level_of_all(areas.index)}
    return made


def _counts(counts: pd.DataFrame, shown: pd.Series[str]) -> pd.DataFrame:
    """Sum the counts of merged areas; rows of areas not in the partition stay."""
    codes = counts["area_code"].astype("category")
    own = pd.Index(codes.cat.categories)
    new = shown.reindex(own).fillna(own.to_series()).to_numpy()
    numbers = [name for name in ("count", "key") if name in counts]
    renamed = counts[["period", "category", *numbers]].assign(
        area_code=pd.Categorical(new[codes.cat.codes.to_numpy()])
    )
    keys = ["area_code", "period", "category"]
    summed = renamed.groupby(keys, observed=True, sort=False)[numbers].sum().reset_index()
    summed["area_code"] = summed["area_code"].astype("str")
    summed.attrs = dict(counts.attrs)
    return summed


def _summed(people: pd.DataFrame, groups: _Groups) -> pd.DataFrame:
    numbers = people.select_dtypes("number")
    added = {name: groups.sum(column.to_numpy(dtype=float)) for name, column in numbers.items()}
    summed = pd.DataFrame(added, index=groups.codes)
    summed.attrs = dict(people.attrs)
    return summed


def _deciles(
    deprivation: pd.DataFrame | None,
    codes: pd.Index,
    groups: _Groups,
    residents: NDArray[np.float64],
) -> pd.DataFrame | None:
    if deprivation is None:
        return None
    check_columns(deprivation.columns, [DECILE], where="deprivation")
    decile = deprivation[DECILE].reindex(codes).to_numpy(dtype=float, na_value=np.nan)
    known = np.isfinite(decile)
    weight = np.where(known, np.where(np.isfinite(residents), residents, 0.0), 0.0)
    none = groups.sum(weight)[groups.position] == 0
    weight = np.where(none & known, 1.0, weight)
    whole = groups.sum(weight)
    mean = np.full(len(groups.codes), np.nan)
    np.divide(groups.sum(weight * np.where(known, decile, 0.0)), whole, mean, where=whole > 0)
    made = pd.DataFrame({DECILE: np.rint(mean)}, index=groups.codes).astype("Int64")
    made.attrs = dict(deprivation.attrs)
    return made


def _lookup(
    lookup: pd.DataFrame | None,
    areas: gpd.GeoDataFrame,
    groups: _Groups,
    residents: NDArray[np.float64],
) -> tuple[pd.DataFrame | None, list[str]]:
    """Return the larger areas of each group, and what had to be decided."""
    if lookup is None:
        return None, []
    known = _of(lookup, areas.index, what="lookup")
    made, notes = {}, []
    for level in [str(c).removesuffix("_code") for c in known.columns if str(c).endswith("_code")]:
        if level == areas.attrs.get("level"):
            continue
        best, several = _best_fit(known[f"{level}_code"], groups, residents)
        for column in (f"{level}_code", f"{level}_name"):
            if column in known:
                made[column] = known[column].to_numpy()[best]
        if several:
            short = LEVEL_SHORT.get(level, level)
            notes.append(
                f"{several:,} of the areas put together lie in more than one area of the level "
                f"{short}; each is counted in the one with most of its residents."
            )
    table = pd.DataFrame(made, index=groups.codes)
    table.attrs = dict(lookup.attrs)
    return table, notes


def _best_fit(
    codes: pd.Series[str], groups: _Groups, residents: NDArray[np.float64]
) -> tuple[NDArray[np.intp], int]:
    """Return a part of each group in the larger area with most residents; how many have several."""
    place = pd.factorize(codes, sort=True, use_na_sentinel=True)[0]
    weight = np.where(np.isfinite(residents), residents, 0.0)
    table = pd.DataFrame({"group": groups.position, "place": place, "weight": weight})
    table["row"] = np.arange(len(table))
    held = table.groupby(["group", "place"], as_index=False).agg(
        weight=("weight", "sum"), areas=("row", "size"), row=("row", "first")
    )
    held["lost"] = held["place"] < 0
    held = held.sort_values(
        ["group", "lost", "weight", "areas", "place"], ascending=[True, True, False, False, True]
    )
    several = held.loc[~held["lost"], "group"].value_counts()
    best: NDArray[np.intp] = held.drop_duplicates("group")["row"].to_numpy()
    return best, int((several > 1).sum())

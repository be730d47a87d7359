"""
The ladder of resolutions: the same place in small, middle and large areas.

Larger areas are built from the smallest ones by lookup and dissolved from
them, never cut by geometry, so that every record is in one area of each level
and the levels share their edges.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from placeshaping._core.checks import check_columns, check_unique, listed
from placeshaping._core.codes import level_of_all
from placeshaping._core.errors import InputError, UnmatchedError

DEFAULT_LEVELS = ("msoa", "district")
"""Levels above the finest that a ladder has unless it is told otherwise."""


@dataclass(frozen=True)
class Ladder:
    """
    The areas of a place at every level, finest first.

    Attributes
    ----------
    areas
        Level -> GeoDataFrame indexed by `area_code`, with `area_name` and
        `geometry` (EPSG:27700).
    positions
        Level -> for each area of the finest level, the position of the area
        of that level that holds it.
    """

    areas: Mapping[str, gpd.GeoDataFrame]
    positions: Mapping[str, NDArray[np.intp]]

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels, finest first."""
        return tuple(self.areas)

    @property
    def finest(self) -> str:
        """The finest level."""
        return self.levels[0]

    def sum_to(self, level: str, values: NDArray[Any]) -> NDArray[Any]:
        """Add values of the finest areas (last axis) up to a level."""
        size = len(self.areas[level])
        summed = np.zeros((*values.shape[:-1], size), dtype=values.dtype)
        np.add.at(np.moveaxis(summed, -1, 0), self.positions[level], np.moveaxis(values, -1, 0))
        return summed

    def parents(self, level: str, above: str) -> NDArray[np.intp]:
        """Return, for each area of `level`, the position of its area in a level above it."""
        found = np.zeros(len(self.areas[level]), dtype=np.intp)
        found[self.positions[level]] = self.positions[above]
        return found


def make_ladder(
    areas: gpd.GeoDataFrame,
    lookup: pd.DataFrame | None = None,
    *,
    levels: Sequence[str] | None = None,
) -> Ladder:
    """
    Build the levels above some areas from a lookup.

    Parameters
    ----------
    areas
        The finest areas, indexed by `area_code`, with `area_name`.
    lookup
        Indexed by the codes of `areas`, with `<level>_code` and
        `<level>_name` for each level above. None for a ladder of one level.
    levels
        Levels above the finest, finer first; by default those of
        ``("msoa", "district")`` that the lookup has.

    Returns
    -------
    ladder
        The finest level is named by `areas.attrs["level"]`, else from its codes.

    Raises
    ------
    UnmatchedError
        If an area has no parent at some level.
    InputError
        If an area of one level lies in two of the next.

    Examples
    --------
    >>> from shapely import box
    >>> codes = pd.Index(["E01900001", "E01900002"], name="area_code")
    >>> areas = gpd.GeoDataFrame(
    ...     {"area_name": ["Marsh 001A", "Marsh 001B"]},
    ...     geometry=[box(0, 0, 1, 1), box(1, 0, 2, 1)],
    ...     index=codes,
    ...     crs=27700,
    ... )
    >>> lookup = pd.DataFrame({"msoa_code": "E02900001", "msoa_name": "Marsh 001"}, index=codes)
    >>> ladder = make_ladder(areas, lookup)
    >>> ladder.levels, ladder.areas["msoa"].geometry.area.tolist()
    (('lsoa', 'msoa'), [2.0])
    """
    check_unique(areas.index, where="areas")
    finest = str(areas.attrs.get("level") or level_of_all(areas.index))
    made: dict[str, gpd.GeoDataFrame] = {finest: areas}
    positions: dict[str, NDArray[np.intp]] = {finest: np.arange(len(areas))}
    if lookup is None:
        return Ladder(made, positions)
    if levels is None:
        levels = [
            level for level in DEFAULT_LEVELS if f"{level}_code" in lookup and level != finest
        ]
    for level in levels:
        made[level], positions[level] = _level_above(areas, lookup, level)
    ladder = Ladder(made, positions)
    for lower, upper in zip(ladder.levels[1:], ladder.levels[2:], strict=False):
        _check_nested(ladder, lower, upper)
    return ladder


def _level_above(
    areas: gpd.GeoDataFrame, lookup: pd.DataFrame, level: str
) -> tuple[gpd.GeoDataFrame, NDArray[np.intp]]:
    check_columns(lookup.columns, [f"{level}_code"], where="lookup")
    codes = lookup[f"{level}_code"].reindex(areas.index)
    lost = codes.index[codes.isna()]
    if len(lost):
        msg = (
            f"{len(lost):,} of {len(areas):,} areas have no {level} in the lookup "
            f"({listed(list(lost))}). Give a lookup of the same edition as the areas, "
            "or leave that level out."
        )
        raise UnmatchedError(msg)
    position, unique = pd.factorize(codes.astype(str), sort=True)
    name_column = f"{level}_name"
    names = lookup[name_column] if name_column in lookup else lookup[f"{level}_code"]
    names = names.reindex(areas.index).astype(str).groupby(position).first()
    dissolved = gpd.GeoDataFrame(
        {"area_name": names.to_numpy()},
        geometry=_dissolve(areas.geometry.to_numpy(), position, len(unique)),
        index=pd.Index(unique, name="area_code", dtype=str),
        crs=areas.crs,
    )
    dissolved.attrs = {"level": level, "vintage": areas.attrs.get("vintage")}
    return dissolved, position.astype(np.intp)


def _dissolve(shapes: NDArray[Any], position: NDArray[np.intp], size: int) -> list[Any]:
    """Unite the shapes of each group; shared edges vanish where they match exactly."""
    order = np.argsort(position, kind="stable")
    starts = np.searchsorted(position[order], np.arange(1, size))
    union = shapely.coverage_union_all if shapely.coverage_is_valid(shapes) else shapely.union_all
    return [union(group) for group in np.split(shapes[order], starts)]


def _check_nested(ladder: Ladder, lower: str, upper: str) -> None:
    pairs = np.unique(np.column_stack([ladder.positions[lower], ladder.positions[upper]]), axis=0)
    children, times = np.unique(pairs[:, 0], return_counts=True)
    split = ladder.areas[lower].index[children[times > 1]]
    if len(split):
        msg = (
            f"{len(split):,} areas of level {lower!r} lie in more than one {upper!r} "
            f"({listed(list(split))}). A ladder must nest: leave one of the two levels out, "
            "or give a best-fit lookup."
        )
        raise InputError(msg)

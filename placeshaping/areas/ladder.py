"""
The ladder of resolutions: the same place in small, middle and large areas.

Larger areas are built from the smallest ones by lookup and dissolved from
them, never cut by geometry, so that every record is in one area of each level
and the levels share their edges. A ladder may have branches: MSOAs and wards
(by best fit) do not nest in each other, but both nest in the district.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from placeshaping._core.checks import check_columns, check_unique, listed, near_names
from placeshaping._core.codes import level_of_all
from placeshaping._core.errors import ColumnError, InputError, UnmatchedError
from placeshaping.areas.boundary_files import as_text
from placeshaping.areas.lookup_columns import LEVELS

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

    def nests(self, lower: str, upper: str) -> bool:
        """Tell whether each area of a level lies in one area of another, whatever their order."""
        return lower != upper and not _split(self, lower, upper)

    def parent_level(self, level: str, *, among: Collection[str] | None = None) -> str | None:
        """
        Return the next level above that a level nests in; None where there is none.

        Parameters
        ----------
        level
            A level of the ladder.
        among
            The levels to choose from; all, where not given.
        """
        above = self.levels[self.levels.index(level) + 1 :]
        chosen = (one for one in above if among is None or one in among)
        return next((one for one in chosen if self.nests(level, one)), None)

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """
        Return all pairs of levels, finer and coarser, of which one nests in the other.

        They are what can be added up. Branches may nest by chance, in either order.
        """
        both = ((one, two) if self.nests(one, two) else (two, one)
                for one, two in combinations(self.levels, 2))  # fmt: skip
        return tuple(pair for pair in both if self.nests(*pair))

    def parents(self, level: str, above: str) -> NDArray[np.intp]:
        """
        Return, for each area of `level`, the position of its area in a level above it.

        Raises
        ------
        InputError
            If an area of `level` lies in several of `above`.
        """
        if split := _split(self, level, above):
            msg = (
                f"{len(split):,} areas of level {level!r} lie in more than one {above!r} "
                f"({listed(split)}): they have no one parent there. Ask `Ladder.nests` before."
            )
            raise InputError(msg)
        return _first_parents(self, level, above)


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
        ``("msoa", "district")`` that the lookup has. All must nest in the
        last. Two that do not nest in each other (``"msoa"``, ``"ward"``) are
        branches; areas too small to be shown are merged within the first.

    Returns
    -------
    ladder
        The finest level is named by `areas.attrs["level"]`, else from its codes.

    Raises
    ------
    DuplicateError
        If a code stands twice in `areas` or `lookup`.
    ColumnError
        If codes are no text, `areas` has no `area_name`, or the lookup lacks a
        level or the names of a level's areas.
    UnmatchedError
        If an area has no parent at some level, or a blank one.
    InputError
        If an area of one level lies in two of the last, or a level stands before a finer one.

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
    check_columns(areas.columns, ["area_name"], where="areas")
    _check_codes(areas.index, where="areas")
    finest = str(areas.attrs.get("level") or level_of_all(areas.index))
    made: dict[str, gpd.GeoDataFrame] = {finest: areas}
    positions: dict[str, NDArray[np.intp]] = {finest: np.arange(len(areas))}
    if lookup is None:
        return Ladder(made, positions)
    _check_codes(lookup.index, where="lookup")
    known = [str(c).removesuffix("_code") for c in lookup.columns if str(c).endswith("_code")]
    known = [level for level in known if level != finest]
    if levels is None:
        levels = [level for level in DEFAULT_LEVELS if level in known]
    _check_levels(levels, known, finest)
    for level in levels:
        made[level], positions[level] = _level_above(areas, lookup, level)
    ladder = Ladder(made, positions)
    _check_nested(ladder)
    return ladder


def _check_codes(index: pd.Index, *, where: str) -> None:
    check_unique(index, where=where)
    odd = [code for code in index if not isinstance(code, str)]
    if odd:
        msg = (
            f"{where}: {len(odd):,} of {len(index):,} area codes in the index are no text "
            f"({listed(odd)}). Set the column of codes as the index, as text: "
            f"{where}.set_index('area_code')."
        )
        raise ColumnError(msg)


def _check_levels(levels: Sequence[str], known: Sequence[str], finest: str) -> None:
    if finest in levels:
        msg = f"{finest!r} is the level of the areas themselves. Name only the levels above it."
        raise InputError(msg)
    for level in levels:
        if level not in known:
            near = near_names(level, known)
            hint = f"Did you mean {listed(near)}? " if near else ""
            msg = f"The lookup has no level {level!r}. {hint}It has: {listed(known, most=8)}."
            raise ColumnError(msg)


def _level_above(
    areas: gpd.GeoDataFrame, lookup: pd.DataFrame, level: str
) -> tuple[gpd.GeoDataFrame, NDArray[np.intp]]:
    codes = as_text(lookup[f"{level}_code"].reindex(areas.index))
    codes = codes.where(codes != "")
    lost = codes.index[codes.isna()]
    if len(lost):
        msg = (
            f"{len(lost):,} of {len(areas):,} areas have no {level} in the lookup "
            f"({listed(list(lost))}). Give a lookup of the same edition as the areas, "
            "or leave that level out."
        )
        raise UnmatchedError(msg)
    position, unique = pd.factorize(codes.astype(str), sort=True)
    names = _names_of(unique, lookup, codes, level)
    dissolved = gpd.GeoDataFrame(
        {"area_name": names},
        geometry=dissolve(areas.geometry.to_numpy(), position, len(unique)),
        index=pd.Index(unique, name="area_code", dtype=str),
        crs=areas.crs,
    )
    dissolved.attrs = {"level": level, "vintage": areas.attrs.get("vintage")}
    return dissolved, position.astype(np.intp)


def _names_of(
    unique: pd.Index, lookup: pd.DataFrame, codes: pd.Series[Any], level: str
) -> NDArray[np.object_]:
    """Return the name of each larger area: the first that the lookup has; its code without any."""
    column = f"{level}_name"
    if column not in lookup:
        return unique.to_numpy(dtype=object)
    given = lookup[column].reindex(codes.index)
    given = given[given.notna() & (given.astype(str).str.strip() != "")].astype(str)
    found = given.groupby(codes.loc[given.index].astype(str)).first().reindex(unique)
    lost = unique[found.isna()]
    if len(lost):
        msg = (
            f"{len(lost):,} of {len(unique):,} areas of level {level!r} have no name in the lookup "
            f"({listed(list(lost))}). Fill in {column!r}, or drop that column: the codes then "
            "serve as names."
        )
        raise ColumnError(msg)
    return found.to_numpy(dtype=object)


def dissolve(shapes: NDArray[Any], position: NDArray[np.intp], size: int) -> list[Any]:
    """
    Unite the shapes of each group; shared edges vanish where they match exactly.

    Parameters
    ----------
    shapes
        Polygons.
    position
        Group of each, from 0 to `size` - 1, none of them empty.
    size
        How many groups there are.

    Returns
    -------
    united
        One shape a group.

    Examples
    --------
    >>> squares = shapely.box([0, 1, 5], 0, [1, 2, 6], 1)
    >>> [shape.area for shape in dissolve(squares, np.array([1, 1, 0]), 2)]
    [1.0, 2.0]
    """
    order = np.argsort(position, kind="stable")
    starts = np.searchsorted(position[order], np.arange(1, size))
    union = shapely.coverage_union_all if shapely.coverage_is_valid(shapes) else shapely.union_all
    return [union(group) for group in np.split(shapes[order], starts)]


def _check_nested(ladder: Ladder) -> None:
    """Refuse a finer level after a coarser one, and a level that does not nest in the last."""
    levels, top = ladder.levels, ladder.levels[-1]
    for lower, upper in combinations(levels[1:], 2):
        if ladder.nests(lower, upper) or not ladder.nests(upper, lower):
            continue
        if lower in LEVELS and upper in LEVELS[LEVELS.index(lower) :] and upper != top:
            continue  # branches of which one nests by chance, as wards may in MSOAs
        msg = (
            f"levels: {lower!r} stands before {upper!r}, which is finer. "
            f"Finer levels come first: [{upper!r}, {lower!r}]."
        )
        raise InputError(msg)
    for level in levels[1:-1]:
        if split := _split(ladder, level, top):
            msg = (
                f"{len(split):,} areas of level {level!r} lie in more than one {top!r} "
                f"({listed(split)}). The last level must hold all others whole: end with a "
                "coarser one (for example 'district'), leave one of the two out, or give a "
                "best-fit lookup."
            )
            raise InputError(msg)


def _first_parents(ladder: Ladder, level: str, above: str) -> NDArray[np.intp]:
    """Return one area of `above` for each of `level`, the only one where they nest."""
    found = np.zeros(len(ladder.areas[level]), dtype=np.intp)
    found[ladder.positions[level]] = ladder.positions[above]
    return found


def _split(ladder: Ladder, lower: str, upper: str) -> list[str]:
    """Return the areas of a level that lie in several of another."""
    within, above = ladder.positions[lower], ladder.positions[upper]
    odd = np.unique(within[_first_parents(ladder, lower, upper)[within] != above])
    return [str(code) for code in ladder.areas[lower].index[odd]]

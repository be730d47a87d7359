"""The sums that a file's counts obey: which cells add up to which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping.verify.cells import numbers_of
from placeshaping.verify.contents import Contents

_SAME_NAME = 0.95
DECILES = "imd_decile"


@dataclass(frozen=True)
class Cube:
    """
    The counts of one level.

    Attributes
    ----------
    level
        Its name.
    areas
        Code of each area.
    counts
        Shape (periods, categories, areas); missing where hidden or not given.
    hidden
        The cells that are marked as hidden.
    """

    level: str
    areas: pd.Index
    counts: NDArray[np.float64]
    hidden: NDArray[np.bool_]


@dataclass(frozen=True)
class Sum:
    """Totals with their parts: shape (n,) and, flat, each part with the total it belongs to."""

    name: str
    level: str
    total: NDArray[np.intp]
    part: NDArray[np.intp]
    of: NDArray[np.intp]


@dataclass(frozen=True)
class Cells:
    """All cells of a file in one row, with what is needed to name them."""

    cubes: list[Cube]
    periods: pd.Index
    categories: pd.Index

    def numbers(self) -> dict[str, NDArray[np.intp]]:
        """Give every cell a number, level by level."""
        found, start = {}, 0
        for cube in self.cubes:
            size = cube.counts.size
            found[cube.level] = np.arange(start, start + size).reshape(cube.counts.shape)
            start += size
        return found

    def name(self, cell: int) -> str:
        """Name a cell by area, period and category."""
        for cube in self.cubes:
            if cell < cube.counts.size:
                period, category, area = np.unravel_index(cell, cube.counts.shape)
                words = (
                    cube.areas[int(area)],
                    self.periods[int(period)],
                    self.categories[int(category)],
                )
                return ", ".join(str(word) for word in words if str(word))
            cell -= cube.counts.size
        return ""


def cells_of(contents: Contents) -> Cells | None:
    """
    Lay the tables with counts out as cubes, one a level, most areas first.

    Examples
    --------
    >>> cells_of(Contents("csv")) is None
    True
    """
    long = {}
    for table in contents.tables:
        frame = table.frame
        key = DECILES if "area_code" not in frame and DECILES in frame else "area_code"
        if {key, "period", "category", "count"} <= set(frame.columns):
            part = pd.DataFrame(
                {
                    "area": frame[key].astype(str).str.removesuffix(".0"),
                    "period": frame["period"].astype(str),
                    "category": frame["category"].astype(str),
                    "count": numbers_of(frame["count"]),
                    "hidden": _marked(frame),
                }
            )
            long[DECILES if key == DECILES else table.level] = part
    if not long:
        return None
    everything = pd.concat(long.values())
    periods = pd.Index(everything["period"].unique())
    categories = pd.Index(everything["category"].unique())
    cubes = [_cube(level, part, periods, categories) for level, part in long.items()]
    cubes.sort(key=lambda cube: -len(cube.areas))
    return Cells(cubes, periods, categories)


def _marked(frame: pd.DataFrame) -> NDArray[np.bool_]:
    if "status" in frame:
        return (frame["status"].astype(str).str.casefold() == "hidden").to_numpy()
    return ~np.isfinite(numbers_of(frame["count"]))


def _cube(level: str, part: pd.DataFrame, periods: pd.Index, categories: pd.Index) -> Cube:
    areas = pd.Index(part["area"].unique())
    shape = (len(periods), len(categories), len(areas))
    place = (
        periods.get_indexer(pd.Index(part["period"])),
        categories.get_indexer(pd.Index(part["category"])),
        areas.get_indexer(pd.Index(part["area"])),
    )
    counts, hidden = np.full(shape, np.nan), np.zeros(shape, dtype=bool)
    counts[place] = part["count"].to_numpy()
    hidden[place] = part["hidden"].to_numpy()
    return Cube(level, areas, counts, hidden)


def sums_of(
    cells: Cells, contents: Contents, bounds: tuple[NDArray[np.float64], NDArray[np.float64]]
) -> Iterator[Sum]:
    """Yield the sums that the shown numbers allow, a family at a time."""
    numbers = cells.numbers()
    for axis, name in ((1, "categories"), (0, "periods")):
        within = []
        for cube in cells.cubes:
            number = np.moveaxis(numbers[cube.level], axis, 0)
            if len(number) > 2:
                within.append(_along(f"{name} of {cube.level}", cube.level, number))
        if all(_may_add_up(sums, bounds) for sums in within):
            yield from within
    places = _parents(cells, contents)
    for (finer, coarser), position in places.items():
        total, part = numbers[coarser], numbers[finer]
        inside = position >= 0
        order = np.arange(total.size).reshape(total.shape)
        yield Sum(
            f"{finer} within {coarser}",
            finer,
            total.ravel(),
            part[..., inside].ravel(),
            order[..., position[inside]].ravel(),
        )


def _along(name: str, level: str, number: NDArray[np.intp]) -> Sum:
    """Take the first along an axis for the total of the rest."""
    total = number[0]
    order = np.arange(total.size).reshape(total.shape)
    of = np.broadcast_to(order, number[1:].shape)
    return Sum(name, level, total.ravel(), number[1:].ravel(), of.ravel())


def _may_add_up(sums: Sum, bounds: tuple[NDArray[np.float64], NDArray[np.float64]]) -> bool:
    """Tell whether the shown numbers allow that the first is the sum of the others."""
    lower, upper = bounds
    low, high, unbounded = added(sums, lower, upper)
    known = np.isfinite(upper[sums.total])
    too_many = known & (low > upper[sums.total])
    too_few = known & (unbounded == 0) & (high < lower[sums.total])
    return not (too_many | too_few).any()


def added(
    sums: Sum, lower: NDArray[np.float64], upper: NDArray[np.float64]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Add the bounds of the parts up, and count those without an upper one."""
    size, top = len(sums.total), upper[sums.part]
    low = np.bincount(sums.of, lower[sums.part], minlength=size)
    high = np.bincount(sums.of, np.where(np.isfinite(top), top, 0), minlength=size)
    unbounded = np.bincount(sums.of, ~np.isfinite(top), minlength=size)
    return low, high, unbounded


def _parents(cells: Cells, contents: Contents) -> dict[tuple[str, str], NDArray[np.intp]]:
    """Find, for pairs of levels, the position of each finer area's larger one."""
    direct = _stated(contents)
    ladder = [cube for cube in cells.cubes if cube.level != DECILES]
    found: dict[tuple[str, str], NDArray[np.intp]] = {}
    for finer, coarser in combinations(ladder, 2):
        if len(coarser.areas) == 1:
            found[finer.level, coarser.level] = np.zeros(len(finer.areas), dtype=np.intp)
            continue
        position = _climb(finer.areas, coarser.areas, direct)
        if (position >= 0).all():
            found[finer.level, coarser.level] = position
    tenths = next((cube for cube in cells.cubes if cube.level == DECILES), None)
    if tenths is not None and ladder:
        names = pd.Series(ladder[0].areas, dtype=object).map(_deciles(contents))
        position = tenths.areas.get_indexer(pd.Index(names))
        if (position >= 0).all():
            found[ladder[0].level, DECILES] = position.astype(np.intp)
        if (position >= 0).all() and len(ladder) > 1 and len(ladder[-1].areas) == 1:
            found[DECILES, ladder[-1].level] = np.zeros(len(tenths.areas), dtype=np.intp)
    return found


def _stated(contents: Contents) -> dict[str, str]:
    """Collect what the tables say of the area above each area."""
    found: dict[str, str] = {}
    for table in contents.tables:
        if {"area_code", "parent_code"} <= set(table.frame.columns):
            rows = table.frame[["area_code", "parent_code"]].dropna().astype(str)
            found.update(zip(rows["area_code"], rows["parent_code"], strict=True))
    return found or _by_name(contents)


def _by_name(contents: Contents) -> dict[str, str]:
    """Find an LSOA's MSOA by its name: the same without its last letter."""
    names: dict[str, str] = {}
    for table in contents.tables:
        if {"area_code", "area_name"} <= set(table.frame.columns):
            rows = table.frame[["area_code", "area_name"]].dropna().astype(str).drop_duplicates()
            names.update(zip(rows["area_code"], rows["area_name"], strict=True))
    codes = {name: code for code, name in names.items()}
    found = {code: codes[name[:-1]] for code, name in names.items() if name[:-1] in codes}
    finest = {code for code in names if code[:3] in ("E01", "W01")}
    return found if finest and len(found.keys() & finest) > _SAME_NAME * len(finest) else {}


def _deciles(contents: Contents) -> dict[str, str]:
    found: dict[str, str] = {}
    for table in contents.tables:
        if {"area_code", DECILES} <= set(table.frame.columns):
            rows = table.frame[["area_code", DECILES]].dropna().astype(str)
            tenths = rows[DECILES].str.removesuffix(".0")
            found.update(zip(rows["area_code"], tenths, strict=True))
    return found


def _climb(areas: pd.Index, above: pd.Index, direct: Mapping[str, str]) -> NDArray[Any]:
    """Follow stated parents up, as often as it takes, until they are of the level above."""
    names: pd.Series = pd.Series(areas, dtype=object)
    for _ in range(8):
        names = names.map(direct)
        position = above.get_indexer(pd.Index(names))
        if names.isna().all() or (position >= 0).any():
            return position
    return np.full(len(areas), -1)

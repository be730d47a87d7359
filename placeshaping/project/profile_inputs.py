"""What is public of the areas of a profile: who lives there, deprivation, ways to services."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from placeshaping._core.checks import check_file, listed, near_names
from placeshaping._core.errors import ColumnError, RecipeError
from placeshaping.project.gather import Gathered
from placeshaping.project.profile_request import ProfileRequest
from placeshaping.project.recipe import Recipe

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

_AGE = re.compile(
    r"^(?:aged?[_ ]*)?(\d{1,3})(?:[_ ]*(?:-|to|_| )[_ ]*(\d{1,3})|[_ ]*(plus|\+|and[_ ]over))?"
    r"(?:[_ ]*years?)?$",
    re.IGNORECASE,
)
_PEOPLE = re.compile(r"(?i)residents|population|electors|households|addresses")
_BROAD = ((0, 15), (16, 24), (25, 44), (45, 64), (65, 84), (85, 200))
_MOST_BANDS = 12


def make_ground(
    recipe: Recipe, request: ProfileRequest, gathered: Gathered, *, folder: Path
) -> tuple[gpd.GeoDataFrame, str]:
    """
    Put together what is public of the finest areas.

    Parameters
    ----------
    recipe, request
        What to read.
    gathered
        Areas, lookup, population, deprivation and public places.
    folder
        What paths are relative to.

    Returns
    -------
    ground
        As `Material.ground`.
    method
        How access was worked out; empty without public places.
    """
    lookup = gathered.lookup
    ground = gathered.areas.join(lookup[[c for c in lookup if c not in gathered.areas]])
    if gathered.population is not None:
        ground = ground.join(gathered.population)
        ages = _ages(recipe, folder)
        if ages is not None:
            ground = ground.join(ages)
    if gathered.deprivation is not None:
        deciles = [c for c in gathered.deprivation if str(c).endswith("_decile")]
        ground = ground.join(gathered.deprivation[deciles])
    parts = read_parts(request, gathered, folder=folder)
    method = ""
    for kind in gathered.places:
        minutes, method = _minutes(ground, kind.points, request, parts)
        ground[f"minutes {kind.title}"] = minutes
    return ground, method


def _ages(recipe: Recipe, folder: Path) -> pd.DataFrame | None:
    """Read residents by age from the file of residents, where it has them."""
    from placeshaping.sources.populations import read_population
    from placeshaping.sources.tabular import read_table

    name = recipe.population.residents
    if name is None:
        return None
    heads = [str(column) for column in read_table(folder / name).columns]
    found = {column: span for column in heads if (span := _span(column)) is not None}
    if len(found) < 2:
        return None
    read = read_population(folder / name, columns={column: column for column in found})
    spans = list(dict.fromkeys(found.values()))
    if len(spans) > _MOST_BANDS:
        return _broad(read, found)
    return read.rename(columns={c: _label(*span) for c, span in found.items()})


def _span(column: str) -> tuple[int, int] | None:
    match = _AGE.match(column.strip())
    if match is None or (
        match[2] is None and match[3] is None and not re.match(r"(?i)age", column)
    ):
        return None
    first = int(match[1])
    last = 200 if match[3] else int(match[2] or first)
    return (first, last) if first <= last <= 200 else None


def _label(first: int, last: int) -> str:
    return f"age {first} and over" if last == 200 else f"age {first} to {last}"


def _broad(read: pd.DataFrame, spans: dict[str, tuple[int, int]]) -> pd.DataFrame | None:
    """Add single years of age up to broad bands; None where they do not fit into them."""
    import pandas as pd

    bands = {}
    for low, high in _BROAD:
        inside = [c for c, (first, last) in spans.items() if low <= first and last <= high]
        bands[_label(low, high)] = read[inside].sum(axis=1)
    banded = pd.DataFrame(bands)
    return banded if (banded.sum(axis=1) == read[list(spans)].sum(axis=1)).all() else None


def read_parts(
    request: ProfileRequest, gathered: Gathered, *, folder: Path
) -> gpd.GeoDataFrame | None:
    """
    Read output areas with their residents, each with the small area that holds it.

    Returns
    -------
    parts
        Points with `residents` and `area_code`; None where none are named.

    Raises
    ------
    ColumnError
        If nothing says how many live in them.
    """
    if request.parts is None:
        return None
    import geopandas as gpd

    from placeshaping._core.crs import areas_to_grid
    from placeshaping.joins.points import assign_area

    path = check_file(folder / request.parts)
    table = areas_to_grid(gpd.read_file(path), where=path.name)
    if request.parts_people is not None:
        table = _with_people(table, folder / request.parts_people, where=path.name)
    people = next((c for c in table if _PEOPLE.fullmatch(str(c))), None)
    if people is None:
        msg = (
            f"profile.parts: {path.name} does not say how many people live where; it has "
            f"{listed([str(c) for c in table.columns], most=8)}. Name a table of residents or "
            "electors by the same codes as profile.parts_people, or leave parts out: drawn places "
            "are then weighted by ground."
        )
        raise ColumnError(msg)
    points = gpd.GeoDataFrame(
        {"residents": table[people].to_numpy(dtype=float)},
        geometry=table.geometry.representative_point().to_numpy(),
        crs=table.crs,
    )
    found = points.assign(area_code=assign_area(points, gathered.areas))
    found = found.dropna(subset=["area_code"])
    found.attrs["counts"] = str(people).casefold()
    return found


def _with_people(table: gpd.GeoDataFrame, path: Path, *, where: str) -> gpd.GeoDataFrame:
    """Give output areas the people of a table, by the column of codes that both have."""
    from placeshaping.sources.tabular import read_table

    people = read_table(path)
    shared = [c for c in table if c in people and c != "geometry"]
    if not shared:
        msg = (
            f"profile.parts_people: {path.name} and {where} share no column of codes "
            f"({listed([str(c) for c in people.columns], most=8)})."
        )
        raise ColumnError(msg)
    counts = [c for c in people if _PEOPLE.fullmatch(str(c))]
    return table.merge(people[[shared[0], *counts]], on=shared[0], how="inner")


def _minutes(
    ground: gpd.GeoDataFrame,
    places: gpd.GeoDataFrame,
    request: ProfileRequest,
    parts: gpd.GeoDataFrame | None,
) -> tuple[pd.Series[float], str]:
    """Return minutes on foot to the nearest place, from each area's middle or its residents."""
    import geopandas as gpd
    import numpy as np

    from placeshaping.shaping.access import nearest_service

    start: gpd.GeoDataFrame = gpd.GeoDataFrame(
        geometry=ground.geometry.representative_point(), crs=ground.crs
    )
    if parts is not None:
        start = parts[["geometry"]]
    found = nearest_service(
        start, places, walking=request.walking_km_h, detour=request.detour, unit="minutes"
    )
    method = f"{found.attrs['method']} Nothing here knows opening hours, hills or buses."
    if parts is None:
        return found["minutes"], method
    weighted = found["minutes"] * parts["residents"]
    sums = weighted.groupby(parts["area_code"]).sum() / parts.groupby("area_code")[
        "residents"
    ].sum().replace(0, np.nan)
    return sums.reindex(ground.index), method


def read_benchmarks(request: ProfileRequest, *, folder: Path) -> pd.DataFrame | None:
    """
    Read published figures of elsewhere.

    Returns
    -------
    benchmarks
        `indicator`, `place`, `value`, `lower`, `upper`; None where none are named.

    Raises
    ------
    ColumnError
        If a column is missing, or a value is no number.
    """
    if request.benchmarks is None:
        return None
    import pandas as pd

    from placeshaping.sources.tabular import read_table

    path = folder / request.benchmarks
    table = read_table(path)
    table.columns = [str(name).strip().casefold() for name in table.columns]
    lost = [name for name in ("indicator", "place", "value") if name not in table]
    if lost:
        near = near_names(lost[0], list(table.columns))
        hint = f" Did you mean {listed(near)}?" if near else ""
        msg = f"profile.benchmarks: {path.name} has no column {lost[0]!r}.{hint}"
        raise ColumnError(msg)
    found = table.reindex(columns=["indicator", "place", "value", "lower", "upper"])
    for name in ("value", "lower", "upper"):
        numbers = pd.to_numeric(found[name], errors="coerce").astype(float)
        if (numbers.isna() & found[name].notna()).any():
            msg = f"profile.benchmarks: {path.name}: column {name!r} holds text. Correct it."
            raise ColumnError(msg)
        found[name] = numbers
    return found.astype({"indicator": str, "place": str})


def named_columns(ground: pd.DataFrame) -> Iterator[str]:
    """Name the columns of deprivation and census that a profile uses."""
    from placeshaping.reports.profiles_indicators import DOMAIN_NAMES

    for column in map(str, ground.columns):
        if column.endswith("_decile"):
            domain = DOMAIN_NAMES.get(column.removesuffix("_decile"), column)
            yield f"deprivation decile: {domain[:1].lower()}{domain[1:]}"
        elif column in ("residents", "households"):
            yield column
        elif column.startswith("age "):
            yield f"residents aged {column.removeprefix('age ')}"


MISSING = {
    "population": "Not told: the recipe names no population. Add [population] residents = 'FILE'.",
    "deprivation": "Not told: the recipe names no Indices of Deprivation. Add [deprivation] "
    "file = 'FILE'.",
    "access": "Not told: the recipe names no public places. Add [[places]] with a file, a title "
    "and the address where it is published.",
}
"""Section -> what a recipe lacks for it."""


def check_profile_levels(
    recipe: Recipe, request: ProfileRequest, lookup: pd.DataFrame
) -> list[str]:
    """
    Return the levels above the small areas that releases of a profile have.

    Raises
    ------
    RecipeError
        If one that is asked for is not in the lookup.
    """
    known = [str(c).removesuffix("_code") for c in lookup.columns if str(c).endswith("_code")]
    wanted = request.levels or recipe.areas.levels
    if wanted is None:
        return [level for level in known if level in ("msoa", "ward", "district")]
    for level in wanted:
        if level not in known:
            near = near_names(level, known)
            hint = f" Did you mean {listed(near)}?" if near else ""
            msg = f"profile.levels: no level {level!r} in the lookup.{hint} It has {listed(known)}"
            raise RecipeError(msg)
    return list(wanted)

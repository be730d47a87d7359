"""What the commands on places read alike: areas, residents, deprivation, services, streets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from placeshaping._core.checks import check_file, listed
from placeshaping._core.errors import ColumnError, RecipeError
from placeshaping._core.provenance import SourceFile, describe_file
from placeshaping.project.gather import read_areas, read_deprivation_of, read_people
from placeshaping.project.place_services import read_services
from placeshaping.project.places import read_postcodes_of
from placeshaping.project.recipe import Recipe, Records
from placeshaping.project.sections import Section, check_keys, read_toml

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from placeshaping.areas.ladder import Ladder
    from placeshaping.disclosure.public_places import PublicPlaces
    from placeshaping.shaping.network import Network

_BAND = re.compile(r"age[ _](\d{1,3})[ _](?:to[ _])?(\d{1,3}|plus|and[ _]over)")


class Travel(Section):
    """
    How travel is measured: in a straight line, or along a file of streets.

    `streets` is a file of lines; `speeds` are km an hour by what stands in its
    column `road_class`, `walking` the speed without them. `outside` says what
    becomes of places farther than `reach` metres from every street.
    """

    unit: Literal["minutes", "metres"] = "minutes"
    streets: str | None = None
    layer: str | None = None
    speeds: dict[str, float] | None = None
    road_class: str | None = None
    walking: float = Field(default=4.8, gt=0)
    detour: float = Field(default=1.0, gt=0)
    outside: Literal["raise", "drop"] = "raise"
    reach: float = Field(default=500.0, gt=0)
    tolerance: float = Field(default=0.5, gt=0)

    @model_validator(mode="after")
    def _goes_together(self) -> Travel:
        told = [name for name in ("speeds", "road_class", "layer") if getattr(self, name)]
        if self.streets is None and told:
            msg = f"{listed(told)} belong to a file of streets: name it as 'streets'"
            raise ValueError(msg)
        if self.streets is not None and self.detour != 1:
            msg = "'detour' is for straight lines; along 'streets' ways are as long as they are"
            raise ValueError(msg)
        return self


class PlaceRecipe(Recipe):
    """A recipe of which records are no needed part."""

    records: list[Records] = []


@dataclass(frozen=True)
class PlaceInputs:
    """
    What was read of a place.

    Attributes
    ----------
    areas
        The finest areas with `residents`, `imd_decile` where known.
    ladder
        They and the levels above them.
    residents, decile, ages
        By area; None where the recipe names none. Ages have a column a band.
    services
        Title -> places of that kind, in and near the areas.
    postcodes
        The directory, where the recipe names one.
    sources
        The files by checksum.
    notes
        What a reader must know of the reading.
    """

    areas: gpd.GeoDataFrame
    ladder: Ladder
    residents: pd.Series[float]
    decile: pd.Series[float] | None
    ages: pd.DataFrame | None
    services: Mapping[str, PublicPlaces]
    postcodes: pd.DataFrame | None
    sources: tuple[SourceFile, ...]
    notes: tuple[str, ...]


def read_place_recipe(
    recipe: str | Path | Mapping[str, Any], *, section: str
) -> tuple[PlaceRecipe, dict[str, Any]]:
    """
    Read a recipe for one of the commands on places.

    Parameters
    ----------
    recipe
        The TOML file, or its content.
    section
        The section that it must have.

    Returns
    -------
    recipe, request
        The recipe, and what stands in its section, unchecked.

    Raises
    ------
    MissingFileError
        If there is no such file.
    RecipeError
        If a key is missing or wrong, or there is no such section.

    Examples
    --------
    >>> read_place_recipe("nowhere.toml", section="access")
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.MissingFileError: ...
    """
    if isinstance(recipe, Mapping):
        name, given = "recipe", dict(recipe)
    else:
        name, given = Path(recipe).name, read_toml(recipe, kind="recipe")
    if section not in given:
        msg = f"{name} has no section [{section}]. Add one; docs/recipes.md has its keys."
        raise RecipeError(msg)
    found = check_keys(PlaceRecipe, given, where=name)
    return found, dict(getattr(found, section) or {})


def folder_of(recipe: str | Path | Mapping[str, Any], folder: str | Path | None) -> Path:
    """
    Return what paths in a recipe are relative to.

    Examples
    --------
    >>> folder_of("places/recipe.toml", None).name, folder_of({}, "here").name
    ('places', 'here')
    """
    if folder is not None:
        return Path(folder)
    return Path() if isinstance(recipe, Mapping) else Path(recipe).parent


def read_place(
    recipe: PlaceRecipe, *, folder: Path, ages: Mapping[str, str] | None = None
) -> PlaceInputs:
    """
    Read areas, residents, deprivation and services.

    Parameters
    ----------
    recipe
        What to read.
    folder
        What its paths are relative to.
    ages
        Name of an age band -> its column in the file of residents; by default
        columns that are named after ages.

    Returns
    -------
    inputs
        Matched to the areas.

    Raises
    ------
    RecipeError
        If the recipe names no residents.
    InputError
        If a file cannot be used; the message names it.
    """
    from placeshaping.areas.ladder import make_ladder

    sources: list[SourceFile] = []
    areas, lookup = read_areas(recipe.areas, folder=folder, sources=sources)
    people = read_people(recipe, folder, areas, sources)
    if people is None or "residents" not in people or recipe.population.residents is None:
        msg = "population.residents: this key is needed: the file of residents by area."
        raise RecipeError(msg)
    residents, notes = _residents(people["residents"])
    deprivation = read_deprivation_of(recipe, folder, areas, sources)
    decile = None if deprivation is None else deprivation.get("imd_decile")
    known = areas[["area_name", "geometry"]].assign(residents=residents)
    if decile is not None:
        known = known.assign(imd_decile=decile.astype("Int64"))
    known.attrs = dict(areas.attrs)
    services, told = read_services(recipe.places, folder, areas, sources)
    return PlaceInputs(
        areas=known,
        ladder=make_ladder(areas, lookup, levels=_levels(recipe, lookup)),
        residents=residents,
        decile=decile,
        ages=_ages(folder / recipe.population.residents, areas.index, ages),
        services=services,
        postcodes=read_postcodes_of(recipe, folder, sources),
        sources=tuple(sources),
        notes=(*notes, *told),
    )


def read_network(travel: Travel, folder: Path, sources: list[SourceFile]) -> Network | None:
    """
    Read the streets that travel goes along; None for straight lines.

    Raises
    ------
    RecipeError
        If the file cannot be read as streets.
    InputError
        If it holds no lines, or a class of road has no speed.
    """
    if travel.streets is None:
        return None
    import pyogrio
    from pyogrio.errors import DataLayerError, DataSourceError

    from placeshaping._core.crs import NATIONAL_GRID
    from placeshaping.shaping.network import make_network

    path = check_file(folder / travel.streets)
    try:
        streets = pyogrio.read_dataframe(path, layer=travel.layer)
    except (DataSourceError, DataLayerError) as error:
        msg = (
            f"{path.name} cannot be read as a file of streets ({str(error)[:100]}). Give a "
            "GeoPackage, Shapefile or GeoJSON of lines, and name the layer if it has several."
        )
        raise RecipeError(msg) from error
    if getattr(streets, "crs", None) is None:
        msg = (
            f"{path.name} does not say in which coordinates its lines stand. Give it a reference "
            "system: EPSG:27700 for metres of the National Grid."
        )
        raise RecipeError(msg)
    if streets.crs != NATIONAL_GRID:
        streets = streets.to_crs(NATIONAL_GRID)
    sources.append(describe_file(path, "streets", rows=len(streets)))
    return make_network(
        streets,
        speeds=travel.speeds,
        road_class=travel.road_class,
        walking=travel.walking,
        tolerance=travel.tolerance,
    )


def _levels(recipe: PlaceRecipe, lookup: pd.DataFrame) -> list[str] | None:
    """Return the larger levels: wards where they are known, for councillors have one each."""
    if recipe.areas.levels is not None:
        return recipe.areas.levels
    wards = [level for level in ("ward", "district") if f"{level}_code" in lookup]
    return wards if len(wards) == 2 else None


def _residents(given: pd.Series[Any]) -> tuple[pd.Series[float], list[str]]:
    people = given.astype("float64")
    lost, empty = people.isna(), people.eq(0)
    notes = []
    if lost.any():
        notes.append(
            f"{int(lost.sum()):,} areas have no number of residents and count as if nobody lived "
            f"there: {listed(list(people.index[lost]))}."
        )
    if empty.any():
        notes.append(f"{int(empty.sum()):,} areas have no residents.")
    return people.fillna(0.0), notes


def _ages(path: Path, index: pd.Index, named: Mapping[str, str] | None) -> pd.DataFrame | None:
    """Read people by age band, where the file of residents tells them."""
    from placeshaping.sources.populations import read_population
    from placeshaping.sources.tabular import read_table

    columns = [str(name) for name in read_table(path).columns]
    if named is None:
        named = {band: name for name in columns if (band := band_of(name)) is not None}
    unknown = [name for name in named.values() if name not in columns]
    if unknown:
        msg = (
            f"ages: {path.name} has no column {listed(unknown)}. It has {listed(columns, most=15)}."
        )
        raise ColumnError(msg)
    if not named:
        return None
    return read_population(path, columns=dict(named)).reindex(index).fillna(0.0)


def band_of(column: str) -> str | None:
    """
    Return the age band that a column is named after; None where it is named after none.

    Examples
    --------
    >>> band_of("age_0_15"), band_of("Age 67 plus"), band_of("residents")
    ('0 to 15', '67 and over', None)
    """
    found = _BAND.fullmatch(column.strip().casefold())
    if found is None:
        return None
    last = found[2]
    return f"{found[1]} to {last}" if last.isdigit() else f"{found[1]} and over"

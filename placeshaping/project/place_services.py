"""The services of a place: public places in and near its areas."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from placeshaping._core.checks import listed
from placeshaping._core.errors import RecipeError, UnmatchedError
from placeshaping._core.provenance import SourceFile, describe_file
from placeshaping.project.recipe import Place

if TYPE_CHECKING:
    import geopandas as gpd

    from placeshaping.disclosure.public_places import PublicPlaces


NEAR = 5_000.0
"""Metres around the areas within which services count: people cross borders."""


def read_services(
    given: list[Place], folder: Path, areas: gpd.GeoDataFrame, sources: list[SourceFile]
) -> tuple[dict[str, PublicPlaces], list[str]]:
    """Read the public places in and near the areas, by their title."""
    import shapely

    from placeshaping.disclosure.public_places import public_places
    from placeshaping.sources.public_places import read_public_places

    around = shapely.box(*areas.total_bounds).buffer(NEAR)
    found, notes = {}, []
    for one in given:
        read = read_public_places(
            folder / one.file,
            name=one.name,
            columns=one.columns,
            postcodes=None if one.postcodes is None else folder / one.postcodes,
        )
        lost = read.attrs["lost"]
        if lost:
            notes.append(
                f"{len(lost):,} of {len(read) + len(lost):,} places of {Path(one.file).name} could "
                f"not be located and are left out: {listed(list(lost))}. Mend their coordinates, "
                "or their postcodes as the directory has them."
            )
        near = read[read.within(around)]
        if near.empty:
            msg = (
                f"places: none of the {len(read):,} places of {one.file} lies within "
                f"{NEAR / 1000:g} km of the areas. Check that both are of the same place."
            )
            raise UnmatchedError(msg)
        sources.append(describe_file(folder / one.file, "public places", rows=len(read)))
        found[one.title] = public_places(
            near.reset_index(drop=True), title=one.title, published_at=one.already_published
        )
    return found, notes


def chosen_services(
    services: Mapping[str, PublicPlaces], title: str | None, *, key: str
) -> PublicPlaces:
    """
    Return the services of a title, or the only ones.

    Raises
    ------
    RecipeError
        If there are none, several and no title, or none of that title.

    Examples
    --------
    >>> chosen_services({}, None, key="access.services")
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.RecipeError: access.services: the recipe names no places. ...
    """
    titles = list(services)
    if not titles:
        msg = f"{key}: the recipe names no places. Add a section [[places]] with their file."
        raise RecipeError(msg)
    if title is None and len(titles) == 1:
        return services[titles[0]]
    if title is None or title not in services:
        asked = "no title is given" if title is None else f"there are no places {title!r}"
        msg = f"{key}: {asked}. The recipe's places are: {listed(titles, most=12)}."
        raise RecipeError(msg)
    return services[title]


def labelled(places: PublicPlaces) -> gpd.GeoDataFrame:
    """
    Return places with their names as index; those of the same name are numbered.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import Point
    >>> from placeshaping.disclosure.public_places import public_places
    >>> two = gpd.GeoDataFrame(
    ...     {"name": ["Hub", "Hub"]}, geometry=[Point(4e5, 3e5), Point(5e5, 3e5)], crs=27700
    ... )
    >>> found = public_places(two, title="Hubs", published_at="https://example.org")
    >>> labelled(found).index.tolist()
    ['Hub', 'Hub (2)']
    """
    points = places.points
    again = points.groupby("name").cumcount()
    names = points["name"].where(again == 0, points["name"] + " (" + (again + 1).astype(str) + ")")
    return points.set_axis(names.rename("site"))

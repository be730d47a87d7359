"""Public places and postcodes that a recipe names, to show and to search by."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from placeshaping._core.errors import UnmatchedError
from placeshaping._core.provenance import SourceFile, describe_file
from placeshaping.project.recipe import Recipe

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from placeshaping.disclosure.public_places import PublicPlaces


def read_places(
    recipe: Recipe, folder: Path, areas: gpd.GeoDataFrame, sources: list[SourceFile]
) -> Iterator[PublicPlaces]:
    """
    Read the public places of a recipe that lie in the areas.

    Raises
    ------
    UnmatchedError
        If none of a kind lies there.
    """
    from placeshaping.disclosure.public_places import public_places
    from placeshaping.sources.public_places import read_public_places

    for given in recipe.places:
        postcodes = None if given.postcodes is None else folder / given.postcodes
        found = read_public_places(
            folder / given.file, name=given.name, columns=given.columns, postcodes=postcodes
        )
        inside = found.sjoin(areas[["geometry"]], predicate="intersects").index.unique()
        if inside.empty:
            msg = (
                f"places: none of the {len(found):,} places of {given.file} lies in the areas. "
                "Check that both are of the same place."
            )
            raise UnmatchedError(msg)
        sources.append(describe_file(folder / given.file, "public places", rows=len(found)))
        yield public_places(
            found.loc[inside].sort_index(),
            title=given.title,
            published_at=given.already_published,
        )


def read_postcodes_of(
    recipe: Recipe, folder: Path, sources: list[SourceFile]
) -> pd.DataFrame | None:
    """Read the postcodes by which a reader of the map may search; None where none are named."""
    if recipe.areas.postcodes is None:
        return None
    from placeshaping.sources.places import read_postcodes

    path = folder / recipe.areas.postcodes
    directory = read_postcodes(path)
    sources.append(describe_file(path, "postcodes", rows=len(directory)))
    return directory

"""Where sites could be: candidates and those in use today."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from placeshaping._core.errors import RecipeError
from placeshaping.project.place_inputs import PlaceInputs
from placeshaping.project.place_services import chosen_services, labelled
from placeshaping.project.siting_request import AREAS, SitingRequest

if TYPE_CHECKING:
    import geopandas as gpd


@dataclass(frozen=True)
class Candidates:
    """
    Where sites could be.

    Attributes
    ----------
    points
        Indexed by name: candidates and existing sites.
    existing
        Names of those in use today.
    published_at
        Address where they can be looked up.
    """

    points: gpd.GeoDataFrame
    existing: tuple[str, ...]
    published_at: str


def read_candidates(request: SitingRequest, inputs: PlaceInputs) -> Candidates:
    """
    Put candidates and existing sites together.

    Raises
    ------
    RecipeError
        If there are no such places, or no address where they can be looked up.
    """
    import pandas as pd

    today = None
    if request.existing is not None:
        today = chosen_services(inputs.services, request.existing, key="siting.existing")
    named = None
    if request.candidates != AREAS:
        named = chosen_services(inputs.services, request.candidates, key="siting.candidates")
    address = request.already_published or next(
        (one.published_at for one in (named, today) if one is not None), None
    )
    if address is None:
        msg = (
            "siting.already_published: this key is needed: the address where anybody can find what "
            "the choice was worked out from (residents by area, for example)."
        )
        raise RecipeError(msg)
    points = _middles(inputs) if named is None else labelled(named)
    if today is None:
        return Candidates(points, (), address)
    existing = labelled(today)
    others = points[~points.index.isin(existing.index)]
    return Candidates(pd.concat([existing, others]), tuple(existing.index), address)


def _middles(inputs: PlaceInputs) -> gpd.GeoDataFrame:
    """Return the middles of the areas, named after them."""
    import geopandas as gpd

    names = inputs.areas["area_name"].astype(str)
    again = names.duplicated(keep=False)
    names = names.where(~again, names + " " + inputs.areas.index.astype(str))
    return gpd.GeoDataFrame(
        {"name": names.to_numpy()},
        geometry=inputs.areas.geometry.representative_point().to_numpy(),
        index=names.rename("site"),
        crs=inputs.areas.crs,
    )

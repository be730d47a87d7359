"""Travel of areas or postcodes to the nearest service, brought together by area."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from placeshaping._core.errors import EmptyError, RecipeError
from placeshaping.project.access_request import AccessRequest
from placeshaping.project.place_inputs import PlaceInputs
from placeshaping.project.place_services import labelled

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from placeshaping.disclosure.public_places import PublicPlaces
    from placeshaping.shaping.network import Network


@dataclass(frozen=True)
class Measured:
    """
    Travel of the areas.

    Attributes
    ----------
    origins
        What travel was measured from: areas, or postcodes with ``area_code``.
    travel
        Index of the origins: ``nearest`` and the unit.
    areas
        Index of areas: ``travel``, ``nearest``, ``beyond``, ``per_1000``.
    method, cautions
        How it was measured, and what a reader must know.
    """

    origins: gpd.GeoDataFrame
    travel: pd.DataFrame
    areas: pd.DataFrame
    method: str
    cautions: tuple[str, ...]


def measure_access(
    request: AccessRequest,
    inputs: PlaceInputs,
    services: PublicPlaces,
    network: Network | None,
) -> Measured:
    """
    Measure travel from areas or postcodes to the nearest service.

    Raises
    ------
    RecipeError
        If postcodes are asked for and the recipe names none.
    InputError
        If places lie outside the network.
    """
    from placeshaping.shaping.access import nearest_service

    origins = _origins(request, inputs)
    travel = nearest_service(
        origins,
        labelled(services),
        network=network,
        unit=request.unit,
        walking=request.walking,
        detour=request.detour,
        outside=request.outside,
        reach=request.reach,
    )
    areas = _by_area(request, inputs, origins, travel)
    if request.catchments:
        areas["per_1000"] = _supplied(request, inputs, services, network)
    return Measured(origins, travel, areas, travel.attrs["method"], tuple(travel.attrs["cautions"]))


def _origins(request: AccessRequest, inputs: PlaceInputs) -> gpd.GeoDataFrame:
    """Return areas, or postcodes in use, each with its area and its share of the residents."""
    if request.origins == "areas":
        return inputs.areas[["geometry", "residents"]].assign(area_code=inputs.areas.index)
    import geopandas as gpd
    import pandas as pd

    if inputs.postcodes is None:
        msg = (
            "access.origins: postcodes need the file that places them: areas.postcodes of the "
            "recipe. Name it, or take origins = 'areas'."
        )
        raise RecipeError(msg)
    used = inputs.postcodes
    used = used[used["ended"].isna()] if "ended" in used else used
    points = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy(used["easting"], used["northing"]), index=used.index, crs=27700
    )
    within = points.sjoin(inputs.areas[["geometry"]], predicate="intersects")
    within = within[~within.index.duplicated()].rename(columns={"area_code": "area_code"})
    if within.empty:
        msg = (
            f"areas.postcodes: none of the {len(points):,} postcodes lies in the areas. Check that "
            "both are of the same place."
        )
        raise EmptyError(msg)
    codes = within.iloc[:, 1].to_numpy()
    placed = gpd.GeoDataFrame({"area_code": codes}, geometry=within.geometry, index=within.index)
    bare = inputs.areas[~inputs.areas.index.isin(placed["area_code"])]
    middle = gpd.GeoDataFrame(
        {"area_code": bare.index}, geometry=bare.geometry.centroid, index=bare.index
    )
    every = pd.concat([placed, middle])
    many = every.groupby("area_code")["area_code"].transform("size")
    people = inputs.residents.reindex(every["area_code"]).to_numpy() / many.to_numpy()
    return gpd.GeoDataFrame(every.assign(residents=people), crs=27700)


def _by_area(
    request: AccessRequest, inputs: PlaceInputs, origins: gpd.GeoDataFrame, travel: pd.DataFrame
) -> pd.DataFrame:
    """Bring travel together by area: its mean, the most frequent nearest, and who is beyond."""
    import pandas as pd

    away = travel[request.unit]
    rows = pd.DataFrame(
        {
            "area_code": origins["area_code"].to_numpy(),
            "travel": away.to_numpy(),
            "nearest": travel["nearest"].to_numpy(),
            "beyond": origins["residents"].where(~(away <= request.threshold), 0.0).to_numpy(),
        }
    )
    by = rows.groupby("area_code", sort=False)
    often = rows.dropna(subset=["nearest"]).groupby("area_code")["nearest"]
    found = pd.DataFrame({"travel": by["travel"].mean(), "beyond": by["beyond"].sum()})
    found["nearest"] = often.agg(lambda names: names.value_counts().index[0])
    return found.reindex(inputs.areas.index)


def _supplied(
    request: AccessRequest, inputs: PlaceInputs, services: PublicPlaces, network: Network | None
) -> pd.Series[float]:
    from placeshaping.shaping.access import floating_catchment
    from placeshaping.shaping.travel import travel_costs

    costs = travel_costs(
        inputs.areas,
        labelled(services),
        limit=request.threshold,
        network=network,
        unit=request.unit,
        walking=request.walking,
        detour=request.detour,
        outside=request.outside,
        reach=request.reach,
    )
    return floating_catchment(costs, inputs.residents, within=request.threshold).areas["access"]

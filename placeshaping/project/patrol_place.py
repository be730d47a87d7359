"""The records and cells of a district, read once for any number of requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from placeshaping._core.checks import check_file
from placeshaping._core.errors import FileFormatError, InputError, UnmatchedError
from placeshaping._core.provenance import SourceFile, describe_file
from placeshaping.project.records import RecordFile, Sensitivity, read_records

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from placeshaping.likelihood.steps import Resolution
    from placeshaping.likelihood.units import Units
    from placeshaping.project.patrol_request import PatrolRequest
    from placeshaping.shaping.network import Network

_BESIDE = 1_000.0
"""Metres around the district within which streets are read."""

ELSEWHERE = 0.005
"""Share of records in the district below which they can only be of another place."""


@dataclass(frozen=True, eq=False)
class Place:
    """
    Records and cells of a district, read once for any number of requests.

    Attributes
    ----------
    events
        One row a record that is in the district, with `easting`, `northing`,
        `period`, `category` and, where it is known, `time`.
    resolution
        How exactly times are known.
    areas
        The small areas of the district, indexed by code.
    cells, units
        The grid, cut at the district's outline.
    name
        Of the district, as far as it is named.
    sources
        Files by checksum.
    sensitivity, already_published
        The strictest of the records; where all of them are published.
    at
        Position of the cell of each record.
    rows, unlocated, elsewhere
        Records read, those without a place, and those outside the district.
    streets
        Along which cells are visited; None for straight lines.
    """

    events: pd.DataFrame
    resolution: Resolution
    areas: gpd.GeoDataFrame
    cells: gpd.GeoDataFrame
    units: Units
    name: str
    sources: tuple[SourceFile, ...]
    sensitivity: Sensitivity
    already_published: str | None
    at: NDArray[np.intp]
    rows: int
    unlocated: int
    elsewhere: int
    streets: Network | None = None


def read_place(request: PatrolRequest, *, folder: Path) -> Place:
    """
    Read the records and areas that a request names, and lay cells over the district.

    Parameters
    ----------
    request
        What to read.
    folder
        What its paths are relative to.

    Returns
    -------
    place
        For `fit_place`.

    Raises
    ------
    InputError
        If a file cannot be used, or the records are of another place.
    """
    import pandas as pd

    from placeshaping.likelihood.steps import resolution_of
    from placeshaping.likelihood.units import make_cells, make_units
    from placeshaping.project.gather import read_areas

    if request.areas is None:
        msg = "areas: needed, or name a recipe that has them."
        raise InputError(msg)
    sources: list[SourceFile] = []
    areas, _ = read_areas(request.areas, folder=folder, sources=sources)
    files = read_records(request.records, folder=folder)
    events = _all_events(files)
    located = events["easting"].notna() & events["northing"].notna()
    streets = _read_streets(request, areas, folder, sources)
    cells = make_cells(areas, size=request.cover.cell_size)
    units = make_units(cells)
    known = events[located]
    at = units.locate(known["easting"].to_numpy(float), known["northing"].to_numpy(float))
    inside = at >= 0
    _check_here(int(inside.sum()), len(events))
    kept = known[inside].reset_index(drop=True)
    times = kept["time"] if "time" in kept else kept["period"]
    return Place(
        events=kept,
        resolution=resolution_of(pd.DatetimeIndex(times.dropna())),
        areas=areas,
        cells=cells,
        units=units,
        name=" and ".join(request.areas.within) or "the district",
        sources=(*(file.source for file in files), *sources),
        sensitivity=_strictest(files),
        already_published=_published(files),
        at=at[inside],
        rows=len(events),
        unlocated=int((~located).sum()),
        elsewhere=int((~inside).sum()),
        streets=streets,
    )


def _all_events(files: Sequence[RecordFile]) -> pd.DataFrame:
    """Return the records of all files, one row each, with their times where all have them."""
    import pandas as pd

    tables = [file.events.assign(category=file.events["category"].astype(str))
              for file in files if file.events is not None]  # fmt: skip
    names = ["easting", "northing", "period", "category", "count", "time", "time_to"]
    wanted = [name for name in names if any(name in table for table in tables)]
    if not all("time" in table for table in tables):
        wanted = [name for name in wanted if not name.startswith("time")]
    events = pd.concat([table.reindex(columns=wanted) for table in tables], ignore_index=True)
    if "count" in events:
        times = events.pop("count").fillna(1).astype("int64")
        events = events.loc[events.index.repeat(times)].reset_index(drop=True)
    return events


def _check_here(inside: int, rows: int) -> None:
    if inside < max(1.0, ELSEWHERE * rows):
        msg = (
            f"Only {inside:,} of {rows:,} records lie in the areas: there are no data for them. "
            "Check that records and areas are of the same place."
        )
        raise UnmatchedError(msg)


def _strictest(files: Sequence[RecordFile]) -> Sensitivity:
    order: tuple[Sensitivity, ...] = ("open", "personal", "special")
    return max((file.sensitivity for file in files), key=order.index)


def _published(files: Sequence[RecordFile]) -> str | None:
    addresses = [file.already_published for file in files]
    return ", ".join(dict.fromkeys(a for a in addresses if a)) if all(addresses) else None


def _read_streets(
    request: PatrolRequest, areas: gpd.GeoDataFrame, folder: Path, sources: list[SourceFile]
) -> Network | None:
    """Read the streets in and around the district; None where the request names none."""
    if request.streets is None:
        return None
    import pyogrio
    from pyogrio.errors import DataLayerError, DataSourceError

    from placeshaping.shaping.network import make_network

    path = check_file(folder / request.streets)
    try:
        streets = pyogrio.read_dataframe(path, columns=[])
    except (DataSourceError, DataLayerError, ValueError) as error:
        msg = (
            f"streets: {path.name} cannot be read as a file of streets ({str(error)[:100]}). Give "
            "lines as a GeoPackage, shapefile or GeoJSON."
        )
        raise FileFormatError(msg) from error
    if getattr(streets, "crs", None) is None:
        msg = (
            f"streets: {path.name} holds no lines, or does not say their reference system. Give "
            "lines as a GeoPackage, shapefile or GeoJSON."
        )
        raise FileFormatError(msg)
    streets = streets.to_crs(areas.crs)
    west, south, east, north = areas.total_bounds
    near = streets.cx[west - _BESIDE : east + _BESIDE, south - _BESIDE : north + _BESIDE]
    if not len(near):
        msg = f"streets: none of the {len(streets):,} lines of {path.name} lie in the district."
        raise UnmatchedError(msg)
    sources.append(describe_file(path, "streets"))
    return make_network(near[near.geom_type.isin(["LineString", "MultiLineString"])])

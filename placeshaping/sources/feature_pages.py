"""Pages of features: put under each other, checked, and written as areas or as a table."""

from __future__ import annotations

import json
import re
import sqlite3
import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyogrio.errors

from placeshaping._core.checks import listed
from placeshaping._core.crs import GRID_BOUNDS, NATIONAL_GRID, looks_like_degrees
from placeshaping._core.errors import FetchError

_BOOKKEEPING = re.compile(r"^(fid|ogc_fid|objectid.*|globalid|shape_*(area|length|leng).*)$", re.I)
_MARGIN = 100_000.0
"""Metres beyond the grid that the sea areas of the realm may reach."""


@dataclass(frozen=True)
class LayerInfo:
    """
    What a service says of a layer.

    Attributes
    ----------
    url
        Address of the layer.
    name
        Its name.
    fields
        Names of its columns.
    id_field
        The column of its own identifiers.
    page_size
        Features that it gives at once.
    edited
        When it was last edited, where it says so.
    table
        Whether it has no geometries.
    """

    url: str
    name: str
    fields: tuple[str, ...]
    id_field: str
    page_size: int
    edited: int | None
    table: bool


def service_of(url: str) -> str:
    """
    Return the name of a service, for messages.

    Parameters
    ----------
    url
        Address of a layer.

    Returns
    -------
    name
        Between ``/services/`` and the next slash.

    Examples
    --------
    >>> service_of("https://example.org/rest/services/LSOA21/FeatureServer/0")
    'LSOA21'
    """
    return url.split("/services/")[-1].split("/")[0]


def values_of(feature: dict[str, Any]) -> Any:
    """
    Return the values of a feature, as GeoJSON or as ArcGIS's own JSON has them.

    Parameters
    ----------
    feature
        One of a page.

    Returns
    -------
    values
        Column to value.
    """
    return feature.get("properties") or feature.get("attributes") or {}


@contextmanager
def new_pages_next_time(folder: Path) -> Iterator[None]:
    """
    Drop the pages that are kept where they turn out not to fit each other.

    Parameters
    ----------
    folder
        Where `fetch_pages` put them.

    Yields
    ------
    nothing
        The block reads and checks them.
    """
    try:
        yield
    except FetchError:
        (folder / "state.json").unlink(missing_ok=True)
        raise


def read_pages(pages: Sequence[Path], layer: LayerInfo) -> pd.DataFrame:
    """
    Put pages under each other.

    Parameters
    ----------
    pages
        From `fetch_pages`.
    layer
        From `describe_layer`.

    Returns
    -------
    table
        In the order of the layer's own identifiers: a GeoDataFrame on the
        British National Grid, or a table where the layer has no geometries;
        the service's bookkeeping is left out.

    Raises
    ------
    FetchError
        If there is none, a feature came twice because the layer was changed
        in between, or the outlines are no areas of the National Grid.
    """
    rows: list[dict[str, Any]] = []
    ids: list[Any] = []
    shapes: list[Any] = []
    for page in pages:
        features = json.loads(page.read_text(encoding="utf-8"))["features"]
        values = [values_of(feature) for feature in features]
        rows.extend(values)
        ids += [v.get(layer.id_field, f.get("id")) for f, v in zip(features, values, strict=True)]
        if not layer.table:
            shapes.append(_outlines(page, len(features), layer))
    table = pd.DataFrame(rows)
    if table.empty:
        msg = f"{service_of(layer.url)} holds nothing. Look at it in a browser."
        raise FetchError(msg)
    numbered = pd.Series(ids)
    twice = _twice(table, numbered, pages=len(pages))
    if twice:
        msg = (
            f"{service_of(layer.url)} sent {twice:,} features twice: it was changed while it was "
            "read. Run it again."
        )
        raise FetchError(msg)
    order = _order(numbered)
    table = table.drop(columns=[name for name in table.columns if _BOOKKEEPING.match(str(name))])
    if layer.table:
        return table.iloc[order].reset_index(drop=True)
    areas = gpd.GeoDataFrame(table, geometry=np.concatenate(shapes), crs=NATIONAL_GRID)
    projected: pd.DataFrame = areas.iloc[order].reset_index(drop=True)
    return projected


def _twice(table: pd.DataFrame, ids: pd.Series[Any], *, pages: int) -> int:
    """Count the features that came before: by identifier, or by all values where none is told."""
    if ids.notna().all():
        return int(ids.duplicated().sum())
    return int(table.duplicated().sum()) if pages > 1 else 0


def _order(ids: pd.Series[Any]) -> np.ndarray[Any, np.dtype[np.intp]]:
    """Return the rows in the order of their identifiers, where these are numbers."""
    if not pd.api.types.is_numeric_dtype(ids) or ids.isna().any():
        return np.arange(len(ids))
    return np.argsort(ids.to_numpy(), kind="stable")


def _outlines(page: Path, count: int, layer: LayerInfo) -> Any:
    """Return the outlines of a page on the British National Grid."""
    service = service_of(layer.url)
    try:
        with warnings.catch_warnings():  # GDAL tells of each outline; they are counted below
            warnings.simplefilter("ignore", RuntimeWarning)
            held = pyogrio.read_dataframe(page, columns=[])
    except (pyogrio.errors.DataSourceError, pyogrio.errors.GeometryError, ValueError) as error:
        msg = f"{service} sends outlines that cannot be read ({error}). Run it again."
        raise FetchError(msg) from error
    if len(held) != count or held.geometry.isna().all():
        had = 0 if len(held) != count else int(held.geometry.notna().sum())
        msg = f"{service} sends {had:,} outlines for {count:,} areas. Check the address."
        raise FetchError(msg)
    stated = json.loads(page.read_text(encoding="utf-8")).get("crs")
    outlines = gpd.GeoSeries(held.geometry.to_numpy())
    # A service that passes over outSR sends degrees, or says what else it sends.
    assumed = 4326 if looks_like_degrees(outlines.total_bounds) else NATIONAL_GRID
    placed = outlines.set_crs(held.crs if stated and held.crs else assumed).to_crs(NATIONAL_GRID)
    found, grid = placed.total_bounds, np.asarray(GRID_BOUNDS)
    off = (found[:2] < grid[:2] - _MARGIN) | (found[2:] > grid[2:] + _MARGIN)
    if off.any() or not np.isfinite(found).all():
        msg = (
            f"{service} sends outlines that are not on the British National Grid (from "
            f"{outlines.total_bounds[0]:,.6g}, {outlines.total_bounds[1]:,.6g}). Download them in "
            "a browser."
        )
        raise FetchError(msg)
    return placed.to_numpy()


def write_areas(areas: gpd.GeoDataFrame, path: Path, *, layer: str) -> None:
    """
    Write areas as a GeoPackage, alike for alike areas.

    Parameters
    ----------
    areas
        What to write.
    path
        Where to.
    layer
        Name of the layer.
    """
    areas.to_file(path, driver="GPKG", layer=layer, engine="pyogrio", index=False)
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE gpkg_contents SET last_change = '1970-01-01T00:00:00.000Z'")
        database.commit()


def check_codes(table: pd.DataFrame, code: str | None, *, rows: int | None, where: str) -> None:
    """
    Check that each area is there once, and as many as there must be.

    Parameters
    ----------
    table
        What came.
    code
        The column of codes.
    rows
        How many there must be, where that is known.
    where
        Name of the source, for messages.

    Raises
    ------
    FetchError
        If not.
    """
    if rows is not None and len(table) != rows:
        msg = (
            f"{where}: {len(table):,} rows came where {rows:,} are expected. If the publisher "
            "changed them, set the new number as `rows` in boundaries/catalogue.toml."
        )
        raise FetchError(msg)
    if code is None:
        return
    if code not in table:
        held = listed([str(name) for name in table.columns], most=12)
        msg = f"{where} has no column {code!r}; it has {held}. Set `code` in the catalogue."
        raise FetchError(msg)
    twice = table[code][table[code].duplicated()].unique()
    if len(twice):
        msg = f"{where}: {len(twice):,} codes came more than once ({listed(list(twice))})."
        raise FetchError(msg)

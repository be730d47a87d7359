"""One level as GeoJSON (RFC 7946), for web maps and whatever reads nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from placeshaping._core.output import staged_file
from placeshaping.disclosure.release import Release, require_release
from placeshaping.layers.items import check_suffix
from placeshaping.layers.views import DECIMALS, about, in_degrees, layer_of, level_of_release

SUFFIXES = (".geojson", ".json")


def write_geojson(
    release: Release,
    path: str | Path,
    *,
    level: str | None = None,
    period: str | None = None,
    category: str | None = None,
) -> Path:
    """
    Write one level of a release as GeoJSON.

    Longitude and latitude of WGS 84 with 6 decimals, outer rings
    anticlockwise, a bounding box, no `crs` (RFC 7946). Each feature's `id` is
    its area code. The member `placeshaping` holds what the file says of
    itself. Hidden cells are null. The same release gives the same bytes,
    which are plain ASCII.

    Parameters
    ----------
    release
        What is published.
    path
        The file to write, ending in .geojson.
    level
        By default the finest.
    period, category
        Labels of what is shown; by default the view that opens first.

    Returns
    -------
    path
        The file that was written.

    Raises
    ------
    DisclosureError
        If `release` is not a `Release`.
    InputError
        If the release has no such level, period or category.
    OutputError
        If the name ends otherwise, or the file cannot be written; an older
        one is then as it was.

    Examples
    --------
    >>> write_geojson({}, "lsoa.geojson")
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.DisclosureError: write_geojson takes a Release, not a dict. ...
    """
    release = require_release(release, wanted_by="write_geojson")
    path = check_suffix(path, SUFFIXES)
    layer = layer_of(release, level=level, period=period, category=category)
    name = level_of_release(release, level).level
    with staged_file(path) as staged:
        write_collection(layer, staged, name=name, said=about(release))
    return path


def write_collection(
    layer: pd.DataFrame, path: Path, *, name: str, said: Mapping[str, Any]
) -> None:
    """
    Write a table, with or without shapes, as a collection of features.

    Parameters
    ----------
    layer
        Plain texts and numbers, with shapes in EPSG:27700 or none. Each
        feature's `id` is its `area_code`; without one, its place in the table
        from 1.
    path
        The file to write.
    name
        Of the layer.
    said
        What the file says of itself.
    """
    head: dict[str, Any] = {"type": "FeatureCollection", "name": name}
    shapes, ids = np.full(len(layer), "null", dtype=object), [str(n + 1) for n in range(len(layer))]
    if isinstance(layer, gpd.GeoDataFrame):
        turned = in_degrees(layer.geometry)
        shapes = shapely.to_geojson(turned)
        ids = list(map(_json, layer["area_code"])) if "area_code" in layer else ids
        head["bbox"] = np.round(shapely.total_bounds(turned), DECIMALS).tolist()
        layer = pd.DataFrame(layer.drop(columns=layer.geometry.name))
    head["placeshaping"] = said
    with path.open("w", encoding="ascii", newline="\n") as stream:
        stream.write(f'{_json(head)[:-1]},\n"features":[\n')
        rows = zip(ids, _rows(layer), shapes, strict=True)
        features = (
            f'{{"type":"Feature","id":{code},"properties":{row},"geometry":{shape}}}'
            for code, row, shape in rows
        )
        for number, feature in enumerate(features):
            stream.write(feature if number == 0 else f",\n{feature}")
        stream.write("\n]}\n")


def _rows(table: pd.DataFrame) -> Iterator[str]:
    """Yield each row as an object; what is not there is null."""
    columns = [[_plain(value) for value in table[name]] for name in table.columns]
    names = [str(name) for name in table.columns]
    for row in zip(*columns, strict=True):
        yield _json(dict(zip(names, row, strict=True)))


def _plain(value: Any) -> Any:
    if value is None or value is pd.NA or value != value:
        return None
    return value.item() if isinstance(value, np.generic) else value


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)

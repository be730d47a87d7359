"""The further formats that a recipe may ask for: what their files are called, and writing them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from placeshaping._core.codes import LEVEL_NAMES

if TYPE_CHECKING:
    from placeshaping.disclosure.release import Release

EXPORTS = ("geojson", "geoparquet", "kml", "csv")
"""As `output.write` of a recipe names them."""

_PATTERNS = {"geojson": "{}.geojson", "geoparquet": "{}.parquet", "csv": "{}.csv"}
_PLACES = {"geojson": "places.geojson", "geoparquet": "places.parquet", "kml": "places.kml"}
_SINGLE = (
    "areas.kml", "deprivation.csv", "inequality.csv", "csv-metadata.json", *_PLACES.values(),
)  # fmt: skip


def write_export(kind: str, release: Release, folder: Path) -> list[Path]:
    """
    Write a release in one further format.

    Parameters
    ----------
    kind
        One of `EXPORTS`.
    release
        What is published.
    folder
        Where to write.

    Returns
    -------
    paths
        The files that were written: one a level and, of CSV, those of
        deprivation and the metadata; one in all of KML. Public places have
        a file of their own in every format but CSV.

    Raises
    ------
    DisclosureError
        If `release` is not a `Release`.
    OutputError
        If a file cannot be written.

    Examples
    --------
    >>> write_export("kml", {}, Path())
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.DisclosureError: write_kml takes a Release, not a dict. ...
    """
    if kind == "kml":
        from placeshaping.layers.kml import write_kml

        return [write_kml(release, folder / "areas.kml"), *_places(kind, release, folder)]
    if kind == "csv":
        from placeshaping.reports.csvw import write_csv

        return write_csv(release, folder)
    from placeshaping.layers.geojson import write_geojson
    from placeshaping.layers.geoparquet import write_geoparquet

    write: Callable[..., Path] = write_geojson if kind == "geojson" else write_geoparquet
    name = _PATTERNS[kind]
    levels = [write(release, folder / name.format(lvl), level=lvl) for lvl in release.levels]
    return [*levels, *_places(kind, release, folder)]


def _places(kind: str, release: Release, folder: Path) -> list[Path]:
    if not release.places:
        return []
    from placeshaping.layers.places import write_places

    return [write_places(release, folder / _PLACES[kind])]


def former_exports(folder: Path) -> list[str]:
    """
    Name the files that a former run wrote in these formats, by its manifest.

    Files that no manifest names are the user's own, whatever they are called.

    Parameters
    ----------
    folder
        Where the former run's products are.

    Returns
    -------
    names
        Of those that are there.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("lsoa.csv", "ward.csv", "map.html"):
    ...         _ = (Path(folder) / name).write_text("")
    ...     said = {"outputs": [{"name": "lsoa.csv"}, {"name": "map.html"}]}
    ...     _ = (Path(folder) / "manifest.json").write_text(json.dumps(said))
    ...     former_exports(Path(folder))
    ['lsoa.csv']
    """
    possible = {p.format(level) for p in _PATTERNS.values() for level in LEVEL_NAMES}
    possible |= set(_SINGLE)
    try:
        said = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        named = {str(output["name"]) for output in said["outputs"]}
    except (OSError, ValueError, LookupError, TypeError):
        return []
    return sorted(name for name in named & possible if (folder / name).exists())

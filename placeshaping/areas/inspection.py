"""What is in any file that the package reads, and what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio

from placeshaping._core.checks import check_file, listed
from placeshaping._core.codes import LEVEL_SHORT
from placeshaping._core.errors import DuplicateError, PlaceshapingError
from placeshaping.areas.boundaries import BoundaryReport, read_boundaries
from placeshaping.sources.archives import list_members, looks_zipped
from placeshaping.sources.inspection import (
    FAILURES,
    Inspection,
    Problem,
    failed,
    inspect_table,
)
from placeshaping.sources.spatial import without_driver_warnings

_SPATIAL = (".gpkg", ".geojson", ".json", ".shp", ".kml", ".kmz", ".fgb", ".gml")


def inspect_file(path: str | Path) -> Inspection:
    """
    Tell what is in a file and what is wrong with it; never raise because of the file.

    Parameters
    ----------
    path
        Any file or folder.

    Returns
    -------
    inspection
        Kind, rows, facts, and problems with their remedies.

    Examples
    --------
    >>> inspect_file("no-such-folder/areas.gpkg").problems[0].remedy
    'Check the path.'
    """
    path = Path(path)
    try:
        check_file(path)
        areal = _holds_areas(path)
    except FAILURES as error:
        return failed(path, "unknown", error)
    if not areal:
        return inspect_table(path)
    try:
        return _inspect_boundaries(path)
    except FAILURES as error:
        return failed(path, "boundaries", error)


def _holds_areas(path: Path) -> bool:
    """Tell whether a file holds outlines, from its name and its geometry type alone."""
    suffix = path.suffix.casefold()
    if (
        path.is_dir()
        or suffix == ".zip"
        or (looks_zipped(path) and suffix not in {".xlsx", ".xlsm"})
    ):
        members = list_members(path, suffixes=(*_SPATIAL, ".csv", ".geoparquet"))
        return any(m.name.casefold().endswith((*_SPATIAL, ".geoparquet")) for m in members)
    if suffix in {".parquet", ".geoparquet"}:
        return _parquet_holds_areas(path)
    if suffix not in _SPATIAL:
        return False
    try:
        with without_driver_warnings():
            kinds = [str(row[1]) for row in pyogrio.list_layers(path)]
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError):
        return suffix != ".json"  # damaged: reading it as boundaries tells how
    return not kinds or any("Point" not in kind for kind in kinds)


def _parquet_holds_areas(path: Path) -> bool:
    try:
        meta = (pq.read_schema(path).metadata or {}).get(b"geo")
    except (pa.ArrowInvalid, OSError):
        return False
    if meta is None:
        return False
    described = json.loads(meta)
    kinds = described["columns"][described["primary_column"]].get("geometry_types", [])
    return not kinds or any("Polygon" in kind for kind in kinds)


def _inspect_boundaries(path: Path) -> Inspection:
    problems: list[Problem] = []
    try:
        areas = read_boundaries(path)
    except DuplicateError as error:
        what, _, _ = str(error).partition(" Pass ")
        remedy = "Give a file with each area once, or set duplicates to 'dissolve' or 'first'."
        problems.append(Problem("error", what, remedy))
        try:
            areas = read_boundaries(path, duplicates="first")
        except PlaceshapingError as second:
            return failed(path, "boundaries", second)
    report: BoundaryReport = areas.attrs["report"]
    problems.extend(_problems(report))
    facts = (
        ("Level", LEVEL_SHORT[areas.attrs["level"]]),
        ("Areas", f"{report.kept:,}"),
        ("Code column", report.code_column),
        ("Name column", report.name_column or "none: codes serve as names"),
        ("Census year of the codes", areas.attrs["vintage"] or "not stated"),
        ("Reference system", report.crs),
        ("Extent", _extent(areas.total_bounds)),
    )
    return Inspection(path.name, "boundaries", report.read, facts, tuple(problems))


def _problems(report: BoundaryReport) -> list[Problem]:
    found = []
    if report.repaired:
        what = f"{len(report.repaired):,} outlines are invalid ({listed(report.repaired)})."
        found.append(Problem("warning", what, "They are repaired when read."))
    if report.dropped_empty:
        what = (
            f"{len(report.dropped_empty):,} areas have no polygon ({listed(report.dropped_empty)})."
        )
        found.append(Problem("warning", what, "They are left out."))
    if report.without_code:
        what = f"{report.without_code:,} rows have no code in {report.code_column}."
        found.append(Problem("warning", what, "They are left out."))
    return found


def _extent(bounds: object) -> str:
    low_x, low_y, high_x, high_y = (float(value) / 1000 for value in bounds)  # type: ignore[attr-defined]
    return f"{high_x - low_x:,.1f} by {high_y - low_y:,.1f} km from {low_x:,.1f}, {low_y:,.1f}"

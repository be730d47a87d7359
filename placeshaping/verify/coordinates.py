"""Attack points: where none may stand, finer than they say, and traced to addresses."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial import KDTree

from placeshaping._core.checks import listed
from placeshaping._core.crs import to_grid
from placeshaping.verify.cells import numbers_of
from placeshaping.verify.contents import Table
from placeshaping.verify.rules import Rules, judge_by
from placeshaping.verify.verdict import Breach, number_of

Floats = NDArray[np.float64]

FEWEST_ADDRESSES = 8
"""Addresses that a point must hide among."""

_EAST = re.compile(r"(?i)^(?:x|easting|eastings|east|bng_?e|osgb_?(?:x|east\w*)|x_?coord\w*)$")
_NORTH = re.compile(r"(?i)^(?:y|northing|northings|north|bng_?n|osgb_?(?:y|north\w*)|y_?coord\w*)$")
_LONGITUDE = re.compile(r"(?i)^(?:lon|lng|long|longitude)$")
_LATITUDE = re.compile(r"(?i)^(?:lat|latitude)$")
_REFERENCE = re.compile(r"(?i)^(?:postcode|pcd|uprn|usrn|grid_?ref\w*|what3words|w3w|os_?grid\w*)$")
_METRES_A_DEGREE = 111_320.0
_ENVELOPES = {0: 0, 1: 32, 2: 48, 3: 48, 4: 64}
_FINEST = 1.0
_ON_ADDRESS = 0.75
_NEAR = 0.2
_MOST_NEAR = 0.5
_ENOUGH = 10
_LOOKED_AT = 60
_EXAMPLES = 3


@dataclass(frozen=True)
class Pairs:
    """Points in metres, and as they are written."""

    metres: Floats
    given: Floats
    degrees: bool


def attack_coordinates(
    points: Table | pd.DataFrame,
    declaration: Mapping[str, Any] | None,
    *,
    addresses: Floats | None = None,
    rules: Rules | None = None,
    where: str = "points",
) -> list[Breach]:
    """
    Look at the coordinates of a table.

    Parameters
    ----------
    points
        A table with columns of coordinates (`easting` and `northing`, `x` and
        `y`, `longitude` and `latitude`), postcodes or other references of a
        place, or a `geometry` of points.
    declaration
        What the file says of itself. Points may stand in it only where it
        declares them masked: ``"item": "features"`` with `precision_m`,
        `least` and `kind`.
    addresses
        Easting and northing of every address, as anybody can buy them; where
        given, each point is traced.
    rules
        What the file is held to; by default by its declaration.
    where
        Name of the table, where it has none.

    Returns
    -------
    breaches
        Points that are not declared, finer than declared, hidden among too
        few, or traced.

    Examples
    --------
    >>> frame = pd.DataFrame({"easting": [451234.5], "northing": [300123.0]})
    >>> [breach.what for breach in attack_coordinates(frame, None)]
    ['holds the coordinates of 1 place, which the file does not declare as masked']
    """
    frame = points.frame if isinstance(points, Table) else points
    name = points.where if isinstance(points, Table) else where
    held = rules or judge_by(declaration, None)[0]
    if not held.protects or not held.lsoa_or_coarser:
        return []
    found = list(_references(frame, name))
    for pairs in _places(frame):
        found += _judge(pairs, declaration or {}, addresses, name)
    return found


def points_of_geopackage(path: Path) -> dict[str, Floats]:
    """
    Return the points of every table of a GeoPackage, read with SQLite and from bytes.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    points
        Table -> one row (x, y) a point; tables without points are left out.
    """
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
        columns = database.execute(
            "SELECT table_name, column_name FROM gpkg_geometry_columns"
        ).fetchall()
        found = {}
        for table, column in columns:
            quoted = '"' + str(table).replace('"', '""') + '"'
            field = '"' + str(column).replace('"', '""') + '"'
            rows = database.execute(f"SELECT {field} FROM {quoted}")  # noqa: S608 - quoted
            places = _points_in([_from_blob(blob) for (blob,) in rows if isinstance(blob, bytes)])
            if len(places):
                found[str(table)] = places
    return found


def drawn_points(
    path: Path, kind: str, *, leave: Collection[str] = frozenset()
) -> dict[str, Floats]:
    """
    Return the points that a GeoPackage or GeoJSON draws.

    Parameters
    ----------
    path
        The file.
    kind
        As `Contents.kind`; of other kinds there are none.
    leave
        Tables whose points were found to be public places.

    Returns
    -------
    points
        Table -> one row (x, y) a point.
    """
    if kind == "geopackage":
        drawn = points_of_geopackage(path)
        return {table: places for table, places in drawn.items() if table not in leave}
    if kind != "geojson":
        return {}
    data = json.loads(path.read_text(encoding="utf-8-sig"))
    features = data.get("features", [data])
    places = points_of_features([one for one in features if isinstance(one, dict)])
    return {"features": places} if len(places) and "features" not in leave else {}


def points_of_features(features: list[dict[str, Any]]) -> Floats:
    """
    Return the points of GeoJSON features, also those inside collections.

    Examples
    --------
    >>> feature = {"geometry": {"type": "Point", "coordinates": [451000, 300000]}}
    >>> points_of_features([feature]).tolist()
    [[451000.0, 300000.0]]
    """
    found: list[list[float]] = []
    for feature in features:
        found += _points_of(feature.get("geometry"))
    return np.array(found, dtype=np.float64).reshape(-1, 2)


def as_table(points: Floats) -> pd.DataFrame:
    """
    Return points as a table that `attack_coordinates` takes: degrees where they can only be such.

    Examples
    --------
    >>> as_table(np.array([[-1.1, 52.6]])).columns.tolist()
    ['longitude', 'latitude']
    """
    degrees = len(points) > 0 and bool((np.abs(points) <= [180, 90]).all())
    names = ["longitude", "latitude"] if degrees else ["easting", "northing"]
    return pd.DataFrame(points, columns=names)


def places_in(frame: pd.DataFrame) -> Floats | None:
    """
    Return the places of a table in metres, None where it has no coordinates.

    Examples
    --------
    >>> places_in(pd.DataFrame({"X": ["451000"], "Y": ["300000"]})).tolist()
    [[451000.0, 300000.0]]
    """
    for pairs in _places(frame):
        return pairs.metres
    return None


def trace_points(
    points: Floats, addresses: Floats, *, k: tuple[int, int] | None, precision: float = 1.0
) -> Floats:
    """
    Count for each masked point the addresses that could be the true one.

    Somebody who knows how points were masked asks of every address near by:
    would its own ring hold this point? The addresses that answer yes are all
    that the point hides among, however many are nearer.

    Parameters
    ----------
    points, addresses
        Metres, one row (x, y) each.
    k
        Addresses within the inner and outer circle of the ring, as declared;
        None for snapped points, which hide among the addresses that have no
        nearer point of the file.
    precision
        Metres that the points are rounded to.

    Returns
    -------
    possible
        Number of addresses, of the 60 nearest, for each point.

    Examples
    --------
    >>> homes = np.stack(np.meshgrid(np.arange(30.0), np.arange(30.0)), -1).reshape(-1, 2) * 10
    >>> trace_points(np.array([[145.0, 180.0]]), homes, k=(8, 80)).tolist()
    [54.0]
    """
    tree = KDTree(addresses)
    if k is None:
        _, nearest = KDTree(np.unique(points, axis=0)).query(addresses)
        served = np.bincount(np.asarray(nearest), minlength=len(np.unique(points, axis=0)))
        _, which = np.unique(points, axis=0, return_inverse=True)
        return np.asarray(served[which.ravel()], dtype=np.float64)
    near = min(_LOOKED_AT, len(addresses))
    distance, homes = (np.asarray(found) for found in tree.query(points, k=near))
    asked, back = np.unique(homes, return_inverse=True)
    rings = np.asarray(tree.query(addresses[asked], k=[min(n, len(addresses)) for n in k])[0])
    inner, outer = (rings[:, i][back.reshape(homes.shape)] for i in (0, 1))
    slack = precision
    possible = (distance >= inner - slack) & (distance <= outer + slack)
    return np.asarray(possible.sum(axis=1), dtype=np.float64)


def _judge(
    pairs: Pairs, declaration: Mapping[str, Any], addresses: Floats | None, where: str
) -> Iterator[Breach]:
    xy = pairs.metres
    places = number_of(len(xy), "place")
    first = listed([f"{x:.10g} {y:.10g}" for x, y in xy[:_EXAMPLES]])
    precision = declaration.get("precision_m")
    masked = declaration.get("item") == "features" and isinstance(precision, int | float)
    if not masked:
        what = f"holds the coordinates of {places}, which the file does not declare as masked"
        yield Breach(where, what, first, attack="points")
        return
    declared = float(precision)  # type: ignore[arg-type]
    fine = _finer(pairs, max(declared, _FINEST))
    if declared < _FINEST or fine.any():
        finer = number_of(int(fine.sum()), "coordinate pair")
        what = f"holds {finer} finer than the {declared:g} m that it declares"
        yield Breach(where, what, listed(_texts(pairs.given[fine])), attack="points")
    least = declaration.get("least")
    if not isinstance(least, int | float) or least < FEWEST_ADDRESSES:
        what = f"declares points that hide among fewer than {FEWEST_ADDRESSES} addresses"
        yield Breach(where, what, f"least: {least}", attack="points")
    achieved = declaration.get("achieved")
    reached = achieved.get("min") if isinstance(achieved, Mapping) else None
    if not isinstance(reached, int | float) or reached < FEWEST_ADDRESSES:
        what = f"declares a point with fewer than {FEWEST_ADDRESSES} addresses nearer to it"
        yield Breach(where, what, f"achieved: {reached}", attack="points")
    if addresses is not None and len(addresses):
        yield from _traced(xy, addresses, declaration, where)


def _traced(
    xy: Floats, addresses: Floats, declaration: Mapping[str, Any], where: str
) -> Iterator[Breach]:
    """Go from the masked points to the addresses that they may stand for."""
    least, most = declaration.get("least"), declaration.get("most")
    ring = (
        (int(least), int(most))
        if isinstance(least, int) and isinstance(most, int) and declaration.get("kind") == "donut"
        else None
    )
    precision = float(declaration.get("precision_m", _FINEST))
    possible = trace_points(xy, addresses, k=ring, precision=precision)
    few = possible < FEWEST_ADDRESSES
    if few.any():
        number = number_of(int(few.sum()), "point")
        what = f"{number} could stand for fewer than {FEWEST_ADDRESSES} addresses"
        proof = "; ".join(
            f"{text}: {n:.0f} addresses"
            for text, n in zip(_texts(xy[few]), possible[few], strict=False)
        )
        yield Breach(where, what, proof, attack="points")
    if ring is not None:
        yield from _too_near(xy, addresses, ring[0], where)


def _too_near(xy: Floats, addresses: Floats, inner: int, where: str) -> Iterator[Breach]:
    """
    Look for points that stay near an address.

    Around a random place 27 % have an address within a fifth of the radius
    that holds eight; where most have, they were hardly moved.
    """
    tree = KDTree(addresses)
    distance, home = (np.asarray(found) for found in tree.query(xy))
    asked, back = np.unique(home, return_inverse=True)
    radius = np.asarray(tree.query(addresses[asked], k=[min(inner, len(addresses))])[0])[:, 0]
    near = distance <= np.maximum(_NEAR * radius[back.ravel()], _ON_ADDRESS)
    if len(xy) >= _ENOUGH and near.mean() > _MOST_NEAR:
        what = (
            f"{int(near.sum()):,} of {len(xy):,} points stand so near to an address that they can "
            f"hardly have been moved beyond {inner} of them"
        )
        yield Breach(where, what, listed(_texts(xy[near])), attack="points")


def _texts(xy: Floats) -> list[str]:
    return [f"{x:.10g} {y:.10g}" for x, y in xy[:_EXAMPLES]]


def _references(frame: pd.DataFrame, where: str) -> Iterator[Breach]:
    for column in frame.columns:
        if _REFERENCE.match(str(column)) and frame[column].notna().any():
            what = f"names places in {str(column)!r}, which is finer than any area"
            yield Breach(where, what, listed(frame[column].dropna().tolist()), attack="points")


def _places(frame: pd.DataFrame) -> Iterator[Pairs]:
    """Yield the points of every pair of columns that can be coordinates."""
    names = [str(column) for column in frame.columns]
    for first, second, degrees in (
        (_EAST, _NORTH, False),
        (_LONGITUDE, _LATITUDE, True),
    ):
        x = next((name for name in names if first.match(name)), None)
        y = next((name for name in names if second.match(name)), None)
        if x is not None and y is not None:
            yield from _pairs(numbers_of(frame[x]), numbers_of(frame[y]), degrees)
    if "geometry" in names:
        shapes = [s for s in frame["geometry"] if isinstance(s, shapely.Geometry)]
        points = _points_in(shapes)
        if len(points):
            degrees = bool((np.abs(points) <= [180, 90]).all())
            yield from _pairs(points[:, 0], points[:, 1], degrees)


def _pairs(x: Floats, y: Floats, degrees: bool) -> Iterator[Pairs]:
    known = np.isfinite(x) & np.isfinite(y)
    given = np.column_stack([x[known], y[known]])
    if len(given):
        metres = np.column_stack(to_grid(given[:, 0], given[:, 1])) if degrees else given
        yield Pairs(metres, given, degrees)


def _finer(pairs: Pairs, precision: float) -> NDArray[np.bool_]:
    """Tell which pairs are written more finely than to so many metres."""
    step = precision
    if pairs.degrees:
        step = 10.0 ** -max(np.floor(np.log10(_METRES_A_DEGREE / precision)), 0)
    times = pairs.given / step
    return np.asarray((np.abs(times - np.rint(times)) > 1e-4).any(axis=1), dtype=np.bool_)


def _points_in(shapes: list[Any]) -> Floats:
    """Return the points among shapes, also those of several points or of collections."""
    parts = shapely.get_parts(shapely.get_parts(np.array([s for s in shapes if s is not None])))
    points = [part for part in parts if part.geom_type == "Point" and not part.is_empty]
    return np.asarray(shapely.get_coordinates(points), dtype=np.float64).reshape(-1, 2)


def _from_blob(blob: bytes) -> Any:
    if not blob.startswith(b"GP") or len(blob) < 9:
        return None
    start = 8 + _ENVELOPES.get(blob[3] >> 1 & 7, 0)
    return shapely.from_wkb(blob[start:], on_invalid="ignore")


def _points_of(geometry: Any) -> list[list[float]]:
    if not isinstance(geometry, dict):
        return []
    inner = geometry.get("geometries")
    if isinstance(inner, list):
        return [point for part in inner for point in _points_of(part)]
    given = geometry.get("coordinates")
    if geometry.get("type") == "Point" and isinstance(given, list):
        given = [given]
    elif geometry.get("type") != "MultiPoint":
        return []
    return [
        [float(one[0]), float(one[1])]
        for one in given or []
        if isinstance(one, list) and len(one) > 1
        and all(isinstance(number, int | float) for number in one[:2])
    ]  # fmt: skip

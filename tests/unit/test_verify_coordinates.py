"""Points in files: not declared, finer than declared, or traced to an address."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from placeshaping.disclosure.points import Features, donut, snap_points
from placeshaping.disclosure.secret import Secret
from placeshaping.layers.features import write_points
from placeshaping.verify.contents import Table
from placeshaping.verify.coordinates import (
    as_table,
    attack_coordinates,
    points_of_features,
    points_of_geopackage,
    trace_points,
)
from placeshaping.verify.verdict import Breach

SECRET = Secret(bytes(range(32)))
DECLARED = {"format": 1, "policy": "public", "threshold": 10, "rounding": 5, "zeros_shown": False}
MASKED = {
    **DECLARED, "item": "features", "kind": "donut", "precision_m": 10.0, "least": 8, "most": 80,
    "achieved": {"min": 9.0},
}  # fmt: skip


def homes(seed: int = 3, number: int = 4000) -> np.ndarray:
    rng = np.random.default_rng(seed)
    middle = rng.normal([450_000, 300_000], 300, (number, 2))
    return np.concatenate([middle, rng.uniform([447_000, 297_000], [453_000, 303_000], (500, 2))])


def points(xy: np.ndarray, **columns: object) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=shapely.points(xy), crs=27700)


def grid_table(xy: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(xy, columns=["easting", "northing"])


def texts(breaches: list[Breach]) -> str:
    return "\n".join(f"{b.where}: {b.what} [{b.proof}]" for b in breaches)


def masked() -> Features:
    return donut(points(homes()[:200]), points(homes()), secret=SECRET, failed="drop")


@pytest.mark.parametrize(
    "names",
    [("easting", "northing"), ("X", "Y"), ("Latitude", "Longitude"), ("lat", "lng")],
)
def test_coordinates_that_are_not_declared_are_broken(names: tuple[str, str]) -> None:
    frame = pd.DataFrame([[52.6, -1.1], [52.7, -1.2]], columns=list(names))
    told = texts(attack_coordinates(Table("crime", frame), DECLARED))
    assert "crime: holds the coordinates of 2 places, which the file does not declare" in told


@pytest.mark.parametrize("column", ["postcode", "UPRN", "grid_ref", "what3words"])
def test_references_of_places_are_broken(column: str) -> None:
    frame = pd.DataFrame({"area_code": ["E01000001"], column: ["LE1 1AA"]})
    assert f"names places in '{column}', which is finer than any area" in texts(
        attack_coordinates(Table("t", frame), None)
    )


def test_coordinates_finer_than_declared_are_broken() -> None:
    xy = np.array([[450_010.0, 300_020.0], [450_013.4, 300_020.0]])
    told = texts(attack_coordinates(grid_table(xy), MASKED))
    assert "holds 1 coordinate pair finer than the 10 m that it declares [450013.4 300020]" in told
    degrees = pd.DataFrame({"longitude": [-1.1234, -1.123456], "latitude": [52.6123, 52.6]})
    told = texts(attack_coordinates(degrees, MASKED))
    assert "1 coordinate pair finer than the 10 m that it declares [-1.123456 52.6]" in told


def test_precision_need_not_be_a_power_of_ten() -> None:
    assert attack_coordinates(grid_table(np.array([[450_030.0, 300_060]])), MASKED) == []
    declared = {**MASKED, "precision_m": 30.0}
    assert attack_coordinates(grid_table(np.array([[450_030.0, 300_060]])), declared) == []
    told = texts(attack_coordinates(grid_table(np.array([[450_040.0, 300_060]])), declared))
    assert "finer than the 30 m" in told


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"least": 3}, "declares points that hide among fewer than 8 addresses"),
        ({"achieved": {"min": 2.0}}, "declares a point with fewer than 8 addresses nearer"),
        ({"achieved": None}, "declares a point with fewer than 8 addresses nearer"),
        ({"precision_m": 0.1}, "finer than the 0.1 m that it declares"),
    ],
)
def test_declaration_that_gives_away_is_broken(change: dict[str, Any], match: str) -> None:
    frame = grid_table(np.array([[450_010.0, 300_020.0]]))
    assert attack_coordinates(frame, MASKED) == []
    assert match in texts(attack_coordinates(frame, {**MASKED, **change}))


def test_points_moved_by_a_fixed_distance_are_traced() -> None:
    # fifty metres say nothing in the country, where no other address is near
    true = homes()[4000:4100]
    moved = 10 * np.rint((true + 50) / 10)
    told = texts(attack_coordinates(grid_table(moved), MASKED, addresses=homes()))
    assert "so near to an address that they can hardly have been moved beyond 8" in told


def test_points_on_addresses_are_traced() -> None:
    there = np.rint(homes())
    told = texts(
        attack_coordinates(
            grid_table(there[:100]), {**MASKED, "precision_m": 1.0}, addresses=homes()
        )
    )
    assert "100 of 100 points stand so near to an address" in told


def test_points_far_from_every_address_are_traced() -> None:
    few = homes()[4000:4009]
    told = texts(attack_coordinates(grid_table(np.array([[450_000.0, 340_000.0]])), MASKED,
                                    addresses=few))  # fmt: skip
    assert "1 point could stand for fewer than 8 addresses" in told


def test_donut_withstands_somebody_who_knows_the_method() -> None:
    features = masked()
    xy = shapely.get_coordinates(features.points.geometry.to_numpy())
    declared = {**DECLARED, **features.declaration}
    assert attack_coordinates(grid_table(xy), declared, addresses=homes()) == []
    possible = trace_points(xy, homes(), k=(8, 80), precision=10.0)
    assert possible.min() >= 8


def test_snapped_points_withstand() -> None:
    rng = np.random.default_rng(1)
    public = rng.uniform([449_400, 299_400], [450_600, 300_600], (60, 2)).round()
    owner = np.argmin(((homes()[:, None] - public) ** 2).sum(axis=-1), axis=1)
    served = np.bincount(owner, minlength=60)
    snapped = snap_points(points(homes()[:300]), points(public, addresses=served), too_far="drop")
    xy = shapely.get_coordinates(snapped.points.geometry.to_numpy())
    declared = {**DECLARED, **snapped.declaration}
    assert attack_coordinates(grid_table(xy), declared, addresses=homes()) == []


def test_points_of_a_written_file_are_read_and_withstand(tmp_path: Path) -> None:
    features = masked()
    notes = list(DECLARED.items())
    path = write_points(features, tmp_path / "p.gpkg", notes=notes, made_on=dt.date(2026, 1, 31))
    found = points_of_geopackage(path)
    assert list(found) == ["points"]
    assert len(found["points"]) == len(features.points)
    declared = {**DECLARED, **features.declaration}
    assert attack_coordinates(as_table(found["points"]), declared, addresses=homes()) == []
    again = write_points(features, tmp_path / "q.gpkg", notes=notes, made_on=dt.date(2026, 1, 31))
    assert path.read_bytes() == again.read_bytes()


def test_points_inside_collections_are_found() -> None:
    point = {"type": "Point", "coordinates": [-1.1, 52.6, 80]}
    several = {"type": "MultiPoint", "coordinates": [[-1.2, 52.6], [-1.3, 52.6]]}
    both = {"type": "GeometryCollection", "geometries": [point, several]}
    area = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}
    given = [{"geometry": both}, {"geometry": area}, {"geometry": None}]
    found = points_of_features(given)
    assert found.tolist() == [[-1.1, 52.6], [-1.2, 52.6], [-1.3, 52.6]]
    assert as_table(found).columns.tolist() == ["longitude", "latitude"]


def test_points_in_a_geometry_column_are_found() -> None:
    frame = points(np.array([[450_000.5, 300_000.0]]))
    assert "holds the coordinates of 1 place" in texts(attack_coordinates(frame, None))


def test_nothing_is_tried_where_a_record_may_leave() -> None:
    frame = grid_table(np.array([[450_000.5, 300_000.0]]))
    assert attack_coordinates(frame, {"policy": "internal"}) == []

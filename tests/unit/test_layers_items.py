"""Surfaces and masked points of a release, written and attacked."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely

from placeshaping._core.errors import DisclosureError, InputError, OutputError
from placeshaping.disclosure.points import Features, donut
from placeshaping.disclosure.release import Release, release
from placeshaping.disclosure.secret import Secret
from placeshaping.disclosure.surfaces import Raster, surface_from_counts
from placeshaping.hotspots.study import Study
from placeshaping.layers.features import write_features, write_points
from placeshaping.layers.items import check_suffix, item_of
from placeshaping.layers.notes import notes_of
from placeshaping.layers.rasters import write_classes, write_raster
from placeshaping.verify.files import verify_file

MakeStudy = Callable[..., Study]
DAY = dt.date(2026, 1, 31)


@pytest.fixture(scope="module")
def made(make_study: MakeStudy) -> Release:
    return release(make_study(mean=1.0), policy="public", title="Crime in Marsh", made_on=DAY)


@pytest.fixture(scope="module")
def raster(made: Release) -> Raster:
    table = made.tables[made.levels[0]]
    view = table.view(period=made.periods[0].label, category=made.categories[0].label)
    areas = table.areas.assign(count=view["count"].astype(float).reindex(table.areas.index))
    return surface_from_counts(areas, policy="public", cell=250, bandwidth=500, years=2)


@pytest.fixture(scope="module")
def features() -> Features:
    rng = np.random.default_rng(1)
    homes = rng.uniform(0, 8000, (3000, 2))
    events = gpd.GeoDataFrame(
        {"category": "Arson"}, geometry=shapely.points(homes[:120]), crs=27700, index=range(120)
    )
    known = gpd.GeoDataFrame(geometry=shapely.points(homes), crs=27700)
    secret = Secret(bytes(range(32)))
    return donut(events, known, secret=secret, failed="drop", columns=["category"])


def found(path: Path) -> str:
    return "\n".join(f"{b.where}: {b.what} [{b.proof}]" for b in verify_file(path).breaches)


def points_file(made: Release, features: Features, path: Path, **changes: Any) -> Path:
    notes = [(key, changes.get(key, value)) for key, value in notes_of(made)]
    return write_points(features, path, notes=notes, made_on=DAY)


def test_surface_of_a_release_withstands(made: Release, raster: Raster, tmp_path: Path) -> None:
    path = write_classes(
        raster, tmp_path / "density.tif", declaration=made.declaration,
        about=" ".join([*made.statement, *raster.statement]),
    )  # fmt: skip
    verdict = verify_file(path)
    assert verdict.breaches == ()
    assert verdict.kind == "geotiff"
    assert verdict.declared_policy == verdict.judged_policy == "public"


def test_masked_points_of_a_release_withstand(
    made: Release, features: Features, tmp_path: Path
) -> None:
    path = points_file(made, features, tmp_path / "points.gpkg")
    assert found(path) == ""
    layer = gpd.read_file(path, layer="points")
    assert layer.crs.to_epsg() == 27700
    assert layer["category"].unique().tolist() == ["Arson"]
    assert [name for name, _ in pyogrio.list_layers(path)] == ["points", "placeshaping"]


def test_points_without_a_declaration_are_broken(
    made: Release, features: Features, tmp_path: Path
) -> None:
    path = points_file(made, features, tmp_path / "points.gpkg")
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("DELETE FROM placeshaping WHERE key = 'item'")
    told = found(path)
    assert "holds points or lines, which are finer than any area" in told
    assert "which the file does not declare as masked" in told


def test_points_finer_than_declared_are_broken(
    made: Release, features: Features, tmp_path: Path
) -> None:
    path = points_file(made, features, tmp_path / "points.gpkg")
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE placeshaping SET value = '100' WHERE key = 'precision_m'")
    assert "finer than the 100 m that it declares" in found(path)


def test_further_fields_of_points_are_broken(
    made: Release, features: Features, tmp_path: Path
) -> None:
    path = points_file(made, features, tmp_path / "points.gpkg")
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("ALTER TABLE points ADD COLUMN victim TEXT")
    assert "1 field is not on the list of those that may leave [victim]" in found(path)


def test_writers_take_a_release_and_no_other_name(made: Release, tmp_path: Path) -> None:
    with pytest.raises(DisclosureError, match="write_raster takes a Release, not a dict"):
        write_raster(cast("Release", {}), tmp_path / "d.tif")
    with pytest.raises(OutputError, match=r"d\.png: .* Name it d\.tif"):
        write_raster(made, tmp_path / "d.png")
    with pytest.raises(OutputError, match=r"p\.shp: .* Name it p\.gpkg"):
        write_features(made, tmp_path / "p.shp")
    with pytest.raises(InputError, match="The release carries no Raster"):
        write_raster(made, tmp_path / "d.tif")
    with pytest.raises(InputError, match="The release carries no Features"):
        write_features(made, tmp_path / "p.gpkg")
    assert list(tmp_path.iterdir()) == []
    assert check_suffix("A.TIF", (".tif", ".tiff")).name == "A.TIF"


def test_item_is_the_only_one_or_the_one_named(raster: Raster, features: Features) -> None:
    carrying = cast("Release", SimpleNamespace(items={"a": raster, "p": features}))
    assert item_of(carrying, None, Raster) is raster
    assert item_of(carrying, "p", Features) is features
    with pytest.raises(InputError, match="The release carries no Raster 'p'; it has a"):
        item_of(carrying, "p", Raster)
    two = cast("Release", SimpleNamespace(items={"a": raster, "b": raster}))
    with pytest.raises(InputError, match=r"carries several \(a, b\)"):
        item_of(two, None, Raster)


def test_what_is_in_the_way_stays(raster: Raster, made: Release, tmp_path: Path) -> None:
    (tmp_path / "d.tif").mkdir()
    with pytest.raises(OutputError, match=r"d\.tif could not be written"):
        write_classes(raster, tmp_path / "d.tif", declaration=made.declaration)
    assert (tmp_path / "d.tif").is_dir()


def test_points_are_traced_by_a_file_of_addresses(
    made: Release, features: Features, tmp_path: Path
) -> None:
    path = points_file(made, features, tmp_path / "points.gpkg")
    rng = np.random.default_rng(1)
    homes = pd.DataFrame(rng.uniform(0, 8000, (3000, 2)), columns=["easting", "northing"])
    homes.to_csv(tmp_path / "homes.csv", index=False)
    assert verify_file(path, population=tmp_path / "homes.csv").passed
    homes.iloc[:9].to_csv(tmp_path / "few.csv", index=False)
    told = str(verify_file(path, population=tmp_path / "few.csv").breaches)
    assert "could stand for fewer than 8 addresses" in told

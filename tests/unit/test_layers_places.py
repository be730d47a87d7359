"""Public places as a layer: in every format, with a style, and no hole for records to leave by."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import geopandas as gpd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely

from placeshaping._core.errors import InputError
from placeshaping.disclosure.public_places import PublicPlaces, public_places
from placeshaping.disclosure.release import Release, release
from placeshaping.hotspots.study import Study
from placeshaping.layers.geopackage import write_layers
from placeshaping.layers.geoparquet import write_rows
from placeshaping.layers.places import places_of, write_places
from placeshaping.project.exports import former_exports, write_export
from placeshaping.verify.files import verify_file

LIST = "https://example.org/libraries"
NOT_DECLARED = "holds points that are not the public places that the file declares"
FORMATS = ["places.geojson", "places.parquet", "places.kml"]


def kind(title: str, names: list[str], at: float) -> PublicPlaces:
    points = [shapely.Point(1_000 * k + at, 1_500.4) for k in range(len(names))]
    frame = gpd.GeoDataFrame({"name": names, "visits": 3}, geometry=points, crs=27700)
    return public_places(frame, title=title, published_at=LIST)


@pytest.fixture(scope="module")
def made(make_study: Callable[..., Study]) -> Release:
    return release(
        make_study(mean=8.0),
        policy="councillor",
        title="Crime in Marsh",
        made_on=dt.date(2026, 1, 31),
        places=[
            kind("Libraries", ["Harbour & Mill", "Mill Road"], 400_500.3),
            kind("General practices", ["The Surgery"], 402_250.6),
        ],
    )


@pytest.fixture(scope="module")
def without(make_study: Callable[..., Study]) -> Release:
    study = make_study(mean=8.0)
    return release(study, policy="councillor", title="T", made_on=dt.date(2026, 1, 31))


@pytest.fixture
def layers(made: Release, tmp_path: Path) -> Path:
    return write_layers(made, tmp_path / "layers.gpkg")


def whats(path: Path) -> list[str]:
    return [breach.what for breach in verify_file(path).breaches]


def test_places_stand_to_the_metre_with_their_kind_and_source(made: Release) -> None:
    found = places_of(made)
    assert found["name"].tolist() == ["Harbour & Mill", "Mill Road", "The Surgery"]
    assert found["kind"].tolist() == ["Libraries", "Libraries", "General practices"]
    assert set(found["published_at"]) == {LIST}
    assert shapely.get_coordinates(found.geometry)[0].tolist() == [400_500, 1_500]


def test_the_geopackage_holds_them_with_a_style_and_passes(made: Release, layers: Path) -> None:
    found = pyogrio.read_dataframe(layers, layer="places")
    assert found.columns.tolist() == ["name", "kind", "published_at", "geometry"]
    assert found.geometry.geom_equals(places_of(made).geometry).all()
    query = "SELECT styleQML, useAsDefault FROM layer_styles WHERE f_table_name = 'places'"
    with closing(sqlite3.connect(layers)) as database:
        ((style, default),) = database.execute(query).fetchall()
    assert default
    assert 'value="Libraries"' in style
    assert 'v="diamond"' in style
    assert whats(layers) == []


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_holds_them_and_passes(made: Release, tmp_path: Path, name: str) -> None:
    path = write_places(made, tmp_path / name)
    layer = {"layer": "Libraries"} if name.endswith("kml") else {}
    found = gpd.read_parquet(path) if name.endswith("parquet") else gpd.read_file(path, **layer)
    assert found["kind"].tolist() == places_of(made)["kind"].tolist()[: len(found)]
    near = found.to_crs(27700).geometry.distance(places_of(made).geometry[: len(found)])
    assert near.max() < 0.2
    assert whats(path) == []
    again = write_places(made, tmp_path / f"again-{name}")
    assert again.read_bytes() == path.read_bytes()


def test_a_release_without_places_has_no_such_layer(without: Release, tmp_path: Path) -> None:
    assert not places_of(without).size
    assert "places" not in [
        name for name, _ in pyogrio.list_layers(write_layers(without, tmp_path / "l.gpkg"))
    ]
    with pytest.raises(InputError, match="shows no public places"):
        write_places(without, tmp_path / "places.kml")
    names = [path.name for path in write_export("kml", without, tmp_path)]
    assert names == ["areas.kml"]


def test_exports_write_them_beside_the_levels(made: Release, tmp_path: Path) -> None:
    for form, name in (("geojson", "places.geojson"), ("kml", "places.kml")):
        assert write_export(form, made, tmp_path)[-1].name == name
    said = {"outputs": [{"name": "places.geojson"}]}
    (tmp_path / "manifest.json").write_text(json.dumps(said))
    assert former_exports(tmp_path) == ["places.geojson"]


# ---- records that would leave among places ----


def alter(path: Path, *statements: tuple[str, Any]) -> Path:
    with closing(sqlite3.connect(path)) as database:
        database.execute("DROP TRIGGER IF EXISTS rtree_places_geom_insert")
        for name in ("update1", "update2", "update3", "update4", "update5", "update6", "update7"):
            database.execute(f"DROP TRIGGER IF EXISTS rtree_places_geom_{name}")
        for statement, values in statements:
            database.execute(statement, values)
        database.commit()
        database.execute("VACUUM")
    return path


def blob(x: float, y: float) -> bytes:
    return b"GP\0\1" + (27700).to_bytes(4, "little") + shapely.to_wkb(shapely.Point(x, y))


INSERT = "INSERT INTO places (name, kind, published_at, geom) VALUES (?, ?, ?, ?)"
MOVE = "UPDATE places SET geom = ? WHERE name = 'Mill Road'"


@pytest.mark.parametrize(
    ("statement", "values", "expected"),
    [
        (INSERT, ("Burglary at night", "Libraries", LIST, blob(400_123, 1_456)), NOT_DECLARED),
        (MOVE, (blob(400_123, 1_456),), NOT_DECLARED),
        (MOVE, (blob(401_500.25, 1_500),), "holds places that are finer than a metre"),
        ("UPDATE places SET name = 'Burglary' WHERE fid = 1", (), NOT_DECLARED),
        ("ALTER TABLE places ADD COLUMN visits INTEGER DEFAULT 3", (), "other fields than names"),
        ("UPDATE places SET geom = NULL WHERE fid = 1", (), "has not one point for each place"),
        ("UPDATE places SET kind = 'Victims'", (), "does not say where they are published"),
        ("UPDATE places SET published_at = 'visits: 3'", (), "names other addresses"),
        ("DELETE FROM placeshaping WHERE key = 'places_sha256'", (), NOT_DECLARED),
        ("DELETE FROM placeshaping WHERE key = 'places'", (), "not declare as masked"),
    ],
)
def test_records_among_the_places_of_a_geopackage_are_refused(
    layers: Path, statement: str, values: tuple[Any, ...], expected: str
) -> None:
    assert expected in "; ".join(whats(alter(layers, (statement, values))))


def test_a_tail_behind_a_point_is_refused(layers: Path) -> None:
    tail = blob(401_500, 1_500) + b"17"
    assert "has not one point" in "; ".join(whats(alter(layers, (MOVE, (tail,)))))


def test_points_in_another_layer_are_still_refused(layers: Path) -> None:
    points = gpd.GeoDataFrame({"name": ["x"]}, geometry=[shapely.Point(4e5, 3e5)], crs=27700)
    pyogrio.write_dataframe(points, layers, layer="events", driver="GPKG", append=True)
    said = "; ".join(whats(layers))
    assert "which the file does not declare as masked" in said
    assert "is a table that is not on the list" in said


def test_a_planted_point_in_geojson_is_refused(made: Release, tmp_path: Path) -> None:
    path = write_places(made, tmp_path / "places.geojson")
    data = json.loads(path.read_text())
    planted = json.loads(json.dumps(data["features"][0]))
    planted["id"], planted["geometry"]["coordinates"] = 4, [-2.000123, 49.9]
    path.write_text(json.dumps({**data, "features": [*data["features"], planted]}))
    assert NOT_DECLARED in whats(path)
    assert any("does not declare as masked" in what for what in whats(path))


def test_a_planted_point_in_parquet_is_refused(made: Release, tmp_path: Path) -> None:
    path = write_places(made, tmp_path / "places.parquet")
    table = pq.read_table(path)
    wkb = [*table["geometry"].to_pylist()[:-1], shapely.to_wkb(shapely.Point(400_123, 1_456))]
    changed = table.set_column(
        table.schema.get_field_index("geometry"), "geometry", pa.array(wkb, type=pa.binary())
    )
    said = pq.read_metadata(path).metadata
    write_rows(changed, path, {key: said[key] for key in (b"geo", b"placeshaping")})
    assert NOT_DECLARED in whats(path)
    assert "holds points or lines, which are finer than any area" in whats(path)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("<name>Mill Road</name>", "<name>3 records</name>", "names a place otherwise"),
        ("</Point>", "</Point><description>3</description>", "tells more of a place"),
        ("Mill Road", "Burglary", NOT_DECLARED),
        ('<Data name="places">', '<Data name="plac">', "is not on the list"),
    ],
)
def test_records_among_the_places_of_a_kml_are_refused(
    made: Release, tmp_path: Path, before: str, after: str, expected: str
) -> None:
    path = write_places(made, tmp_path / "places.kml")
    text = path.read_text("utf-8")
    path.write_text(text.replace(before, after), "utf-8")
    assert before in text
    assert expected in "; ".join(whats(path))


def test_a_point_beside_the_placemarks_of_a_kml_is_refused(made: Release, tmp_path: Path) -> None:
    path = write_places(made, tmp_path / "places.kml")
    hidden = "<Folder><Point><coordinates>-2.0,49.9</coordinates></Point></Folder></Document>"
    path.write_text(path.read_text("utf-8").replace("</Document>", hidden), "utf-8")
    assert "is not on the list" in whats(path)

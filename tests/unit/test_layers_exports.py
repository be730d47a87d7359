"""GeoJSON, GeoParquet and KML of a release."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely

from placeshaping._core.errors import DisclosureError, InputError, OutputError
from placeshaping.disclosure.own_policies import make_policy
from placeshaping.disclosure.release import Release, release
from placeshaping.hotspots.study import Study
from placeshaping.layers.geojson import write_geojson
from placeshaping.layers.geoparquet import write_geoparquet
from placeshaping.layers.kml import write_kml
from placeshaping.layers.views import layer_of
from placeshaping.maps.palettes import sequential
from placeshaping.verify.files import verify_files

MakeStudy = Callable[..., Study]
DAY = dt.date(2026, 1, 31)
KML = "{http://www.opengis.net/kml/2.2}"
HOSTILE = "Marsh <script>alert(1)</script> & $[x] \x07é"
WRITERS = [(write_geojson, "a.geojson"), (write_geoparquet, "a.parquet"), (write_kml, "a.kml")]


@pytest.fixture(scope="module")
def made(make_study: MakeStudy) -> Release:
    return release(make_study(mean=1.0), policy="councillor", title="Crime in Marsh", made_on=DAY)


@pytest.fixture(scope="module")
def folder(made: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("a folder, é")
    for level in made.levels:
        write_geojson(made, folder / f"{level}.geojson", level=level)
        write_geoparquet(made, folder / f"{level}.parquet", level=level)
    write_kml(made, folder / "areas.kml")
    return folder


def same_numbers(found: pd.DataFrame, wanted: pd.DataFrame) -> None:
    for name in ("residents", "count", "rate", "lower", "upper", "rate_smoothed"):
        np.testing.assert_array_equal(
            pd.to_numeric(found[name]).to_numpy(float, na_value=np.nan),
            wanted[name].to_numpy(float, na_value=np.nan),
        )
    for name in ("area_code", "area_name", "status", "period", "category"):
        assert found[name].tolist() == wanted[name].astype(str).tolist()


def everything(made: Release, level: str) -> pd.DataFrame:
    table = made.tables[level]
    told = table.areas[["area_name", "residents"]].reindex(table.values["area_code"].astype(str))
    return table.values.reset_index(drop=True).assign(
        area_name=told["area_name"].to_numpy(), residents=told["residents"].to_numpy()
    )


@pytest.mark.parametrize("level", ["lsoa", "msoa", "district"])
def test_geojson_gives_a_view_back(made: Release, folder: Path, level: str) -> None:
    same_numbers(gpd.read_file(folder / f"{level}.geojson"), layer_of(made, level=level))


@pytest.mark.parametrize("level", ["lsoa", "msoa", "district"])
def test_geoparquet_gives_everything_back(made: Release, folder: Path, level: str) -> None:
    found = gpd.read_parquet(folder / f"{level}.parquet")
    same_numbers(found, everything(made, level))
    assert found.crs.to_epsg() == 27700
    table = made.tables[level]
    shapes = table.areas.geometry.reindex(table.values["area_code"].astype(str))
    assert (found.geometry.reset_index(drop=True) == shapes.reset_index(drop=True)).all()


def test_geojson_obeys_rfc_7946(made: Release, folder: Path) -> None:
    text = (folder / "lsoa.geojson").read_text(encoding="ascii")
    data = json.loads(text)
    assert data["type"] == "FeatureCollection"
    assert "crs" not in data
    assert "NaN" not in text
    shapes = [shapely.from_geojson(json.dumps(f["geometry"])) for f in data["features"]]
    np.testing.assert_array_equal(data["bbox"], shapely.total_bounds(shapes))
    assert all(shape.is_valid for shape in shapes)
    assert all(shapely.is_ccw(part.exterior) for s in shapes for part in shapely.get_parts(s))
    xy = shapely.get_coordinates(shapes)
    np.testing.assert_array_equal(xy, np.round(xy, 6))
    truth = made.tables["lsoa"].areas.geometry.to_crs(4326)
    assert max(a.hausdorff_distance(b) for a, b in zip(shapes, truth, strict=True)) < 1e-6
    assert [f["id"] for f in data["features"]] == [
        f["properties"]["area_code"] for f in data["features"]
    ]


def test_geojson_keeps_hidden_and_numbers_apart(made: Release, tmp_path: Path) -> None:
    path = write_geojson(made, tmp_path / "lsoa.geojson", category="Robbery")
    data = json.loads(path.read_text(encoding="ascii"))
    rows = [feature["properties"] for feature in data["features"]]
    hidden = [row for row in rows if row["status"] == "hidden"]
    assert hidden
    assert all(row[name] is None for row in hidden for name in ("count", "rate", "lower"))
    shown = [row for row in rows if row["status"] == "shown"]
    assert all(type(row["count"]) is int and type(row["rate"]) is float for row in shown)


def test_files_declare_what_they_obey(made: Release, folder: Path) -> None:
    said = json.loads((folder / "msoa.geojson").read_text(encoding="ascii"))["placeshaping"]
    assert {key: said[key] for key in ("policy", "threshold", "levels")} == {
        "policy": "councillor", "threshold": 5, "levels": ["lsoa", "msoa", "district"],
    }  # fmt: skip
    assert said["statement"] == list(made.statement)
    metadata = pq.read_schema(folder / "msoa.parquet").metadata
    assert {**said, "level": "msoa"} == json.loads(metadata[b"placeshaping"])


def test_geoparquet_stores_a_shape_once(folder: Path) -> None:
    group = pq.ParquetFile(folder / "lsoa.parquet").metadata
    assert group.num_row_groups == 1
    columns = [group.row_group(0).column(n) for n in range(group.num_columns)]
    shapes = next(column for column in columns if column.path_in_schema == "geometry")
    assert shapes.has_dictionary_page
    once = 64 * len(shapely.to_wkb(shapely.box(0, 0, 1, 1)))
    assert shapes.num_values == 64 * 12
    assert shapes.total_uncompressed_size < 2 * once


def test_geoparquet_metadata_are_those_of_version_1_1(made: Release, folder: Path) -> None:
    geo = json.loads(pq.read_schema(folder / "lsoa.parquet").metadata[b"geo"])
    assert geo["version"] == "1.1.0"
    column = geo["columns"][geo["primary_column"]]
    assert column["encoding"] == "WKB"
    assert column["geometry_types"] == ["Polygon"]
    assert column["bbox"] == made.tables["lsoa"].areas.total_bounds.tolist()


def test_kml_is_read_by_gdal_level_by_level(made: Release, folder: Path) -> None:
    path = folder / "areas.kml"
    listed = [str(name) for name, _ in pyogrio.list_layers(path)]
    assert listed == [table.label for table in made.tables.values()]
    for level, label in zip(made.levels, listed, strict=True):
        found = pyogrio.read_dataframe(path, layer=label)
        wanted = layer_of(made, level=level)
        assert found["Name"].tolist() == wanted["area_name"].tolist()
        assert shapely.is_valid(found.geometry).all()
        assert found.geometry.total_bounds == pytest.approx(
            wanted.to_crs(4326).total_bounds, abs=2e-6
        )


def test_kml_holds_the_numbers_as_typed_data(made: Release, tmp_path: Path) -> None:
    path = write_kml(made, tmp_path / "areas.kml", category="Robbery")
    root = ElementTree.parse(path).getroot()
    kinds = {
        field.get("name"): field.get("type")
        for field in root.find(f".//{KML}Schema[@name='lsoa']") or []
    }
    assert kinds["count"] == kinds["residents"] == "int"
    assert kinds["rate"] == "double"
    assert kinds["area_code"] == "string"
    places = root.findall(f".//{KML}Folder")[0].findall(f"{KML}Placemark")
    rows = [
        {str(item.get("name")): item.text for item in place.iter(f"{KML}SimpleData")}
        for place in places
    ]
    wanted = layer_of(made, level="lsoa", category="Robbery")
    same_numbers(pd.DataFrame(rows), wanted)
    hidden = [row for row in rows if row["status"] == "hidden"]
    assert hidden
    assert not any("count" in row for row in hidden)


def test_kml_colours_by_class_and_marks_what_is_hidden(made: Release, tmp_path: Path) -> None:
    path = write_kml(made, tmp_path / "areas.kml", category="Robbery")
    root = ElementTree.parse(path).getroot()
    hidden = 0
    styles = {style.get("id"): style for style in root.iter(f"{KML}Style")}
    for place in root.iter(f"{KML}Placemark"):
        name = (place.findtext(f"{KML}styleUrl") or "").removeprefix("#")
        assert name in styles
        status = next(i.text for i in place.iter(f"{KML}SimpleData") if i.get("name") == "status")
        assert (name == "hidden") == (status == "hidden")
        hidden += status == "hidden"
    assert hidden
    colour = styles["class-1-of-3"].findtext(f"{KML}PolyStyle/{KML}color") or ""
    first = sequential(3)[0]
    assert colour[2:] == first[5:7] + first[3:5] + first[1:3]
    seen = [folder.findtext(f"{KML}visibility") for folder in root.iter(f"{KML}Folder")]
    assert seen == ["1", "0", "0"]


def test_balloons_escape_what_areas_are_called(make_study: MakeStudy, tmp_path: Path) -> None:
    study = make_study(mean=6.0, names=HOSTILE)
    made = release(study, policy="councillor", title=HOSTILE, made_on=DAY)
    path = write_kml(made, tmp_path / "areas.kml")
    root = ElementTree.parse(path).getroot()
    for element in root.iter(f"{KML}description"):
        assert "<script" not in str(element.text)
        assert "$[x]" not in str(element.text)
    names = {element.text for element in root.iter(f"{KML}name")}
    assert HOSTILE.replace("\x07", "") in names
    for writer, name in WRITERS[:2]:
        writer(made, tmp_path / name)
    assert gpd.read_file(tmp_path / "a.geojson")["area_name"][0].startswith(HOSTILE)
    assert gpd.read_parquet(tmp_path / "a.parquet")["area_name"][0].startswith(HOSTILE)


@pytest.mark.parametrize(("writer", "name"), WRITERS)
def test_another_view_is_written_on_request(
    made: Release, tmp_path: Path, writer: Callable[..., Path], name: str
) -> None:
    path = writer(made, tmp_path / name, period="2025", category="Burglary")
    if name.endswith("kml"):
        text = path.read_text(encoding="utf-8")
        assert '<SimpleData name="period">2025<' in text
        assert "2024 to 2025</td>" not in text
    else:
        read = gpd.read_file if name.endswith("json") else gpd.read_parquet
        same_numbers(read(path), layer_of(made, period="2025", category="Burglary"))


@pytest.mark.parametrize(("writer", "name"), WRITERS)
def test_the_same_release_gives_the_same_bytes(
    made: Release, tmp_path: Path, writer: Callable[..., Path], name: str
) -> None:
    first = writer(made, tmp_path / name).read_bytes()
    assert writer(made, tmp_path / f"again-{name}").read_bytes() == first
    assert str(tmp_path).encode() not in first


@pytest.mark.parametrize(("writer", "name"), WRITERS)
def test_writers_take_a_release_a_view_and_a_name_of_their_kind(
    made: Release, tmp_path: Path, writer: Callable[..., Path], name: str
) -> None:
    with pytest.raises(DisclosureError, match="takes a Release, not a dict"):
        writer({}, tmp_path / name)
    with pytest.raises(OutputError, match=f"Name it a{Path(name).suffix}"):
        writer(made, tmp_path / "a.shp")
    with pytest.raises(InputError, match=r"no category 'Burglery'\. Did you mean"):
        writer(made, tmp_path / name, category="Burglery")
    with pytest.raises(InputError, match="no period '1999'"):
        writer(made, tmp_path / name, period="1999")
    assert list(tmp_path.iterdir()) == []


def test_a_level_that_there_is_not_is_refused(made: Release, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no level 'ward'; it has lsoa, msoa, district"):
        write_geojson(made, tmp_path / "a.geojson", level="ward")
    with pytest.raises(InputError, match="no level 'ward'"):
        write_geoparquet(made, tmp_path / "a.parquet", level="ward")


def test_written_files_withstand_the_attacker(folder: Path) -> None:
    verdicts = verify_files([folder])
    assert {v.kind for v in verdicts} >= {"geojson", "parquet", "kml"}
    assert [(v.file, v.judged_policy) for v in verdicts if not v.passed] == []
    assert {v.declared_policy for v in verdicts if v.kind != "together"} == {"councillor"}


OWN = {"name": "own", "base": "councillor", "threshold": 10, "rounding": 10, "dominance": 0.25}


def test_a_council_s_own_policy_is_declared_in_full(make_study: MakeStudy, tmp_path: Path) -> None:
    made = release(make_study(mean=9.0), policy=make_policy(OWN), title="2025", made_on=DAY)
    for writer, name in WRITERS:
        writer(made, tmp_path / name)
    verdicts = [v for v in verify_files([tmp_path]) if v.kind != "together"]
    assert [(v.file, v.breaches) for v in verdicts if not v.passed] == []
    assert {(v.declared_policy, v.judged_policy) for v in verdicts} == {("own", "own")}
    assert all("counts under 10, and counts not rounded to 10" in v.checks for v in verdicts)
    said = json.loads((tmp_path / "a.geojson").read_text(encoding="ascii"))["placeshaping"]
    assert {k: v for k, v in made.declaration.items() if v is not None}.items() <= said.items()


def test_kml_has_its_elements_in_the_order_of_the_standard(folder: Path) -> None:
    wanted = {
        "Document": ["name", "open", "description", "styleUrl", "Style", "ExtendedData", "Schema",
                     "Folder"],
        "Folder": ["name", "visibility", "description", "Placemark"],
        "Placemark": ["name", "visibility", "description", "styleUrl", "ExtendedData", "Polygon"],
        "PolyStyle": ["color", "fill"],
        "Style": ["LineStyle", "PolyStyle", "BalloonStyle", "ListStyle"],
    }  # fmt: skip
    root = ElementTree.parse(folder / "areas.kml").getroot()
    for tag, order in wanted.items():
        for element in root.iter(f"{KML}{tag}"):
            places = [order.index(str(child.tag).removeprefix(KML)) for child in element]
            assert places == sorted(places)


@pytest.mark.parametrize(("writer", "name"), WRITERS)
def test_a_refusal_of_the_disk_is_told(
    made: Release, tmp_path: Path, writer: Callable[..., Path], name: str
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match=f"{name} could not be written"):
        writer(made, tmp_path / "file" / name)


@pytest.mark.parametrize("policy", ["public", "police", "internal"])
def test_files_of_other_policies_say_so_and_withstand(
    make_study: MakeStudy, tmp_path: Path, policy: str
) -> None:
    made = release(
        make_study(mean=9.0), policy=policy, title="T", made_on=DAY, purpose="patrols",
        expires=dt.date(2026, 2, 28) if policy == "police" else None,
    )  # fmt: skip
    for writer, name in WRITERS:
        writer(made, tmp_path / name)
    verdicts = verify_files([tmp_path], policy="internal" if policy == "internal" else None)
    assert [(v.file, v.breaches) for v in verdicts if not v.passed] == []
    assert {v.declared_policy for v in verdicts if v.kind != "together"} == {policy}

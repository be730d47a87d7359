"""Reading outlines of areas in every format, mended and refused."""

from __future__ import annotations

import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box

from placeshaping._core.errors import (
    ColumnError,
    CRSError,
    DuplicateError,
    EmptyError,
    FileFormatError,
    GeometryError,
    InputError,
    MissingFileError,
    VintageError,
)
from placeshaping.areas.boundaries import read_boundaries, repair_areas
from placeshaping.areas.boundary_files import open_boundaries
from placeshaping.sources.code_columns import find_code_columns

CODES = ["E01000003", "E01000001", "E01000002"]
X, Y = 450_000, 300_000


def squares(codes=CODES, *, column="LSOA21CD", name="LSOA21NM", crs=27700):
    shapes = [box(X + 1000 * i, Y, X + 1000 * (i + 1), Y + 1000) for i in range(len(codes))]
    columns = {column: codes, name: [f"Place {str(code)[-1]}" for code in codes]}
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=27700).to_crs(crs)


WRITERS = {
    "areas.gpkg": lambda t, p: t.to_file(p),
    "areas.geojson": lambda t, p: t.to_crs(4326).to_file(p),
    "areas.shp": lambda t, p: t.to_file(p),
    "areas.parquet": lambda t, p: t.to_parquet(p),
    "areas.fgb": lambda t, p: t.to_file(p, driver="FlatGeobuf"),
    "areas.kml": lambda t, p: (
        t.rename(columns={"LSOA21CD": "Name", "LSOA21NM": "Description"})
        .to_crs(4326)
        .to_file(p, driver="KML")
    ),
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_the_same_areas(tmp_path, name):
    folder = tmp_path / "Cartes d'été"
    folder.mkdir()
    WRITERS[name](squares(), folder / name)
    areas = read_boundaries(folder / name)
    assert list(areas.index) == CODES or name.endswith(".fgb")
    assert set(areas.index) == set(CODES)
    assert areas.index.name == "area_code"
    assert areas.crs.to_epsg() == 27700
    assert areas.attrs["level"] == "lsoa"
    np.testing.assert_allclose(areas.area, 1e6, rtol=1e-3)
    np.testing.assert_allclose(areas.loc["E01000001"].geometry.centroid.x, X + 1500, atol=1)


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_is_read_from_a_zip(tmp_path, name):
    WRITERS[name](squares(), tmp_path / name)
    archive = tmp_path / "zipped areas.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        for part in tmp_path.glob("areas.*"):
            zipped.write(part, f"Some folder/{part.name}")
    assert set(read_boundaries(archive).index) == set(CODES)


def test_a_folder_with_one_shapefile_is_read(tmp_path):
    squares().to_file(tmp_path / "leicester.shp")
    assert list(read_boundaries(tmp_path).index) == CODES


def test_rows_keep_the_order_of_the_file_and_their_names(tmp_path):
    squares().to_file(tmp_path / "a.gpkg")
    areas = read_boundaries(tmp_path / "a.gpkg")
    assert areas["area_name"].tolist() == ["Place 3", "Place 1", "Place 2"]


@pytest.mark.parametrize("name", ["areas.gpkg", "areas.parquet", "areas.shp", "areas.geojson"])
def test_only_the_codes_asked_for_are_read(tmp_path, name):
    WRITERS[name](squares(), tmp_path / name)
    areas = read_boundaries(tmp_path / name, codes=["E01000002", "E01000003", "E01999999"])
    assert list(areas.index) == ["E01000003", "E01000002"]
    assert areas.attrs["report"].not_found == ("E01999999",)
    with pytest.raises(EmptyError, match="none of the 1 areas asked for"):
        read_boundaries(tmp_path / name, codes=["E02000001"])


@pytest.mark.parametrize("name", ["areas.gpkg", "areas.parquet", "areas.geojson"])
@pytest.mark.parametrize(
    "held", [[3, 1, 2], [3.0, 1.0, 2.0], ["3 ", " 1", "2"]], ids=["whole", "decimal", "padded"]
)
def test_codes_asked_for_are_found_however_the_file_holds_them(tmp_path, name, held):
    WRITERS[name](
        squares(held, column="beat", name="called").drop(columns="called"), tmp_path / name
    )
    areas = read_boundaries(tmp_path / name, code="beat", codes=["1", "3"])
    assert list(areas.index) == ["3", "1"]
    assert list(read_boundaries(tmp_path / name, code="beat", codes=[2]).index) == ["2"]
    assert list(read_boundaries(tmp_path / name, code="beat", codes="2").index) == ["2"]
    with pytest.raises(EmptyError, match="none of the 1 areas asked for"):
        read_boundaries(tmp_path / name, code="beat", codes=["9"])


@pytest.mark.parametrize("name", ["areas.gpkg", "areas.parquet"])
def test_heights_are_left_aside(tmp_path, name):
    table = squares()
    WRITERS[name](table.set_geometry(shapely.force_3d(table.geometry, 7.0)), tmp_path / name)
    assert not read_boundaries(tmp_path / name).has_z.any()


def test_options_that_cannot_be_meant_are_refused(tmp_path):
    squares().to_file(tmp_path / "a.gpkg")
    with pytest.raises(InputError, match="duplicates is 'drop'"):
        read_boundaries(tmp_path / "a.gpkg", duplicates="drop")
    with pytest.raises(InputError, match=r"bbox is \(5, 3, 4, 2\)"):
        read_boundaries(tmp_path / "a.gpkg", bbox=(5, 3, 4, 2))
    with pytest.raises(EmptyError, match="codes is empty"):
        read_boundaries(tmp_path / "a.gpkg", codes=[])
    with pytest.raises(CRSError, match="crs is 'EPSG:99999999'"):
        read_boundaries(tmp_path / "a.gpkg", crs="EPSG:99999999")


@pytest.mark.parametrize("crs", [27700, 4326])
def test_only_the_extent_asked_for_is_kept(tmp_path, crs):
    squares(crs=crs).to_file(tmp_path / "a.gpkg")
    bbox = (X + 1200, Y + 200, X + 1800, Y + 800)
    assert list(read_boundaries(tmp_path / "a.gpkg", bbox=bbox).index) == ["E01000001"]
    with pytest.raises(EmptyError, match="no area within"):
        read_boundaries(tmp_path / "a.gpkg", bbox=(1000, 1000, 2000, 2000))


def test_invalid_outlines_are_repaired_and_told(tmp_path):
    table = squares()
    bow = Polygon([(X, Y), (X + 1000, Y + 1000), (X + 1000, Y), (X, Y + 1000)])
    spike = Polygon([(X, Y), (X + 500, Y), (X + 500, Y + 500), (X, Y + 500), (X, Y + 900), (X, Y)])
    table.geometry = [bow, spike, table.geometry.iloc[2]]
    table.to_file(tmp_path / "a.gpkg")
    areas = read_boundaries(tmp_path / "a.gpkg")
    assert areas.attrs["report"].repaired == ("E01000003", "E01000001")
    assert areas.is_valid.all()
    assert set(areas.geom_type) <= {"Polygon", "MultiPolygon"}
    np.testing.assert_allclose(areas.area, [5e5, 2.5e5, 1e6])


def test_empty_outlines_and_rows_without_code_are_dropped_and_told(tmp_path):
    table = squares([*CODES, "E01000004"])
    table.loc[0, "geometry"] = Polygon()
    table.loc[1, "geometry"] = None
    table.loc[2, "LSOA21CD"] = None
    table.to_parquet(tmp_path / "a.parquet")
    report = read_boundaries(tmp_path / "a.parquet").attrs["report"]
    assert report.dropped_empty == ("E01000003", "E01000001")
    assert report.without_code == 1
    assert report.kept == 1


def test_duplicates_are_refused_unless_told_otherwise(tmp_path):
    path = tmp_path / "a.gpkg"
    squares(["E01000001", "E01000002", "E01000001"]).to_file(path)
    with pytest.raises(DuplicateError, match=r"1 area codes stand more than once \(E01000001\)"):
        read_boundaries(path)
    first = read_boundaries(path, duplicates="first")
    dissolved = read_boundaries(path, duplicates="dissolve")
    assert list(first.index) == list(dissolved.index) == ["E01000001", "E01000002"]
    np.testing.assert_allclose(first.area, [1e6, 1e6])
    np.testing.assert_allclose(dissolved.area, [2e6, 1e6])
    assert dissolved.attrs["report"].duplicated == ("E01000001",)


def test_metres_that_say_degrees_are_refused_until_the_system_is_named(tmp_path):
    path = tmp_path / "a.geojson"
    squares().set_crs(4326, allow_override=True).to_file(path)
    with pytest.raises(CRSError, match=r"those are metres\. Give crs=.*\(areas\.crs in a"):
        read_boundaries(path)
    assert read_boundaries(path, crs=27700).area.iloc[0] == pytest.approx(1e6)


def test_degrees_that_say_metres_are_refused_until_the_system_is_named(tmp_path):
    path = tmp_path / "a.gpkg"
    squares(crs=4326).set_crs(27700, allow_override=True).to_file(path)
    with pytest.raises(CRSError, match=r"says EPSG:27700 .* those are degrees"):
        read_boundaries(path)
    assert read_boundaries(path, crs="EPSG:4326").area.iloc[0] == pytest.approx(1e6, rel=1e-3)


def test_a_shapefile_without_prj_is_refused(tmp_path):
    squares().to_file(tmp_path / "a.shp")
    (tmp_path / "a.prj").unlink()
    with pytest.raises(CRSError, match=r"states no coordinate reference system.*EPSG:27700"):
        read_boundaries(tmp_path / "a.shp")


def test_exchanged_axes_are_refused(tmp_path):
    table = squares(crs=4326)
    table.geometry = shapely.transform(table.geometry.to_numpy(), lambda xy: xy[:, ::-1])
    table.to_file(tmp_path / "a.geojson")
    with pytest.raises(CRSError, match="exchanged"):
        read_boundaries(tmp_path / "a.geojson")


@pytest.mark.parametrize("shape", [Point(X, Y), LineString([(X, Y), (X + 1, Y)])])
@pytest.mark.parametrize("suffix", ["gpkg", "parquet"])
def test_points_and_lines_are_no_areas(tmp_path, shape, suffix):
    table = gpd.GeoDataFrame({"area_code": ["a"]}, geometry=[shape], crs=27700)
    path = tmp_path / f"a.{suffix}"
    table.to_parquet(path) if suffix == "parquet" else table.to_file(path)
    with pytest.raises(GeometryError, match="Give polygons"):
        read_boundaries(path)


def test_a_councils_own_areas_are_named(tmp_path):
    table = squares(["7", "8", "9"], column="beat", name="title")
    table["beat"] = [7.0, 8.0, 9.0]
    table.to_file(tmp_path / "beats.gpkg")
    areas = read_boundaries(tmp_path / "beats.gpkg", code="beat", name="title")
    assert list(areas.index) == ["7", "8", "9"]
    assert (areas.attrs["level"], areas.attrs["vintage"]) == ("area", None)


def test_unknown_columns_are_refused_with_near_names(tmp_path):
    squares(column="beat").to_file(tmp_path / "beats.gpkg")
    with pytest.raises(ColumnError, match=r"looks like an area code .*Name it with code="):
        read_boundaries(tmp_path / "beats.gpkg")
    with pytest.raises(ColumnError, match="Did you mean beat"):
        read_boundaries(tmp_path / "beats.gpkg", code="beats")


@pytest.mark.parametrize(
    ("columns", "code", "level", "vintage"),
    [
        (["LSOA11CD", "LSOA11NM"], "LSOA11CD", "lsoa", "2011"),
        (["lsoa21cd"], "lsoa21cd", "lsoa", "2021"),
        (["MSOA21NM", "MSOA21CD", "LAD22CD"], "MSOA21CD", "msoa", "2021"),
        (["OA21CD", "LSOA21CD"], "OA21CD", "oa", "2021"),
        (["WD24CD", "WD24NM"], "WD24CD", "ward", None),
        (["PFA23CD"], "PFA23CD", "police_force", None),
        (["oa_code", "grpcode"], "oa_code", "oa", None),
        (["area_name", "area_code"], "area_code", None, None),
        (["geography_code"], "geography_code", None, None),
        (["LSOA code (2011)", "LSOA name (2011)"], "LSOA code (2011)", "lsoa", "2011"),
    ],
)
def test_official_columns_are_recognised(columns, code, level, vintage):
    found = find_code_columns(columns, where="x")
    assert (found.code, found.level, found.vintage) == (code, level, vintage)


def test_vintage_comes_from_the_column_or_from_the_codes(tmp_path):
    squares(column="code", name="name").to_file(tmp_path / "a.gpkg")
    assert read_boundaries(tmp_path / "a.gpkg").attrs["vintage"] is None
    squares(["E01034000", "E01000001"], column="code").to_file(tmp_path / "b.gpkg")
    assert read_boundaries(tmp_path / "b.gpkg").attrs["vintage"] == "2021"
    squares(column="LSOA11CD").to_file(tmp_path / "c.gpkg")
    assert read_boundaries(tmp_path / "c.gpkg").attrs["vintage"] == "2011"
    squares(["E01034000"], column="LSOA11CD").to_file(tmp_path / "d.gpkg")
    with pytest.raises(VintageError, match="says 2011, but 1 codes were made for 2021"):
        read_boundaries(tmp_path / "d.gpkg")


def test_layers_are_chosen_by_name(tmp_path):
    path = tmp_path / "two.gpkg"
    squares().to_file(path, layer="lsoa")
    squares(["E02000001"], column="MSOA21CD").to_file(path, layer="msoa")
    with pytest.raises(FileFormatError, match=r"2 layers of areas \(lsoa, msoa\)"):
        read_boundaries(path)
    assert list(read_boundaries(path, layer="msoa").index) == ["E02000001"]
    with pytest.raises(FileFormatError, match="Did you mean msoa"):
        read_boundaries(path, layer="msoas")


def test_a_layer_of_points_beside_the_areas_is_passed_over(tmp_path):
    path = tmp_path / "two.gpkg"
    squares().to_file(path, layer="lsoa")
    points = gpd.GeoDataFrame({"a": [1]}, geometry=[Point(X, Y)], crs=27700)
    points.to_file(path, layer="places")
    assert open_boundaries(path).layer == "lsoa"


@pytest.mark.parametrize("name", ["a.gpkg", "a.geojson", "a.parquet", "a.shp", "a.zip"])
@pytest.mark.parametrize("content", [b"", b"nonsense" * 50])
def test_damaged_files_are_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileFormatError, match=name.replace(".", r"\.")):
        read_boundaries(tmp_path / name)


@pytest.mark.parametrize("name", ["areas.gpkg", "areas.parquet", "areas.geojson"])
def test_truncated_files_are_refused(tmp_path, name):
    codes = [f"E01{i:06d}" for i in range(1, 400)]
    WRITERS[name](squares(codes), tmp_path / name)
    raw = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(raw[: len(raw) // 2])
    with pytest.raises(FileFormatError, match=r"areas\."):
        read_boundaries(tmp_path / name)


def test_other_kinds_of_file_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text("LSOA21CD\nE01000001\n")
    with pytest.raises(FileFormatError, match="A table has no outlines"):
        read_boundaries(tmp_path / "a.csv")
    with pytest.raises(MissingFileError, match="no such file"):
        read_boundaries(tmp_path / "b.gpkg")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileFormatError, match="holds no file of areas"):
        read_boundaries(tmp_path / "empty")


def test_the_input_file_is_not_touched(tmp_path):
    path: Path = tmp_path / "a.geojson"
    squares(crs=4326).to_file(path)
    before = path.read_bytes()
    read_boundaries(path)
    assert path.read_bytes() == before


def test_repair_leaves_a_neighbour_that_lies_inside_alone() -> None:
    """An outline with a shell inside its shell means a hole, as in six LSOAs of 2021."""
    nested = MultiPolygon([box(0, 0, 10, 10), box(3, 3, 6, 6)])
    areas = gpd.GeoDataFrame(
        {"area_name": ["outer", "inner"]},
        geometry=[nested, box(3, 3, 6, 6)],
        index=pd.Index(["E01000001", "E01000002"], name="area_code"),
        crs=27700,
    )
    repaired, codes, _ = repair_areas(areas, where="areas")
    outer, inner = repaired.geometry
    assert list(codes) == ["E01000001"]
    assert outer.area == 91
    assert outer.intersection(inner).area == 0

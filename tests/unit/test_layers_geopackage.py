"""The GeoPackage that goes with a map."""

from __future__ import annotations

import datetime as dt
import json
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from xml.etree import ElementTree

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest

from placeshaping._core.errors import DisclosureError, OutputError
from placeshaping.disclosure.release import Release, release
from placeshaping.hotspots.study import Study
from placeshaping.layers.geopackage import write_layers
from placeshaping.maps.classes import assign_class, class_edges

MakeStudy = Callable[..., Study]
DAY = dt.date(2026, 1, 31)


@pytest.fixture(scope="module")
def made(make_study: MakeStudy) -> Release:
    return release(make_study(mean=1.0), policy="councillor", title="Crime in Marsh", made_on=DAY)


@pytest.fixture(scope="module")
def layers(made: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_layers(made, tmp_path_factory.mktemp("a folder, é") / "layers.gpkg")


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(query).fetchall()


def test_layers_stand_finest_first_in_metres(made: Release, layers: Path) -> None:
    listed = pyogrio.list_layers(layers)
    spatial = [name for name, kind in listed if kind is not None]
    assert spatial == list(made.levels) == ["lsoa", "msoa", "district"]
    for level in spatial:
        assert pyogrio.read_info(layers, layer=level)["crs"] == "EPSG:27700"


def test_layer_holds_the_view_that_opens_first(made: Release, layers: Path) -> None:
    layer = gpd.read_file(layers, layer="lsoa").set_index("area_code")
    table = made.tables["lsoa"]
    view = table.view(period=made.periods[0].label, category=made.categories[0].label)
    assert layer.index.tolist() == table.areas.index.tolist()
    assert layer.geometry.geom_equals(table.areas.geometry.set_axis(layer.index)).all()
    for column in ("count", "rate", "lower", "upper", "rate_smoothed"):
        np.testing.assert_array_equal(
            layer[column].to_numpy(float, na_value=np.nan),
            view[column].to_numpy(float, na_value=np.nan),
        )
    assert layer["parent_code"].tolist() == table.areas["parent_code"].tolist()


def test_values_keep_hidden_and_zero_apart(made: Release, layers: Path) -> None:
    table = gpd.read_file(layers, layer="lsoa_values")
    values = made.tables["lsoa"].values
    assert table["status"].tolist() == values["status"].tolist()
    hidden = table["status"] == "hidden"
    zero = (values["count"] == 0).fillna(False).to_numpy()
    assert hidden.any()
    assert zero.any()
    assert table.loc[hidden, "count"].isna().all()
    assert (table.loc[zero, "count"] == 0).all()
    assert table["area_code"].tolist() == values["area_code"].astype(str).tolist()


def test_deprivation_has_its_own_tables(made: Release, layers: Path) -> None:
    assert made.deprivation is not None
    table = gpd.read_file(layers, layer="deprivation")
    assert len(table) == len(made.deprivation.values)
    slopes = gpd.read_file(layers, layer="inequality")
    assert slopes["slope"].tolist() == made.deprivation.slopes["slope"].tolist()


def test_file_says_what_it_obeys(made: Release, layers: Path) -> None:
    notes = dict(rows(layers, "SELECT key, value FROM placeshaping"))
    assert notes["policy"] == "councillor"
    assert notes["threshold"] == "5"
    assert json.loads(str(notes["levels"])) == list(made.levels)
    assert json.loads(str(notes["periods"]))[0]["months"] == 24


def graduated(path: Path, level: str) -> tuple[list[tuple[float, float, str]], str]:
    query = f"SELECT styleQML FROM layer_styles WHERE f_table_name = '{level}' AND useAsDefault"
    ((qml,),) = rows(path, query)
    renderer = ElementTree.fromstring(str(qml)).find("renderer-v2")
    assert renderer is not None
    assert renderer.get("type") == "graduatedSymbol"
    names = {symbol.get("name") for symbol in renderer.iterfind("symbols/symbol")}
    ranges = renderer.findall("ranges/range")
    assert {r.get("symbol") for r in ranges} == names
    return [
        (float(r.get("lower", "")), float(r.get("upper", "")), r.get("symbol", "")) for r in ranges
    ], str(renderer.get("attr"))


def test_default_style_puts_every_area_in_the_class_of_the_map(made: Release, layers: Path) -> None:
    for level in made.levels:
        ranges, expression = graduated(layers, level)
        values = pd.Series([v for (v,) in rows(layers, f"SELECT {expression} FROM {level}")])
        table = made.tables[level]
        view = table.view(period=made.periods[0].label, category=made.categories[0].label)
        rate = view["rate"].to_numpy(float, na_value=np.nan)
        classes = assign_class(rate, class_edges(rate[~np.isnan(rate)]))
        for value, expected, status in zip(values, classes, view["status"], strict=True):
            found = next(symbol for low, high, symbol in ranges if low <= value <= high)
            number = len(ranges) - 2 if status == "hidden" else int(expected)
            assert found == str(number)


def test_a_rate_on_an_edge_is_of_the_class_above(layers: Path) -> None:
    ranges, _ = graduated(layers, "lsoa")
    low, _, symbol = ranges[0]
    found = next(s for lower, upper, s in ranges if lower <= low <= upper)
    assert found == symbol


def test_hidden_areas_are_hatched_and_hot_spots_have_a_style(layers: Path) -> None:
    styles = rows(layers, "SELECT styleName, useAsDefault, styleQML, f_geometry_column "
                          "FROM layer_styles WHERE f_table_name = 'lsoa' ORDER BY id")  # fmt: skip
    assert [(name, default) for name, default, *_ in styles] == [("Rate", 1), ("Hot spots", 0)]
    assert "LinePatternFill" in str(styles[0][2])
    hot = ElementTree.fromstring(str(styles[1][2])).find("renderer-v2")
    assert hot is not None
    assert hot.get("type") == "categorizedSymbol"
    values = {category.get("value") for category in hot.iterfind("categories/category")}
    assert {"hot_99", "hot_95", "none", "cold_95", "cold_99"} <= values
    assert {geometry for *_, geometry in styles} == {"geom"}


def test_same_release_gives_the_same_bytes(made: Release, layers: Path, tmp_path: Path) -> None:
    again = write_layers(made, tmp_path / "again.gpkg")
    assert again.read_bytes() == layers.read_bytes()
    assert [p.name for p in tmp_path.iterdir()] == ["again.gpkg"]


def test_dates_in_the_file_are_those_of_the_release(layers: Path) -> None:
    dates = {str(date)[:10] for (date,) in rows(layers, "SELECT last_change FROM gpkg_contents")}
    assert dates == {"2026-01-31"}
    assert rows(layers, "PRAGMA integrity_check") == [("ok",)]


def test_scores_leave_only_where_numbers_may(make_study: MakeStudy, tmp_path: Path) -> None:
    study = make_study()
    for policy, expected in (("councillor", False), ("internal", True)):
        made = release(study, policy=policy, title="x", made_on=DAY)
        path = write_layers(made, tmp_path / f"{policy}.gpkg")
        assert ("gi_star" in gpd.read_file(path, layer="lsoa")) is expected


def test_anything_but_a_release_is_refused(made: Release, tmp_path: Path) -> None:
    with pytest.raises(DisclosureError, match="write_layers takes a Release, not a GeoDataFrame"):
        write_layers(made.tables["lsoa"].areas, tmp_path / "x.gpkg")  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_folder_that_is_a_file_is_told(made: Release, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(OutputError, match="could not be written"):
        write_layers(made, tmp_path / "taken" / "x.gpkg")


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Return a maker of disks of so many kilobytes, one after another."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = False

    def unmount() -> None:
        if mounted:
            subprocess.run(["umount", folder], check=True)

    def make(size: int) -> Path:
        nonlocal mounted
        unmount()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", folder]
        try:
            mounted = subprocess.run(command, check=False, capture_output=True).returncode == 0
        except FileNotFoundError:
            mounted = False
        if not mounted:
            pytest.skip("a small disk cannot be mounted without root's rights")
        return folder

    yield make
    unmount()


@pytest.mark.parametrize("size", [40, 150, 300, 450, 600])
def test_full_disk_is_told_and_leaves_the_old_file(
    made: Release, tiny_disk: Callable[[int], Path], size: int
) -> None:
    folder = tiny_disk(size)
    (folder / "layers.gpkg").write_text("old")
    with pytest.raises(
        OutputError, match=r"^layers\.gpkg could not.*disk is full.*free some space"
    ):
        write_layers(made, folder / "layers.gpkg")
    assert [p.name for p in folder.iterdir()] == ["layers.gpkg"]
    assert (folder / "layers.gpkg").read_text() == "old"


@pytest.fixture
def largest_file() -> Iterator[Callable[[int], None]]:
    """Return a setter of the number of kilobytes that a file may have in this process."""
    resource = pytest.importorskip("resource", reason="needs a limit on the size of files")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size * 1024, limits[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    signal.signal(signal.SIGXFSZ, before)


@pytest.mark.parametrize("size", [4, 60, 120, 180, 240, 300])
def test_file_that_may_not_grow_is_told(
    made: Release, tmp_path: Path, largest_file: Callable[[int], None], size: int
) -> None:
    largest_file(size)
    with pytest.raises(OutputError, match=r"^layers\.gpkg could not be written \(.*\)\. The disk"):
        write_layers(made, tmp_path / "layers.gpkg")
    assert list(tmp_path.iterdir()) == []

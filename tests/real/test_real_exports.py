"""The formats for handing on, from three years of a real force."""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from placeshaping.disclosure.release import Release
from placeshaping.layers.geopackage import write_layers
from placeshaping.layers.views import layer_of
from placeshaping.project.exports import EXPORTS, write_export
from placeshaping.project.gather import gather
from placeshaping.project.protect import protect_gathered
from placeshaping.project.publish import publish
from placeshaping.project.recipe import make_recipe
from placeshaping.verify.files import verify_files

pytestmark = pytest.mark.real
DAY = dt.date(2026, 1, 31)


@pytest.fixture(scope="module")
def made(real_data: Path) -> Release:
    text = (Path(__file__).parent / "leicestershire.toml").read_text(encoding="utf-8")
    recipe = make_recipe({**tomllib.loads(text), "ledger": "none"})
    return protect_gathered(recipe, gather(recipe, folder=real_data), made_on=DAY)


@pytest.fixture(scope="module")
def folder(made: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("real")
    for kind in EXPORTS:
        write_export(kind, made, folder)
    return folder


def test_real_exports_withstand_the_attacker(folder: Path) -> None:
    verdicts = verify_files([folder])
    assert [(v.file, v.breaches) for v in verdicts if not v.passed] == []


def test_real_shapes_stay_valid_and_share_their_borders(made: Release, folder: Path) -> None:
    for level in made.levels:
        found = gpd.read_file(folder / f"{level}.geojson")
        wanted = layer_of(made, level=level)
        assert shapely.is_valid(found.geometry).all()
        assert found["area_code"].tolist() == wanted["area_code"].tolist()
        area = found.to_crs(27700).area.to_numpy()
        assert area == pytest.approx(wanted.area.to_numpy(), rel=1e-3)
        if shapely.coverage_is_valid(wanted.geometry.array):
            assert shapely.coverage_is_valid(found.geometry.array)


def test_real_layers_are_published(made: Release, tmp_path: Path) -> None:
    write_layers(made, tmp_path / "layers.gpkg")
    site = publish(tmp_path, into=tmp_path / "site", today=DAY, inside=True)
    assert [site.collections[level] for level in made.levels] == [
        len(table.areas) for table in made.tables.values()
    ]

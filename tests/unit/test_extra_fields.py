"""Further columns of areas leave where a council's own policy names them, and nowhere else."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest

from placeshaping.areas.ladder import Ladder
from placeshaping.disclosure.own_policies import make_policy
from placeshaping.disclosure.release import Release, release
from placeshaping.hotspots.study import Study
from placeshaping.layers.geojson import write_geojson
from placeshaping.layers.geopackage import write_layers
from placeshaping.layers.geoparquet import write_geoparquet
from placeshaping.verify.files import verify_file

OWN = make_policy(
    {
        "name": "with notes",
        "base": "councillor",
        "extra_fields": ["beat"],
        "loosen": ["extra_fields"],
    }
)


@pytest.fixture(scope="module")
def study(make_study: Callable[..., Study]) -> Study:
    """Return a study whose areas know their beat and a remark."""
    made = make_study()
    areas = dict(made.ladder.areas)
    finest = areas[made.ladder.finest]
    areas[made.ladder.finest] = finest.assign(beat="North", remark="not for others")
    ladder = Ladder(areas, dict(made.ladder.positions))
    return dataclasses.replace(made, ladder=ladder)


def released(study: Study, policy: Any) -> Release:
    return release(study, policy=policy, title="Crime", made_on=dt.date(2026, 1, 31))


WRITERS = {
    "layers.gpkg": write_layers,
    "layers.geojson": write_geojson,
    "layers.parquet": write_geoparquet,
}


def columns_of(file: Path) -> set[str]:
    if file.suffix == ".parquet":
        return set(gpd.read_parquet(file).columns)
    return set(gpd.read_file(file, layer="lsoa" if file.suffix == ".gpkg" else None).columns)


@pytest.mark.parametrize("name", WRITERS)
def test_a_named_column_leaves_and_withstands(study: Study, tmp_path: Path, name: str) -> None:
    WRITERS[name](released(study, OWN), tmp_path / name)
    assert columns_of(tmp_path / name) & {"beat", "remark"} == {"beat"}
    assert verify_file(tmp_path / name, policy="with notes").passed


@pytest.mark.parametrize("name", WRITERS)
def test_without_such_a_policy_no_further_column_leaves(
    study: Study, tmp_path: Path, name: str
) -> None:
    WRITERS[name](released(study, "councillor"), tmp_path / name)
    assert not columns_of(tmp_path / name) & {"beat", "remark"}


def test_a_file_with_further_columns_is_refused_where_its_policy_is_not_named(
    study: Study, tmp_path: Path
) -> None:
    write_layers(released(study, OWN), tmp_path / "layers.gpkg")
    assert not verify_file(tmp_path / "layers.gpkg").passed

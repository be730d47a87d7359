"""A folder that a real pygeoapi serves, and GDAL reads back."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pyogrio
import pytest
import typer
from typer.testing import CliRunner

from placeshaping._core.errors import DisclosureError, InputError, MissingFileError, OutputError
from placeshaping.cli_publish import publish as publish_command
from placeshaping.disclosure.release import Release, release
from placeshaping.hotspots.study import Study
from placeshaping.layers.geopackage import write_layers
from placeshaping.layers.views import layer_of
from placeshaping.project.publish import CONFIG, README, publish
from placeshaping.verify.files import verify_files

MakeStudy = Callable[..., Study]
DAY = dt.date(2026, 1, 31)
STARTS_WITHIN = 60


@pytest.fixture(scope="module")
def made(make_study: MakeStudy) -> Release:
    return release(
        make_study(mean=3.0), policy="public", title="Crime in Marsh: ${HOME} & <b>é</b>",
        made_on=DAY, contact="a@example.org",
    )  # fmt: skip


@pytest.fixture(scope="module")
def products(made: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("products, é")
    write_layers(made, folder / "layers.gpkg")
    return folder


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def site(products: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("site, é") / "www"
    url = f"http://127.0.0.1:{free_port()}"
    publish(products, into=folder, today=DAY, url=url, licence="OGL")
    return folder, url


@pytest.fixture(scope="module")
def served(site: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Copy the folder elsewhere, and serve it as its README says."""
    folder = tmp_path_factory.mktemp("elsewhere") / "moved"
    shutil.copytree(site[0], folder)
    command = [sys.executable, "-c", "from pygeoapi import cli; cli()"]
    known = {**os.environ, "PYGEOAPI_CONFIG": CONFIG, "PYGEOAPI_OPENAPI": "openapi.yml"}
    subprocess.run(
        [*command, "openapi", "generate", CONFIG, "--output-file", "openapi.yml"],
        cwd=folder, env=known, check=True, capture_output=True,
    )  # fmt: skip
    log = (folder / "log").open("wb")
    server = subprocess.Popen([*command, "serve"], cwd=folder, env=known, stdout=log, stderr=log)
    try:
        wait_for(int(site[1].rpartition(":")[2]), server, folder / "log")
        yield site[1]
    finally:
        server.terminate()
        server.wait(timeout=30)
        log.close()


def wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < end:
        with closing(socket.socket()) as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        if server.poll() is not None:
            break
        time.sleep(0.1)
    pytest.fail(f"pygeoapi did not start: {log.read_text(errors='replace')[-2000:]}")


def same(found: pd.DataFrame, wanted: pd.DataFrame, keys: list[str]) -> None:
    found = found.sort_values(keys).reset_index(drop=True)
    wanted = wanted.assign(**{key: wanted[key].astype(str) for key in keys})
    wanted = wanted.sort_values(keys).reset_index(drop=True)
    for name in (*keys, "status"):
        assert found[name].tolist() == wanted[name].astype(str).tolist()
    for name in ("count", "rate", "lower", "upper", "rate_smoothed"):
        np.testing.assert_array_equal(
            found[name].to_numpy(float, na_value=np.nan),
            wanted[name].to_numpy(float, na_value=np.nan),
        )


def test_pygeoapi_serves_layers_that_gdal_reads_back(served: str, made: Release) -> None:
    source = f"OAPIF:{served}/"
    listed = [str(name) for name, _ in pyogrio.list_layers(source)]
    assert listed[:3] == list(made.levels)
    for level in made.levels:
        found = pyogrio.read_dataframe(source, layer=level)
        wanted = layer_of(made, level=level)
        same(found, wanted, ["area_code"])
        assert found["residents"].sum() == wanted["residents"].sum()
        assert found.crs.to_epsg() in (4326, None) or found.crs.to_string() == "OGC:CRS84"
        assert found.total_bounds == pytest.approx(wanted.to_crs(4326).total_bounds, abs=2e-6)


def test_pygeoapi_serves_every_period_and_category(served: str, made: Release) -> None:
    found = pyogrio.read_dataframe(f"OAPIF:{served}/", layer="lsoa_values")
    same(pd.DataFrame(found), made.tables["lsoa"].values, ["period", "category", "area_code"])
    hidden = found["status"] == "hidden"
    assert hidden.any()
    assert found.loc[hidden, ["count", "rate"]].isna().all(axis=None)


def test_configuration_names_no_path_and_no_outside_server(site: tuple[Path, str]) -> None:
    folder, url = site
    text = (folder / CONFIG).read_text(encoding="utf-8")
    assert str(folder) not in text
    assert "host: 127.0.0.1" in text
    assert f'url: "{url}"' in text
    assert "Open Government Licence v3.0" in text
    assert "${" not in text
    assert 'email: "a@example.org"' in text


def test_configuration_is_valid_by_pygeoapis_own_schema(site: tuple[Path, str]) -> None:
    command = [sys.executable, "-c", "from pygeoapi import cli; cli()"]
    told = subprocess.run(
        [*command, "config", "validate", "-c", CONFIG],
        cwd=site[0], check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout + told.stderr
    assert "Valid configuration" in told.stdout


def test_collections_tell_title_licence_extent_and_statement(
    site: tuple[Path, str], made: Release
) -> None:
    import yaml

    config = yaml.safe_load((site[0] / CONFIG).read_text(encoding="utf-8"))
    lsoa = config["resources"]["lsoa"]
    assert "Lower layer Super Output Area" in lsoa["title"]
    assert made.statement[0] in lsoa["description"]
    assert all(sentence in lsoa["description"] for sentence in made.not_for)
    bounds = made.tables["lsoa"].areas.to_crs(4326).total_bounds
    assert lsoa["extents"]["spatial"]["bbox"] == pytest.approx(list(bounds), abs=2e-6)
    assert lsoa["extents"]["temporal"]["begin"].date() == dt.date(2024, 1, 1)
    assert lsoa["extents"]["temporal"]["end"].date() == dt.date(2025, 12, 31)
    assert lsoa["providers"][0]["data"] == "lsoa.geojson"


def test_everything_in_the_folder_withstands_the_attacker(site: tuple[Path, str]) -> None:
    verdicts = verify_files([site[0]])
    assert [(v.file, v.breaches) for v in verdicts if not v.passed] == []


def test_publishing_twice_gives_the_same_files_and_removes_old_levels(
    products: Path, site: tuple[Path, str], tmp_path: Path
) -> None:
    (tmp_path / "ward.geojson").write_text("mine")
    publish(products, into=tmp_path, today=DAY, url=site[1], licence="OGL")
    assert (tmp_path / "ward.geojson").read_text() == "mine"
    (tmp_path / "kept.txt").write_text("mine")
    found = publish(products / "layers.gpkg", into=tmp_path, today=DAY, url=site[1], licence="OGL")
    assert {path.name for path in tmp_path.iterdir()} == {
        "kept.txt", *(path.name for path in site[0].iterdir())
    }  # fmt: skip
    for path in found.files:
        assert path.read_bytes() == (site[0] / path.name).read_bytes()


def test_what_gives_something_away_is_not_published(products: Path, tmp_path: Path) -> None:
    broken = tmp_path / "layers.gpkg"
    shutil.copy(products / "layers.gpkg", broken)
    with closing(sqlite3.connect(broken)) as database, database:
        database.execute("UPDATE district_values SET count = 3 WHERE fid = 1")
    with pytest.raises(DisclosureError, match=r"layers\.gpkg is not published: it .*nothing was"):
        publish(broken, into=tmp_path / "site", today=DAY)
    assert not (tmp_path / "site").exists()


@pytest.mark.parametrize("policy", ["councillor", "police"])
def test_what_is_not_for_all_is_published_inside_alone(
    make_study: MakeStudy, tmp_path: Path, policy: str
) -> None:
    made = release(
        make_study(mean=9.0), policy=policy, title="T", made_on=DAY, purpose="p",
        expires=dt.date(2026, 2, 28) if policy == "police" else None,
    )  # fmt: skip
    path = write_layers(made, tmp_path / "layers.gpkg")
    with pytest.raises(DisclosureError, match=f"policy '{policy}', which is not meant for all"):
        publish(path, into=tmp_path / "site", today=DAY)
    site = publish(path, into=tmp_path / "site", today=DAY, inside=True)
    assert site.collections["lsoa"] == 64
    if policy == "police":
        assert "Not to be used after 2026-02-28" in (site.folder / CONFIG).read_text()
        with pytest.raises(DisclosureError, match="expire"):
            publish(path, into=tmp_path / "site", today=dt.date(2026, 3, 1), inside=True)


def test_what_stays_on_the_desk_is_never_published(make_study: MakeStudy, tmp_path: Path) -> None:
    made = release(make_study(), policy="internal", title="T", made_on=DAY)
    path = write_layers(made, tmp_path / "layers.gpkg")
    with pytest.raises(DisclosureError, match="under which nothing leaves"):
        publish(path, into=tmp_path / "site", today=DAY, inside=True)


def test_layers_must_be_there_and_say_what_they_obey(tmp_path: Path, products: Path) -> None:
    with pytest.raises(MissingFileError, match="nowhere"):
        publish(tmp_path / "nowhere", into=tmp_path / "site", today=DAY)
    with pytest.raises(InputError, match=r"Put 'layers' into output\.write"):
        publish(tmp_path, into=tmp_path / "site", today=DAY)
    bare = tmp_path / "layers.gpkg"
    frame = pd.DataFrame({"area_code": ["E01000001"], "count": [10]})
    pyogrio.write_dataframe(frame, bare, layer="lsoa", driver="GPKG")
    with pytest.raises(DisclosureError, match="does not say what it obeys"):
        publish(bare, into=tmp_path / "site", today=DAY)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="could not be written"):
        publish(products, into=tmp_path / "file", today=DAY)


def test_command_publishes_the_products_of_a_recipe(products: Path, tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(publish_command)
    shutil.copytree(products, tmp_path / "out")
    recipe = tmp_path / "recipe.toml"
    recipe.write_text('title = "T"\nrecords.file = "a.zip"\nareas.file = "b.gpkg"\n')
    asked = [str(recipe), "--into", str(tmp_path / "site"), "--json"]
    told = CliRunner().invoke(app, asked)
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["collections"]["lsoa"] == 64
    assert (tmp_path / "site" / README).read_text(encoding="utf-8").startswith("Crime in Marsh")

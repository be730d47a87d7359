"""The command line: one line and exit code 1 for what can be mended, 2 for what was mistyped."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from placeshaping import cli
from placeshaping.cli import main

RECIPE = """
title = "Recorded crime in an invented district"
policy = "councillor"
records = {{ file = {crime}, sensitivity = "personal" }}
areas = {{ file = {areas}, lookups = [{lookup}] }}
population = {{ residents = {population} }}
"""


def call(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit, match=r"\d|^$") as stopped:
        main([str(argument) for argument in arguments])
    return int(stopped.value.code or 0)


def heed_interrupts() -> None:
    """Undo what a shell does to its background jobs: they ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start(*arguments: str | Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "placeshaping", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding=environment.get("PYTHONIOENCODING", "utf-8"),
        env={**os.environ, **environment},
        preexec_fn=None if sys.platform == "win32" else heed_interrupts,
    )


@pytest.fixture
def recipe_file(district_folder: Path, tmp_path: Path) -> Path:
    names = {
        "crime": "crime.zip",
        "areas": "lsoa_2021.gpkg",
        "lookup": "lookup_lsoa21_msoa21_ward_district.csv",
        "population": "population.csv",
    }
    paths = {key: json.dumps(str(district_folder / name)) for key, name in names.items()}
    file = tmp_path / "my recipe.toml"
    file.write_text(RECIPE.format(**paths), encoding="utf-8")
    return file


def test_help_lists_every_command_in_the_order_of_use() -> None:
    group = typer.main.get_command(cli.app)
    assert isinstance(group, TyperGroup)
    listed = group.list_commands(typer.Context(group))
    assert listed == list(cli._ORDER)


def test_run_writes_beside_the_recipe_and_says_what_it_did(
    recipe_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("run", recipe_file) == 0
    told = capsys.readouterr().out
    assert 'Policy "councillor"' in told
    assert "Not counted because their coordinates lie outside the areas" in told
    assert (recipe_file.parent / "out" / "map.html").is_file()
    assert call("verify", recipe_file.parent / "out") == 0
    assert "withstands" in capsys.readouterr().out


def test_quiet_says_nothing_and_json_says_all(
    recipe_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("run", recipe_file, "--quiet") == 0
    assert capsys.readouterr().out == ""
    assert call("run", recipe_file, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["policy"] == "councillor"
    assert "map.html" in told["files"]


def test_mendable_problem_is_one_line_and_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("run", tmp_path / "recipe.toml") == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert "recipe.toml: no such file" in told.err


def test_mistyped_command_is_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("rnu") == 2
    assert "rnu" in capsys.readouterr().err


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--version") == 0
    assert capsys.readouterr().out.startswith("placeshaping ")
    assert call("--help") == 0
    told = capsys.readouterr().out
    for command in ("run", "demo", "check", "verify", "init", "fetch"):
        assert command in told


def test_demo_runs_from_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("demo", tmp_path / "demo", "--areas", "60", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told["files"]) == {"map.html", "layers.gpkg", "tables.xlsx", "manifest.json"}


def test_check_tells_what_is_wrong_and_fails(
    district_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("check", district_folder / "lsoa_2021.gpkg", district_folder / "crime.zip") == 0
    told = capsys.readouterr().out
    assert "boundaries" in told
    assert "police" in told
    broken = tmp_path / "crime.zip"
    broken.write_bytes((district_folder / "crime.zip").read_bytes()[:1000])
    assert call("check", broken, "--json") == 1
    assert json.loads(capsys.readouterr().out)[0]["problems"][0]["severity"] == "error"


def test_init_writes_a_recipe_that_runs(
    district_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "my files"
    shutil.copytree(district_folder, folder)
    assert call("init", folder) == 0
    recipe = tomllib.loads((folder / "recipe.toml").read_text(encoding="utf-8"))
    assert recipe["records"]["file"] == "crime.zip"
    assert recipe["areas"]["file"] == "lsoa_2021.gpkg"
    assert recipe["areas"]["lookups"] == ["lookup_lsoa21_msoa21_ward_district.csv"]
    assert recipe["deprivation"]["file"] == "deprivation.csv"
    assert call("run", folder / "recipe.toml", "--quiet") == 0
    assert call("init", folder) == 1
    assert "Pass --force" in capsys.readouterr().err
    assert call("init", folder, "--force") == 0


def test_init_says_what_is_lacking(
    tmp_path: Path, district_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(district_folder / "population.csv", tmp_path)
    assert call("init", tmp_path) == 1
    assert "found no records" in capsys.readouterr().err


def test_verify_fails_on_a_file_without_a_declaration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "counts.csv").write_text("area_code,count\nE01900001,3\n")
    assert call("verify", tmp_path / "counts.csv", "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert told["files"][0]["judged_policy"] == "public"
    assert told["breaches"][0]["attack"] == "counts"
    assert told["breaches"][0]["proof"]


def test_fetch_lists_what_there_is_and_serves_files_dropped_in_by_hand(
    district_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("fetch", "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert {"lsoa21", "imd2025", "crime", "postcodes", "population"} <= set(listed)
    assert call("fetch", "lsoa12") == 1
    assert "Did you mean" in capsys.readouterr().err


def test_old_console_shows_what_it_can(recipe_file: Path) -> None:
    """A cp1252 console must not stop a run over a name that it cannot show."""
    text = recipe_file.read_text(encoding="utf-8").replace("an invented", "Łódź \u2013")
    recipe_file.write_text(text, encoding="utf-8")
    process = start("run", recipe_file, PYTHONIOENCODING="cp1252")
    out, error = process.communicate(timeout=120)
    assert process.returncode == 0, error
    assert "map.html" in out


@pytest.mark.skipif(sys.platform == "win32", reason="signals differ")
def test_interruption_leaves_nothing(recipe_file: Path) -> None:
    process = start("run", recipe_file)
    deadline = time.monotonic() + 60
    staging: list[Any] = []
    while not staging and time.monotonic() < deadline and process.poll() is None:
        staging = list(recipe_file.parent.glob(".out-*"))
        time.sleep(0.01)
    assert staging, "the run ended before it could be interrupted"
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Nothing half-written" in error
    assert "Traceback" not in error
    assert [path.name for path in recipe_file.parent.iterdir()] == [recipe_file.name]


def test_compile_cache_that_cannot_be_written_does_not_matter(recipe_file: Path) -> None:
    process = start("run", recipe_file, "--quiet", NUMBA_CACHE_DIR="/proc/nowhere/cache")
    _, error = process.communicate(timeout=120)
    assert process.returncode == 0, error

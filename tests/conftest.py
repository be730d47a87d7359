"""Fixtures that every kind of test may use."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import geopandas as gpd
import nbformat
import numpy as np
import pandas as pd
import pytest
import shapely
from nbclient import NotebookClient

from placeshaping.areas.ladder import make_ladder
from placeshaping.hotspots.study import Study, analyse

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


def cannot(reason: str) -> NoReturn:
    """Skip, or fail where CI must have run the test."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason} (in CI these tests must run)")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real data; skip where there is none, fail where CI lacks it."""
    named = os.environ.get("PLACESHAPING_DATA")
    folder = Path(named) if named else Path(__file__).parents[2] / "shared" / "data"
    if not (folder / "README.md").is_file():
        cannot("no real data: set PLACESHAPING_DATA, or put it in ../shared/data")
    return folder


@pytest.fixture
def run_notebook(tmp_path: Path) -> Callable[[Path], Any]:
    """Return a runner of notebooks in a folder of their own; it checks that none carries output."""

    def run(path: Path) -> Any:
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            assert not cell.get("outputs")
            assert cell.get("execution_count") is None
        folder = {"metadata": {"path": tmp_path}}
        NotebookClient(notebook, timeout=300, kernel_name="python3", resources=folder).execute()
        return notebook

    return run


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Return headless Chromium."""
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        cannot("playwright is not installed: pip install 'placeshaping[test]'")
    if not CHROMIUM.is_file():
        cannot(f"no Chromium at {CHROMIUM}: set CHROMIUM to one")
    with sync_playwright() as play:
        launched = play.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def make_study() -> Callable[..., Study]:
    """
    Return a maker of small studies: 64 square LSOAs, 16 MSOAs, 2 districts, 2 years, 3 offences.

    A third of the counts is under 10; one corner is a hot spot of burglary.
    """

    def make(
        *,
        seed: int = 1,
        mean: float = 2.0,
        size: int = 8,
        names: str = "Marsh",
        covered: list[str] | None = None,
    ) -> Study:
        rng = np.random.default_rng(seed)
        square = np.arange(size * size)
        x, y = square % size, square // size
        index = pd.Index([f"E01{900_001 + i}" for i in square], name="area_code")
        msoa = (y // 2) * (size // 2) + x // 2
        areas = gpd.GeoDataFrame(
            {"area_name": [f"{names} {m + 1:03}{'ABCD'[(a % 2) + 2 * (b % 2)]}"
                           for m, a, b in zip(msoa, x, y, strict=True)]},
            geometry=shapely.box(x * 1000, y * 1000, (x + 1) * 1000, (y + 1) * 1000),
            index=index,
            crs=27700,
        )  # fmt: skip
        lookup = pd.DataFrame(
            {
                "msoa_code": [f"E02{900_001 + m}" for m in msoa],
                "msoa_name": [f"{names} {m + 1:03}" for m in msoa],
                "district_code": np.where(x < size // 2, "E07900001", "E07900002"),
                "district_name": np.where(x < size // 2, "West Fen", "East Fen"),
            },
            index=index,
        )
        months = pd.date_range("2024-01-01", periods=24, freq="MS")
        categories = ["Burglary", "Robbery", "Vehicle crime"]
        hot = np.where((x < 3) & (y < 3), 4.0, 1.0)
        rates = np.array([0.25, 0.08, 0.6])[:, None] * mean * hot
        drawn = rng.poisson(np.broadcast_to(rates, (24, 3, size * size)))
        counts = pd.DataFrame(
            {
                "area_code": np.tile(index, 24 * 3),
                "period": np.repeat(months, 3 * size * size),
                "category": np.tile(np.repeat(categories, size * size), 24),
                "count": drawn.ravel(),
            }
        )
        people = rng.integers(1_000, 2_500, size * size)
        population = pd.DataFrame(
            {"residents": people, "households": (people / 2.3).astype(int)}, index=index
        )
        deprivation = pd.DataFrame({"imd_decile": 1 + (x + y) * 10 // (2 * size)}, index=index)
        return analyse(
            counts,
            make_ladder(areas, lookup),
            population=population,
            deprivation=deprivation,
            covered=covered,
        )

    return make

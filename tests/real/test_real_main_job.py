"""The main job on two real forces, its counts checked against an independent count."""

from __future__ import annotations

import datetime as dt
import io
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from placeshaping import run, verify_files
from placeshaping.project.pipeline import Outcome

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("real_main_job")]

DAY = dt.date(2026, 1, 31)
HERE = Path(__file__).parent


def run_recipe(name: str, real_data: Path, folder: Path) -> Outcome:
    recipe = tomllib.loads((HERE / f"{name}.toml").read_text(encoding="utf-8"))
    recipe["output"] = {"folder": str(folder / name)}
    return run(recipe, folder=real_data, made_on=DAY)


@pytest.fixture(scope="module")
def essex(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return run_recipe("essex", real_data, tmp_path_factory.mktemp("real"))


@pytest.fixture(scope="module")
def leicestershire(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return run_recipe("leicestershire", real_data, tmp_path_factory.mktemp("real"))


def independent_counts(
    archive: Path, boundaries: Path, codes: pd.Index, years: range
) -> pd.DataFrame:
    """Count rows of the raw files by LSOA, year and category with pandas and geopandas alone."""
    with zipfile.ZipFile(archive) as members:
        names = [name for name in sorted(members.namelist()) if int(name[:4]) in years]
        parts = [pd.read_csv(io.BytesIO(members.read(name))) for name in names]
    rows = pd.concat(parts, ignore_index=True)
    named = rows[rows["Crime ID"].notna()]
    located_first = named.sort_values("Longitude", key=lambda x: x.isna(), kind="stable")
    repeats = located_first.index[located_first.duplicated(["Crime ID", "Crime type"])]
    rows = rows.drop(index=repeats)

    areas = gpd.read_parquet(boundaries)
    areas = areas[areas["LSOA21CD"].isin(codes)].to_crs(27700)
    areas["geometry"] = areas.make_valid()
    points = gpd.GeoDataFrame(
        rows, geometry=gpd.points_from_xy(rows["Longitude"], rows["Latitude"]), crs=4326
    ).to_crs(27700)
    joined = points.sjoin(areas[["LSOA21CD", "geometry"]], how="left", predicate="intersects")
    joined = joined.sort_values("LSOA21CD")[lambda x: ~x.index.duplicated()]
    own = joined["LSOA code"].where(joined["LSOA code"].isin(codes))
    joined["area_code"] = joined["LSOA21CD"].fillna(own)
    joined["year"] = joined["Month"].str[:4]
    return (
        joined.dropna(subset="area_code")
        .groupby(["year", "Crime type", "area_code"])
        .size()
        .rename("count")
        .reset_index()
    )


def expected(made: Outcome, counts: pd.DataFrame, *, by_year: bool) -> pd.Series[int]:
    """Lay independent counts out as the release does, without its totals."""
    values = made.release.tables["lsoa"].values
    labels = {"Violence and sexual offences", *values["category"].unique()}
    assert set(counts["Crime type"]) <= labels
    keys = ["Crime type", "area_code"]
    if by_year:
        keys = ["year", *keys]
    return counts.groupby(keys)["count"].sum()


def test_essex_counts_are_those_of_the_raw_files(essex: Outcome, real_data: Path) -> None:
    table = essex.release.tables["lsoa"]
    counts = independent_counts(
        real_data / "police_uk" / "essex.zip",
        real_data / "boundaries" / "lsoa_2021_ew.parquet",
        table.areas.index,
        range(2025, 2026),
    )
    by_hand = expected(essex, counts, by_year=False)
    parts = table.values[table.values["category"] != essex.release.categories[0].label]
    ours = parts.set_index(["category", "area_code"])["count"].astype(int)
    ours = ours[ours > 0]
    assert ours.sum() == by_hand.sum()
    by_hand.index.names = ours.index.names
    pd.testing.assert_series_equal(
        ours.rename_axis(ours.index.names).sort_index(),
        by_hand.sort_index(),
        check_dtype=False,
        check_index_type=False,
        check_categorical=False,
    )


def test_leicestershire_counts_are_protected_from_those_of_the_raw_files(
    leicestershire: Outcome, real_data: Path
) -> None:
    table = leicestershire.release.tables["lsoa"]
    counts = independent_counts(
        real_data / "police_uk" / "leicestershire.zip",
        real_data / "boundaries" / "lsoa_2021_ew.parquet",
        table.areas.index,
        range(2023, 2026),
    )
    by_hand = expected(leicestershire, counts, by_year=True)
    total = leicestershire.release.categories[0].label
    values = table.values
    parts = values[(values["category"] != total) & values["period"].isin(["2023", "2024", "2025"])]
    keys = pd.MultiIndex.from_frame(parts[["period", "category", "area_code"]].astype(str))
    true = by_hand.reindex(keys, fill_value=0).to_numpy()
    shown = (parts["status"] == "shown").to_numpy()
    released = parts["count"].to_numpy(dtype=float, na_value=np.nan)
    assert len(parts) == 3 * 14 * 634
    assert true.sum() == by_hand.sum()
    assert np.array_equal(released[shown], 5 * np.rint(true[shown] / 5))
    assert not ((true[shown] > 0) & (true[shown] < 5)).any()
    assert ((true[~shown] > 0) & (true[~shown] < 5)).mean() > 0.95


@pytest.mark.parametrize("force", ["essex", "leicestershire"])
def test_products_withstand_the_attacker(force: str, request: pytest.FixtureRequest) -> None:
    made: Outcome = request.getfixturevalue(force)
    verdicts = verify_files([made.folder])
    assert len(verdicts) == 4
    for verdict in verdicts:
        assert verdict.passed, verdict.breaches[:3]


@pytest.mark.parametrize("policy", ["public", "councillor"])
@pytest.mark.parametrize("force", ["essex", "leicestershire"])
def test_all_levels_of_a_force_leave_together_under_a_policy(
    force: str, policy: str, real_data: Path, tmp_path: Path
) -> None:
    """Small areas, neighbourhoods and districts, in every output, withstand the attacker."""
    recipe = tomllib.loads((HERE / f"{force}.toml").read_text(encoding="utf-8"))
    recipe["records"] = {"file": recipe["records"]["file"], "sensitivity": "personal"}
    recipe |= {"policy": policy, "ledger": "none", "output": {"folder": str(tmp_path / "made")}}
    made = run(recipe, folder=real_data, made_on=DAY)
    assert made.release.levels == ("lsoa", "msoa", "district")
    shown = made.release.tables["lsoa"].values
    small = shown["count"].dropna()
    assert small[small > 0].min() >= (10 if policy == "public" else 5)
    verdicts = verify_files([made.folder], budget=100)
    assert all(verdict.passed for verdict in verdicts), verdicts


@pytest.mark.parametrize("force", ["essex", "leicestershire"])
def test_known_town_centres_are_hot_spots(force: str, request: pytest.FixtureRequest) -> None:
    made: Outcome = request.getfixturevalue(force)
    release = made.release
    table = release.tables["lsoa"]
    view = table.view(period=release.periods[0].label, category=release.categories[0].label)
    hot = table.areas.loc[view.index[view["cluster"] == "hot_99"], "area_name"]
    centre = {"essex": "Southend-on-Sea 015B", "leicestershire": "Leicester 041E"}[force]
    assert centre in hot.tolist()
    assert len(hot) < 0.1 * len(table.areas)


def test_page_of_a_county_is_small_enough_to_mail(leicestershire: Outcome) -> None:
    assert (leicestershire.folder / "map.html").stat().st_size <= 600_000


@pytest.mark.browser
@pytest.mark.parametrize("force", ["essex", "leicestershire"])
def test_page_opens_without_a_network(
    force: str, browser: Any, request: pytest.FixtureRequest
) -> None:
    made: Outcome = request.getfixturevalue(force)
    asked: list[str] = []
    errors: list[str] = []
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.on("request", lambda r: asked.append(r.url) if r.url.startswith("http") else None)
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: errors.append(str(e)))
    page.goto((made.folder / "map.html").as_uri())
    page.evaluate("() => placeshaping.ready")
    title = page.title()
    text = page.inner_text("body")
    context.close()
    assert asked == []
    assert errors == []
    assert made.release.title in title
    assert f"{len(made.release.tables['lsoa'].areas):,}" in text

"""Ranks and the order of rows: broken where they tell, let pass where the file is protected."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from placeshaping.disclosure.release import release
from placeshaping.hotspots.study import Study
from placeshaping.layers.geopackage import write_layers
from placeshaping.reports.sheets import write_tables
from placeshaping.verify.files import verify_file

DAY = dt.date(2026, 1, 31)


def population_of(study: Study, folder: Path) -> Path:
    codes = study.ladder.areas["lsoa"].index
    path = folder / "population.csv"
    pd.DataFrame({"area_code": codes, **study.exposures["lsoa"]}).to_csv(path, index=False)
    return path


def test_ranks_beside_hidden_counts_are_broken(tmp_path: Path) -> None:
    codes = [f"E0190000{n}" for n in range(9)]
    shown = [None, 5, 5, 10, 10, 20, 25, 30, 40]
    table = pd.DataFrame({"area_code": codes, "count": shown, "rate": shown, "rank": range(9)})
    path, people = tmp_path / "ranked.csv", tmp_path / "people.csv"
    table.to_csv(path, index=False)
    pd.DataFrame({"area_code": codes, "residents": 400}).to_csv(people, index=False)
    verdict = verify_file(path, policy="councillor", population=people)
    assert "ranks" in {breach.attack for breach in verdict.breaches}


@pytest.mark.parametrize("policy", ["councillor", "public"])
def test_released_tables_withstand_with_the_population_at_hand(
    make_study: Callable[..., Study], tmp_path: Path, policy: str
) -> None:
    study = make_study(mean=3.0)
    population = population_of(study, tmp_path)
    made = release(study, policy=policy, title="t", made_on=DAY)
    for path in (write_tables(made, tmp_path / "t.xlsx"), write_layers(made, tmp_path / "l.gpkg")):
        verdict = verify_file(path, population=population)
        assert verdict.passed, verdict.breaches


def test_ranks_of_a_police_product_withstand_with_the_population_at_hand(
    make_study: Callable[..., Study], tmp_path: Path
) -> None:
    study = make_study(mean=3.0)
    population = population_of(study, tmp_path)
    made = release(
        study,
        policy="police",
        title="t",
        made_on=DAY,
        purpose="night shift",
        expires=DAY,
    )
    values = made.tables["lsoa"].values
    assert {"class", "rank"} <= set(values)
    assert "count" not in values
    verdict = verify_file(write_layers(made, tmp_path / "l.gpkg"), population=population)
    assert verdict.passed, verdict.breaches

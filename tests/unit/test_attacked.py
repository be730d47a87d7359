"""What an attack finds in written products is hidden in the next turn."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from placeshaping.areas.ladder import make_ladder
from placeshaping.disclosure.former import HiddenCell
from placeshaping.disclosure.own_policies import make_policy
from placeshaping.disclosure.release import Release, release
from placeshaping.hotspots.study import Study, analyse
from placeshaping.layers.geopackage import write_layers
from placeshaping.project.attacked import Key, hidden_further
from placeshaping.verify.files import verify_files
from placeshaping.verify.verdict import Verdict

MakeStudy = Callable[..., Study]
DAY = dt.date(2026, 1, 31)
EXACT = make_policy(
    {
        "name": "exact",
        "base": "councillor",
        "method": "suppress",
        "rounding": 1,
        "loosen": ["rounding"],
    }
)


@pytest.fixture(scope="module")
def study(make_study: MakeStudy) -> Study:
    return make_study(mean=8.0)


def released(study: Study, **options: object) -> Release:
    return release(study, policy="councillor", title="t", made_on=DAY, **options)  # type: ignore[arg-type]


def keys(made: Release, *, number: int) -> list[tuple[Key, int]]:
    """Return shown cells of the finest level, of the first period and the last category."""
    values = made.tables["lsoa"].view(
        period=made.periods[0].label, category=made.categories[-1].label
    )
    shown = values[(values["status"] == "shown") & (values["count"] > 0)].head(number)
    category, period = made.categories[-1].label, made.periods[0].label
    return [((str(code), category, period), int(count)) for code, count in shown["count"].items()]


def test_the_smallest_number_that_a_proof_rests_on_is_hidden(study: Study) -> None:
    made = released(study)
    cells = keys(made, number=8)
    (area, category, period), _ = min(cells, key=lambda one: one[1])
    chosen = hidden_further([tuple(key for key, _ in cells)], made, [])
    assert chosen == {("lsoa", area, period, category)}
    assert hidden_further([tuple(key for key, _ in cells)], made, chosen) == frozenset()


def test_a_span_of_months_names_the_period_that_is_shown(study: Study) -> None:
    made = released(study)
    (((area, category, label), _),) = keys(made, number=1)
    first, last = made.periods[0].first, made.periods[0].last
    months = (first.year * 12 + first.month - 1, last.year * 12 + last.month - 1)
    assert hidden_further([((area, category, months),)], made, []) == {
        ("lsoa", area, label, category)
    }


def test_what_rests_on_nothing_that_is_shown_cannot_be_helped(study: Study) -> None:
    made = released(study)
    (((area, category, period), _),) = keys(made, number=1)
    assert hidden_further([((area, category, period),), ()], made, []) == frozenset()
    assert hidden_further([(("E01999999", category, period),)], made, []) == frozenset()


def test_named_cells_are_hidden_whatever_their_count_and_counted(study: Study) -> None:
    made = released(study)
    (((area, category, period), _),) = keys(made, number=1)
    again = released(study, also_hidden=[("lsoa", area, period, category)])
    assert again.tables["lsoa"].view(period=period, category=category).loc[area, "status"] == (
        "hidden"
    )
    assert not any("attack on the written product" in text for text in made.statement)
    assert any(
        text.startswith("1 of the numbers are hidden because an attack on the written product")
        for text in again.statement
    )
    for level in made.tables:
        before, after = (t.tables[level].values["status"] == "hidden" for t in (made, again))
        assert (after | ~before).all(), level


def spanning(months: int) -> Study:
    """Count 36 areas over months of 20 records each; in the fifth, five areas have two alone."""
    at = np.arange(36)
    codes = pd.Index([f"E01{900_001 + i}" for i in at], name="area_code")
    areas = gpd.GeoDataFrame(
        {"area_name": [f"Marsh {i:03}" for i in at]},
        geometry=shapely.box(at % 6, at // 6, at % 6 + 1, at // 6 + 1),
        index=codes,
        crs=27700,
    )
    counts = [
        pd.DataFrame(
            {
                "area_code": codes,
                "period": pd.Timestamp(2025, month, 1),
                "category": "x",
                "count": np.where((at < 5) & (month == 5), 2, 20),
            }
        )
        for month in range(1, months + 1)
    ]
    return analyse(pd.concat(counts), make_ladder(areas), by="all", hot_spots_of=None)


def attacked(paths: list[Path]) -> list[tuple[Key, ...]]:
    """Return what each number that comes back rests on."""
    verdicts: tuple[Verdict, ...] = tuple(verify_files(paths, policy="exact"))
    return [
        finding.rests_on
        for verdict in verdicts
        for breach in verdict.breaches
        for finding in breach.cells
    ]


def test_products_protected_apart_withstand_once_what_was_found_is_hidden(tmp_path: Path) -> None:
    def made(months: int, hidden: frozenset[HiddenCell] = frozenset()) -> Release:
        return release(spanning(months), policy=EXACT, title="t", made_on=DAY, also_hidden=hidden)

    before = write_layers(made(4), tmp_path / "before.gpkg")
    now = made(5)
    found = attacked([before, write_layers(now, tmp_path / "first.gpkg")])
    assert len(found) == 5
    hidden = hidden_further(found, now, [])
    period = now.periods[0].label
    assert hidden == {
        ("lsoa", f"E01{900_001 + i}", period, now.categories[0].label) for i in range(5)
    }
    assert attacked([before, write_layers(made(5, hidden), tmp_path / "second.gpkg")]) == []

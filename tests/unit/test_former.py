"""What is hidden, or refused, because of what was released before."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from placeshaping._core.errors import HiddenError
from placeshaping.areas.ladder import make_ladder
from placeshaping.disclosure.ledger import Ledger, open_ledger
from placeshaping.disclosure.ledger.entry import entry_of
from placeshaping.disclosure.own_policies import make_policy
from placeshaping.disclosure.release import Release, release
from placeshaping.hotspots.study import analyse

DAY = dt.date(2026, 1, 31)
AREAS = 36
EXACT = make_policy(
    {
        "name": "exact",
        "base": "councillor",
        "method": "suppress",
        "rounding": 1,
        "loosen": ["rounding"],
    }
)


def released(months: dict[str, np.ndarray], ledger: Ledger) -> Release:
    """Release monthly counts of small areas, by themselves and as one MSOA for each six."""
    square = np.arange(AREAS)
    codes = pd.Index([f"E01{900_001 + i}" for i in square], name="area_code")
    areas = gpd.GeoDataFrame(
        {"area_name": [f"Marsh {i:03}" for i in square]},
        geometry=shapely.box(square % 6, square // 6, square % 6 + 1, square // 6 + 1),
        index=codes,
        crs=27700,
    )
    counts = pd.concat(
        pd.DataFrame(
            {"area_code": codes, "period": pd.Timestamp(month), "category": "x", "count": values}
        )
        for month, values in months.items()
    )
    study = analyse(counts, make_ladder(areas), by="all", hot_spots_of=None)
    made = release(study, policy=EXACT, title="t", made_on=DAY, ledger=ledger, dataset="x")
    ledger.record(entry_of(made))
    return made


def months(first: int, last: int, value: int = 20) -> dict[str, np.ndarray]:
    return {f"2025-{m:02}-01": np.full(AREAS, value) for m in range(first, last + 1)}


def test_cells_that_give_a_month_away_are_hidden_and_counted(tmp_path: Path) -> None:
    may = np.where(np.arange(AREAS) < 5, 2, 20)
    with open_ledger(tmp_path / "ledger.sqlite") as ledger:
        released(months(1, 4), ledger)
        made = released({**months(1, 4), "2025-05-01": may}, ledger)
    values = made.tables["lsoa"].values
    assert (values["status"] == "hidden").to_numpy().tolist() == (may < 5).tolist()
    assert any("5 of the numbers are hidden because" in sentence for sentence in made.statement)


def test_a_release_that_would_hide_too_much_is_refused_by_name(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "ledger.sqlite") as ledger:
        released(months(1, 4), ledger)
        told = (
            r"36 numbers would give others away.*= 82 \(this release.*= 2.*ledger withdraw NUMBER"
        )
        with pytest.raises(HiddenError, match=told):
            released({**months(1, 4), **months(5, 5, 2)}, ledger)
        assert len(ledger.list()) == 1


def test_months_that_are_large_enough_need_no_hiding(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "ledger.sqlite") as ledger:
        released(months(1, 4), ledger)
        made = released(months(1, 5), ledger)
    assert (made.tables["lsoa"].values["status"] == "shown").all()


def test_what_was_hidden_before_is_hidden_first(tmp_path: Path) -> None:
    """Of two neighbours that could hide a third, the one that was hidden is taken again."""
    small = np.full(AREAS, 40)
    small[3] = 2
    with open_ledger(tmp_path / "ledger.sqlite") as ledger:
        first = released({"2025-01-01": small}, ledger)
        again = released({"2025-01-01": small}, ledger)
    assert again.tables["lsoa"].values.equals(first.tables["lsoa"].values)

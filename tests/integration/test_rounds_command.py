"""The command rounds: sheets for a shift, what they declare, and what is refused."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest

from placeshaping._core.errors import ColumnError, DisclosureError, InputError, RecipeError
from placeshaping.project.rounds import RoundsOutcome, run_rounds
from placeshaping.verify.files import verify_file, verify_files

DAY = dt.date(2026, 1, 31)
REQUEST: dict[str, Any] = {
    "title": "Street bins, Monday",
    "purpose": "To empty bins.",
    "contact": "nobody@example.org",
    "expires": dt.date(2026, 2, 28),
    "what": "bins",
    "stops": {"file": "bins.csv", "load": "litres", "service": 2.0},
    "depots": {"file": "yard.csv"},
    "vehicles": 2,
    "capacity": 1500,
    "walking": 25.0,
    "begin": "07:30",
    "end": "15:00",
    "seconds": 2.0,
}


@pytest.fixture(scope="module")
def folder(district_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a list of bins and a yard."""
    made = tmp_path_factory.mktemp("rounds")
    services = pd.read_csv(district_folder / "services.csv")
    bins = services[services["category"] == "Street bin"].head(20)
    bins = bins[["easting", "northing"]].assign(
        name=[f"Bin {k}" for k in range(len(bins))], litres=110, opens="08:00", closes=""
    )
    bins.to_csv(made / "bins.csv", index=False)
    bins[["easting", "northing"]].head(1).assign(name="Yard").to_csv(made / "yard.csv", index=False)
    return made


@pytest.fixture(scope="module")
def planned(folder: Path) -> RoundsOutcome:
    return run_rounds(REQUEST, made_on=DAY, folder=folder)


def test_every_bin_is_on_a_sheet_once(planned: RoundsOutcome) -> None:
    sheet = pd.read_csv(planned.folder / "rounds.csv")
    assert sorted(sheet["stop"]) == sorted(f"Bin {k}" for k in range(20))
    assert (sheet.groupby("round")["load"].sum() <= 1500).all()
    assert sheet["arrives"].str.fullmatch(r"\d\d:\d\d").all()
    assert sheet["arrives"].min() >= "07:30"
    assert "is not proved" in planned.found[0] or "No plan travels less" in planned.found[0]


def test_sheets_are_for_named_staff_and_withstand_the_attacker(planned: RoundsOutcome) -> None:
    assert all(one.passed for one in verify_files(planned.files, policy="restricted", today=DAY))
    unnamed = [one for one in verify_files(planned.files, today=DAY) if one.passed]
    assert not unnamed
    late = verify_file(
        planned.folder / "rounds.csv", policy="restricted", today=dt.date(2026, 3, 1)
    )
    assert [one.what for one in late.breaches] == ["has expired"]


def test_a_list_that_calls_itself_public_is_refused(planned: RoundsOutcome, tmp_path: Path) -> None:
    said = json.loads((planned.folder / "rounds.geojson").read_text())
    said["placeshaping"] |= {"policy": "public", "threshold": 10, "rounding": 5}
    path = tmp_path / "rounds.geojson"
    path.write_text(json.dumps(said))
    assert not verify_file(path, today=DAY).passed


def test_a_satnav_reads_the_routes(planned: RoundsOutcome) -> None:
    root = ElementTree.parse(planned.folder / "rounds.gpx").getroot()
    space = "{http://www.topografix.com/GPX/1/1}"
    assert len(root.findall(f"{space}wpt")) == 20
    assert len(root.findall(f"{space}rte")) == len(planned.plan.rounds)


def test_windows_by_the_clock_are_held(folder: Path) -> None:
    stops = {**REQUEST["stops"], "opens": "opens", "closes": "closes"}
    made = run_rounds({**REQUEST, "stops": stops, "output": "windows"}, made_on=DAY, folder=folder)
    sheet = pd.read_csv(made.folder / "rounds.csv")
    assert sheet["begins"].min() >= "08:00"


@pytest.mark.parametrize(
    ("changes", "error", "told"),
    [
        ({"expires": None}, DisclosureError, "needs the last day"),
        ({"policy": "public"}, RecipeError, "policy"),
        ({"capacity": 100}, InputError, "Give more vehicles"),
        ({"vehicle": 2}, RecipeError, "did you mean vehicles"),
        ({"stops": {"file": "bins.csv", "name": "bin"}}, ColumnError, "bin"),
        ({"stops": {"file": "bins.csv", "opens": "litres"}}, InputError, "Write them as 09:30"),
        ({"begin": "7.30"}, RecipeError, "begin"),
        ({"unit": "metres"}, RecipeError, "planned in minutes"),
        ({"outside": "drop"}, RecipeError, "none is dropped"),
    ],
)
def test_bad_requests_name_the_remedy(
    folder: Path, changes: dict[str, Any], error: Any, told: str
) -> None:
    with pytest.raises(error, match=told):
        run_rounds({**REQUEST, **changes}, made_on=DAY, folder=folder)

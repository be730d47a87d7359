"""Requests become folders of products: whole, attacked, and none answered twice."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from typer.testing import CliRunner

from placeshaping._core.errors import (
    ColumnError,
    EmptyError,
    FileFormatError,
    InputError,
    RecipeError,
    UnmatchedError,
    WithdrawnError,
)
from placeshaping.cli import app
from placeshaping.project.patrol import FILES, REGISTER, answer_request
from placeshaping.project.patrol_audit import BURDENS, KIND
from placeshaping.project.patrol_folder import answer_folder
from placeshaping.project.patrol_forecast import expect, fit_place
from placeshaping.project.patrol_place import read_place
from placeshaping.project.patrol_register import mark_cell, read_marks
from placeshaping.project.patrol_request import read_request
from placeshaping.verify.files import verify_files

NOW = dt.datetime(2025, 7, 1, 12, tzinfo=ZoneInfo("Europe/London"))
SIDE = 12
REQUEST = """
purpose = "Where to show presence."
decides = "Insp. A. Name"
[shift]
date = 2025-07-05
start = "22:00"
end = "06:00"
[offences]
names = ["Burglary"]
[cover]
cells = 8
patrols = 2
[records]
file = "{records}"
[areas]
file = "areas.gpkg"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write a place of 3 km by 3 km with two clusters of records, by the minute and by month."""
    rng = np.random.default_rng(4)
    side = 250.0 * SIDE
    middles = np.array([[700.0, 700.0], [2200.0, 2300.0]])
    xy = np.vstack(
        [
            rng.uniform(0, side, (900, 2)),
            middles[rng.integers(0, 2, 700)] + rng.normal(0, 150, (700, 2)),
        ]
    )
    xy = np.clip(xy, 1, side - 1) + np.array([600_000, 400_000])
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.uniform(0, 540, len(xy)), unit="D")
    kinds = np.where(rng.random(len(xy)) < 0.7, "Burglary", "Drugs")
    table = pd.DataFrame(
        {"time": days.floor("s"), "easting": xy[:, 0], "northing": xy[:, 1], "category": kinds}
    )
    table.to_csv(tmp_path / "times.csv", index=False)
    months = days.to_period("M").to_timestamp()
    table.assign(time=months).rename(columns={"time": "month"}).to_csv(
        tmp_path / "months.csv", index=False
    )
    halves = [shapely.box(600_000, 400_000, 601_500, 403_000),
              shapely.box(601_500, 400_000, 603_000, 403_000)]  # fmt: skip
    areas = gpd.GeoDataFrame(
        {"code": ["E01900001", "E01900002"], "name": ["West", "East"]}, geometry=halves, crs=27700
    )
    pyogrio.write_dataframe(areas, tmp_path / "areas.gpkg")
    return tmp_path


def ask(folder: Path, name: str = "late", *, records: str = "times.csv", **swaps: str) -> Path:
    text = REQUEST.format(records=records)
    for old, new in swaps.items():
        text = text.replace(SWAPS[old], new)
    path = folder / f"{name}.toml"
    path.write_text(text)
    return path


RECORD = {f"{name}.{kind}" for name, kinds in
          {"transparency": ("html", "md", "json"), "atrs": ("md", "json", "odt")}.items()
          for kind in kinds}  # fmt: skip
PEOPLE = """
[population]
residents = "people.csv"
[deprivation]
file = "imd.csv"
"""


def ask_with_people(folder: Path, more: str = "", **swaps: str) -> Path:
    """Ask for a layer that can be audited: as many people in the west as in the east."""
    (folder / "people.csv").write_text("LSOA21CD,residents\nE01900001,1500\nE01900002,1500\n")
    decile = "Index of Multiple Deprivation (IMD) Decile (where 1 is most deprived 10% of LSOAs)"
    (folder / "imd.csv").write_text(f"LSOA code (2021),{decile}\nE01900001,1\nE01900002,9\n")
    path = ask(folder, **swaps)
    path.write_text(path.read_text() + PEOPLE + more)
    return path


SWAPS = {"cover": "cells = 8\npatrols = 2", "date": "2025-07-05", "names": '["Burglary"]'}


def test_a_request_becomes_products_that_withstand_the_attacker(folder: Path) -> None:
    made = answer_request(ask(folder), now=NOW)
    names = {path.name for path in made.folder.iterdir()}
    assert set(FILES.values()) <= names
    assert names >= RECORD
    checked = [path for path in made.files if path.suffix != ".pdf" and path.name not in RECORD]
    verdicts = verify_files(checked, today=NOW.date())
    assert [one.file for one in verdicts if not one.passed] == []
    assert {one.declared_policy for one in verdicts} == {"police"}
    pages = verify_files([made.folder / "transparency.html", made.folder / "atrs.md"])
    assert all(one.passed for one in pages)
    assert made.facts.patrols == 2
    assert made.facts.cells == 8
    assert made.facts.expires == dt.date(2025, 7, 7)


def test_products_say_no_numbers_of_records(folder: Path) -> None:
    made = answer_request(ask(folder), now=NOW)
    table = pd.read_csv(made.folder / "grid_250.csv", encoding="utf-8-sig")
    assert not {"count", "rate", "expected"} & set(table.columns)
    assert set(table["likelihood"].dropna()) <= {"well_above", "above", "about", "below", "few"}
    hidden = table[table["status"] == "hidden"]
    assert hidden[["patrol", "likelihood", "nearby"]].isna().all(axis=None)
    page = (made.folder / "map.html").read_text()
    assert 'data-until="2025-07-07"' in page


def test_routes_go_through_the_waypoints_in_their_order(folder: Path) -> None:
    made = answer_request(ask(folder), now=NOW)
    path = made.folder / FILES["gpx"]
    points = pyogrio.read_dataframe(path, layer="waypoints")
    assert points["name"].tolist() == [f"{p}{n}" for p in "AB" for n in range(1, 5)]
    routes = pyogrio.read_dataframe(path, layer="routes")
    assert routes["name"].tolist() == ["Patrol A", "Patrol B"]
    first = shapely.get_coordinates(routes.geometry.iloc[0])
    stops = shapely.get_coordinates(points.geometry.iloc[:4].to_numpy())
    assert np.allclose(first, np.vstack([stops, stops[:1]]))
    assert points["desc"].str.contains("nearby in the last two to four weeks").all()


def test_layers_open_with_patrols_as_their_default_style(folder: Path) -> None:
    made = answer_request(ask(folder), now=NOW)
    layers = made.folder / FILES["layers"]
    styles = pyogrio.read_dataframe(layers, layer="layer_styles", read_geometry=False)
    assert styles.loc[styles["useAsDefault"].astype(bool), "styleName"].tolist() == ["Patrol areas"]
    shown = pd.read_csv(made.folder / "grid_250.csv", encoding="utf-8-sig")
    assert set(shown["status"]) == {"shown"}
    assert SIDE * SIDE * 0.7 < len(shown) < SIDE * SIDE  # gaps, not marks, where there are few
    assert len(pyogrio.read_dataframe(made.folder / FILES["kml"])) == len(shown)


def test_monthly_records_give_one_answer_for_the_month_and_say_so(folder: Path) -> None:
    made = answer_request(ask(folder, records="months.csv"), now=NOW)
    assert any("the same for every shift of July 2025" in note for note in made.release.notes)


def test_a_discovered_offence_is_answered_when_signed_for_and_says_so(folder: Path) -> None:
    path = ask(folder, names='["Drugs"]')
    with pytest.raises(InputError, match="Drugs is tagged 'discovered'"):
        answer_request(path, now=NOW)
    with path.open("a") as stream:
        stream.write('[offences.overrides.Drugs]\nby = "Supt. C"\nreason = "Only a rehearsal."\n')
    made = answer_request(path, now=NOW)
    for name in ("map.html", "patrols.kml", "patrols.gpx", "patrols.geojson", "manifest.json"):
        assert "Allowed by Supt. C: Only a rehearsal." in (made.folder / name).read_text(), name


def test_more_cells_than_the_district_has_are_refused(folder: Path) -> None:
    with pytest.raises(RecipeError, match="200 cells are asked for, and the district has 144"):
        answer_request(ask(folder, cover="cells = 200\npatrols = 9"), now=NOW)


def test_an_area_without_data_is_refused(folder: Path) -> None:
    away = gpd.read_file(folder / "areas.gpkg")
    away.geometry = away.geometry.translate(-300_000, 0)
    pyogrio.write_dataframe(away, folder / "areas.gpkg")
    with pytest.raises(UnmatchedError, match=r"Only 0 of 1,600 records lie in the areas"):
        answer_request(ask(folder), now=NOW)


def test_too_few_events_are_told_with_how_many_are_needed(folder: Path) -> None:
    table = pd.read_csv(folder / "times.csv")
    late = pd.to_datetime(table["time"]).dt.hour >= 22
    few = table[late & (table["category"] == "Burglary")].tail(5)
    pd.concat([few, table[table["category"] != "Burglary"]]).to_csv(folder / "times.csv")
    with pytest.raises(EmptyError, match="needs at least 10 events of Burglary"):
        answer_request(ask(folder), now=NOW)


def test_a_marked_cell_is_told_of_in_the_next_answer(folder: Path) -> None:
    path = ask(folder)
    made = answer_request(path, now=NOW)
    mark_cell(
        made.folder, "A1", because="a car park", by="PC B", made_on=NOW.date(), register=REGISTER
    )
    again = answer_request(path, now=NOW)
    assert again.facts.marks == (
        f"Cell {made.facts.flagged[0]} was marked as wrong by PC B on 1 July 2025: a car park",
    )
    assert again.facts.marks[0] in again.release.notes
    with pytest.raises(InputError, match="has no cell 'Z9'"):
        mark_cell(made.folder, "Z9", because="x", by="y", made_on=NOW.date(), register=REGISTER)
    assert len(read_marks(folder / REGISTER)) == 1


def test_who_bears_the_layer_stands_on_its_record(folder: Path) -> None:
    made = answer_request(ask_with_people(folder), now=NOW)
    page = (made.folder / "transparency.html").read_text()
    assert "Burden by deprivation decile" in page
    assert "No backtest goes with this layer" in page
    told = json.loads((made.folder / "transparency.json").read_text())
    rows = {row["group"]: row["burden_ratio"] for row in told["audit"]["burdens"][KIND]}
    assert rows == {"1": 1.0, "9": 1.0}
    assert {one["role"] for one in told["facts"]["sources"]} == {
        "records", "areas", "residents, for the audit alone", "deprivation, for the audit alone",
    }  # fmt: skip
    assert {one["rows"] for one in told["facts"]["sources"]} == {None}
    assert "this is the first release that is kept" in page
    assert "If patrols followed what is on record" in page
    for name in ("feedback", "feedback_corrected"):
        assert told["audit"][name]["lower"] <= told["audit"][name]["share"]
    begin = told["audit"]["feedback"]["begin_share"]
    records = pd.read_csv(folder / "times.csv")
    late = pd.to_datetime(records["time"]).dt.hour.isin([22, 23, *range(6)])
    total = int((late & (records["category"] == "Burglary")).sum())
    assert any(5 * k / (5 * k + 5 * j) == pytest.approx(begin, abs=1e-6)
               for k in range(1, total // 5) for j in range(total // 5 - k - 2, total // 5 - k + 3)
               if j > 0)  # fmt: skip
    said = json.loads((made.folder / "manifest.json").read_text())
    assert {one["name"] for one in said["outputs"]} >= RECORD


def test_without_residents_the_record_says_that_burden_is_not_known(folder: Path) -> None:
    made = answer_request(ask(folder), now=NOW)
    page = (made.folder / "transparency.html").read_text()
    assert "the burden is not known" in page
    assert "Burden was not measured" in page
    assert "If patrols followed what is on record" in page
    assert "Burden by" not in page
    assert not (folder / BURDENS).exists()


def test_a_risen_burden_is_refused_until_somebody_signs_and_then_printed(folder: Path) -> None:
    answer_request(ask_with_people(folder), now=NOW)
    kept = (folder / BURDENS).read_bytes()
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.*")}
    one_half = "cells = 4\npatrols = 1"
    later = NOW + dt.timedelta(days=1)
    with pytest.raises(WithdrawnError, match=r"burden ratio of . has risen by 1\.00") as caught:
        answer_request(ask_with_people(folder, cover=one_half), now=later)
    assert len(caught.value.reasons) == 1
    assert (folder / BURDENS).read_bytes() == kept
    inputs = {"late.toml", "people.csv", "imd.csv"}
    after = {path: path.stat().st_mtime_ns for path in folder.rglob("*.*")}
    assert {path.name for path in after if before.get(path) != after[path]} <= inputs
    signed = '[override]\nby = "Supt. C"\nbecause = "The other half is closed."\n'
    made = answer_request(ask_with_people(folder, signed, cover=one_half), now=later)
    printed = "Used all the same: Supt. C. Reason: The other half is closed."
    for name in ("transparency.html", "transparency.md", "atrs.md", "map.html", "patrols.kml"):
        assert printed in (made.folder / name).read_text(), name
    decision = json.loads((made.folder / "transparency.json").read_text())["decision"]
    assert decision["override"] == {"by": "Supt. C", "reason": "The other half is closed."}
    days = [
        entry["released_on"] for entry in json.loads((folder / BURDENS).read_text())["releases"]
    ]
    assert days == ["2025-07-01", "2025-07-02"]


def test_triggers_of_a_request_decide_when_a_layer_is_withdrawn(folder: Path) -> None:
    answer_request(ask_with_people(folder), now=NOW)
    loose = ask_with_people(folder, "[triggers]\nmost_rise = 1.5\n", cover="cells = 4\npatrols = 1")
    made = answer_request(loose, now=NOW + dt.timedelta(days=1))
    assert made.record.decision.reasons == ()
    assert "rises by more than 1.50" in (made.folder / "transparency.md").read_text()


def test_a_model_that_its_backtest_finds_worse_is_withdrawn(folder: Path) -> None:
    path = ask(folder)
    path.write_text('backtest = "tested"\n' + path.read_text())
    (folder / "tested").mkdir()
    chosen: dict[str, Any] = {
        "model": "kernel density",
        "sentence": "It was best.",
        "baseline": "trailing all",
    }
    chosen |= {"lift_vs_baseline_upper": 0.97}
    (folder / "tested" / "choice.json").write_text(json.dumps({"offences": {"Burglary": chosen}}))
    with pytest.raises(WithdrawnError, match=r"upper limit of its lift is 0\.97"):
        answer_request(path, now=NOW)
    assert not (folder / "late").exists()


def test_scores_of_the_backtest_that_is_named_stand_on_the_record(folder: Path) -> None:
    path = ask(folder)
    path.write_text('backtest = "tested"\n' + path.read_text())
    (folder / "tested").mkdir()
    chosen: dict[str, Any] = {
        "model": "trailing all",
        "sentence": "None beat it.",
        "baseline": "trailing all",
    }
    chosen |= {"lift_vs_baseline_upper": None}
    (folder / "tested" / "choice.json").write_text(json.dumps({"offences": {"Burglary": chosen}}))
    names = ("hit_rate", "pai", "pei", "lift_vs_baseline", "difference", "poisson_deviance")
    row = {"category": "Burglary", "share": 0.05, "model": "trailing all", "origins": 8}
    row |= {"baseline": True, "chosen": True, "default": True, "n": 125, "N": 400, "note": ""}
    row |= {f"{name}{end}": 0.3125 for name in names for end in ("", "_lower", "_upper")}
    group = {"category": "Burglary", "share": 0.05, "model": "trailing all", "periods": 8}
    group |= {"kind": KIND, "burden_ratio": 1.21, "n": 40.0, "N": 90.0, "hit_rate": 0.44}
    group |= {"hit_rate_lower": 0.35, "hit_rate_upper": 0.55, "group": "1", "note": ""}
    few = {**group, "group": "9", "note": "withheld"}
    few |= dict.fromkeys(("n", "N", "hit_rate", "hit_rate_lower", "hit_rate_upper"), np.nan)
    pd.DataFrame([group, few]).to_csv(folder / "tested" / "groups.csv", index=False)
    rows = [row, {**row, "category": "Drugs", "hit_rate": 0.77}]
    pd.DataFrame(rows).assign(p_value=np.nan, p_holm=np.nan).to_csv(
        folder / "tested" / "scores.csv", index=False
    )
    made = answer_request(path, now=NOW)
    page = (made.folder / "transparency.md").read_text()
    assert "Burglary: 5 % of the area" in page
    assert "31.2%" in page
    assert "Drugs" not in page
    assert "No backtest goes with this layer" not in page
    assert "| decile 1 | 90 | 44 % (35 % to 55 %) | 1.21 |" in page
    assert "| decile 9 | withheld | withheld | 1.21 |" in page
    assert "no model has seen them" in page


def test_a_folder_is_answered_once_and_taken_up_again(folder: Path) -> None:
    ask(folder, "a")
    ask(folder, "b", date="2024-01-05")
    ask(folder, "c")
    first = answer_folder(folder, now=NOW)
    assert [one.state for one in first] == ["answered", "refused", "answered"]
    assert "the shift ended" in (folder / "b.error.txt").read_text()
    (folder / "c" / "manifest.json").unlink()  # as if it had been another's: it is not replaced
    written = (folder / "a" / "map.html").stat().st_mtime_ns
    ask(folder, "b")
    second = answer_folder(folder, now=NOW)
    assert [one.state for one in second] == ["answered before", "answered", "refused"]
    assert (folder / "a" / "map.html").stat().st_mtime_ns == written
    assert not (folder / "b.error.txt").exists()


def test_a_changed_request_is_answered_anew(folder: Path) -> None:
    ask(folder, "a")
    answer_folder(folder, now=NOW)
    ask(folder, "a", cover="cells = 4\npatrols = 1")
    assert [one.state for one in answer_folder(folder, now=NOW)] == ["answered"]
    said = json.loads((folder / "a" / "manifest.json").read_text())
    assert said["recipe"]["cover"]["cells"] == 4


def test_what_is_no_answer_is_never_replaced_and_nothing_is_left_beside_it(folder: Path) -> None:
    path = ask(folder)
    (folder / "late").mkdir()
    (folder / "late" / "diary.txt").write_text("mine")
    with pytest.raises(InputError, match="late is there already and holds no answer"):
        answer_request(path, now=NOW)
    left = {one.name for one in folder.iterdir()}
    assert left == {"times.csv", "months.csv", "areas.gpkg", "late.toml", "late"}
    assert (folder / "late" / "diary.txt").read_text() == "mine"


def test_the_command_line_answers_and_marks(folder: Path) -> None:
    path = ask(folder)
    run = CliRunner()
    done = run.invoke(app, ["patrol", str(path), "--today", "2025-07-01", "--cells", "6", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)[0]["cells"] == 6
    marked = ["patrol", "mark", str(folder / "late"), "B1", "--because", "closed", "--by", "A"]
    assert run.invoke(app, marked).exit_code == 0
    assert read_marks(folder / REGISTER)[0].stop == "B1"


def test_what_the_organisation_says_stands_in_the_record_of_the_standard(folder: Path) -> None:
    path = ask(folder)
    path.write_text(path.read_text() + '[organisation]\nteam = "Analysis of the force"\n')
    made = answer_request(path, now=NOW)
    for name in ("atrs.md", "atrs.json"):
        text = (made.folder / name).read_text(encoding="utf-8")
        assert "Analysis of the force" in text, name
        assert "2.1.3 Senior responsible owner" in text, name


def test_streets_that_are_named_order_the_visits_and_say_so(folder: Path) -> None:
    side = 250 * SIDE
    teeth = [shapely.LineString([(600_125 + 250 * k, 400_000), (600_125 + 250 * k, 403_000)])
             for k in range(SIDE)]  # fmt: skip
    base = [shapely.LineString([(600_125 + 250 * k, 400_000), (600_375 + 250 * k, 400_000)])
            for k in range(SIDE - 1)]  # fmt: skip
    streets = gpd.GeoDataFrame(geometry=teeth + base, crs=27700)
    pyogrio.write_dataframe(streets, folder / "streets.gpkg")
    path = ask(folder)
    plain = answer_request(path, now=NOW)
    path.write_text('streets = "streets.gpkg"\n' + path.read_text())
    made = answer_request(path, now=NOW)
    assert "along the streets of streets.gpkg" in made.facts.visiting
    assert made.facts.visiting in made.release.notes
    assert sorted(made.facts.flagged) == sorted(plain.facts.flagged)
    assert made.facts.flagged != plain.facts.flagged
    assert "streets" in {one.role for one in made.facts.sources}
    pyogrio.write_dataframe(streets.translate(2 * side * 10, 0).to_frame("geometry"),
                            folder / "streets.gpkg")  # fmt: skip
    with pytest.raises(UnmatchedError, match=r"none of the 23 lines of streets.gpkg"):
        answer_request(path, now=NOW)
    path.write_text(path.read_text().replace("streets.gpkg", "times.csv"))
    with pytest.raises(FileFormatError, match=r"streets: times.csv holds no lines"):
        answer_request(path, now=NOW)


CENSUS = """
[[census]]
file = "ethnicity.csv"
[[census]]
file = "tenure.csv"
name = "tenure"
columns = ["Owned", "Rented"]
counted = "households"
"""


def ask_with_census(folder: Path, more: str = "", **swaps: str) -> Path:
    """Ask for a layer audited by census groups: one of few residents among them."""
    groups = {"White": (10000, 4000), "Asian": (3000, 9000), "Mixed": (1000, 1000), "Other": (4, 0)}
    rows = [f"{code},{group},{numbers[k]}"
            for k, code in enumerate(("E01900001", "E01900002"))
            for group, numbers in groups.items()]  # fmt: skip
    (folder / "ethnicity.csv").write_text("\n".join(["LSOA21CD,ethnic_group,n", *rows]))
    (folder / "tenure.csv").write_text(
        "LSOA21CD,Owned,Rented\nE01900001,5000,1000\nE01900002,2000,4000\n"
    )
    return ask_with_people(folder, CENSUS + more, **swaps)


def scores_in(folder: Path) -> bytes:
    """Return what the model expects of each cell, by the request of a folder."""
    request = read_request(folder / "late.toml")
    fitted = fit_place(request, read_place(request, folder=folder), folder=folder)
    return expect(request, fitted.fitted).tobytes()


def test_census_composition_is_audited_and_reaches_no_model(folder: Path) -> None:
    plain = answer_request(ask_with_people(folder), now=NOW)
    cells, stops = ((plain.folder / name).read_bytes() for name in ("grid_250.csv", "patrols.gpx"))
    scores = scores_in(folder)
    facts = dict(plain.facts.parameters), plain.facts.flagged, plain.facts.because
    shutil.rmtree(plain.folder)
    (folder / BURDENS).unlink()
    made = answer_request(ask_with_census(folder), now=NOW)
    assert (made.folder / "grid_250.csv").read_bytes() == cells
    now, before = (one.facts.audited.encode() for one in (made, plain))
    assert (made.folder / "patrols.gpx").read_bytes().replace(now, before) == stops
    assert scores_in(folder) == scores
    assert (dict(made.facts.parameters), made.facts.flagged, made.facts.because) == facts
    told = json.loads((made.folder / "transparency.json").read_text())
    kinds = [KIND, "ethnic group", "tenure of households"]
    assert list(told["audit"]["burdens"]) == kinds
    rows = {row["group"]: row for row in told["audit"]["burdens"]["ethnic group"]}
    assert set(rows) == {"White", "Asian", "Mixed + Other"}
    assert all(row["lower"] <= row["burden_ratio"] <= row["upper"] for row in rows.values())
    assert all(row["flagged_residents"] % 5 == 0 for row in rows.values())
    assert made.facts.audited in made.release.notes
    for name in ("map.html", "patrols.kml"):
        assert "ethnicity.csv" in (made.folder / name).read_text(), name
    page = (made.folder / "transparency.md").read_text()
    assert "Burden by ethnic group" in page
    assert "Share of flagged households" in page
    assert "ethnic group, for the audit alone" in page
    for name in ("atrs.md", "atrs.json"):
        text = (made.folder / name).read_text()
        assert "Burden ratio by ethnic group (95 % interval): White 1.00 (" in text, name
        assert "this layer by deprivation decile, ethnic group, tenure of households." in text, name
    checked = [made.folder / name for name in sorted(RECORD)]
    assert [one.file for one in verify_files(checked, today=NOW.date()) if not one.passed] == []


def test_the_burden_of_census_groups_is_followed_and_withdraws_a_layer(folder: Path) -> None:
    answer_request(ask_with_census(folder), now=NOW)
    series = {one["series"] for one in json.loads((folder / BURDENS).read_text())["releases"]}
    assert {one.rpartition(", by ")[2] for one in series} == {
        KIND, "ethnic group", "tenure of households",
    }  # fmt: skip
    later = NOW + dt.timedelta(days=1)
    one_half = "cells = 4\npatrols = 1"
    with pytest.raises(WithdrawnError, match=r"of (White|Asian) has risen") as caught:
        answer_request(ask_with_census(folder, cover=one_half), now=later)
    assert len(caught.value.reasons) >= 2
    loose = ask_with_census(folder, "[triggers]\nmost_rise = 2\n", cover=one_half)
    made = answer_request(loose, now=later)
    drift = json.loads((made.folder / "transparency.json").read_text())["audit"]["drifts"]
    assert list(drift) == [KIND, "ethnic group", "tenure of households"]
    assert {"group", "2025-07-01", "this release", "change"} == set(drift["ethnic group"][0])
    assert (
        "Burden by ethnic group, release by release"
        in (made.folder / "transparency.md").read_text()
    )
    assert "Change by ethnic group since the first release" in (made.folder / "atrs.md").read_text()


def test_a_record_into_which_a_small_group_is_put_is_refused(folder: Path) -> None:
    made = answer_request(ask_with_census(folder), now=NOW)
    path = made.folder / "transparency.json"
    told = json.loads(path.read_text())
    told["audit"]["burdens"]["ethnic group"].append({"group": "Other", "residents": 4})
    path.write_text(json.dumps(told))
    verdict = verify_files([path], today=NOW.date())[0]
    assert any("number of residents under 5" in breach.what for breach in verdict.breaches)


def test_a_census_table_that_cannot_be_used_leaves_nothing_behind(folder: Path) -> None:
    path = ask_with_census(folder)
    path.write_text(path.read_text().replace('"Owned", "Rented"', '"Owned", "Rentd"'))
    with pytest.raises(ColumnError, match=r"tenure.csv has no column Rentd. Did you mean Rented"):
        answer_request(path, now=NOW)
    assert not (folder / "late").exists()

"""Records from one file or several: nothing is counted twice, and a rate is over the right time."""

from __future__ import annotations

import datetime as dt
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from placeshaping import PlaceshapingError
from placeshaping.disclosure.release import Release
from placeshaping.project.gather import gather
from placeshaping.project.protect import protect_gathered
from placeshaping.project.recipe import make_recipe

MakeRecipe = Callable[..., dict[str, Any]]
DAY = dt.date(2026, 1, 31)


def released(recipe: dict[str, Any], folder: Path) -> Release:
    made = make_recipe({**recipe, "policy": "internal"})
    return protect_gathered(made, gather(made, folder=folder), made_on=DAY)


def whole(made: Release, category: str) -> pd.DataFrame:
    return made.tables["district"].view(period=made.periods[0].label, category=category)


def months_of(source: Path, target: Path, keep: Callable[[str], bool]) -> str:
    old = zipfile.ZipFile(source)
    with old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            if keep(name[:7]):
                new.writestr(name, old.read(name))
    return str(target)


def test_rate_of_a_category_does_not_depend_on_which_others_are_asked_for(
    district_folder: Path, recipe: MakeRecipe
) -> None:
    """A month without a robbery is zero, not missing."""
    everything = released(recipe(), district_folder)
    rare = min(
        everything.categories[1:], key=lambda c: whole(everything, c.label)["count"].iloc[0]
    ).label
    alone = released(recipe(**{"records.categories": [rare]}), district_folder)
    assert alone.periods == everything.periods
    assert whole(alone, rare)["rate"].tolist() == whole(everything, rare)["rate"].tolist()


def test_total_is_called_all_only_where_nothing_was_left_out(
    district_folder: Path, recipe: MakeRecipe
) -> None:
    chosen = {"records.categories": ["Burglary", "Robbery"]}
    assert released(recipe(), district_folder).categories[0].label == "All recorded crime"
    made = released(recipe(**chosen), district_folder)
    assert made.categories[0].label == "Burglary and robbery"
    named = released(recipe(**chosen, **{"show.total": "Two offences"}), district_folder)
    assert named.categories[0].label == "Two offences"


def test_category_filter_of_services_is_checked_and_told(
    district_folder: Path, recipe: MakeRecipe
) -> None:
    records = {"file": "fly_tipping.csv", "sensitivity": "personal"}
    everything = released(recipe(records=records), district_folder)
    wanted = everything.categories[-1].label
    made = released(recipe(records={**records, "categories": [wanted]}), district_folder)
    assert any("of other months or categories" in note for note in made.notes)
    assert whole(made, wanted)["rate"].tolist() == whole(everything, wanted)["rate"].tolist()
    with pytest.raises(PlaceshapingError, match="Typo"):
        released(recipe(records={**records, "categories": [wanted, "Typo"]}), district_folder)


def test_overlapping_downloads_are_not_counted_twice(
    district_folder: Path, recipe: MakeRecipe, tmp_path: Path
) -> None:
    source = district_folder / "crime.zip"
    early = months_of(source, tmp_path / "early.zip", lambda month: month <= "2023-12")
    late = months_of(source, tmp_path / "late.zip", lambda month: month >= "2023-06")
    rest = months_of(source, tmp_path / "rest.zip", lambda month: month > "2023-12")
    twice = recipe(records=[{"file": early}, {"file": late}])
    with pytest.raises(PlaceshapingError, match=r"early\.zip and late\.zip hold the same records"):
        released(twice, district_folder)
    same = recipe(records=[{"file": "crime.zip"}, {"file": "crime.zip"}])
    with pytest.raises(PlaceshapingError, match=r"hold the same records"):
        released(same, district_folder)
    parts = released(recipe(records=[{"file": early}, {"file": rest}]), district_folder)
    once = released(recipe(records={"file": "crime.zip"}), district_folder)
    total = once.categories[0].label
    assert parts.periods == once.periods
    assert whole(parts, total)["count"].tolist() == whole(once, total)["count"].tolist()


def test_files_of_unlike_months_are_refused(district_folder: Path, recipe: MakeRecipe) -> None:
    records = [
        {"file": "crime.zip"},
        {"file": "fly_tipping.csv", "sensitivity": "open", "from": "2024-01", "to": "2024-03"},
    ]
    with pytest.raises(PlaceshapingError, match=r"unlike months.*2024-01 to 2024-03, 3 months"):
        released(recipe(records=records), district_folder)


def test_records_of_a_service_are_personal_unless_said_otherwise(
    district_folder: Path, recipe: MakeRecipe, tmp_path: Path
) -> None:
    other = tmp_path / "other.csv"
    text = (district_folder / "fly_tipping.csv").read_text(encoding="utf-8")
    other.write_text(text.replace("mattress", "bed"), encoding="utf-8")
    records = [{"file": "fly_tipping.csv"}, {"file": str(other)}]
    with pytest.raises(PlaceshapingError, match="only with 'lawful_basis' and 'dpia'"):
        released(recipe(records=records), district_folder)


def test_areas_of_a_force_without_records_are_missing_and_strays_are_told(
    district_folder: Path, recipe: MakeRecipe, tmp_path: Path
) -> None:
    lookup = pd.read_csv(district_folder / "lookup_lsoa21_msoa21_ward_district.csv")
    msoas = sorted(lookup["MSOA21CD"].unique())
    theirs = lookup["MSOA21CD"].isin(msoas[: len(msoas) // 2])
    lookup["PFA24CD"] = theirs.map({True: "E23900001", False: "E23900002"})
    lookup["PFA24NM"] = theirs.map({True: "Fenmarch", False: "Elsewhere"})
    file = tmp_path / "lookup.csv"
    lookup.to_csv(file, index=False)
    made = released(recipe(**{"areas.lookups": [str(file)]}), district_folder)
    view = made.tables["msoa"].view(period=made.periods[0].label, category=made.categories[0].label)
    status = view["status"]
    assert (status[msoas[: len(msoas) // 2]] == "shown").all()
    assert (status[msoas[len(msoas) // 2 :]] == "missing").all()
    assert "district" not in made.levels
    assert any("cover none of its areas whole" in sentence for sentence in made.statement)
    assert any("areas that the records do not cover" in note for note in made.notes)
    assert made.deprivation is not None
    covered = made.tables["lsoa"].areas.loc[lookup.loc[theirs, "LSOA21CD"]]
    sizes = made.deprivation.values.groupby(["period", "category"], observed=True)["areas"].sum()
    assert set(sizes) == {len(covered)}


def test_statistics_and_denominators_are_chosen_by_the_recipe(
    district_folder: Path, recipe: MakeRecipe
) -> None:
    changes = {
        "show.statistics": ["rates"],
        "show.denominators": {"Burglary": "residents", "Drugs": "none"},
    }
    made = released(recipe(**changes), district_folder)
    assert made.deprivation is None
    assert "cluster" not in made.tables["lsoa"].values
    over = {view.label: view.denominator for view in made.categories}
    assert over["Burglary"] == "residents"
    assert over["Drugs"] is None
    assert whole(made, "Drugs")["rate"].isna().all()
    without = released(recipe(**{"show.statistics": ["hot_spots"]}), district_folder)
    assert all(view.denominator is None for view in without.categories)
    wrong = recipe(**{"show.denominators": {"Burglery": "residents"}})
    with pytest.raises(PlaceshapingError, match="Did you mean Burglary"):
        released(wrong, district_folder)


def test_boundaries_named_as_records_are_refused_in_words(
    district_folder: Path, recipe: MakeRecipe
) -> None:
    areas = recipe()["areas"]["file"]
    with pytest.raises(PlaceshapingError, match=r"no row has a date.*named under \[areas\]"):
        released(recipe(**{"records.file": areas}), district_folder)

"""Census tables for the audit of a patrol layer: what is read, tagged, and refused."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from placeshaping._core.columns import column_tags, refuse_tagged
from placeshaping._core.errors import (
    ColumnError,
    DuplicateError,
    EmptyError,
    RecipeError,
    UnmatchedError,
    VintageError,
)
from placeshaping.likelihood.fairness import burden_drift
from placeshaping.project.patrol_census import read_census
from placeshaping.project.patrol_request import make_request
from placeshaping.project.patrol_sections import Census
from placeshaping.reports.burden_floor import FEWEST_RESIDENTS, together
from placeshaping.reports.layer_audit import audit_layer, decide

CODES = ["E01000001", "E01000002", "E01000003"]
GROUPS = {"White": [800, 400, 10], "Asian": [100, 500, 40], "Mixed": [60, 0, 30]}


@pytest.fixture
def areas() -> gpd.GeoDataFrame:
    shapes = [box(k, 0, k + 1, 1) for k in range(3)]
    table = gpd.GeoDataFrame(geometry=shapes, index=pd.Index(CODES, name="area_code"), crs=27700)
    table.attrs["vintage"] = "2021"
    return table


def long_table(folder: Path, **changes: Any) -> str:
    rows = [(code, 999, group, numbers[k])
            for group, numbers in GROUPS.items() for k, code in enumerate(CODES)]  # fmt: skip
    table = pd.DataFrame(rows, columns=["LSOA21CD", "total_residents", "ethnic_group", "n"])
    table.assign(**changes).to_csv(folder / "ethnicity.csv", index=False)
    return "ethnicity.csv"


def wide_table(folder: Path) -> str:
    table = pd.DataFrame(GROUPS, index=pd.Index(CODES, name="LSOA21CD"))
    table.assign(All=table.sum(axis=1)).to_csv(folder / "wide.csv")
    return "wide.csv"


def test_a_long_table_needs_nothing_but_its_name(tmp_path: Path, areas: gpd.GeoDataFrame) -> None:
    kind, people = read_census(Census(file=long_table(tmp_path)), areas, folder=tmp_path)
    assert kind == "ethnic group"
    assert people.to_dict("list") == GROUPS
    assert list(people.index) == CODES


def test_a_wide_table_says_the_same(tmp_path: Path, areas: gpd.GeoDataFrame) -> None:
    given = Census(file=wide_table(tmp_path), name="ethnic group", columns=list(GROUPS))
    kind, people = read_census(given, areas, folder=tmp_path)
    assert kind == "ethnic group"
    assert people.to_dict("list") == GROUPS


def test_no_model_takes_a_column_of_it(tmp_path: Path, areas: gpd.GeoDataFrame) -> None:
    _, people = read_census(Census(file=long_table(tmp_path)), areas, folder=tmp_path)
    assert column_tags(people) == dict.fromkeys(GROUPS, "audit_only")
    with pytest.raises(ColumnError, match="'White' is tagged 'audit_only'"):
        refuse_tagged(people, people.columns, purpose="a model")


def test_a_table_that_counts_households_says_so(tmp_path: Path, areas: gpd.GeoDataFrame) -> None:
    name = long_table(tmp_path)
    text = (tmp_path / name).read_text().replace("total_residents", "total_households")
    (tmp_path / name).write_text(text.replace("ethnic_group", "tenure"))
    kind, _ = read_census(Census(file=name), areas, folder=tmp_path)
    assert kind == "tenure of households"


def test_groups_are_put_together_and_left_out(tmp_path: Path, areas: gpd.GeoDataFrame) -> None:
    name = long_table(tmp_path)
    given = Census(file=name, sums={"Other than White": ["Asian", "Mixed"]})
    _, people = read_census(given, areas, folder=tmp_path)
    assert people["Other than White"].tolist() == [160, 500, 70]
    _, people = read_census(Census(file=name, without=["Mixed"]), areas, folder=tmp_path)
    assert list(people) == ["White", "Asian"]


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"category": "ethnic_grup"}, "no column ethnic_grup. Did you mean ethnic_group"),
        ({"count": "m"}, "no column m"),
        ({"without": ["Mixd"]}, "no group Mixd. Did you mean Mixed"),
        ({"sums": {"A": ["Asain", "Mixed"]}}, "no group Asain. Did you mean Asian"),
        ({"count": "ethnic_group"}, "9 values of 'ethnic_group' are no counts"),
        ({"name": "xx", "columns": ["n"]}, "3 areas stand more than once"),
        ({"category": "total_residents"}, "6 rows repeat an area and a group"),
    ],
)
def test_a_wrong_column_or_group_is_told_with_near_names(
    tmp_path: Path, areas: gpd.GeoDataFrame, keys: dict[str, Any], told: str
) -> None:
    given = Census(file=long_table(tmp_path), **keys)
    with pytest.raises((ColumnError, DuplicateError), match=told):
        read_census(given, areas, folder=tmp_path)


def test_a_wide_table_must_name_its_columns(tmp_path: Path, areas: gpd.GeoDataFrame) -> None:
    name = wide_table(tmp_path)
    with pytest.raises(ColumnError, match=r"does not say by itself what its groups are"):
        read_census(Census(file=name), areas, folder=tmp_path)
    with pytest.raises(ColumnError, match=r"no column Whit\. Did you mean White"):
        read_census(Census(file=name, name="x y", columns=["Whit"]), areas, folder=tmp_path)
    whole = Census(file=name, name="ethnic group", columns=[*GROUPS, "All"])
    with pytest.raises(ColumnError, match="'All' is the sum of all other groups"):
        read_census(whole, areas, folder=tmp_path)


def test_areas_that_are_missing_are_told(tmp_path: Path, areas: gpd.GeoDataFrame) -> None:
    name = long_table(tmp_path)
    lines = (tmp_path / name).read_text().splitlines()
    (tmp_path / name).write_text("\n".join(one for one in lines if CODES[2] not in one))
    with pytest.raises(UnmatchedError, match=r"ethnicity.csv lacks 1 of 3 areas \(E01000003\)"):
        read_census(Census(file=name), areas, folder=tmp_path)


def test_a_table_of_another_census_year_is_refused(tmp_path: Path, areas: gpd.GeoDataFrame) -> None:
    name = long_table(tmp_path)
    text = (tmp_path / name).read_text().replace("LSOA21CD", "LSOA11CD")
    (tmp_path / name).write_text(text.replace(CODES[2], "E01000009"))
    with pytest.raises(VintageError, match=r"ethnicity.csv is of 2011, the areas are of 2021"):
        read_census(Census(file=name), areas, folder=tmp_path)


def test_a_district_in_which_nobody_is_counted_is_told(
    tmp_path: Path, areas: gpd.GeoDataFrame
) -> None:
    with pytest.raises(EmptyError, match="counts nobody in the district"):
        read_census(Census(file=long_table(tmp_path, n=0)), areas, folder=tmp_path)


@pytest.mark.parametrize(
    ("census", "told"),
    [
        ({"file": "a.csv", "colums": ["A"]}, r"census.colums.*did you mean columns"),
        ({"file": "a.csv", "columns": ["A", "B"]}, "say what the columns tell apart"),
        ({"file": "a.csv", "columns": ["A"], "category": "b"}, "not both"),
        ({"file": "a.csv", "sums": {"x": ["A"], "y": ["A"]}}, "A would count twice"),
        ({"file": "a.csv", "category": "n"}, "cannot be both"),
        ({"name": "age"}, "census.file: this key is needed"),
    ],
)
def test_a_wrong_key_of_the_section_is_told(census: dict[str, Any], told: str) -> None:
    given = {"purpose": "P.", "decides": "A", "shift": {"date": "2026-11-22"},
             "offences": {"names": "Burglary"}, "cover": {"share": 0.1},
             "records": {"file": "a.csv"}, "areas": {"file": "b.gpkg"}}  # fmt: skip
    with pytest.raises(RecipeError, match=told):
        make_request({**given, "census": census})


def audited(flagged: list[float], former: Any = None) -> Any:
    people = pd.DataFrame(GROUPS, index=CODES, dtype=float)
    people["Other"] = [3.0, 0.0, 0.0]
    people.attrs["column_tags"] = dict.fromkeys(people.columns, "audit_only")
    part = pd.DataFrame({"now": flagged}, index=CODES)
    return audit_layer(part, {"ethnic group": people}, former={"ethnic group": former or {}})


def test_no_group_of_few_stands_alone_and_numbers_are_rounded() -> None:
    table = audited([0.5, 0.3, 0.0]).burdens["ethnic group"]
    assert list(table.index) == ["White", "Asian", "Mixed + Other"]
    numbers = table[["residents", "flagged_residents"]].to_numpy()
    assert ((numbers == 0) | (numbers >= FEWEST_RESIDENTS)).all()
    assert (numbers % 5 == 0).all()
    share = table["residents"] / table["residents"].sum()
    flagged = table["flagged_residents"] / table["flagged_residents"].sum()
    np.testing.assert_allclose(table["burden_ratio"], flagged / share)
    assert (table["lower"] <= table["burden_ratio"]).all()
    assert (table["burden_ratio"] <= table["upper"]).all()


@pytest.mark.parametrize("seed", range(20))
def test_what_is_put_together_is_never_few(seed: int) -> None:
    rng = np.random.default_rng(seed)
    residents = pd.Series(rng.geometric(0.01, 6).astype(float), list("abcdef"))
    flagged = (residents * rng.random(6)).round()
    labels = together(residents, flagged)
    sums = pd.DataFrame({"all": residents, "in": flagged}).groupby(labels).sum()
    few = ((sums > 0) & (sums < FEWEST_RESIDENTS)).any(axis=1)
    assert not few.any() or len(sums) == 1
    assert sums.sum().tolist() == [residents.sum(), flagged.sum()]


def test_a_group_is_followed_from_the_first_release_that_tells_of_it_alone() -> None:
    first = pd.DataFrame({"burden_ratio": [1.0, 0.9]}, index=["White", "Asian + Mixed"])
    then = pd.DataFrame({"burden_ratio": [1.1, 0.8]}, index=["White", "Asian"])
    now = pd.DataFrame({"burden_ratio": [1.2, 1.0, 1.5]}, index=["White", "Asian", "Mixed"])
    change = burden_drift({"a": first, "b": then, "now": now})["change"]
    assert change[["White", "Asian"]].round(6).tolist() == [0.2, 0.2]
    assert np.isnan(change["Mixed"])


def test_a_kind_that_is_new_is_said_to_be() -> None:
    audit = audited([0.5, 0.3, 0.0])
    told = decide(lift_upper=None, audit=audit, decided_on=dt.date(2026, 2, 3)).unmeasured
    assert "Change of burden: this is the first release that is kept." in told

"""Results that are not of areas, protected: summaries, streets, lists, and labels of tables."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from scipy import stats
from shapely import LineString, Point

from placeshaping._core.errors import ColumnError, DisclosureError, HiddenError, InputError
from placeshaping.disclosure._record_words import without_counts
from placeshaping.disclosure.own_policies import make_policy
from placeshaping.disclosure.records import Records, release_records, require_records
from placeshaping.disclosure.release import release
from placeshaping.hotspots.area_classes import label_change, label_dispersion, label_funnel
from placeshaping.hotspots.near_repeat import knox
from placeshaping.hotspots.repeat_risk import near_repeat_pairs
from placeshaping.hotspots.repeats import repeat_locations
from placeshaping.hotspots.streets import hot_streets
from placeshaping.hotspots.study import Study
from placeshaping.hotspots.time_of_day import temporal_profile
from placeshaping.statistics.change import change_between
from placeshaping.statistics.dispersion import change_dispersion
from placeshaping.statistics.funnel import funnel_limits

DAY = dt.date(2026, 1, 31)
LAST = dt.date(2026, 3, 31)
PROTECTING = ("public", "councillor", "nhs", "ons-10-5")


def released(result: pd.DataFrame, policy: Any = "public", **options: Any) -> Records:
    return release_records(result, policy=policy, title="A title", made_on=DAY, **options)


@pytest.fixture(scope="module")
def events() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    first = pd.DataFrame(rng.uniform(400_000, 402_000, (600, 2)), columns=["easting", "northing"])
    first["time"] = rng.integers(0, 200, 600)
    return pd.concat([first, first[:120].add([40, 30, 3])], ignore_index=True)


@pytest.fixture(scope="module")
def pairs(events: pd.DataFrame) -> pd.DataFrame:
    return knox(events, distances=[0, 100, 200], days=[0, 7, 14], permutations=99, same_place=False)


@pytest.fixture(scope="module")
def profile() -> pd.DataFrame:
    times = pd.date_range("2025-01-01", periods=900, freq="7h13min")
    busy = pd.date_range("2025-01-04 23:10", periods=35, freq="7D")
    return temporal_profile(pd.DataFrame({"time": times.append(busy)}), by="hour")


@pytest.fixture(scope="module")
def segments() -> gpd.GeoDataFrame:
    lines = [LineString([(0, y), (500, y)]) for y in range(0, 2000, 100)]
    names = [f"Lane {n}" for n in range(20)]
    streets = gpd.GeoDataFrame({"name": names, "keeper": range(20)}, geometry=lines, crs=27700)
    points = [Point(100, 805)] * 60 + [Point(9, 100 * n) for n in range(4)] + [Point(9, 300)] * 26
    return hot_streets(gpd.GeoDataFrame(geometry=points, crs=27700), streets, draws=19)


@pytest.fixture(scope="module")
def places() -> pd.DataFrame:
    days = pd.to_datetime(["2025-01-05", "2025-02-09", "2025-03-01"])
    noise = pd.DataFrame({"uprn": [10, 10, 11], "date": days})
    repairs = pd.DataFrame({"uprn": [10, 12], "date": days[:2]})
    return repeat_locations({"noise": noise, "repairs": repairs}, key="uprn")


def two_periods() -> tuple[pd.Series, pd.Series]:
    areas = pd.Index(["a", "b", "c", "d"], name="area_code")
    return pd.Series([10, 20, 30, 3], areas), pd.Series([60, 25, 22, 4], areas)


@pytest.mark.parametrize("policy", PROTECTING)
def test_pairs_are_rounded_and_none_that_few_records_make_is_shown(
    pairs: pd.DataFrame, policy: str
) -> None:
    records = released(pairs, policy)
    observed = records.table["observed"].astype(float)
    threshold = records.policy.threshold
    assert (observed % 5 == 0).all()
    assert observed.min() > (threshold - 1) * (threshold - 2) / 2
    assert (observed - pairs["observed"]).abs().max() <= 2.5


def test_ratios_come_from_the_rounded_numbers_and_limits_are_left_out(pairs: pd.DataFrame) -> None:
    table = released(pairs).table
    known = table["ratio"].notna()
    own = (table["observed"] / table["expected"]).astype(float)[known]
    assert known.any()
    assert (table["ratio"][known] - own).abs().max() <= 0.05 + 1e-9
    assert not {"lower", "upper", "p_value", "q_value"} & set(table)
    assert (table["expected"] % 5 == 0).all()


def test_cells_under_the_floor_are_hidden_with_all_that_tells_of_them(pairs: pd.DataFrame) -> None:
    few = pairs.copy()
    few.loc[0, "observed"] = 36  # nine records can make 36 pairs
    few.attrs = pairs.attrs
    row = released(few).table.iloc[0]
    assert row["status"] == "hidden"
    assert row[["observed", "expected", "ratio", "pattern"]].isna().all()
    assert released(few, "councillor").table.loc[0, "observed"] == 35


def test_expected_numbers_do_not_give_a_hidden_cell_back(pairs: pd.DataFrame) -> None:
    few = pairs.copy()
    few.loc[0, "observed"] = 36
    few.attrs = pairs.attrs
    table = released(few).table
    beside = (table["distance_band"] == table.loc[0, "distance_band"]) | (
        table["day_band"] == table.loc[0, "day_band"]
    )
    assert table.loc[beside, ["expected", "ratio"]].isna().all(axis=None)
    assert table.loc[~beside, "expected"].notna().all()


def test_one_hidden_hour_takes_another_with_it(profile: pd.DataFrame) -> None:
    gap = profile.copy()
    gap.loc[3, "count"], gap.loc[9, "count"] = 2, 11
    gap.attrs = profile.attrs
    assert released(gap).table.query("status == 'hidden'").index.tolist() == [3, 9]


def test_too_many_hidden_cells_are_refused_with_a_remedy(events: pd.DataFrame) -> None:
    thin = knox(events[:60], distances=[0, 150], days=[0, 7, 14], permutations=0)
    with pytest.raises(HiddenError, match=r"of 4 cells .* Take wider bands"):
        released(thin)


def test_index_and_interval_come_from_the_protected_counts(profile: pd.DataFrame) -> None:
    table = released(profile).table
    counts, hours = table["count"].to_numpy(dtype=float), table["hours"].to_numpy()
    assert (counts % 5 == 0).all()
    usual = hours * counts.sum() / hours.sum()
    np.testing.assert_allclose(table["index"], counts / usual, atol=0.0051)
    exact = stats.chi2.ppf(0.025, 2 * counts) / 2 / usual
    np.testing.assert_allclose(table["lower"], exact, atol=0.02)


def test_zero_is_shown_where_the_policy_shows_it(profile: pd.DataFrame) -> None:
    gap = profile.copy()
    gap.loc[3, "count"], gap.loc[4, "count"] = 0.0, 2.4
    gap.attrs = profile.attrs
    public, councillor = (released(gap, policy).table for policy in ("public", "councillor"))
    assert public.loc[[3, 4], "status"].tolist() == ["hidden", "hidden"]
    assert councillor.loc[[3, 4], "status"].tolist() == ["shown", "hidden"]
    assert (councillor["status"] == "hidden").sum() == 2
    assert councillor.loc[3, "count"] == 0


def test_no_total_stands_beside_hidden_cells(profile: pd.DataFrame) -> None:
    gap = profile.copy()
    gap.loc[3, "count"] = 2
    gap.attrs = {**profile.attrs, "cautions": ("3 of 935 events have no time and are left out.",)}
    records = released(gap)
    words = " ".join([records.paragraph, *records.statement, *records.cautions, records.method])
    shown = int(records.table["count"].sum())
    assert "935" not in words
    assert f"about {shown:,}" in words
    assert records.cautions == ("Some events have no time and are left out.",)


def test_two_periods_leave_as_two_protected_counts() -> None:
    change = change_between(*two_periods())
    records = released(change, "councillor")
    assert records.table["count"].tolist() == [65, 110]
    assert "from about 65 to about 110" in records.paragraph
    drivers = released(change_dispersion(*two_periods()), "councillor")
    assert "1 of 4 areas is enough" in drivers.paragraph
    with pytest.raises(HiddenError, match="1 of 2 cells"):
        released(change_between(*(part / 10 for part in two_periods())), "public")


def test_police_get_classes_and_ranks(profile: pd.DataFrame, pairs: pd.DataFrame) -> None:
    options = {"purpose": "Night shift", "expires": LAST}
    for result in (profile, pairs, change_between(*two_periods())):
        table = released(result, "police", **options).table
        assert {"class", "rank"} <= set(table)
        assert not {"count", "observed", "expected", "ratio", "index", "lower"} & set(table)


@pytest.mark.parametrize("policy", ["public", "councillor"])
def test_streets_leave_as_classes_in_the_order_of_the_file(
    segments: gpd.GeoDataFrame, policy: str
) -> None:
    table = released(segments, policy, street="name").table
    assert list(table) == ["segment", "street", "length_km", "class", "geometry"]
    assert table["segment"].tolist() == [str(n) for n in segments.index]
    under = segments["count"] < 10
    assert (table.loc[under.to_numpy(), "class"] == 1).all()
    assert table.loc[8, "class"] > table.loc[3, "class"] > 1


def test_officers_get_the_rank_of_streets_above_the_floor(segments: gpd.GeoDataFrame) -> None:
    table = released(segments, "police", purpose="Patrol", expires=LAST).table
    assert table["rank"].dropna().to_dict() == {3: 2, 8: 1}  # zeros and ones have none
    assert "count" not in table


def test_special_records_raise_the_floor_of_classes(segments: gpd.GeoDataFrame) -> None:
    records = released(segments, "councillor", sensitivity="special")
    assert records.classes.startswith("1 is under 10")
    assert released(segments, "public", sensitivity="special").classes.startswith("1 is under 25")


def test_restricted_streets_are_as_they_are(segments: gpd.GeoDataFrame) -> None:
    records = released(segments, "restricted", purpose="Patrol", expires=LAST)
    assert records.table["count"].tolist() == segments["count"].tolist()
    assert "Restricted: for named officers only." in records.statement
    assert any("31 March 2026" in sentence for sentence in records.statement)


@pytest.mark.parametrize("policy", ["public", "councillor", "police", "nhs"])
def test_lists_leave_for_named_officers_alone(places: pd.DataFrame, policy: str) -> None:
    options = {"purpose": "Visits", "expires": LAST, "lawful_basis": "Crime and Disorder Act"}
    with pytest.raises(DisclosureError, match="Use policy='restricted' with a purpose"):
        released(places, policy, **options)
    records = released(places, "restricted", **options)
    assert records.kind == "list"
    assert records.table["place"].tolist() == ["10"]


def test_lists_need_purpose_last_day_and_basis(places: pd.DataFrame) -> None:
    with pytest.raises(DisclosureError, match="needs a purpose"):
        released(places, "restricted")
    with pytest.raises(DisclosureError, match="last day"):
        released(places, "restricted", purpose="Visits")
    with pytest.raises(DisclosureError, match="lawful_basis"):
        released(places, "restricted", purpose="Visits", expires=LAST)
    assert released(places, "internal", lawful_basis="Consent").policy.stamp


def test_published_records_make_no_list_for_everybody(events: pd.DataFrame) -> None:
    listed = near_repeat_pairs(events[:50])
    options = {"sensitivity": "open", "already_published": "https://data.police.uk"}
    with pytest.raises(DisclosureError, match="lets out no list"):
        released(listed, "open", **options)


def test_personal_columns_are_not_open(places: pd.DataFrame) -> None:
    with pytest.raises(DisclosureError, match="tagged personal"):
        released(places, "internal", sensitivity="open", lawful_basis="Consent")


def test_a_policy_looser_than_the_records_is_refused(profile: pd.DataFrame) -> None:
    with pytest.raises(DisclosureError, match="publishes the counts as they are"):
        released(profile, "open")


def test_a_policy_that_works_by_cell_keys_is_refused(profile: pd.DataFrame) -> None:
    rules = {"name": "ours", "base": "councillor", "method": "cell_key", "rounding": 1}
    own = make_policy({**rules, "loosen": ["rounding"]})
    with pytest.raises(DisclosureError, match="protected by hiding and rounding"):
        released(profile, own)


def test_records_are_sealed(profile: pd.DataFrame) -> None:
    records = released(profile)
    with pytest.raises(DisclosureError, match="release_records"):
        dataclasses.replace(records, title="Other")
    assert require_records(records, wanted_by="a test") is records
    records.table.loc[0, "count"] = 3
    with pytest.raises(DisclosureError, match="changed after they were made"):
        require_records(records, wanted_by="a test")


def test_the_input_stays_as_it_is(profile: pd.DataFrame, segments: gpd.GeoDataFrame) -> None:
    for result in (profile, segments):
        before = result.copy(deep=True)
        released(result)
        pd.testing.assert_frame_equal(pd.DataFrame(result), pd.DataFrame(before))


def test_an_unknown_table_is_refused() -> None:
    with pytest.raises(DisclosureError, match="none that leaves as records"):
        released(pd.DataFrame({"a": [1]}))


def test_a_column_of_names_must_be_there(segments: gpd.GeoDataFrame) -> None:
    with pytest.raises(ColumnError, match="nowhere"):
        released(segments, street="nowhere")


def test_release_names_the_function_for_a_table(
    profile: pd.DataFrame, places: pd.DataFrame
) -> None:
    change = change_between(*two_periods())
    funnel = funnel_limits(*two_periods())
    for given, remedy in (
        (profile, r"release_records\("),
        (places, r"release_records\("),
        (change, r"release_records.*label_change"),
        (funnel, r"label_funnel"),
        (pd.DataFrame({"count": [3]}), "analyse"),
    ):
        with pytest.raises(DisclosureError, match=remedy):
            release(given, policy="public", title="A title", made_on=DAY)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sentence", "told"),
    [
        ("1,234 of 5,000 events share their coordinates with another (12 places).",
         "Some events share their coordinates with another."),
        ("3 events are as near to two segments or more.",
         "Some events are as near to two segments or more."),
        ("In 3 of 30 bands less than one pair is expected.",
         "In 3 of 30 bands less than one pair is expected."),
    ],
)  # fmt: skip
def test_counts_are_taken_out_of_cautions(sentence: str, told: str) -> None:
    assert without_counts(sentence) == told


def test_tables_by_area_become_labels_of_a_release(make_study: Callable[..., Study]) -> None:
    study = make_study(mean=40.0)
    codes = study.ladder.areas["lsoa"].index
    rng = np.random.default_rng(1)
    before, after = (pd.Series(rng.poisson(mean, len(codes)), codes) for mean in (20, 30))
    labels = (
        label_change({"lsoa": change_between(before, after)}),
        label_funnel({"lsoa": funnel_limits(after, pd.Series(1500.0, codes))}),
        label_dispersion({"lsoa": change_dispersion(before, after)}),
    )
    made = release(study.with_labels(*labels), policy="public", title="A title", made_on=DAY)
    assert [one.name for one in made.labels] == ["change", "funnel", "drivers"]
    table = made.table("lsoa")
    assert table["change"].notna().any()
    assert not [name for name in table if str(name).startswith(("change_", "funnel_"))]
    assert "per 1,000" not in made.labels[1].method


def test_labels_refuse_what_is_no_such_table() -> None:
    with pytest.raises(ColumnError, match="change"):
        label_change({"lsoa": funnel_limits(*two_periods())})
    with pytest.raises(InputError, match="Give a table"):
        label_funnel({})

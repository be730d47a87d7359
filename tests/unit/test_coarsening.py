"""How finely time and categories are shown."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from placeshaping._core.errors import InputError
from placeshaping.areas.ladder import Ladder, make_ladder
from placeshaping.disclosure.coarsening import (
    GROUP_COST,
    POLICE_GROUPS,
    TIME_COST,
    TOTAL_COST,
    Detail,
    choose_detail,
)
from placeshaping.disclosure.policies import policy_named
from placeshaping.hotspots.study import analyse
from placeshaping.sources.offences import CATEGORIES

PUBLIC = policy_named("public")
CODES = pd.Index(["E01900001", "E01900002", "E01900003"], name="area_code")


def places() -> Ladder:
    squares = shapely.box(np.arange(3), 0, np.arange(3) + 1, 1)
    areas = gpd.GeoDataFrame({"area_name": list("abc")}, geometry=squares, index=CODES, crs=27700)
    return make_ladder(areas)


def monthly(count: int, *categories: str, months: int = 24) -> pd.DataFrame:
    """Return the same count for every area, month and category."""
    keys = pd.MultiIndex.from_product(
        [CODES, pd.date_range("2024-01-01", periods=months, freq="MS"), categories],
        names=["area_code", "period", "category"],
    )
    return pd.DataFrame({"count": count}, index=keys).reset_index()


def chosen(counts: pd.DataFrame, **options: Any) -> tuple[str, str]:
    detail = choose_detail(counts, places(), policy=options.pop("policy", PUBLIC), **options)
    row = detail.candidates[detail.candidates["chosen"]]
    assert len(row) == 1
    assert row["by"].iloc[0] == detail.by
    return detail.by, str(row["categories"].iloc[0])


def test_what_passes_is_shown_as_asked_for() -> None:
    assert chosen(monthly(10, "Burglary", "Robbery")) == ("month", "two categories")


def test_time_is_coarsened_as_far_as_needed_and_no_further() -> None:
    assert chosen(monthly(4, "Burglary", "Robbery")) == ("quarter", "two categories")
    assert chosen(monthly(1, "Burglary", "Robbery")) == ("year", "two categories")


def test_what_was_asked_for_is_the_finest() -> None:
    assert chosen(monthly(10, "Burglary", "Robbery"), by="year") == ("year", "two categories")
    own = {"Mine": ["Burglary", "Robbery"]}
    counts = monthly(10, "Burglary", "Robbery", "Drugs")
    assert chosen(counts, by="year", groups=own) == ("year", "two groups")


def test_categories_go_to_groups_before_they_are_given_up() -> None:
    counts = monthly(1, *CATEGORIES, months=12)
    counts["count"] = (counts["period"].dt.month <= 8).astype(int)  # 8 a year, 16 and more a group
    assert chosen(counts, by="year") == ("year", "five groups")


def test_total_stands_alone_where_even_groups_are_too_small() -> None:
    counts = monthly(0, *CATEGORIES[:6])
    counts.loc[counts["period"] == "2024-01-01", "count"] = 2
    assert chosen(counts, by="all") == ("all", "the total alone")


def test_groups_of_a_council_are_not_regrouped() -> None:
    counts = monthly(1, *CATEGORIES, months=4)
    own = {"People": CATEGORIES[:2], "Things": CATEGORIES[2:4]}
    detail = choose_detail(counts, places(), policy=PUBLIC, groups=own)
    assert set(detail.candidates["categories"]) == {"twelve groups", "the total alone"}


def test_loss_is_the_share_of_hidden_records_and_the_price_of_the_steps() -> None:
    counts = monthly(4, *CATEGORIES)
    counts.loc[counts["area_code"] == CODES[0], "count"] = 12
    table = choose_detail(counts, places(), policy=PUBLIC).candidates.set_index(
        ["by", "categories"]
    )
    asked = table.loc["month", "fourteen categories"]
    assert asked["records"] == pytest.approx(8 / 20)
    assert asked["cells"] == pytest.approx(2 / 3)
    assert asked["cost"] == 0
    groups = table.loc["quarter", "five groups"]
    assert groups["loss"] == pytest.approx(TIME_COST + GROUP_COST)
    alone = table.loc["all", "the total alone"]
    assert alone["cost"] == pytest.approx(3 * TIME_COST + TOTAL_COST)


def test_kept_is_kept_and_said() -> None:
    detail = choose_detail(monthly(1, "Burglary"), places(), policy=PUBLIC, keep=True)
    assert detail.by == "month"
    assert detail.sentence == "Shown by month and one category, kept as asked for."


def test_policy_without_threshold_coarsens_nothing() -> None:
    assert chosen(monthly(1, "Burglary"), policy=policy_named("internal"))[0] == "month"


def test_reason_is_said_in_words() -> None:
    few = monthly(0, "Burglary", "Robbery")
    few.loc[few["period"] == "2024-01-01", "count"] = 6
    sentence = choose_detail(few, places(), policy=PUBLIC, by="all").sentence
    assert sentence == (
        "Shown for the whole span, the total alone: for the whole span in two categories about "
        "100% of the non-zero cells would be under 10."
    )
    sentence = choose_detail(monthly(1, *CATEGORIES), places(), policy=PUBLIC).sentence
    assert sentence == (
        "Shown by year and fourteen categories: by month and fourteen categories 100% of the "
        "non-zero cells would be under 10."
    )


def test_sensitive_categories_have_twice_the_threshold() -> None:
    counts = monthly(4, "Burglary", "Robbery")
    assert chosen(counts)[0] == "quarter"
    assert chosen(counts, sensitive=["Burglary", "Robbery"])[0] == "year"


def test_areas_that_the_records_do_not_cover_say_nothing() -> None:
    counts = monthly(12, "Burglary", "Robbery")
    counts.loc[counts["area_code"] != CODES[0], "count"] = 1
    assert chosen(counts)[0] == "month"
    assert chosen(counts, covered=CODES[1:])[0] == "year"


def test_lengths_that_are_the_same_are_listed_once() -> None:
    counts = monthly(1, "Burglary", months=6)
    table = choose_detail(counts, places(), policy=PUBLIC).candidates
    assert table["by"].tolist() == ["month", "quarter", "year"]


def test_order_of_rows_does_not_matter() -> None:
    rng = np.random.default_rng(3)
    counts = monthly(1, *CATEGORIES)
    counts["count"] = rng.poisson(2.0, len(counts))
    one = choose_detail(counts, places(), policy=PUBLIC)
    other = choose_detail(counts.iloc[rng.permutation(len(counts))], places(), policy=PUBLIC)
    pd.testing.assert_frame_equal(one.candidates, other.candidates)
    assert one.sentence == other.sentence


def test_groups_of_the_police_hold_every_category_once() -> None:
    grouped = [part for parts in POLICE_GROUPS.values() for part in parts]
    assert sorted([*grouped, "Burglary"]) == sorted(CATEGORIES)


@pytest.mark.parametrize(("count", "labels"), [(10, ["All", "Burglary", "Robbery"]), (6, ["All"])])
def test_study_takes_what_was_chosen(count: int, labels: list[str]) -> None:
    counts = monthly(0, "Burglary", "Robbery")
    counts.loc[counts["period"] == "2024-01-01", "count"] = count
    detail: Detail = choose_detail(counts, places(), policy=PUBLIC, by="all", total="All")
    study = analyse(counts, places(), by=detail.by, groups=detail.groups, total="All")
    assert [view.label for view in study.categories] == labels
    assert set(detail.labels) <= set(labels)
    assert study.categories[0].total


def test_manifest_is_told_losses_to_a_tenth() -> None:
    told = choose_detail(monthly(1, *CATEGORIES), places(), policy=PUBLIC).to_dict()
    assert told["candidates"][0] == {
        "by": "month",
        "categories": "fourteen categories",
        "cost": 0.0,
        "loss": 1.0,
        "chosen": False,
    }
    assert [row["loss"] for row in told["candidates"] if row["chosen"]] == [0.2]


def test_unknown_length_is_named() -> None:
    with pytest.raises(InputError, match="by is 'week': give one of month, quarter, year, all"):
        choose_detail(monthly(1, "Burglary"), places(), policy=PUBLIC, by="week")  # type: ignore[arg-type]

"""Periods and categories that a product shows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from placeshaping._core.errors import ColumnError, EmptyError, InputError
from placeshaping.statistics.views import make_categories, make_periods, tabulate


def months(first: str, number: int) -> pd.DatetimeIndex:
    return pd.date_range(first, periods=number, freq="MS")


@pytest.mark.parametrize(
    ("first", "number", "by", "labels"),
    [
        ("2025-01-01", 12, "year", ["2025"]),
        ("2024-01-01", 24, "year", ["2024 to 2025", "2024", "2025"]),
        ("2024-01-01", 24, "all", ["2024 to 2025"]),
        ("2025-01-01", 6, "quarter", ["Jan 2025 to Jun 2025", "2025 Q1", "2025 Q2"]),
        ("2025-03-01", 2, "month", ["Mar 2025 to Apr 2025", "Mar 2025", "Apr 2025"]),
        ("2025-03-01", 1, "month", ["Mar 2025"]),
        (
            "2018-10-01",
            5,
            "year",
            ["Oct 2018 to Feb 2019", "2018 (Oct to Dec)", "2019 (Jan to Feb)"],
        ),
    ],
)
def test_periods_are_labelled_as_people_say_them(
    first: str, number: int, by: str, labels: list[str]
) -> None:
    periods = make_periods(months(first, number), by=by)  # type: ignore[arg-type]
    assert [period.label for period in periods] == labels


def test_parts_hold_all_months_of_the_whole_once() -> None:
    whole, *parts = make_periods(months("2023-06-01", 31), by="quarter")
    assert sum(part.months for part in parts) == whole.months == 31


def test_month_missing_in_the_middle_is_named_and_not_counted() -> None:
    present = months("2024-01-01", 12).delete([4, 5])
    (period,) = make_periods(present)
    assert period.missing == ("2024-05", "2024-06")
    assert period.years == pytest.approx(10 / 12)


def test_no_months_are_refused() -> None:
    with pytest.raises(EmptyError, match="no months to show"):
        make_periods([])


def test_one_category_has_no_total_beside_it() -> None:
    (only,) = make_categories(["Burglary"], denominators=["residents"])
    assert only.total
    assert only.denominator == "residents"


def test_group_of_an_unknown_category_suggests_the_nearest() -> None:
    with pytest.raises(InputError, match="Did you mean Burglary"):
        make_categories(["Burglary", "Robbery"], groups={"Theft": ["Burglery"]})


def test_category_in_two_groups_is_refused() -> None:
    with pytest.raises(InputError, match="b stands in more than one group"):
        make_categories(["a", "b", "c"], groups={"x": ["a", "b"], "y": ["b", "c"]})


def test_group_stands_before_what_is_left_over() -> None:
    views = make_categories(["a", "b", "c"], groups={"A or C": ["a", "c"]})
    assert [view.label for view in views] == ["All recorded crime", "A or C", "b"]


def test_cube_adds_up_whatever_the_order_of_the_rows() -> None:
    rng = np.random.default_rng(3)
    present = months("2024-11-01", 4)
    areas = pd.Index(["x", "y", "z"])
    table = pd.DataFrame(
        [(a, m, c) for m in present for c in ("p", "q") for a in areas],
        columns=["area_code", "period", "category"],
    )
    table["count"] = rng.integers(0, 9, len(table))
    periods, categories = make_periods(present), make_categories(["p", "q"])
    cube = tabulate(table, areas=areas, periods=periods, categories=categories)
    shuffled = tabulate(
        table.sample(frac=1, random_state=1), areas=areas, periods=periods, categories=categories
    )
    assert cube.tolist() == shuffled.tolist()
    assert cube[0].tolist() == cube[1:].sum(axis=0).tolist()
    assert cube[:, 0].tolist() == cube[:, 1:].sum(axis=1).tolist()
    by_hand = table.groupby("area_code")["count"].sum()
    assert cube[0, 0].tolist() == by_hand.loc[list(areas)].tolist()


def test_negative_counts_are_refused() -> None:
    table = pd.DataFrame(
        {"area_code": ["x"], "period": months("2024-01-01", 1), "category": "p", "count": [-1]}
    )
    with pytest.raises(ColumnError, match="negative or fractional"):
        tabulate(
            table,
            areas=pd.Index(["x"]),
            periods=make_periods(months("2024-01-01", 1)),
            categories=make_categories(["p"]),
        )


def test_one_group_of_everything_may_be_the_total_alone() -> None:
    views = make_categories(
        ["Burglary", "Robbery"], groups={"All": ["Robbery", "Burglary"]}, total="All"
    )
    assert [(view.label, view.total, set(view.parts)) for view in views] == [
        ("All", True, {"Burglary", "Robbery"})
    ]
    with pytest.raises(InputError, match="'All' bears the name of a category or of the total"):
        make_categories(["Burglary", "Robbery"], groups={"All": ["Robbery"]}, total="All")

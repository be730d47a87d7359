"""What `analyse` refuses, and that the order of rows does not matter."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pytest
from shapely import box

from placeshaping._core.errors import ColumnError, EmptyError, InputError, UnmatchedError
from placeshaping.areas.ladder import Ladder, make_ladder
from placeshaping.hotspots.study import analyse

CODES = pd.Index(["E01900001", "E01900002"], name="area_code")
PEOPLE = pd.DataFrame({"residents": [1000, 2000]}, index=CODES)


@pytest.fixture
def ladder() -> Ladder:
    squares = [box(0, 0, 1, 1), box(1, 0, 2, 1)]
    areas = gpd.GeoDataFrame({"area_name": ["a", "b"]}, geometry=squares, index=CODES, crs=27700)
    return make_ladder(areas)


def table(*, code: str = "E01900002", first: str = "2025-01-01") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "area_code": ["E01900001", code],
            "period": pd.Timestamp(first),
            "category": ["Robbery", "Burglary"],
            "count": [3, 4],
        }
    )


def test_counts_of_unknown_areas_are_refused(ladder: Ladder) -> None:
    with pytest.raises(UnmatchedError, match=r"4 records are of 1 areas.*E01009999"):
        analyse(table(code="E01009999"), ladder)


def test_days_are_not_taken_for_months(ladder: Ladder) -> None:
    with pytest.raises(ColumnError, match=r"1 periods are not the first day.*2025-01-15"):
        analyse(table(first="2025-01-15"), ladder)


def test_population_of_other_areas_is_refused(ladder: Ladder) -> None:
    with pytest.raises(UnmatchedError, match="population lacks 2 of 2 areas"):
        analyse(table(), ladder, population=PEOPLE.set_axis(["x", "y"], axis=0))
    with pytest.raises(ColumnError, match="no column residents or households"):
        analyse(table(), ladder, population=PEOPLE.rename(columns={"residents": "people"}))


def test_hot_spots_of_rates_need_residents(ladder: Ladder) -> None:
    with pytest.raises(InputError, match="need a population with 'residents'"):
        analyse(table(), ladder, hot_spots_of="rate")


def test_no_record_at_all_is_refused(ladder: Ladder) -> None:
    with pytest.raises(EmptyError, match="None of the records lies in the 2 areas"):
        analyse(table().assign(count=0), ladder)


@pytest.mark.parametrize("column", ["period", "category", "area_code"])
def test_rows_that_lack_a_key_are_counted_and_refused(ladder: Ladder, column: str) -> None:
    counts = table()
    counts.loc[1, column] = None
    with pytest.raises(ColumnError, match=f"1 rows have no {column}"):
        analyse(counts, ladder)


def test_categories_come_in_the_same_order_whatever_the_rows(ladder: Ladder) -> None:
    labels = [view.label for view in analyse(table(), ladder).categories]
    assert labels == [view.label for view in analyse(table()[::-1], ladder).categories]
    assert labels[1:] == ["Burglary", "Robbery"]

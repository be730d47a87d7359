"""The complete product that counts are laid out in."""

import tracemalloc

import pandas as pd
import pytest

from placeshaping._core.errors import DuplicateError
from placeshaping.joins._tally import key_of, product

PERIODS = pd.date_range("2024-01-01", periods=12, freq="MS")
CATEGORIES = pd.Index(["theft", "drugs", "robbery"])


def test_the_product_has_every_cell_with_the_area_changing_fastest():
    areas = pd.Index(["B", "A"], name="area_code")
    table = product(areas, {"period": PERIODS[:2], "category": CATEGORIES})
    assert table["area_code"].tolist() == ["B", "A"] * 6
    assert table["category"].tolist() == [c for c in CATEGORIES for _ in range(2)] * 2
    assert table["period"].tolist() == [p for p in PERIODS[:2] for _ in range(6)]
    assert table["category"].cat.categories.tolist() == CATEGORIES.tolist()


def test_more_areas_than_a_small_whole_number_holds_are_numbered_rightly():
    areas = pd.Index([f"A{number:05}" for number in range(40_000)])
    table = product(areas, {"category": CATEGORIES})
    assert table["area_code"].tolist() == [*areas] * 3


def test_laying_out_the_product_takes_little_more_memory_than_the_table():
    areas = pd.Index([f"A{number:05}" for number in range(10_000)])
    tracemalloc.start()
    table = product(areas, {"period": PERIODS, "category": CATEGORIES})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    text = len(table) * 8  # codes, as pointers; pyarrow's own memory is not traced
    assert peak < 3 * (table["period"].nbytes + table["category"].nbytes + text)


def test_a_list_that_names_a_value_twice_is_refused():
    events = pd.DataFrame({"category": ["theft"]})
    with pytest.raises(DuplicateError, match=r"list of category values: 1 of them .*\(theft\)"):
        key_of(events, "category", ["theft", "drugs", "theft"])

"""Repeated demand: counts by hand, keys written in unlike ways, and what must stay inside."""

import numpy as np
import pandas as pd
import pytest

from placeshaping._core.columns import column_tags
from placeshaping._core.errors import ColumnError, CRSError, EmptyError, InputError
from placeshaping.hotspots.repeats import describe_repeats, repeat_locations


def make_table(keys, days, **columns):
    return pd.DataFrame({"uprn": keys, "date": pd.to_datetime(days), **columns})


def make_services():
    noise = make_table(["10", "10", "11", None], ["2025-01-01", "2025-03-01"] + ["2025-02-02"] * 2)
    bins = make_table([10.0, 12.0, 12.0], ["2024-12-25", "2025-05-05", "2025-05-05"])
    fire = make_table(["0012", " 13 "], ["2025-06-01", "2025-06-01"])
    return {"noise": noise, "bins": bins, "fire": fire}


def test_contacts_are_counted_by_place_and_service():
    places = repeat_locations(make_services(), key="uprn")
    assert places.index.tolist() == ["10", "12"]
    assert places["services"].tolist() == [2, 2]
    assert places["count"].tolist() == [3, 3]
    assert places["order"].tolist() == [1, 1]
    assert places.loc["10", ["count_noise", "count_bins", "count_fire"]].tolist() == [2, 1, 0]
    assert places.loc["10", "first"] == pd.Timestamp("2024-12-25")
    assert places.loc["10", "last"] == pd.Timestamp("2025-03-01")
    assert places["days"].tolist() == [66, 27]
    assert places.attrs["places"] == 4
    assert places.attrs["contacts"] == 8
    assert places.attrs["share"] == 6 / 8
    assert places.attrs["without_key"] == {"noise": 1, "bins": 0, "fire": 0}


def test_every_column_is_personal():
    places = repeat_locations(make_services(), key="uprn")
    tags = column_tags(places)
    assert set(tags) == {places.index.name, *places.columns}
    assert set(tags.values()) == {"personal"}


def test_counts_do_not_depend_on_the_order_of_rows():
    services = make_services()
    turned = {name: table.iloc[::-1] for name, table in services.items()}
    pd.testing.assert_frame_equal(
        repeat_locations(services, key="uprn"), repeat_locations(turned, key="uprn")
    )


def test_more_services_come_before_more_contacts():
    many = make_table(["a"] * 9 + ["b"], ["2025-01-01"] * 10)
    few = make_table(["b"], ["2025-01-01"])
    places = repeat_locations({"x": many, "y": few}, key="uprn")
    assert places.index.tolist() == ["B", "A"]
    assert places["order"].tolist() == [1, 2]


def test_addresses_are_compared_without_case_and_spaces():
    table = make_table(["1 Mill  Lane", "1 MILL LANE ", "2 Mill Lane"], ["2025-01-01"] * 3)
    places = repeat_locations({"x": table}, key="uprn")
    assert places.index.tolist() == ["1 MILL LANE"]
    assert places["count"].tolist() == [2]


def test_least_contacts_and_services_are_asked_for():
    services = make_services()
    assert len(repeat_locations(services, key="uprn", least=1)) == 4
    assert repeat_locations(services, key="uprn", least=4).empty
    both = repeat_locations(services, key="uprn", least=1, least_services=2)
    assert both.index.tolist() == ["10", "12"]


def test_rows_may_stand_for_several_contacts():
    table = make_table(["a", "a", "b"], ["2025-01-01"] * 3, reports=[4, 0, 1])
    places = repeat_locations({"x": table}, key="uprn", weight="reports")
    assert places["count"].to_dict() == {"A": 4}
    with pytest.raises(ColumnError, match="column 'reports' holds missing, negative"):
        repeat_locations({"x": table.assign(reports=[1, -1, 2])}, key="uprn", weight="reports")


def test_coordinates_stand_in_for_keys():
    table = pd.DataFrame(
        {
            "easting": [400_001.2, 400_000.9, 400_030.0, np.nan],
            "northing": [300_000.1, 299_999.8, 300_000.0, 1],
            "date": pd.Timestamp("2025-01-01"),
        }
    )
    places = repeat_locations({"x": table}, cell=5)
    assert places["count"].to_dict() == {"400000 300000": 2}
    assert places.attrs["without_key"] == {"x": 1}
    assert "squares of 5 m" in places.attrs["cautions"][-1]
    degrees = table.assign(easting=-1.1, northing=52.6)
    with pytest.raises(CRSError, match="easting and northing look like degrees"):
        repeat_locations({"x": degrees}, cell=5)
    with pytest.raises(InputError, match="cell is 0"):
        repeat_locations({"x": table}, cell=0)


def test_a_key_that_holds_much_of_a_service_is_told():
    table = make_table(["0"] * 15 + [str(i) for i in range(1, 16)], ["2025-01-01"] * 30)
    told = repeat_locations({"desk": table}, key="uprn").attrs["cautions"]
    assert "One key holds 50% of the contacts of 'desk'" in told[0]


def test_missing_dates_leave_the_span_open():
    table = make_table(["a", "a", "b", "b"], ["2025-01-01", None, None, None])
    places = repeat_locations({"x": table}, key="uprn")
    assert places.loc["A", "days"] == 0
    assert pd.isna(places.loc["B", "days"])
    assert "3 of 4 records of 'x' have no date" in places.attrs["cautions"][0]
    assert "0 days apart" in describe_repeats(places)


def test_what_cannot_be_compared_is_refused():
    services = make_services()
    with pytest.raises(InputError, match="Give either key"):
        repeat_locations(services)
    with pytest.raises(InputError, match="Give either key"):
        repeat_locations(services, key="uprn", cell=5)
    with pytest.raises(EmptyError, match="There are no services"):
        repeat_locations({}, key="uprn")
    with pytest.raises(ColumnError, match="The table of 'noise' has no column 'address'"):
        repeat_locations(services, key="address")
    text = {"x": make_table(["1"], ["2025-01-01"]).assign(date="5/6/2025")}
    with pytest.raises(ColumnError, match="The table of 'x': column 'date' holds no dates"):
        repeat_locations(text, key="uprn")
    with pytest.raises(EmptyError, match="None of 1 records has a place"):
        repeat_locations({"x": make_table([None], ["2025-01-01"])}, key="uprn")
    with pytest.raises(InputError, match="least is 0"):
        repeat_locations(services, key="uprn", least=0)


def test_the_paragraph_names_no_place():
    text = describe_repeats(repeat_locations(make_services(), key="uprn"))
    assert text.startswith("2 of 4 places (50%) had repeated contact. They account for 75%")
    assert "2 of them are known to more than one of noise, bins, fire." in text
    assert "1 contacts have no usable place" in text

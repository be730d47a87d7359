"""What must hold of any records and any areas."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from placeshaping.joins.points import assign_area, count_by_area, place_events

SIDE = 4
E, N = 450_000, 300_000
SHAPES = [
    shapely.box(E + x, N + y, E + x + 100, N + y + 100)
    for y in range(0, 400, 100)
    for x in range(0, 400, 100)
]
CODES = [f"E010000{i:02}" for i in range(SIDE * SIDE)]

# Whole tens reach borders and corners often; the range reaches outside every area.
coordinate = st.one_of(st.integers(-3, 43).map(lambda i: i * 10.0), st.just(np.nan))
event = st.tuples(
    coordinate,
    coordinate,
    st.sampled_from([*CODES[:3], "E01999999", None]),
    st.sampled_from(list(pd.date_range("2025-01-01", periods=4, freq="MS"))),
    st.sampled_from(["Burglary", "Robbery", "Drugs"]),
    st.integers(0, 5),
)
tables = st.lists(event, min_size=1, max_size=60)


def make_areas(order):
    index = pd.Index(np.array(CODES)[order], name="area_code")
    return gpd.GeoDataFrame(geometry=np.array(SHAPES)[order], index=index, crs=27700)


def make_events(rows):
    names = ["easting", "northing", "area_code", "period", "category", "count"]
    events = pd.DataFrame(rows, columns=names)
    events["area_code"] = events["area_code"].astype("str")
    events = events.astype({"easting": float, "northing": float, "category": "category"})
    return events.assign(easting=events["easting"] + E, northing=events["northing"] + N)


AREAS = make_areas(np.arange(SIDE * SIDE))


@settings(deadline=None, max_examples=60)
@given(tables)
def test_counts_are_conserved(rows):
    events = make_events(rows)
    placed = place_events(events, AREAS, outside="drop")
    counts = count_by_area(events, AREAS, codes=placed, outside="drop")
    assert counts["count"].sum() == events.loc[placed.notna(), "count"].sum()
    months, kinds = events["period"].nunique(), events["category"].nunique()
    assert len(counts) == len(AREAS) * months * kinds
    assert not counts.duplicated(["area_code", "period", "category"]).any()


@settings(deadline=None, max_examples=60)
@given(tables)
def test_counts_are_those_of_a_grouped_table(rows):
    events = make_events(rows)
    placed = place_events(events, AREAS, outside="drop")
    counts = count_by_area(events, AREAS, codes=placed, outside="drop")
    keys = [placed.rename("area_code"), events["period"], events["category"].astype("str")]
    expected = events["count"].groupby(keys).sum()
    made = counts.astype({"category": "str"}).set_index(["area_code", "period", "category"])
    assert made.loc[expected.index, "count"].tolist() == expected.tolist()
    assert made["count"].sum() == expected.sum()


@settings(deadline=None, max_examples=60)
@given(tables, st.permutations(range(SIDE * SIDE)), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_areas_does_not_matter(rows, order, random):
    events = make_events(rows)
    shuffled = events.sample(frac=1, random_state=random.randrange(2**32))
    areas = make_areas(np.array(order))
    first = place_events(events, AREAS, outside="drop")
    second = place_events(shuffled, areas, outside="drop")
    assert second.index.equals(shuffled.index)
    pd.testing.assert_series_equal(second.sort_index(), first)
    assert first.attrs["report"] == second.attrs["report"]
    counts = count_by_area(events, AREAS, outside="drop")
    again = count_by_area(shuffled, areas, outside="drop")
    keys = ["area_code", "period", "category"]
    pd.testing.assert_frame_equal(
        again.sort_values(keys, ignore_index=True), counts.sort_values(keys, ignore_index=True)
    )


@settings(deadline=None, max_examples=60)
@given(tables)
def test_every_point_has_the_first_area_that_holds_it_else_that_touches_it(rows):
    events = make_events(rows)
    assigned = assign_area(events, AREAS)
    for x, y, code in zip(events["easting"], events["northing"], assigned, strict=True):
        point = shapely.Point(x, y)
        touching = [c for c, s in zip(CODES, SHAPES, strict=True) if s.intersects(point)]
        holding = [c for c, s in zip(CODES, SHAPES, strict=True) if s.contains_properly(point)]
        assert (pd.isna(code) and not touching) or code == min(holding or touching)


@settings(deadline=None, max_examples=60)
@given(tables)
def test_the_report_accounts_for_every_row(rows):
    events = make_events(rows)
    placed = place_events(events, AREAS, outside="nearest", limit=15)
    report = placed.attrs["report"]
    assert report.placed == report.by_coordinate + report.by_code + report.by_nearest
    assert report.placed == placed.notna().sum()
    assert report.rows == len(events)

"""Hot streets: nearest segments by brute force, shares by hand, and chance by simulation."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import LineString, MultiLineString, Point, box

from placeshaping._core.errors import (
    ColumnError,
    CRSError,
    DuplicateError,
    EmptyError,
    GeometryError,
    InputError,
)
from placeshaping.hotspots.streets import HOLDS, describe_streets, hot_streets
from placeshaping.synthetic.district import make_district


def make_streets(count=40, length=200.0):
    lines = [LineString([(0, 100 * i), (length, 100 * i)]) for i in range(count)]
    return gpd.GeoDataFrame(
        {"street_id": np.arange(count) // 2},
        geometry=lines,
        crs=27700,
        index=[f"s{i:03}" for i in range(count)],
    )


def make_events(counts, offset=5.0):
    points = [Point(60, 100 * i + offset) for i, n in enumerate(counts) for _ in range(n)]
    return gpd.GeoDataFrame(geometry=points, crs=27700)


def test_events_go_to_the_nearest_segment():
    rng = np.random.default_rng(0)
    ends = rng.uniform(0, 2000, (60, 2, 2))
    streets = gpd.GeoDataFrame(geometry=shapely.linestrings(ends), crs=27700)
    points = shapely.points(rng.uniform(0, 2000, (500, 2)))
    table = hot_streets(gpd.GeoDataFrame(geometry=points, crs=27700), streets, within=40)
    far = shapely.distance(points[:, None], streets.geometry.to_numpy()[None])
    nearest = far.argmin(axis=1)[far.min(axis=1) <= 40]
    assert table["count"].tolist() == np.bincount(nearest, minlength=60).tolist()
    assert table.attrs["matched"] == len(nearest)
    assert table.attrs["unmatched"] == 500 - len(nearest)


def test_junctions_are_shared_and_conserve_events():
    lines = [LineString([(0, 0), end]) for end in [(100, 0), (0, 100), (-100, 0)]]
    streets = gpd.GeoDataFrame(geometry=lines, crs=27700)
    events = gpd.GeoDataFrame(geometry=[Point(0, 0), Point(0, 0), Point(50, 1)], crs=27700)
    table = hot_streets(events, streets)
    assert table["count"].tolist() == pytest.approx([1 + 2 / 3, 2 / 3, 2 / 3])
    assert table.attrs["shared"] == 2
    turned = hot_streets(events, streets.iloc[::-1])
    assert turned["count"].reindex([0, 1, 2]).tolist() == pytest.approx(table["count"].tolist())


def test_rates_are_per_kilometre_a_year():
    streets = make_streets(2)
    table = hot_streets(make_events([12, 3]), streets, years=3)
    assert table["length_km"].tolist() == [0.2, 0.2]
    assert table["per_km"].tolist() == pytest.approx([20, 5])
    # 95 % limits of 12: 6.2 and 20.96 (Byar); of 3: 0.62 and 8.77 (exact)
    assert table["lower"].tolist() == pytest.approx([6.19 / 0.6, 0.62 / 0.6], abs=0.02)
    assert table["upper"].tolist() == pytest.approx([20.96 / 0.6, 8.77 / 0.6], abs=0.02)


def test_the_fewest_segments_that_hold_a_half_are_found_by_hand():
    table = hot_streets(make_events([50, 20, 15, 5, 5, 5, 0, 0]), make_streets(8))
    facts = table.attrs["concentration"]
    assert (facts["segments_25"], facts["segments_50"]) == (1, 1)
    assert facts["share_50"] == 1 / 8
    assert table["holds"].tolist() == ["top_25", *["rest"] * 5, "none", "none"]
    even = hot_streets(make_events([5] * 8), make_streets(8))
    assert even.attrs["concentration"]["segments_25"] == 2
    assert even.attrs["concentration"]["gini"] == pytest.approx(0)
    assert (even["holds"] == "top_25").all()  # all are tied with the last one that is needed
    assert tuple(table["holds"].cat.categories) == HOLDS


def test_order_ranks_by_count_and_rows_keep_theirs():
    streets = make_streets(4)
    table = hot_streets(make_events([1, 4, 4, 0]), streets)
    assert table.index.equals(streets.index)
    assert table["order"].tolist() == [3, 1, 1, 4]
    assert "count" not in streets


def test_few_events_are_not_called_concentrated():
    rng = np.random.default_rng(1)
    counts = np.bincount(rng.integers(0, 400, 60), minlength=400)
    facts = hot_streets(make_events(counts), make_streets(400)).attrs["concentration"]
    assert facts["share_50"] < 0.1
    low, high = facts["chance_50"]
    assert low <= facts["share_50"] <= high
    assert facts["gini"] < 0.2
    assert facts["chance_gini"][0] <= facts["gini"] <= facts["chance_gini"][1]


def test_one_event_a_segment_is_as_even_as_can_be():
    facts = hot_streets(make_events([1] * 5 + [0] * 15), make_streets(20)).attrs["concentration"]
    assert facts["gini"] == pytest.approx(0, abs=1e-12)


def test_chance_is_seeded_and_follows_length():
    long = make_streets(10)
    long.loc["s000", "geometry"] = LineString([(0, 0), (20_000, 0)])
    events = make_events([40] + [1] * 9)
    first, again = (hot_streets(events, long, rng=3).attrs["concentration"] for _ in range(2))
    assert first == again
    assert first["chance_50"] == (0.1, 0.1)


def test_segments_of_a_street_are_added_up():
    table = hot_streets(make_events([3, 4, 0, 2]), make_streets(4), by="street_id")
    assert table["count"].to_dict() == {0: 7, 1: 2}
    assert table["length_km"].tolist() == [0.4, 0.4]
    with pytest.raises(ColumnError, match="streets has no column 'street'"):
        hot_streets(make_events([1]), make_streets(2), by="street")
    gap = make_streets(2).assign(street_id=[1, None])
    with pytest.raises(InputError, match="1 segments have no street_id"):
        hot_streets(make_events([1]), gap, by="street_id")


def test_events_without_a_place_are_told_apart():
    events = make_events([6, 2])
    events.loc[0, "geometry"] = None
    events.loc[1, "geometry"] = Point(5000, 5000)
    table = hot_streets(events, make_streets(2))
    facts = [table.attrs[name] for name in ("matched", "unmatched", "unlocated")]
    assert facts == [6, 1, 1]
    assert "2 of 8 events (25%) have no place or lie more than 50 m" in table.attrs["cautions"][0]


def test_short_segments_are_told():
    table = hot_streets(make_events([2, 2]), make_streets(2, length=30))
    assert "2 segments with events are shorter than 50 m" in table.attrs["cautions"][-1]


def test_degrees_and_other_systems_are_refused():
    events, streets = make_events([1]), make_streets(2)
    with pytest.raises(CRSError, match="events: the reference system is EPSG:4326"):
        hot_streets(events.set_crs(4326, allow_override=True), streets)
    with pytest.raises(CRSError, match="streets: no reference system is stated"):
        hot_streets(events, streets.set_crs(None, allow_override=True))
    lines = shapely.transform(streets.geometry.to_numpy(), lambda xy: xy / 1e5 + [-1.1, 52.6])
    shrunk = streets.set_geometry(lines)
    with pytest.raises(CRSError, match=r"streets says EPSG:27700 \(metres\) but holds"):
        hot_streets(events, shrunk.set_crs(27700))


def test_what_is_no_street_is_refused():
    events, streets = make_events([1]), make_streets(2)
    areas = gpd.GeoDataFrame(geometry=[box(0, 0, 500, 500)], crs=27700)
    with pytest.raises(GeometryError, match=r"1 of 1 streets are no lines or have no length \(0\)"):
        hot_streets(events, areas)
    with pytest.raises(GeometryError, match="1 of 1 events are no points"):
        hot_streets(areas, streets)
    with pytest.raises(DuplicateError, match="1 segments stand more than once"):
        hot_streets(events, streets.set_axis(["a", "a"]))
    with pytest.raises(EmptyError, match="There are no streets"):
        hot_streets(events, streets.iloc[:0])
    with pytest.raises(EmptyError, match="None of 1 events lies within 2 m"):
        hot_streets(events, streets, within=2)
    with pytest.raises(InputError, match="within is 0"):
        hot_streets(events, streets, within=0)
    with pytest.raises(InputError, match="years is -1"):
        hot_streets(events, streets, years=-1)


def test_streets_in_parts_are_streets():
    parts = MultiLineString([[(0, 0), (100, 0)], [(200, 0), (300, 0)]])
    streets = gpd.GeoDataFrame(geometry=[parts], crs=27700)
    assert hot_streets(make_events([3]), streets)["length_km"].tolist() == [0.2]


def test_the_paragraph_names_no_street_and_compares_with_chance():
    table = hot_streets(make_events([90, 20] + [1] * 38), make_streets(40))
    text = describe_streets(table, what="fly-tipping")
    assert text.startswith("1 of 40 street segments (2.5%) hold half of all fly-tipping.")
    assert "a small part of the streets" in text
    assert "s000" not in text
    even = describe_streets(hot_streets(make_events([5] * 40), make_streets(40)))
    assert "no more concentrated than chance" in even


@pytest.mark.parametrize("number", [0, 1])
def test_planted_hot_spots_are_on_the_hottest_streets(number):
    district = make_district(40, seed=3, months=36)
    spot = district.truth["planted"][number]
    rows = district.events[district.events["category"] == spot["category"]]
    places = gpd.points_from_xy(rows["easting"], rows["northing"])
    events = gpd.GeoDataFrame(geometry=places, crs=27700)
    table = hot_streets(events, district.streets.set_index("segment_id"), within=100, years=3)
    centre = Point(spot["easting"], spot["northing"])
    near = table.distance(centre) < 2 * spot["sigma_metres"]
    assert table.loc[near, "order"].min() == 1
    assert (table.loc[near, "holds"] == "top_25").mean() > 0.35
    assert (table.loc[~near, "holds"] == "top_25").mean() < 0.05

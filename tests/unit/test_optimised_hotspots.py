"""One call that finds hot spots: what it leaves out, chooses, finds and says."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from placeshaping._core.errors import (
    ColumnError,
    CRSError,
    DuplicateError,
    EmptyError,
    InputError,
    UnmatchedError,
)
from placeshaping.areas.grids import make_grid
from placeshaping.areas.neighbours import contiguity, distance_band
from placeshaping.hotspots.getis import getis_ord
from placeshaping.hotspots.moran import global_moran
from placeshaping.hotspots.optimised import optimised_hotspots
from placeshaping.hotspots.scale import choose_cell_size, choose_distance

OUTLINE = gpd.GeoDataFrame(geometry=[box(400_000, 300_000, 408_000, 308_000)], crs=27700)
SPOT = (402_000, 303_000)


def make_events(seed=0, spread=600, gathered=150):
    rng = np.random.default_rng(seed)
    xy = np.vstack(
        [
            rng.uniform((400_000, 300_000), (408_000, 308_000), (spread, 2)),
            rng.normal(SPOT, 200, (gathered, 2)),
        ]
    )
    return pd.DataFrame(xy, columns=["easting", "northing"])


EVENTS = make_events()


def make_areas():
    areas = make_grid((400_000, 300_000, 408_000, 308_000), size=1000)
    areas["area_name"] = [f"Place {i:02}" for i in range(len(areas))]
    return areas


AREAS = make_areas()
COUNTS = pd.Series(np.random.default_rng(4).poisson(5, 64), AREAS.index)
COUNTS.iloc[[9, 10, 17, 18]] += 30


def test_a_planted_hot_spot_is_found_and_nothing_far_from_it():
    found = optimised_hotspots(EVENTS, within=OUTLINE)
    hot = found[found["cluster"].astype(str).str.startswith("hot")]
    assert len(hot) > 0
    assert hot.centroid.distance(gpd.points_from_xy(*np.transpose([SPOT]))[0]).max() < 2_500
    assert found["count"].sum() == len(EVENTS)
    assert found.loc["S500E401500N303000", "cluster"] == "hot_99"


def test_scores_are_those_of_gi_star_with_what_was_chosen():
    found = optimised_hotspots(EVENTS, within=OUTLINE)
    cells = make_grid(OUTLINE, size=found.attrs["size"])
    expected = getis_ord(found["count"], distance_band(cells, distance=found.attrs["distance"]))
    pd.testing.assert_frame_equal(pd.DataFrame(found[expected.columns]), expected)
    assert found.index.equals(cells.index)
    for words in ("750 of 750 events", "Cells of 500 m", "Counts are looked at"):
        assert words in found.attrs["explanation"]
    assert found.attrs["method"] in found.attrs["explanation"]


def test_what_cannot_be_placed_is_left_out_and_told():
    events = EVENTS.assign(id=range(len(EVENTS)))
    bad = pd.DataFrame(
        {
            "easting": [np.nan, 0.0, 401_000.0, 390_000.0],
            "northing": [302_000.0, 0.0, 301_000.0, 302_000.0],
            "id": [1001, 1002, 5, 1003],
        }
    )
    found = optimised_hotspots(pd.concat([events, bad]), within=OUTLINE, event_id="id")
    assert found["count"].sum() == len(EVENTS)
    assert (
        "751 of 754 events can be placed; left out: 1 have no coordinates, 1 lie off the National "
        "Grid, 1 repeat a value of 'id'." in found.attrs["explanation"]
    )
    assert "1 of 751 events lie outside: left out." in found.attrs["cautions"]


def test_of_repeated_events_the_one_with_a_place_is_kept():
    events = EVENTS.assign(id=np.arange(len(EVENTS), dtype=float))
    events.loc[0, "id"] = np.nan  # without an identifier nothing is known to repeat
    lost = events.tail(3).assign(easting=np.nan)
    found = optimised_hotspots(pd.concat([lost, events]), within=OUTLINE, event_id="id")
    assert found["count"].sum() == len(EVENTS)


def test_without_an_outline_the_hull_is_told():
    found = optimised_hotspots(EVENTS)
    assert found["count"].sum() == len(EVENTS)
    assert found.attrs["cautions"][0].startswith("The study area is the hull of the events")


def test_events_are_counted_in_areas_and_touching_ones_are_neighbours():
    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*EVENTS.to_numpy().T), crs=27700)
    found = optimised_hotspots(points, areas=AREAS, what="burglaries")
    expected = getis_ord(found["count"], contiguity(AREAS))
    pd.testing.assert_frame_equal(pd.DataFrame(found[expected.columns]), expected)
    assert found["count"].sum() == len(EVENTS)
    assert found.attrs["distance"] is None
    assert "Areas that touch are neighbours" in found.attrs["explanation"]
    assert "burglaries than chance would bring together: Place " in found.attrs["summary"]


def test_counts_keep_the_order_of_the_areas_and_missing_ones_are_missing():
    counts = COUNTS.drop(COUNTS.index[5]).sample(frac=1, random_state=0)
    found = optimised_hotspots(counts, areas=AREAS)
    assert found.index.equals(AREAS.index)
    assert np.isnan(found["count"].iloc[5])
    assert found["cluster"].isna().sum() == 1
    assert "1 areas have no count: missing, not zero." in found.attrs["cautions"]
    assert found["cluster"].iloc[9] == "hot_99"
    assert "1 of 64 areas could not be judged." in found.attrs["summary"]


def test_rates_are_looked_at_where_a_population_is_given():
    people = pd.Series(1000.0, AREAS.index)
    people.iloc[[9, 10, 17, 18]] = 8000
    found = optimised_hotspots(COUNTS, areas=AREAS, population=people)
    assert found["cluster"].iloc[9] != "hot_99"
    assert found["rate"].iloc[9] < 8
    assert "smoothed by empirical Bayes" in found.attrs["explanation"]


@pytest.mark.parametrize("distance", [1500.0, "peak", "touching"])
def test_the_reach_of_neighbours_can_be_asked_for(distance):
    found = optimised_hotspots(COUNTS, areas=AREAS, distance=distance)
    if distance == "touching":
        assert found.attrs["distance"] is None
    else:
        assert found.attrs["distance"] == (1500 if distance == 1500 else pytest.approx(1500, 0.35))
    assert found["cluster"].iloc[9] == "hot_99"


def test_open_country_is_told():
    found = optimised_hotspots(EVENTS.tail(150), within=OUTLINE)
    assert any("a whole town is hot" in caution for caution in found.attrs["cautions"])
    assert "cells, with those around" in found.attrs["summary"]
    found = optimised_hotspots(EVENTS, within=OUTLINE)
    assert not any("a whole town is hot" in caution for caution in found.attrs["cautions"])


def test_few_events_and_few_areas_are_told():
    found = optimised_hotspots(COUNTS.iloc[:12].clip(upper=3), areas=AREAS.iloc[:12])
    told = " ".join(found.attrs["cautions"])
    assert "records: with fewer than 60 little can be told apart" in told
    assert "Only 12 areas: hot spots need 30" in told


def test_skewed_counts_are_told_unless_permuted():
    skewed = COUNTS.where(COUNTS.index != AREAS.index[40], 900)
    found = optimised_hotspots(skewed, areas=AREAS)
    assert any("The values are skewed" in caution for caution in found.attrs["cautions"])
    found = optimised_hotspots(skewed, areas=AREAS, permutations=9_999)
    assert not any("The values are skewed" in caution for caution in found.attrs["cautions"])
    even = pd.Series(np.random.default_rng(0).poisson(40, 64), AREAS.index)
    assert not optimised_hotspots(even, areas=AREAS).attrs["cautions"]


def test_the_answer_does_not_depend_on_the_order_of_events():
    one, other = (
        optimised_hotspots(e, within=OUTLINE)
        for e in (EVENTS, EVENTS.sample(frac=1, random_state=1))
    )
    pd.testing.assert_frame_equal(pd.DataFrame(one), pd.DataFrame(other))


def test_the_input_is_left_alone():
    before = EVENTS.copy()
    optimised_hotspots(EVENTS, within=OUTLINE)
    pd.testing.assert_frame_equal(EVENTS, before)


def test_what_cannot_be_used_is_refused():
    with pytest.raises(CRSError, match="are degrees"):
        optimised_hotspots(EVENTS * 0 + [-1.2, 52.5])
    with pytest.raises(EmptyError, match="None of 3 events can be placed: 3 have no coordinates"):
        optimised_hotspots(EVENTS.head(3) * np.nan)
    with pytest.raises(ColumnError, match="no column 'easting'"):
        optimised_hotspots(EVENTS.drop(columns="easting"))
    with pytest.raises(ColumnError, match="no column 'crime_id'"):
        optimised_hotspots(EVENTS, event_id="crime_id")
    with pytest.raises(EmptyError, match="All of 750 events lie outside"):
        optimised_hotspots(EVENTS + 100_000, areas=AREAS)
    with pytest.raises(EmptyError, match="All of 750 events lie outside"):
        optimised_hotspots(EVENTS + 100_000, within=OUTLINE)
    with pytest.raises(ColumnError, match="counts hold no numbers"):
        optimised_hotspots(COUNTS.astype(str), areas=AREAS)
    with pytest.raises(EmptyError, match="do not lie at two places"):
        optimised_hotspots(EVENTS.iloc[[0, 0, 0]])
    with pytest.raises(InputError, match="Counts need their areas"):
        optimised_hotspots(COUNTS)
    with pytest.raises(InputError, match="1 of 64 counts are negative or infinite"):
        optimised_hotspots(COUNTS.where(COUNTS.index != AREAS.index[3], -1), areas=AREAS)
    with pytest.raises(UnmatchedError, match=r"64 of 64 counts are of areas that are not"):
        optimised_hotspots(COUNTS.add_prefix("x"), areas=AREAS)
    with pytest.raises(DuplicateError, match="records: 1 area codes stand more than once"):
        optimised_hotspots(COUNTS.rename({AREAS.index[0]: AREAS.index[1]}), areas=AREAS)
    with pytest.raises(EmptyError, match="There are 1 areas"):
        optimised_hotspots(COUNTS.iloc[:1], areas=AREAS.iloc[:1])
    with pytest.raises(InputError, match="size and within are of cells"):
        optimised_hotspots(EVENTS, areas=AREAS, size=500)
    with pytest.raises(InputError, match="A population is of areas"):
        optimised_hotspots(EVENTS, population=COUNTS)
    with pytest.raises(InputError, match="distance is 'far'"):
        optimised_hotspots(EVENTS, within=OUTLINE, distance="far")
    with pytest.raises(CRSError, match="within: the reference system is EPSG:3857"):
        optimised_hotspots(EVENTS, within=OUTLINE.to_crs(3857))


def test_all_zeros_have_no_hot_spots_and_that_is_told():
    found = optimised_hotspots(COUNTS * 0, areas=AREAS)
    assert (found["cluster"] == "none").all()
    assert any("Every area has the same value" in caution for caution in found.attrs["cautions"])


@pytest.mark.parametrize(("events", "size"), [(30, 1000), (130, 1000), (500, 500), (2_000, 250)])
def test_cells_hold_two_events_on_average_on_the_ground_where_there_are_any(events, size):
    # 64 kilometre squares: the side is sqrt(128 / events) km
    xy = np.random.default_rng(1).uniform(400_000, 408_000, (events, 2))
    chosen = choose_cell_size(pd.DataFrame(xy, columns=["easting", "northing"]))
    assert chosen.size == size
    assert f"the {events:,} events lie in" in chosen.reason


def test_records_moved_to_anchor_points_get_no_small_cells():
    xy = np.random.default_rng(1).uniform(400_000, 402_000, (300, 2)).round()
    places = pd.DataFrame(xy, columns=["easting", "northing"])
    assert choose_cell_size(pd.concat([places] * 2)).size == 125
    snapped = choose_cell_size(pd.concat([places] * 3))
    assert snapped.size == 250
    assert "only 300 places are distinct" in snapped.reason
    assert choose_cell_size(pd.concat([places] * 3), snapped=False).size == 125
    assert choose_cell_size(places.head(290), snapped=True).size == 250


def test_the_distance_is_where_global_moran_has_its_first_peak():
    cells = make_grid((0, 0, 12_000, 12_000), size=500)
    x, y = cells.centroid.x, cells.centroid.y
    centre = np.exp(-((x - 3_000) ** 2 + (y - 3_000) ** 2) / 3e5)
    values = 30 * centre + np.random.default_rng(0).normal(size=len(cells))
    reach = choose_distance(values, cells)
    scores = reach.scores.to_numpy()
    peak = list(reach.scores.index).index(reach.distance)
    assert scores[peak] > max(scores[peak - 1], scores[peak + 1])
    assert "first peak" in reach.reason
    alone = global_moran(values, distance_band(cells, distance=reach.distance))
    assert alone["z_score"] == pytest.approx(reach.scores[reach.distance])
    most = distance_band(cells, distance=reach.scores.index[-1]).cardinalities.mean()
    assert most <= 30


def test_without_a_peak_the_distance_is_that_to_the_nearest_areas():
    cells = make_grid((0, 0, 10_000, 10_000), size=500)
    values = pd.Series(cells.centroid.x + cells.centroid.y)
    reach = choose_distance(values, cells)
    assert "no peak" in reach.reason
    members = distance_band(cells, distance=reach.distance).cardinalities
    assert 3 <= members.mean() <= 30
    with pytest.raises(EmptyError, match="4 areas have values"):
        choose_distance(values.iloc[:4], cells)

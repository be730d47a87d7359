"""What an analyst may hand over by mistake, and what each function says to it."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import LineString, Point, box

from placeshaping._core.errors import ColumnError, CRSError, EmptyError, GeometryError, InputError
from placeshaping.areas.neighbours import contiguity
from placeshaping.hotspots.comparison import describe_relative_density
from placeshaping.hotspots.density import describe_density
from placeshaping.hotspots.emerging import emerging_hotspots
from placeshaping.hotspots.getis import getis_ord
from placeshaping.hotspots.local_moran import local_moran
from placeshaping.hotspots.optimised import optimised_hotspots
from placeshaping.hotspots.scale import choose_cell_size
from placeshaping.hotspots.scan import scan
from placeshaping.hotspots.streets import hot_streets
from placeshaping.statistics.change import change_between
from placeshaping.statistics.concentration import gini, lorenz_curve
from placeshaping.statistics.indices import rank_areas, shrink_rates
from placeshaping.statistics.inequality import decile_table
from placeshaping.statistics.rates import crude_rate

AREAS = gpd.GeoDataFrame(
    geometry=[box(5e5 + x, 2e5 + y, 5e5 + x + 1e3, 2e5 + y + 1e3)
              for y in range(0, 6_000, 1_000) for x in range(0, 6_000, 1_000)],
    index=pd.Index([f"a{i:02}" for i in range(36)], name="area_code"),
    crs=27700,
)  # fmt: skip
NEIGHBOURS = contiguity(AREAS)
COUNTS = pd.Series(np.arange(36) % 7, AREAS.index)
PEOPLE = pd.Series(100, AREAS.index)
LINES = [LineString([(5e5, 2e5 + y), (5.06e5, 2e5 + y)]) for y in (0, 500, 1_000)]
STREETS = gpd.GeoDataFrame(geometry=LINES, crs=27700)
EVENTS = pd.DataFrame({"easting": [5.01e5] * 3, "northing": [2e5, 2e5, np.nan]})


@pytest.mark.parametrize(
    "call",
    [
        lambda: getis_ord(COUNTS.to_list(), NEIGHBOURS),
        lambda: local_moran(COUNTS, NEIGHBOURS, population=PEOPLE.to_list()),
        lambda: local_moran(COUNTS.to_list(), NEIGHBOURS, population=PEOPLE),
        lambda: scan(COUNTS.to_list(), AREAS, population=PEOPLE),
        lambda: scan(COUNTS, AREAS, population=PEOPLE.to_list()),
        lambda: optimised_hotspots(COUNTS.to_list(), areas=AREAS),
        lambda: change_between(COUNTS, COUNTS.to_list()),
        lambda: lorenz_curve(COUNTS.to_list(), PEOPLE),
        lambda: decile_table(COUNTS.to_list(), PEOPLE, COUNTS),
        lambda: shrink_rates(COUNTS, PEOPLE, ["x"] * 36),
    ],
)
def test_numbers_without_area_codes_are_refused(call):
    with pytest.raises(InputError, match=r"is a list, without area codes\. Give a pandas Series"):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda: getis_ord(COUNTS, AREAS),
        lambda: emerging_hotspots(pd.DataFrame([range(5)] * 36, AREAS.index), AREAS),
    ],
)
def test_areas_are_not_taken_for_their_neighbours(call):
    with pytest.raises(InputError, match=r"neighbours is a GeoDataFrame.*contiguity\(areas\)"):
        call()


def test_one_number_an_area_is_no_cube():
    with pytest.raises(InputError, match=r"records are a Series.*a column for each step"):
        emerging_hotspots(COUNTS, NEIGHBOURS)


def test_a_table_of_people_is_not_taken_for_steps():
    with pytest.raises(InputError, match=r"residents.*for one number an area give a Series"):
        scan(COUNTS, AREAS, population=PEOPLE.to_frame("residents"))


def test_areas_without_a_count_are_told_by_a_scan():
    result = scan(COUNTS.where(COUNTS > 1), AREAS, population=PEOPLE, simulations=19)
    assert "11 of 36 areas lack a count in some step" in result.areas.attrs["cautions"][0]


def test_streets_take_events_as_eastings_and_northings():
    plain = hot_streets(EVENTS, STREETS, draws=9)
    points = [Point(xy) for xy in EVENTS.dropna().to_numpy()]
    same = hot_streets(gpd.GeoDataFrame(geometry=[*points, None], crs=27700), STREETS, draws=9)
    pd.testing.assert_frame_equal(pd.DataFrame(plain), pd.DataFrame(same))
    assert plain.attrs["unlocated"] == 1


def test_degrees_and_tables_are_no_streets():
    degrees = pd.DataFrame({"easting": [-1.1, -1.2], "northing": [52.6, 52.7]})
    with pytest.raises(CRSError, match="are degrees"):
        hot_streets(degrees, STREETS)
    with pytest.raises(CRSError, match="are degrees"):
        choose_cell_size(degrees)
    with pytest.raises(GeometryError, match="streets is a DataFrame"):
        hot_streets(EVENTS, pd.DataFrame({"name": ["High Street"]}))


def test_no_events_are_told_as_none():
    with pytest.raises(EmptyError, match="None of 0 events can be placed: there are none"):
        optimised_hotspots(EVENTS.iloc[:0])


def test_counts_that_are_all_missing_are_not_called_skewed():
    found = optimised_hotspots(COUNTS * np.nan, areas=AREAS)
    assert not any("skewed" in caution for caution in found.attrs["cautions"])


def test_words_among_numbers_are_named():
    with pytest.raises(ColumnError, match=r"counts are not all numbers .*'many'.*to_numeric"):
        crude_rate(pd.Series(["3", "many"]), pd.Series([10, 10]))


def test_numbers_written_as_text_are_numbers():
    change = change_between(COUNTS.astype(str), COUNTS)
    assert change["difference"].eq(0).all()


def test_infinite_counts_are_refused():
    with pytest.raises(InputError, match="1 counts are negative or infinite"):
        decile_table(COUNTS.astype(float).replace(6, 5).where(COUNTS.index != "a00", np.inf),
                     PEOPLE, COUNTS % 3 + 1)  # fmt: skip
    with pytest.raises(InputError, match="1 of 2 areas have an infinite value"):
        rank_areas(pd.DataFrame({"damp": [1.0, np.inf]}, index=["a", "b"]))


def test_gini_is_never_below_zero():
    assert gini([3.0] * 36) >= 0


@pytest.mark.parametrize(
    ("describe", "maker"),
    [(describe_density, "kernel_density"), (describe_relative_density, "relative_density")],
)
def test_a_table_is_no_surface(describe, maker):
    with pytest.raises(InputError, match=f"is a DataFrame. Give what {maker} returns"):
        describe(COUNTS.to_frame())

"""Relative density against sums by hand, permutations, planted clusters, and thin places."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from scipy.spatial.distance import cdist

from placeshaping._core.errors import ColumnError, CRSError, EmptyError, InputError, UnmatchedError
from placeshaping.hotspots.comparison import describe_relative_density
from placeshaping.hotspots.relative_density import relative_density

SQUARE = gpd.GeoDataFrame(geometry=[shapely.box(400_000, 300_000, 404_000, 304_000)], crs=27700)
QUICK = {"bandwidth": 400, "cell": 100, "permutations": 99}


def make_points(number, seed, low=(400_000, 300_000), high=(404_000, 304_000)):
    xy = np.random.default_rng(seed).uniform(low, high, (number, 2))
    return pd.DataFrame(xy, columns=["easting", "northing"])


def with_cluster(number=150, extra=40, seed=0):
    rng = np.random.default_rng(seed)
    spot = pd.DataFrame(rng.normal([403_000, 301_000], 150, (extra, 2)))
    spot.columns = ["easting", "northing"]
    return pd.concat([make_points(number, seed), spot], ignore_index=True)


def make_areas(side=500):
    steps = np.arange(0, 4000, side)
    shapes = [
        shapely.box(4e5 + x, 3e5 + y, 4e5 + x + side, 3e5 + y + side) for y in steps for x in steps
    ]
    people = 100 + 10 * np.arange(len(shapes))
    codes = [f"a{i:02}" for i in range(len(shapes))]
    return gpd.GeoDataFrame({"residents": people}, geometry=shapes, index=codes, crs=27700)


def kernel_sums(found, points):
    east, north = np.meshgrid(found.cells.eastings, found.cells.northings)
    square = cdist(np.column_stack([east.ravel(), north.ravel()]), points, "sqeuclidean")
    return np.exp(-square / 2 / found.bandwidth**2).reshape(*found.cells.shape, -1)


def test_the_ratio_is_that_of_two_densities():
    cases, homes = with_cluster(), make_points(600, 1)
    found = relative_density(cases, homes, **QUICK, tolerance="asymptotic")
    above, below = (kernel_sums(found, points).sum(axis=-1) for points in (cases, homes))
    expected = (above / len(cases)) / (below / len(homes))
    shown = np.isfinite(found.ratio)
    np.testing.assert_allclose(found.ratio[shown], expected[shown], rtol=0.02)
    np.testing.assert_allclose(found.log_ratio[shown], np.log(found.ratio[shown]))


def test_expected_cases_are_kish_effective_ones():
    cases, homes = with_cluster(), make_points(600, 1)
    found = relative_density(cases, homes, **QUICK, tolerance="asymptotic")
    sums = kernel_sums(found, pd.concat([cases, homes]))
    share = len(cases) / (len(cases) + len(homes))
    expected = share * sums.sum(axis=-1) ** 2 / (sums**2).sum(axis=-1)
    np.testing.assert_allclose(found.expected, expected, rtol=0.05)
    assert (np.isnan(found.ratio) == (found.expected < 5)).all()


@pytest.mark.parametrize("people", [None, "residents"])
def test_asymptotic_and_permutation_p_agree_where_many_cases_are_expected(people):
    cases = with_cluster(500)
    other = make_areas() if people else make_points(900, 1)
    options = {"people": people, "bandwidth": 600, "cell": 200}
    drawn = relative_density(cases, other, **options, permutations=999)
    normal = relative_density(cases, other, **options, tolerance="asymptotic")
    many = drawn.expected > 20
    assert many.sum() > 50
    assert np.abs(drawn.p_value - normal.p_value)[many].max() < 0.12
    assert np.abs(drawn.p_value - normal.p_value)[many].mean() < 0.02
    assert np.isnan(normal.p_global)


@pytest.mark.parametrize("people", [None, "residents"])
def test_a_planted_cluster_is_found_and_named(people):
    other = make_areas().assign(residents=300) if people else make_points(600, 1)
    found = relative_density(with_cluster(), other, people=people, **QUICK)
    assert found.p_global == 0.01
    areas = found.contours(level=0.05)
    best = areas[areas["risk"] == "higher"].iloc[0]
    assert best["geometry"].contains(shapely.Point(403_000, 301_000))
    assert best["ratio"] == pytest.approx(np.nanmax(found.ratio))
    assert best["square_km"] == pytest.approx(best["geometry"].area / 1e6)
    assert areas.crs.to_epsg() == 27700
    assert "Contours at p 0.05" in areas.attrs["method"]
    assert any("judged by itself" in caution for caution in areas.attrs["cautions"])


def test_where_nothing_is_planted_few_cells_are_found():
    found = relative_density(
        make_points(300, 5), make_points(900, 6), bandwidth=400, cell=100, permutations=199
    )
    assert found.p_global > 0.05
    assert np.nanmean(found.p_value < 0.05) < 0.15
    assert found.contours(level=1e-9).empty


def test_a_paragraph_says_where_cases_are_out_of_proportion():
    homes = pd.concat([make_points(400, 1), make_points(300, 2, high=(401_500, 301_500))])
    told = describe_relative_density(relative_density(with_cluster(), homes, **QUICK), what="fires")
    assert told.startswith("There are more fires than the population would have in ")
    assert ", and fewer in " in told
    assert told.endswith("averaged over 400 m. For the whole map chance has p 0.010.")
    normal = relative_density(with_cluster(), homes, **QUICK, tolerance="asymptotic")
    assert describe_relative_density(normal).endswith("averaged over 400 m.")


def test_greater_asks_for_more_cases_alone():
    cases = with_cluster()
    homes = pd.concat([make_points(400, 1), make_points(300, 2, high=(401_500, 301_500))])
    both = relative_density(cases, homes, **QUICK)
    more = relative_density(cases, homes, **QUICK, alternative="greater")
    assert set(both.contours()["risk"]) == {"higher", "lower"}
    assert set(more.contours()["risk"]) == {"higher"}


def test_people_at_points_or_in_areas_come_to_the_same():
    areas = make_areas(250)
    points = areas.set_geometry(areas.centroid)
    cases = with_cluster(400)
    options = {"people": "residents", "bandwidth": 500, "cell": 100, "tolerance": "asymptotic"}
    one = relative_density(cases, areas, **options)
    other = relative_density(cases, points, **options, within=SQUARE)
    np.testing.assert_allclose(one.ratio, other.ratio, rtol=0.1)


def test_areas_smaller_than_a_cell_keep_their_people():
    areas = make_areas(50)
    found = relative_density(
        make_points(200, 1), areas, people="residents", bandwidth=600, cell=200,
        tolerance="asymptotic",
    )  # fmt: skip
    low, high = np.nanmin(found.ratio), np.nanmax(found.ratio)
    assert 0.1 < low < 1 < high < 5


def test_the_same_seed_gives_the_same_answer_and_input_stays():
    cases, homes = with_cluster(), make_points(300, 1)
    before = cases.copy(), homes.copy()
    one, other = (relative_density(cases, homes, **QUICK, rng=seed) for seed in (4, 4))
    np.testing.assert_array_equal(one.p_value, other.p_value)
    pd.testing.assert_frame_equal(cases, before[0])
    pd.testing.assert_frame_equal(homes, before[1])
    assert repr(one).startswith("<RelativeDensity: ")
    assert "190 cases and 300 controls" in one.method


def test_the_default_bandwidth_is_of_cases_and_controls_together():
    cases, homes = with_cluster(), make_points(600, 1)
    found = relative_density(cases, homes, tolerance="asymptotic")
    pooled = pd.concat([cases, homes])
    expected = np.sqrt(pooled.var().mean()) * len(pooled) ** (-1 / 6)
    assert found.bandwidth == pytest.approx(expected)


def test_cases_without_any_control_near_have_an_infinite_ratio():
    cases = make_points(300, 0, high=(401_000, 301_000))
    homes = make_points(300, 1, low=(403_000, 303_000))
    found = relative_density(cases, homes, **{**QUICK, "bandwidth": 200}, kernel="quartic")
    shown = found.ratio[np.isfinite(found.p_value)]
    assert set(np.unique(shown)) == {0.0, np.inf}
    assert found.contours().iloc[0][["risk", "ratio"]].tolist() in (
        ["higher", np.inf],
        ["lower", 0],
    )


def test_thin_places_are_masked_and_told():
    homes = pd.concat([make_points(600, 1), make_points(5, 2, high=(440_000, 340_000))])
    found = relative_density(with_cluster(), homes, **QUICK)
    assert np.isnan(found.ratio).mean() > 0.9
    assert any("of the study area is not shown" in caution for caution in found.cautions)
    with pytest.raises(EmptyError, match="No cell has 5 expected cases"):
        relative_density(make_points(12, 0), make_points(50, 1), **QUICK)


def test_large_areas_and_lost_cases_are_told():
    cases = with_cluster()
    cases.loc[0, "easting"] = 390_000.0
    areas = make_areas(2000)
    options = {**QUICK, "people": "residents", "tolerance": "asymptotic"}
    with pytest.raises(UnmatchedError, match="1 of 190 cases lie outside the study area"):
        relative_density(cases, areas, **options)
    found = relative_density(cases, areas, **options, outside="drop")
    assert found.cautions[0] == "1 case lies outside the study area, left out."
    assert "Half of the areas reach farther" in found.cautions[1]


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"tolerance": "bayes"}, InputError, "tolerance is 'bayes'"),
        ({"alternative": "less"}, InputError, "alternative is 'less'"),
        ({"permutations": 0}, InputError, "permutations is 0"),
        ({"least": 0}, InputError, "least is 0"),
        ({"bandwidth": 50}, InputError, r"\(50 m\) is below the cell"),
        ({"bandwidth": -1}, InputError, "give metres above zero"),
        ({"people": "homes"}, ColumnError, "no column 'homes'"),
    ],
)
def test_bad_options_are_refused(options, error, match):
    with pytest.raises(error, match=match):
        relative_density(with_cluster(), make_points(300, 1), **{**QUICK, **options})


def test_bad_populations_are_refused():
    cases = with_cluster()
    with pytest.raises(InputError, match="name the column of people"):
        relative_density(cases, make_areas(), **QUICK)
    with pytest.raises(EmptyError, match="5 controls are too few for 190 cases"):
        relative_density(cases, make_points(5, 1), **QUICK)
    with pytest.raises(InputError, match="are zero"):
        relative_density(cases, make_areas().assign(residents=0), people="residents", **QUICK)
    with pytest.raises(CRSError, match="EPSG:27700 is needed"):
        relative_density(cases, make_areas().to_crs(4326), people="residents", **QUICK)
    with pytest.raises(InputError, match="All 20 events stand at one place"):
        relative_density(cases[:20] * 0 + 4e5, make_points(300, 1), **QUICK)

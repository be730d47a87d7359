"""Moran's I and Geary's C against esda, exact rearrangements, and what cannot be measured."""

import logging
import warnings
from itertools import permutations

import esda
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from libpysal import examples
from shapely import box

from placeshaping._core.errors import DuplicateError, EmptyError, InputError
from placeshaping.areas.neighbours import contiguity, distance_band, k_nearest
from placeshaping.hotspots.geary import geary
from placeshaping.hotspots.local_moran import local_moran
from placeshaping.hotspots.moran import global_moran

SHAPES = [box(x, y, x + 1, y + 1) for y in range(8) for x in range(8)]
CODES = pd.Index([f"a{i:03}" for i in range(64)], name="area_code")
GRID = gpd.GeoDataFrame(geometry=SHAPES, index=CODES, crs=27700)
GRAPHS = {"queen": contiguity(GRID), "nearest": k_nearest(GRID, k=3)}
RNG = np.random.default_rng(3)
COUNTS = pd.Series(RNG.poisson(RNG.gamma(1, 4, 64)), CODES, name="burglary")
MEASURES = pd.Series(RNG.lognormal(size=64) + np.arange(64) / 40, CODES, name="measure")
PEOPLE = pd.Series(RNG.integers(200, 3000, 64), CODES)
BOTH = {"moran": (global_moran, esda.Moran), "geary": (geary, esda.Geary)}


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("weights", ["row", "binary"])
@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("values", [COUNTS, MEASURES], ids=["counts", "measures"])
def test_results_are_those_of_esda(name, weights, graph, values):
    ours, peer = BOTH[name]
    theirs = peer(values.to_numpy(float), GRAPHS[graph], transformation=weights[0], permutations=0)
    letter = {"moran": "I", "geary": "C"}[name]
    for assumption in ("randomisation", "normality"):
        result = ours(values, GRAPHS[graph], weights=weights, assumption=assumption)
        short = assumption[:4]
        assert result[name] == pytest.approx(getattr(theirs, letter), abs=1e-10)
        assert result["expected"] == pytest.approx(getattr(theirs, f"E{letter}"), abs=1e-10)
        variance = getattr(theirs, f"V{letter}_{short}")
        assert result["variance"] == pytest.approx(variance, abs=1e-10)
        assert result["z_score"] == pytest.approx(getattr(theirs, f"z_{short}"), abs=1e-9)
        twice = 2 if name == "geary" else 1  # esda's p of C is one-sided, of I two-sided
        assert result["p_value"] == pytest.approx(twice * getattr(theirs, f"p_{short}"), abs=1e-10)
        assert result["areas"] == 64
        assert result.name == values.name


def test_results_are_those_that_spdep_prints():
    # spdep: moran.test(columbus$CRIME, nb2listw(poly2nb(columbus), style = "W"))
    # and sum(localmoran(columbus$CRIME, lw)[, "Ii"]) / Szero(lw), whose divisor is n
    columbus = gpd.read_file(examples.get_path("columbus.shp"))
    crime, graph = columbus["CRIME"], contiguity(columbus)
    result = global_moran(crime, graph)
    assert result["moran"] == pytest.approx(0.500188557, abs=5e-10)
    assert result["expected"] == pytest.approx(-0.020833333, abs=5e-10)
    assert result["variance"] == pytest.approx(0.008689289, abs=5e-10)
    assert result["z_score"] == pytest.approx(5.5894, abs=5e-5)
    assert result["p_value"] == pytest.approx(2 * 1.139e-08, abs=1e-11)
    local = local_moran(crime, graph, ddof=0)["local_moran"]
    assert local.mean() == pytest.approx(0.5001886, abs=5e-8)


def test_rates_are_those_of_esda():
    theirs = esda.Moran_Rate(
        COUNTS.to_numpy(float), PEOPLE.to_numpy(float), GRAPHS["queen"], permutations=0
    )
    result = global_moran(COUNTS, GRAPHS["queen"], population=PEOPLE)
    assert result["moran"] == pytest.approx(theirs.I, abs=1e-10)


@pytest.mark.parametrize("name", BOTH)
def test_permutations_come_to_the_exact_tails(name):
    # Seven areas in a row: all 5,040 arrangements can be listed.
    areas = GRID.iloc[:7]
    graph = contiguity(areas)
    values = pd.Series([0, 3, 2, 1, 7, 9, 8], areas.index)
    measure = BOTH[name][0]
    table = pd.DataFrame(np.array(list(permutations(values))).T, areas.index)
    every = measure(table, graph)
    exact = measure(values, graph)
    assert every[name].mean() == pytest.approx(exact["expected"])
    assert every[name].var(ddof=0) == pytest.approx(exact["variance"])
    observed = exact[name]
    upper, lower = (every[name] >= observed - 1e-12), (every[name] <= observed + 1e-12)
    tail = (upper if observed > exact["expected"] else lower).mean()
    drawn = measure(values, graph, permutations=49_999)
    assert drawn["p_value"] == pytest.approx(min(1, 2 * tail), abs=0.008)
    assert drawn["z_score"] == exact["z_score"]


@pytest.mark.parametrize("name", BOTH)
def test_a_table_gives_what_each_of_its_series_gives(name):
    measure = BOTH[name][0]
    table = pd.DataFrame({"x": COUNTS.astype(float), "y": MEASURES, "z": 2.0})
    table.iloc[5, 1] = np.nan
    result = measure(table, GRAPHS["queen"])
    assert result.index.tolist() == ["x", "y", "z"]
    for series in ("x", "y"):
        alone = measure(table[series], GRAPHS["queen"])
        pd.testing.assert_series_equal(result.loc[series], alone, check_exact=False, rtol=1e-10)
    assert result.loc["y", "areas"] == 63
    assert result.loc["z", "z_score":"p_value"].isna().all()
    assert "1 of 3 series hold one value everywhere: no scores." in result.attrs["cautions"]
    dropped = measure(table["y"].dropna(), contiguity(GRID[table["y"].notna()]))
    pd.testing.assert_series_equal(result.loc["y"], dropped, check_exact=False, rtol=1e-10)


def test_islands_count_in_the_mean_as_in_esda_and_are_told(caplog):
    island = gpd.GeoDataFrame(geometry=[box(50, 50, 51, 51)], index=["i"], crs=27700)
    areas = pd.concat([GRID, island])
    values = pd.Series([*MEASURES, 9.0], areas.index)
    graph = contiguity(areas)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = esda.Moran(values.to_numpy(), graph, permutations=0)
    with caplog.at_level(logging.WARNING):
        result = global_moran(values, graph)
    assert result["moran"] == pytest.approx(theirs.I, abs=1e-10)
    assert result["variance"] == pytest.approx(theirs.VI_rand, abs=1e-10)
    assert "1 of 65 areas have no neighbours: they count in the mean alone." in caplog.text
    # esda's Geary cannot take a graph with an island
    assert geary(values, graph)["geary"] == pytest.approx(1, abs=0.3)


@pytest.mark.parametrize("name", BOTH)
def test_the_order_of_values_and_graph_may_differ(name):
    shuffled = MEASURES.sample(frac=1, random_state=1)
    measure = BOTH[name][0]
    first, again = (measure(v, GRAPHS["queen"]) for v in (MEASURES, shuffled))
    pd.testing.assert_series_equal(first, again, check_exact=False, rtol=1e-10)


@pytest.mark.parametrize("name", BOTH)
def test_permutations_are_repeatable_by_their_seed(name):
    measure = BOTH[name][0]
    first, again, other = (
        measure(COUNTS, GRAPHS["queen"], permutations=199, rng=rng)["p_value"] for rng in (1, 1, 2)
    )
    assert first == again
    assert abs(first - other) < 0.1


@pytest.mark.parametrize("name", BOTH)
def test_what_cannot_be_measured_is_told_or_refused(name):
    measure = BOTH[name][0]
    with pytest.raises(EmptyError, match="at least four areas, and 30 to be trusted; given: 3"):
        measure(COUNTS.iloc[:3], GRAPHS["queen"])
    with pytest.raises(InputError, match="None of the 64 areas has a neighbour"):
        measure(COUNTS, distance_band(GRID, distance=0.1))
    with pytest.raises(DuplicateError, match="stand more than once"):
        measure(COUNTS.rename({"a000": "a001"}), GRAPHS["queen"])
    with pytest.raises(InputError, match="assumption is 'free'"):
        measure(COUNTS, GRAPHS["queen"], assumption="free")
    with pytest.raises(InputError, match="weights is 'w'"):
        measure(COUNTS, GRAPHS["queen"], weights="w")
    everyone = GRID.iloc[:6]
    result = measure(pd.Series(range(6), everyone.index), k_nearest(everyone, k=5), permutations=99)
    assert np.isnan(result["p_value"])
    assert any("every area beside every other" in told for told in result.attrs["cautions"])
    flat = measure(COUNTS * 0, GRAPHS["queen"], permutations=9)
    assert np.isnan(flat["z_score"])
    assert "Every area has the same value" in flat.attrs["cautions"][0]
    few = MEASURES.where(CODES < "a002")
    assert any(
        "fewer than 4 values" in told for told in measure(few, GRAPHS["queen"]).attrs["cautions"]
    )


def test_what_was_done_is_told():
    result = global_moran(COUNTS, GRAPHS["queen"], population=PEOPLE, permutations=99)
    assert result.attrs["method"] == (
        "Moran's I of rates (Assunção and Reis 1999) with row-standardised weights; expectation "
        "and variance under randomisation (Cliff and Ord 1981), two-sided p-values from 99 "
        "rearrangements."
    )

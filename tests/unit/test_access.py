"""Travel, nearest services and catchments against PySAL, hand-worked streets and dense sums."""

import re

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import LineString, Point, box

from placeshaping._core.columns import column_tags, tag_columns
from placeshaping._core.errors import (
    CRSError,
    DuplicateError,
    EmptyError,
    GeometryError,
    InputError,
    UnmatchedError,
)
from placeshaping.shaping.access import (
    ENHANCED_BANDS,
    cumulative_opportunities,
    floating_catchment,
    nearest_service,
)
from placeshaping.shaping.equity import describe_equity, equity_table, people_beyond
from placeshaping.shaping.network import make_network
from placeshaping.shaping.travel import costs_from_table, travel_costs


def at(places, names=None, crs=27700):
    names = names or [f"p{i}" for i in range(len(places))]
    return gpd.GeoDataFrame(index=names, geometry=[Point(p) for p in places], crs=crs)


@pytest.fixture
def streets():
    """A crossroads of 1 km arms at (1000, 1000), and a lane apart from it."""
    ends = [(0, 1000), (2000, 1000), (1000, 0), (1000, 2000)]
    lines = [LineString([(1000, 1000), end]) for end in ends]
    lines.append(LineString([(5000, 5000), (5000, 6000)]))
    kinds = ["A road", "A road", "lane", "lane", "lane"]
    return gpd.GeoDataFrame({"kind": kinds}, geometry=lines, crs=27700)


def scattered(seed, areas=300, services=40):
    rng = np.random.default_rng(seed)
    homes = at(rng.random((areas, 2)) * 9000, [f"a{i}" for i in range(areas)])
    return homes, at(rng.random((services, 2)) * 9000, [f"s{i}" for i in range(services)]), rng


def test_straight_pairs_are_all_those_within_the_limit():
    homes, clinics, _ = scattered(1)
    away = np.linalg.norm(
        homes.get_coordinates().to_numpy()[:, None] - clinics.get_coordinates().to_numpy(), axis=2
    )
    costs = travel_costs(homes, clinics, limit=2000, unit="metres")
    np.testing.assert_allclose(costs.matrix(), np.where(away <= 2000, away, np.inf))
    nearest = nearest_service(homes, clinics, unit="metres")
    np.testing.assert_allclose(nearest["metres"], away.min(axis=1))
    assert (nearest["nearest"] == clinics.index[away.argmin(axis=1)]).all()
    slow = nearest_service(homes, clinics, walking=2.4, detour=1.5)
    np.testing.assert_allclose(slow["minutes"], away.min(axis=1) * 1.5 / 40)


def test_ways_along_streets_are_as_worked_by_hand(streets):
    network = make_network(streets)
    homes = at([(200, 1030), (1000, 300), (900, 1000)], ["west", "south", "near"])
    shops = at([(1500, 960), (700, 1000)], ["east", "west shop"])
    costs = travel_costs(homes, shops, network=network, unit="metres").matrix()
    # to the street, along it and off again
    np.testing.assert_allclose(
        costs, [[30 + 1300 + 40, 30 + 500], [700 + 500 + 40, 700 + 300], [600 + 40, 200]]
    )
    nearest = nearest_service(homes, shops, network=network)
    assert nearest["nearest"].tolist() == ["west shop"] * 3
    np.testing.assert_allclose(nearest["minutes"], [530 / 80, 1000 / 80, 200 / 80])
    assert any("falls into 2 parts" in caution for caution in nearest.attrs["cautions"])


def test_speeds_are_those_of_the_class_of_road(streets):
    network = make_network(streets, speeds={"A road": 60, "lane": 30}, road_class="kind")
    homes, shops = at([(0, 1000)]), at([(1000, 500)])
    minutes = travel_costs(homes, shops, network=network).matrix()
    assert minutes[0, 0] == pytest.approx(1 + 1)
    assert "A road 60, lane 30" in network.method


def test_lines_that_meet_side_by_side_take_the_shorter():
    bend = LineString([(0, 0), (0, 100), (100, 100), (100, 0)])
    streets = gpd.GeoDataFrame(geometry=[bend, LineString([(0, 0), (100, 0)])], crs=27700)
    away = travel_costs(
        at([(0, 0)]), at([(100, 0)]), network=make_network(streets), unit="metres"
    ).matrix()
    assert away[0, 0] == pytest.approx(100)


def test_places_outside_the_network_are_told_with_how_far(streets):
    network = make_network(streets)
    homes, shops = at([(200, 1000)]), at([(1500, 1000), (1000, 9000)], ["near", "far"])
    with pytest.raises(UnmatchedError, match=re.escape("1 of 2 services lie more than 500 m from")):
        nearest_service(homes, shops, network=network)
    with pytest.raises(UnmatchedError, match=re.escape("far (5,000 m)")):
        travel_costs(homes, shops, network=network)
    found = nearest_service(homes, shops, network=network, outside="drop")
    assert found["nearest"].tolist() == ["near"]
    assert any("up to 5,000 m" in caution for caution in found.attrs["cautions"])


def test_parts_that_cannot_be_reached_are_missing_and_told(streets):
    homes, shops = at([(5000, 5500), (200, 1000)], ["cut off", "west"]), at([(1500, 1000)])
    found = nearest_service(homes, shops, network=make_network(streets))
    assert found["minutes"].isna().tolist() == [True, False]
    assert found["nearest"].isna().tolist() == [True, False]
    assert "1 of 2 origins reach no service." in found.attrs["cautions"]
    assert any("1 origins stand on streets that are cut off" in c for c in found.attrs["cautions"])


@pytest.mark.parametrize("bands", [None, ENHANCED_BANDS])
def test_catchments_equal_pysal_and_leave_tables_alone(bands):
    access = pytest.importorskip("access.fca")
    weights = pytest.importorskip("access.weights")
    homes, clinics, rng = scattered(2)
    people = pd.Series(rng.integers(0, 900, 300).astype(float), index=homes.index, name="people")
    doctors = pd.Series(rng.integers(1, 9, 40).astype(float), index=clinics.index, name="doctors")
    pairs = travel_costs(homes, clinics, limit=30)
    rows = np.repeat(homes.index, np.diff(pairs.starts))
    table = pd.DataFrame({"origin": rows, "dest": clinics.index[pairs.service], "cost": pairs.cost})
    before = [people.copy(), doctors.copy()]
    ours = floating_catchment(
        pairs, people, supply=doctors, within=None if bands else 20, bands=bands, per=1
    )
    theirs = access.two_stage_fca(
        people.to_frame().rename_axis("geoid"),
        doctors.to_frame().rename_axis("geoid"),
        table,
        max_cost=30 if bands else 20,
        demand_index=True,
        demand_name="people",
        supply_index="geoid",
        supply_name="doctors",
        weight_fn=weights.step_fn(dict(bands)) if bands else None,
    )
    expected = theirs.reindex(homes.index).fillna(0)
    np.testing.assert_allclose(ours.areas["access"], expected, rtol=1e-12)
    pd.testing.assert_series_equal(people, before[0])
    pd.testing.assert_series_equal(doctors, before[1])
    assert ours.areas.index.equals(homes.index)


def test_opportunities_are_counted_up_to_the_threshold():
    homes, clinics, rng = scattered(3)
    places = pd.Series(rng.integers(1, 9, 40).astype(float), index=clinics.index)
    costs = travel_costs(homes, clinics, limit=30)
    found = cumulative_opportunities(costs, within=15, supply=places)
    inside = costs.matrix() <= 15
    np.testing.assert_array_equal(found["services"], inside.sum(axis=1))
    np.testing.assert_allclose(found["opportunities"], inside @ places.to_numpy())
    with pytest.raises(InputError, match="measured up to 30"):
        cumulative_opportunities(costs, within=31)


def test_a_table_of_costs_is_taken_in_any_order():
    origins, services = pd.Index(["a", "b"]), pd.Index(["x", "y"])
    pairs = pd.DataFrame(
        {"origin": ["b", "a", "b"], "service": ["y", "y", "x"], "cost": [3.0, np.nan, 1.0]}
    )
    costs = costs_from_table(pairs, origins, services)
    assert costs.matrix().tolist() == [[np.inf, np.inf], [1.0, 3.0]]
    assert costs.cautions == ("1 pairs have no cost and are out of reach.",)
    with pytest.raises(DuplicateError, match="2 of 6 pairs stand twice"):
        costs_from_table(pd.concat([pairs, pairs]), origins, services)
    with pytest.raises(UnmatchedError, match=re.escape("1 origins that are not among the 1 given")):
        costs_from_table(pairs, origins[:1], services)
    with pytest.raises(InputError, match="2 of 3 pairs have a cost below zero"):
        costs_from_table(pairs.assign(cost=-pairs["cost"]), origins, services)


def test_areas_are_measured_from_their_middle():
    areas = gpd.GeoDataFrame(index=["a"], geometry=[box(0, 0, 200, 200)], crs=27700)
    assert nearest_service(areas, at([(100, 500)]), unit="metres")["metres"].tolist() == [400.0]


def test_people_beyond_are_counted_by_age_and_decile_and_stay_tagged():
    areas = pd.Index(["a", "b", "c"], name="area_code")
    minutes = pd.Series([5.0, 15.0, np.nan], index=areas)
    people = pd.DataFrame({"0-15": [10.0, 20, 30], "16+": [40.0, 50, 60]}, index=areas)
    deprivation = pd.DataFrame({"imd_decile": [1, 1, 10]}, index=areas)
    tag_columns(deprivation, {"imd_decile": "audit_only"})
    table = people_beyond(minutes, people, deprivation["imd_decile"])
    assert table["population"].sum() == 210
    assert table["beyond"].sum() == 90  # those out of reach; 15 minutes are not beyond 15
    assert table.loc[table["decile"] == 10, "beyond"].tolist() == [30.0, 60.0]
    assert set(column_tags(table).values()) == {"audit_only"}
    fair = equity_table(minutes, people["16+"], deprivation["imd_decile"])
    assert fair.loc[1, "mean"] == pytest.approx((5 * 40 + 15 * 50) / 90)
    assert fair.loc[1, "median"] == 15.0
    assert fair.attrs["share"] == pytest.approx(60 / 150)
    assert "decile" in column_tags(fair)
    text = describe_equity(fair, what="library")
    assert text.startswith("40.0% of residents live more than 15 minutes from the nearest library")
    assert "0.0% in the most deprived fifth of areas of the nation, 100.0% in the least" in text


def test_deciles_and_people_that_cannot_be_are_refused():
    areas = pd.Index(["a", "b"], name="area_code")
    minutes, people = pd.Series([5.0, 9.0], areas), pd.Series([1.0, 2.0], areas)
    with pytest.raises(InputError, match="1 areas have a decile that is not one of 1 to 10"):
        equity_table(minutes, people, pd.Series([1, 11], areas))
    with pytest.raises(InputError, match="1 of 2 areas have no population"):
        equity_table(minutes, people.iloc[:1], pd.Series([1, 2], areas))
    with pytest.raises(EmptyError, match="Population is zero in all 2 areas"):
        equity_table(minutes, people * 0, pd.Series([1, 2], areas))
    with pytest.raises(InputError, match="None of 2 areas has a decile"):
        equity_table(minutes, people, pd.Series([1, 2], ["x", "y"]))
    told = equity_table(minutes, people, pd.Series([1], ["a"]))
    assert "1 areas have no decile." in told.attrs["cautions"]


def test_bad_places_are_refused(streets):
    good = at([(0, 0)])
    with pytest.raises(CRSError, match=r"holds coordinates like -1\.100, 52\.600"):
        nearest_service(at([(-1.1, 52.6)]), good)
    with pytest.raises(CRSError, match="services: the reference system is EPSG:4326"):
        nearest_service(good, at([(-1.1, 52.6)], crs=4326))
    with pytest.raises(DuplicateError, match="services: 1 services stand more than once"):
        nearest_service(good, at([(0, 0), (1, 1)], ["x", "x"]))
    with pytest.raises(EmptyError, match="services: there are no services"):
        nearest_service(good, good.iloc[:0])
    with pytest.raises(GeometryError, match="origins: 1 of 1 origins have no place"):
        nearest_service(gpd.GeoDataFrame(index=["a"], geometry=[None], crs=27700), good)
    with pytest.raises(InputError, match="walking is 0; it must be above zero"):
        nearest_service(good, good, walking=0)
    with pytest.raises(InputError, match=re.escape("have a class without a speed (lane)")):
        make_network(streets, speeds={"A road": 60}, road_class="kind")
    with pytest.raises(GeometryError, match="1 of 1 streets are no lines"):
        make_network(good)
    twins = travel_costs(good, at([(5, 5), (5, 5)]))
    assert "1 services stand where another one stands; each is counted." in twins.cautions


def test_catchments_need_people_and_a_reach():
    homes, clinics, _ = scattered(4, 10, 3)
    costs = travel_costs(homes, clinics, limit=500)
    with pytest.raises(EmptyError, match="demand is zero for all 10 origins"):
        floating_catchment(costs, pd.Series(0.0, index=homes.index), within=10)
    with pytest.raises(InputError, match="by one of `within` and `bands`"):
        floating_catchment(costs, pd.Series(1.0, index=homes.index))

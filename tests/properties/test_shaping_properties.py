"""What must hold of access and siting whatever the places: conservation, order, bounds."""

import geopandas as gpd
import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from placeshaping.shaping.access import ENHANCED_BANDS, floating_catchment, nearest_service
from placeshaping.shaping.siting import maximal_covering, p_median
from placeshaping.shaping.travel import travel_costs

seeds = st.integers(0, 2**32 - 1)


def draw(seed, areas=25, services=8):
    rng = np.random.default_rng(seed)
    at = rng.integers(0, 4000, (areas + services, 2)).astype(float)
    points = gpd.points_from_xy(at[:, 0], at[:, 1])
    names = [f"a{i}" for i in range(areas)], [f"s{i}" for i in range(services)]
    homes = gpd.GeoDataFrame(index=names[0], geometry=points[:areas], crs=27700)
    people = pd.Series(rng.integers(0, 50, areas) + 1.0, index=homes.index)
    return homes, gpd.GeoDataFrame(index=names[1], geometry=points[areas:], crs=27700), people


@settings(deadline=None, max_examples=40)
@given(seeds, st.booleans())
def test_all_supply_in_reach_of_anybody_is_handed_out(seed, enhanced):
    homes, clinics, people = draw(seed)
    costs = travel_costs(homes, clinics, limit=30)
    how = {"bands": ENHANCED_BANDS} if enhanced else {"within": 12}
    found = floating_catchment(costs, people, per=1, **how)
    used = found.services["supply"][found.services["demand"] > 0].sum()
    np.testing.assert_allclose(found.areas["access"] @ people, used)


@settings(deadline=None, max_examples=40)
@given(seeds)
def test_access_does_not_depend_on_the_order_of_rows(seed):
    homes, clinics, people = draw(seed)
    rng = np.random.default_rng(seed)
    other = homes.iloc[rng.permutation(len(homes))], clinics.iloc[rng.permutation(len(clinics))]
    one = floating_catchment(travel_costs(homes, clinics), people, within=15).areas
    two = floating_catchment(travel_costs(*other), people, within=15).areas
    pd.testing.assert_frame_equal(one, two.loc[one.index])
    near = nearest_service(homes, clinics)["minutes"]
    pd.testing.assert_series_equal(near, nearest_service(*other)["minutes"].loc[near.index])


@settings(deadline=None, max_examples=30)
@given(seeds, st.integers(1, 7))
def test_a_bound_is_never_crossed_and_another_site_never_harms(seed, sites):
    homes, clinics, people = draw(seed)
    costs = travel_costs(homes, clinics)
    quick = p_median(people, costs, sites=sites)
    exact = p_median(people, costs, sites=sites, exact=True)
    assert quick.bound - 1e-9 <= exact.objective <= quick.objective + 1e-9
    assert p_median(people, costs, sites=sites + 1, exact=True).objective <= exact.objective + 1e-9
    cover = maximal_covering(people, costs, sites=sites, within=10)
    assert cover.objective <= cover.bound + 1e-9
    share = people[cover.areas["covered"]].sum() / people.sum()
    np.testing.assert_allclose(cover.objective, share)

"""What must hold of merged areas, whatever the counts and the order of the rows."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from placeshaping.disclosure.adaptive import merge_areas
from placeshaping.disclosure.merged import apply_partition
from placeshaping.disclosure.policies import policy_named

SIDE = 5
MAY = pd.Timestamp("2025-05-01")
PARENTS = np.array([(x // 3) * 2 + y // 3 for x in range(SIDE) for y in range(SIDE)])


def places() -> gpd.GeoDataFrame:
    x, y = (axis.ravel() for axis in np.meshgrid(range(SIDE), range(SIDE), indexing="ij"))
    codes = pd.Index([f"E01900{i:03}" for i in range(SIDE**2)], name="area_code")
    return gpd.GeoDataFrame(
        {"area_name": [f"Fen {i:03}A" for i in range(SIDE**2)]},
        geometry=shapely.box(x, y, x + 1, y + 1),
        index=codes,
        crs=27700,
    )


PLACES = places()
LOOKUP = pd.DataFrame({"msoa_code": [f"M{p}" for p in PARENTS]}, index=PLACES.index)


def table(counts: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "area_code": np.tile(PLACES.index, 2),
            "period": MAY,
            "category": np.repeat(["Burglary", "Robbery"], SIDE**2),
            "count": counts.ravel(),
        }
    )


@settings(max_examples=60, deadline=None)
@given(
    counts=arrays(np.int64, (2, SIDE**2), elements=st.integers(0, 9)),
    policy=st.sampled_from(["public", "councillor", "nhs"]),
    seed=st.integers(0, 1_000),
)
def test_merged_areas_pass_lie_in_one_parent_hang_together_and_lose_nothing(
    counts: np.ndarray, policy: str, seed: int
) -> None:
    rules = policy_named(policy)
    given_counts = table(counts)
    partition = merge_areas(given_counts, PLACES, LOOKUP, policy=rules)
    merged = apply_partition(
        partition, areas=PLACES, counts=given_counts, lookup=LOOKUP, population=None
    )
    total = merged.counts.groupby("area_code")["count"].sum()
    small = total[(total < rules.threshold) & (total >= rules.smallest_hidden)]

    assert sorted(small.index) == sorted(partition.lifted)
    assert total.sum() == counts.sum()
    by_category = merged.counts.groupby("category")["count"].sum()
    assert by_category.tolist() == counts.sum(axis=1).tolist()
    assert LOOKUP["msoa_code"].groupby(partition.areas["shown"]).nunique().max() == 1
    assert set(shapely.get_type_id(merged.areas.geometry.to_numpy())) == {3}
    assert shapely.coverage_is_valid(merged.areas.geometry.to_numpy())
    assert merged.areas.geometry.area.sum() == SIDE**2
    by_parent = pd.Series(counts.sum(axis=0), index=PLACES.index).groupby(LOOKUP["msoa_code"]).sum()
    for code in partition.lifted:
        assert by_parent[LOOKUP.at[code, "msoa_code"]] < rules.threshold

    rng = np.random.default_rng(seed)
    rows, order = rng.permutation(len(given_counts)), rng.permutation(len(PLACES))
    again = merge_areas(
        given_counts.iloc[rows], PLACES.iloc[order], LOOKUP.iloc[order[::-1]], policy=rules
    )
    pd.testing.assert_frame_equal(again.areas.loc[PLACES.index], partition.areas)
    assert dict(again.facts) == dict(partition.facts)

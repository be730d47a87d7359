"""What must hold of squares of several sizes, whatever the points."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from placeshaping.disclosure.grid_ladder import make_grid_ladder
from placeshaping.disclosure.policies import policy_named

EXTENT = (0.0, 0.0, 2000.0, 1000.0)


@settings(max_examples=60, deadline=None)
@given(
    counts=arrays(np.int64, 32, elements=st.sampled_from([0, 1, 4, 9, 10, 30])),
    policy=st.sampled_from(["public", "councillor", "police"]),
    seed=st.integers(0, 1_000),
)
def test_squares_cover_the_place_once_lose_nothing_and_are_split_as_far_as_may_be(
    counts: np.ndarray, policy: str, seed: int
) -> None:
    rules = policy_named(policy)
    place = np.arange(32)
    events = pd.DataFrame(
        {"easting": (place % 8) * 250.0, "northing": (place // 8) * 250.0, "count": counts}
    )
    made = make_grid_ladder(events, EXTENT, policy=rules, finest=250, by=())
    total = made.counts.set_index("area_code")["count"]

    def passes(count: int) -> bool:
        return count >= rules.threshold or (count == 0 and rules.zeros_shown)

    assert total.sum() == counts.sum()
    assert made.cells.geometry.area.sum() == 2_000_000
    assert shapely.union_all(made.cells.geometry.to_numpy()).area == 2_000_000
    assert shapely.coverage_is_valid(made.cells.geometry.to_numpy())
    for code, cell in made.cells.iterrows():
        west, south, east, north = cell.geometry.bounds
        held = events[
            events["easting"].between(west, east, inclusive="left")
            & events["northing"].between(south, north, inclusive="left")
        ]
        assert held["count"].sum() == total[code]
        if cell["size"] < 1000:
            assert passes(total[code])
        if cell["size"] > 250 and total[code] > 0:
            half = cell["size"] / 2
            quarter = (held["easting"] >= west + half) * 2 + (held["northing"] >= south + half)
            sums = held.groupby(quarter)["count"].sum()
            assert not all(passes(count) for count in sums)

    again = make_grid_ladder(
        events.iloc[np.random.default_rng(seed).permutation(32)], EXTENT, policy=rules,
        finest=250, by=(),
    )  # fmt: skip
    pd.testing.assert_frame_equal(again.counts, made.counts)

"""What holds of every near repeat table."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from placeshaping.hotspots._space_time import find_close, time_pairs
from placeshaping.hotspots.near_repeat import knox

places = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(0, 30)), min_size=6, max_size=40
)


@given(places, st.sampled_from(["euclidean", "manhattan"]))
@settings(max_examples=60, deadline=None)
def test_bands_share_all_pairs_out(rows, metric):
    xy = np.array([row[:2] for row in rows], dtype=float) * 10
    days = np.array([row[2] for row in rows])
    days -= days.min()
    pairs = len(rows) * (len(rows) - 1) // 2
    for same_place in (False, True):
        close = find_close(
            xy, days, np.array([0.0, 25, 60, 1e6]), same_place=same_place, metric=metric
        )
        assert close.per_band.sum() == pairs
    assert time_pairs(days, np.array([0, 1, 5, 100])).sum() == pairs


@given(places, st.integers(0, 3))
@settings(max_examples=25, deadline=None)
def test_turned_or_moved_events_have_the_same_table(rows, turns):
    events = pd.DataFrame(rows, columns=["easting", "northing", "time"])
    events.loc[:1, ["easting", "northing"]] = 5
    events.loc[:1, "time"] = [0, 1]
    events[["easting", "northing"]] = events[["easting", "northing"]] * 20 + 1000
    turned = events.copy()
    for _ in range(turns):
        turned[["easting", "northing"]] = np.column_stack([turned["northing"], -turned["easting"]])
    turned[["easting", "northing"]] += 50_000
    columns = ["observed", "expected", "ratio"]
    options = {"distances": [0, 50, 120], "days": [0, 2, 9], "permutations": 0}
    pd.testing.assert_frame_equal(
        knox(events, **options)[columns], knox(turned, **options)[columns]
    )

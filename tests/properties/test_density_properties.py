"""What holds of every density."""

import numpy as np
import pandas as pd
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from placeshaping.hotspots.density import kernel_density

SQUARE = shapely.box(400_000, 300_000, 404_000, 303_000)
spots = st.lists(
    st.tuples(st.floats(400_000, 404_000), st.floats(300_000, 303_000)),
    min_size=11, max_size=40, unique=True,
)  # fmt: skip


def table(rows):
    return pd.DataFrame(rows, columns=["easting", "northing"])


@given(spots, st.sampled_from(["quartic", "gaussian"]), st.booleans(), st.integers(100, 3_000))
@settings(max_examples=60, deadline=None)
def test_every_event_is_in_the_integral_once(rows, kernel, exact, bandwidth):
    surface = kernel_density(
        table(rows), bandwidth=bandwidth, cell=100, kernel=kernel, within=SQUARE, exact=exact
    )
    np.testing.assert_allclose(surface.total, len(rows), rtol=1e-6)
    assert np.nanmin(surface.values) >= 0


@given(spots, st.integers(1, 10))
@settings(max_examples=30, deadline=None)
def test_a_density_of_two_parts_is_the_sum_of_theirs(rows, cut):
    events = table(rows + rows[::-1])
    options = {"bandwidth": 500, "cell": 100, "within": SQUARE, "exact": True}
    whole = kernel_density(events, **options)
    weights = np.arange(len(events)) < cut
    parts = [
        kernel_density(events.assign(part=part.astype(float)), **options, weights="part").values
        for part in (weights, ~weights)
    ]
    np.testing.assert_allclose(parts[0] + parts[1], whole.values, rtol=1e-9, atol=1e-12)

"""What must hold of the choice of detail, whatever the counts: against sums made by pandas."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from placeshaping.areas.ladder import make_ladder
from placeshaping.disclosure.coarsening import POLICE_GROUPS, choose_detail
from placeshaping.disclosure.policies import policy_named

CODES = pd.Index(["E01900001", "E01900002", "E01900003"], name="area_code")
MONTHS = pd.date_range("2024-05-01", periods=14, freq="MS")
NAMES = ["Burglary", "Robbery", "Drugs", "Other crime", "Shoplifting", "Other theft"]
PLACES = make_ladder(
    gpd.GeoDataFrame(
        {"area_name": list("abc")},
        geometry=shapely.box(np.arange(3), 0, np.arange(3) + 1, 1),
        index=CODES,
        crs=27700,
    )
)
GROUP_OF = {part: label for label, parts in POLICE_GROUPS.items() for part in parts}


def by_hand(counts: pd.DataFrame, by: str, categories: str, threshold: int) -> tuple[float, float]:
    """Return the share of small non-zero cells, and of the records in them."""
    length = {"month": "M", "quarter": "Q", "year": "Y"}.get(by)
    span = counts["period"].dt.to_period(length) if length else pd.Series(0, index=counts.index)
    what = counts["category"]
    if categories.endswith("groups"):
        what = what.map(lambda name: name if name in ("Burglary", "Robbery") else GROUP_OF[name])
    elif categories == "the total alone":
        what = pd.Series("all", index=counts.index)
    cells = counts["count"].groupby([counts["area_code"], span.rename("s"), what.rename("c")]).sum()
    cells = cells[cells > 0]
    small = cells[cells < threshold]
    return len(small) / max(len(cells), 1), small.sum() / max(cells.sum(), 1)


@settings(max_examples=40, deadline=None)
@given(
    drawn=arrays(np.int64, (14, 6, 3), elements=st.integers(0, 6)),
    policy=st.sampled_from(["public", "councillor"]),
    by=st.sampled_from(["month", "quarter", "year", "all"]),
    seed=st.integers(0, 1_000),
)
def test_losses_are_those_of_the_cells_and_the_least_is_chosen(
    drawn: np.ndarray, policy: str, by: str, seed: int
) -> None:
    keys = pd.MultiIndex.from_product(
        [MONTHS, NAMES, CODES], names=["period", "category", "area_code"]
    )
    counts = pd.DataFrame({"count": drawn.ravel()}, index=keys).reset_index()
    rules = policy_named(policy)
    detail = choose_detail(counts, PLACES, policy=rules, by=by)  # type: ignore[arg-type]
    table = detail.candidates
    for row in table.itertuples():
        cells, records = by_hand(counts, row.by, row.categories, rules.threshold)
        assert np.isclose(row.cells, cells)
        assert np.isclose(row.records, records)
        assert np.isclose(row.loss, records + row.cost)
    chosen = table[table["chosen"]]
    assert len(chosen) == 1
    assert np.isclose(chosen["loss"].iloc[0], table["loss"].min())
    shuffled = counts.iloc[np.random.default_rng(seed).permutation(len(counts))]
    again = choose_detail(shuffled, PLACES, policy=rules, by=by)  # type: ignore[arg-type]
    assert again.sentence == detail.sentence

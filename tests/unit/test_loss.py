"""What the figures of a release's loss tell of the counts that it hides."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from placeshaping.areas.ladder import make_ladder
from placeshaping.disclosure.own_policies import make_policy
from placeshaping.disclosure.release import release
from placeshaping.hotspots.study import Study, analyse

SUPPRESS = make_policy(
    {
        "name": "exact",
        "base": "councillor",
        "method": "suppress",
        "rounding": 1,
        "loosen": ["rounding"],
    }
)


def study_of(counts: Sequence[int], *, side: int = 6) -> Study:
    codes = pd.Index([f"E019{n:05}" for n in range(len(counts))], name="area_code")
    squares = [box(n % side, n // side, n % side + 1, n // side + 1) for n in range(len(counts))]
    names = {"area_name": [f"Marsh {n:03}" for n in range(len(counts))]}
    areas = gpd.GeoDataFrame(names, geometry=squares, index=codes, crs=27700)
    month = pd.Timestamp("2025-05-01")
    rows = {"area_code": codes, "period": month, "category": "Burglary", "count": counts}
    return analyse(pd.DataFrame(rows), make_ladder(areas))


def facts_of(counts: Sequence[int], policy: Any = "councillor") -> dict[str, Any]:
    made = release(study_of(counts), policy=policy, title="Burglary", made_on=dt.date(2026, 1, 31))
    return dict(made.facts["lsoa"])


@pytest.mark.parametrize("policy", ["councillor", SUPPRESS], ids=["rounded", "exact"])
def test_the_share_hidden_does_not_depend_on_the_hidden_counts(policy: Any) -> None:
    shown = [30, 40, 28, 35, 50, 33, 41, 37]
    told = {facts_of([*small, *shown], policy)["share_hidden"] for small in ([1, 1], [4, 4])}
    assert len(told) == 1


def test_the_share_hidden_is_near_the_true_one(make_study: Any) -> None:
    study = make_study(mean=6.0)
    made = release(study, policy="councillor", title="Crime", made_on=dt.date(2026, 1, 31))
    table = made.tables["lsoa"].values
    inner = (table["period"] != table["period"][0]) & (table["category"] != table["category"][0])
    true = study.table("lsoa")["count"].astype(float)
    lost = true[inner & (table["status"] == "hidden")].sum() / true[inner].sum()
    assert abs(made.facts["lsoa"]["share_hidden"] - lost) < 0.05


def test_no_correlation_with_true_counts_is_told_beside_exact_ones() -> None:
    counts = np.random.default_rng(3).integers(5, 16, 36)
    counts[7] = 2
    assert "moran_true" not in facts_of(counts.tolist(), SUPPRESS)
    assert "rank_correlation" not in facts_of(counts.tolist(), SUPPRESS)
    assert "moran_true" in facts_of(counts.tolist(), "councillor")

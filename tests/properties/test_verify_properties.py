"""A protected release withstands the attacker; with one number put back it does not."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from placeshaping._core.errors import DisclosureError
from placeshaping.disclosure.release import release
from placeshaping.hotspots.study import Study
from placeshaping.layers.geopackage import write_layers
from placeshaping.verify.contents import Contents, Table
from placeshaping.verify.files import verify_file
from placeshaping.verify.payload import KEYS, LEVEL_KEYS
from placeshaping.verify.rules import RULES
from placeshaping.verify.subtraction import check_subtraction

MakeStudy = Callable[..., Study]


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    seed=st.integers(0, 10_000),
    mean=st.sampled_from([0.5, 1.0, 2.0, 8.0]),
    policy=st.sampled_from(["councillor", "public"]),
)
def test_any_release_withstands(
    make_study: MakeStudy, tmp_path: Path, seed: int, mean: float, policy: str
) -> None:
    study = make_study(seed=seed, mean=mean)
    try:
        made = release(study, policy=policy, title="x", made_on=dt.date(2026, 1, 1))
    except DisclosureError:
        return
    verdict = verify_file(write_layers(made, tmp_path / "layers.gpkg"))
    assert verdict.breaches == ()
    assert verdict.judged_policy == policy


def table_of(counts: np.ndarray, hidden: np.ndarray) -> Contents:
    categories, areas = counts.shape
    frame = pd.DataFrame(
        {
            "area_code": np.tile([f"a{i}" for i in range(areas)], categories),
            "period": "2025",
            "category": np.repeat([f"c{i}" for i in range(categories)], areas),
            "status": np.where(hidden.ravel(), "hidden", "shown"),
            "count": np.where(hidden, np.nan, 5 * np.rint(counts / 5)).ravel(),
        }
    )
    return Contents("csv", tables=[Table("lsoa_values", frame)])


@settings(max_examples=200, deadline=None)
@given(data=st.data(), parts=st.integers(2, 5))
def test_a_breach_is_told_just_where_every_solution_is_narrow(
    data: st.DataObject, parts: int
) -> None:
    """Against brute force: every table of counts that looks the same as the one shown."""
    rules = RULES["councillor"]
    true = np.array(data.draw(st.lists(st.integers(0, 12), min_size=parts, max_size=parts)))
    column = np.concatenate([[true.sum()], true])[:, None]
    hidden = (column > 0) & (column < 5)
    contents = table_of(column, hidden)
    shown = 5 * np.rint(column / 5).ravel()

    def values(cell: int) -> range:
        if hidden[cell, 0]:
            return range(1, 40)
        if shown[cell] == 0:
            return range(1)
        return range(int(max(shown[cell] - 2, 5)), int(shown[cell]) + 3)

    sums = {0}
    narrow = False
    for cell in range(1, parts + 1):
        others = {0}
        for other in range(1, parts + 1):
            if other != cell:
                others = {s + v for s in others for v in values(other)}
        sums = {t - o for t in values(0) for o in others} & set(values(cell))
        certain = bool(sums) and max(sums) <= 4
        narrow |= bool(hidden[cell, 0] and not hidden[0, 0] and certain and sums != {1, 2, 3, 4})
    assert bool(check_subtraction(contents, rules)[1]) == narrow


@pytest.mark.parametrize("policy", ["councillor", "public"])
@settings(max_examples=30, deadline=None)
@given(count=st.integers(0, 200))
def test_a_count_passes_just_when_its_policy_allows_it(
    tmp_path_factory: pytest.TempPathFactory, policy: str, count: int
) -> None:
    rules = RULES[policy]
    path = tmp_path_factory.mktemp("count") / "a.csv"
    path.write_text(f"area_code,count\nE01900001,{count}\n")
    allowed = count % 5 == 0 and (count >= rules.threshold or (count == 0 and rules.zeros_shown))
    assert verify_file(path, policy=policy).passed == allowed


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 30) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
LEVEL = st.dictionaries(st.sampled_from(sorted(LEVEL_KEYS)), JSON, max_size=6)
PAYLOAD = st.dictionaries(
    st.sampled_from(sorted(KEYS)), JSON | st.lists(LEVEL | JSON, max_size=3), max_size=6
)


@settings(max_examples=80, deadline=None)
@given(declaration=JSON, payload=PAYLOAD | JSON)
def test_no_page_stops_the_attacker(
    tmp_path_factory: pytest.TempPathFactory, declaration: object, payload: object
) -> None:
    path = tmp_path_factory.mktemp("page") / "map.html"
    path.write_text(
        f'<script type="application/json" id="placeshaping-declaration">{json.dumps(declaration)}'
        f'</script><script type="text/plain" id="placeshaping-data">{json.dumps(payload)}</script>',
        encoding="utf-8",
    )
    assert isinstance(verify_file(path).to_dict()["passed"], bool)

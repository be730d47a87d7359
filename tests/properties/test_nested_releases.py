"""Random nested tables, protected by every method, withstand the attacker as written files."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from placeshaping._core.errors import HiddenError
from placeshaping.areas.ladder import make_ladder
from placeshaping.disclosure.own_policies import make_policy
from placeshaping.disclosure.policies import POLICIES, Policy
from placeshaping.disclosure.release import Release, release
from placeshaping.hotspots.labels import LabelClass, LabelScheme, label_areas
from placeshaping.hotspots.study import Study, analyse
from placeshaping.layers.geopackage import write_layers
from placeshaping.verify.files import verify_file

SUPPRESS = make_policy(
    {
        "name": "exact",
        "base": "councillor",
        "method": "suppress",
        "rounding": 1,
        "loosen": ["rounding"],
    }
)
ADDITIVE = make_policy({"name": "additive", "base": "councillor", "method": "additive"})
RULES = [POLICIES["public"], POLICIES["councillor"], POLICIES["nhs"], SUPPRESS, ADDITIVE]
SIDE = 4


def study_of(seed: int, mean: float, *, branches: bool, periods: int, sensitive: bool) -> Study:
    """Make counts of 16 areas in MSOAs, wards across them and districts, of several years."""
    rng = np.random.default_rng(seed)
    x, y = np.arange(SIDE**2) % SIDE, np.arange(SIDE**2) // SIDE
    codes = pd.Index([f"E01{900_001 + i}" for i in range(SIDE**2)], name="area_code")
    areas = gpd.GeoDataFrame(
        {"area_name": [f"Marsh {i:03}" for i in range(SIDE**2)]},
        geometry=shapely.box(x, y, x + 1, y + 1),
        index=codes,
        crs=27700,
    )
    places = {
        "msoa": np.where(y < 2, 0, 2) + (x >= 2),
        "ward": (y + 1) // 2 * 2 + (x >= 1),
        "district": (y >= 2).astype(int) if not branches else np.zeros(SIDE**2, dtype=int),
    }
    entity = {"msoa": "E02", "ward": "E05", "district": "E07"}
    lookup = pd.DataFrame(
        {f"{n}_code": [f"{entity[n]}{900_001 + p}" for p in place] for n, place in places.items()},
        index=codes,
    )
    months = pd.date_range("2023-12-01", periods=periods, freq="12MS")
    kinds = ["Burglary", "Drugs", "Robbery"] if sensitive else ["Burglary", "Robbery"]
    sizes = rng.gamma(1.0, mean, (len(kinds), SIDE**2))
    parts = [
        pd.DataFrame(
            {"area_code": codes, "period": month, "category": kind, "count": rng.poisson(sizes[k])}
        )
        for month in months
        for k, kind in enumerate(kinds)
    ]
    counts = pd.concat(parts, ignore_index=True)
    counts.loc[0, "count"] += 1  # a table of nothing but zeros is refused
    levels = ["msoa", "ward", "district"] if branches else ["msoa", "district"]
    ladder = make_ladder(areas, lookup, levels=levels)
    return analyse(counts, ladder, by="year", hot_spots_of=None)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    seed=st.integers(0, 10_000),
    mean=st.sampled_from([3.0, 12.0, 40.0]),
    branches=st.booleans(),
    periods=st.integers(1, 3),
    sensitive=st.booleans(),
    policy=st.sampled_from(RULES),
)
def test_nested_tables_withstand_under_every_method(
    tmp_path: Path,
    seed: int,
    mean: float,
    branches: bool,
    periods: int,
    sensitive: bool,
    policy: object,
) -> None:
    study = study_of(seed, mean, branches=branches, periods=periods, sensitive=sensitive)
    marked = ["Drugs"] if sensitive else []
    try:
        made = release(
            study,
            policy=policy,  # type: ignore[arg-type]
            title="x",
            made_on=dt.date(2026, 1, 1),
            sensitive=marked,
        )
    except HiddenError:
        return
    name = made.policy.name if made.policy.loosened else None
    verdict = verify_file(write_layers(made, tmp_path / "layers.gpkg"), policy=name, budget=60)
    assert verdict.breaches == ()


SCHEME = LabelScheme(
    "visits",
    "Visits",
    "Visits",
    "Each area beside the middle of all.",
    "Invented for a test.",
    (
        LabelClass("many", "Many", "More than the middle.", "hot", "M"),
        LabelClass("few", "Few", "No more than the middle.", "cold", "F"),
    ),
)


def with_labels(study: Study) -> Study:
    """Label every area in every view by its own count, which is as telling as a word can be."""
    found = {}
    for level, cube in study.cubes.items():
        words = np.where(cube > np.median(cube, axis=-1, keepdims=True), "many", "few")
        codes = study.ladder.areas[level].index.astype(str)
        found[level] = pd.concat(
            pd.DataFrame(
                {
                    "label": words[p, c],
                    "z": cube[p, c] / 7,
                    "period": when.label,
                    "category": what.label,
                },
                index=codes,
            )
            for p, when in enumerate(study.periods)
            for c, what in enumerate(study.categories)
        )
    return study.with_labels(label_areas(SCHEME, found))


def check_words(made: Release, study: Study) -> None:
    """The word of the study stands at every cell that is shown, at no other, and no score."""
    for level, table in made.tables.items():
        words = table.values["visits"]
        shown = (table.values["status"] == "shown").to_numpy()
        assert (words.notna().to_numpy() == shown).all()
        own = study.labels_of(study.labels[0], level)["visits"]
        assert (words[shown].astype(str).to_numpy() == own[shown].astype(str).to_numpy()).all()
        assert not [name for name in table.values.columns if str(name).startswith("visits_")]


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    seed=st.integers(0, 10_000),
    mean=st.sampled_from([3.0, 12.0, 40.0]),
    branches=st.booleans(),
    policy=st.sampled_from(RULES),
)
def test_layers_of_labels_withstand_and_change_no_number(
    tmp_path: Path, seed: int, mean: float, branches: bool, policy: Policy
) -> None:
    study = study_of(seed, mean, branches=branches, periods=2, sensitive=False)
    labelled = with_labels(study)
    options = {"policy": policy, "title": "x", "made_on": dt.date(2026, 1, 1)}
    try:
        bare = release(study, **options)  # type: ignore[arg-type]
    except HiddenError:
        return
    made = release(labelled, **options)  # type: ignore[arg-type]
    for level, table in made.tables.items():
        assert table.values.drop(columns="visits").equals(bare.tables[level].values)
    check_words(made, labelled)
    name = made.policy.name if made.policy.loosened else None
    verdict = verify_file(write_layers(made, tmp_path / "layers.gpkg"), policy=name, budget=60)
    assert verdict.breaches == ()

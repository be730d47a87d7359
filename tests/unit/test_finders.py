"""Methods by name: their labels are those of the method itself, for every category and level."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from placeshaping._core.errors import EmptyError, InputError
from placeshaping.areas.neighbours import contiguity
from placeshaping.hotspots.emerging import CATEGORIES, emerging_hotspots
from placeshaping.hotspots.finders import EMERGING, FINDERS, LOCAL_MORAN, find_labels
from placeshaping.hotspots.local_moran import QUADRANTS, local_moran
from placeshaping.hotspots.study import Study

MakeStudy = Callable[..., Study]


def monthly(study: Study, *, months: int = 12) -> pd.DataFrame:
    """Return counts of the areas of a study, of which one corner is hot in the last months."""
    codes = study.ladder.areas["lsoa"].index
    rng = np.random.default_rng(5)
    steps = pd.date_range("2024-01-01", periods=months, freq="MS")
    parts = [name for view in study.categories[1:] for name in view.parts]
    frames = []
    for step, start in enumerate(steps):
        for part in parts:
            count = rng.poisson(2.0, len(codes))
            count[:3] += 30 * (step >= months - 3)
            frames.append(
                pd.DataFrame(
                    {"area_code": codes, "period": start, "category": part, "count": count}
                )
            )
    return pd.concat(frames, ignore_index=True)


def test_schemes_have_the_categories_of_their_methods_in_their_order() -> None:
    assert EMERGING.values == CATEGORIES
    assert set(LOCAL_MORAN.values) == set(QUADRANTS)
    assert [len({one.mark for one in scheme.classes}) for scheme, _ in FINDERS.values()] == [
        17,
        5,
        5,
    ]


def test_emerging_labels_are_those_of_the_method(make_study: MakeStudy) -> None:
    study = make_study()
    counts = monthly(study)
    found = find_labels("emerging", study, counts)
    assert list(found.tables) == ["lsoa"]
    table = found.tables["lsoa"]
    wide = counts[counts["category"] == "Robbery"].pivot(
        index="area_code", columns="period", values="count"
    )
    areas = study.ladder.areas["lsoa"]
    alone = emerging_hotspots(wide.loc[areas.index].astype(float), contiguity(areas))
    own = table[table["category"] == "Robbery"]
    assert own["label"].astype(str).tolist() == alone["category"].astype(str).tolist()
    assert set(own["label"].head(3)) == {"consecutive_hot"}
    assert not {"mean_count", "total_count"} & set(table)
    assert found.scheme.method.startswith("Emerging hot spots: Gi*")


def test_a_planted_corner_is_the_most_likely_cluster(make_study: MakeStudy) -> None:
    study = make_study(mean=6.0)
    found = find_labels("scan", study, monthly(study)).tables["lsoa"]
    burglary = found.loc[found["category"] == "Burglary", "label"].astype(str)
    assert burglary["E01900001"] == "most_likely_high"
    assert (burglary == "most_likely_high").sum() <= 9
    assert burglary["E01900064"] == "none"


def test_clusters_need_people(make_study: MakeStudy) -> None:
    study = make_study()
    alone = dataclasses.replace(study, exposures={level: {} for level in study.exposures})
    with pytest.raises(InputError, match="Give a population"):
        find_labels("scan", alone, monthly(study))


def test_areas_without_records_are_no_zeros(make_study: MakeStudy) -> None:
    codes = [f"E01{900_001 + i}" for i in range(64)]
    study = make_study(covered=codes[:40])
    found = find_labels("emerging", study, monthly(study)).tables["lsoa"]
    assert set(found.index) <= set(codes[:40])


def test_local_moran_labels_are_those_of_the_method(make_study: MakeStudy) -> None:
    study = make_study(mean=5.0)
    found = find_labels("local_moran", study, monthly(study)).tables["lsoa"]
    areas = study.ladder.areas["lsoa"]
    values = pd.Series(study.cubes["lsoa"][0, 1], index=areas.index)
    alone = local_moran(values, contiguity(areas))
    own = found[found["category"] == study.categories[1].label]
    assert own["label"].astype(str).tolist() == alone["cluster"].astype(str).tolist()


@pytest.mark.parametrize("name", list(FINDERS))
def test_labels_are_carried_by_a_study(make_study: MakeStudy, name: str) -> None:
    study = make_study()
    table = study.with_labels(find_labels(name, study, monthly(study))).table("lsoa")
    assert table[name].notna().any()


def test_what_cannot_be_found_is_told(make_study: MakeStudy) -> None:
    study: Any = make_study(size=4)
    with pytest.raises(
        InputError, match=r"no method 'gi'\. Did you mean emerging, local_moran, scan\?"
    ):
        find_labels("gi", study, monthly(study))
    with pytest.raises(EmptyError, match="No level has 30 areas"):
        find_labels("emerging", study, monthly(study))
    study = make_study()
    with pytest.raises(EmptyError, match="2 steps; emerging hot spots need at least 4"):
        find_labels("emerging", study, monthly(study, months=2))

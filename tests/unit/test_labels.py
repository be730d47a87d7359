"""Labels of areas: carried by a study, protected by a release, attacked in what is written."""

from __future__ import annotations

import datetime as dt
import html
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from placeshaping._core.errors import ColumnError, InputError, UnmatchedError
from placeshaping.disclosure.release import Release, release
from placeshaping.hotspots.labels import AreaLabels, LabelClass, LabelScheme, label_areas
from placeshaping.hotspots.study import Study
from placeshaping.layers.geojson import write_geojson
from placeshaping.layers.geopackage import write_layers
from placeshaping.layers.geoparquet import write_geoparquet
from placeshaping.layers.kml import write_kml
from placeshaping.reports.csvw import write_csv
from placeshaping.reports.sheets import write_tables
from placeshaping.verify.files import verify_file

MakeStudy = Callable[..., Study]
DAY = dt.date(2026, 1, 31)
SCHEME = LabelScheme(
    "emerging",
    "Emerging hot spots",
    "Emerging",
    "Each area with its neighbours, month by month.",
    "Invented for a test.",
    (
        LabelClass("new_hot_spot", "New hot spot", "Hot in the last month alone.", "hot", "N"),
        LabelClass("cold", "Cold spot", "Fewer than expected.", "cold", "C"),
        LabelClass("none", "No pattern", "Neither.", "none", "·"),
    ),
)


def labelled(study: Study, level: str = "lsoa") -> Study:
    codes = study.ladder.areas[level].index
    words = np.resize(["new_hot_spot", "cold", "none", None], len(codes))
    score = np.linspace(-3, 3, len(codes))
    results = [
        pd.DataFrame({"label": words, "z": score, "category": view.label}, index=codes)
        for view in study.categories[:2]
    ]
    return study.with_labels(label_areas(SCHEME, {level: pd.concat(results)}))


def released(study: Study, policy: str = "councillor") -> Release:
    return release(study, policy=policy, title="Recorded crime", made_on=DAY)


@pytest.fixture(scope="module")
def study(make_study: MakeStudy) -> Study:
    return labelled(make_study(mean=8.0))


def test_labels_stand_beside_the_counts_of_their_area_and_view(study: Study) -> None:
    table = study.table("lsoa")
    first = table[(table["period"] == "2024 to 2025") & (table["category"] == "Burglary")]
    assert first["emerging"].astype(object).tolist()[:2] == ["new_hot_spot", "cold"]
    assert first["emerging"].isna().to_numpy()[3::4].all()
    assert table.loc[table["period"] != "2024 to 2025", "emerging"].isna().all()
    assert table.loc[table["category"] == "Robbery", "emerging"].isna().all()


def test_a_hidden_area_has_no_label_and_no_score_leaves(make_study: MakeStudy) -> None:
    study = labelled(make_study(mean=3.0), "msoa")
    values = released(study).tables["msoa"].values
    assert (values["status"] == "hidden").any()
    assert values.loc[values["status"] != "shown", "emerging"].isna().all()
    assert values.loc[values["status"] == "shown", "emerging"].notna().any()
    assert "emerging_z" not in values


def test_scores_leave_where_the_policy_lets_numbers_out(study: Study) -> None:
    values = released(study, "internal").tables["lsoa"].values
    assert np.isclose(values["emerging_z"].iloc[0], -3)


def test_declaration_and_statement_tell_of_labels(study: Study) -> None:
    made = released(study)
    assert made.declaration["labels"] == {"emerging": ["new_hot_spot", "cold", "none"]}
    assert any(text.startswith("Emerging hot spots: worked out") for text in made.statement)
    assert made.labels == (SCHEME,)


def test_labels_of_the_same_name_are_replaced(study: Study) -> None:
    again = study.with_labels(
        label_areas(SCHEME, {"msoa": study.labels[0].tables["lsoa"].iloc[:0]})
    )
    assert [one.scheme.name for one in again.labels] == ["emerging"]
    assert list(again.labels[0].tables) == ["msoa"]


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"index": "X"}, UnmatchedError, "areas are not of the level lsoa"),
        ({"category": "Arson"}, UnmatchedError, "a category that is not shown"),
        ({"period": "1999"}, UnmatchedError, "a period that is not shown"),
        ({"twice": True}, InputError, "two labels in one view"),
        ({"level": "ward"}, UnmatchedError, "labels ward; the study has lsoa"),
    ],
)
def test_labels_of_another_study_are_refused(
    make_study: MakeStudy, change: dict[str, str], error: type[Exception], match: str
) -> None:
    study = make_study()
    codes = study.ladder.areas["lsoa"].index.astype(str)[:4]
    table = pd.DataFrame({"label": "cold"}, index=codes)
    if "index" in change:
        table.index = [f"X{code}" for code in codes]
    if "twice" in change:
        table = pd.concat([table, table])
    views = {key: change[key] for key in ("category", "period") if key in change}
    labels = label_areas(SCHEME, {change.get("level", "lsoa"): table.assign(**views)})
    with pytest.raises(error, match=match):
        study.with_labels(labels)


def test_labels_that_the_scheme_lacks_are_refused() -> None:
    with pytest.raises(ColumnError, match=r"1 labels are no class of it \(warm\)"):
        label_areas(SCHEME, {"lsoa": pd.DataFrame({"label": ["warm"]}, index=["a"])})
    with pytest.raises(ColumnError, match="label"):
        label_areas(SCHEME, {"lsoa": pd.DataFrame({"other": ["cold"]}, index=["a"])})


@pytest.mark.parametrize("name", ["count", "rate", "Emerging", "a b", "z2", "hotspots"])
def test_a_layer_cannot_take_the_name_of_a_column(name: str) -> None:
    with pytest.raises(InputError, match="cannot be named"):
        replace(SCHEME, name=name)


@pytest.mark.parametrize("value", ["17", "n_12", "Hot", "a-b", ""])
def test_a_class_is_a_word_and_no_number(value: str) -> None:
    with pytest.raises(InputError, match="classes, each with a value of its own"):
        replace(SCHEME, classes=(replace(SCHEME.classes[0], value=value),))


def breaches(path: Path) -> str:
    return "; ".join(breach.what for breach in verify_file(path).breaches)


def test_what_is_written_passes_the_attacker(study: Study, tmp_path: Path) -> None:
    made = released(study)
    paths = [write_layers(made, tmp_path / "l.gpkg"), write_tables(made, tmp_path / "t.xlsx")]
    paths += [write_kml(made, tmp_path / "a.kml"), write_geojson(made, tmp_path / "a.geojson")]
    paths += [write_geoparquet(made, tmp_path / "a.parquet"), *write_csv(made, tmp_path)]
    assert "Emerging hot spots</td><td>New hot spot" in html.unescape(paths[2].read_text("utf-8"))
    assert [breaches(path) for path in paths if path.suffix != ".json"] == [""] * (len(paths) - 1)


def csv_of(study: Study, folder: Path) -> tuple[Path, pd.DataFrame]:
    write_csv(released(study), folder)
    path = folder / "msoa.csv"
    return path, pd.read_csv(path, dtype=str, keep_default_na=False)


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda t: t.assign(emerging=t["emerging"].replace("cold", "seven")), "1 label is not"),
        (lambda t: t.assign(emerging_z="1.25"), "1 field is not on the list"),
        (lambda t: t.assign(warming="cold"), "1 field is not on the list"),
        (
            lambda t: t.assign(emerging=t["emerging"].where(t["status"] == "shown", "cold")),
            "marked as hidden, with emerging all the same",
        ),
        (lambda t: t.assign(area_code="E00" + t["area_code"].str[3:]), "finer than an LSOA"),
    ],
)
def test_the_attacker_finds_labels_that_tell_too_much(
    make_study: MakeStudy,
    tmp_path: Path,
    spoil: Callable[[pd.DataFrame], pd.DataFrame],
    expected: str,
) -> None:
    path, table = csv_of(labelled(make_study(mean=3.0), "msoa"), tmp_path)
    assert (table["status"] == "hidden").any()
    spoil(table).to_csv(path, index=False)
    assert expected in breaches(path)


def test_declared_labels_cannot_stand_for_counts(study: Study, tmp_path: Path) -> None:
    from placeshaping.verify.contents import Contents, Table
    from placeshaping.verify.labels import check_labels, declared_labels
    from placeshaping.verify.rules import RULES

    frame = pd.DataFrame({"area_code": ["a", "b"], "count": ["3", "4"]})
    for labels in (
        {"count": ["cold"]},
        {"n": ["3", "4"]},
        {"n": [f"w{chr(97 + k)}" for k in range(26)]},
        ["n"],
    ):
        contents = Contents("csv", {"labels": labels}, [Table("t", frame)])
        assert declared_labels(contents.declaration) == {}
        assert [breach.attack for breach in check_labels(contents, RULES["public"])] == ["labels"]


def test_labels_say_in_a_line_what_they_are(study: Study) -> None:
    assert repr(study.labels[0]) == "<AreaLabels 'emerging' of lsoa; not protected>"
    assert isinstance(study.labels[0], AreaLabels)

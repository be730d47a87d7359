"""The picture and the table for readers without JavaScript."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import box

from placeshaping.areas.ladder import make_ladder
from placeshaping.disclosure.release import Release, release
from placeshaping.hotspots.labels import LabelClass, LabelScheme, label_areas
from placeshaping.hotspots.study import Study, analyse
from placeshaping.maps.area_map import area_map
from placeshaping.maps.palettes import sequential
from placeshaping.maps.payload import view_classes
from placeshaping.maps.still import still_of_labels, still_view
from placeshaping.verify.files import verify_file

SIDE = 10


@pytest.fixture(scope="module")
def given() -> Release:
    """Return a release of a board of squares for councillors: some numbers are hidden."""
    places = [(x, y) for y in range(SIDE) for x in range(SIDE)]
    codes = pd.Index([f"E019{n:05d}" for n in range(SIDE * SIDE)], name="area_code")
    areas = gpd.GeoDataFrame(
        {"area_name": [f"Marsh {x}{y}" for x, y in places]},
        geometry=[box(600 * x, 600 * y, 600 * x + 600, 600 * y + 600) for x, y in places],
        index=codes,
        crs=27700,
    )
    areas.attrs["level"] = "lsoa"
    lookup = pd.DataFrame(
        {
            "msoa_code": [f"E029{x // 2}{y // 2:04}" for x, y in places],
            "msoa_name": [f"Marsh M{x // 2}{y // 2}" for x, y in places],
        },
        index=codes,
    )
    counts = pd.DataFrame(
        {
            "area_code": codes,
            "period": pd.Timestamp("2024-01-01"),
            "category": "Fly-tipping",
            "count": [0 if n % 9 == 0 else 2 if n % 7 == 0 else 5 + n for n in range(SIDE * SIDE)],
        }
    )
    people = pd.DataFrame({"residents": 1500, "households": 600}, index=codes)
    study = analyse(counts, make_ladder(areas, lookup), population=people)
    return release(study, policy="councillor", title="Fly-tipping", made_on=dt.date(2026, 1, 5))


def box_array(x: np.ndarray, y: np.ndarray, side: float) -> list[shapely.Polygon]:
    return [box(a, b, a + side, b + side) for a, b in zip(x, y, strict=True)]


def test_every_area_is_drawn_in_the_class_of_its_protected_number(given: Release) -> None:
    still = still_view(given, classes=view_classes(given))
    view = given.tables["lsoa"].view(
        period=given.periods[0].label, category=given.categories[0].label
    )
    counted = {one.label: int(one.areas) for one in still.classes}
    assert sum(counted.values()) == SIDE * SIDE
    assert counted["Hidden to protect people"] == (view["status"] == "hidden").sum() > 0
    assert counted["None recorded"] == (view["count"] == 0).sum()
    drawn = re.findall(r'<path fill="([^"]+)" d="([^"]*)"', still.picture)
    assert [path.count("M") for _, path in drawn] == list(counted.values())
    ranked = [fill for fill, _ in drawn if fill in sequential(len(still.classes) - 2)]
    assert ranked == list(sequential(len(ranked)))


def test_hidden_numbers_are_in_neither_picture_nor_table(given: Release) -> None:
    still = still_view(given, classes=view_classes(given))
    table = next(t for t in given.tables.values() if len(t.areas) <= 60)
    view = table.view(period=given.periods[0].label, category=given.categories[0].label)
    assert [row[0] for row in still.rows] == table.areas["area_name"].astype(str).tolist()
    for row, (_, cell) in zip(still.rows, view.iterrows(), strict=True):
        if cell["status"] == "shown":
            assert row[1] == f"{cell['count']:,}"
            assert float(row[2].replace(",", "")) == pytest.approx(cell["rate"], abs=0.051)
        else:
            assert row[1:3] == ("hidden", "hidden")


def test_the_picture_stays_small_and_within_its_frame(given: Release) -> None:
    still = still_view(given, classes=view_classes(given))
    assert len(still.picture) < 45_000
    x, y = 0, 0
    for word, first, second in re.findall(
        r"([Mlz]?)(-?\d+),?(-?\d+)", still.picture.split("<g")[1]
    ):
        x, y = (int(first), int(second)) if word == "M" else (x + int(first), y + int(second))
    starts = np.array(re.findall(r"M(\d+),(\d+)l", still.picture), dtype=int)
    assert starts.min() >= 0
    assert starts[:, 0].max() <= 1000
    assert starts[:, 1].max() <= still.height


def test_thousands_of_areas_without_a_coarser_level_are_a_mosaic() -> None:
    x, y = np.divmod(np.arange(2_500), 50)
    codes = pd.Index([f"E01{n:06}" for n in range(2_500)], name="area_code")
    areas = gpd.GeoDataFrame(
        {"area_name": codes}, geometry=box_array(600 * x, 600 * y, 600), index=codes, crs=27700
    )
    counts = pd.DataFrame(
        {"area_code": codes, "period": pd.Timestamp("2024-01-01"), "category": "A", "count": x + 5}
    )
    many = release(
        analyse(counts, make_ladder(areas), hot_spots_of=None),
        policy="councillor",
        title="Many",
        made_on=dt.date(2026, 1, 5),
    )
    still = still_view(many, classes=view_classes(many))
    rows = np.zeros((100, 100), dtype=int)
    for start, row, wide, more in re.findall(r"M(\d+),(\d+)h(\d+)((?:m\d+,0h\d+)*)", still.picture):
        at = int(start)
        rows[int(row), at : at + int(wide)] += 1
        at += int(wide)
        for ahead, along in re.findall(r"m(\d+),0h(\d+)", more):
            at += int(ahead)
            rows[int(row), at : at + int(along)] += 1
            at += int(along)
    assert (rows == 1).all()
    assert "scale(10)" in still.picture
    assert sum(int(one.areas.replace(",", "")) for one in still.classes) == 2_500


SCHEME = LabelScheme(
    name="emerging",
    title="Emerging hot spots",
    button="Emerging",
    about="What is new, lasting or passing.",
    method="Invented.",
    classes=(
        LabelClass("new_hot_spot", "New hot spot", "Hot in the last month alone.", "hot", "N"),
        LabelClass("none", "No pattern", "Neither.", "none", "-"),
    ),
)


def test_a_policy_without_counts_shows_its_classes_without_script(
    make_study: Callable[..., Study], tmp_path: Path
) -> None:
    study = make_study(mean=8.0)
    codes = study.ladder.areas["lsoa"].index
    words = pd.DataFrame({"label": np.resize(["new_hot_spot", "none", None], 64)}, index=codes)
    words["category"] = study.categories[0].label
    made = release(
        study.with_labels(label_areas(SCHEME, {"lsoa": words})),
        policy="police",
        title="For a shift",
        purpose="A test.",
        made_on=dt.date(2026, 1, 5),
        expires=dt.date(2026, 1, 20),
    )
    still = still_of_labels(made, made.labels[0])
    labels = made.tables["lsoa"].view(
        period=made.periods[0].label, category=made.categories[0].label
    )["emerging"]
    counted = {one.label: int(one.areas) for one in still.classes}
    assert sum(counted.values()) == 64
    assert counted["New hot spot"] == (labels == "new_hot_spot").sum() > 0
    assert still.picture.count("<path fill") == len(counted)
    assert still.heads == ("Area", "Class")
    assert {row[1] for row in still.rows} <= {*counted, "hidden", "not looked for"}
    assert re.search(r"\d", "".join(row[1] for row in still.rows)) is None
    area_map(made).save(tmp_path / "map.html")
    page = (tmp_path / "map.html").read_text("utf-8")
    assert 'aria-label="Map: Emerging hot spots: ' in page
    assert verify_file(tmp_path / "map.html").breaches == ()

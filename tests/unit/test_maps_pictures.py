"""Static pictures: of the size of a sheet, of the page's classes, the same bytes every time."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from placeshaping._core.errors import DisclosureError, InputError
from placeshaping.disclosure.release import Release, release
from placeshaping.hotspots.study import Study
from placeshaping.maps.palettes import CLUSTERS, SEQUENTIAL
from placeshaping.maps.picture_views import MEASURES, picture_view
from placeshaping.maps.pictures import DECLARATION_KEY, write_picture


@pytest.fixture(scope="module")
def released(make_study: Callable[..., Study]) -> Release:
    return release(
        make_study(mean=1.0),
        policy="councillor",
        title="Recorded crime in the Fens <& (so on)",
        made_on=dt.date(2026, 1, 5),
        contact="nobody@example.org",
    )


@pytest.fixture(scope="module")
def written(released: Release, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    return write_picture(released, tmp_path_factory.mktemp("my café") / "map")


def test_picture_is_a_sheet_of_a4_at_300_dots_an_inch(written: tuple[Path, ...]) -> None:
    assert [path.name for path in written] == ["map.png", "map.pdf"]
    with Image.open(written[0]) as picture:
        assert (min(picture.size), max(picture.size)) == (2481, 3507)
        assert round(picture.info["dpi"][0]) == 300
    assert written[1].read_bytes().startswith(b"%PDF-")


def test_picture_shows_the_colours_of_its_legend(
    released: Release, written: tuple[Path, ...]
) -> None:
    view = picture_view(released)
    with Image.open(written[0]) as picture:
        red, green, blue = np.moveaxis(np.asarray(picture.convert("RGB"), dtype=np.int64), 2, 0)
    times = np.bincount((65_536 * red + 256 * green + blue).ravel(), minlength=1 << 24)
    for entry in view.entries:
        if entry.areas and not entry.hatch:
            assert times[int(entry.colour[1:], 16)] > entry.areas * 5_000


def test_the_same_release_gives_the_same_bytes(
    released: Release, written: tuple[Path, ...], tmp_path: Path
) -> None:
    again = write_picture(released, tmp_path / "again")
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in written]


def test_declaration_stands_in_both_files(released: Release, written: tuple[Path, ...]) -> None:
    declared = json.dumps(dict(released.declaration), sort_keys=True)
    with Image.open(written[0]) as picture:
        assert picture.info[DECLARATION_KEY] == declared
    escaped = declared.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
    assert f"/Keywords ({escaped})".encode() in written[1].read_bytes()


@pytest.mark.parametrize("measure", MEASURES)
def test_legend_counts_every_area_once(released: Release, measure: str) -> None:
    for category in ("All recorded crime", "Robbery"):
        view = picture_view(released, measure=measure, category=category)
        assert sum(entry.areas for entry in view.entries) == len(view.table.areas)
        counted = np.bincount(view.of, minlength=len(view.entries))
        assert counted.tolist() == [entry.areas for entry in view.entries]


def test_hidden_areas_are_hatched_and_counted(released: Release) -> None:
    view = picture_view(released, category="Robbery", measure="count")
    table = view.table.view(period=released.periods[0].label, category="Robbery")
    hidden = int(table["status"].eq("hidden").sum())
    assert hidden > 0
    last = view.entries[-1]
    assert view.entries[1].label == "5 to under 10"  # under 5 is hidden, none has an entry
    assert (last.label, last.areas, last.hatch) == ("Hidden to protect people", hidden, "/////")


def test_classes_of_a_picture_are_those_of_the_page(released: Release) -> None:
    rates = picture_view(released)
    assert {entry.colour for entry in rates.entries} <= {
        *(colour for colours in SEQUENTIAL.values() for colour in colours),
        "#ffffff",
        "#f3f2f1",
    }
    spots = picture_view(released, measure="hotspots")
    assert [entry.label for entry in spots.entries][:5] == [s.label for s in CLUSTERS.values()]
    deciles = picture_view(released, measure="decile")
    assert deciles.entries[0].label == "1 and 2 (most deprived)"


def test_picture_of_the_first_view_carries_its_finding(released: Release) -> None:
    assert "per 1,000 residents a year (95% interval" in picture_view(released).lead
    assert picture_view(released, category="Robbery").lead == ""


def test_sheet_is_turned_as_asked_for(released: Release, tmp_path: Path) -> None:
    paths = write_picture(released, tmp_path / "map.png", size="A4 portrait", measure="hotspots")
    assert paths == (tmp_path / "map.png",)
    with Image.open(paths[0]) as picture:
        assert picture.height > picture.width


def test_what_cannot_be_drawn_is_refused(released: Release, tmp_path: Path) -> None:
    with pytest.raises(DisclosureError, match="takes a Release, not a DataFrame"):
        write_picture(released.table(), tmp_path / "a.png")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no category 'Burglery' to show"):
        write_picture(released, tmp_path / "a.png", category="Burglery")
    with pytest.raises(InputError, match="no measure 'decile' to show"):
        write_picture(released, tmp_path / "a.png", level="msoa", measure="decile")
    with pytest.raises(InputError, match=r"not \.jpg"):
        write_picture(released, tmp_path / "a.jpg")
    with pytest.raises(InputError, match="no size 'A3'"):
        write_picture(released, tmp_path / "a.png", size="A3")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_policy_without_shareable_maps_makes_no_picture(
    make_study: Callable[..., Study], tmp_path: Path
) -> None:
    classes = release(
        make_study(mean=6.0),
        policy="police",
        title="For a shift",
        purpose="A test.",
        made_on=dt.date(2026, 1, 5),
        expires=dt.date(2026, 1, 20),
    )
    with pytest.raises(DisclosureError, match="makes no map of areas"):
        write_picture(classes, tmp_path / "a.png")


def test_every_class_has_a_mark_beside_its_colour(released: Release) -> None:
    spots = picture_view(released, measure="hotspots")
    assert spots.marked
    assert {e.label: e.mark for e in spots.entries if not e.hatch} == {
        style.label: style.mark for style in CLUSTERS.values()
    }
    rates = picture_view(released, measure="rate")
    assert not rates.marked
    assert all(e.mark for e in rates.entries if not e.hatch)

"""A page may ask the one server that it declares for pictures, and nobody for anything else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from placeshaping.disclosure.release import release
from placeshaping.hotspots.study import Study
from placeshaping.maps.area_map import area_map
from placeshaping.verify.files import verify_file

TILES = "https://tiles.example.org/{z}/{x}/{y}.png"
REACHES = "reaches an outside address"


@pytest.fixture(scope="module")
def page(make_study: Callable[..., Study]) -> str:
    made = release(make_study(), policy="councillor", title="t", made_on=dt.date(2026, 1, 31))
    return area_map(made, basemap=TILES).render()


def found(page: str, folder: Path) -> list[str]:
    path = folder / "map.html"
    path.write_text(page, encoding="utf-8")
    return [breach.what for breach in verify_file(path).breaches]


def test_the_declared_tiles_are_accepted(page: str, tmp_path: Path) -> None:
    assert found(page, tmp_path) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"basemap":', '"other":'),
        ("img-src data: blob:", "connect-src https://tiles.example.org; img-src data: blob:"),
        ("default-src &#39;none&#39;", "default-src *"),
        ("tiles.example.org/{z}", "other.example.org/{z}"),
        ("/{y}.png", "/{y}.png?n=3,5,8"),
        ("</body>", "<img src='https://tiles.example.org/a.png'></body>"),
        ("</body>", "<script>fetch('https://tiles.example.org/a')</script></body>"),
    ],
)
def test_any_other_address_is_a_breach(page: str, tmp_path: Path, old: str, new: str) -> None:
    other = page.replace(old, new)
    assert other != page
    assert REACHES in found(other, tmp_path)

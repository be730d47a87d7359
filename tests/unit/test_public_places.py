"""Public places: read, declared, shown, and attacked where they could hide records."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from placeshaping._core.errors import ColumnError, DisclosureError, InputError, UnmatchedError
from placeshaping.disclosure.public_places import PublicPlaces, public_places
from placeshaping.disclosure.release import release
from placeshaping.hotspots.study import Study
from placeshaping.joins.sectors import sectors_of
from placeshaping.maps.area_map import area_map
from placeshaping.sources.public_places import read_public_places
from placeshaping.verify.files import verify_file
from placeshaping.verify.places import faults_of_places, faults_of_sectors

LIST = "https://example.org/libraries"


def points(names: list[Any], **options: Any) -> gpd.GeoDataFrame:
    geometry = [shapely.Point(1_000 * k + 500, 1_500) for k in range(len(names))]
    return gpd.GeoDataFrame({"name": names, "visits": 3}, geometry=geometry, crs=27700, **options)


def libraries(names: list[Any]) -> PublicPlaces:
    return public_places(points(names), title="Libraries", published_at=LIST)


def test_only_names_and_points_are_kept() -> None:
    found = libraries(["Mill Road", "Harbour"])
    assert list(found.points.columns) == ["name", "geometry"]
    assert found.points["name"].tolist() == ["Harbour", "Mill Road"]
    assert repr(found) == "<PublicPlaces 'Libraries', 2>"


@pytest.mark.parametrize(
    ("names", "options", "match"),
    [
        (["Harbour"], {"published_at": ""}, "the address at which anybody can find the list"),
        (["Harbour"], {"title": "7"}, "need a title"),
        (["Harbour", None], {}, r"1 of 2 places have no name \(rows 1\)"),
        (["Harbour", "17"], {}, "1 of 2 places have no name"),
        ([f"Place {k}" for k in range(2_001)], {}, "at most 2,000"),
    ],
)
def test_what_is_no_list_of_public_places_is_refused(
    names: list[Any], options: dict[str, str], match: str
) -> None:
    given = {"title": "Libraries", "published_at": LIST, **options}
    with pytest.raises(DisclosureError, match=match):
        public_places(points(names), **given)


def test_a_place_that_stands_twice_is_refused() -> None:
    twice = pd.concat([points(["Harbour"]), points(["Harbour"])])
    with pytest.raises(DisclosureError, match="1 of 2 places stand there again"):
        public_places(gpd.GeoDataFrame(twice), title="Libraries", published_at=LIST)


def test_places_are_points() -> None:
    with pytest.raises(InputError, match="are points, one at least"):
        public_places(points([]), title="Libraries", published_at=LIST)


def test_a_list_is_read_with_its_names(tmp_path: Path) -> None:
    path = tmp_path / "libraries.csv"
    path.write_text(
        "Library name,Visits,Latitude,Longitude\nHarbour,9,52.636,-1.133\nLost,4,,\n", "utf-8"
    )
    found = read_public_places(path)
    assert found["name"].tolist() == ["Harbour"]
    assert found.attrs["not_located"] == 1
    assert found.crs.to_epsg() == 27700
    with pytest.raises(ColumnError, match="no column of names 'Site'"):
        read_public_places(path, name="Site")


def test_a_list_without_places_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "libraries.csv"
    path.write_text("name,visits\nHarbour,9\n", "utf-8")
    with pytest.raises(ColumnError, match="does not say where its places lie"):
        read_public_places(path)


def test_a_page_with_places_and_postcodes_passes_the_attacker(
    make_study: Callable[..., Study], tmp_path: Path
) -> None:
    study = make_study(mean=8.0)
    made = release(
        study,
        policy="councillor",
        title="Recorded crime",
        made_on=dt.date(2026, 1, 31),
        places=[libraries(["Harbour", "Mill Road"])],
        sectors={"LE1 6": study.ladder.areas["lsoa"].index[:3]},
    )
    assert made.declaration["places"] == {"Libraries": LIST}
    assert any(sentence.startswith("Libraries: 2 public places") for sentence in made.statement)
    area_map(made).save(tmp_path / "map.html")
    assert verify_file(tmp_path / "map.html").breaches == ()


KIND = {"title": "Libraries", "names": ["Harbour", "Mill"], "x": [-1.1, -1.2], "y": [52.1, 52.2]}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"title": "Burglaries"}, "does not say where they are published"),
        ({"count": [3, 4]}, "other fields"),
        ({"names": ["3", "4"]}, "numbers"),
        ({"names": ["E01000001=3", "E01000002=4"]}, "numbers"),
        ({"names": None}, "without names"),
        ({"x": [-1.1]}, "not one point for each place"),
        ({"x": [-1.1, 400_000]}, "not one point for each place"),
        ({"names": ["Mill"] * 2, "x": [-1.2] * 2, "y": [52.2] * 2}, "stand there again"),
        (
            {"names": [f"Place x{chr(97 + k % 26)}" for k in range(2_001)],
             "x": [k / 1e3 for k in range(2_001)], "y": [52.0] * 2_001},
            "2,001 places of a kind",
        ),
    ],
)  # fmt: skip
def test_the_attacker_finds_places_that_are_none(change: dict[str, Any], expected: str) -> None:
    declaration = {"places": {"Libraries": LIST}}
    assert list(faults_of_places([KIND], declaration)) == []
    told = [what for what, _ in faults_of_places([{**KIND, **change}], declaration)]
    assert any(expected in what for what in told)


@pytest.mark.parametrize(
    "given", [{"LE1 6": [0, 0]}, {"LE1 6": [9]}, {"LE1 6": 3}, {"E01000001": [1]}, [3, 4]]
)
def test_the_attacker_finds_sectors_that_are_none(given: Any) -> None:
    assert list(faults_of_sectors({"LE1 6": [1, 0]}, 3)) == []
    assert len(list(faults_of_sectors(given, 3))) == 1


def test_a_sector_is_of_the_areas_that_hold_its_postcodes() -> None:
    codes = pd.Index(["E01000001", "E01000002", "E01000003"], name="area_code")
    squares = [shapely.box(9 * k, 0, 9 * k + 9, 9) for k in range(3)]
    areas = gpd.GeoDataFrame(geometry=squares, index=codes, crs=27700)
    x = [1.0] + [11.0] * 20 + [20.0, 20.0, 100.0]
    names = [f"LE1 6{chr(65 + k)}{chr(65 + k)}" for k in range(22)] + ["LE1 7AA", "LE9 9AA"]
    directory = pd.DataFrame({"easting": x, "northing": 1.0}, index=names)
    ended = directory.assign(ended=pd.NaT).astype({"ended": "datetime64[ns]"})
    ended.loc["LE1 7AA", "ended"] = pd.Timestamp("2020-01-01")
    assert sectors_of(directory, areas) == {"LE1 6": ("E01000002",), "LE1 7": ("E01000003",)}
    assert sectors_of(ended, areas) == {"LE1 6": ("E01000002",)}
    with pytest.raises(UnmatchedError, match="None of the 1 postcodes lies in the 3 areas"):
        sectors_of(directory.tail(1), areas)

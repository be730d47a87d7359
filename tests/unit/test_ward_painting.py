"""The painting page as it is written: what it holds, what is refused, what the attacker says."""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from placeshaping._core.errors import DisclosureError
from placeshaping.disclosure.policies import POLICIES
from placeshaping.disclosure.wards import WardRelease, release_review
from placeshaping.maps.ward_painting import painting_page
from placeshaping.maps.ward_still import WARD_COLOURS, ward_still
from placeshaping.pages.page import packed_json
from placeshaping.shaping.wards import Review, make_proposal, make_review
from placeshaping.verify.files import verify_file
from placeshaping.verify.painting import faults_of_review

SIDE = 6
_BLOCK = re.compile(r'(<script[^>]*id="placeshaping-data"[^>]*>)([^<]*)(</script>)')


def review_of(**columns: Any) -> Review:
    row, column = np.divmod(np.arange(SIDE * SIDE), SIDE)
    rng = np.random.default_rng(5)
    shapes = shapely.box(300 * column, 300 * row, 300 * column + 300, 300 * row + 300)
    given = {
        "electors_now": rng.integers(101, 400, SIDE * SIDE),
        "electors_forecast": rng.integers(101, 400, SIDE * SIDE),
        "polling_district": [f"P{c // 2}" for c in column],
        "decile": rng.integers(1, 11, SIDE * SIDE),
        **columns,
    }
    codes = [f"Unit {n}" for n in range(SIDE * SIDE)]
    return make_review(
        gpd.GeoDataFrame(given, geometry=shapes, crs=27700, index=codes), councillors=4, name="Ours"
    )


def released(
    policy: str = "open", *, name: str = "North", expires: dt.date | None = None, **columns: Any
) -> WardRelease:
    review = review_of(**columns)
    wards = pd.Series(np.where(np.arange(SIDE * SIDE) < 18, "s", "n"), index=review.units.index)
    first = make_proposal(
        review, wards, name="Halves", councillors={"s": 2, "n": 2}, names={"n": name, "s": "South"}
    )
    published = "https://example.org/electors" if policy == "open" else None
    return release_review(
        review,
        [first],
        policy=policy,
        sensitivity="open" if policy == "open" else "personal",
        title=f"Wards <{name}>",
        made_on=dt.date(2026, 11, 21),
        already_published=published,
        purpose="A draft for the working group.",
        expires=expires,
    )


def data_of(page: str) -> dict[str, Any]:
    found = _BLOCK.search(page)
    assert found is not None
    held: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(found[2])))
    return held


def written(folder: Path, given: WardRelease, change: Callable[[dict[str, Any]], Any]) -> Path:
    """Write a page, after something was done to its data."""
    page = painting_page(given).render()
    data = data_of(page)
    change(data)
    path = folder / "painting.html"
    path.write_text(_BLOCK.sub(lambda m: f"{m[1]}{packed_json(data)}{m[3]}", page), "utf-8")
    return path


def test_the_page_holds_the_released_electors_and_no_others(tmp_path: Path) -> None:
    raw = review_of()
    given = released("councillor")
    painting_page(given).save(tmp_path / "painting.html")
    data = data_of((tmp_path / "painting.html").read_text("utf-8"))
    level = data["levels"][0]
    units = given.review.units
    shown = [*units["electors_now"], *units["electors_forecast"]]
    assert level["count"] == shown
    assert level["count"] != [*raw.units["electors_now"], *raw.units["electors_forecast"]]
    assert all(number % 5 == 0 for number in level["count"])
    assert data["review"]["digest"] == given.review.digest != raw.digest
    assert data["review"]["groups"][0]["names"] == ["P0", "P1", "P2"]
    verdict = verify_file(tmp_path / "painting.html")
    assert verdict.breaches == ()
    assert verdict.judged_policy == "councillor"


def plant_exact(data: dict[str, Any]) -> None:
    data["levels"][0]["count"][7] += 1


def plant_field(data: dict[str, Any]) -> None:
    data["review"]["electors"] = [231] * (SIDE * SIDE)


def plant_areas(data: dict[str, Any]) -> None:
    data["review"]["outer_metres"] = [0] * (SIDE * SIDE)
    data["review"]["neighbours"]["metres"] = [1 for _ in data["review"]["neighbours"]["metres"]]


def plant_ward(data: dict[str, Any]) -> None:
    data["review"]["proposals"][0]["wards"][0]["exact"] = 2_317


def plant_column(data: dict[str, Any]) -> None:
    data["levels"][0]["register"] = [231] * (SIDE * SIDE)


def plant_group(data: dict[str, Any]) -> None:
    data["review"]["groups"][0]["of"] = [231] * (SIDE * SIDE)


def plant_mark(data: dict[str, Any]) -> None:
    data["review"]["digest"] = "231231231231"


@pytest.mark.parametrize(
    ("plant", "said"),
    [
        (plant_exact, "1 count not rounded to 5"),
        (plant_field, "holds the field 'electors', which is not on the list"),
        (plant_areas, "has 36 units larger than their borders can hold"),
        (plant_ward, "holds the field 'exact', which is not on the list"),
        (plant_column, "holds the field 'register', which is not on the list"),
        (plant_group, "has places that are not those of its units"),
        (plant_mark, "is of another review than the file declares (digest)"),
    ],
)
def test_a_planted_leak_is_found(
    tmp_path: Path, plant: Callable[[dict[str, Any]], None], said: str
) -> None:
    path = written(tmp_path, released("councillor"), plant)
    assert said in [breach.what for breach in verify_file(path).breaches]


def test_an_unchanged_page_written_anew_passes(tmp_path: Path) -> None:
    path = written(tmp_path, released("councillor"), lambda _: None)
    assert verify_file(path).breaches == ()


def test_units_that_were_joined_are_named(tmp_path: Path) -> None:
    electors = np.full(SIDE * SIDE, 200)
    electors[14] = 3
    given = released("councillor", electors_now=electors, electors_forecast=electors)
    data = data_of(painting_page(given).render())
    level = data["levels"][0]
    assert len(level["codes"]) == SIDE * SIDE - 1
    members = [held for held in level["members"] if held]
    assert len(members) == 1
    assert "Unit 14" in members[0]
    path = tmp_path / "painting.html"
    painting_page(given).save(path)
    assert verify_file(path).breaches == ()


def test_names_cannot_break_out_of_where_they_stand() -> None:
    page = painting_page(released(name="</script><script>alert(1)</script>")).render()
    assert "<script>alert" not in page
    assert page.count("&lt;/script&gt;&lt;script&gt;alert(1)") >= 3


def test_the_same_release_gives_the_same_page() -> None:
    assert painting_page(released()).render() == painting_page(released()).render()


def test_a_page_is_made_of_a_release_alone() -> None:
    with pytest.raises(DisclosureError, match="painting_page takes a WardRelease, not a Review"):
        painting_page(review_of())  # type: ignore[arg-type]


def test_a_policy_that_lets_no_map_out_makes_no_page() -> None:
    given = released("restricted", expires=dt.date(2027, 1, 31))
    with pytest.raises(DisclosureError, match="'restricted' lets no map be passed on"):
        painting_page(given)


def test_a_page_for_ones_own_desk_is_stamped(tmp_path: Path) -> None:
    page = painting_page(released("internal", expires=dt.date(2027, 1, 31)))
    page.save(tmp_path / "painting.html")
    text = (tmp_path / "painting.html").read_text("utf-8")
    assert f'<p class="stamp"><strong>{POLICIES["internal"].stamp}</strong></p>' in text
    assert 'data-until="2027-01-31"' in text
    assert not verify_file(tmp_path / "painting.html").passed
    assert verify_file(tmp_path / "painting.html", policy="internal").passed


def test_a_page_needs_neither_names_nor_places_nor_deciles(tmp_path: Path) -> None:
    review = review_of()
    units = review.units[["electors_now", "electors_forecast", "geometry"]]
    bare = make_review(units, councillors=4, name="Bare")
    wards = pd.Series("all", index=bare.units.index)
    one = make_proposal(bare, wards, name="One ward", councillors={"all": 4})
    given = release_review(
        bare, [one], policy="public", title="Bare", made_on=dt.date(2026, 11, 21)
    )
    painting_page(given).save(tmp_path / "bare.html")
    data = data_of((tmp_path / "bare.html").read_text("utf-8"))
    assert data["review"]["groups"] == []
    assert data["levels"][0]["imd_decile"] is None
    assert data["levels"][0]["names"] == data["levels"][0]["codes"]
    assert verify_file(tmp_path / "bare.html").breaches == ()


def test_deciles_with_gaps_stay_gaps() -> None:
    deciles = np.arange(SIDE * SIDE) % 10 + 1.0
    deciles[4] = np.nan
    data = data_of(painting_page(released(decile=deciles)).render())
    assert data["levels"][0]["imd_decile"][:6] == [1, 2, 3, 4, None, 6]


def test_wards_beside_one_another_differ_in_the_still_picture() -> None:
    review = review_of()
    row, column = np.divmod(np.arange(SIDE * SIDE), SIDE)
    wards = pd.Series([f"w{r // 2}{c // 2}" for r, c in zip(row, column, strict=True)])
    wards.index = review.units.index
    nine = make_proposal(
        review, wards, name="Nine", councillors=dict.fromkeys(sorted(set(wards)), 1)
    )
    still = ward_still(review, nine)
    fills = re.findall(r'fill="(#\w+)" d=', still.picture)
    assert len(fills) == len(still.rows) == 9
    assert set(fills) <= set(WARD_COLOURS)
    for place in range(9):
        beside = [
            place + step for step in (1, 3) if place + step < 9 and (place % 3 < 2 or step == 3)
        ]
        assert all(fills[place] != fills[other] for other in beside)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"councillors": 0}, "has numbers of councillors that are none"),
        ({"sizes": []}, "has numbers of councillors that are none"),
        ({"tolerance": 2}, "has a mark of equality that is no share"),
        ({"digest": "secret"}, "has a mark of its review that is none"),
        ({"square_metres": [1]}, "has no areas, borders and neighbours of its units"),
        (
            {"neighbours": {"one": [1, 0], "other": [0, 1], "metres": [5, 5]}},
            "has pairs of neighbours that are not in order, or stand twice",
        ),
        ({"groups": [{"kind": "crime", "names": [], "of": [-1, -1]}]}, "holds kinds of places"),
        ({"groups": [{"kind": "parish", "names": [2], "of": [0, 0]}]}, "has places without names"),
        ({"groups": "x"}, "has places without names"),
        (
            {"proposals": [{"name": "A", "wards": [{"id": "W1", "councillors": 231}], "of": []}]},
            "has a ward that is none",
        ),
        ({"proposals": [{"name": "A", "wards": [], "of": [231, 0]}]}, "does not give each unit"),
    ],
)  # fmt: skip
def test_every_part_of_the_block_is_looked_at(change: dict[str, Any], said: str) -> None:
    sound = {
        "name": "A", "digest": "0" * 12, "councillors": 2, "sizes": [1, 2], "tolerance": 0.1,
        "square_metres": [10_000, 10_000], "outer_metres": [300, 300],
        "neighbours": {"one": [0], "other": [1], "metres": [100]}, "groups": [], "proposals": [],
    }  # fmt: skip
    assert list(faults_of_review(sound, 2, None)) == []
    assert any(said in what for what, _ in faults_of_review(sound | change, 2, None))
    assert list(faults_of_review([231], 2, None)) == [("holds a review that is none", "list")]

"""The map page: what is in the file, what is not, and that nothing can break out of its place."""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import html
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import folium
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from placeshaping._core.errors import DisclosureError, InputError, OutputError
from placeshaping.areas.ladder import make_ladder
from placeshaping.disclosure.release import Release, release
from placeshaping.hotspots.study import analyse
from placeshaping.maps.about import about, footer
from placeshaping.maps.area_map import AreaMap, area_map
from placeshaping.maps.deprivation import deprivation_chart
from placeshaping.maps.payload import count_classes
from placeshaping.maps.words import facts, finding, label_words, words_heading
from placeshaping.pages.leaflet import leaflet_script, leaflet_styles, leaflet_version

SIDE = 8
NASTY = "</script><script>alert(1)</script>\"'&<b>"

MakeRelease = Callable[..., Release]


@pytest.fixture(scope="module")
def make_release() -> MakeRelease:
    """Return a function that makes a release of a board of square areas."""

    def make(
        policy: str = "internal",
        *,
        name: str = "Marsh",
        people: bool = True,
        code: str = "E019",
        hot_spots_of: str | None = "count",
        **options: Any,
    ) -> Release:
        rng = np.random.default_rng(5)
        places = [(x, y) for y in range(SIDE) for x in range(SIDE)]
        codes = pd.Index([f"{code}{n:05d}" for n in range(SIDE * SIDE)], name="area_code")
        areas = gpd.GeoDataFrame(
            {"area_name": [f"{name} {x}{y}" for x, y in places]},
            geometry=[
                box(450_000 + 600 * x, 300_000 + 600 * y, 450_600 + 600 * x, 300_600 + 600 * y)
                for x, y in places
            ],
            index=codes,
            crs=27700,
        )
        areas.attrs["level"] = "lsoa"
        middle = [f"{x // 2}{y // 2}" for x, y in places]
        west = [x < SIDE // 2 for x, _ in places]
        lookup = pd.DataFrame(
            {
                "msoa_code": [f"E029{m:>05}" for m in middle],
                "msoa_name": [f"{name} M{m}" for m in middle],
                "district_code": np.where(west, "E07900001", "E07900002"),
                "district_name": np.where(west, "West", f"East {name}"),
            },
            index=codes,
        )
        months = pd.date_range("2024-01-01", "2025-12-01", freq="MS")
        heat = np.array([6.0 if x < 3 and y < 3 else 0.8 for x, y in places])
        frames = [
            pd.DataFrame(
                {
                    "area_code": codes,
                    "period": month,
                    "category": category,
                    "count": rng.poisson(heat * share),
                }
            )
            for month in months
            for category, share in (("Burglary", 0.3), ("Robbery", 0.02), ("Shoplifting", 1.0))
        ]
        population = pd.DataFrame(
            {"residents": 1500 + 10 * np.arange(64), "households": 600}, index=codes
        )
        deprivation = pd.DataFrame({"imd_decile": 1 + np.arange(64) % 10}, index=codes)
        study = analyse(
            pd.concat(frames, ignore_index=True),
            make_ladder(areas, lookup),
            population=population if people else None,
            deprivation=deprivation,
            hot_spots_of=hot_spots_of,
        )
        options.setdefault("title", f"Recorded crime in {name}")
        return release(study, policy=policy, made_on=dt.date(2026, 1, 5), **options)

    return make


class Elements(HTMLParser):
    """Collect the elements of a page, and the text of its scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def parsed(page: str) -> Elements:
    elements = Elements()
    elements.feed(page)
    return elements


def data_of(page: str) -> dict[str, Any]:
    block = re.search(r'id="placeshaping-data"[^>]*>([^<]*)<', page)
    assert block is not None
    found: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(block.group(1))))
    return found


def test_only_a_release_can_be_drawn() -> None:
    with pytest.raises(DisclosureError, match="area_map takes a Release, not a DataFrame"):
        area_map(pd.DataFrame({"count": [3]}))  # type: ignore[arg-type]


def test_a_level_or_measure_that_is_not_there_is_named(make_release: MakeRelease) -> None:
    given = make_release()
    with pytest.raises(InputError, match=r"no level 'ward'\. It has: lsoa, msoa, district"):
        area_map(given, level="ward")
    with pytest.raises(InputError, match="cannot show 'speed'"):
        area_map(given, measure="speed")


def test_the_carried_leaflet_is_the_one_that_folium_pins() -> None:
    pinned = dict(folium.folium._default_js)["leaflet"]
    assert f"leaflet@{leaflet_version()}/" in pinned
    assert f'version="{leaflet_version()}"' in leaflet_script()


def test_leaflet_asks_for_nothing() -> None:
    assert "sourceMappingURL" not in leaflet_script()
    assert not re.search(r"url\((?!data:)", leaflet_styles())
    assert "iconUrl" in leaflet_script()


def test_the_file_names_no_outside_address_but_namespaces(
    make_release: MakeRelease, tmp_path: Path
) -> None:
    area_map(make_release()).save(tmp_path / "map.html")
    page = (tmp_path / "map.html").read_text(encoding="utf-8")
    addresses = set(re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}", page))
    assert addresses <= {"http://www.w3.org", "https://leafletjs.com"}
    fetching = [
        (tag, attributes)
        for tag, attributes in parsed(page).seen
        if attributes.get("src") or (tag == "link" and attributes.get("href"))
    ]
    assert fetching == []
    assert "default-src 'none'" in html.unescape(page)


def test_the_same_release_gives_the_same_file(make_release: MakeRelease) -> None:
    assert area_map(make_release()).render() == area_map(make_release()).render()


def test_names_from_data_stay_text(make_release: MakeRelease) -> None:
    given = make_release(
        name=NASTY, title=NASTY, contact=NASTY, purpose=NASTY, notes=[NASTY], not_for=[NASTY]
    )
    page = area_map(given).render()
    assert "<script>alert" not in page
    assert "<b>" not in page
    elements = parsed(page)
    assert len([tag for tag, _ in elements.seen if tag == "script"]) == 7
    assert NASTY in elements.text
    assert data_of(page)["levels"][0]["names"][0] == f"{NASTY} 00"
    assert (
        json.loads(
            re.search(r'id="placeshaping-declaration">(.*?)</script>', page).group(1)  # type: ignore[union-attr]
        )["title"]
        == NASTY
    )


def test_the_data_hold_the_released_counts_and_nothing_else(make_release: MakeRelease) -> None:
    given = make_release("councillor")
    data = data_of(area_map(given).render())
    assert set(data) == {
        "format", "periods", "categories", "levels", "clusters", "arcs", "classes",
    }  # fmt: skip
    assert [level["level"] for level in data["levels"]] == list(given.levels)
    for level in data["levels"]:
        values = given.tables[level["level"]].values
        assert [-1 if n == -1 else n for n in level["count"]] == [
            -1 if pd.isna(n) else n for n in values["count"]
        ]
        clusters = [None if c < 0 else data["clusters"][c] for c in level["cluster"] or []]
        if clusters:
            assert clusters == [None if pd.isna(c) else c for c in values["cluster"]]
    assert min(n for n in data["levels"][0]["count"] if n > 0) >= 5


def test_a_stamp_stands_on_internal_products_only(make_release: MakeRelease) -> None:
    assert 'class="stamp"' in area_map(make_release("internal")).render()
    assert 'class="stamp"' not in area_map(make_release("councillor")).render()


def test_words_carry_numbers_and_uncertainty(make_release: MakeRelease) -> None:
    given = make_release("councillor")
    said = finding(given)
    total = int(given.tables["district"].view(
        period=given.periods[0].label, category=given.categories[0].label
    )["count"].sum())  # fmt: skip
    rounded = round(total, 3 - len(str(total)))
    assert f"about {rounded:,} records" in said[0]
    assert "January 2024 to December 2025" in said[0]
    assert "West and East Marsh" in said[0]
    assert re.search(
        r"[\d.]+ per 1,000 residents a year \(95% interval [\d.]+ to [\d.]+\)", said[0]
    )
    assert "that of all recorded crime was highest in Marsh" in said[1]
    assert "of 64 small areas (LSOAs) stand out as hot spots" in said[2]
    assert "false alarms" in said[2]
    assert [label for label, _ in facts(given)] == ["When", "Where", "Hot spots", "How sure"]


def test_no_text_of_ours_labels_a_place(make_release: MakeRelease) -> None:
    for policy in ("internal", "councillor", "public"):
        given = make_release(policy)
        parts = about(given, tolerance=10, leaflet="1.9.3")
        chart = deprivation_chart(given)
        assert chart is not None
        texts = [*finding(given), *chart.words, *(t for part in parts for t in part.items)]
        assert label_words([*texts, *(words for _, words in facts(given))]) == []


def test_hidden_totals_are_told_as_at_least(make_release: MakeRelease) -> None:
    given = make_release("public")
    assert "records" in finding(given)[0]


def test_without_residents_the_map_opens_on_hot_spots(make_release: MakeRelease) -> None:
    shown = area_map(make_release(people=False))
    assert shown.measures[0] == "hotspots"
    assert "rate" not in shown.measures
    assert deprivation_chart(make_release(people=False)) is None
    assert "per 1,000" not in finding(make_release(people=False))[0]


def test_a_measure_and_level_can_be_shown_first(make_release: MakeRelease) -> None:
    page = area_map(make_release(), level="msoa", measure="count").render()
    assert re.search(r'value="count" aria-pressed="true"', page)
    assert re.search(r'value="msoa" aria-pressed="true"', page)


def test_further_folium_layers_are_carried(make_release: MakeRelease, tmp_path: Path) -> None:
    shown = area_map(make_release("councillor"))
    assert isinstance(shown, folium.Map)
    marker = folium.CircleMarker([52.6, -1.25], radius=8, popup="A library", tooltip="Here")
    marker.add_to(shown)
    with pytest.raises(DisclosureError, match=r"a layer that no release has protected \(Circle"):
        shown.save(tmp_path / "map.html")
    with pytest.raises(DisclosureError, match="stamp='internal'"):
        shown.get_root().save(tmp_path / "map.html")
    assert list(tmp_path.iterdir()) == []
    shown.save(tmp_path / "map.html", stamp="internal")
    page = (tmp_path / "map.html").read_text(encoding="utf-8")
    assert f"var {shown.get_name()} = placeshaping.map;" in page
    assert "L.circleMarker" in page
    assert "A library" in page
    assert "Internal: not protected, do not share" in page
    declared = re.search(r'id="placeshaping-declaration">(.*?)</script>', page, re.DOTALL)
    assert declared is not None
    assert json.loads(declared.group(1))["policy"] == "internal"


def test_a_control_without_data_may_be_added(make_release: MakeRelease, tmp_path: Path) -> None:
    shown = area_map(make_release("councillor"))
    folium.LayerControl().add_to(shown)
    shown.save(tmp_path / "map.html")
    assert "stamp" in (tmp_path / "map.html").read_text(encoding="utf-8")


def test_a_layer_that_needs_the_network_is_refused_by_its_address(
    make_release: MakeRelease, tmp_path: Path
) -> None:
    shown = area_map(make_release())
    folium.TileLayer("OpenStreetMap").add_to(shown)
    with pytest.raises(OutputError, match=r"outside addresses .*https://tile\.openstreetmap\.org"):
        shown.save(tmp_path / "map.html")
    assert list(tmp_path.iterdir()) == []


def test_a_plugin_from_outside_is_refused(make_release: MakeRelease, tmp_path: Path) -> None:
    from folium.plugins import Fullscreen

    shown = area_map(make_release())
    Fullscreen().add_to(shown)
    with pytest.raises(OutputError, match="cdn"):
        shown.save(tmp_path / "map.html")


def test_a_notebook_shows_the_whole_page(make_release: MakeRelease) -> None:
    shown = area_map(make_release())
    shown_in_notebook = shown._repr_html_()
    assert "<iframe" in shown_in_notebook
    assert "placeshaping-data" in shown_in_notebook
    assert "cdn.jsdelivr" not in shown_in_notebook
    assert isinstance(shown, AreaMap)


def test_an_old_file_is_replaced_whole(make_release: MakeRelease, tmp_path: Path) -> None:
    target = tmp_path / "map with ünlaut.html"
    target.write_text("old")
    area_map(make_release()).save(target)
    assert target.read_text(encoding="utf-8").rstrip().endswith("</html>")
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


def test_areas_of_ones_own_without_levels_make_a_plain_map() -> None:
    codes = pd.Index([f"Beat {n}" for n in range(6)], name="area_code")
    areas = gpd.GeoDataFrame(
        {"area_name": codes.to_list()},
        geometry=[box(450_000 + 900 * n, 3e5, 450_900 + 900 * n, 301_000) for n in range(6)],
        index=codes,
        crs=27700,
    )
    counts = pd.DataFrame(
        {
            "area_code": codes,
            "period": pd.Timestamp("2025-03-01"),
            "category": "Fly-tipping",
            "count": [0, 3, 5, 9, 12, 40],
        }
    )
    given = release(
        analyse(counts, make_ladder(areas)),
        policy="internal",
        title="Fly-tipping",
        made_on=dt.date(2026, 1, 5),
    )
    assert finding(given) == ("Fly-tipping in 6 areas, March 2025: 69 records.",)
    assert dict(facts(given))["Where"] == "6 areas"
    assert area_map(given).measures == ("count",)
    page = area_map(given).render()
    assert 'aria-labelledby="level-label" class="control" hidden' in page


def items_of(given: Release, heading: str) -> tuple[str, ...]:
    parts = about(given, tolerance=10, leaflet="1.9.3")
    return next((part.items for part in parts if part.heading == heading), ())


def test_words_and_tiles_name_their_subject(make_release: MakeRelease) -> None:
    given = make_release("councillor")
    assert words_heading(given) == (
        "In words: all recorded crime, January 2024 to December 2025, by small area (LSOA)"
    )
    told = dict(facts(given))
    assert re.match(r"All recorded crime: \d+ of 64 small areas", told["Hot spots"])
    view = given.tables["lsoa"].view(
        period=given.periods[0].label, category=given.categories[0].label
    )
    half = float(((view["upper"] - view["lower"]) / 2).median())
    found = re.search(r"lies within ±([\d.]+) per 1,000 \(95%\)", told["How sure"])
    assert found is not None
    assert float(found.group(1)) == pytest.approx(half, abs=0.051)


def test_a_high_rate_is_explained_as_a_possibility(make_release: MakeRelease) -> None:
    given = make_release()
    said = " ".join([*finding(given), *given.cautions])
    assert "which makes its rate high" not in said
    assert said.count("check before you conclude") == 1  # once on the page, not twice


def test_the_method_says_what_the_classes_are(make_release: MakeRelease) -> None:
    said = " ".join(items_of(make_release("councillor"), "How it was worked out"))
    assert "about equally many" not in said
    assert "round numbers" in said
    assert "nothing was recorded have an entry of their own" in said
    page = area_map(make_release("councillor")).render()
    assert page.count("q under 0.01") == 1


def test_classes_of_counts_are_made_of_what_was_recorded(make_release: MakeRelease) -> None:
    given = make_release("councillor")
    edges = count_classes(given)["lsoa"]["Robbery"][1]
    counts = given.tables["lsoa"].values.query("category == 'Robbery'")["count"].dropna()
    counts = counts[counts > 0]
    assert edges[0] == 0
    assert len(edges) == 2 or edges[1] > counts.min()


def test_months_in_the_notes_are_words(make_release: MakeRelease) -> None:
    given = make_release(notes=["No records for 2019-03, 2019-04 in 2019-05-essex.csv."])
    assert items_of(given, "The records") == (
        "No records for March and April 2019 in 2019-05-essex.csv.",
    )


def test_open_data_are_attributed(make_release: MakeRelease) -> None:
    os_line = "contains OS data © Crown copyright and database right 2026"
    given = make_release(
        "open", code="E010", sensitivity="open", already_published="https://data.police.uk/data/"
    )
    said = " ".join(items_of(given, "Licences"))
    assert os_line in said
    assert said.count("Open Government Licence v3.0") == 2
    assert os_line in " ".join(footer(given))
    assert "police.uk" not in " ".join(items_of(make_release(), "Licences"))


def test_without_hot_spots_there_is_no_button_and_no_word_of_them(
    make_release: MakeRelease,
) -> None:
    given = make_release(hot_spots_of=None)
    assert "hotspots" not in area_map(given).measures
    assert "Hot spots" not in dict(facts(given))
    assert "hot spot" not in " ".join([*finding(given), *items_of(given, "How it was worked out")])
    page = area_map(given).render()
    assert all(level["cluster"] is None for level in data_of(page)["levels"])

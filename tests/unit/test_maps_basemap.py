"""A base map: nothing from outside unless it is asked for, then one host and no other."""

from __future__ import annotations

import datetime as dt
import html
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from placeshaping._core.errors import InputError
from placeshaping.disclosure.release import Release, release
from placeshaping.hotspots.study import Study
from placeshaping.maps.area_map import area_map
from placeshaping.maps.basemap import make_basemap

TILES = "https://tiles.example.org/{z}/{x}/{y}.png"
POLICY = re.compile(r'http-equiv="Content-Security-Policy" content="([^"]*)"')


@pytest.fixture(scope="module")
def released(make_study: Callable[..., Study]) -> Release:
    return release(make_study(), policy="councillor", title="The Fens", made_on=dt.date(2026, 1, 5))


def declaration(page: str) -> dict[str, Any]:
    found = re.search(r'id="placeshaping-declaration">([^<]*)<', page)
    assert found is not None
    return dict(json.loads(found.group(1)))


def test_page_asks_for_nothing_unless_a_base_map_is_switched_on(released: Release) -> None:
    page = area_map(released).render()
    policy = POLICY.search(page)
    assert policy is not None
    assert "http" not in policy.group(1)
    assert "L.tileLayer(given" not in page
    assert "basemap" not in declaration(page)
    assert "sends nothing anywhere" in page


def test_base_map_opens_the_policy_for_pictures_of_one_host(released: Release) -> None:
    page = area_map(released, basemap=TILES).render()
    policy = POLICY.search(page)
    assert policy is not None
    said = html.unescape(policy.group(1)).split(";")
    rules = dict(rule.strip().split(" ", 1) for rule in said)
    assert rules["img-src"] == "data: blob: https://tiles.example.org"
    assert not any("http" in rules[name] for name in rules if name != "img-src")


def test_base_map_is_named_on_the_page_and_declared(released: Release) -> None:
    page = area_map(released, basemap=make_basemap(TILES, attribution="© <Map> makers")).render()
    assert declaration(page)["basemap"] == "https://tiles.example.org"
    assert "© &lt;Map&gt; makers" in page
    assert "© <Map>" not in page
    assert "come from tiles.example.org" in page
    assert "sends nothing anywhere" not in page


def test_base_map_of_the_ordnance_survey_needs_a_key() -> None:
    with pytest.raises(InputError, match="needs a key of the Ordnance Survey"):
        make_basemap("os")
    with pytest.raises(InputError, match="needs a key"):
        make_basemap("os", key="</script>")
    made = make_basemap("os", key="abc123", year=2026)
    assert made.template.endswith("{z}/{x}/{y}.png?key=abc123")
    assert (made.host, made.deepest) == ("api.os.uk", 16)
    assert made.attribution == "Contains OS data © Crown copyright and database rights 2026."


@pytest.mark.parametrize(
    "address",
    [
        "http://tiles.example.org/{z}/{x}/{y}.png",
        "https://tiles.example.org/{z}/{x}.png",
        "https://{s}.tiles.example.org/{z}/{x}/{y}.png",
        "https://user@tiles.example.org/{z}/{x}/{y}.png",
        "https://*.example.org/{z}/{x}/{y}.png",
        "https://tiles.example.org; script-src https:/{z}/{x}/{y}.png",
        'https://tiles.example.org/{z}/{x}/{y}.png"><script>',
        "osm",
    ],
)
def test_address_that_could_ask_another_host_is_refused(address: str) -> None:
    with pytest.raises(InputError, match="is no address of tiles"):
        make_basemap(address)


def test_schemes_of_classes_are_named_on_the_page(released: Release) -> None:
    page = area_map(released, scheme="quantiles").render()
    assert "mapclassify&#39;s scheme &#39;quantiles&#39;" in page
    assert "mapclassify" not in area_map(released).render()

"""What stands under "About this map", and at its foot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from placeshaping._core.codes import is_synthetic
from placeshaping.disclosure.release import Release
from placeshaping.maps.basemap import Basemap, basemap_words
from placeshaping.maps.classes import Scheme
from placeshaping.maps.licences import licences
from placeshaping.maps.months import month_words
from placeshaping.maps.words import has_hot_spots, has_rates
from placeshaping.pages.page import Section


def about(
    release: Release,
    *,
    tolerance: float,
    leaflet: str,
    scheme: Scheme = "even",
    basemap: Basemap | None = None,
) -> tuple[Section, ...]:
    """
    Write the parts of "About this map".

    Parameters
    ----------
    release
        Protected numbers.
    tolerance
        Metres by which the borders on the map were simplified.
    leaflet
        Version of Leaflet.
    scheme
        How the edges of the classes were chosen.
    basemap
        Tiles that the page asks for.

    Returns
    -------
    sections
        Records, method, protection, use, sources, maker; empty ones left out.
    """
    made_by = str(release.declaration["made_by"])
    published = release.already_published
    notes = [month_words(note) for note in release.notes]
    parts = [
        (
            "What it rests on" if release.found else "The records",
            [*notes, *([f"Published at {published}."] if published else [])],
        ),
        ("How it was worked out", list(_method(release, tolerance, scheme))),
        ("What was hidden, and why", list(release.statement)),
        ("It must not be used", list(release.not_for)),
        ("What it is for", [release.purpose] if release.purpose else []),
        ("Sources", [_source(source) for source in release.sources]),
        ("Licences", list(licences(release))),
        ("Base map", list(basemap_words(basemap)) if basemap else []),
        (
            "Who made it",
            [
                f"Made on {_day(release.made_on)} with {made_by} and Leaflet {leaflet}.",
                *([f"Contact: {release.contact}"] if release.contact else []),
            ],
        ),
    ]
    return tuple(Section(heading, tuple(items)) for heading, items in parts if items)


def footer(release: Release, *, basemap: Basemap | None = None) -> tuple[str, ...]:
    """
    Write the last lines of a page: the licence of the boundaries, and that nothing is sent.

    Parameters
    ----------
    release
        Whose areas are on the map.
    basemap
        Tiles that the page asks for.

    Returns
    -------
    sentences
        For print.
    """
    codes = [str(code) for code in release.tables[release.levels[0]].areas.index]
    own = "This page is one file. It works without a network and sends nothing anywhere."
    if basemap is not None:
        own = (
            "This page is one file. It works without a network; with one, it asks "
            f"{basemap.host} for the pictures of the base map, and nothing else."
        )
    if codes and all(is_synthetic(code) for code in codes):
        return ("The place, its people and its records are invented.", own)
    return (*licences(release), own)


def _method(release: Release, tolerance: float, scheme: Scheme) -> Iterator[str]:
    if has_rates(release):
        homes = [c.label for c in release.categories if c.denominator == "households"]
        other = f" ({', '.join(homes)}: per 1,000 households)" if homes else ""
        yield (
            f"Rates are records per 1,000 residents a year{other}. The 95% interval is Byar's, "
            "exact under ten records: were the same risk to play out again, the rate would fall "
            "in such an interval 95 times out of 100."
        )
    if any(has_hot_spots(table) for table in release.tables.values()):
        of = "smoothed rates" if release.hot_spots_of == "rate" else "counts"
        yield (
            f"Hot spots: Gi* (Ord and Getis 1995) of the {of} of each area and the areas that "
            "touch it, compared with the whole map; two-sided, with the false discovery rate "
            "controlled within each map (Benjamini and Hochberg 1995). Very strong evidence: q "
            "under 0.01; strong evidence: q under 0.05."
        )
        if release.policy.protects:
            yield "Hot spots were worked out before small numbers were hidden and others rounded."
    for layer in release.labels:
        yield " ".join((layer.method, *layer.cautions))
    borders = f"Borders are simplified by up to about {tolerance:,.0f} metres for display."
    if release.found:
        yield borders
        return
    chosen = (
        "chosen so that the areas spread over the classes as evenly as such numbers allow"
        if scheme == "even"
        else f"those nearest to the edges of mapclassify's scheme {scheme!r}"
    )
    yield (
        f"The edges of the classes are round numbers, {chosen}; the legend says how many areas "
        "each holds. Areas where nothing was recorded have an entry of their own. For rates the "
        "classes stay the same from period to period, so that colours can be compared."
    )
    yield borders


def _source(source: Any) -> str:
    rows = "" if source.rows is None else f", {source.rows:,} rows"
    checksum = f"SHA-256 {source.sha256[:12]}…" if source.sha256 else source.checksum
    return f"{source.role}: {source.name}{rows} ({checksum})"


def _day(day: Any) -> str:
    return f"{day.day} {day:%B %Y}"

"""The map of a release: a folium map that saves itself as one file that opens anywhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import folium
from branca.element import Element, Figure

from placeshaping._core.checks import listed
from placeshaping._core.crs import to_degrees
from placeshaping._core.errors import DisclosureError, InputError, OutputError
from placeshaping._core.output import staged_file
from placeshaping.disclosure.facts import FACT_HEADS
from placeshaping.disclosure.policies import POLICIES
from placeshaping.disclosure.release import Release, require_release
from placeshaping.maps.about import about, footer
from placeshaping.maps.basemap import Basemap, basemap_parts, make_basemap, open_policy
from placeshaping.maps.classes import Scheme
from placeshaping.maps.coverage import Coverage, encode_coverage
from placeshaping.maps.deprivation import deprivation_chart
from placeshaping.maps.months import month_words
from placeshaping.maps.palettes import (
    BIVARIATE,
    CLUSTERS,
    DARK,
    HIDDEN_FILL,
    HIDDEN_HATCH,
    MISSING_FILL,
    NONE_FILL,
    SEQUENTIAL,
    ClusterStyle,
    label_styles,
)
from placeshaping.maps.payload import ViewClasses, page_data, view_classes
from placeshaping.maps.still import still_of_labels, still_view
from placeshaping.maps.words import (
    FALSE_ALARMS,
    NO_COUNTS,
    VISITED,
    facts,
    finding,
    has_hot_spots,
    has_labels,
    is_cautioned,
    place_words,
    protection_words,
    words_heading,
    words_of,
)
from placeshaping.pages.leaflet import leaflet_version
from placeshaping.pages.page import Choice, Further, PageContent, Still, render_page
from placeshaping.statistics.rates import BYAR_FROM, crude_rate

_MEASURES = {
    "rate": "Rate",
    "hotspots": "Hot spots",
    "count": "Count",
    "decile": "Deprivation",
    "both": "Rate and deprivation",
}
_SPOTS_ABOUT = (
    "A hot spot counts the records of an area together with those of its neighbours, compared with "
    "the whole map. So an area of high rate may be none."
)
_REASONS = {
    "rate": "There is no number of residents or households at this level of detail.",
    "hotspots": "Hot spots are looked for only where there are at least 30 areas.",
    "decile": "The deprivation index is published for small areas (LSOA) only.",
    "both": "The deprivation index is published for small areas (LSOA) only.",
}
_FETCHED = re.compile(
    r"""(?:<(?:script|img|iframe|link|source|embed|object|use)\b[^>]*?"""
    r"""(?:src|href|data)\s*=\s*["']?|url\(\s*["']?|@import\s+["']|["'`])"""
    r"""((?:https?:)?//[a-z0-9{][^\s"'`)<>]*)""",
    re.IGNORECASE,
)
_WITHOUT_DATA = (folium.LayerControl,)
"""What may be added to a map that leaves the house: it holds no data of its own."""

_JQUERY = (
    "var $ = window.$ || function (html) { var box = document.createElement('template');"
    " box.innerHTML = String(html).trim(); return [box.content.firstChild]; };"
)


def area_map(
    release: Release,
    *,
    level: str | None = None,
    measure: str | None = None,
    tolerance: float | None = None,
    scheme: Scheme = "even",
    basemap: str | Basemap | None = None,
) -> AreaMap:
    """
    Make the map of a release.

    Parameters
    ----------
    release
        Made by `disclosure.release`; anything else is refused.
    level
        The level that is shown first; by default the finest of the release.
    measure
        What is shown first: ``"rate"``, ``"hotspots"``, ``"count"``,
        ``"decile"`` or the name of a layer of labels, such as ``"emerging"``;
        by default rates where they are known.
    tolerance
        Metres by which borders may be simplified; by default chosen from the
        size of the areas.
    scheme
        How the edges of the classes are chosen: see `classes.class_edges`.
    basemap
        None, so that the page asks for nothing from outside. Else what
        `make_basemap` takes: the page then asks that one server for pictures,
        names it, and works without it.

    Returns
    -------
    map
        A `folium.Map`: shows itself in a notebook, takes further folium
        layers, and `save(path)` writes one file that needs no network.

    Raises
    ------
    DisclosureError
        If `release` is not a `Release`, or its policy makes no such map.
    InputError
        If it has no such level or measure, or there is no such scheme or base
        map.

    Examples
    --------
    >>> area_map({"count": [3]})
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.DisclosureError: area_map takes a Release, not a dict. ...
    """
    given = require_release(release, wanted_by="area_map")
    if not given.policy.shareable_map or not (given.policy.counts_shown or given.labels):
        msg = (
            f"Policy {given.policy.name!r} makes no map of areas that could be passed on. Write "
            "layers and tables (write_layers, write_tables), or choose another policy."
        )
        raise DisclosureError(msg)
    levels = given.levels
    if level is not None and level not in levels:
        msg = f"The release has no level {level!r}. It has: {', '.join(levels)}."
        raise InputError(msg)
    measures = _measures(given)
    if measure is not None and measure not in measures:
        msg = f"The release cannot show {measure!r}. It can show: {', '.join(measures)}."
        raise InputError(msg)
    first = measures.index(measure) if measure else 0
    ordered = [measures[first], *measures[:first], *measures[first + 1 :]]
    start = levels[0] if level is None else level
    return AreaMap(
        given,
        start=start,
        measures=ordered,
        tolerance=tolerance,
        scheme=scheme,
        basemap=None if basemap is None else make_basemap(basemap),
    )


class AreaMap(folium.Map):  # type: ignore[misc]  # folium has no types
    """
    A folium map of the areas of a release; `area_map` makes it.

    Parameters
    ----------
    release
        What it shows.
    start
        The level that is shown first.
    measures
        What can be shown, in the order of the buttons.
    tolerance
        Metres by which borders may be simplified.
    scheme
        How the edges of the classes are chosen.
    basemap
        Tiles under the areas.

    Attributes
    ----------
    release
        What it shows.
    coverage
        Its shapes, with the `tolerance` that was used.
    """

    default_js: Sequence[tuple[str, str]] = ()
    default_css: Sequence[tuple[str, str]] = ()

    def __init__(
        self,
        release: Release,
        *,
        start: str,
        measures: Sequence[str],
        tolerance: float | None = None,
        scheme: Scheme = "even",
        basemap: Basemap | None = None,
    ) -> None:
        super().__init__(tiles=None, location=_middle(release))
        self._name = "AreaMap"
        self._id = "page"  # the same release gives the same file
        self._parent: Any
        self.release = release
        self.start = start
        self.measures = tuple(measures)
        self.scheme: Scheme = scheme
        self.basemap = basemap
        self.coverage = encode_coverage(
            [release.tables[level].areas for level in release.levels], tolerance=tolerance
        )
        _PageFigure(self).add_child(self)

    def render(self, **kwargs: Any) -> str:
        """
        Return the page.

        Parameters
        ----------
        **kwargs
            Passed to the layers that were added.

        Returns
        -------
        page
            HTML that needs nothing but itself.
        """
        return self._page(stamp=None, **kwargs)

    def _page(self, *, stamp: Literal["internal"] | None, **kwargs: Any) -> str:
        content = _content(self, self._further(**kwargs))
        if stamp is not None and self._unreleased():
            content = _stamped(content)
        names = ["shapes.js", "areas.js", *(["facts.js"] if self.release.found else [])]
        page = render_page(content, scripts=[_asset(name) for name in names])
        return page if self.basemap is None else open_policy(page, self.basemap)

    def save(
        self, outfile: str | Path, *, stamp: Literal["internal"] | None = None, **kwargs: Any
    ) -> None:
        """
        Write the page into one file.

        Parameters
        ----------
        outfile
            An old file of that name is replaced once the new one is complete.
        stamp
            ``"internal"`` writes the map though layers were added that no
            release has protected: it is stamped internal, and says so to
            whatever checks it.
        **kwargs
            Passed to the layers that were added.

        Raises
        ------
        OutputError
            If a layer that was added needs something from outside, or the
            file cannot be written.
        DisclosureError
            If a layer was added that no release has protected, and the map is
            not to be stamped.
        """
        page = self._page(stamp=stamp, **kwargs)
        self._refuse_outside()
        if stamp is None:
            self._refuse_unreleased()
        with staged_file(outfile) as path:
            path.write_text(page, encoding="utf-8", newline="\n")

    def _further(self, **kwargs: Any) -> Further:
        """Render what the analyst added, into a figure of its own."""
        parts = Figure()
        parts.header = _named(Element(), parts)
        parts.html = _named(Element(), parts)
        parts.script = _named(Element(), parts)
        root = self._parent
        try:
            self._parent = parts
            for child in list(self._children.values()):
                child.render(**kwargs)
        finally:
            self._parent = root
        header, html, script = (
            part.render(**kwargs).strip() if part._children else ""  # noqa: SLF001 - folium's own
            for part in (parts.header, parts.html, parts.script)
        )
        if script:
            shim = f"{_JQUERY}\n" if "$(" in script else ""
            script = f"var {self.get_name()} = placeshaping.map;\n{shim}{script}"
        return Further(header, html, script)

    def _unreleased(self) -> list[str]:
        """Name the kinds of layers that were added and that no release has protected."""
        if self.release.policy.stamp is not None:
            return []
        return [
            type(child).__name__
            for child in self._children.values()
            if not isinstance(child, _WITHOUT_DATA)
        ]

    def _refuse_unreleased(self) -> None:
        added = self._unreleased()
        if added:
            layers = "a layer" if len(added) == 1 else f"{len(added):,} layers"
            msg = (
                f"The map holds {layers} that no release has protected ({listed(added)}), so it "
                f"cannot be saved under the policy {self.release.policy.name!r}. Remove what was "
                "added, or save it for your own desk with stamp='internal'; nothing was written."
            )
            raise DisclosureError(msg)

    def _refuse_outside(self) -> None:
        further = self._further()
        found = _FETCHED.findall("\n".join([further.header, further.html, further.script]))
        outside = sorted({address for address in found if "www.w3.org" not in address})
        if outside:
            msg = (
                f"The map would ask {len(outside):,} outside addresses for something, first "
                f"{outside[0]}: it would not work without a network. Remove the layer or plugin "
                "that needs it; nothing was written."
            )
            raise OutputError(msg)


class _PageFigure(Figure):  # type: ignore[misc]
    """The root of an area map: whatever renders it gets the page."""

    def __init__(self, owner: AreaMap) -> None:
        super().__init__()
        self._owner = owner

    def render(self, **kwargs: Any) -> str:
        return self._owner.render(**kwargs)

    def save(self, outfile: str | Path, close_file: bool = True, **kwargs: Any) -> None:  # noqa: ARG002 - as branca has it
        """Save the map, with its checks."""
        self._owner.save(outfile, **kwargs)


def _named(element: Element, parent: Figure) -> Element:
    element._parent = parent  # noqa: SLF001 - as branca's Figure does for its own parts
    return element


def _measures(release: Release) -> list[str]:
    finest = release.tables[release.levels[0]]
    counted = release.policy.counts_shown
    people = counted and any(
        c.denominator in finest.areas for c in release.categories if c.denominator
    )
    known = {
        "rate": people,
        "hotspots": any(has_hot_spots(table) for table in release.tables.values()),
        "count": counted,
        "decile": any("imd_decile" in table.areas for table in release.tables.values()),
        "both": people and "imd_decile" in finest.areas,
    }
    labels = [
        scheme.name
        for scheme in release.labels
        if any(has_labels(table, scheme.name) for table in release.tables.values())
    ]
    found = [measure for measure in _MEASURES if known[measure]]
    before = "hotspots" if "hotspots" in found else "rate" if "rate" in found else None
    after = 0 if before is None else found.index(before) + 1
    return [*found[:after], *labels, *found[after:]]


def _middle(release: Release) -> tuple[float, float]:
    west, south, east, north = release.tables[release.levels[0]].areas.total_bounds
    lon, lat = to_degrees([(west + east) / 2], [(south + north) / 2])
    return round(float(lat[0]), 3), round(float(lon[0]), 3)


def _content(shown: AreaMap, further: Further) -> PageContent:
    release: Release = shown.release
    coverage: Coverage = shown.coverage
    levels = sorted(release.levels, key=lambda level: level != shown.start)
    classes = view_classes(release, scheme=shown.scheme)
    buttons = _MEASURES | {scheme.name: scheme.button for scheme in release.labels}
    return PageContent(
        title=release.title,
        stamp=release.policy.stamp,
        finding=finding(release),
        words_heading=words_heading(release),
        facts=facts(release),
        cautions=tuple(month_words(caution) for caution in release.cautions),
        levels=tuple(Choice(level, words_of(table)[2]) for level, table in release.tables.items()),
        start_level=levels[0],
        measures=tuple(Choice(measure, buttons[measure]) for measure in shown.measures),
        categories=tuple(
            Choice(str(place), view.label) for place, view in enumerate(release.categories)
        ),
        periods=tuple(Choice(str(place), view.label) for place, view in enumerate(release.periods)),
        about=about(
            release,
            tolerance=coverage.tolerance,
            leaflet=leaflet_version(),
            scheme=shown.scheme,
            basemap=shown.basemap,
        ),
        footer=footer(release, basemap=shown.basemap),
        declaration=_declaration(shown),
        settings=_settings(release, classes),
        data=page_data(release, coverage, classes=classes),
        search_label=_search_label(release),
        chart=deprivation_chart(release),
        still=_still(shown, classes),
        expires=release.expires,
        further=further if shown.basemap is None else _with_basemap(further, shown.basemap),
    )


def _still(shown: AreaMap, classes: ViewClasses) -> Still | None:
    """Draw what the page opens with: of a policy that shows no counts, a layer of labels."""
    release: Release = shown.release
    if release.policy.counts_shown:
        return still_view(release, classes=classes)
    known = {scheme.name: scheme for scheme in release.labels}
    first = next((name for name in shown.measures if name in known), None)
    return None if first is None else still_of_labels(release, known[first])


def _search_label(release: Release) -> str:
    ways = ["name", "code", *(["postcode"] if release.sectors else [])]
    if release.places:
        ways.append("place")
    return f"Find an area by {', '.join(ways[:-1])} or {ways[-1]}"


def _declaration(shown: AreaMap) -> dict[str, Any]:
    """Say what the file holds, and whom it asks for a base map where it does."""
    asks = {} if shown.basemap is None else {"basemap": shown.basemap.origin}
    return {**shown.release.declaration, **asks}


def _with_basemap(further: Further, basemap: Basemap) -> Further:
    parts = basemap_parts(basemap)
    return Further(
        parts.header + further.header, further.html, f"{parts.script}\n{further.script}".strip()
    )


def _stamped(content: PageContent) -> PageContent:
    """Declare a page internal, whatever its release was made for."""
    internal = POLICIES["internal"]
    rules = ("method", "threshold", "rounding", "zeros_shown", "base", "loosened", "counts_shown")
    declaration = {key: value for key, value in content.declaration.items() if key not in rules}
    declaration |= {"policy": internal.name, "stamp": internal.stamp}
    return replace(content, stamp=internal.stamp, declaration=declaration)


def _settings(release: Release, classes: ViewClasses) -> dict[str, Any]:
    exact = crude_rate(list(range(BYAR_FROM)), [1.0] * BYAR_FROM, per=1.0)
    return {
        "centre": list(_middle(release)),
        "exact": {name: exact[name].round(9).tolist() for name in ("lower", "upper")},
        "look": {
            "sequential": {str(size): list(colours) for size, colours in SEQUENTIAL.items()},
            "plain": CLUSTERS["none"].colour,
            "hidden": HIDDEN_FILL,
            "hatch": HIDDEN_HATCH,
            "missing": MISSING_FILL,
            "none": NONE_FILL,
            "both": [list(row) for row in BIVARIATE],
            "dark": {**DARK, "night": True},
        },
        "words": {
            level: dict(zip(("one", "many"), words_of(table)[:2], strict=True))
            for level, table in release.tables.items()
        },
        "layers": _layers(release),
        "reasons": _REASONS,
        "place": place_words(release),
        "protection": protection_words(release),
        "visited": VISITED,
        "cautioned": is_cautioned(release),
        "alarms": FALSE_ALARMS,
        "exactly": release.policy.rounding == 1,
        **({} if release.policy.counts_shown else {"countless": _countless(release)}),
        **({"measures": dict(FACT_HEADS)} if release.found else {}),
        "smallest": max(release.policy.threshold, 1),
        "countClasses": classes.counts,
    }


def _countless(release: Release) -> dict[str, str]:
    """Return what the page says in the place of counts, where the policy shows none."""
    return {"lead": finding(release)[0], "sure": NO_COUNTS}


def _layers(release: Release) -> dict[str, Any]:
    """Describe the layers whose classes are words: hot spots, then further labels."""
    found: dict[str, Any] = {}
    if any(has_hot_spots(table) for table in release.tables.values()):
        found["hotspots"] = _layer("Hot spots", _SPOTS_ABOUT, tuple(CLUSTERS.values()))
        found["hotspots"]["column"] = "cluster"
    for scheme in release.labels:
        found[scheme.name] = _layer(scheme.title, scheme.about, label_styles(scheme))
        if scheme.of_protected:
            found[scheme.name]["alone"] = True  # made of more than the category of the view
    return found


def _layer(title: str, about: str, styles: Sequence[ClusterStyle]) -> dict[str, Any]:
    return {"title": title, "about": about, "classes": [asdict(style) for style in styles]}


@cache
def _asset(name: str) -> str:
    return resources.files("placeshaping.maps").joinpath(name).read_text(encoding="utf-8")

"""
A base map under the areas: the only thing that a page may ask for from outside, if told to.

The page works without it: nothing else depends on the tiles, and the areas are
drawn solid until the first one has come.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from placeshaping._core.errors import InputError
from placeshaping.pages.page import Further, script_json

_OS = "https://api.os.uk/maps/raster/v1/zxy/Light_3857/{z}/{x}/{y}.png?key="
_FIELDS = ("{z}", "{x}", "{y}")
_ADDRESS = re.compile(r"(https://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?)/[^\s\"'<>\\]*")

_STYLE = "<style>.with-base .leaflet-overlay-pane > [aria-hidden] { opacity: 0.72; }</style>"
_SCRIPT = """\
(function (map, given) {
  var tiles = L.tileLayer(given.template, { maxNativeZoom: given.deepest, maxZoom: 18 });
  var under = function (there) { map.getContainer().classList.toggle("with-base", there); };
  tiles.on("tileload", function () { under(true); });
  tiles.on("remove", function () { under(false); });
  tiles.addTo(map);
  var names = {};
  names[given.label] = tiles;
  L.control.layers(null, names, { collapsed: false, position: "bottomright" }).addTo(map);
})(placeshaping.map, %s);"""


@dataclass(frozen=True)
class Basemap:
    """
    Tiles to draw under the areas; `make_basemap` makes it.

    Attributes
    ----------
    template
        Address of a tile, with ``{z}``, ``{x}`` and ``{y}``.
    origin
        Scheme and host: all that the page may ask.
    attribution
        Whose map it is, as its licence wants it said.
    deepest
        The closest zoom that there are tiles of.
    """

    template: str
    origin: str
    attribution: str
    deepest: int = 18

    @property
    def host(self) -> str:
        """Name of the machine that is asked."""
        return self.origin.partition("://")[2]


def make_basemap(
    given: str | Basemap,
    *,
    key: str | None = None,
    attribution: str | None = None,
    year: int | None = None,
) -> Basemap:
    """
    Choose a base map by name or by the address of its tiles.

    Parameters
    ----------
    given
        ``"os"`` for the light map of the Ordnance Survey's Maps API, which
        needs a key; or an address with ``{z}``, ``{x}`` and ``{y}``, of a
        server whose terms allow what you do.
    key
        Of the Ordnance Survey's Data Hub. It stands in the page for all to
        read: make one that only serves this.
    attribution
        Whose map it is; by default the name of the server.
    year
        Of the Ordnance Survey's copyright.

    Returns
    -------
    basemap
        For `area_map`.

    Raises
    ------
    InputError
        If the key is missing, or the address is none that a page could ask.

    Examples
    --------
    >>> make_basemap("https://tiles.example.org/{z}/{x}/{y}.png").origin
    'https://tiles.example.org'
    """
    if isinstance(given, Basemap):
        return given
    if given == "os":
        if not key or not key.isalnum():
            msg = (
                "basemap='os' needs a key of the Ordnance Survey's Maps API: make one at the OS "
                "Data Hub and pass make_basemap('os', key='...'). It can be read in the page."
            )
            raise InputError(msg)
        owner = f"Contains OS data © Crown copyright and database rights{f' {year}' * bool(year)}."
        return Basemap(_OS + key, "https://api.os.uk", attribution or owner, 16)
    found = _ADDRESS.fullmatch(given)
    if found is None or any(given.count(field) != 1 for field in _FIELDS):
        msg = (
            f"basemap={given!r} is no address of tiles. It is 'os', or begins with https:// and "
            "one host, and holds {z}, {x} and {y} once each."
        )
        raise InputError(msg)
    origin = found.group(1)
    owner = f"Base map: {origin.removeprefix('https://')}."
    return Basemap(given, origin, attribution or owner)


def basemap_parts(basemap: Basemap) -> Further:
    """
    Write what puts a base map under the areas of a page, with a box to switch it off.

    Parameters
    ----------
    basemap
        Tiles.

    Returns
    -------
    parts
        Style and script.
    """
    settings = {
        "template": basemap.template,
        "deepest": basemap.deepest,
        "label": f"Base map. {basemap.attribution}",
    }
    return Further(_STYLE, "", _SCRIPT % script_json(settings))


def basemap_words(basemap: Basemap) -> tuple[str, ...]:
    """
    Say what a page asks for, and of whom.

    Parameters
    ----------
    basemap
        Tiles.

    Returns
    -------
    sentences
        For "About this map".
    """
    return (
        basemap.attribution,
        f"The pictures of the base map come from {basemap.host}, which thereby learns which part "
        "of the map is looked at. Nothing else is asked for, and nothing else is sent.",
        "Without a network the map works as it is, on a plain ground.",
    )


def open_policy(page: str, basemap: Basemap) -> str:
    """
    Let a page's content policy have pictures from one host.

    Parameters
    ----------
    page
        HTML of `render_page`.
    basemap
        Tiles.

    Returns
    -------
    page
        With that host in ``img-src``, and nowhere else.
    """
    return page.replace("img-src data: blob:", f"img-src data: blob: {basemap.origin}", 1)

"""
The page on which wards are painted: words, map, figures, files and a table of the units.

It is built like the pages of maps: one file, its own script and styles inside,
nothing asked for from outside, and everything from data escaped.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from placeshaping.pages.leaflet import leaflet_script, leaflet_styles
from placeshaping.pages.page import (
    CONTENT_POLICY,
    Section,
    Still,
    compact_code,
    packed_json,
    packed_library,
    script_json,
)

_SCRIPTS = (
    "appearance.js",
    "paint_review.js",
    "paint_state.js",
    "paint_judge.js",
    "paint_standing.js",
    "paint_layer.js",
    "paint_map.js",
    "paint_wards.js",
    "paint_units.js",
    "paint_files.js",
    "paint_compare.js",
    "paint_keep.js",
    "paint_page.js",
)

_INDENTATION = re.compile(r"^[ \t]+", re.MULTILINE)


@dataclass(frozen=True)
class PaintContent:
    """
    Everything that the page says.

    Attributes
    ----------
    title
        Heading and title of the page.
    lead
        What it is for, in a sentence.
    stamp
        Printed large on top of products that must stay inside; else None.
    about
        Parts of "About this page".
    footer
        Sentences at the end: licences, makers.
    declaration
        What the file says of itself, for those who check it.
    settings
        Colours and places that the script needs.
    data
        Units, shapes, electors and proposals.
    still
        What stands in for the map without JavaScript.
    expires
        Last day of use; the page says so when it is opened after it.
    """

    title: str
    lead: str
    stamp: str | None
    about: tuple[Section, ...]
    footer: tuple[str, ...]
    declaration: Mapping[str, Any]
    settings: Mapping[str, Any]
    data: Mapping[str, Any]
    still: Still
    expires: dt.date | None = None


def render_painting(content: PaintContent, *, scripts: Sequence[str] = ()) -> str:
    """
    Render the page; it needs nothing but itself.

    Parameters
    ----------
    content
        What it says.
    scripts
        JavaScript of this package that shapes and draws areas, run before the
        page's own.

    Returns
    -------
    page
        HTML, with Leaflet, styles, scripts and data inside.
    """
    script = "\n".join([_asset("model.js"), *scripts, *map(_asset, _SCRIPTS)])
    styles = f"{_asset('page.css')}\n{_asset('paint.css')}"
    return _template().render(
        page=content,
        content_policy=CONTENT_POLICY,
        styles=Markup(compact_code(styles)),  # noqa: S704 - our own
        library=packed_library(leaflet_script),
        library_styles=packed_library(leaflet_styles),
        inflate=Markup(compact_code(_asset("inflate.js"))),  # noqa: S704
        script=Markup(compact_code(script)),  # noqa: S704
        declaration=script_json(content.declaration),
        settings=script_json(content.settings),
        data=packed_json(content.data),
        still_picture=Markup(content.still.picture),  # noqa: S704 - drawn here, of numbers alone
    )


@cache
def _asset(name: str) -> str:
    return resources.files("placeshaping.pages").joinpath(name).read_text(encoding="utf-8")


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_INDENTATION.sub("", _asset("paint.html")))

"""
One self-contained page: words, controls, map, legend, table, and what stands behind them.

Everything that comes from data passes through the template's escaping or
through `script_json`, so that a name cannot break out of where it stands.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from placeshaping.pages.chart import GroupChart, interval_bars
from placeshaping.pages.leaflet import leaflet_script, leaflet_styles

CONTENT_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; base-uri 'none'; form-action 'none'"
)
"""What the page allows itself: nothing from outside, its own inline script and styles."""

_OWN_SCRIPTS = (
    "model.js",
    "legend.js",
    "table.js",
    "trend.js",
    "details.js",
    "summary.js",
    "places.js",
    "search.js",
    "pane.js",
    "compare.js",
    "controls.js",
    "periods.js",
    "address.js",
    "appearance.js",
    "printing.js",
    "page.js",
)


_GZIP = 16 + zlib.MAX_WBITS
"""What zlib calls its own header and sum: no name, no time."""

_INDENTATION = re.compile(r"^[ \t]+", re.MULTILINE)

_COMMENT = re.compile(r"(?:^|(?<=[\s;{},]))/\*(?:(?!\*/).)*\*/[ \t]*$", re.MULTILINE | re.DOTALL)
"""A comment after which its line ends."""

_FACT_IDS = {
    "When": "fact-when",
    "Records of": "fact-when",
    "Hot spots": "fact-hotspots",
    "How sure": "fact-sure",
}
"""Facts that the script words anew when the choices change."""


@dataclass(frozen=True)
class Choice:
    """
    One button of a group, or one entry of a list.

    Attributes
    ----------
    value
        What the script gets.
    label
        What the reader sees.
    """

    value: str
    label: str


@dataclass(frozen=True)
class Section:
    """
    A headed part of "About this map".

    Attributes
    ----------
    heading
        In a few words.
    items
        Sentences; more than one make a list.
    """

    heading: str
    items: tuple[str, ...]


@dataclass(frozen=True)
class Further:
    """
    What an analyst added to the map: HTML that is trusted, because the analyst wrote it.

    Attributes
    ----------
    header, html, script
        For the head, the body and the end of the script.
    """

    header: str = ""
    html: str = ""
    script: str = ""


@dataclass(frozen=True)
class StillClass:
    """
    One line of the legend of a still picture.

    Attributes
    ----------
    label
        In words.
    swatch
        A colour, or ``"hatched"`` or ``"dotted"``.
    areas
        How many areas it holds.
    """

    label: str
    swatch: str
    areas: str


@dataclass(frozen=True)
class Still:
    """
    What the page shows without JavaScript.

    Attributes
    ----------
    picture
        What an SVG element holds, 1,000 units wide.
    height
        Units that it is high.
    caption
        What the picture shows, in a sentence without a full stop.
    classes
        Its legend.
    table_caption
        What the table shows.
    heads, rows
        The table, in words; the first column names the areas.
    left_out
        Areas that the table had no room for.
    """

    picture: str
    height: int
    caption: str
    classes: tuple[StillClass, ...]
    table_caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: int = 0


@dataclass(frozen=True)
class PageContent:
    """
    Everything that a page says.

    Attributes
    ----------
    title
        Heading and title of the page.
    stamp
        Printed large on top of products that must stay inside; else None.
    finding
        Sentences; the first is the lead.
    words_heading
        Heading of the sentences after the lead: what they are about.
    facts
        Pairs of a label and a few words: what, when, where, how sure.
    cautions
        Sentences to be read before the numbers.
    levels, measures, categories, periods
        Choices of the controls, finest level first; of the others the first
        is shown when the page opens.
    start_level
        The level that is shown when the page opens.
    about
        Parts of "About this map".
    footer
        Sentences at the end: licences, makers.
    declaration
        What the file says of itself, for those who check it.
    settings
        Colours and words that the script needs.
    data
        Numbers and shapes.
    search_label
        What may be searched by.
    chart
        Figures of groups of areas; None where there are none.
    still
        What stands in for the map without JavaScript; None where nothing does.
    expires
        Last day of use; the page says so when it is opened after it.
    further
        What an analyst added.
    """

    title: str
    stamp: str | None
    finding: tuple[str, ...]
    words_heading: str
    facts: tuple[tuple[str, str], ...]
    cautions: tuple[str, ...]
    levels: tuple[Choice, ...]
    start_level: str
    measures: tuple[Choice, ...]
    categories: tuple[Choice, ...]
    periods: tuple[Choice, ...]
    about: tuple[Section, ...]
    footer: tuple[str, ...]
    declaration: Mapping[str, Any]
    settings: Mapping[str, Any]
    data: Mapping[str, Any]
    search_label: str = "Find an area by name or code"
    chart: GroupChart | None = None
    still: Still | None = None
    expires: dt.date | None = None
    further: Further = field(default_factory=Further)


def render_page(content: PageContent, *, scripts: Sequence[str] = ()) -> str:
    """
    Render a page that needs nothing but itself.

    Parameters
    ----------
    content
        What it says.
    scripts
        Further JavaScript of this package, run before the page's own start.

    Returns
    -------
    page
        HTML, with Leaflet, styles, scripts and data inside.
    """
    own = [_asset(name) for name in _OWN_SCRIPTS[:-1]]
    script = "\n".join([*own, *scripts, _asset(_OWN_SCRIPTS[-1])])
    return _template().render(
        page=content,
        fact_ids=_FACT_IDS,
        content_policy=CONTENT_POLICY,
        styles=Markup(compact_code(_asset("page.css"))),  # noqa: S704 - our own
        library=packed_library(leaflet_script),
        library_styles=packed_library(leaflet_styles),
        inflate=Markup(compact_code(_asset("inflate.js"))),  # noqa: S704
        script=Markup(compact_code(script)),  # noqa: S704
        declaration=script_json(content.declaration),
        settings=script_json(content.settings),
        data=packed_json(content.data),
        still_picture=Markup("" if content.still is None else content.still.picture),  # noqa: S704
        chart="" if content.chart is None else interval_bars(content.chart),
        further_header=Markup(content.further.header),  # noqa: S704 - the analyst's own
        further_html=Markup(content.further.html),  # noqa: S704
        further_script=Markup(content.further.script),  # noqa: S704
    )


def script_json(value: Any) -> Markup:
    r"""
    Write JSON that may stand inside a script element: nothing in it can end one.

    Parameters
    ----------
    value
        What `json.dumps` takes.

    Returns
    -------
    text
        With ``<``, ``>`` and ``&`` written as escapes.

    Examples
    --------
    >>> print(script_json({"name": "</script>"}))
    {"name": "\u003c/script\u003e"}
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - escaped just above


def packed_json(value: Any) -> str:
    """
    Write JSON, gzipped and in base64; the same value always gives the same text.

    Parameters
    ----------
    value
        What `json.dumps` takes.

    Returns
    -------
    text
        Letters, digits, ``+``, ``/`` and ``=`` only.

    Examples
    --------
    >>> import base64, gzip
    >>> gzip.decompress(base64.b64decode(packed_json([1, 2])))
    b'[1,2]'
    """
    return _packed(json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")))


@cache
def packed_library(read: Callable[[], str]) -> str:
    """
    Write what a page carries of Leaflet, gzipped and in base64; packed once.

    Parameters
    ----------
    read
        `leaflet_script` or `leaflet_styles`.

    Returns
    -------
    text
        As `packed_json` writes it.
    """
    return _packed(read())


def _packed(text: str) -> str:
    """Return gzip's bytes in base64; coordinates seldom repeat, so that short matches cost more."""
    squeezer = zlib.compressobj(9, zlib.DEFLATED, _GZIP, strategy=zlib.Z_FILTERED)
    squeezed = squeezer.compress(text.encode("utf-8")) + squeezer.flush()
    return base64.b64encode(squeezed).decode("ascii")


def compact_code(text: str) -> str:
    r"""
    Leave out indentation, empty lines and comments that end a line; code stays readable.

    Parameters
    ----------
    text
        JavaScript or CSS of this package, which has no text over several lines.

    Returns
    -------
    text
        Of the same meaning.

    Examples
    --------
    >>> compact_code("/* Adds. */\nf(1,\n  2); /* here */\n\nlet a = '/* no */';\n")
    "f(1,\n2);\nlet a = '/* no */';\n"
    """
    lines = (line.strip() for line in _COMMENT.sub("", text).splitlines())
    return "".join(f"{line}\n" for line in lines if line)


@cache
def _asset(name: str) -> str:
    return resources.files("placeshaping.pages").joinpath(name).read_text(encoding="utf-8")


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_INDENTATION.sub("", _asset("page.html")))

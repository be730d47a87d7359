"""
One self-contained page of words, tables and figures, without a map and without a script.

Reports on a backtest and the record that goes with a patrol layer are such
pages: they can be read on a phone, on paper and without JavaScript.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from placeshaping.pages.page import compact_code, script_json

REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'"
)
"""What a report allows itself: its own styles and pictures, no script, nothing from outside."""

_INDENTATION = re.compile(r"^[ \t]+", re.MULTILINE)


@dataclass(frozen=True)
class ReportTable:
    """
    A table in words; the first column names the rows.

    Attributes
    ----------
    caption
        What it shows.
    heads, rows
        Cells as they are printed.
    words
        Columns, counted from 0, that hold sentences and not numbers.
    links
        Files beside the page that the names of the rows lead to; one a row, or none.
    """

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: tuple[int, ...] = ()
    links: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReportFigure:
    """
    A picture, and what it shows for those who do not see it.

    Attributes
    ----------
    png
        The file.
    caption
        A sentence under it.
    alternative
        What can be seen in it, in words.
    """

    png: bytes = field(repr=False)
    caption: str
    alternative: str

    @property
    def address(self) -> str:
        """The picture as an address within the page."""
        return f"data:image/png;base64,{base64.b64encode(self.png).decode('ascii')}"


@dataclass(frozen=True)
class ReportSection:
    """
    A headed part of a report.

    Attributes
    ----------
    heading
        In a few words.
    sentences
        Paragraphs.
    points
        A list under them.
    tables, figures
        What follows.
    folded
        Whether the tables open on request only; in print they stand open.
    """

    heading: str
    sentences: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    tables: tuple[ReportTable, ...] = ()
    figures: tuple[ReportFigure, ...] = ()
    folded: bool = False

    @property
    def anchor(self) -> str:
        """The heading as it stands in an address."""
        return re.sub(r"[^a-z0-9]+", "-", self.heading.casefold()).strip("-")


@dataclass(frozen=True)
class ReportContent:
    """
    Everything that a report says.

    Attributes
    ----------
    title
        Heading and title of the page.
    lead
        Its first sentence.
    facts
        Pairs of a label and a few words.
    cautions
        Sentences to be read before the numbers.
    sections
        In their order.
    footer
        Sentences at the end.
    stamp
        Printed large on top of products that must stay inside; else None.
    declaration
        What the file says of itself, for those who check it.
    """

    title: str
    lead: str
    facts: tuple[tuple[str, str], ...]
    cautions: tuple[str, ...]
    sections: tuple[ReportSection, ...]
    footer: tuple[str, ...]
    stamp: str | None = None
    declaration: Mapping[str, Any] = field(default_factory=dict)


def render_report(content: ReportContent) -> str:
    """
    Render a report that needs nothing but itself.

    Parameters
    ----------
    content
        What it says; every word of it is escaped.

    Returns
    -------
    page
        HTML with styles and pictures inside, and no script.

    Examples
    --------
    >>> page = render_report(ReportContent("A <report>", "It holds.", (), (), (), ()))
    >>> "A &lt;report&gt;" in page, "<script>" in page
    (True, False)
    """
    return _template().render(
        page=content,
        content_policy=REPORT_POLICY,
        styles=Markup(compact_code(_asset("report.css"))),  # noqa: S704 - our own
        declaration=script_json(content.declaration),
    )


@cache
def _asset(name: str) -> str:
    return resources.files("placeshaping.pages").joinpath(name).read_text(encoding="utf-8")


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_INDENTATION.sub("", _asset("report.html")))

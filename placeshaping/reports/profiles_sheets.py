"""
A profile on sheets of A4, as PDF, drawn by matplotlib, which is an extra (``pictures``).

Texts are written line by line and cells of tables from fixed left edges, so
that `placeshaping verify` can read the file as a reader does.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from placeshaping._core.optional import require
from placeshaping._core.output import staged_file
from placeshaping.disclosure.release import require_release
from placeshaping.layers.items import check_suffix
from placeshaping.pages.report import ReportContent, ReportSection, ReportTable
from placeshaping.reports.profiles import Counted, Profile
from placeshaping.reports.profiles_page import page_of
from placeshaping.reports.profiles_places import numbers_of, over_time

SUFFIXES = (".pdf",)

_WIDTH, _HEIGHT, _MARGIN = 8.27, 11.69, 0.6
_TEXT = _WIDTH - 2 * _MARGIN
_INK, _SOFT, _LINE_COLOUR, _STAMP = "#0b0c0c", "#484f54", "#b1b4b6", "#942514"
_COLOURS = ("#12436D", "#F46A25")
_POINTS, _LEADING = 72, 1.3
_STYLE = {
    "font.family": ["DejaVu Sans"],  # matplotlib brings it: the same on every machine
    "pdf.fonttype": 3,  # whose texts are readable as they stand, and which is quicker
    "text.parse_math": False,
}


def write_sheets(profile: Profile, path: str | Path) -> Path:
    """
    Write a profile as PDF.

    Parameters
    ----------
    profile
        From `make_profile`.
    path
        The file to write, ending in .pdf.

    Returns
    -------
    path
        The file that was written; its declaration is in the keywords.

    Raises
    ------
    DisclosureError
        If a release of it was changed after it was made.
    MissingExtraError
        If matplotlib is not installed.
    OutputError
        If the name ends otherwise, or the file cannot be written.
    """
    return lay_out(profile, page_of(profile), path)


def lay_out(profile: Profile, content: ReportContent, path: str | Path) -> Path:
    """
    Write the words and tables of a page on sheets, with the charts of its profile.

    Parameters
    ----------
    profile
        Where the charts are from.
    content
        What is written.
    path
        The file to write, ending in .pdf.

    Returns
    -------
    path
        The file that was written.
    """
    for release in profile.material.releases.values():
        require_release(release, wanted_by="write_sheets")
    path = check_suffix(path, SUFFIXES)
    mpl = require("matplotlib", extra="pictures")
    backend = require("matplotlib.backends.backend_pdf", extra="pictures")
    about = {
        "Title": content.title,
        "Keywords": json.dumps(dict(content.declaration), sort_keys=True),
        "Creator": str(content.declaration["made_by"]),
        "CreationDate": dt.datetime.combine(profile.made_on, dt.time(), tzinfo=dt.UTC),
    }
    with mpl.rc_context({**mpl.rcParamsDefault, "backend": mpl.rcParams["backend"], **_STYLE}):
        book = _Book(content)
        _front(book, content)
        for section in content.sections:
            _section(book, section, profile)
        for text in content.footer:
            book.write(text, size=7.5, colour=_SOFT)
        with staged_file(path) as staged, backend.PdfPages(staged, metadata=about) as pages:
            for number, figure in enumerate(book.figures, 1):
                _foot(figure, content, number, len(book.figures))
                pages.savefig(figure)
    return path


class _Book:
    """Sheets that are filled from the top; a new one is begun where one is full."""

    def __init__(self, content: ReportContent) -> None:
        self.content = content
        self.figures: list[Any] = []
        self.y = 0.0
        self.turn()

    def turn(self) -> None:
        """Begin a sheet."""
        figures = require("matplotlib.figure", extra="pictures")
        self.figures.append(figures.Figure(figsize=(_WIDTH, _HEIGHT), facecolor="white"))
        self.y = _HEIGHT - _MARGIN

    def room(self, height: float) -> None:
        """Make sure that so many inches are left on the sheet."""
        if self.y - height < _MARGIN + 0.3:
            self.turn()

    def put(
        self, text: str, x: float, *, size: float, colour: str = _INK, bold: bool = False,
        down: float = 0,
    ) -> None:  # fmt: skip
        """Write a line where the sheet is, or some inches under it."""
        drawn = self.figures[-1].text(
            x / _WIDTH, (self.y - down) / _HEIGHT, text, size=size, color=colour, va="baseline",
            weight="bold" if bold else "normal",
        )  # fmt: skip
        if hasattr(drawn, "set_fontfeatures"):  # from matplotlib 3.11 on it joins f and i
            drawn.set_fontfeatures(("-liga",))

    def write(
        self, text: str, *, size: float = 9, colour: str = _INK, bold: bool = False, left: float = 0
    ) -> None:
        """Write a paragraph."""
        for line in broken(text, _TEXT - left, size, bold=bold):
            self.room(size / _POINTS * _LEADING)
            self.y -= size / _POINTS * _LEADING
            self.put(line, _MARGIN + left, size=size, colour=colour, bold=bold)
        self.y -= 0.05

    def rule(self) -> None:
        """Draw a thin line across."""
        lines = require("matplotlib.lines", extra="pictures")
        x, y = (_MARGIN / _WIDTH, 1 - _MARGIN / _WIDTH), self.y / _HEIGHT
        self.figures[-1].add_artist(lines.Line2D(x, (y, y), color=_LINE_COLOUR, lw=0.6))


@cache
def _widths(bold: bool) -> tuple[float, ...]:
    """Return the advance of each printable character of ASCII, in ems."""
    paths = require("matplotlib.textpath", extra="pictures")
    fonts = require("matplotlib.font_manager", extra="pictures")
    font = fonts.FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal")
    measure = paths.TextToPath().get_text_width_height_descent
    return tuple(float(measure(chr(n), font, False)[0]) / font.get_size() for n in range(32, 127))


def _long(text: str, size: float, *, bold: bool) -> float:
    widths = _widths(bold)
    ems = sum(widths[ord(c) - 32] if 32 <= ord(c) < 127 else 0.7 for c in text)
    return ems * size / _POINTS


def broken(text: str, width: float, size: float, *, bold: bool = False) -> list[str]:
    """
    Break a text into lines of at most `width` inches.

    Examples
    --------
    >>> broken("one two", 0.4, 9)
    ['one', 'two']
    """
    lines, line = [], ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if line and _long(longer, size, bold=bold) > width:
            lines.append(line)
            line = word
        else:
            line = longer
    return [*lines, line]


def _front(book: _Book, content: ReportContent) -> None:
    if content.stamp:
        book.write(content.stamp, size=11, colour=_STAMP, bold=True)
    book.write(content.title, size=18, bold=True, colour=_COLOURS[0])
    book.write(content.lead, size=11.5)
    book.y -= 0.05
    for label, words in content.facts:
        book.write(f"{label}: {words}", size=9.5)
    book.y -= 0.05
    book.rule()


def _section(book: _Book, section: ReportSection, profile: Profile) -> None:
    book.room(0.9)
    book.y -= 0.18
    book.write(section.heading, size=12, bold=True)
    for sentence in section.sentences:
        book.write(sentence)
    for point in section.points:
        book.write(f"- {point}", left=0.1)
    counted = next((one for one in profile.counted if one.name == section.heading), None)
    if counted is not None and section.figures:
        _chart(book, counted, profile)
    for table in section.tables:
        _table(book, table)


def _table(book: _Book, table: ReportTable) -> None:
    """Write a table: cells from fixed left edges, heads again on a new sheet."""
    size = 7.5
    lefts, wide = _columns(table)
    book.room(0.7)
    book.write(table.caption, size=8.5, bold=True)

    def row(cells: Sequence[str], *, bold: bool) -> None:
        split = [broken(c, w, size, bold=bold) for c, w in zip(cells, wide, strict=True)]
        line = size / _POINTS * _LEADING
        for x, lines in zip(lefts, split, strict=True):
            for number, text in enumerate(lines, 1):
                book.put(text, _MARGIN + x, size=size, bold=bold, down=number * line)
        book.y -= max(len(lines) for lines in split) * line + 0.045
        book.rule()

    def height(cells: Sequence[str], *, bold: bool) -> float:
        most = max(len(broken(c, w, size, bold=bold)) for c, w in zip(cells, wide, strict=True))
        return most * size / _POINTS * _LEADING + 0.05

    row(table.heads, bold=True)
    for cells in table.rows:
        before = len(book.figures)
        book.room(height(cells, bold=False))
        if len(book.figures) > before:
            row(table.heads, bold=True)
        row(cells, bold=False)
    book.y -= 0.1


def _columns(table: ReportTable) -> tuple[list[float], list[float]]:
    """Return left edges and widths: what each column needs, the first taking what is left."""
    size, gap = 7.5, 0.12
    count = len(table.heads)
    most = _TEXT / max(count, 1) * 1.15
    wide = []
    for place in range(count):
        cells = [row[place] for row in table.rows]
        longest = max((_long(one, size, bold=False) for one in cells), default=0.0)
        words = max((_long(w, size, bold=True) for w in table.heads[place].split()), default=0.0)
        half = 0.55 * _long(table.heads[place], size, bold=True)
        wide.append(max(min(longest, most), words, half) + gap)
    spare = _TEXT - sum(wide)
    wide[0] = max(wide[0] + spare, 0.8)
    if sum(wide) > _TEXT:
        wide = [one * _TEXT / sum(wide) for one in wide]
    lefts = [sum(wide[:place]) for place in range(count)]
    return lefts, [one - gap / 2 for one in wide]


def _chart(book: _Book, counted: Counted, profile: Profile) -> None:
    """Draw the rates over time, beside those of what holds the place."""
    tall = 1.7
    book.room(tall + 0.4)
    book.y -= tall + 0.25
    axes = book.figures[-1].add_axes(
        ((_MARGIN + 0.45) / _WIDTH, (book.y + 0.25) / _HEIGHT, 4.6 / _WIDTH, tall / _HEIGHT)
    )
    for place, (name, trend) in enumerate(_lines(counted, profile)):
        rate, low, high = (trend[c].astype(float) for c in ("rate", "lower", "upper"))
        axes.errorbar(
            range(len(trend)), rate, yerr=[(rate - low).clip(lower=0), (high - rate).clip(lower=0)],
            color=_COLOURS[place], linestyle=("-", "--")[place], marker="os"[place], markersize=3,
            linewidth=1.4, elinewidth=0.8, label=name,
        )  # fmt: skip
    labels = [str(one) for one in counted.trend.index]
    some = max(1, len(labels) // 6)
    axes.set_xticks(range(0, len(labels), some), labels[::some], size=7)
    axes.tick_params(axis="y", labelsize=7)
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False, fontsize=7.5)


def _lines(counted: Counted, profile: Profile) -> Iterator[tuple[str, pd.DataFrame]]:
    yield profile.place.name, counted.trend
    if profile.beside and not profile.beside[0].alike:
        holder = profile.beside[0]
        there = numbers_of(profile.material, counted.release, holder.place)
        yield holder.name, over_time(there, counted.release)


def _foot(figure: Any, content: ReportContent, number: int, total: int) -> None:
    stamp = f"{content.stamp}. " if content.stamp else ""
    figure.text(
        _MARGIN / _WIDTH, 0.35 / _HEIGHT, f"{stamp}{content.title}, sheet {number} of {total}",
        size=7, color=_SOFT,
    )  # fmt: skip

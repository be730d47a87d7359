"""OpenDocument text of a report, written with the standard library alone."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from placeshaping.pages.report import ReportContent, ReportTable

MIMETYPE = "application/vnd.oasis.opendocument.text"

_NAMES = {
    "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
    "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
    "table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
    "style": "urn:oasis:names:tc:opendocument:xmlns:style:1.0",
    "fo": "urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0",
    "dc": "http://purl.org/dc/elements/1.1/",
    "meta": "urn:oasis:names:tc:opendocument:xmlns:meta:1.0",
}
_SPACES = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in _NAMES.items())
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_MANIFEST = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The date of every member: the same record gives the same bytes."""

_STYLES = """
<office:styles>
<style:default-style style:family="paragraph">
<style:text-properties fo:font-size="11pt" fo:language="en" fo:country="GB"/>
</style:default-style>
<style:style style:name="Standard" style:family="paragraph">
<style:paragraph-properties fo:margin-bottom="0.2cm"/></style:style>
<style:style style:name="Heading_20_1" style:display-name="Heading 1" style:family="paragraph"
 style:parent-style-name="Standard" style:default-outline-level="1">
<style:text-properties fo:font-size="18pt" fo:font-weight="bold"/></style:style>
<style:style style:name="Heading_20_2" style:display-name="Heading 2" style:family="paragraph"
 style:parent-style-name="Standard" style:default-outline-level="2">
<style:paragraph-properties fo:margin-top="0.4cm" fo:keep-with-next="always"/>
<style:text-properties fo:font-size="14pt" fo:font-weight="bold"/></style:style>
</office:styles>
"""


def odt_of(content: ReportContent) -> bytes:
    """
    Write a report as an OpenDocument text.

    Parameters
    ----------
    content
        What it says; of figures their words.

    Returns
    -------
    odt
        The file; the same content gives the same bytes.

    Examples
    --------
    >>> odt = odt_of(ReportContent("A <report>", "It holds.", (), (), (), ()))
    >>> archive = zipfile.ZipFile(io.BytesIO(odt))
    >>> archive.namelist()[0], b"A &lt;report&gt;" in archive.read("content.xml")
    ('mimetype', True)
    """
    inside = "".join(_body(content))
    body = f"<office:body><office:text>{inside}</office:text></office:body>"
    members = {
        "content.xml": _document("document-content", body),
        "styles.xml": _document("document-styles", _STYLES),
        "meta.xml": _document(
            "document-meta",
            f"<office:meta><dc:title>{_text(content.title)}</dc:title>"
            "<dc:language>en-GB</dc:language></office:meta>",
        ),
    }
    entries = [("/", MIMETYPE), *((name, "text/xml") for name in members)]
    listed = "".join(
        f'<manifest:file-entry manifest:full-path="{path}" manifest:media-type="{kind}"/>'
        for path, kind in entries
    )
    members["META-INF/manifest.xml"] = (
        f'{_HEAD}<manifest:manifest xmlns:manifest="{_MANIFEST}" manifest:version="1.3">'
        f"{listed}</manifest:manifest>"
    )
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        # first and stored, so that the kind of the file can be read from its start
        archive.writestr(zipfile.ZipInfo("mimetype", _EPOCH), MIMETYPE, zipfile.ZIP_STORED)
        for name, text in members.items():
            info = zipfile.ZipInfo(name, _EPOCH)
            archive.writestr(info, text.encode("utf-8"), zipfile.ZIP_DEFLATED)
    return written.getvalue()


def _document(kind: str, inside: str) -> str:
    return f'{_HEAD}<office:{kind} {_SPACES} office:version="1.3">{inside}</office:{kind}>'


def _body(content: ReportContent) -> Iterator[str]:
    yield _heading(content.title, 1)
    yield _paragraph(content.lead)
    yield from (_paragraph(f"{label}: {words}") for label, words in content.facts)
    if content.cautions:
        yield _heading("Read with care", 2)
        yield _list(content.cautions)
    for number, section in enumerate(content.sections, start=1):
        yield _heading(section.heading, 2)
        yield from map(_paragraph, section.sentences)
        if section.points:
            yield _list(section.points)
        yield from (_paragraph(f"{f.caption} {f.alternative}") for f in section.figures)
        for place, table in enumerate(section.tables, start=1):
            yield _paragraph(table.caption)
            yield _table(table, f"Table {number}.{place}")
    yield from map(_paragraph, content.footer)


def _heading(text: str, level: int) -> str:
    name = f"Heading_20_{level}"
    return f'<text:h text:style-name="{name}" text:outline-level="{level}">{_text(text)}</text:h>'


def _paragraph(text: str) -> str:
    return f'<text:p text:style-name="Standard">{_text(text)}</text:p>'


def _list(points: tuple[str, ...]) -> str:
    items = "".join(f"<text:list-item>{_paragraph(point)}</text:list-item>" for point in points)
    return f"<text:list>{items}</text:list>"


def _table(table: ReportTable, name: str) -> str:
    head = f"<table:table-header-rows>{_row(table.heads)}</table:table-header-rows>"
    columns = f'<table:table-column table:number-columns-repeated="{len(table.heads)}"/>'
    rows = "".join(map(_row, table.rows))
    return f"<table:table table:name={quoteattr(name)}>{columns}{head}{rows}</table:table>"


def _row(cells: tuple[str, ...]) -> str:
    inside = "".join(
        f'<table:table-cell office:value-type="string">{_paragraph(cell)}</table:table-cell>'
        for cell in cells
    )
    return f"<table:table-row>{inside}</table:table-row>"


def _text(text: str) -> str:
    """Escape, and leave out what may not stand in XML."""
    return escape(_NOT_IN_XML.sub("", " ".join(text.split())))

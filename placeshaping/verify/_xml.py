"""Open XML formats: no entities, nothing out of sight, names whatever their namespace."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from placeshaping.verify.contents import Contents, UnreadableError


def open_xml(path: Path, kind: str) -> tuple[ElementTree.Element, Contents]:
    """
    Read a file of XML.

    Parameters
    ----------
    path
        The file.
    kind
        Its format, as `Contents.kind` has it.

    Returns
    -------
    root, contents
        Its elements; and contents with its text, in which comments and
        instructions are breaches.

    Raises
    ------
    UnreadableError
        If it is not XML, or defines entities.
    """
    text = path.read_bytes().decode("utf-8-sig", errors="replace")
    if re.search(r"<!DOCTYPE|<!ENTITY", text, re.IGNORECASE):
        msg = f"it defines entities, which {kind.upper()} does not need"
        raise UnreadableError(msg)
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - without entities
    except ElementTree.ParseError as error:
        raise UnreadableError(str(error)) from error
    contents = Contents(kind)
    contents.texts["text"] = text
    if re.search(r"<!--|<\?(?!xml )", text):
        contents.breach("file", "holds a comment or an instruction")
    return root, contents


def tag_of(element: ElementTree.Element) -> str:
    """
    Return the name of an element without its namespace.

    Examples
    --------
    >>> tag_of(ElementTree.fromstring('<kml xmlns="http://www.opengis.net/kml/2.2"/>'))
    'kml'
    """
    return str(element.tag).rpartition("}")[2]


def find(element: ElementTree.Element, *names: str) -> Iterator[ElementTree.Element]:
    """
    Yield the elements down a path of names.

    Examples
    --------
    >>> route = ElementTree.fromstring("<a><b><c>1</c></b><b><c>2</c></b></a>")
    >>> [one.text for one in find(route, "b", "c")]
    ['1', '2']
    """
    if not names:
        yield element
        return
    for child in element:
        if tag_of(child) == names[0]:
            yield from find(child, *names[1:])


def words_of(element: ElementTree.Element, name: str) -> str:
    """
    Return the text of the first element of a name right under another, "" where there is none.

    Examples
    --------
    >>> words_of(ElementTree.fromstring("<wpt><name>A</name></wpt>"), "name")
    'A'
    """
    return next((child.text or "" for child in find(element, name)), "")

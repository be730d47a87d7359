"""Outside addresses and paths of a machine: what a file must not reach for, nor tell."""

from __future__ import annotations

import re

_OUTSIDE = re.compile(r"^\s*(?:(?:https?|wss?|ftps?):|//|\\\\)", re.IGNORECASE)
_SCRIPT_ADDRESS = re.compile(
    r"""(?:(?:https?|wss?|ftps?):\\?/\\?/[^\s"'`<>\\)]*)"""
    r"""|(?<=["'`])//[a-z0-9.-]+\.[a-z]{2,}[^\s"'`<>\\)]*""",
    re.IGNORECASE,
)
_CSS_ADDRESS = re.compile(
    r"""(?:url\(\s*["']?\s*|@import\s+["'])((?:(?:https?|wss?|ftps?):)?//[^\s"')]+)""",
    re.IGNORECASE,
)
_NAMED_NOT_FETCHED = re.compile(
    r"^https?:\\?/\\?/(?:www\.w3\.org(?:[/\\]|$)|leafletjs\.com/?$)", re.IGNORECASE
)
"""XML namespaces, and the address in Leaflet's own attribution."""

_PATHS = re.compile(
    r"(?<![\w.:/\\<-])/(?:home|root|tmp|work|mnt|var|opt|private|srv|media|usr|etc|data|Users"
    r"|Volumes|workspace|nix|app)/[\w.~-]+[\w./~-]*"
    r"|\b[A-Za-z]:(?:\\{1,2}|/)(?:Users|Documents|Windows|Program|Temp|Daten|Data|[A-Z][\w ]{2,})"
    r"(?:\\{1,2}|/)[\w.-]+"
    r"|\\\\\\?\\?[\w.-]{2,}\\{1,2}[\w$.-]{2,}\\"
    r"|\bfile:/{2,3}[\w.-]+"
)


def outside(value: str) -> list[str]:
    """
    Return the outside addresses that an attribute holds; a set of images may hold several.

    Examples
    --------
    >>> outside("https://a.example/x.js"), outside("#map"), outside("//cdn.example/y")
    (['https://a.example/x.js'], [], ['//cdn.example/y'])
    """
    if value.lstrip().casefold().startswith("data:"):
        return []
    return [part for part in re.split(r"[\s,]+", value.strip()) if _OUTSIDE.match(part)]


def outside_in_css(code: str) -> list[str]:
    """
    Return the outside addresses that a style sheet would load.

    Examples
    --------
    >>> outside_in_css("a { background: url(//cdn.example/a.png) }")
    ['//cdn.example/a.png']
    """
    return [found for found in _CSS_ADDRESS.findall(code) if not _NAMED_NOT_FETCHED.match(found)]


def outside_in_script(code: str) -> list[str]:
    """
    Return every outside address in a script, whether it would be loaded or not.

    Namespaces of the W3C and the link in Leaflet's attribution are passed over.

    Examples
    --------
    >>> outside_in_script("fetch('https://a.example/b'); ns='http://www.w3.org/2000/svg'")
    ['https://a.example/b']
    """
    found = (match.group(0) for match in _SCRIPT_ADDRESS.finditer(code))
    return [address for address in found if not _NAMED_NOT_FETCHED.match(address)]


def machine_paths(text: str) -> list[str]:
    r"""
    Return the absolute paths of a machine that stand in a text.

    Examples
    --------
    >>> machine_paths("read from /home/ann/records.csv and C:\\Users\\Ann\\x.csv")
    ['/home/ann/records.csv', 'C:\\Users\\Ann']
    >>> machine_paths("https://example.org/home/page and either/or")
    []
    """
    return [match.group(0).strip() for match in _PATHS.finditer(text)]

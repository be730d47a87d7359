"""The one outside address that a page may have: the pictures of a base map that it declares."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from placeshaping.verify.verdict import Breach

REACHES = "reaches an outside address"
"""What a breach of an outside address says."""

_ORIGIN = re.compile(r"https://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?")
_TILE = re.compile(r"/[\w./~%-]*\{z\}[\w./~%-]*\{[xy]\}[\w./~%-]*\{[xy]\}[\w./~%@-]*(?:\?key=\w+)?")


def without_tiles(
    breaches: Sequence[Breach], declaration: Mapping[str, Any] | None, policies: Sequence[str]
) -> list[Breach]:
    """
    Leave out the address of the tiles that a page declares, and may ask for by its own policy.

    Accepted is one address of a tile, in a script, on the declared origin,
    where the page's only content policy lets pictures come from there and
    lets nothing else come from outside.

    Parameters
    ----------
    breaches
        What was found.
    declaration
        What the page declares.
    policies
        The content policies that stand in it.

    Examples
    --------
    >>> tile = "https://tiles.example.org/{z}/{x}/{y}.png"
    >>> found = [Breach("<script>", REACHES, tile)]
    >>> policy = "default-src 'none'; img-src data: blob: https://tiles.example.org"
    >>> without_tiles(found, {"basemap": "https://tiles.example.org"}, [policy])
    []
    >>> without_tiles(found, {}, [policy]) == found
    True
    """
    origin = (declaration or {}).get("basemap")
    if not isinstance(origin, str) or not _ORIGIN.fullmatch(origin):
        return list(breaches)
    if len(policies) != 1 or not _pictures_alone(policies[0], origin):
        return list(breaches)
    tiles = {breach.proof for breach in breaches if _is_tile(breach, origin)}
    if len(tiles) > 1:
        return list(breaches)
    return [breach for breach in breaches if not _is_tile(breach, origin)]


def _is_tile(breach: Breach, origin: str) -> bool:
    rest = breach.proof.removeprefix(origin)
    reaches = (breach.where, breach.what) == ("<script>", REACHES)
    return reaches and rest != breach.proof and _TILE.fullmatch(rest) is not None


def _pictures_alone(policy: str, origin: str) -> bool:
    """Tell whether a content policy lets pictures of one origin in, and nothing else from there."""
    rules = [rule.split() for rule in policy.split(";") if rule.strip()]
    names = [rule[0].casefold() for rule in rules]
    if len(set(names)) != len(names) or ["default-src", "'none'"] not in rules:
        return False
    for name, *sources in rules:
        if name == "img-src":
            if not set(sources) <= {"data:", "blob:", origin}:
                return False
        elif any(not source.startswith("'") for source in sources):
            return False
    return True

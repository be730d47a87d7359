"""
Categories of recorded crime as police.uk names them, and how each comes to be recorded.

Over the years police.uk has used three sets: 6 categories (December 2010 to
August 2011), 11 (to April 2013) and 14 since. Spellings are brought to today's;
*Violent crime* and *Public disorder and weapons* stay what they were, because
their contents were split and regrouped, not renamed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from placeshaping._core.checks import listed, near_names
from placeshaping._core.errors import ColumnError

OffenceTag = Literal["reported", "mixed", "discovered"]

CATEGORIES: tuple[str, ...] = (
    "Anti-social behaviour",
    "Bicycle theft",
    "Burglary",
    "Criminal damage and arson",
    "Drugs",
    "Other crime",
    "Other theft",
    "Possession of weapons",
    "Public order",
    "Robbery",
    "Shoplifting",
    "Theft from the person",
    "Vehicle crime",
    "Violence and sexual offences",
)
"""The 14 categories in use since May 2013."""

OLDER_CATEGORIES: tuple[str, ...] = ("Public disorder and weapons", "Violent crime")
"""Categories of the earlier sets of 6 and 11 that have no equal today."""

OFFENCE_TAGS: dict[str, OffenceTag] = {
    "Burglary": "reported",
    "Vehicle crime": "reported",
    "Robbery": "reported",
    "Theft from the person": "reported",
    "Bicycle theft": "reported",
    "Other theft": "reported",
    "Criminal damage and arson": "reported",
    "Shoplifting": "reported",
    "Violence and sexual offences": "mixed",
    "Anti-social behaviour": "mixed",
    "Other crime": "mixed",
    "Violent crime": "mixed",
    "Drugs": "discovered",
    "Possession of weapons": "discovered",
    "Public order": "discovered",
    "Public disorder and weapons": "discovered",
}
"""
How each category comes to be recorded.

*Reported* by the public; *discovered* by patrols, so that more patrols find
more of it; *mixed* of both, or holding domestic incidents.
"""

NOT_STATED = "Not stated"
"""The category of a record that states none."""


def _key(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.casefold().replace("&", "and"))


_KNOWN = {_key(name): name for name in (*CATEGORIES, *OLDER_CATEGORIES)}
_KNOWN |= {
    _key("Violence and sexual offence"): "Violence and sexual offences",
    _key("Violent and sexual offences"): "Violence and sexual offences",
    _key("Theft from person"): "Theft from the person",
    _key("Criminal damage"): "Criminal damage and arson",
    _key("Criminal damage arson"): "Criminal damage and arson",
    _key("Weapons"): "Possession of weapons",
    _key("ASB"): "Anti-social behaviour",
    _key("Other crimes"): "Other crime",
}


def normalise_category(name: str) -> str:
    """
    Return today's spelling of a police.uk category; other names are only trimmed.

    Parameters
    ----------
    name
        A name as somebody wrote it.

    Returns
    -------
    category
        Today's spelling.

    Examples
    --------
    >>> normalise_category("criminal-damage-arson"), normalise_category("Antisocial behaviour")
    ('Criminal damage and arson', 'Anti-social behaviour')
    >>> normalise_category("Violent crime"), normalise_category(" Fly-tipping ")
    ('Violent crime', 'Fly-tipping')
    """
    return _KNOWN.get(_key(name), name.strip())


def offence_tag(category: str) -> OffenceTag:
    """
    Tell how a category comes to be recorded: reported, mixed or discovered.

    Parameters
    ----------
    category
        A category in any spelling.

    Returns
    -------
    tag
        ``"reported"``, ``"mixed"`` or ``"discovered"``.

    Raises
    ------
    ColumnError
        If the category is not one of police.uk's.

    Examples
    --------
    >>> offence_tag("Burglary"), offence_tag("Drugs")
    ('reported', 'discovered')
    """
    name = normalise_category(category)
    if name not in OFFENCE_TAGS:
        near = near_names(category, OFFENCE_TAGS)
        hint = f"Did you mean {listed(near)}?" if near else f"Known: {', '.join(CATEGORIES)}."
        msg = f"{category!r} is not a category of recorded crime. {hint}"
        raise ColumnError(msg)
    return OFFENCE_TAGS[name]


def check_categories(wanted: Iterable[str], present: Iterable[str]) -> list[str]:
    """
    Return the wanted categories in today's spelling, refusing names that nobody uses.

    Parameters
    ----------
    wanted
        Categories asked for.
    present
        Categories that the records hold.

    Returns
    -------
    categories
        The wanted ones, each once.

    Raises
    ------
    ColumnError
        If a name is neither one of police.uk's nor present in the records.

    Examples
    --------
    >>> check_categories(["burglary"], [])
    ['Burglary']
    """
    known = [*dict.fromkeys([*present, *CATEGORIES, *OLDER_CATEGORIES])]
    chosen = []
    for name in wanted:
        normal = normalise_category(name)
        if normal not in known:
            near = near_names(name, known)
            hint = f"Did you mean {listed(near)}?" if near else f"Known: {', '.join(known)}."
            msg = f"There is no category {name!r}. {hint}"
            raise ColumnError(msg)
        chosen.append(normal)
    return list(dict.fromkeys(chosen))

"""Names of columns, and the tags that say how sensitive a column is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, Protocol, cast, get_args

from placeshaping._core.errors import ColumnError

Tag = Literal["open", "personal", "special", "audit_only"]
"""
How a column may be used.

``open``: anybody may see it. ``personal``: about identifiable people.
``special``: special category data (health, ethnicity, ...). ``audit_only``:
deprivation and census composition, which never enter a likelihood or patrol
model and serve to audit one.
"""

TAGS: tuple[Tag, ...] = get_args(Tag)

_KEY = "column_tags"


class _Tagged(Protocol):
    attrs: dict[Any, Any]


def tag_columns(table: _Tagged, tags: Mapping[str, Tag]) -> None:
    """
    Record tags in a table's ``attrs``, beside the ones it already has.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"imd_rank": [1]})
    >>> tag_columns(table, {"imd_rank": "audit_only"})
    >>> column_tags(table)
    {'imd_rank': 'audit_only'}
    """
    for column, tag in tags.items():
        if tag not in TAGS:
            msg = f"Column {column!r} is tagged {tag!r}; use one of: {', '.join(TAGS)}."
            raise ColumnError(msg)
    table.attrs[_KEY] = {**column_tags(table), **tags}


def column_tags(table: _Tagged) -> dict[str, Tag]:
    """Return the tags of a table's columns; a column without one is ``open``."""
    return dict(cast("dict[str, Tag]", table.attrs.get(_KEY, {})))


def refuse_tagged(table: _Tagged, columns: Iterable[str], *, purpose: str) -> None:
    """
    Refuse columns that the purpose must not learn from.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"imd_rank": [1]})
    >>> tag_columns(table, {"imd_rank": "audit_only"})
    >>> refuse_tagged(table, ["imd_rank"], purpose="a crime-likelihood model")
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.ColumnError: Column 'imd_rank' is tagged 'audit_only' ...
    """
    tags = column_tags(table)
    for column in columns:
        tag = tags.get(column, "open")
        if tag != "open":
            msg = (
                f"Column {column!r} is tagged {tag!r} and must not enter {purpose}. "
                "Leave it out; use it to audit the result instead."
            )
            raise ColumnError(msg)

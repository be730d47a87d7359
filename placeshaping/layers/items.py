"""Which item of a release a file is made of, and under what name it may be written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from placeshaping._core.checks import listed
from placeshaping._core.errors import InputError, OutputError
from placeshaping.disclosure.release import Release

Item = TypeVar("Item")


def check_suffix(path: str | Path, suffixes: tuple[str, ...]) -> Path:
    """
    Return a path; refuse one whose name promises another kind of file.

    Raises
    ------
    OutputError
        If it ends otherwise.

    Examples
    --------
    >>> check_suffix("density.png", (".tif", ".tiff"))
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.OutputError: density.png: ... Name it density.tif.
    """
    path = Path(path)
    if path.suffix.casefold() not in suffixes:
        msg = (
            f"{path.name}: this kind of file ends in {' or '.join(suffixes)}. "
            f"Name it {path.with_suffix(suffixes[0]).name}."
        )
        raise OutputError(msg)
    return path


def item_of(release: Release, name: str | None, kind: type[Item]) -> Item:
    """
    Return the item of a kind that a release carries.

    Parameters
    ----------
    release
        What is published.
    name
        Of the item; needed only where there are several of the kind.
    kind
        `Features` or `Raster`.

    Returns
    -------
    item
        The only one, or the one of that name.

    Raises
    ------
    InputError
        If there is none, or several and none is named.
    """
    items: Mapping[str, object] = release.items or {}
    known = {key: item for key, item in items.items() if isinstance(item, kind)}
    if name is None and len(known) == 1:
        return next(iter(known.values()))
    if name is not None and name in known:
        return known[name]
    if not known:
        msg = f"The release carries no {kind.__name__}. Give it to release() when it is made."
    elif name is None:
        msg = f"The release carries several ({listed(list(known))}). Name one: item=..."
    else:
        msg = f"The release carries no {kind.__name__} {name!r}; it has {listed(list(known))}."
    raise InputError(msg)

"""
The catalogue of public sources: what `fetch` knows, and how a user changes it.

The package's own ``catalogue.toml`` comes first; a ``catalogue.toml`` in the
user's configuration folder, one in ``boundaries/``, and one named by path
follow, each changing only the entries and keys that it states.
"""

from __future__ import annotations

import fnmatch
import os
import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args

from placeshaping._core.checks import check_file, listed, near_names
from placeshaping._core.errors import RecipeError

Kind = Literal["features", "table", "file", "police", "postcodes", "nomis", "address"]

_OWN = Path(__file__).with_name("catalogue.toml")
_FILE = "catalogue.toml"
_ADDRESS = ("url", "month_url", "query")
_ENDINGS = {"features": ".gpkg", "table": ".csv", "nomis": ".csv", "police": ".zip"}


@dataclass(frozen=True)
class Entry:
    """
    One public source.

    Attributes
    ----------
    name
        What `fetch` is asked for.
    kind
        How it is fetched.
    url
        Its address, without the query.
    title, vintage, licence, attribution, page
        What it is; of which census year; under what licence; what to print;
        where a person downloads it.
    file
        Name of the file that it becomes.
    by_hand
        Further names under which a file dropped into ``boundaries/`` is recognised.
    sha256
        What the file must be, where that is fixed.
    rows
        How many there must be, where that is known.
    columns
        Columns that there must be; ``?`` stands for any character, as in ``LAD??CD``.
    code
        The column of area codes.
    lookup
        The entry that says which district each area lies in.
    places
        Whether names of places are looked up in it.
    month_url
        Address of an earlier edition, with ``{month}``.
    query, rename
        Fields of the query; columns to rename.
    """

    name: str
    kind: Kind
    url: str
    title: str = ""
    vintage: str | None = None
    licence: str = ""
    attribution: str = ""
    page: str = ""
    file: str = ""
    by_hand: tuple[str, ...] = ()
    sha256: str | None = None
    rows: int | None = None
    columns: tuple[str, ...] = ()
    code: str | None = None
    lookup: str | None = None
    places: bool = False
    month_url: str | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    rename: Mapping[str, str] = field(default_factory=dict)

    def missing_columns(self, held: Iterable[object]) -> list[str]:
        """
        Return the columns that there must be and are not.

        Parameters
        ----------
        held
            Names of the columns that there are.

        Returns
        -------
        missing
            As the entry writes them.
        """
        names = [str(name).strip().casefold() for name in held]
        return [c for c in self.columns if not fnmatch.filter(names, c.casefold())]


_TYPES: dict[str, type] = {
    "by_hand": list, "columns": list, "rows": int, "places": bool, "query": dict, "rename": dict,
}  # fmt: skip
_KEYS = [f.name for f in fields(Entry) if f.name != "name"]


def config_folder() -> Path:
    """
    Return the user's configuration folder.

    Returns
    -------
    folder
        Where a ``catalogue.toml`` of the user's is looked for; it may not exist.
    """
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or Path.home()) / "placeshaping"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "placeshaping"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "placeshaping"


def read_catalogue(
    path: str | Path | None = None, *, boundaries: str | Path = "boundaries"
) -> dict[str, Entry]:
    """
    Read the catalogue of public sources, with the user's changes.

    An entry whose address is changed keeps a fixed checksum or number of rows
    only where they are stated anew.

    Parameters
    ----------
    path
        A catalogue whose entries come before all others.
    boundaries
        The folder whose ``catalogue.toml`` changes entries.

    Returns
    -------
    catalogue
        Name to entry.

    Raises
    ------
    MissingFileError
        If `path` does not exist.
    RecipeError
        If a catalogue is not TOML, or an entry has an unknown or a wrong key.

    Examples
    --------
    >>> catalogue = read_catalogue()
    >>> catalogue["lsoa21"].rows, catalogue["imd2025"].vintage
    (35672, '2021')
    """
    entries = _sections(_OWN)
    for changes in (config_folder() / _FILE, Path(boundaries) / _FILE):
        if changes.is_file():
            _apply(entries, _sections(changes))
    if path is not None:
        _apply(entries, _sections(check_file(path)))
    return {name: _entry(name, keys) for name, keys in entries.items()}


def shipped_entry(name: str) -> Entry | None:
    """
    Return an entry as it came with the package.

    Parameters
    ----------
    name
        What `fetch` is asked for.

    Returns
    -------
    entry
        ``None`` where the package has none of that name.
    """
    keys = _sections(_OWN).get(name)
    return None if keys is None else _entry(name, keys)


def find_entry(catalogue: Mapping[str, Entry], name: str) -> Entry:
    """
    Return the entry of a name, or say which names there are.

    Parameters
    ----------
    catalogue
        Name to entry.
    name
        What is asked for.

    Returns
    -------
    entry
        The source.

    Raises
    ------
    RecipeError
        If there is none of that name.
    """
    if name in catalogue:
        return catalogue[name]
    alike = [known for known in catalogue if known.casefold() == name.strip().casefold()]
    if len(alike) == 1:
        return catalogue[alike[0]]
    files = [n for n, e in catalogue.items() if e.kind != "address"]
    near = near_names(name, catalogue) or [n for n in files if _speaks_of(catalogue[n], name)]
    hint = f"Did you mean {listed(near)}?" if near else f"It has: {listed(files, most=30)}."
    msg = f"The catalogue has no source {name!r}. {hint}"
    raise RecipeError(msg)


def _speaks_of(entry: Entry, word: str) -> bool:
    """Tell whether a title holds a word: "census" finds the population."""
    stem = word.strip().casefold().rstrip("s")
    return len(stem) > 3 and stem in entry.title.casefold()


def _sections(path: Path) -> dict[str, dict[str, Any]]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"{path.name} is not TOML ({error}). Compare it with boundaries/README.md."
        raise RecipeError(msg) from error
    for name, keys in content.items():
        if not isinstance(keys, dict):
            msg = (
                f"{path.name}: {name!r} stands outside a section. Begin with [lsoa21] or the like."
            )
            raise RecipeError(msg)
        _check_keys(keys, f"{path.name}, [{name}]")
    return content


def _check_keys(keys: Mapping[str, Any], where: str) -> None:
    for key, value in keys.items():
        if key not in _KEYS:
            near = near_names(key, _KEYS)
            hint = f"Did you mean {listed(near)}?" if near else f"Keys: {listed(_KEYS, most=20)}."
            msg = f"{where}: the key {key!r} is not known. {hint}"
            raise RecipeError(msg)
        wanted = _TYPES.get(key, str)
        if type(value) is not wanted:
            words = {list: "a list", int: "a whole number", bool: "true or false", dict: "a table"}
            msg = f"{where}: {key} must be {words.get(wanted, 'text in quotes')}, not {value!r}."
            raise RecipeError(msg)
    if keys.get("kind", "file") not in get_args(Kind):
        msg = f"{where}: kind is {keys['kind']!r}. Use one of: {', '.join(get_args(Kind))}."
        raise RecipeError(msg)


def _apply(entries: dict[str, dict[str, Any]], changes: dict[str, dict[str, Any]]) -> None:
    for name, keys in changes.items():
        old = dict(entries.get(name, {}))
        if any(key in keys and keys[key] != old.get(key) for key in _ADDRESS):
            for key in ("sha256", "rows"):
                old.pop(key, None)
        entries[name] = {**old, **keys}


def _entry(name: str, keys: Mapping[str, Any]) -> Entry:
    absent = [key for key in ("kind", "url") if not keys.get(key)]
    if absent:
        msg = f"The catalogue's entry [{name}] lacks {listed(absent)}. Add it."
        raise RecipeError(msg)
    given: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in keys.items()}
    if not given.get("file"):
        last = str(keys["url"]).rstrip("/").rpartition("/")[2]
        given["file"] = f"{name}{_ENDINGS[keys['kind']]}" if keys["kind"] in _ENDINGS else last
    if given.get("sha256"):
        given["sha256"] = str(given["sha256"]).lower()
    return Entry(name=name, **given)

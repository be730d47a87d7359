"""What a fetch is asked for, what it has at hand, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from placeshaping._core.checks import listed
from placeshaping._core.errors import FetchError, OutputError
from placeshaping._core.output import output_error
from placeshaping.sources.catalogue import Entry
from placeshaping.sources.downloads import Served
from placeshaping.sources.feature_pages import LayerInfo
from placeshaping.sources.network import Connection


@dataclass(frozen=True)
class Asked:
    """
    What of a source is wanted.

    Attributes
    ----------
    within
        Names or codes of places; empty for everywhere.
    force, first, last
        Of recorded crime: the force and the months.
    """

    within: tuple[str, ...] = ()
    force: str | None = None
    first: str | None = None
    last: str | None = None


@dataclass(frozen=True)
class Job:
    """
    One fetch: what, with what, and where to.

    Attributes
    ----------
    entry, entries
        The catalogue's entry, and all of them.
    asked
        What of it.
    connection
        The way to the server.
    folder
        Where unfinished work goes; it is there again at the next run.
    by_hand
        Files dropped in by hand that serve.
    lookup
        Name of another entry to its file, fetched where need be.
    lookup_held
        The same, but ``None`` where it would have to be fetched.
    places
        Names of the entries that places are looked up in.
    whole
        Whether whole archives may be downloaded.
    """

    entry: Entry
    entries: Mapping[str, Entry]
    asked: Asked
    connection: Connection
    folder: Path
    by_hand: tuple[Path, ...]
    lookup: Callable[[str], Path]
    lookup_held: Callable[[str], Path | None]
    places: tuple[str, ...]
    whole: bool = False


@dataclass(frozen=True)
class Collected:
    """
    What was fetched.

    Attributes
    ----------
    path
        The file, checked, in the job's folder.
    rows
        Rows in it, where that has a meaning.
    notes
        What to tell the user.
    served
        What the server said of it.
    """

    path: Path
    rows: int | None = None
    notes: tuple[str, ...] = ()
    served: Served | None = None


def write_checked(path: Path, write: Callable[[], object]) -> None:
    """
    Write a file; what goes wrong is said of the file.

    Parameters
    ----------
    path
        The file.
    write
        Writes it.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    try:
        write()
    except OSError as error:
        raise output_error(error, path) from error
    except RuntimeError as error:  # pyogrio: the driver could not write
        msg = f"{path.name} could not be written ({error}). Is the disk full?"
        raise OutputError(msg) from error


def check_fields(layer: LayerInfo, entry: Entry) -> None:
    """
    Refuse a layer without the columns that the catalogue says it has.

    Parameters
    ----------
    layer
        As the server describes it.
    entry
        The catalogue's entry.

    Raises
    ------
    FetchError
        If a column is missing.
    """
    absent = entry.missing_columns(layer.fields)
    if absent:
        msg = (
            f"{layer.name} has no column {listed(absent)}; it has "
            f"{listed(layer.fields, most=12)}. Is the address of [{entry.name}] still right?"
        )
        raise FetchError(msg)


def served_by(layer: LayerInfo) -> Served:
    """
    Say where a layer came from.

    Parameters
    ----------
    layer
        As the server describes it.

    Returns
    -------
    served
        Its address, and when it was edited.
    """
    return Served(layer.url, modified=None if layer.edited is None else str(layer.edited))

"""A folder of requests, answered one by one; taken up again, none twice and none lost."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from placeshaping._core.checks import check_file
from placeshaping._core.errors import EmptyError, PlaceshapingError
from placeshaping._core.output import staged_file
from placeshaping._core.progress import track
from placeshaping.project.patrol import (
    MANIFEST,
    answer,
    answer_folder_of,
    check_request,
)
from placeshaping.project.patrol_forecast import FittedPlace, fit_place
from placeshaping.project.patrol_place import Place, read_place
from placeshaping.project.patrol_request import PatrolRequest, digest_of, read_request

ERROR = ".error.txt"


@dataclass(frozen=True)
class Answered:
    """
    What became of one request of a folder.

    Attributes
    ----------
    request
        Its name.
    state
        ``"answered"``, ``"answered before"`` or ``"refused"``.
    said
        The folder of the answer, or why it was refused.
    """

    request: str
    state: str
    said: str


def answer_folder(folder: str | Path, *, now: dt.datetime) -> list[Answered]:
    """
    Answer the requests of a folder, in the order of their names.

    An answer is a folder beside its request that is there as a whole or not at
    all, and holds the request's checksum; so whatever was answered before and
    has not changed is passed over, and what was interrupted is answered anew.
    A request that is wrong or refused gets ``NAME.error.txt`` beside it, which
    goes once the request is answered. Files of other kinds, and TOML files that
    are recipes, are passed over.

    Parameters
    ----------
    folder
        With one request in each TOML file.
    now
        The moment, with a zone.

    Returns
    -------
    answered
        One a request.

    Raises
    ------
    EmptyError
        If there is no request in it.
    """
    found = [path for path in sorted(check_file(folder).glob("*.toml")) if _is_request(path)]
    if not found:
        msg = f"{Path(folder).name} holds no request: no TOML file with a section [shift]."
        raise EmptyError(msg)
    held = _Held()
    return [_answer(path, held, now) for path in track(found, label="Answering requests")]


def _is_request(path: Path) -> bool:
    """Tell whether a TOML file may be a request; one that cannot be read may."""
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    return "shift" in text or "[areas]" not in text


class _Held:
    """What was read and fitted last, for the next request that needs the same."""

    def __init__(self) -> None:
        self._place: tuple[str, Place] | None = None
        self._fitted: tuple[str, FittedPlace] | None = None

    def fitted(self, request: PatrolRequest, folder: Path) -> FittedPlace:
        of_place = _key(request, "records", "areas", "streets", cell=request.cover.cell_size)
        if self._place is None or self._place[0] != of_place:
            self._place = None  # two of a large district need not be held at once
            self._place = (of_place, read_place(request, folder=folder))
        of_fit = of_place + _key(
            request, "shift", "offences", "model", "backtest", "untimed", "seed"
        )
        if self._fitted is None or self._fitted[0] != of_fit:
            self._fitted = (of_fit, fit_place(request, self._place[1], folder=folder))
        return self._fitted[1]


def _key(request: PatrolRequest, *names: str, **more: object) -> str:
    return json.dumps(
        {**request.model_dump(mode="json", include=set(names)), **more}, sort_keys=True
    )


def _answer(path: Path, held: _Held, now: dt.datetime) -> Answered:
    refused = path.with_name(path.stem + ERROR)
    digest = digest_of(path)
    try:
        request = read_request(path)
        target = answer_folder_of(path, request)
        if _is_answered(target, digest):
            refused.unlink(missing_ok=True)
            return Answered(path.name, "answered before", str(target))
        check_request(request, now=now)
        fitted = held.fitted(request, path.parent)
        answer(
            request, fitted, folder=path.parent, target=target, made_on=now.date(), digest=digest
        )
    except PlaceshapingError as error:
        with staged_file(refused) as staged:
            staged.write_text(f"{error}\n", encoding="utf-8")
        return Answered(path.name, "refused", str(error))
    refused.unlink(missing_ok=True)
    return Answered(path.name, "answered", str(target))


def _is_answered(target: Path, digest: str) -> bool:
    """Tell whether a folder holds the whole answer to a request of this checksum."""
    try:
        said = json.loads((target / MANIFEST).read_text(encoding="utf-8"))
        return bool(said["recipe"]["checksum"] == digest)
    except (OSError, ValueError, LookupError, TypeError):
        return False


def requests_in(paths: list[Path]) -> Iterator[tuple[Path, bool]]:
    """
    Tell folders of requests from requests.

    Examples
    --------
    >>> [is_folder for _, is_folder in requests_in([Path(".")])]
    [True]
    """
    for path in paths:
        yield path, check_file(path).is_dir()

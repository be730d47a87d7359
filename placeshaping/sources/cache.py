"""
What was fetched, kept by its checksum, with a note of where it came from beside it.

``files/<sha256>/<name>`` holds a file and ``<name>.json`` its provenance;
``requests/<key>.json`` says which file answered a request; ``partial/<key>/``
holds what an unfinished one has so far, so that the next run goes on there.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from placeshaping._core.errors import FetchError
from placeshaping._core.output import output_error, staged_file
from placeshaping._core.provenance import sha256

_log = logging.getLogger(__name__)
_PATIENCE = 600


class BusyError(FetchError):
    """Another process is fetching the same."""


@dataclass(frozen=True)
class Kept:
    """
    A file in the cache.

    Attributes
    ----------
    path
        Where it is.
    sha256
        Its checksum.
    provenance
        Where it came from.
    """

    path: Path
    sha256: str
    provenance: Mapping[str, Any] = field(default_factory=dict)


def cache_folder() -> Path:
    """
    Return where fetched files are kept unless another folder is named.

    Returns
    -------
    folder
        ``PLACESHAPING_CACHE`` where set, else the system's folder for caches.
    """
    named = os.environ.get("PLACESHAPING_CACHE")
    if named:
        return Path(named)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home()) / "placeshaping" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "placeshaping"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "placeshaping"


class Cache:
    """
    A folder of fetched files.

    Parameters
    ----------
    folder
        Where it is; made when something is kept.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cache = Cache(folder)
    ...     with cache.partial({"source": "a"}) as part:
    ...         _ = (part / "x").write_text("1")
    ...         kept = cache.keep(part / "x", {"source": "a"}, name="a.csv", provenance={})
    ...     cache.find({"source": "a"}) == kept
    True
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def find(self, request: Mapping[str, Any]) -> Kept | None:
        """
        Return the file that answered a request before, if it is there and whole.

        Parameters
        ----------
        request
            What was asked for.

        Returns
        -------
        kept
            ``None`` where there is none; a file that was damaged since is removed.
        """
        try:
            answer = json.loads(self._answer(request).read_text(encoding="utf-8"))
            path = self.folder / "files" / answer["sha256"] / answer["name"]
            provenance = json.loads(_beside(path).read_text(encoding="utf-8"))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if not path.is_file() or not isinstance(provenance, dict):
            return None
        if sha256(path) != answer["sha256"]:
            shutil.rmtree(path.parent, ignore_errors=True)
            return None
        return Kept(path, answer["sha256"], provenance)

    @contextmanager
    def partial(
        self, request: Mapping[str, Any], *, pause: Callable[[float], object] = time.sleep
    ) -> Iterator[Path]:
        """
        Give the folder of what a request has so far, to one process at a time.

        It stays when the block fails, and goes when it succeeds. Where another
        process has it, that one is waited for, ten minutes at most.

        Parameters
        ----------
        request
            What is asked for.
        pause
            The function that waits.

        Yields
        ------
        folder
            It exists.

        Raises
        ------
        BusyError
            If another process is still fetching the same.
        OutputError
            If the folder cannot be made.
        """
        folder = self.folder / "partial" / _key(request)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = folder.with_suffix(".lock").open("w")
        except OSError as error:
            raise output_error(error, folder) from error
        with lock:
            _wait_for(lock, pause)
            folder.mkdir(exist_ok=True)  # the other may have finished, and removed it
            yield folder
            shutil.rmtree(folder, ignore_errors=True)

    def keep(
        self, path: Path, request: Mapping[str, Any], *, name: str, provenance: Mapping[str, Any]
    ) -> Kept:
        """
        Move a file into the cache; it must have been checked.

        Parameters
        ----------
        path
            The file, in the folder that `partial` gave.
        request
            What it answers.
        name
            Its base name from now on.
        provenance
            Where it came from; name, checksum and size are added.

        Returns
        -------
        kept
            The file in its place.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        digest = sha256(path)
        size = path.stat().st_size
        final = self.folder / "files" / digest / name
        told = {"name": name, "sha256": digest, "bytes": size, **provenance}
        try:
            with staged_file(final) as staged:
                path.replace(staged)
            for target, content in (
                (_beside(final), told),
                (self._answer(request), {"name": name, "sha256": digest, "request": request}),
            ):
                with staged_file(target) as staged:
                    staged.write_text(json.dumps(content, indent=1), encoding="utf-8")
        except OSError as error:
            raise output_error(error, final) from error
        return Kept(final, digest, told)

    def _answer(self, request: Mapping[str, Any]) -> Path:
        return self.folder / "requests" / f"{_key(request)}.json"


def _key(request: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()[:24]


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _wait_for(lock: IO[str], pause: Callable[[float], object]) -> None:
    """Take the lock, after another process where one has it."""
    for tried in range(_PATIENCE):
        if _lock(lock):
            return
        if not tried:
            _log.warning("Another process is fetching the same; waiting for it.")
        pause(1.0)
    msg = "The same is being fetched by another process. Wait for it, then run again."
    raise BusyError(msg)


def _lock(stream: IO[str]) -> bool:
    """Take a lock that ends with the process, however it ends."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True

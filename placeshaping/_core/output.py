"""Write beside, then rename: a reader sees the old file or the new one, never half of one."""

from __future__ import annotations

import errno
import glob
import re
import shutil
import sys
import time
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from placeshaping._core.errors import OutputError

STALE = 24 * 3600.0
"""Seconds after which a temporary folder is taken for one that a killed process has left."""

_REMEDIES = {
    errno.ENOSPC: "The disk is full. Free some space or choose another folder.",
    errno.EROFS: "The disk is read-only. Choose another folder.",
    errno.EACCES: "Writing there is not permitted, or a file in it is open in another program. "
    "Close it, or choose another folder.",
    errno.EPERM: "Writing there is not permitted. Choose another folder.",
    errno.EBUSY: "A file in it is open in another program. Close it and run again.",
    errno.ENOTDIR: "A part of that path is a file. Choose another folder.",
    errno.EEXIST: "A file of that name is in the way. Move it or choose another folder.",
}


def output_error(error: OSError, target: Path) -> OutputError:
    """Turn an operating system's refusal into a message that names the remedy."""
    return OutputError(f"{target.name} could not be written. {_remedy(error)} Nothing was changed.")


def _remedy(error: OSError) -> str:
    return _REMEDIES.get(error.errno or 0, f"{error.strerror or error}.")


@contextmanager
def staged_file(target: str | Path) -> Iterator[Path]:
    """
    Give a temporary path beside `target`, renamed onto it when the block succeeds.

    Raises
    ------
    OutputError
        If the operating system refuses; the old file is then as it was.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with staged_file(Path(folder) / "a.txt") as path:
    ...         _ = path.write_text("done")
    ...     [p.name for p in Path(folder).iterdir()]
    ['a.txt']
    """
    target = Path(target)
    with _staging_folder(target) as folder:
        path = folder / target.name
        yield path
        path.replace(target)


@contextmanager
def staged_folder(target: str | Path, *, remove: Collection[str] = ()) -> Iterator[Path]:
    """
    Give a temporary folder beside `target`, whose files move into it when the block succeeds.

    Files of the same names are replaced; others in `target` stay. Should one
    of them refuse to be replaced (open in another program), or the user stop
    it, those already replaced are put back.

    Parameters
    ----------
    target
        The folder to write into; made where it is not there.
    remove
        Names in `target` that the new files stand in for without bearing the
        same names: they go as the new files come, all or none.

    Raises
    ------
    OutputError
        If the operating system refuses. `target` is then as it was, unless
        the message names a folder that holds old files.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     target = Path(folder) / "products"
    ...     with staged_folder(target) as staged:
    ...         _ = (staged / "layers.gpkg").write_text("old")
    ...     with staged_folder(target, remove=["layers.gpkg"]) as staged:
    ...         _ = (staged / "map.html").write_text("new")
    ...     [p.name for p in target.iterdir()]
    ['map.html']
    """
    target = Path(target)
    with _staging_folder(target) as folder:
        yield folder
        existed = target.exists()
        target.mkdir(parents=True, exist_ok=True)
        try:
            _swap_in(folder, target, remove)
        finally:
            if not existed:
                with suppress(OSError):
                    target.rmdir()  # which only an empty folder allows: nothing came


@contextmanager
def _staging_folder(target: Path) -> Iterator[Path]:
    folder: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        sweep(target)
        folder = _beside(target, ".{}-{}")
        yield folder
    except OSError as error:
        raise output_error(error, target) from error
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _beside(target: Path, pattern: str) -> Path:
    """
    Make a folder of a unique name beside `target`.

    Not by `tempfile.mkdtemp`: its folders are their owner's alone, and on
    Windows the files moved out of them stay so, also on a share.
    """
    target = target.absolute()  # of "." the name is not in the path
    folder = target.with_name(pattern.format(target.name, uuid.uuid4().hex[:8]))
    folder.mkdir()
    return folder


def sweep(target: Path) -> None:
    """
    Delete what a killed process has left beside `target` a day ago or more.

    By its name and its age alone: whether another process lives cannot be
    told on a shared drive.
    """
    own = re.compile(rf"\.{re.escape(target.name)}-[0-9a-f]{{8}}")
    for path in target.parent.glob(f".{glob.escape(target.name)}-*"):
        with suppress(OSError):
            old = time.time() - path.stat().st_mtime > STALE
            if own.fullmatch(path.name) and old and path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)


def _swap_in(folder: Path, target: Path, remove: Collection[str]) -> None:
    """Move every file of `folder` into `target` and those to be removed out of it, all or none."""
    new = sorted(folder.iterdir())
    held = {path.name for path in target.iterdir()}
    # a name may be held in other letters where the system does not tell them apart
    leaving = [path.name for path in new if _is_there(target / path.name)]
    leaving += sorted(held & set(remove) - set(leaving))
    kept = _beside(target, "{}-old-{}")
    taken: list[tuple[Path, Path]] = []
    brought: list[tuple[Path, Path]] = []
    whole = False
    try:
        for name in leaving:
            taken.append((target / name, kept / name))  # noted first: a stop may fall in between
            (target / name).replace(kept / name)
        for path in new:
            brought.append((path, target / path.name))
            path.replace(target / path.name)
        whole = True
    finally:
        if not whole:  # whatever it was: a refusal, Ctrl-C, an exit
            left = _put_back(taken, brought)
            if left or any(kept.iterdir()):
                raise _half_undone(kept, target, left, sys.exception())
            kept.rmdir()
    _discard(kept, target)


def _is_there(path: Path) -> bool:
    return path.exists() or path.is_symlink()  # a link to nothing is there as well


def _put_back(taken: list[tuple[Path, Path]], brought: list[tuple[Path, Path]]) -> list[str]:
    """Undo the moves that were made, each as far as it can be; name the new files that stay."""
    for source, final in brought:
        with suppress(OSError, KeyboardInterrupt):
            if not source.exists():
                final.replace(source)
    restored = set()
    for final, old in taken:
        with suppress(OSError, KeyboardInterrupt):
            if _is_there(old):
                old.replace(final)
                restored.add(final)
    return [p.name for source, p in brought if p not in restored and not source.exists()]


def _half_undone(
    kept: Path, target: Path, left: list[str], error: BaseException | None
) -> OutputError:
    cause = _remedy(error) if isinstance(error, OSError) else "It was stopped."
    msg = f"{target.name} could not be written. {cause}"
    if left:
        msg += f" New files stay in it: {', '.join(left)}."
    if stuck := sorted(path.name for path in kept.iterdir()):
        msg += (
            f" {len(stuck):,} could not be put back ({', '.join(stuck)}): the old files are in "
            f"the folder {kept.name}, beside {target.name}. Move them back by hand."
        )
    else:
        kept.rmdir()
    return OutputError(msg)


def _discard(kept: Path, target: Path) -> None:
    """Delete the files that were replaced; they may show what the new ones hide."""
    try:
        shutil.rmtree(kept)
    except KeyboardInterrupt:
        shutil.rmtree(kept, ignore_errors=True)
        raise
    except OSError as error:
        msg = (
            f"The new files are in {target.name}, but the old ones could not be deleted: "
            f"{_remedy(error)} They are in the folder {kept.name}, beside {target.name}. "
            "Delete it by hand."
        )
        raise OutputError(msg) from error

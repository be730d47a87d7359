"""Write beside, then rename: a reader sees the old file or the new one, never half of one."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from placeshaping._core.errors import OutputError

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
    remedy = _REMEDIES.get(error.errno or 0, f"{error.strerror or error}.")
    return OutputError(f"{target.name} could not be written. {remedy} Nothing was changed.")


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
def staged_folder(target: str | Path) -> Iterator[Path]:
    """
    Give a temporary folder beside `target`, whose files move into it when the block succeeds.

    Files of the same names are replaced; others in `target` stay. Should one
    of them refuse to be replaced (open in another program), those already
    replaced are put back.

    Raises
    ------
    OutputError
        If the operating system refuses; `target` is then as it was.
    """
    target = Path(target)
    with _staging_folder(target) as folder:
        yield folder
        existed = target.exists()
        target.mkdir(parents=True, exist_ok=True)
        try:
            _swap_in(folder, target)
        except OSError:
            if not existed:
                shutil.rmtree(target, ignore_errors=True)
            raise


@contextmanager
def _staging_folder(target: Path) -> Iterator[Path]:
    folder: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        yield folder
    except OSError as error:
        raise output_error(error, target) from error
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _swap_in(folder: Path, target: Path) -> None:
    """Move every file of `folder` into `target`, all or none."""
    kept = Path(tempfile.mkdtemp(prefix=".old-", dir=folder))
    moved: list[tuple[Path, Path | None]] = []
    try:
        for new in sorted(p for p in folder.iterdir() if p != kept):
            final = target / new.name
            old = None
            if final.exists():
                old = kept / new.name
                os.replace(final, old)  # noqa: PTH105 - keeps the symmetry with the next line
                moved.append((final, old))
            new.replace(final)
            if old is None:
                moved.append((final, None))
    except OSError:
        for final, old in reversed(moved):
            if old is not None:
                old.replace(final)
            else:
                final.unlink(missing_ok=True)
        raise

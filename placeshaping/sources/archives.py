"""Files inside folders and ZIP archives, with errors that say what is wrong with the archive."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from placeshaping._core.checks import check_file
from placeshaping._core.errors import FileFormatError

_ZIP_MAGIC = b"PK\x03\x04"


@dataclass(frozen=True)
class Member:
    """
    A file, on its own or inside a ZIP archive.

    Attributes
    ----------
    name
        Base name of the file.
    container
        The file itself, or the archive that it lies in.
    inside
        Path inside the archive; ``None`` for a file on its own.
    """

    name: str
    container: Path
    inside: str | None = None

    @property
    def place(self) -> str:
        """
        Where the file is, as a message says it.

        Returns
        -------
        place
            Path inside the archive and its name.
        """
        return self.name if self.inside is None else f"{self.inside} in {self.container.name}"


def looks_zipped(path: Path) -> bool:
    """
    Tell whether a file begins like a ZIP archive, whole or damaged.

    Parameters
    ----------
    path
        A file, a folder or a ZIP archive.

    Returns
    -------
    zipped
        Whether it does.
    """
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(4) == _ZIP_MAGIC


def open_archive(path: Path) -> zipfile.ZipFile:
    """
    Open a ZIP archive.

    Parameters
    ----------
    path
        A file, a folder or a ZIP archive.

    Returns
    -------
    archive
        The open archive; close it after use.

    Raises
    ------
    FileFormatError
        If it is truncated, damaged, or no ZIP archive.
    """
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError) as error:
        msg = (
            f"{path.name} is not a whole ZIP archive ({path.stat().st_size:,} bytes): "
            "the download was cut short, or the file is damaged. Download it again."
        )
        raise FileFormatError(msg) from error


def list_members(path: str | Path, *, suffixes: tuple[str, ...] = (".csv",)) -> list[Member]:
    """
    List the files of given endings in a folder, a ZIP archive or a folder of archives.

    Files come in the order of their paths; a single file of any other kind is
    its own only member.

    Parameters
    ----------
    path
        A file, a folder or a ZIP archive.
    suffixes
        Endings of the names to list, in lower case.

    Returns
    -------
    members
        One entry a file.

    Raises
    ------
    MissingFileError
        If there is nothing at `path`.
    FileFormatError
        If an archive is damaged.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "a.csv").write_text("x")
    ...     [member.name for member in list_members(folder)]
    ['a.csv']
    """
    path = check_file(path)
    if path.is_dir():
        found: list[Member] = []
        for file in sorted(p for p in path.rglob("*") if p.is_file()):
            if file.name.casefold().endswith(suffixes):
                found.append(Member(file.name, file))
            elif file.suffix.casefold() == ".zip":
                found.extend(_in_archive(file, suffixes))
        return found
    if looks_zipped(path) or path.suffix.casefold() == ".zip":
        return _in_archive(path, suffixes)
    return [Member(path.name, path)]


def _in_archive(path: Path, suffixes: tuple[str, ...]) -> list[Member]:
    with open_archive(path) as archive:
        names = sorted(info.filename for info in archive.infolist() if not info.is_dir())
    return [
        Member(name.replace("\\", "/").rpartition("/")[2], path, name)
        for name in names
        if name.casefold().endswith(suffixes) and not name.startswith("__MACOSX/")
    ]


class Reader:
    """
    Reads members one after the other, keeping the archive at hand open between them.

    Use it in a ``with`` block.
    """

    def __init__(self) -> None:
        self._path: Path | None = None
        self._archive: zipfile.ZipFile | None = None

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        if self._archive is not None:
            self._archive.close()
        self._path = self._archive = None

    def read(self, member: Member) -> bytes:
        """
        Return the content of a member.

        Parameters
        ----------
        member
            The file to read.

        Returns
        -------
        content
            The bytes.

        Raises
        ------
        FileFormatError
            If it is damaged, encrypted, or cannot be read.
        """
        try:
            if member.inside is None:
                return member.container.read_bytes()
            if self._archive is None or self._path != member.container:
                self._close()
                self._archive = open_archive(member.container)
                self._path = member.container
            return self._archive.read(member.inside)
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            msg = f"{member.place} is damaged ({error}). Download the archive again."
            raise FileFormatError(msg) from error
        except (RuntimeError, NotImplementedError) as error:  # zipfile: encrypted, odd compression
            msg = f"{member.place} cannot be unpacked ({error}). Unpack it first."
            raise FileFormatError(msg) from error
        except OSError as error:
            msg = f"{member.place} cannot be read ({error.strerror or error}). Check the file."
            raise FileFormatError(msg) from error

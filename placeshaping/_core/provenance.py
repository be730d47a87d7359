"""Where a result comes from: files by checksum and base name, versions, never a path."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from placeshaping._core.checks import check_file

_SHAPEFILE = (".cpg", ".dbf", ".prj", ".shp", ".shx")


@dataclass(frozen=True)
class SourceFile:
    """
    One input file, as it is named on a product.

    Attributes
    ----------
    role
        What the file was used as: ``"records"``, ``"areas"``, ...
    name
        Base name; paths are never kept.
    sha256
        Checksum of the content; of a folder or a Shapefile, that of its files'
        checksums.
        None where it is withheld: that of a few numbers can be guessed.
    rows
        Rows read from it, where that has a meaning.
    """

    role: str
    name: str
    sha256: str | None
    rows: int | None = None

    @property
    def checksum(self) -> str:
        """The checksum as it stands on a product."""
        return f"SHA-256 {self.sha256}" if self.sha256 else "checksum withheld, being guessable"


def sha256(path: str | Path) -> str:
    """
    Return the SHA-256 of a file, or of a folder's files in the order of their names.

    A Shapefile is several files of one stem. Its checksum is that of the lines
    "suffix, NUL, checksum" of those that are there, of .cpg, .dbf, .prj, .shp
    and .shx in that order, so that it changes with any of them.

    Parameters
    ----------
    path
        A file or a folder.

    Returns
    -------
    digest
        64 hexadecimal digits.

    Raises
    ------
    MissingFileError, LockedFileError
        If there is nothing at `path`, or it cannot be opened.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "a.txt"
    ...     _ = file.write_bytes(b"abc")
    ...     sha256(file)[:8]
    'ba7816bf'
    """
    path = check_file(path)
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.is_file())
        return _digest_of_all({p.relative_to(path).as_posix(): p for p in files})
    parts = _parts(path)
    return _digest_of_all(parts) if len(parts) > 1 else _digest(path)


def _parts(path: Path) -> dict[str, Path]:
    """Return the files of a Shapefile by suffix; of any other file, the file."""
    if path.suffix.casefold() != ".shp":
        return {path.suffix: path}
    beside = {p.suffix.casefold(): p for p in path.parent.iterdir() if p.stem == path.stem}
    beside[".shp"] = path
    return {suffix: beside[suffix] for suffix in _SHAPEFILE if suffix in beside}


def _digest_of_all(files: Mapping[str, Path]) -> str:
    digest = hashlib.sha256()
    for name, file in files.items():
        digest.update(f"{name}\0{_digest(check_file(file))}\n".encode())
    return digest.hexdigest()


def _digest(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def describe_file(path: str | Path, role: str, *, rows: int | None = None) -> SourceFile:
    """Describe an input file for the provenance of a product."""
    path = check_file(path)
    return SourceFile(role=role, name=path.name, sha256=sha256(path), rows=rows)


def versions(*packages: str) -> dict[str, str]:
    """
    Return the versions of installed packages.

    Examples
    --------
    >>> sorted(versions("numpy", "no-such-package"))
    ['numpy']
    """
    found = {}
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def is_zip(path: str | Path) -> bool:
    """Tell whether a file is a ZIP archive by its content."""
    return Path(path).is_file() and zipfile.is_zipfile(path)

"""Where a result comes from: files by checksum and base name, versions, never a path."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from placeshaping._core.checks import check_file


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
        Checksum of the content; of a folder, that of its files' checksums.
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
    digest = hashlib.sha256()
    if path.is_dir():
        for file in sorted(p for p in path.rglob("*") if p.is_file()):
            digest.update(f"{file.relative_to(path).as_posix()}\0{sha256(file)}\n".encode())
        return digest.hexdigest()
    with path.open("rb") as stream:
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

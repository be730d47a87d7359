"""
The key that masks: read from a file outside the project, and shown nowhere.

Whoever has it undoes what it masks. It stands in no manifest, ledger, log or
product, nor in what Python prints of the object that holds it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from placeshaping._core.checks import check_file
from placeshaping._core.errors import DisclosureError

SHORTEST = 32
"""Bytes that a secret must have."""

_FEWEST_DIFFERENT = 8
_REMEDY = (
    'Make one with: python -c "import secrets; print(secrets.token_hex(32))" and keep it in a '
    "file that only you can read, outside the project."
)


@dataclass(frozen=True, repr=False)
class Secret:
    """
    A key that does not show itself.

    Attributes
    ----------
    key
        At least `SHORTEST` bytes.

    Raises
    ------
    DisclosureError
        If the key is short, or the same few bytes again and again.

    Examples
    --------
    >>> Secret(bytes(range(32)))
    <Secret>
    """

    key: bytes = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse a key that can be guessed."""
        if len(self.key) < SHORTEST:
            msg = f"The secret has {len(self.key)} bytes; it needs {SHORTEST}. {_REMEDY}"
            raise DisclosureError(msg)
        if len(set(self.key)) < _FEWEST_DIFFERENT:
            msg = f"The secret is made of {len(set(self.key))} different bytes. {_REMEDY}"
            raise DisclosureError(msg)

    def __repr__(self) -> str:
        """Show nothing."""
        return "<Secret>"

    def __reduce__(self) -> NoReturn:
        """Refuse to be written anywhere."""
        msg = "A secret cannot be copied or pickled. Read it again from its file."
        raise DisclosureError(msg)

    def digest(self, message: bytes) -> bytes:
        """
        Return the HMAC-SHA256 of a message: 32 bytes, always the same for the same message.

        Examples
        --------
        >>> len(Secret(bytes(range(32))).digest(b"a place"))
        32
        """
        return hmac.digest(self.key, message, hashlib.sha256)


def read_secret(path: str | Path, *, outside: Iterable[str | Path]) -> Secret:
    """
    Read the key that masks points and perturbs counts.

    Parameters
    ----------
    path
        A file that holds the key and nothing else; space around it does not
        count.
    outside
        Folders that the file must not lie in: the project's and that of its
        products. Links are followed first.

    Returns
    -------
    secret
        Which prints as ``<Secret>``.

    Raises
    ------
    MissingFileError
        If there is no such file.
    DisclosureError
        If it lies in one of those folders, or can be guessed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "key"
    ...     _ = file.write_text("3f9c" * 20)
    ...     read_secret(file, outside=[folder])
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.DisclosureError: The secret 'key' lies in the folder ...
    """
    file = check_file(path).resolve()
    for folder in outside:
        inner = Path(folder).resolve()
        if inner == file or inner in file.parents:
            msg = (
                f"The secret {file.name!r} lies in the folder {inner.name!r}, which is shared or "
                "published with what it protects. Move it to a folder of your own, outside the "
                "project and its products."
            )
            raise DisclosureError(msg)
    if not file.is_file():
        msg = f"The secret {file.name!r} is a folder. Name the file that holds it."
        raise DisclosureError(msg)
    return Secret(file.read_bytes().strip())

"""What may leave is sealed when it is made, to tell when it was changed."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import shapely

from placeshaping._core.errors import DisclosureError


@dataclass(frozen=True, repr=False)
class Sealed:
    """
    Something that may leave: only its own maker makes one, and it knows when it was changed.

    A subclass names what its maker hands over as `_maker`, and what is said to
    those who make one themselves: ``class Release(Sealed, maker=..., remedy=...)``.
    """

    _known: ClassVar[object]
    _remedy: ClassVar[str]

    _maker: object = field(default=None, repr=False, compare=False, kw_only=True)
    _seal: str = field(init=False, default="", repr=False, compare=False)

    def __init_subclass__(cls, *, maker: object, remedy: str) -> None:
        """Keep who may make it."""
        cls._known = maker
        cls._remedy = remedy

    def __post_init__(self) -> None:
        """Refuse to be made by anything but its maker, and seal what it made."""
        if self._maker is not self._known:
            raise DisclosureError(self._remedy)
        object.__setattr__(self, "_maker", None)
        object.__setattr__(self, "_seal", self._digest())

    def _digest(self) -> str:
        digest = hashlib.sha256()
        for name in sorted(f.name for f in dataclasses.fields(self)):
            if name not in ("_maker", "_seal"):
                digest.update(name.encode())
                _digest(digest, getattr(self, name))
        return digest.hexdigest()

    @property
    def unchanged(self) -> bool:
        """Whether everything in it is as its maker made it."""
        return self._digest() == self._seal


def _digest(digest: Any, value: Any) -> None:
    value = value.reset_index() if isinstance(value, pd.Series) else value
    if isinstance(value, pd.DataFrame):
        digest.update(repr([*value.columns, value.index.name]).encode())
        for name, column in value.items():
            if name == "geometry":
                digest.update(b"".join(shapely.to_wkb(column.to_numpy())))
            else:
                digest.update(pd.util.hash_pandas_object(column).to_numpy().tobytes())
    elif isinstance(value, np.ndarray):
        digest.update(f"{value.shape} {value.dtype}".encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field_ in dataclasses.fields(value):
            _digest(digest, getattr(value, field_.name))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            digest.update(str(key).encode())
            _digest(digest, item)
    else:
        digest.update(repr(value).encode())

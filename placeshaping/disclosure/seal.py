"""A digest of what stands in a release, to tell when it was changed."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import shapely


def seal_of(parts: Mapping[str, Any]) -> str:
    """Return a digest of all that stands in a release, to tell when it was changed."""
    digest = hashlib.sha256()
    for name in sorted(parts):
        digest.update(name.encode())
        _digest(digest, parts[name])
    return digest.hexdigest()


def _digest(digest: Any, value: Any) -> None:
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

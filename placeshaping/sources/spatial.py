"""Spatial files through GDAL, without its drivers' chatter."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_driver_warnings() -> Iterator[None]:
    """
    Silence what GDAL's drivers remark on odd files: what matters is checked on the content.

    Examples
    --------
    >>> with without_driver_warnings():
    ...     warnings.warn("odd ring", RuntimeWarning)
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield

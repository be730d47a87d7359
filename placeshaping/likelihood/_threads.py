"""One thread for work on small arrays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]


@contextmanager
def one_thread() -> Iterator[None]:
    """
    Let BLAS and OpenMP use one thread inside the block, or the decorated function.

    The trees of a forecast have some ten thousand rows. Threads that wait for
    each other on a busy machine took a hundred times as long for them as one
    thread alone; a backtest runs processes side by side instead.
    """
    with _controller().limit(limits=1):
        yield


@cache
def _controller() -> ThreadpoolController:
    import sklearn.ensemble  # noqa: F401 (its libraries must be loaded to be found)

    return ThreadpoolController()

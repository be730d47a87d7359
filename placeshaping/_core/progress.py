"""Progress bars for long work: on a terminal, after two seconds, never in a pipe."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")

_quiet: ContextVar[bool] = ContextVar("quiet", default=False)
_DELAY = 2.0


@contextmanager
def quiet(*, on: bool = True) -> Iterator[None]:
    """Show no progress bars inside the block."""
    token = _quiet.set(on)
    try:
        yield
    finally:
        _quiet.reset(token)


def track(items: Iterable[T], *, label: str, total: int | None = None) -> Iterator[T]:
    """
    Yield the items, drawing a bar on standard error once the work has taken two seconds.

    Examples
    --------
    >>> list(track([1, 2], label="Reading"))
    [1, 2]
    """
    if _quiet.get() or not sys.stderr.isatty():
        yield from items
        return
    if total is None and isinstance(items, Sized):
        total = len(items)
    yield from _draw(items, label, total)


def _draw(items: Iterable[T], label: str, total: int | None) -> Iterator[T]:
    from rich.console import Console
    from rich.progress import Progress

    started = time.monotonic()
    bar: Progress | None = None
    task = None
    try:
        for done, item in enumerate(items):
            if bar is None and time.monotonic() - started > _DELAY:
                bar = Progress(console=Console(stderr=True), transient=True)
                bar.start()
                task = bar.add_task(label, total=total, completed=done)
            if bar is not None and task is not None:
                bar.update(task, completed=done)
            yield item
    finally:
        if bar is not None:
            bar.stop()

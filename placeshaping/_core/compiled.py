"""Compiled kernels: numba, cached where the cache can be written, still working where it cannot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])


def compiled(*, parallel: bool = False) -> Callable[[F], F]:
    """
    Compile a numeric function on its first call.

    The machine code is kept in numba's cache. Where the cache cannot be
    written (a read-only installation, a locked-down profile) the function is
    compiled anew in each session instead.

    Examples
    --------
    >>> @compiled()
    ... def double(x):
    ...     return 2 * x
    >>> double(2.0)
    4.0
    """

    def decorate(function: F) -> F:
        import numba

        options: dict[str, Any] = {"nogil": True, "parallel": parallel}
        try:
            return cast("F", numba.njit(cache=True, **options)(function))
        except RuntimeError:  # numba: "cannot cache function: no locator available"
            return cast("F", numba.njit(**options)(function))

    return decorate

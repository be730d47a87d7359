"""Sets of sites that cover every area within a distance: the fewest, or the nearest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse

from placeshaping.shaping._median import search, starts_of
from placeshaping.shaping._swap import improve

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]

_STARTS = 6
_RELAXED = 30.0  # seconds for a linear relaxation


def fewest(
    covers: Flags, kept: Ints, *, exact: bool, seconds: float, rng: np.random.Generator
) -> tuple[Ints, int]:
    """
    Return sites that cover every area, and a number that no choice can go below.

    `covers` has a row for each candidate. The bound is of the linear
    relaxation, or of HiGHS where exact.
    """
    result = _cover(covers, kept, whole=False, seconds=seconds)
    least = int(np.ceil(float(result.fun) - 1e-6)) if result.fun is not None else len(kept)
    if exact:
        proved = _cover(covers, kept, whole=True, seconds=seconds)
        if proved.mip_dual_bound is not None:
            least = max(least, int(np.ceil(float(proved.mip_dual_bound) - 1e-6)))
        if proved.x is not None:
            return _kept_first(np.flatnonzero(proved.x > 0.5), kept), least
    chosen = _pruned(covers, _greedy_cover(covers, kept), kept)
    while len(chosen) > max(least, len(kept)):
        found = cover_with(covers, kept, len(chosen) - 1, rng)
        if found[0] is None:
            break
        chosen = found[0]
    return chosen, least


def cover_with(
    covers: Flags, kept: Ints, sites: int, rng: np.random.Generator
) -> tuple[Ints | None, bool]:
    """Return so many sites that cover every area, if found; and whether none can, by proof."""
    cost = np.ascontiguousarray((~covers).astype(np.float64))
    tried = starts_of(cost, kept, sites, rng, _STARTS)
    bare = improve(cost, tried, len(kept))
    if bare.min() < 0.5:
        return tried[bare.argmin()], False
    relaxed = _cover(covers, kept, whole=False, seconds=_RELAXED)
    if relaxed.status == 2 or (relaxed.fun is not None and float(relaxed.fun) > sites + 1e-6):
        return None, True
    found = search(cost, kept, sites, rng, starts=_STARTS)
    if found.total < 0.5:
        return found.chosen, False
    return None, found.bound > 1e-6


def can_cover(covers: Flags, kept: Ints, sites: int, *, seconds: float) -> tuple[Ints | None, bool]:
    """Do the same by HiGHS."""
    result = _cover(covers, kept, whole=True, seconds=seconds)
    if result.x is not None and round(float(result.fun)) <= sites:
        return _kept_first(np.flatnonzero(result.x > 0.5), kept), False
    if result.status == 2:
        return None, True
    bound = result.mip_dual_bound
    return None, bound is not None and float(bound) > sites + 1e-6


def _cover(covers: Flags, kept: Ints, *, whole: bool, seconds: float) -> optimize.OptimizeResult:
    candidates = len(covers)
    least = np.zeros(candidates)
    least[kept] = 1
    matrix = sparse.csr_array(covers.T.astype(np.float64))
    return optimize.milp(
        np.ones(candidates),
        constraints=optimize.LinearConstraint(matrix, 1, np.inf),
        integrality=np.full(candidates, int(whole)),
        bounds=optimize.Bounds(least, np.ones(candidates)),
        options={"time_limit": seconds},
    )


def _greedy_cover(covers: Flags, kept: Ints) -> Ints:
    chosen = list(kept)
    bare = ~covers[chosen].any(axis=0) if chosen else np.ones(covers.shape[1], dtype=bool)
    while bare.any():
        best = int(covers[:, bare].sum(axis=1).argmax())
        chosen.append(best)
        bare &= ~covers[best]
    return np.array(chosen, dtype=np.int64)


def _pruned(covers: Flags, chosen: Ints, kept: Ints) -> Ints:
    """Leave out sites whose areas others cover too."""
    times = covers[chosen].sum(axis=0)
    left = list(chosen)
    for site in chosen[len(kept) :]:
        if (times[covers[site]] > 1).all():
            times = times - covers[site]
            left.remove(site)
    return np.array(left, dtype=np.int64)


def _kept_first(chosen: Ints, kept: Ints) -> Ints:
    return np.concatenate([kept, chosen[~np.isin(chosen, kept)]]).astype(np.int64)

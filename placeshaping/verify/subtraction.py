"""
Hidden counts worked out by subtraction.

Categories add up to their total, periods to the whole span, areas to the
larger area, areas of a decile to the decile; and so do the pieces that nobody
published: what one twelve months has and the next has not, what a ward shares
with an MSOA. All of it is one system, of one file or of several.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from placeshaping.verify.bounds import Bounds, propagate, solve
from placeshaping.verify.claims import Claims, claims_of
from placeshaping.verify.contents import Contents
from placeshaping.verify.proofs import Proof, proof_of
from placeshaping.verify.rules import Rules
from placeshaping.verify.system import Flags, System, system_of
from placeshaping.verify.verdict import Breach, Finding, number_of

BUDGET = 100
"""Hidden cells that linear programmes are solved for, where nobody asks for more."""

MOST_STRICT = 10_000
"""Rounded sources with more cells, slivers among them, are held to one sum, not to all."""

_PROOFS = 50
_WEIGHED = 20
_LISTED = 1000
_EXAMPLES = 3


def check_subtraction(
    contents: Contents,
    rules: Rules,
    *,
    public: Mapping[str, Sequence[str]] | None = None,
    budget: int = BUDGET,
) -> tuple[list[str], list[Breach]]:
    """
    Solve all sums of a file for its hidden counts.

    A breach is a cell that is certain to be under the threshold and is left
    fewer values than its mark says by all sums together; in rounded files of
    more than `MOST_STRICT` cells by one sum alone, or down to one value by all,
    unless nobody published it. Where the values that are left reach
    past the threshold, the cell may be one that is hidden to protect another.
    What a hidden total that may itself be small says of its parts is counted,
    not held against the file: the marks alone tell as much.

    Parameters
    ----------
    contents
        A file.
    rules
        What it is held to.
    public
        Code of an area -> codes of the areas that hold it, known to anybody.
    budget
        Cells that linear programmes are solved for.

    Returns
    -------
    tried
        What was tried, in words.
    breaches
        One for each level and kind of cell.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeshaping.verify.contents import Table
    >>> from placeshaping.verify.rules import RULES
    >>> table = pd.DataFrame(
    ...     {
    ...         "area_code": "a",
    ...         "period": "2025",
    ...         "category": ["All", "Burglary", "Robbery", "Arson"],
    ...         "status": ["shown", "shown", "hidden", "shown"],
    ...         "count": [10, 10, None, 0],
    ...     }
    ... )
    >>> contents = Contents("csv", tables=[Table("lsoa_values", table)])
    >>> check_subtraction(contents, RULES["councillor"])[1]
    []
    """
    claims = claims_of(contents, rules, source="file") if rules.threshold else None
    if claims is None:
        return [], []
    return attack([claims], public=public, budget=budget)


def attack(
    claims: Sequence[Claims],
    *,
    public: Mapping[str, Sequence[str]] | None = None,
    budget: int = BUDGET,
    strict: bool = False,
) -> tuple[list[str], list[Breach]]:
    """
    Take claims together, and solve all their sums.

    Parameters
    ----------
    claims
        Of one or several sources.
    public
        Code of an area -> codes of the areas that hold it.
    budget
        Cells that linear programmes are solved for.
    strict
        Hold every cell that is narrower than its mark against the sources;
        always so where counts are shown as they are, and where one source
        of rounded ones is not too large.

    Returns
    -------
    tried
        What was tried, in words.
    breaches
        What comes back.

    Examples
    --------
    >>> attack([])
    ([], [])
    """
    if not claims:
        return [], []
    system = system_of(claims, public=public)
    strict = strict or any(claim.exact for claim in claims)
    strict = strict or (len(claims) == 1 and system.lower.size <= MOST_STRICT)
    known = Bounds(system.lower.ravel(), system.upper.ravel())
    found = propagate(system, system.lower, system.upper)
    suspects = _suspects(system, found, budget)
    if len(suspects):
        solve(system, found, suspects, system.threshold.ravel())
        again = propagate(system, found.lower, found.upper)
        found.lower, found.upper = again.lower, again.upper
    narrow = np.flatnonzero(_narrow(system, found))
    exact = any(claim.exact for claim in claims)
    beyond = narrow[~_by_marks(system, found, narrow, exact=exact)]
    held = np.array(
        [
            strict
            or not system.hidden.flat[cell]
            or found.lower[cell] == found.upper[cell]
            or _by_one_sum(system, known, int(cell))
            for cell in beyond
        ],
        dtype=bool,
    )
    breaches = _breaches(system, known, found, beyond[held])
    return _words(system, found, narrow, beyond), breaches


def _targets(system: System) -> Flags:
    """Return the cells that a reader must not come to know: hidden, or never published."""
    return (system.hidden | ~system.published).ravel()


def _suspects(system: System, found: Bounds, budget: int) -> NDArray[np.intp]:
    """Return the cells most likely to be known: hidden, bounded, nearest to the threshold."""
    limit = system.threshold.ravel()
    bounded = np.isfinite(found.upper) & (found.lower < found.upper) & (found.lower < limit)
    cells = np.flatnonzero(_targets(system) & bounded)
    order = np.lexsort((cells, (found.upper - found.lower)[cells], (found.upper - limit)[cells]))
    cells = cells[order][: _WEIGHED * budget]
    slack = [_slack(system, found, int(cell)) for cell in cells]
    order = np.lexsort((np.array(slack), (found.upper - limit)[cells]))
    return cells[order][:budget]


def _slack(system: System, found: Bounds, cell: int) -> float:
    """Return how much the tightest sum of a cell leaves open of all that stands in it."""
    lower, upper = found.lower, found.upper
    return min(
        (float((upper[members] - lower[members]).sum()) for _, members in system.sums_with(cell)),
        default=0.0,
    )


def _narrow(system: System, found: Bounds) -> Flags:
    """Tell which cells are certain to be small counts, and narrower than their mark says."""
    smallest, most = system.smallest.ravel(), system.threshold.ravel() - 1
    certain = _targets(system) & (found.upper <= most) & (found.lower <= found.upper)
    certain &= found.upper >= smallest  # nothing recorded, where that may be shown
    return certain & ((found.upper < most) | (found.lower > smallest))


def _by_marks(system: System, found: Bounds, cells: NDArray[np.intp], *, exact: bool) -> Flags:
    """
    Tell which cells the marks alone leave so few values.

    A hidden total holds its hidden parts, so it is at least their number; and
    its parts are at most the total less the others, whatever is done, as long
    as the total may itself be a small count and its own mark holds. Where counts
    are exact, only as far as the other sums bound that total too.
    """
    hidden, limit = system.hidden.ravel(), system.threshold.ravel()
    none = system.upper.ravel() == 0
    kept = hidden & (found.lower < limit) & (found.upper >= limit - 1)
    own = found.upper if exact else np.minimum(found.upper, limit - 1)
    upper = np.where(none, 0, np.where(kept, own, np.inf))
    marks = propagate(system, np.where(hidden, system.smallest.ravel(), 0.0), upper)
    least = np.maximum(marks.lower, system.smallest.ravel())
    most = np.minimum(marks.upper, limit - 1)
    return ((found.lower <= least) & (found.upper >= most))[cells]


def _by_one_sum(system: System, known: Bounds, cell: int) -> bool:
    """Tell whether one sum alone leaves a cell fewer values than its mark says."""
    least, most = system.smallest.flat[cell], system.threshold.flat[cell] - 1
    for _, (total, *parts) in system.sums_with(cell):
        if total == cell:
            lower, upper = known.lower[parts].sum(), known.upper[parts].sum()
        else:
            others = [part for part in parts if part != cell]
            upper = known.upper[total] - known.lower[others].sum()
            lower = known.lower[total] - known.upper[others].sum()
        if upper <= most and (upper < most or lower > least):
            return True
    return False


def _breaches(
    system: System, known: Bounds, found: Bounds, leaking: NDArray[np.intp]
) -> list[Breach]:
    hidden = system.hidden.ravel()[leaking]
    proofs = {
        int(cell): proof_of(system, int(cell), known, found)
        for cell in [*leaking[hidden][:_PROOFS], *leaking[~hidden][:_PROOFS]]
    }
    breaches = []
    for cells, kind, name in (
        (leaking[hidden], "subtraction", "hidden count"),
        (leaking[~hidden], "sliver", "count that nobody published"),
    ):
        levels = np.array([system.level(int(cell)) for cell in cells], dtype=object)
        for level in dict.fromkeys(levels):
            own = cells[levels == level]
            breaches.append(_breach(system, own, found, proofs, str(level), kind, name))
    return breaches


def _breach(
    system: System,
    cells: NDArray[np.intp],
    found: Bounds,
    proofs: Mapping[int, Proof],
    level: str,
    kind: str,
    name: str,
) -> Breach:
    first = int(cells[0])
    mark = f"{system.smallest.flat[first]:g} to {system.threshold.flat[first] - 1:g}"
    plural = name.replace("count", "counts", 1)
    findings = tuple(
        _finding(system, int(cell), proofs.get(int(cell)) or Proof(_interval(found, int(cell))))
        for cell in cells[:_LISTED]
    )
    return Breach(
        level,
        f"{number_of(len(cells), name, names=plural)} from subtraction, narrower than {mark}",
        "; ".join(finding.proof for finding in findings[:_EXAMPLES]),
        attack=kind,
        cells=findings,
    )


def _finding(system: System, cell: int, proof: Proof) -> Finding:
    keys = (system.key(one) for one in (cell, *proof.cells))
    return Finding(
        system.name(cell), proof.text, tuple(dict.fromkeys(key for key in keys if key is not None))
    )


def _interval(found: Bounds, cell: int) -> str:
    lower, upper = found.lower[cell], found.upper[cell]
    return f"can only be {lower:g}" if lower == upper else f"can only be {lower:g} to {upper:g}"


def _words(
    system: System, found: Bounds, narrow: NDArray[np.intp], beyond: NDArray[np.intp]
) -> list[str]:
    """Say what was tried, with figures."""
    hidden = system.hidden.ravel()
    if not hidden.any():
        return [*system.told, "no hidden cells to work out by subtraction"]
    narrow, beyond = narrow[hidden[narrow]], beyond[hidden[beyond]]
    exact = int((found.lower == found.upper)[narrow].sum())
    width = (found.upper - found.lower + 1)[hidden]
    width = width[np.isfinite(width) & (width > 0)]
    smallest = f"; smallest width {width.min():,.0f}" if len(width) else ""
    words = [
        f"{number_of(int(hidden.sum()), 'hidden cell')} by subtraction, all sums together "
        f"({number_of(found.rounds, 'round')}): {exact:,} exact, {len(narrow):,} narrower than "
        f"the mark says{smallest}",
        f"{number_of(found.solved, 'cell')} by linear programmes, {found.exact:,} of them over "
        "everything they are tied to",
    ]
    if len(narrow) > len(beyond):
        words.append(
            f"{len(narrow) - len(beyond):,} of the narrower ones lie in a hidden total that may "
            "be small itself: the marks alone tell as much"
        )
    if found.contradictions:
        words.append(
            f"{number_of(found.contradictions, 'sum')} left out, for no counts can fulfil them"
        )
    return [*system.told, *words]

"""
Counts before and after as they may be evaluated and told of.

An evaluation tells totals, and tests that rest on single areas. Under a
policy that protects, both are worked out from one protected table: areas are
put together until none of their counts is under the threshold, and every
count is then rounded by itself. Whatever is worked out from that table tells
no more than the table, which the policy would let out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.codes import level_of
from placeshaping._core.errors import DisclosureError, HiddenError
from placeshaping.disclosure.policies import FINENESS, Policy
from placeshaping.disclosure.seal import Sealed
from placeshaping.shaping.evaluation import COMPARISON, TREATED, Floats, Panel, in_blocks

BLOCKS = (1, 3, 6, 12)
"""Lengths of a block in months, from which the shortest that can be shown is chosen."""

FEWEST_BLOCKS = 3
"""Blocks before the start from which on a series is worth showing."""

FEWEST_UNITS = 20
"""Comparison areas, or groups of them, that a series keeps where it can."""

_TREND_BLOCKS = 6
_MAKER = object()
_REMEDY = (
    "A ProtectedPanel is made by disclosure.panels.protect_panel(panel, policy=...), which "
    "protects the counts that an evaluation tells of."
)


@dataclass(frozen=True, repr=False)
class ProtectedPanel(Sealed, maker=_MAKER, remedy=_REMEDY):
    """
    Counts that an evaluation may be worked out from. Only `protect_panel` makes one.

    Attributes
    ----------
    whole
        All of the time before, and all of it after.
    blocks
        A series of blocks of months; None where the counts are too small.
    policy
        The rules that they obey.
    threshold
        The least count in either.
    areas
        How many areas each role has.
    months
        How many months before, and after.
    first, last
        The first and the last month.
    statement
        Sentences that say what was hidden and changed.
    """

    whole: Panel
    blocks: Panel | None
    policy: Policy
    threshold: int
    areas: dict[str, int]
    months: tuple[int, int]
    first: pd.Timestamp
    last: pd.Timestamp
    statement: tuple[str, ...]

    def __repr__(self) -> str:
        """Say in a line what it is."""
        return f"<ProtectedPanel of {self.areas}, policy {self.policy.name!r}>"


def protect_panel(
    panel: Panel, *, policy: Policy, sensitive: bool = False, block: int | None = None
) -> ProtectedPanel:
    """
    Protect the counts of an evaluation under a policy.

    Parameters
    ----------
    panel
        Of months and single areas, from `make_panel`.
    policy
        Who will see what is worked out from it.
    sensitive
        Whether its categories have the stricter threshold.
    block
        Length of the blocks of the series, months; by default the shortest
        that the counts bear.

    Returns
    -------
    protected
        For `reports.evaluation.make_evaluation`.

    Raises
    ------
    HiddenError
        If the treated or the comparison areas together have fewer records
        before or after than the policy shows.
    DisclosureError
        If the policy shows no counts, or changes them by keys of records, or
        the areas are finer than it allows.

    Examples
    --------
    >>> from placeshaping.disclosure.policies import POLICIES
    >>> from placeshaping.shaping.evaluation import make_panel
    >>> counts = pd.DataFrame({"area_code": list("abcd") * 2, "count": [9, 3, 2, 21, 6, 2, 4, 19],
    ...                        "period": ["2024-01-01"] * 4 + ["2024-02-01"] * 4})
    >>> panel = make_panel(counts, treated=["a"], start="2024-02-01")
    >>> protect_panel(panel, policy=POLICIES["councillor"]).whole.of("comparison").tolist()
    [[20.0, 20.0], [5.0, 5.0]]
    """
    _check(panel, policy)
    threshold = policy.sensitive_threshold if sensitive else policy.threshold
    late = int(panel.after.sum())
    stamps = pd.DatetimeIndex(panel.counts.columns)
    if not policy.protects:
        whole, blocks, told = panel, _exact_blocks(panel, block), list(panel.notes)
        told.append("The counts are as they were recorded: nothing was rounded or hidden.")
    else:
        whole, lost = _protected(_whole(panel), policy, threshold)
        blocks = _chosen_blocks(panel, policy, threshold, block)
        told = [*panel.notes, *_statement(panel, whole, blocks, policy, threshold, lost)]
    return ProtectedPanel(
        whole=whole,
        blocks=blocks,
        policy=policy,
        threshold=threshold,
        areas={str(k): int(v) for k, v in panel.roles.value_counts().items()},
        months=(len(stamps) - late, late),
        first=stamps[0],
        last=stamps[-1],
        statement=tuple(told),
        _maker=_MAKER,
    )


def require_protected(given: object, *, wanted_by: str) -> ProtectedPanel:
    """
    Return a protected panel, or refuse anything else and name the remedy.

    Raises
    ------
    DisclosureError
        If it is something else, or was changed after it was made.

    Examples
    --------
    >>> require_protected({"count": 3}, wanted_by="make_evaluation")
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.DisclosureError: make_evaluation takes a ProtectedPanel, not a dict...
    """
    if isinstance(given, ProtectedPanel) and given.unchanged:
        return given
    what = "one that was changed" if isinstance(given, ProtectedPanel) else f"a {_kind(given)}"
    msg = f"{wanted_by} takes a ProtectedPanel, not {what}. {_REMEDY}"
    raise DisclosureError(msg)


def _kind(given: object) -> str:
    return type(given).__name__


def _check(panel: Panel, policy: Policy) -> None:
    if not policy.counts_shown or policy.method == "cell_key":
        msg = (
            f"Policy {policy.name!r} shows no counts, or changes them by keys of records; an "
            "evaluation needs one that rounds, such as 'councillor' or 'public'."
        )
        raise DisclosureError(msg)
    if policy.finest in FINENESS:
        levels = {level_of(str(code)) for code in panel.roles.index}
        fine = [lvl for lvl in levels if lvl in FINENESS[: FINENESS.index(policy.finest)]]
        if fine:
            msg = (
                f"Policy {policy.name!r} tells of nothing finer than {policy.finest}; these areas "
                f"are of the level {fine[0]}. Evaluate larger areas."
            )
            raise DisclosureError(msg)


def _whole(panel: Panel) -> Panel:
    """Return all of the time before as one column, and all of it after as another."""
    before = panel.counts.loc[:, ~panel.after].sum(axis=1)
    after = panel.counts.loc[:, panel.after].sum(axis=1)
    first = pd.DatetimeIndex(panel.counts.columns)[0]
    table = pd.DataFrame({first: before, panel.start: after})
    return replace(panel, counts=table, months=0)


def _exact_blocks(panel: Panel, block: int | None) -> Panel | None:
    if block is not None:
        return in_blocks(panel, block)
    quarters = _blocks_of(panel, 3)
    if quarters is not None and (~quarters.after).sum() >= _TREND_BLOCKS:
        return quarters
    return panel if (~panel.after).sum() >= FEWEST_BLOCKS else None


def _blocks_of(panel: Panel, months: int) -> Panel | None:
    """Return blocks of so many months; None where there are none before or after."""
    stamps = pd.DatetimeIndex(panel.counts.columns)
    away = (stamps.year - panel.start.year) * 12 + stamps.month - panel.start.month
    numbers, sizes = np.unique(np.asarray(away) // months, return_counts=True)
    full = numbers[sizes == months]
    return in_blocks(panel, months) if (full < 0).any() and (full >= 0).any() else None


def _chosen_blocks(panel: Panel, policy: Policy, threshold: int, block: int | None) -> Panel | None:
    """Return the series of the shortest blocks in which enough areas can be told apart."""
    for months in BLOCKS if block is None else (block,):
        series = _blocks_of(panel, months)
        if series is None or (~series.after).sum() < FEWEST_BLOCKS:
            continue
        if any(series.of(role).sum(axis=0).min() < threshold for role in (TREATED, COMPARISON)):
            continue
        found, _ = _protected(series, policy, threshold)
        wanted = min(FEWEST_UNITS, int((panel.roles == COMPARISON).sum()))
        if (found.roles == COMPARISON).sum() >= wanted:
            return found
    return None


def _protected(panel: Panel, policy: Policy, threshold: int) -> tuple[Panel, list[str]]:
    """Put areas of a role together until no count is small, and round; tell rings that are lost."""
    tables, centres, roles, lost = [], [], [], []
    for role in (TREATED, COMPARISON, *panel.rings):
        own = panel.of(role)
        if own.sum(axis=0).min() < threshold:
            if role in (TREATED, COMPARISON):
                msg = (
                    f"The {role} areas together have fewer than {threshold} records before or "
                    f"after {panel.start.date()}, which the policy {policy.name!r} does not show. "
                    "Take longer periods, more categories, or more areas."
                )
                raise HiddenError(msg)
            lost.append(role)
            continue
        places = panel.places(role)
        units, middles = _units(own, threshold, places)
        centres.append(middles)
        tables.append(np.round(units / policy.rounding) * policy.rounding)
        roles += [role] * len(units)
    table = np.vstack(tables)
    names = pd.Index([f"unit {n}" for n in range(1, len(table) + 1)], name="area_code")
    counts = pd.DataFrame(table, index=names, columns=panel.counts.columns)
    known = panel.centres
    if known is not None:
        known = pd.DataFrame(np.vstack(centres), names, known.columns)
    grouped = pd.Series(roles, index=names, name="role")
    return replace(panel, counts=counts, roles=grouped, centres=known), lost


def _units(counts: Floats, threshold: int, places: Floats | None) -> tuple[Floats, Floats]:
    """
    Put areas together until every count reaches the threshold; return sums and middles.

    Areas that follow one another go together: along a curve that keeps
    neighbours near where their places are known, else from large to small.
    """
    if places is None:
        order = np.argsort(counts.min(axis=1), kind="stable")[::-1]
        places = np.zeros((len(counts), 2))
    else:
        order = _along_a_curve(places)
    groups: list[list[int]] = [[]]
    held: Floats = np.zeros(counts.shape[1])
    for area in order:
        groups[-1].append(int(area))
        held = held + counts[area]
        if held.min() >= threshold:
            groups.append([])
            held = np.zeros(counts.shape[1])
    rest = groups.pop()
    groups[-1] += rest
    sums = np.array([counts[members].sum(axis=0) for members in groups])
    return sums, np.array([places[members].mean(axis=0) for members in groups])


def _along_a_curve(places: Floats) -> NDArray[np.intp]:
    """Return the order of places along Morton's curve of 1,024 by 1,024 squares."""
    low, high = places.min(axis=0), places.max(axis=0)
    square = ((places - low) / np.maximum(high - low, 1e-9) * 1023).astype(np.int64)
    code = np.zeros(len(places), dtype=np.int64)
    for bit in range(10):
        for axis in (0, 1):
            code |= ((square[:, axis] >> bit) & 1) << (2 * bit + axis)
    return np.argsort(code, kind="stable")


def _statement(
    panel: Panel,
    whole: Panel,
    blocks: Panel | None,
    policy: Policy,
    threshold: int,
    lost: list[str],
) -> list[str]:
    told = [
        f"{len(panel.roles):,} areas were put into {len(whole.roles):,} groups in which no count "
        f"is under {threshold}; each count was then rounded to {policy.rounding}. Everything in "
        "this report is worked out from these."
    ]
    if policy.rounding > 1:
        groups = int((whole.roles == TREATED).sum())
        off = policy.rounding / np.sqrt(12) * np.sqrt(groups)
        told.append(
            f"Rounding alone leaves the total of the treated areas uncertain by about {off:.1f} "
            "(standard error); the intervals hold that."
        )
    if blocks is None:
        told.append(
            "The counts are too small for a series of months or quarters under this policy: "
            "whether the areas went together before, and a synthetic control, cannot be told."
        )
    if lost:
        told.append(f"Too little was recorded in {' and '.join(lost)} to be told of.")
    return told

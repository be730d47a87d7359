"""Hide small counts at every level together, and round the rest."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.checks import listed, near_names
from placeshaping._core.errors import DisclosureError
from placeshaping.disclosure.cells import Cells, Sums, check_cells, find_sums, make_cells
from placeshaping.disclosure.perturbation import additive_cubes, perturbed_cubes
from placeshaping.disclosure.policies import Policy
from placeshaping.disclosure.suppression import protect_cells
from placeshaping.hotspots.study import Study
from placeshaping.statistics.views import CategoryView

GROUPS = "imd_decile"

WHOLE = "whole"
"""All areas together: published nowhere, but the larger areas and the deciles both add up to it."""


@dataclass(frozen=True)
class Groups:
    """
    Groups that cut across the ladder: the tenths of the deprivation index.

    Attributes
    ----------
    name
        Name of the grouping.
    labels
        Label of each group.
    sizes
        Areas in each.
    exposures
        Denominator -> number in each group.
    """

    name: str
    labels: NDArray[np.int64]
    sizes: NDArray[np.int64]
    exposures: Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Protected:
    """
    Counts that may leave.

    Attributes
    ----------
    counts
        Level (or name of the groups) -> rounded counts, 0 where hidden.
    hidden
        The cells that are hidden, for whatever reason.
    true
        The counts as they were; they must not leave.
    groups
        The deciles; None where deprivation is not known.
    audited
        How it was made sure that no sum gives a hidden count back:
        ``"exact"``, ``"lp"`` or ``"bounds"``; empty where nothing is hidden.
    """

    counts: Mapping[str, NDArray[np.int64]]
    hidden: Mapping[str, NDArray[np.bool_]]
    true: Mapping[str, NDArray[np.int64]]
    groups: Groups | None
    audited: str


def suppress_small(counts: NDArray[np.int64], policy: Policy) -> NDArray[np.bool_]:
    """
    Tell which counts the threshold hides.

    Examples
    --------
    >>> from placeshaping.disclosure.policies import policy_named
    >>> counts = np.array([0, 4, 9, 10])
    >>> suppress_small(counts, policy_named("public")).tolist()
    [True, True, True, False]
    >>> suppress_small(counts, policy_named("councillor")).tolist()
    [False, True, False, False]
    """
    return (counts < policy.threshold) & (counts >= policy.smallest_hidden)


def round_counts(counts: NDArray[np.int64], policy: Policy) -> NDArray[np.int64]:
    """
    Round counts to the policy's base, halves to the even multiple.

    Examples
    --------
    >>> from placeshaping.disclosure.policies import policy_named
    >>> round_counts(np.array([12, 13, 0]), policy_named("public")).tolist()
    [10, 15, 0]
    """
    rounded: NDArray[np.int64] = (policy.rounding * np.rint(counts / policy.rounding)).astype(
        np.int64
    )
    return rounded


def protect(
    study: Study,
    *,
    policy: Policy,
    sensitive: Collection[str] = (),
    also_hidden: Mapping[str, NDArray[np.bool_]] | None = None,
    hidden_before: Mapping[str, NDArray[np.bool_]] | None = None,
) -> Protected:
    """
    Protect the counts of all levels, periods, categories and deprivation deciles as one system.

    Parameters
    ----------
    study
        Unprotected counts.
    policy
        Threshold, rounding, method, and whether zero may be shown.
    sensitive
        Categories, or labels of what is shown, whose threshold is the
        policy's for sensitive ones.
    also_hidden, hidden_before
        Level (or ``"imd_decile"``) -> cells that must be hidden whatever
        their count, and cells that were hidden in a former release and are
        hidden first where something must be.

    Returns
    -------
    protected
        Protected counts and what is hidden.
    """
    groups, position = _groups(study)
    if policy.method == "suppress" and len(study.ladder.areas[study.ladder.levels[-1]]) > 1:
        groups = None  # they would tie all districts into one system

    def sum_up(values: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
        found = {level: study.ladder.sum_to(level, values) for level in study.ladder.levels}
        return found if groups is None else {**found, GROUPS: _grouped(values, position, groups)}

    finest = study.cubes[study.ladder.finest]
    cubes = sum_up(finest)
    strict = np.array([is_sensitive(view, sensitive) for view in study.categories])
    also_hidden = also_hidden or {}
    audited = ""
    if policy.method == "round" or policy.method == "suppress":
        tied = dict(cubes)
        if groups is not None:
            tied[WHOLE] = finest.sum(axis=-1, keepdims=True)
        cells = _cells(study, tied, position, policy, strict, also_hidden, hidden_before or {})
        check_cells(cells, name=_namer(study, tied))
        done = protect_cells(cells, method=policy.method)
        hidden, audited = _unflat(done.hidden, tied), done.audited
        counts = {name: round_counts(cube, policy) for name, cube in cubes.items()}
    else:
        if policy.method == "cell_key":
            keys = None if study.keys is None else sum_up(study.keys)
            counts = perturbed_cubes(cubes, keys, strict, policy)
        elif policy.method == "additive":
            places = {**study.ladder.positions, **({} if groups is None else {GROUPS: position})}
            counts = additive_cubes(finest, places, sum_up, strict, policy)
        else:
            counts = cubes
        hidden = _under(counts, study, policy, strict, also_hidden)
    return Protected(
        counts={name: np.where(hidden[name], 0, counts[name]) for name in cubes},
        hidden={name: hidden[name] for name in cubes},
        true=cubes,
        groups=groups,
        audited=audited,
    )


def _under(
    counts: Mapping[str, NDArray[np.int64]],
    study: Study,
    policy: Policy,
    strict: NDArray[np.bool_],
    also_hidden: Mapping[str, NDArray[np.bool_]],
) -> dict[str, NDArray[np.bool_]]:
    """Tell which changed counts must not be shown all the same."""
    thresholds = _thresholds(policy, strict)
    return {
        name: (cube >= policy.smallest_hidden)
        & (cube < thresholds)
        & study.covered.get(name, np.bool_(True))
        | also_hidden.get(name, np.bool_(False))
        for name, cube in counts.items()
    }


def _thresholds(policy: Policy, strict: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the threshold of each category, to be laid along the second axis of a cube."""
    return np.where(strict, policy.sensitive_threshold, policy.threshold)[:, None]


def _grouped(
    values: NDArray[np.int64], position: NDArray[np.intp], groups: Groups
) -> NDArray[np.int64]:
    """Add counts of the finest areas up to the groups."""
    inside = position >= 0
    summed = np.zeros((*values.shape[:2], len(groups.labels)), dtype=np.int64)
    np.add.at(np.moveaxis(summed, -1, 0), position[inside], np.moveaxis(values, -1, 0)[inside])
    return summed


def _cells(
    study: Study,
    cubes: Mapping[str, NDArray[np.int64]],
    deciles: NDArray[np.intp],
    policy: Policy,
    strict: NDArray[np.bool_],
    also_hidden: Mapping[str, NDArray[np.bool_]],
    hidden_before: Mapping[str, NDArray[np.bool_]],
) -> Cells:
    """Put the cubes into one system; what the records do not cover is published nowhere."""
    thresholds = _thresholds(policy, strict)
    seen = {
        name: (cube == 0) | (study.covered.get(name, np.bool_(name != WHOLE)))
        for name, cube in cubes.items()
    }

    def flat(given: Mapping[str, NDArray[np.bool_]]) -> NDArray[np.bool_]:
        return _flat({n: given.get(n, np.zeros(c.shape, dtype=bool)) for n, c in cubes.items()})

    return make_cells(
        _flat(cubes),
        _sums(study, cubes, deciles),
        threshold=_flat({n: np.broadcast_to(thresholds, c.shape) for n, c in cubes.items()}),
        smallest_hidden=policy.smallest_hidden,
        rounding=policy.rounding,
        published=_flat(seen),
        block=_blocks(study, cubes),
        hidden_before=flat(hidden_before),
        always_hidden=flat(also_hidden),
    )


def is_sensitive(view: CategoryView, sensitive: Collection[str]) -> bool:
    """
    Tell whether a category is marked sensitive, or holds one that is beside others.

    The total of everything is not: it says least of any one category.

    Examples
    --------
    >>> is_sensitive(CategoryView("Violence", ("Rape", "Assault")), ["Rape"])
    True
    """
    if view.label in sensitive:
        return True
    return not view.total and bool(set(view.parts) & set(sensitive))


def check_sensitive(sensitive: Collection[str], known: Sequence[str]) -> None:
    """
    Refuse names of sensitive categories that the records do not have.

    Raises
    ------
    DisclosureError
        If one is not among those known.

    Examples
    --------
    >>> check_sensitive(["Burglry"], ["Burglary", "Robbery"])
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.DisclosureError: sensitive names 'Burglry', which is no category of \
the records. Did you mean Burglary?
    """
    for name in sensitive:
        if name not in known:
            near = near_names(name, known)
            hint = f" Did you mean {listed(near)}?" if near else ""
            msg = f"sensitive names {name!r}, which is no category of the records.{hint}"
            raise DisclosureError(msg)


def _blocks(study: Study, cubes: Mapping[str, NDArray[np.int64]]) -> NDArray[np.intp]:
    """Return the number of each cell's area of the coarsest level; -1 where it spans several."""
    top = study.ladder.levels[-1]
    blocks = {
        name: study.ladder.parents(name, top)
        if name in study.ladder.levels
        else np.full(cube.shape[-1], -1, dtype=np.intp)
        for name, cube in cubes.items()
    }
    return _flat({name: np.broadcast_to(blocks[name], c.shape) for name, c in cubes.items()})


def _groups(study: Study) -> tuple[Groups | None, NDArray[np.intp]]:
    """Return the deciles, and for each finest area the position of its decile, -1 for none."""
    size = len(study.ladder.areas[study.ladder.finest])
    if study.deciles is None or not np.isfinite(study.deciles).any():
        return None, np.full(size, -1, dtype=np.intp)
    known = pd.Series(np.where(study.covered[study.ladder.finest], study.deciles, np.nan))
    position, labels = pd.factorize(known, sort=True)
    exposures: dict[str, NDArray[np.float64]] = {
        name: np.bincount(
            position[position >= 0], values[position >= 0], minlength=len(labels)
        ).astype(float)
        for name, values in study.exposures[study.ladder.finest].items()
    }
    groups = Groups(
        GROUPS,
        labels=np.asarray(labels).astype(np.int64),
        sizes=np.bincount(position[position >= 0], minlength=len(labels)),
        exposures=exposures,
    )
    return groups, position.astype(np.intp)


def study_groups(study: Study) -> Groups | None:
    """Return the deprivation deciles of a study; None where deprivation is not known."""
    return _groups(study)[0]


def _sums(study: Study, cubes: Mapping[str, NDArray[np.int64]], deciles: NDArray[np.intp]) -> Sums:
    levels = study.ladder.levels
    parents = [
        (lower, upper, study.ladder.parents(lower, upper)) for lower, upper in study.ladder.pairs()
    ]
    if WHOLE not in cubes:
        return _sums_of(cubes, parents)
    parents += [
        (level, WHOLE, np.zeros(cubes[level].shape[-1], dtype=np.intp))
        for level in levels
        if study.ladder.parent_level(level) is None
    ]
    parents.append((study.ladder.finest, GROUPS, deciles))
    if (deciles >= 0).all():
        parents.append((GROUPS, WHOLE, np.zeros(cubes[GROUPS].shape[-1], dtype=np.intp)))
    return _sums_of(cubes, parents)


def _sums_of(
    cubes: Mapping[str, NDArray[np.int64]],
    parents: Sequence[tuple[str, str, NDArray[np.intp]]],
) -> Sums:
    return find_sums(
        {name: (cube.shape[0], cube.shape[1], cube.shape[2]) for name, cube in cubes.items()},
        periods_add_up=True,
        categories_add_up=True,
        parents=parents,
    )


def _namer(study: Study, cubes: Mapping[str, NDArray[np.int64]]) -> Callable[[int], str]:
    """Return what says in words which cell a number is."""

    def name(cell: int) -> str:
        for level, cube in cubes.items():
            if cell < cube.size:
                p, c, a = (int(place) for place in np.unravel_index(cell, cube.shape))
                areas = study.ladder.areas.get(level)
                area = level if areas is None else f"{level} {areas.index[a]}"
                return f"{area}, {study.categories[c].label}, {study.periods[p].label}"
            cell -= cube.size
        return "a cell"

    return name


def _flat(cubes: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate([cube.ravel() for cube in cubes.values()])


def _unflat(
    flat: NDArray[np.bool_], cubes: Mapping[str, NDArray[np.int64]]
) -> dict[str, NDArray[np.bool_]]:
    found, start = {}, 0
    for name, cube in cubes.items():
        found[name] = flat[start : start + cube.size].reshape(cube.shape)
        start += cube.size
    return found

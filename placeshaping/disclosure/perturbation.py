"""Methods that change counts rather than hide them: cell keys, and rounding that adds up."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from placeshaping._core.errors import DisclosureError
from placeshaping.disclosure.additive import round_small
from placeshaping.disclosure.cell_key import make_noise, perturb
from placeshaping.disclosure.policies import Policy

Cubes = Mapping[str, NDArray[np.int64]]

SumUp = Callable[[NDArray[np.int64]], dict[str, NDArray[np.int64]]]
"""Adds counts of the finest areas (last axis) up to every level and group."""


def perturbed_cubes(
    cubes: Cubes, keys: Cubes | None, strict: NDArray[np.bool_], policy: Policy
) -> dict[str, NDArray[np.int64]]:
    """
    Change counts by their cell keys.

    Parameters
    ----------
    cubes, keys
        Name -> counts, and sums of the records' keys, of shape (periods,
        categories, areas).
    strict
        Which categories are sensitive.
    policy
        Its thresholds are the smallest counts above zero that come out.

    Raises
    ------
    DisclosureError
        If the records have no keys.
    """
    if keys is None:
        msg = (
            f"Policy {policy.name!r} changes counts by the keys of their records, and these have "
            "none. Name the file of the secret in the recipe: secret = '../key.txt'; in Python, "
            "give counts a column 'key' (disclosure.cell_key.record_keys)."
        )
        raise DisclosureError(msg)
    usual = make_noise(least_shown=max(policy.threshold, 1))
    made = {name: perturb(cube, keys[name], usual) for name, cube in cubes.items()}
    if strict.any():
        table = make_noise(least_shown=max(policy.sensitive_threshold, 1))
        for name, cube in cubes.items():
            made[name][:, strict] = perturb(cube[:, strict], keys[name][:, strict], table)
    return made


def additive_cubes(
    finest: NDArray[np.int64],
    positions: Mapping[str, NDArray[np.intp]],
    sum_up: SumUp,
    strict: NDArray[np.bool_],
    policy: Policy,
) -> dict[str, NDArray[np.int64]]:
    """
    Round small counts to 0 or the base so that everything adds up.

    Parameters
    ----------
    finest
        Counts of the finest areas, shape (periods, categories, areas), totals
        first.
    positions
        Level or group -> for each finest area the position of what holds it;
        -1 for nothing.
    sum_up
        Adds the finest areas up to all of these.
    strict
        Which categories are sensitive: their base is the sensitive threshold.
    policy
        Its rounding is the base.
    """
    first = tuple(1 if size > 1 else 0 for size in finest.shape[:2])
    inner = finest[first[0] :, first[1] :]
    categories = inner.shape[1]
    base = np.where(strict[first[1] :], max(policy.sensitive_threshold, policy.rounding), 0)
    base = np.maximum(base, max(policy.rounding, policy.threshold))
    p, c, _ = np.indices(inner.shape).reshape(3, -1)
    totals: dict[str, NDArray[np.intp]] = {}
    for name, position in positions.items():
        area = np.broadcast_to(position, inner.shape).ravel()
        size = int(position.max(initial=0)) + 1
        crossed = {
            f"{name} of each": (p * categories + c) * size + area,
            f"{name} by category": c * size + area,
            f"{name} by period": p * size + area,
            name: area,
        }
        totals |= {key: np.where(area < 0, -1, number) for key, number in crossed.items()}
    flat = np.broadcast_to(base[:, None], inner.shape)
    rounded = round_small(inner.ravel(), flat.ravel().astype(np.int64), totals).reshape(inner.shape)
    whole = np.empty_like(finest)
    whole[first[0] :, first[1] :] = rounded
    if first[1]:
        whole[first[0] :, 0] = rounded.sum(axis=1)
    if first[0]:
        whole[0] = whole[1:].sum(axis=0)
    return sum_up(whole)

"""Protect a new release together with those before it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from placeshaping._core.checks import listed
from placeshaping._core.errors import HiddenError
from placeshaping.disclosure.ledger.entry import LedgerEntry, entry_of
from placeshaping.disclosure.policies import Policy
from placeshaping.disclosure.protection import Protected, protect, study_groups
from placeshaping.hotspots.study import Study

if TYPE_CHECKING:
    from placeshaping.disclosure.ledger import Ledger
    from placeshaping.disclosure.release import Release

Cubes = dict[str, NDArray[np.bool_]]

HiddenCell = tuple[str, str, str, str]
"""Level, area, period and category, as they are labelled."""


def is_remembered(policy: Policy) -> bool:
    """
    Tell whether releases under a policy stand in the ledger: those that leave, protected.

    Examples
    --------
    >>> from placeshaping.disclosure.policies import POLICIES
    >>> [name for name, policy in POLICIES.items() if not is_remembered(policy)]
    ['open', 'restricted', 'internal']
    """
    return policy.leaves and policy.protects


def named_cells(study: Study, cells: Collection[HiddenCell]) -> Cubes:
    """
    Mark cells by their names; what the study does not have is passed over.

    Examples
    --------
    >>> named_cells(None, [])
    {}
    """
    found: Cubes = {}
    if not cells:
        return found
    periods = {period.label: at for at, period in enumerate(study.periods)}
    categories = {view.label: at for at, view in enumerate(study.categories)}
    places = {
        level: {str(code): at for at, code in enumerate(areas.index)}
        for level, areas in study.ladder.areas.items()
    }
    groups = study_groups(study)
    if groups is not None:
        labels = enumerate(groups.labels)
        places[groups.name] = {f"{groups.name} {label}": at for at, label in labels}
    for level, area, period, category in cells:
        place = places.get(level, {}).get(area)
        if place is not None and period in periods and category in categories:
            shape = (len(periods), len(categories), len(places[level]))
            cube = found.setdefault(level, np.zeros(shape, dtype=bool))
            cube[periods[period], categories[category], place] = True
    return found


def attacked_sentence(named: Cubes) -> tuple[str, ...]:
    """
    Say how many cells are hidden because an attack has named them.

    Examples
    --------
    >>> attacked_sentence({})
    ()
    """
    number = sum(int(cube.sum()) for cube in named.values())
    return (_ATTACKED.format(number=number),) if number else ()


def protect_beside(
    ledger: Ledger,
    study: Study,
    *,
    policy: Policy,
    sensitive: Collection[str],
    assemble: Callable[[Protected, Sequence[str]], Release],
    also_hidden: Mapping[str, NDArray[np.bool_]] | None = None,
) -> Release:
    """
    Protect a release together with those before it: hide what they would give away.

    Parameters
    ----------
    ledger
        What was released before. Nothing is entered into it.
    study, policy, sensitive
        As `protect` takes them.
    assemble
        Makes a release from protected counts and further sentences for its
        statement.
    also_hidden
        Level (or ``"imd_decile"``) -> cells that an attack has named.

    Raises
    ------
    HiddenError
        If so much must be hidden that no level passes; the cells are named.
    """

    def cubes(made: LedgerEntry, chosen: NDArray[np.bool_]) -> Cubes:
        level = made.cells["level"].to_numpy()
        size = (len(study.periods), len(study.categories), -1)
        return {name: chosen[level == name].reshape(size) for name in dict.fromkeys(level)}

    def protected(before: Cubes | None = None) -> Release:
        number = sum(int(cube.sum()) for cube in given_away.values())
        return assemble(
            protect(
                study,
                policy=policy,
                sensitive=sensitive,
                also_hidden=given_away,
                hidden_before=before,
            ),
            [_TOGETHER.format(number=number)] if number else [],
        )

    given_away: Cubes = {level: cube.copy() for level, cube in (also_hidden or {}).items()}
    made = protected()
    entry = entry_of(made)
    before = cubes(entry, ledger.hidden_before(entry.dataset, entry.cells))
    if any(cube.any() for cube in before.values()):
        made = protected(before)
        entry = entry_of(made)
    proofs: list[str] = []
    while not (found := ledger.conflicts(entry)).empty:
        proofs += found.attrs["proofs"][:3]
        zeros = policy.zeros_shown & (entry.cells["count"] == 0).fillna(False)
        blamed = entry.cells.index.isin(found.index) & ~zeros.to_numpy(dtype=bool)
        if not blamed.any():  # a zero that is shown cannot be hidden: its mark would say it is none
            raise HiddenError(_ZEROS.format(number=len(found), proofs=listed(proofs, most=3)))
        for name, cube in cubes(entry, blamed).items():
            given_away[name] = given_away.get(name, np.zeros_like(cube)) | cube
        number = sum(int(cube.sum()) for cube in given_away.values())
        try:
            made = protected(before)
        except HiddenError as error:
            msg = _REFUSED.format(error=error, number=number, proofs=listed(proofs, most=3))
            raise HiddenError(msg) from error
        entry = entry_of(made)
    return made


_TOGETHER = (
    "{number:,} of the numbers are hidden because they would give others away together with what "
    "was released before."
)
_ATTACKED = (
    "{number:,} of the numbers are hidden because an attack on the written product showed that "
    "they would give others away."
)
_ZEROS = (
    "{number:,} numbers that are zero, and shown as such, would give others away together with "
    "earlier releases ({proofs}). Show the periods, categories and areas that were shown before, "
    "or take a policy that hides zero; `placeshaping ledger list` says what was released."
)
_REFUSED = (
    "{error} {number:,} numbers would give others away together with earlier releases ({proofs}); "
    "`placeshaping ledger list` shows those. If one of them never left the house: placeshaping "
    "ledger withdraw NUMBER --because TEXT --never-left."
)

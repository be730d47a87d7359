"""Protect a new release together with those before it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from placeshaping._core.checks import listed
from placeshaping._core.errors import HiddenError
from placeshaping.disclosure.ledger_entry import LedgerEntry, entry_of
from placeshaping.disclosure.policies import Policy
from placeshaping.disclosure.protection import Protected, protect
from placeshaping.hotspots.study import Study

if TYPE_CHECKING:
    from placeshaping.disclosure.ledger import Ledger
    from placeshaping.disclosure.release import Release

Cubes = dict[str, NDArray[np.bool_]]


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


def protect_beside(
    ledger: Ledger,
    study: Study,
    *,
    policy: Policy,
    sensitive: Collection[str],
    assemble: Callable[[Protected, Sequence[str]], Release],
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

    Raises
    ------
    HiddenError
        If so much must be hidden that no level passes; the cells are named.
    """

    def cubes(made: LedgerEntry, chosen: NDArray[np.bool_]) -> Cubes:
        level = made.cells["level"].to_numpy()
        size = (len(study.periods), len(study.categories), -1)
        return {name: chosen[level == name].reshape(size) for name in dict.fromkeys(level)}

    made = assemble(protect(study, policy=policy, sensitive=sensitive), ())
    entry = entry_of(made)
    before = cubes(entry, ledger.hidden_before(entry.dataset, entry.cells))
    if any(cube.any() for cube in before.values()):
        protected = protect(study, policy=policy, sensitive=sensitive, hidden_before=before)
        made = assemble(protected, ())
        entry = entry_of(made)
    given_away: Cubes = {}
    proofs: list[str] = []
    while not (found := ledger.conflicts(entry)).empty:
        proofs += found.attrs["proofs"][:3]
        zeros = policy.zeros_shown & (entry.cells["count"] == 0).fillna(False)
        blamed = entry.cells.index.isin(found.index) & ~zeros.to_numpy(dtype=bool)
        if not blamed.any():  # a zero that is shown cannot be hidden: its mark would say it is none
            raise HiddenError(_ZEROS.format(number=len(found), proofs=listed(proofs, most=3)))
        for name, cube in cubes(entry, blamed).items():
            given_away[name] = given_away.get(name, np.zeros_like(cube)) | cube
        protected = protect(
            study,
            policy=policy,
            sensitive=sensitive,
            also_hidden=given_away,
            hidden_before=before,
        )
        number = sum(int(cube.sum()) for cube in given_away.values())
        try:
            made = assemble(protected, [_TOGETHER.format(number=number)])
        except HiddenError as error:
            msg = _REFUSED.format(error=error, number=number, proofs=listed(proofs, most=3))
            raise HiddenError(msg) from error
        entry = entry_of(made)
    return made


_TOGETHER = (
    "{number:,} of the numbers are hidden because they would give others away together with what "
    "was released before."
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

"""What may be shown of a patrol product: which cells, and what is said beside them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from placeshaping._core.errors import HiddenError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from placeshaping.disclosure.release import Release
    from placeshaping.hotspots.study import Study
    from placeshaping.project.patrol_facts import PatrolFacts
    from placeshaping.project.patrol_forecast import FittedPlace
    from placeshaping.project.patrol_labels import Nearby
    from placeshaping.project.patrol_place import Place
    from placeshaping.project.patrol_request import PatrolRequest
    from placeshaping.shaping.patrol import PatrolPlan

MOST_SHOWN = 1_500
"""Cells of a grid up to which all of it is shown; a telephone opens no more at ease."""

NEAR = 1_000.0
"""Metres around patrol areas that are shown of a larger grid."""

_DWELL = (
    "A visit of about {minutes} minutes is a hint: longer stays added little (Koper 1995). It is "
    "not an instruction to stop or search anybody."
)


def protect(
    request: PatrolRequest,
    fitted: FittedPlace,
    plan: PatrolPlan,
    expected: NDArray[np.float64],
    nearby: Nearby,
    facts: PatrolFacts,
) -> Release:
    """Protect the whole grid; of a large one, or where too much is hidden, what lies around."""
    from placeshaping.project.patrol_labels import make_study, name_cells, patrol_labels

    place, history = fitted.place, fitted.fitted.history
    offences = " and ".join(history.target.categories)
    named = name_cells(place.cells, plan)
    method = f"Patrol areas: {plan.method} {fitted.because}"

    def study_of(cells: Any) -> Study:
        return patrol_labels(
            make_study(place, cells, category=f"{offences} (floor: all records)"),
            plan,
            expected,
            nearby,
            history,
            offences=offences,
            method=method,
        )

    if len(named) <= MOST_SHOWN:
        try:
            return _release(request, study_of(named), place, facts, ())
        except HiddenError:
            pass  # too much of the whole: what follows shows less
    around = _near(plan, place) & tellable(count_all(place))
    shown = named.loc[around]
    shown.attrs.update(named.attrs)
    told = (
        f"Shown are the patrol areas and the cells within {NEAR / 1000:g} km of them, but for gaps "
        "where fewer than five records lie in a cell, but some."
    )
    return _release(request, study_of(shown), place, facts, (told,))


def tellable(counted: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which cells the policy's floor leaves open: none recorded, or enough."""
    import numpy as np

    from placeshaping.project.patrol_labels import FLOOR

    return np.asarray((counted == 0) | (counted >= FLOOR))


def count_all(place: Place) -> NDArray[np.int64]:
    """Count the records of each cell, of whatever offence and time."""
    import numpy as np

    return np.bincount(place.at, minlength=len(place.units))


def _near(plan: PatrolPlan, place: Place) -> NDArray[np.bool_]:
    """Tell which cells lie around the patrol areas."""
    import numpy as np
    from scipy.spatial import KDTree

    xy = place.units.xy
    flagged = xy[place.units.codes.get_indexer(plan.cells.index)]
    away, _ = KDTree(flagged).query(xy)
    return np.asarray(away <= NEAR)


def _release(
    request: PatrolRequest,
    study: Study,
    place: Place,
    facts: PatrolFacts,
    changes: tuple[str, ...],
) -> Release:
    from placeshaping.disclosure.release import NOT_FOR, release

    floor = (
        "What may be told of a cell goes by all records that were read, of whatever offence: a "
        "cell with fewer than five of them, but some, is in no patrol area and has no class."
    )
    return release(
        study,
        policy="police",
        title=f"{facts.title}, {facts.shift}",
        made_on=facts.made_on,
        subject="Recorded crime",
        purpose=facts.purpose,
        contact=facts.contact,
        sensitivity=place.sensitivity,
        expires=facts.expires,
        sources=[dataclasses.replace(one, rows=None) for one in place.sources],
        notes=_notes(request, facts),
        changes=(floor, *changes),
        not_for=(
            *NOT_FOR,
            "As a reason to suspect whoever is met in a cell, or to police it more hardly.",
        ),
    )


def _notes(request: PatrolRequest, facts: PatrolFacts) -> list[str]:
    """Write what every product says of the request, its records and who decides."""
    offences = "; ".join(f"{name} ({tag})" for name, tag in facts.offences.items())
    return [
        f"Shift: {facts.shift}.",
        f"Who decides: {facts.decides}.",
        f"Offences, and how they come to be recorded: {offences}.",
        f"Records from {facts.records_from} to {facts.records_to}; {facts.unlocated:.1%} of those "
        f"read had no place, {facts.elsewhere:.1%} lie outside the district.",
        facts.because,
        f"Patrol areas: {facts.share_of_area:.1%} of the district. {facts.method}",
        facts.visiting,
        _DWELL.format(minutes=request.cover.dwell_minutes),
        *facts.cautions,
        *facts.marks,
    ]

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

_GAPS = (
    "Gaps in the map are cells in which fewer than five records lie, but some, or which lie in a "
    "larger cell (500 or 1,000 m) of which that is true."
)

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
            make_study(place, cells, category="Recorded crime"),
            plan,
            expected,
            nearby,
            history,
            offences=offences,
            model=fitted.model,
            method=method,
        )

    open_ = tellable(place)
    around = _near(plan, place)
    if len(named) <= MOST_SHOWN:
        try:
            return _release(request, study_of(_those(named, open_)), place, facts, (_GAPS,))
        except HiddenError:
            pass  # too much of the whole: what follows shows less
    told = f"Shown are the patrol areas and the cells within {NEAR / 1000:g} km of them. {_GAPS}"
    return _release(request, study_of(_those(named, around & open_)), place, facts, (told,))


def _those(cells: Any, which: NDArray[np.bool_]) -> Any:
    shown = cells.loc[which]
    shown.attrs.update(cells.attrs)
    return shown


def tellable(place: Place) -> NDArray[np.bool_]:
    """
    Tell which cells the policy's floor leaves open: those that no size of cells shows to be few.

    Parameters
    ----------
    place
        With all its records.

    Returns
    -------
    tellable
        Whether none, or at least five records lie in a cell, and so in the larger cells of
        500 and 1,000 metres that hold it. Answers in cells of several sizes tell of each
        other: of a large cell with four records whose four small cells are all few, each
        holds one.
    """
    import numpy as np
    import pandas as pd

    from placeshaping.project.patrol_labels import FLOOR
    from placeshaping.project.patrol_sections import CELLS

    counted = count_all(place)
    may = np.ones(len(counted), dtype=bool)
    corner = place.units.codes.str.extract(r"E(-?\d+)N(-?\d+)$").astype("int64").to_numpy()
    for size in CELLS:
        if size >= (place.units.cell or 0):
            key = pd.MultiIndex.from_arrays(list((corner // size).T))
            number, _ = key.factorize()
            held = np.bincount(number, weights=counted)[number]
            may &= (held == 0) | (held >= FLOOR)
    return may


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
        "What may be told of a cell goes by all records that were read, of whatever offence. The "
        "columns class and rank of the tables tell only whether five or more lie in a cell, or "
        "none; patrols are ranked by their letters."
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
        *([facts.audited] if facts.audited else []),
    ]

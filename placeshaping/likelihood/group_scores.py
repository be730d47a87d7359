"""
How a tested model did for the places of each group of residents: an audit, no input.

Hit rate and burden by deprivation decile or census group, over the periods of a
backtest that are kept for reporting.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from placeshaping._core.errors import EmptyError
from placeshaping.likelihood._choosing import events_of, flagged_parts
from placeshaping.likelihood._residents import of_units
from placeshaping.likelihood.backtest import Backtest
from placeshaping.likelihood.comparison import Comparison


def hits_by_group(
    backtest: Backtest, comparison: Comparison, residents: pd.DataFrame
) -> pd.DataFrame:
    """
    Count what the model to be used caught in the places of each group.

    The events of a unit are shared out among the groups as its residents are,
    and so is what is flagged of it.

    Parameters
    ----------
    backtest
        What was flagged, and what happened.
    comparison
        Which model is to be used, at which share of the area, and from when on
        its periods are for reporting.
    residents
        Indexed by unit code, one column a group, tagged ``audit_only``.

    Returns
    -------
    hits
        Index: the groups. ``n``, ``N`` (events caught and all; parts of events
        among them), ``burden_ratio`` (share of flagged residents over share of
        all residents, on average over the periods), ``periods``.

    Raises
    ------
    UnmatchedError, InputError
        If units are not in `residents`, or numbers are missing.
    EmptyError
        If the model had no forecast in the periods for reporting.
    """
    units = backtest.history.units.codes
    people = of_units(residents, units, "residents")
    whole = people.sum(axis=1, keepdims=True)
    of_unit = np.divide(people, whole, out=np.zeros_like(people), where=whole > 0)
    parts = flagged_parts(backtest, comparison.default, comparison.share)
    kept = {when: part for when, part in parts.items() if when >= comparison.periods[0]}
    if not kept:
        msg = f"{comparison.default} had no forecast in the periods for reporting."
        raise EmptyError(msg)
    happened = {when: events_of(backtest, when) for when in kept}
    flagged = np.sum([part @ people for part in kept.values()], axis=0)
    share = people.sum(axis=0) / people.sum()
    return pd.DataFrame(
        {
            "n": np.sum([(happened[when] * part) @ of_unit for when, part in kept.items()], axis=0),
            "N": np.sum([seen @ of_unit for seen in happened.values()], axis=0),
            "burden_ratio": np.divide(
                flagged / flagged.sum(), share, out=np.full(len(share), np.nan), where=share > 0
            ),
            "periods": len(kept),
        },
        index=pd.Index(residents.columns, name="group"),
    )

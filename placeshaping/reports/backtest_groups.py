"""The table of a backtest by group of residents: for the audit alone, few events left out."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from placeshaping._core.columns import column_tags
from placeshaping._core.errors import ColumnError
from placeshaping.disclosure.policies import Policy
from placeshaping.likelihood.backtest import Backtest
from placeshaping.likelihood.comparison import Comparison
from placeshaping.likelihood.group_scores import hits_by_group
from placeshaping.reports.backtest_tables import WITHHELD, round_counts
from placeshaping.statistics.rates import wilson_interval

COLUMNS = (
    "category", "share", "model", "kind", "group", "periods", "n", "N", "hit_rate",
    "hit_rate_lower", "hit_rate_upper", "burden_ratio", "note",
)  # fmt: skip


def tabulate_groups(
    backtests: Mapping[str, Backtest],
    comparisons: Mapping[str, Mapping[float, Comparison]],
    residents: Mapping[str, pd.DataFrame],
    *,
    share: float,
    policy: Policy,
) -> pd.DataFrame:
    """
    Put hit rate and burden by group of residents into one table.

    Numbers of events are rounded as the policy rounds counts, and the hit rates
    are worked out from the rounded numbers, to the hundredth: with those of the
    whole district, nothing is left that would give the number of a group back.
    Where fewer than the policy's threshold were caught or missed, they are
    withheld.

    Parameters
    ----------
    backtests
        Backtest by name of the offence.
    comparisons
        From `compare_all`.
    residents
        By kind of group (``"deprivation decile"``): residents of each unit,
        tagged ``audit_only``.
    share
        Of the area that is flagged.
    policy
        Gives threshold and rounding.

    Returns
    -------
    groups
        The columns of `COLUMNS`, one row for each offence, kind and group, of
        the model that is to be used.

    Raises
    ------
    ColumnError
        If a column of `residents` is not tagged ``audit_only``.
    """
    tables = [pd.DataFrame(columns=list(COLUMNS))]
    for kind, people in residents.items():
        loose = [str(c) for c in people if column_tags(people).get(str(c)) != "audit_only"]
        if loose:
            msg = (
                f"{len(loose)} columns of residents by {kind} are not tagged 'audit_only' "
                f"({loose[0]}, ...). Tag them, so that no model can learn from them."
            )
            raise ColumnError(msg)
        for name, one in backtests.items():
            comparison = comparisons[name][share]
            table = _protected(hits_by_group(one, comparison, people), policy)
            tables.append(
                table.assign(category=name, share=share, model=comparison.default, kind=kind)
            )
    found = [table[list(COLUMNS)] for table in tables if len(table)]
    return pd.concat(found, ignore_index=True) if found else tables[0]


def _protected(hits: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    few = (hits["n"] < policy.threshold) | (hits["N"] - hits["n"] < policy.threshold)
    caught, every = (round_counts(hits[name], policy) for name in ("n", "N"))
    caught = caught.clip(upper=every)
    rate = wilson_interval(caught.round(), every.round()).round(2)
    table = pd.DataFrame(
        {
            "n": caught,
            "N": every,
            "hit_rate": rate["share"],
            "hit_rate_lower": rate["lower"],
            "hit_rate_upper": rate["upper"],
        }
    )
    table.loc[few] = float("nan")
    table = table.assign(
        periods=hits["periods"],
        burden_ratio=hits["burden_ratio"].round(2),
        note=few.map({True: WITHHELD, False: ""}),
    )
    return table.reset_index(names="group")

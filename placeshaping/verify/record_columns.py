"""Which columns a file may have that declares results which are not of areas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from placeshaping.verify.contents import Table
from placeshaping.verify.rules import Rules

_BANDS = {"distance_band", "day_band", "from_m", "to_m", "from_days", "to_days"}
_HOURS = {"weekday", "month", "hour", "hours"}
_STREETS = {"segment", "street", "length_km"}
_TESTED = {"p_value", "q_value"}
_BEYOND = {"residents", "residents_beyond", "share_beyond"}
_BESIDE_COUNTS = {
    "part", "areas", "expected", "difference", "se_poisson", "se", "interval_from", "interval_to",
    "p_value", "percent", "percent_from", "percent_to", "detectable", "quotient", "model", "effect",
    "inference", "period", "after", "ratio", "test", "statistic", "matched", "before", "periods",
    "fit", "error_before", "error_after", "left_out",
}  # fmt: skip
EVALUATION = (_BESIDE_COUNTS, {"records_before", "records_after"})
"""What an evaluation may hold: numbers beside its counts, and the counts."""

COUNTED: dict[str, tuple[set[str], set[str]]] = {
    "near_repeat": (_BANDS | {"status", "pattern"}, {"observed", "expected", "ratio"}),
    "profile": (_HOURS | {"status"}, {"count", "index", "lower", "upper"}),
    "change": ({"period", "status"}, {"count"}),
    "streets": (_STREETS, set()),
    "evaluation": EVALUATION,
    "sites": ({"site", "existing", "areas", "longest", "capacity", "status"}, {"count"}),
}
"""What a file of records may hold: in any case, and where counts may be shown."""

FACT_TABLES: dict[str, set[str]] = {
    "equity": {"imd_decile", "areas", "mean", "median"} | _BEYOND,
    "ages": {"imd_decile", "age"} | _BEYOND,
    "sites": {"site", "existing", "areas", "residents", "mean", "longest", "capacity"},
}
"""What a file of facts may hold that is not of areas: residents, never records."""

LISTS = {"repeat_locations", "near_repeat_pairs", "risk_bands", "inspection_list", "rounds"}
"""Records that name places or single events; they do not leave."""

_CLASSED = {"class", "rank"}


def declared_records(declaration: Mapping[str, Any] | None) -> str | None:
    """
    Return which records a file declares to hold; None where it declares none that are known.

    Examples
    --------
    >>> declared_records({"item": "records", "records": "profile"})
    'profile'
    """
    said = declaration or {}
    name = said.get("records") if said.get("item") == "records" else None
    known = {*COUNTED, *FACT_TABLES, *LISTS}
    return name if isinstance(name, str) and name in known else None


def record_columns(declaration: Mapping[str, Any] | None, rules: Rules) -> set[str] | None:
    """
    Return the columns that declared records may have; None for any.

    Examples
    --------
    >>> from placeshaping.verify.rules import RULES
    >>> sorted(record_columns({"item": "records", "records": "change"}, RULES["public"]))
    ['count', 'period', 'status']
    """
    name = declared_records(declaration)
    if name is None:
        return set()
    if not rules.protects:
        return None if rules.counts_shown else FACT_TABLES.get(name, {"status"})
    if name not in COUNTED:
        return set()
    always, counted = COUNTED[name]
    if name == "streets":
        return always | {"class"} | (set() if rules.counts_shown else {"rank"})
    found = always | (counted if rules.counts_shown else _CLASSED)
    return found | (_TESTED if rules.numbers and name == "near_repeat" else set())


def may_be_lines(declaration: Mapping[str, Any] | None, table: Table) -> bool:
    """Tell whether a table is the layer of streets that a file declares."""
    return declared_records(declaration) == "streets" and table.where == "streets"

"""
Tables beside measures of areas: whom the distance falls on, and what sites would serve.

Residents are public, so their table leaves under the rules of facts. What a
site would serve of a service's records is a count of records: it is hidden or
rounded, and leaves under the policy that the recipe names.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal

import numpy as np
import pandas as pd

from placeshaping._core.checks import listed
from placeshaping._core.errors import DisclosureError
from placeshaping._core.provenance import SourceFile
from placeshaping.disclosure._record_tables import protected_counts
from placeshaping.disclosure.facts import FACTS, FACTS_NOT_FOR
from placeshaping.disclosure.own_policies import known_policy
from placeshaping.disclosure.permission import (
    Sensitivity,
    check_policy,
    governed,
    is_address,
)
from placeshaping.disclosure.policies import Policy
from placeshaping.disclosure.records import _MAKER, Records
from placeshaping.disclosure.statement import disclosure_statement

FactTable = Literal["equity", "ages", "sites"]

_BEYOND = ("residents", "residents_beyond", "share_beyond")
COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "equity": ("imd_decile", "areas", *_BEYOND, "mean", "median"),
        "ages": ("imd_decile", "age", *_BEYOND),
        "sites": ("site", "existing", "areas", "residents", "mean", "longest", "capacity"),
    }
)
"""What each table may hold."""

_DECIMALS = {"mean": 1, "median": 1, "longest": 1, "share_beyond": 4}


def release_fact_table(
    name: FactTable,
    table: pd.DataFrame,
    *,
    title: str,
    paragraph: str,
    method: str,
    already_published: str,
    made_on: dt.date,
    purpose: str = "",
    contact: str = "",
    cautions: Sequence[str] = (),
    sources: Sequence[SourceFile] = (),
) -> Records:
    """
    Release a table of residents: by deprivation, by age, or by site.

    Parameters
    ----------
    name
        ``"equity"``, ``"ages"`` or ``"sites"``.
    table
        Columns of `COLUMNS` of that name.
    title, paragraph, method, cautions
        What stands on it.
    already_published
        Address where what it was worked out from can be had.
    made_on, purpose, contact, sources
        As for `release_facts`.

    Returns
    -------
    records
        Under the rules of facts.

    Raises
    ------
    DisclosureError
        If a column is none of residents and travel, or no address is given.

    Examples
    --------
    >>> table = pd.DataFrame({"age": ["0 to 15"], "residents": [90], "residents_beyond": [30]})
    >>> release_fact_table("ages", table, title="Ages", paragraph="", method="",
    ...                    already_published="https://example.org", made_on=dt.date(2026, 1, 31))
    <Records 'Ages': ages, 1 rows, policy 'facts'>
    """
    strange = [str(column) for column in table if column not in COLUMNS[name]]
    if strange:
        msg = (
            f"{name}: {len(strange)} columns are no facts of residents and travel "
            f"({listed(strange)}). Counts of records leave through release_sites or release."
        )
        raise DisclosureError(msg)
    if not is_address(already_published):
        msg = f"already_published = {already_published!r} is no address: write it as https://..."
        raise DisclosureError(msg)
    return Records(
        name=name,
        title=title,
        kind="summary",
        table=_rounded(table),
        policy=FACTS,
        paragraph=paragraph,
        statement=("Residents as published; no records of anybody are counted.",),
        method=method,
        cautions=tuple(cautions),
        least=0,
        purpose=purpose,
        contact=contact,
        lawful_basis="",
        made_on=made_on,
        expires=None,
        already_published=already_published,
        sources=tuple(sources),
        not_for=FACTS_NOT_FOR,
        _maker=_MAKER,
    )


def release_sites(
    sites: pd.DataFrame,
    *,
    policy: str | Policy,
    sensitivity: Sensitivity,
    title: str,
    paragraph: str,
    method: str,
    made_on: dt.date,
    already_published: str | None = None,
    purpose: str = "",
    contact: str = "",
    expires: dt.date | None = None,
    cautions: Sequence[str] = (),
    sources: Sequence[SourceFile] = (),
) -> Records:
    """
    Release what sites would serve of a service's records: counts hidden or rounded.

    Parameters
    ----------
    sites
        ``site``, ``existing``, ``areas``, ``count`` (records that each would
        serve), ``longest``, ``capacity`` where given.
    policy, sensitivity, already_published, expires
        As for `release_records`.
    title, paragraph, method, cautions, made_on, purpose, contact, sources
        What stands on it.

    Returns
    -------
    records
        Without a total; a hidden count is told as such.

    Raises
    ------
    DisclosureError
        If the policy is looser than the records allow.

    Examples
    --------
    >>> sites = pd.DataFrame({"site": ["Hub", "Mill"], "existing": [True, False],
    ...                       "areas": [9, 1], "count": [1234.0, 4.0], "longest": [9.0, 1.0]})
    >>> release_sites(sites, policy="public", sensitivity="personal", title="Sites",
    ...               paragraph="", method="", made_on=dt.date(2026, 1, 31)).table["count"].tolist()
    [1235, <NA>]
    """
    rules = governed(known_policy(policy), sensitivity)
    check_policy(
        rules,
        sensitivity=sensitivity,
        already_published=already_published,
        purpose=purpose,
        expires=expires,
        made_on=made_on,
    )
    told = [name for name in (*COLUMNS["sites"], "count") if name in sites and name != "mean"]
    table = _rounded(sites[told])
    if rules.protects and rules.counts_shown:
        counts = protected_counts(sites["count"], rules, least=rules.threshold)
        table["count"] = pd.array(counts, dtype="Float64").astype("Int64")
        table.insert(3, "status", np.where(np.isfinite(counts), "shown", "hidden"))
    elif not rules.counts_shown:
        table = table.drop(columns="count")
    return Records(
        name="sites",
        title=title,
        kind="summary",
        table=table,
        policy=rules,
        paragraph=paragraph,
        statement=tuple(
            disclosure_statement(
                rules, facts={}, left_out={}, already_published=already_published, expires=expires
            )
        ),
        method=method,
        cautions=tuple(cautions),
        least=rules.threshold,
        purpose=purpose,
        contact=contact,
        lawful_basis="",
        made_on=made_on,
        expires=expires,
        already_published=already_published,
        sources=tuple(sources),
        not_for=FACTS_NOT_FOR,
        _maker=_MAKER,
    )


def _rounded(table: pd.DataFrame) -> pd.DataFrame:
    """Return whole residents, travel with one decimal and shares in hundredths of a percent."""
    made = table.reset_index(drop=True)
    for name in made.columns:
        if name in ("residents", "residents_beyond"):
            made[name] = pd.array(np.rint(made[name].astype("float64")), "Float64").astype("Int64")
        elif name in _DECIMALS:
            made[name] = made[name].astype("float64").round(_DECIMALS[name])
    made.attrs = {}
    return made

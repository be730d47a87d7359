"""What stands beside records in words: a paragraph, and cautions without exact numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from placeshaping.disclosure._record_tables import class_words, count_edges, least_shown
from placeshaping.disclosure._results import Result
from placeshaping.disclosure.classes import class_labels
from placeshaping.disclosure.policies import Policy
from placeshaping.hotspots.near_repeat import describe_near_repeat
from placeshaping.hotspots.repeats import describe_repeats
from placeshaping.hotspots.streets import describe_streets
from placeshaping.hotspots.time_of_day import describe_profile
from placeshaping.shaping.inspection_words import describe_inspections
from placeshaping.statistics.change import describe_change
from placeshaping.statistics.dispersion import describe_dispersion

_NUMBER = r"\d{1,3}(?:,\d{3})+|\d+"
_NOUNS = "events?|records?|contacts?|pairs?|crimes?|incidents?"
_COUNTED = re.compile(
    rf"(?i)\b(?:(only) )?(?:{_NUMBER})(?: of (?:{_NUMBER}))? (?:more )?({_NOUNS})\b(?: \(\d+%\))?"
)
_PLACES = re.compile(r" \([\d,]+ places\)")
_FIRST = re.compile(r"^[a-z]")


def without_counts(sentence: str) -> str:
    """
    Take the numbers of records out of a sentence.

    Examples
    --------
    >>> without_counts("12 of 5,000 events (0%) have no time and are left out.")
    'Some events have no time and are left out.'
    >>> without_counts("Only 60 events: under 100 few bands can be told from chance.")
    'Few events: under 100 few bands can be told from chance.'
    """

    def vague(found: re.Match[str]) -> str:
        noun = found[2] if found[2].endswith("s") else f"{found[2]}s"
        return f"{'few' if found[1] else 'some'} {noun}"

    text = _PLACES.sub("", _COUNTED.sub(vague, sentence))
    return _FIRST.sub(lambda first: first[0].upper(), text)


def cautions_of(table: pd.DataFrame, policy: Policy) -> tuple[str, ...]:
    """Return what a reader must know, without counts of records where the policy protects them."""
    given: Iterable[str] = table.attrs.get("cautions", ())
    return tuple(map(without_counts, given)) if policy.protects else tuple(given)


def method_of(table: pd.DataFrame, policy: Policy) -> str:
    """Return the sentence of the method, without counts of records where the policy protects."""
    told = str(table.attrs.get("method", ""))
    if not policy.protects:
        return told
    told = re.sub(rf" of (?:{_NUMBER}) events", "", told)
    return re.sub(rf"(from (?:{_NUMBER})) records spread", r"\1 random draws spread", told)


def paragraph_of(
    result: Result,
    table: pd.DataFrame,
    protected: pd.DataFrame,
    policy: Policy,
    *,
    what: str | None,
) -> str:
    """
    Say in a paragraph what records show: from the numbers that leave, where they are protected.

    Parameters
    ----------
    result, table
        What a method returned.
    protected
        What leaves.
    policy
        The rules that it obeys.
    what
        What was counted, in words.
    """
    ways = _PROTECTED if policy.protects else _AS_IT_IS
    return ways[result.name](table, protected, policy, {} if what is None else {"what": what})


_NAMED = 5

Words = dict[str, Any]


def _plain_near_repeat(table: pd.DataFrame, _: pd.DataFrame, __: Policy, what: Words) -> str:
    if table["p_value"].notna().any():
        return describe_near_repeat(table, **what)
    return "Pairs of records by how far apart they are in space and time. No tests were made."


def _plain_change(table: pd.DataFrame, _: pd.DataFrame, __: Policy, what: Words) -> str:
    drivers = "contributes" in table
    return (describe_dispersion if drivers else describe_change)(table, **what)


def _plain_pairs(table: pd.DataFrame, _: pd.DataFrame, __: Policy, what: Words) -> str:
    if table.empty:
        return "No two records are as close in space and time as was asked for."
    return (
        f"{len(table):,} pairs of {what.get('what', 'records')}, from {int(table['days'].min())} "
        f"to {int(table['days'].max())} days and up to {table['distance'].max():,.0f} m apart; "
        f"{table['originator'].nunique():,} were followed by another. A pair need not be of one "
        "cause, nor of one person."
    )


def _plain_bands(table: pd.DataFrame, _: pd.DataFrame, __: Policy, what: Words) -> str:
    return (
        f"Rings around {table['event'].nunique():,} {what.get('what', 'records')} of the last "
        "days, with how many times as many follow there as if dates had nothing to do with "
        "places. Most rings see none."
    )


def _profile(_: pd.DataFrame, protected: pd.DataFrame, policy: Policy, what: Words) -> str:
    """Say when records were made, by the numbers that are shown; the middle for hidden ones."""
    if not policy.counts_shown:
        return _ranked(protected, what.get("what", "records"))
    middle = (policy.smallest_hidden + policy.threshold - 1) / 2
    counts = protected["count"].to_numpy(dtype=np.float64, na_value=np.nan)
    filled = protected.assign(count=np.where(np.isfinite(counts), counts, middle))
    filled["index"] = protected["index"].fillna(0.0)
    known = int(np.nansum(counts))
    filled.attrs = {"events": known, "missing": 0, "too_long": 0, "dropped": 0}
    told = describe_profile(filled, **what)
    return told.replace(f"{known:,}", f"about {known:,}", 1)


def _ranked(protected: pd.DataFrame, what: str) -> str:
    """Name the rows of rank 1, unless they are too many to stand out."""
    first = protected[protected["rank"] == 1]
    parts = [name for name in ("month", "weekday") if name in protected]
    names = first[parts].astype(str).agg(" ".join, axis="columns") if parts else ""
    if "hour" in protected:
        names = names + first["hour"].map(" {:02}:00".format)
    told = [name.strip() for name in names]
    where = (
        f"{len(told)} of {len(protected)} rows share the highest rank, so none stands out"
        if len(told) > _NAMED
        else f"Most {what} are of: {', '.join(told)}"
    )
    return f"{where}. Times are when an event was, or may have been; not when it was reported."


def _near_repeat(table: pd.DataFrame, protected: pd.DataFrame, policy: Policy, what: Words) -> str:
    of = what.get("what", "record")
    found = protected[protected["pattern"] == "more"]
    tested = protected["pattern"].notna().any()
    if not tested:
        return _plain_near_repeat(table.assign(p_value=np.nan), protected, policy, what)
    if found.empty:
        return (
            "No band of distance and days that is shown holds more pairs than chance would give. "
            "That is no proof that there are no near repeats."
        )
    far, long = found["to_m"].max(), int(found["to_days"].max())
    reach = "at the same place" if far == 0 else f"within {far:g} m"
    best = _strongest(found) if policy.counts_shown else ""
    return (
        f"After one {of}, another followed more often than chance would have it {reach} and "
        f"within {long:,} days, in {len(found)} of {len(protected)} bands.{best} It says when and "
        f"where another {of} was more likely after one, not why, and not by whom."
    )


def _strongest(found: pd.DataFrame) -> str:
    known = found[found["ratio"].notna()]
    if known.empty:
        return ""
    best: Any = known.iloc[int(known["ratio"].astype(float).argmax())]
    return (
        f" Pairs {best['distance_band']} and {best['day_band']} apart were about "
        f"{best['ratio']:.1f} times as many as expected (about {best['observed']:,} seen, about "
        f"{best['expected']:,} expected)."
    )


def _change(table: pd.DataFrame, protected: pd.DataFrame, policy: Policy, what: Words) -> str:
    of = what.get("what", "Recorded crime")
    shown = policy.counts_shown
    before, after = (int(n) for n in protected["count" if shown else "rank"])
    rose = after > before if shown else after < before
    way = "shows no change" if before == after else "rose" if rose else "fell"
    told = f"{of} {way}{f', from about {before:,} to about {after:,}' if shown else ''}."
    needed = table.attrs.get("contributing")
    if needed:
        enough = "is" if needed == 1 else "are"
        told += f" {needed:,} of {len(table):,} areas {enough} enough to account for it."
    return f"{told} Some areas rise and some fall by chance in any period."


def _streets(table: pd.DataFrame, protected: pd.DataFrame, policy: Policy, what: Words) -> str:
    labels = class_labels(count_edges(least_shown(policy)))
    of = [int((protected["class"] == n).sum()) for n in range(1, len(labels) + 1)]
    held = "; ".join(f"{label}: {n:,}" for label, n in zip(labels, of, strict=True) if n)
    bare = table.copy()
    bare.attrs = {**table.attrs, "unmatched": 0, "unlocated": 0}
    return f"{describe_streets(bare, **what)} Segments by number of records: {held}."


_Way = Callable[[pd.DataFrame, pd.DataFrame, Policy, Words], str]

_AS_IT_IS: dict[str, _Way] = {
    "near_repeat": _plain_near_repeat,
    "profile": lambda table, _, __, what: describe_profile(table, **what),
    "change": _plain_change,
    "streets": lambda table, _, __, what: describe_streets(table, **what),
    "repeat_locations": lambda table, _, __, ___: describe_repeats(table),
    "near_repeat_pairs": _plain_pairs,
    "risk_bands": _plain_bands,
    "inspection_list": lambda table, _, __, ___: describe_inspections(table),
}
_PROTECTED: dict[str, _Way] = {
    "near_repeat": _near_repeat,
    "profile": _profile,
    "change": _change,
    "streets": _streets,
}


def statement_of(result: Result, policy: Policy, *, already_published: str | None) -> Iterator[str]:
    """
    Say what was hidden and changed.

    Parameters
    ----------
    result
        What it is.
    policy
        The rules that it obeys.
    already_published
        Where the records can be had by anybody.

    Yields
    ------
    sentence
        One after the other.
    """
    if not policy.protects:
        if already_published:
            yield f"The numbers are worked out from records as published at {already_published}."
        return
    least = least_shown(policy, pairs=result.name == "near_repeat")
    classes = class_words(least)
    if result.kind == "streets":
        yield (
            "A street is a finer place than any area: its count does not leave. Streets are "
            f"classed by their counts, rounded first: {classes}."
        )
        return
    rounded = f" and the others rounded to {policy.rounding}" if policy.rounding > 1 else ""
    zero = "zero is shown" if policy.zeros_shown else "zero is hidden with them"
    alone = (
        ""
        if result.name == "change"
        else " No total is given, so that no hidden count can be worked out by subtraction."
    )
    yield f"Counts under {least} are hidden ({zero}){rounded}, each by itself.{alone}"
    if not policy.counts_shown:
        yield f"No counts are shown: classes and ranks by the protected counts. {classes}."
    yield from _OF_EACH.get((result.name, policy.counts_shown), ())
    if result.name == "near_repeat":
        yield (
            f"A few records make many pairs: fewer than {least} pairs could come from fewer than "
            f"{policy.threshold} records."
        )


_OF_EACH: dict[tuple[str, bool], tuple[str, ...]] = {
    ("near_repeat", True): (
        "Expected numbers are rounded too; the ratio is worked out from the rounded numbers, and "
        "left out where few pairs are expected. Both are left out in bands with a hidden cell, "
        "which they could give back. Its limits are left out: they would give the "
        "exact ratio back.",
    ),
    ("profile", True): (
        "The index and its limits are worked out from the protected counts, against the average "
        "of the hours that are shown. Where one count alone would be hidden, the next smallest is "
        "hidden with it.",
    ),
}

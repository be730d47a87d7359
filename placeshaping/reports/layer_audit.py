"""
The audit of a patrol layer, and whether it may be used.

Who lives where patrols are sent, how that has changed, how far patrols would
drift if they followed what patrols find, and whether a condition for
withdrawing the layer is met.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from placeshaping._core.columns import column_tags
from placeshaping._core.errors import ColumnError, InputError, WithdrawnError
from placeshaping.likelihood.fairness import (
    FOUR_FIFTHS,
    MOST_RISE,
    Feedback,
    burden_audit,
    burden_drift,
    feedback_urn,
    flag_concentration,
    withdrawal_reasons,
)
from placeshaping.likelihood.groups import count_flagged
from placeshaping.likelihood.offences import Override
from placeshaping.reports.burden_floor import put_together, tell_burden, together

DISCOVERED: Mapping[str, float] = {"reported": 0.0, "mixed": 0.5, "discovered": 1.0}
"""Share of incidents that are on record only if a patrol was there: an assumption, printed."""


@dataclass(frozen=True)
class Triggers:
    """
    When a layer is withdrawn.

    Attributes
    ----------
    least_lift
        The upper limit of the lift over trailing counts must not be below it.
    most_rise
        No group's burden ratio may have risen by more since the first release.
    """

    least_lift: float = 1.0
    most_rise: float = MOST_RISE

    @property
    def words(self) -> tuple[str, ...]:
        """The conditions, one sentence each."""
        return (
            f"The upper limit of the lift over trailing counts falls below {self.least_lift:.2f}.",
            "The burden ratio of a group of residents rises by more than "
            f"{self.most_rise:.2f} since the first release.",
        )


@dataclass(frozen=True, eq=False)
class LayerAudit:
    """
    Who bears a layer.

    Attributes
    ----------
    burdens
        Tables of `fairness.burden_audit`, brought to rounded numbers by
        `burden_floor.tell_burden`: ``"deprivation decile"`` and others.
    drifts
        Change of each since the first release; empty where this is the first.
    concentration
        From `fairness.flag_concentration`.
    feedback, corrected
        The urn as patrols would drift, and with discovered incidents weighed;
        None where there is nothing to run it on.
    """

    burdens: Mapping[str, pd.DataFrame] = field(repr=False)
    drifts: Mapping[str, pd.DataFrame] = field(repr=False)
    concentration: pd.Series[float] = field(repr=False)
    feedback: Feedback | None
    corrected: Feedback | None

    @property
    def screened(self) -> tuple[str, ...]:
        """The four-fifths screen in sentences: groups that bear much less than another."""
        return tuple(
            f"By {kind}: the burden ratio of {'; '.join(map(str, low))} is under "
            f"{FOUR_FIFTHS:.0%} of the highest, that of {table['burden_ratio'].idxmax()}."
            for kind, table in self.burdens.items()
            if (low := list(table.index[table["screened"]]))
        )


def audit_layer(
    flagged: pd.DataFrame,
    residents: Mapping[str, pd.DataFrame],
    *,
    former: Mapping[str, Mapping[str, pd.DataFrame]] | None = None,
    recorded: Mapping[str, pd.DataFrame] | None = None,
    urn: Urn | None = None,
    rng: int = 0,
) -> LayerAudit:
    """
    Audit a patrol layer.

    Groups of few residents are put together, and everything is worked out from
    rounded numbers (`burden_floor`).

    Parameters
    ----------
    flagged
        Indexed by small area, one column a release, oldest first: which share
        was flagged (`groups.share_flagged`). The burden is that of the last
        column; concentration is over all of them.
    residents
        By kind (such as ``"deprivation decile"``): residents of each group in
        each small area, columns tagged ``audit_only``.
    former
        By kind: burdens of former releases (`burden_register.read_burdens`).
    recorded
        By kind: recorded crime shared out among the groups, or None.
    urn
        What the feedback urn is run with.
    rng
        Seed of the intervals.

    Returns
    -------
    audit
        For the record, and for `decide`.

    Raises
    ------
    ColumnError
        If a column of `residents` is not tagged ``audit_only``.
    UnmatchedError, EmptyError, InputError
        As `fairness.burden_audit`.
    """
    last = flagged.iloc[:, [-1]]
    burdens, drifts = {}, {}
    for kind, people in residents.items():
        _check_tagged(people, kind)
        crimes = None if recorded is None else recorded.get(kind)
        burdens[kind] = _burden(last, people, crimes, rng)
        before = dict((former or {}).get(kind, {}))
        if before:
            drifts[kind] = burden_drift({**before, "this release": burdens[kind]})
    return LayerAudit(
        burdens=burdens,
        drifts=drifts,
        concentration=flag_concentration(flagged),
        feedback=None if urn is None else urn.run(rng=rng),
        corrected=None if urn is None else urn.run(corrected=True, rng=rng),
    )


def _burden(
    flagged: pd.DataFrame, people: pd.DataFrame, crimes: pd.DataFrame | None, rng: int
) -> pd.DataFrame:
    """Return the burden of groups of which none is small, from rounded numbers."""
    counts = count_flagged(flagged.iloc[:, -1], people)
    labels = together(counts["residents"], counts["flagged_residents"])
    people = put_together(people, labels)
    crimes = None if crimes is None else put_together(crimes, labels)
    among = count_flagged(flagged.iloc[:, -1], people)["flagged_residents"]
    burden = tell_burden(burden_audit(flagged, people, recorded=crimes, rng=rng), among)
    highest = burden["burden_ratio"].max()
    return burden.assign(screened=burden["burden_ratio"] < FOUR_FIFTHS * highest)


def _check_tagged(people: pd.DataFrame, kind: str) -> None:
    tags = column_tags(people)
    loose = [str(c) for c in people.columns if tags.get(c) != "audit_only"]
    if loose:
        msg = (
            f"{len(loose)} columns of residents by {kind} are not tagged 'audit_only' "
            f"({loose[0]}, ...). Tag them, so that no model can learn from them: "
            "tag_columns(table, dict.fromkeys(table.columns, 'audit_only'))."
        )
        raise ColumnError(msg)


@dataclass(frozen=True)
class Urn:
    """
    What the feedback urn is run with: the model's own numbers of two areas.

    Attributes
    ----------
    expected
        Incidents a day in what is flagged and in the rest, as the model has it.
    recorded
        Incidents on record in either, from which it starts.
    tag
        How the offences come to be recorded.
    days
        How long it runs.
    """

    expected: tuple[float, float]
    recorded: tuple[float, float]
    tag: Literal["reported", "mixed", "discovered"]
    days: int = 365

    def run(self, *, corrected: bool = False, rng: int = 0) -> Feedback:
        """Run it; see `fairness.feedback_urn`."""
        return feedback_urn(
            self.expected,
            self.recorded,
            discovered=DISCOVERED[self.tag],
            days=self.days,
            corrected=corrected,
            rng=rng,
        )


@dataclass(frozen=True)
class Decision:
    """
    Whether a layer may be used.

    Attributes
    ----------
    reasons
        Why it is withdrawn; empty where it is not.
    triggers
        The conditions.
    override
        Who allowed it all the same, and why.
    decided_on
        The day.
    unmeasured
        Conditions that could not be evaluated, in sentences.
    """

    reasons: tuple[str, ...]
    triggers: Triggers
    override: Override | None
    decided_on: dt.date
    unmeasured: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """What is printed."""
        if not self.reasons:
            return ("No condition for withdrawing the layer is met.", *self.unmeasured)
        signed = self.override
        told = "" if signed is None else f"Used all the same: {signed.by}. Reason: {signed.reason}"
        return (*self.reasons, told, *self.unmeasured)


def decide(
    *,
    lift_upper: float | None,
    audit: LayerAudit | None,
    decided_on: dt.date,
    triggers: Triggers | None = None,
    override: Override | None = None,
) -> Decision:
    """
    Decide whether a patrol layer may be written; called before anything is.

    Parameters
    ----------
    lift_upper
        Upper limit of the lift over trailing counts in the backtest; None
        where the layer is the counts themselves, or nothing was measured.
    audit
        From `audit_layer`; None where nobody can be counted.
    decided_on
        The day.
    triggers
        The conditions; those of `Triggers` by default.
    override
        Who allows a withdrawn layer, and why. Both are printed.

    Returns
    -------
    decision
        To be printed with the layer.

    Raises
    ------
    WithdrawnError
        If a condition is met and nobody has signed.
    InputError
        If a signature lacks the name or the reason.

    Examples
    --------
    >>> day = dt.date(2026, 2, 3)
    >>> decide(lift_upper=1.2, audit=None, decided_on=day).reasons
    ()
    >>> decide(lift_upper=0.9, audit=None, decided_on=day)
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.WithdrawnError: The patrol layer is withdrawn: Against trailing ...
    """
    triggers = triggers or Triggers()
    if override is not None and not (override.by.strip() and override.reason.strip()):
        msg = "An override of a withdrawn layer needs a name and a reason. Both are printed."
        raise InputError(msg)
    drifts = {} if audit is None else audit.drifts
    reasons = withdrawal_reasons(lift_upper=lift_upper, least_lift=triggers.least_lift)
    for drift in drifts.values():
        reasons += withdrawal_reasons(drift=drift, most_rise=triggers.most_rise)
    if reasons and override is None:
        msg = (
            f"The patrol layer is withdrawn: {' '.join(reasons)} Nothing was written. Whoever "
            "answers for using it all the same signs for it with a name and a reason: in a request "
            '[override] with by = "..." and because = "...".'
        )
        raise WithdrawnError(msg, reasons)
    unmeasured = []
    if lift_upper is None:
        unmeasured.append("Lift over trailing counts was not measured.")
    if audit is None or not audit.burdens:
        unmeasured.append(
            "Burden was not measured: neither residents with deprivation nor a census table "
            "was given."
        )
    else:
        unmeasured += _first_releases(audit)
    signed = override if reasons else None
    return Decision(reasons, triggers, signed, decided_on, tuple(unmeasured))


def _first_releases(audit: LayerAudit) -> list[str]:
    """Say of which kinds of groups no former release is kept."""
    new = [kind for kind in audit.burdens if kind not in audit.drifts]
    if not new:
        return []
    of = f" by {' and '.join(new)}" if audit.drifts else ""
    return [f"Change of burden{of}: this is the first release that is kept."]

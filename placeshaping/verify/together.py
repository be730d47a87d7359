"""Several files, and what was released before, taken as one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from placeshaping.verify.claims import Claims
from placeshaping.verify.spans import span_name
from placeshaping.verify.subtraction import BUDGET, attack
from placeshaping.verify.verdict import Breach, Finding, number_of

_KEYS = ["area", "period", "category"]
_SAID = [*_KEYS, "shown", "hidden"]
_NOISE = 20.0
_ALIKE = 0.8
_FEWEST = 3
_EXAMPLES = 3
_LISTED = 1000


def attack_together(
    claims: Sequence[Claims],
    ledger: Sequence[Claims] = (),
    *,
    public: Mapping[str, Sequence[str]] | None = None,
    budget: int = BUDGET,
) -> tuple[list[str], list[Breach]]:
    """
    Take files together with one another and with earlier releases.

    Only what comes back beyond what each source gives away by itself is told.

    Parameters
    ----------
    claims
        Of the files.
    ledger
        Of the releases before.
    public
        Code of an area -> codes of the areas that hold it.
    budget
        Cells that linear programmes are solved for.

    Returns
    -------
    tried
        What was tried, in words.
    breaches
        What comes back.

    Examples
    --------
    >>> attack_together([])
    (['no counts to take together'], [])
    """
    words: list[str] = []
    breaches: list[Breach] = []
    for now, before in _by_dataset(claims, ledger):
        given = [*now, *(_as_read_by(one, now) for one in before)]
        breaches += check_copies(given)
        distinct = _distinct(given)
        names = number_of(len(given), "source")
        if len(distinct) < 2:
            words.append(f"{names} that say the same: nothing more together")
            continue
        tried, found = attack(distinct, public=public, budget=budget)
        alone = {
            finding.cell
            for some in ([*([one] for one in distinct), _of_before(distinct, before)])
            for breach in attack(some, public=public, budget=budget)[1]
            for finding in breach.cells
        }
        breaches += [rest for breach in found if (rest := _beyond(breach, alone)) is not None]
        words += [f"{names} taken together", *tried]
    return words or ["no counts to take together"], breaches


def _as_read_by(before: Claims, now: Sequence[Claims]) -> Claims:
    """
    Judge what an earlier release hides as those may who read the newer one too.

    Where that was published under a stricter policy, its readers are not held
    to more than the policy of the newer one.
    """
    most = max(float(claim.cells["threshold"].max()) for claim in now)
    cells = before.cells.assign(threshold=before.cells["threshold"].clip(upper=most))
    return replace(before, cells=cells)


def _of_before(distinct: Sequence[Claims], before: Sequence[Claims]) -> list[Claims]:
    """Return the sources that are earlier releases: what they say together is said already."""
    names = {claim.source for claim in before}
    return [claim for claim in distinct if claim.source in names]


def _by_dataset(
    claims: Sequence[Claims], ledger: Sequence[Claims]
) -> Iterator[tuple[list[Claims], list[Claims]]]:
    """Group sources that count the same: as they declare, else by what they share."""
    groups: dict[tuple[str | None, bool], list[Claims]] = {}
    for claim in claims:
        groups.setdefault((claim.dataset, _bare(claim)), []).append(claim)
    before: dict[str | None, list[Claims]] = {}
    for claim in ledger:
        before.setdefault(claim.dataset, []).append(claim)
    for (dataset, bare), given in groups.items():
        earlier = [] if bare else before.get(dataset, [])
        if dataset is None and before and not bare:
            shared = {name: _shared(given, old) for name, old in before.items()}
            nearest = max(shared, key=lambda name: shared[name])
            earlier = before[nearest] if shared[nearest] else []
        if len(given) + len(earlier) > 1:
            yield given, earlier


def _bare(claim: Claims) -> bool:
    """Tell whether a source names no periods."""
    return set(claim.cells["period"].unique()) <= {""}


def _shared(some: Sequence[Claims], others: Sequence[Claims]) -> int:
    """Count the areas and categories that two groups have in common."""
    keys = [
        set().union(
            *(
                set(zip(claim.cells["area"], claim.cells["category"], strict=True))
                for claim in group
            )
        )
        for group in (some, others)
    ]
    return len(keys[0] & keys[1])


def _keyed(claim: Claims) -> pd.DataFrame:
    """Return the cells of a source with its periods as spans, where they are known."""
    cells = claim.cells[_SAID]
    labels = {
        label: span_name(claim.spans[label])
        for label in cells["period"].unique()
        if label in claim.spans
    }
    return cells.assign(period=cells["period"].replace(labels))


def _distinct(claims: Sequence[Claims]) -> list[Claims]:
    """Leave out the sources that say nothing that another does not."""
    said = [(claim, _keyed(claim).drop_duplicates()) for claim in claims]
    said.sort(key=lambda pair: -len(pair[1]))
    kept: list[tuple[Claims, pd.DataFrame]] = []
    for claim, cells in said:
        size = [len(pd.concat([other, cells]).drop_duplicates()) - len(other) for _, other in kept]
        if not size or min(size) > 0:
            kept.append((claim, cells))
    order = {id(claim): number for number, claim in enumerate(claims)}
    return sorted((claim for claim, _ in kept), key=lambda claim: order[id(claim)])


def _beyond(breach: Breach, alone: set[str]) -> Breach | None:
    """Return what of a breach no source gives away by itself."""
    cells = tuple(finding for finding in breach.cells if finding.cell not in alone)
    if not cells:
        return None
    rest = breach.what.partition(" ")[2]
    what = breach.what if len(cells) == len(breach.cells) else f"{len(cells):,} {rest}"
    proof = "; ".join(finding.proof for finding in cells[:_EXAMPLES])
    return Breach(breach.where, f"{what}, by several sources", proof, "several sources", cells)


def check_copies(claims: Sequence[Claims]) -> list[Breach]:
    """
    Look for cells that bear different values in different places of one release.

    A cell that is changed anew in every table is known once enough tables are
    averaged; so the same cell must bear the same value everywhere.

    Examples
    --------
    >>> cells = pd.DataFrame(
    ...     {"area": "a", "period": "2025", "category": "All", "shown": [6.0, 9.0], "hidden": False}
    ... )
    >>> check_copies([Claims("x.csv", cells, noisy=True)])[0].proof
    'a 2025 All stands as 6 and 9: the mean of 2 is 7.5, give or take 1.5'
    """
    found: list[Breach] = []
    editions: dict[str | None, list[Claims]] = {}
    for claim in claims:
        editions.setdefault(claim.edition, []).append(claim)
    for edition, given in editions.items():
        tables = [_keyed(claim).assign(source=n) for n, claim in enumerate(given)]
        cells = pd.concat(tables).dropna(subset=["shown"])
        groups = cells.groupby(_KEYS, sort=False)["shown"].agg(
            copies="size", values="nunique", mean="mean", std="std", least="min", most="max"
        )
        twice, odd = groups[groups["copies"] > 1], groups[groups["values"] > 1]
        certain = edition is not None or any(claim.noisy for claim in given)
        if not len(odd) or (not certain and not _noise(twice)):
            continue
        found.append(_different(odd))
    return found


def _noise(twice: pd.DataFrame) -> bool:
    """Tell whether copies differ as if by noise, and not as different things do."""
    near = (twice["most"] - twice["least"]) <= _NOISE
    return bool(near.mean() >= _ALIKE and twice["copies"].max() >= _FEWEST)


def _different(odd: pd.DataFrame) -> Breach:
    odd = odd.sort_values("copies", ascending=False, kind="stable")
    findings = tuple(
        Finding(" ".join(word for word in key if word), _average(key, row))
        for key, row in zip(odd.index[:_LISTED], odd[:_LISTED].itertuples(), strict=True)
    )
    cells = number_of(len(odd), "cell bears", names="cells bear")
    return Breach(
        "file",
        f"{cells} different values in different places, which averaging undoes",
        "; ".join(finding.proof for finding in findings[:_EXAMPLES]),
        attack="averaging",
        cells=findings,
    )


def _average(key: tuple[str, ...], row: Any) -> str:
    error = row.std / np.sqrt(row.copies)
    between = "and" if row.copies == 2 else "to"
    text = (
        f"{' '.join(word for word in key if word)} stands as {row.least:g} {between} {row.most:g}: "
        f"the mean of {row.copies:,} is {row.mean:.3g}, give or take {error:.2g}"
    )
    return f"{text}, so the count is {row.mean:.0f}" if 2 * error < 0.5 else text

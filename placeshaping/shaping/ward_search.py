"""
Proposals of wards, searched for by spanning trees.

Wards are recombined (DeFord, Duchin and Solomon 2021): some that touch are
merged, a random spanning tree is drawn, and it is cut where both sides have
about the electors of whole numbers of councillors; between that single units
move. What becomes worse is taken with a chance that falls (Kirkpatrick and
others 1983). Trees run through a parish before they leave it, as those of
region-aware recombination do; parishes that fit into a ward are not parted at
first. Nothing here knows how people vote or how deprived they are.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from placeshaping._core.checks import check_whole, listed
from placeshaping._core.errors import EmptyError, InputError
from placeshaping._core.progress import track
from placeshaping.shaping._ward_anneal import anneal_all
from placeshaping.shaping._ward_graph import Weighed, graph_of, together
from placeshaping.shaping._ward_names import name_wards
from placeshaping.shaping._ward_trees import Floats, Ints
from placeshaping.shaping.ward_compare import proposal_distance
from placeshaping.shaping.ward_scores import place_labels, score_proposal, ward_numbers
from placeshaping.shaping.wards import Proposal, Review, make_proposal

STEPS = 30_000
"""Changes that each chain tries."""

CHAINS = 8
"""Chains, each from a seed of its own."""

APART = 0.15
"""Least share of electors by which two proposals differ."""

_HOT, _WARM, _COLD = 2.0, 0.5, 0.05
_AT_ONCE = 4
_LONE = 0.1
_MIXES = (0.6, 0.9, 0.3)
"""Chances that a piece with as many councillors as a middling ward has is left whole."""


@dataclass(frozen=True)
class Emphasis:
    """
    What the search trades off; a seat in a ward beyond the mark costs 4 and more.

    Attributes
    ----------
    compactness
        A seat in a ward of no compactness, against one in a circle.
    parish, parish_ward, polling_district, community
        A further ward that such a place reaches into.
    present
        A further ward that a present ward reaches into, where present wards
        are given.
    today
        A seat in a ward that lies the mark away from the average today.

    Examples
    --------
    >>> Emphasis(compactness=10).parish
    3.0
    """

    compactness: float = 5.0
    parish: float = 3.0
    parish_ward: float = 3.0
    polling_district: float = 0.7
    community: float = 1.5
    present: float = 1.5
    today: float = 0.05

    def __post_init__(self) -> None:
        """Refuse weights that are no weights."""
        odd = [name for name, value in vars(self).items() if not 0 <= value < np.inf]
        if odd:
            msg = f"emphasis: {listed(odd)} must be zero or more."
            raise InputError(msg)


def propose_wards(
    review: Review,
    *,
    most: int = 5,
    seed: int = 0,
    present: Proposal | None = None,
    emphasis: Emphasis | None = None,
    chains: int = CHAINS,
    steps: int = STEPS,
    apart: float = APART,
) -> list[Proposal]:
    """
    Search for proposals of wards that differ clearly from each other.

    Wards are of one piece and their councillors add up, always; that every
    ward is within the mark, and none lies within another, is sought and not
    certain: `score_proposal` tells. The same seed gives the same proposals,
    whatever the number of threads.

    Parameters
    ----------
    review
        The area.
    most
        How many proposals at most; fewer are found where little can be
        different.
    seed
        Of the random draws.
    present
        The present wards. Every second chain then starts from them where they
        are of one piece each and have the councillors of the review, and all
        of them keep to them where that costs little.
    emphasis
        What is traded off for what.
    chains, steps
        How many searches there are, and how many changes each tries.
    apart
        Least share of electors by which two proposals differ (see
        `proposal_distance`).

    Returns
    -------
    proposals
        Those with the fewest faults first, then those that cost least under
        `emphasis`. Wards are named after the place that most of their electors
        live in: a working name.

    Raises
    ------
    InputError
        If units are not all connected, the councillors cannot be shared among
        wards of the sizes, or a number cannot be meant.
    EmptyError
        If no ward could be made at all.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from placeshaping.shaping.wards import make_review
    >>> squares = [shapely.box(x, y, x + 100, y + 100) for y in (0, 100) for x in (0, 100, 200)]
    >>> units = gpd.GeoDataFrame(
    ...     {"electors_now": 100, "electors_forecast": 100}, geometry=squares, crs=27700,
    ...     index=list("abcdef"),
    ... )
    >>> review = make_review(units, councillors=3, name="Six squares", sizes=[1])
    >>> best = propose_wards(review, most=1, chains=2, steps=200)[0]
    >>> score_proposal(review, best).summary["largest_forecast"]
    0.0
    """
    most, chains = check_whole(most, name="most"), check_whole(chains, name="chains")
    steps, seed = check_whole(steps, name="steps"), check_whole(seed, name="seed", least=0)
    _check_connected(review)
    weighed = weighed_by(review, emphasis or Emphasis(), present)
    found = _search(review, weighed, present, chains, steps, seed)
    return _unlike(review, [_proposal(review, present, *one) for one in found], most, apart)


def proposal_cost(
    review: Review,
    proposal: Proposal,
    *,
    emphasis: Emphasis | None = None,
    present: Proposal | None = None,
) -> float:
    """
    Return what the search would make as small as it can.

    Parameters
    ----------
    review, proposal
        The area, and wards made of it.
    emphasis, present
        As in `propose_wards`.

    Returns
    -------
    cost
        Comparable between proposals of one review under one emphasis.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from placeshaping.shaping.wards import make_review
    >>> squares = [shapely.box(x, 0, x + 100, 100) for x in (0, 100)]
    >>> units = gpd.GeoDataFrame(
    ...     {"electors_now": 100, "electors_forecast": 100}, geometry=squares, crs=27700,
    ...     index=["a", "b"],
    ... )
    >>> review = make_review(units, councillors=2, name="Two squares")
    >>> both = pd.Series(["x", "x"], index=["a", "b"])
    >>> one = make_proposal(review, both, name="One", councillors={"x": 2})
    >>> round(proposal_cost(review, one), 2)
    3.02
    """
    weighed = weighed_by(review, emphasis or Emphasis(), present)
    node_of = np.arange(len(review.units), dtype=np.int64)
    label = ward_numbers(review, proposal)[None, :].copy()
    seats = proposal.wards["councillors"].to_numpy(dtype=np.int64)[None, :].copy()
    stay = np.ones((1, max(review.sizes) + 1))
    graph = graph_of(review, node_of, weighed)
    cost = anneal_all(
        graph, int(seats.sum()), label, seats, stay, 0, 1.0, 1.0, np.zeros(1, dtype=np.int64)
    )
    return float(cost[0])


def nearest_bridges(review: Review) -> list[tuple[str, str]]:
    """
    Suggest bridges for units that no border connects: the nearest pairs, over water as it may be.

    Parameters
    ----------
    review
        The area.

    Returns
    -------
    bridges
        Pairs of codes; none where all units are connected. Whether a ferry or
        a road goes there is not known.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from placeshaping.shaping.wards import make_review
    >>> squares = [shapely.box(x, 0, x + 100, 100) for x in (0, 100, 300)]
    >>> units = gpd.GeoDataFrame(
    ...     {"electors_now": 100, "electors_forecast": 100}, geometry=squares, crs=27700,
    ...     index=["a", "b", "island"],
    ... )
    >>> nearest_bridges(make_review(units, councillors=3, name="An island"))
    [('b', 'island')]
    """
    group = review.parts.to_numpy().copy()
    shapes, codes = review.units.geometry.to_numpy(), review.units.index
    bridges = []
    while group.max() > 0:
        main, rest = np.flatnonzero(group == 0), np.flatnonzero(group > 0)
        tree = shapely.STRtree(shapes[main])
        (near, hit), away = tree.query_nearest(shapes[rest], return_distance=True)
        best = int(away.argmin())
        one, other = main[hit[best]], rest[near[best]]
        bridges.append((str(codes[one]), str(codes[other])))
        group[group == group[other]] = 0
    return bridges


def _check_connected(review: Review) -> None:
    sizes = review.parts.value_counts().sort_index()
    if len(sizes) > 1:
        first = [str(review.units.index[review.parts == part][0]) for part in sizes.index[1:]]
        pairs = ", ".join(f"({one}, {other})" for one, other in nearest_bridges(review)[:5])
        groups = "1 group" if len(sizes) == 2 else f"{len(sizes) - 1:,} groups"
        msg = (
            f"{sizes.iloc[1:].sum():,} units are apart from the rest, in {groups} (with "
            f"{listed(first)}). Give bridges, pairs of codes that count as neighbours; the nearest "
            f"are {pairs}."
        )
        raise InputError(msg)


def weighed_by(review: Review, emphasis: Emphasis, present: Proposal | None) -> Weighed:
    """Put an emphasis into the numbers that the kernels take."""
    places = {kind: (place_labels(review, kind), getattr(emphasis, kind)) for kind in review.places}
    if present is not None:
        held = present.ward_of.reindex(review.units.index)
        places["present"] = (held, emphasis.present)
    return Weighed(emphasis.compactness, emphasis.today, places)


def _search(
    review: Review,
    weighed: Weighed,
    present: Proposal | None,
    chains: int,
    steps: int,
    seed: int,
) -> list[tuple[float, Ints, Ints]]:
    """Return for each chain what its wards cost, the ward of each unit, and councillors."""
    single = np.arange(len(review.units), dtype=np.int64)
    whole = together(review)
    fine = graph_of(review, single, weighed)
    if not fine.can[review.councillors]:
        sizes = ", ".join(map(str, review.sizes))
        msg = f"{review.councillors} councillors cannot be shared among wards of {sizes}."
        raise InputError(msg)
    seeds = np.random.SeedSequence(seed).generate_state(2 * chains).astype(np.int64)
    labels = np.zeros((chains, len(single)), dtype=np.int64)
    seats = np.zeros((chains, review.councillors), dtype=np.int64)
    stay = _stay(review, chains)
    from_present = _started(review, present, labels, seats)
    coarse = int(whole.max()) + 1 < len(single)
    found: list[tuple[float, Ints, Ints]] = []
    batches = range(0, chains, _AT_ONCE)
    for low in track(batches, label="Searching wards", total=len(batches)):
        rows = slice(low, min(low + _AT_ONCE, chains))
        anew = np.flatnonzero(~from_present[rows]) + low
        if coarse and len(anew):
            graph = graph_of(review, whole, weighed)
            kept = np.zeros((len(anew), len(graph.forecast)), dtype=np.int64)
            part = seats[anew]
            anneal_all(
                graph, review.councillors, kept, part, stay[anew], steps, _HOT, _COLD, seeds[anew]
            )
            labels[anew], seats[anew] = kept[:, whole], part
        begun = from_present[rows].all() or coarse
        hot = _WARM if begun else _HOT
        mine, theirs = labels[rows].copy(), seats[rows].copy()
        drawn = seeds[chains:][rows]
        cost = anneal_all(
            fine, review.councillors, mine, theirs, stay[rows], steps, hot, _COLD, drawn
        )
        found += [(float(c), a, b) for c, a, b in zip(cost, mine, theirs, strict=True)]
    return [one for one in found if np.isfinite(one[0])]


def _stay(review: Review, chains: int) -> Floats:
    """Return for each chain the chance that a piece with so many councillors is left whole."""
    largest = max(review.sizes)
    stay = np.zeros((chains, largest + 1))
    for chain in range(chains):
        for size in review.sizes:
            stay[chain, size] = _LONE if size == 1 else _MIXES[chain % len(_MIXES)]
    stay[:, largest] = 1.0
    stay[:, min(review.sizes)] = np.maximum(stay[:, min(review.sizes)], _LONE)
    return stay


def _started(
    review: Review, present: Proposal | None, labels: Ints, seats: Ints
) -> NDArray[np.bool_]:
    """Start every second chain from the present wards where those can be a start."""
    begun = np.zeros(len(labels), dtype=np.bool_)
    if present is None:
        return begun
    due = present.wards["councillors"]
    fits = due.sum() == review.councillors and due.isin(review.sizes).all()
    if fits and score_proposal(review, present).summary["detached"] == 0:
        begun[::2] = True
        labels[begun] = ward_numbers(review, present)
        seats[begun, : len(due)] = due.to_numpy()
    return begun


def _proposal(
    review: Review, present: Proposal | None, cost: float, label: Ints, seats: Ints
) -> tuple[float, Proposal]:
    names = name_wards(review, label, present)
    order = sorted(names, key=lambda ward: _in_order(names[ward]))
    ward_of = pd.Series(label, index=review.units.index).astype("str")
    proposal = make_proposal(
        review,
        ward_of,
        name="",
        councillors={str(ward): int(seats[ward]) for ward in order},
        names={str(ward): name for ward, name in names.items()},
    )
    return cost, proposal


def _in_order(name: str) -> tuple[str, int]:
    """Return a key by which "Ward 2" stands before "Ward 10"."""
    words, _, last = name.rpartition(" ")
    return (words, int(last)) if last.isdecimal() else (name, 0)


def _unlike(
    review: Review, found: list[tuple[float, Proposal]], most: int, apart: float
) -> list[Proposal]:
    """Take the best, then the best of those that differ enough from all that were taken."""
    if not found:
        msg = (
            "No wards could be made: no spanning tree could be cut into them. Allow other sizes, "
            "or give smaller units."
        )
        raise EmptyError(msg)
    ranked = sorted(
        ((len(score_proposal(review, one).faults), cost, i) for i, (cost, one) in enumerate(found))
    )
    taken: list[Proposal] = []
    for _, _, i in ranked:
        one = found[i][1]
        if all(proposal_distance(review, one, other) >= apart for other in taken):
            name = f"Proposal {chr(ord('A') + len(taken))}"
            taken.append(dataclasses.replace(one, name=name))
        if len(taken) == min(most, 26):
            break
    return taken

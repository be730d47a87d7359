"""From the recipe of a ward review to its products; proposal files checked and compared."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from placeshaping._core.checks import listed, near_names
from placeshaping._core.errors import GivesAwayError, RecipeError
from placeshaping.project.review_inputs import ReviewInputs, read_review_inputs
from placeshaping.project.review_request import ReviewRecipe, read_review_recipe

if TYPE_CHECKING:
    import pandas as pd

    from placeshaping._core.provenance import SourceFile
    from placeshaping.disclosure.policies import Policy
    from placeshaping.disclosure.wards import WardRelease
    from placeshaping.shaping.ward_scores import Scores
    from placeshaping.shaping.wards import Proposal, Review

PAINTING, REPORT, LAYERS, WORKBOOK = "painting.html", "report.html", "wards.gpkg", "wards.xlsx"
"""Names of what is written beside the proposal files."""


@dataclass(frozen=True, eq=False)
class ReviewOutcome:
    """
    What a review has come to.

    Attributes
    ----------
    folder, files
        Where the products are.
    scores
        Proposals side by side (see `score_table`).
    distances
        Share of electors who would be in another ward, for each two proposals.
    sentences
        What each proposal does, in words.
    notes
        What was done to the input.
    """

    folder: Path
    files: tuple[Path, ...]
    scores: pd.DataFrame
    distances: pd.DataFrame
    sentences: dict[str, tuple[str, ...]]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome as plain values."""
        return {
            "folder": str(self.folder),
            "files": [path.name for path in self.files],
            "proposals": _records(self.scores),
            "distances": self.distances.round(6).to_dict(),
            "statement": {name: list(told) for name, told in self.sentences.items()},
            "notes": list(self.notes),
        }


@dataclass(frozen=True, eq=False)
class Checked:
    """
    A proposal file, judged.

    Attributes
    ----------
    name
        Of the proposal.
    scores
        See `score_proposal`.
    sentences
        What it does, in words.
    """

    name: str
    scores: Scores
    sentences: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing stands against it."""
        return not self.scores.faults

    def to_dict(self) -> dict[str, Any]:
        """Return the judgement as plain values."""
        wards = self.scores.wards.rename_axis("id").reset_index()
        return {
            "proposal": self.name,
            "passed": self.passed,
            "summary": self.scores.summary,
            "wards": wards.to_dict("records"),
            "split": self.scores.split.to_dict("records"),
            "faults": list(self.scores.faults),
            "warnings": list(self.scores.warnings),
            "statement": list(self.sentences),
        }


@dataclass(frozen=True, eq=False)
class Compared:
    """
    Two proposal files side by side.

    Attributes
    ----------
    scores
        One row for each (see `score_table`).
    distance
        Share of electors who would be in another ward.
    changed
        The units that change (see `changed_units`).
    """

    scores: pd.DataFrame
    distance: float
    changed: pd.DataFrame

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as plain values."""
        return {
            "proposals": _records(self.scores),
            "distance": round(self.distance, 6),
            "changed": self.changed.reset_index().to_dict("records"),
        }


def run_review(recipe: str | Path, *, made_on: dt.date) -> ReviewOutcome:
    """
    Search for proposals of wards and write all products of a review.

    Parameters
    ----------
    recipe
        A TOML file with a section `[review]`.
    made_on
        The day that the products bear, unless the recipe says another.

    Returns
    -------
    outcome
        Files, scores and words.

    Raises
    ------
    RecipeError
        If a key is missing or wrong.
    InputError
        If electors are missing, or units are not connected.
    DisclosureError
        If the policy is looser than the electors allow, or a written file
        gives something away.
    """
    from placeshaping._core.output import staged_folder
    from placeshaping.shaping.ward_compare import distance_table, score_table
    from placeshaping.shaping.ward_scores import score_proposal
    from placeshaping.shaping.ward_words import describe_proposal

    path = Path(recipe)
    given = read_review_recipe(path)
    inputs = read_review_inputs(given, path.parent)
    released = _released(given, inputs, made_on)
    target = path.parent / given.output
    with staged_folder(target) as staged:
        names = _write(released, staged)
        _attack(staged, names, released.policy, today=given.made_on or made_on)
    everything = [*released.proposals, *([released.present] if released.present else [])]
    return ReviewOutcome(
        folder=target,
        files=tuple(target / name for name in names),
        scores=score_table(released.review, everything),
        distances=distance_table(released.review, everything),
        sentences={
            one.name: describe_proposal(
                released.review, score_proposal(released.review, one), name=one.name
            )
            for one in everything
        },
        notes=(*inputs.notes, *_left_out(released.policy)),
    )


def check_proposal(file: str | Path, *, recipe: str | Path) -> Checked:
    """
    Judge a proposal file with the numbers of its review.

    Parameters
    ----------
    file
        JSON, GeoJSON or CSV, from the painting page or from `run_review`.
    recipe
        The recipe of its review.

    Returns
    -------
    checked
        Scores, and what they say.

    Raises
    ------
    InputError
        If the file is of another review, unfinished or altered.
    """
    from placeshaping.shaping.ward_files import read_proposal
    from placeshaping.shaping.ward_scores import score_proposal
    from placeshaping.shaping.ward_words import describe_proposal

    review = protected_review(recipe)
    proposal = read_proposal(file, review)
    scores = score_proposal(review, proposal)
    return Checked(proposal.name, scores, describe_proposal(review, scores, name=proposal.name))


def compare_proposals(one: str | Path, other: str | Path, *, recipe: str | Path) -> Compared:
    """
    Hold two proposal files against each other.

    Parameters
    ----------
    one, other
        Files of one review.
    recipe
        Its recipe.

    Returns
    -------
    compared
        Scores, distance, and the units that change.

    Raises
    ------
    InputError
        If a file is of another review, unfinished or altered.
    """
    from placeshaping.shaping.ward_compare import changed_units, proposal_distance, score_table
    from placeshaping.shaping.ward_files import read_proposal

    review = protected_review(recipe)
    first, second = read_proposal(one, review), read_proposal(other, review)
    if first.name == second.name:
        first = dataclasses.replace(first, name=f"{first.name} ({Path(one).name})")
        second = dataclasses.replace(second, name=f"{second.name} ({Path(other).name})")
    return Compared(
        score_table(review, [first, second]),
        proposal_distance(review, first, second),
        changed_units(review, first, second),
    )


def protected_review(recipe: str | Path) -> Review:
    """
    Return the review of a recipe with the electors that may leave: what every score rests on.

    Parameters
    ----------
    recipe
        A TOML file with a section `[review]`.

    Returns
    -------
    review
        As the painting page holds it.
    """
    from placeshaping.disclosure.wards import protect_review

    path = Path(recipe)
    given = read_review_recipe(path)
    inputs = read_review_inputs(given, path.parent)
    policy = _policy(given)
    return protect_review(inputs.review, policy=policy, sensitivity=given.sensitivity)[0]


def _policy(recipe: ReviewRecipe) -> Policy:
    from placeshaping.disclosure.own_policies import known_policy, make_policy

    if isinstance(recipe.policy, dict):
        return make_policy(recipe.policy, where="review.policy")
    return known_policy(recipe.policy)


def _released(recipe: ReviewRecipe, inputs: ReviewInputs, made_on: dt.date) -> WardRelease:
    """Search on what may leave, and release it."""
    from placeshaping.disclosure.wards import protect_review, release_review

    policy = _policy(recipe)
    review = protect_review(inputs.review, policy=policy, sensitivity=recipe.sensitivity)[0]
    return release_review(
        inputs.review,
        _proposals(recipe, review, inputs.present),
        policy=policy,
        title=recipe.title,
        made_on=recipe.made_on or made_on,
        present=inputs.present,
        sensitivity=recipe.sensitivity,
        already_published=recipe.electors.published,
        purpose=recipe.purpose,
        contact=recipe.contact,
        expires=recipe.expires,
        sources=_sources(inputs.sources, policy),
    )


def _proposals(recipe: ReviewRecipe, review: Review, present: Proposal | None) -> list[Proposal]:
    from placeshaping.shaping.ward_search import Emphasis, propose_wards

    asked = recipe.search
    _check_emphasis(asked.emphasis)
    return propose_wards(
        review,
        most=asked.proposals,
        seed=asked.seed,
        present=present if asked.from_present else None,
        emphasis=Emphasis(**asked.emphasis),
        chains=asked.chains,
        steps=asked.steps,
        apart=asked.apart,
    )


def _check_emphasis(given: dict[str, float]) -> None:
    from placeshaping.shaping.ward_search import Emphasis

    known = [field.name for field in dataclasses.fields(Emphasis)]
    for name in given:
        if name not in known:
            near = near_names(name, known)
            hint = f" (did you mean {listed(near)}?)" if near else f"; there are {', '.join(known)}"
            msg = f"review.search.emphasis.{name}: there is no such key{hint}."
            raise RecipeError(msg)


def _sources(sources: Sequence[SourceFile], policy: Policy) -> tuple[SourceFile, ...]:
    """Withhold the checksum of the electors where they are protected: it could be guessed."""
    return tuple(
        dataclasses.replace(one, sha256=None) if policy.protects and one.role == "electors" else one
        for one in sources
    )


def _write(released: WardRelease, folder: Path) -> list[str]:
    from placeshaping.layers.wards import write_proposals, write_wards
    from placeshaping.maps.ward_painting import painting_page
    from placeshaping.reports.wards import write_review_report, write_review_workbook

    page = [PAINTING] if released.policy.shareable_map else []
    if page:
        painting_page(released).save(folder / PAINTING)
    write_review_report(released, folder / REPORT)
    write_wards(released, folder / LAYERS)
    write_review_workbook(released, folder / WORKBOOK)
    proposals = write_proposals(released, folder)
    return [*page, REPORT, LAYERS, WORKBOOK, *(path.name for path in proposals)]


def _left_out(policy: Policy) -> list[str]:
    if policy.shareable_map:
        return []
    return [
        f"Policy {policy.name!r} lets no map be passed on, so there is no {PAINTING}. Under 'open' "
        "(with the address where the electors are published) or 'internal' there is."
    ]


def _attack(folder: Path, names: Sequence[str], policy: Policy, *, today: dt.date) -> None:
    """Attack what was written before it is handed over."""
    from placeshaping.verify.files import verify_files

    verdicts = verify_files([folder / name for name in names], policy=policy.name, today=today)
    told = [
        f"{verdict.file}, {breach.where}: {breach.what} ({breach.proof})"
        for verdict in verdicts
        for breach in verdict.breaches
    ]
    if told:
        msg = f"The products give away what {policy.name!r} hides: {listed(told, most=3)}."
        raise GivesAwayError(msg)


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as plain values, without what is not known."""
    rows = table.reset_index().to_dict("records")
    return [
        {
            str(key): value.item() if hasattr(value, "item") else value
            for key, value in row.items()
            if value is not None and value == value
        }
        for row in rows
    ]

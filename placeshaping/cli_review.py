"""The command `placeshaping review`: ward reviews, and files of proposals judged and compared."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from placeshaping._core.progress import quiet as no_progress
from placeshaping.console import Json, Quiet, print_json, print_table, this_day

_MOST = 20
_WORDS = {
    "over_forecast": "wards beyond the mark, forecast",
    "over_now": "wards beyond the mark, today",
    "largest_forecast": "farthest from the average, forecast",
    "largest_now": "farthest from the average, today",
    "detached": "wards of several parts",
    "doughnuts": "wards within another",
    "split_parish": "parishes split",
    "split_parish_ward": "parish wards split",
    "split_polling_district": "polling districts split",
    "split_community": "communities split",
    "compactness": "compactness (mean; 1 is a circle)",
    "cut_edges": "neighbours in unlike wards",
    "faults": "what stands against it",
    "warnings": "what must be argued for",
}
"""What scores are called."""


class _RecipeOrCommand(TyperGroup):
    """`review RECIPE` runs a review; `review check` and `review compare` judge files."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take what is no command as a recipe to run."""
        if args and args[0] not in self.commands and args[0] != "--help":
            args = ["propose", *args]
        return super().parse_args(ctx, args)


review_app = typer.Typer(
    name="review",
    cls=_RecipeOrCommand,
    help="Ward reviews: review RECIPE.toml; review check FILE; review compare FILE FILE.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Recipe = Annotated[Path, typer.Option(help="The recipe of the review.")]


@review_app.command()
def propose(
    recipe: Annotated[Path, typer.Argument(help="A recipe in TOML with a section [review].")],
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Search for proposals of wards; write the painting page, layers, tables and a report."""
    from placeshaping.project.review import run_review

    with no_progress(on=quiet or as_json):
        outcome = run_review(recipe, made_on=this_day())
    if as_json:
        print_json(outcome.to_dict())
    elif not quiet:
        for note in outcome.notes:
            typer.echo(note)
        _print_scores(outcome.scores)
        names = [_short(name) for name in outcome.distances.columns]
        shares = outcome.distances.to_numpy()
        rows = [
            (name, *(f"{100 * share:.0f} %" for share in row))
            for name, row in zip(names, shares, strict=True)
        ]
        print_table("Electors who would be in another ward", ("", *names), rows)
        for path in outcome.files:
            typer.echo(f"{path}  ({path.stat().st_size / 1000:,.0f} KB)")


@review_app.command()
def check(
    file: Annotated[Path, typer.Argument(help="A proposal: JSON, GeoJSON or CSV.")],
    recipe: Recipe,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Judge a proposal file with the numbers of its review; exit code 1 where it does not pass."""
    from placeshaping.project.review import check_proposal

    with no_progress(on=quiet or as_json):
        checked = check_proposal(file, recipe=recipe)
    if as_json:
        print_json(checked.to_dict())
    elif not quiet:
        rows = [
            (
                ward["name"], ward["councillors"], f"{ward['electors_forecast']:,}",
                f"{100 * ward['variance_forecast']:+.1f} %",
                f"{100 * ward['variance_now']:+.1f} %",
            )
            for _, ward in checked.scores.wards.iterrows()
        ]  # fmt: skip
        heads = ("ward", "councillors", "electors, forecast", "from the average", "today")
        print_table(checked.name, heads, rows)
        for sentence in checked.sentences:
            typer.echo(sentence)
    if not checked.passed:
        raise typer.Exit(1)


@review_app.command()
def compare(
    one: Annotated[Path, typer.Argument(help="A proposal.")],
    other: Annotated[Path, typer.Argument(help="Another of the same review.")],
    recipe: Recipe,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Hold two proposal files against each other."""
    from placeshaping.project.review import compare_proposals

    with no_progress(on=quiet or as_json):
        compared = compare_proposals(one, other, recipe=recipe)
    if as_json:
        print_json(compared.to_dict())
    elif not quiet:
        _print_scores(compared.scores)
        typer.echo(
            f"{100 * compared.distance:.1f} % of electors would be in another ward; "
            f"{len(compared.changed):,} units change."
        )
        rows = [(code, *row) for code, row in compared.changed.head(_MOST).T.items()]
        if rows:
            print_table("Units that change", ("unit", *compared.changed.columns), rows)


def _print_scores(scores: Any) -> None:
    """Print proposals side by side, a line for each score that is known."""
    told = scores.dropna(axis=1, how="all")
    rows = [(_WORDS.get(name, name), *map(_cell, told[name])) for name in told]
    print_table("Proposals", ("", *map(_short, told.index)), rows)


def _short(name: object) -> str:
    return str(name).removeprefix("Proposal ")


def _cell(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) and value % 1 else f"{value:,.0f}"

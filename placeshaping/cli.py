"""
The command line: one command a verb, each calling one function of the library.

Exit codes: 0 when all is well; 1 for a problem that the user can mend, told in
one line; 2 for a command that was typed wrongly; 130 when stopped by Ctrl-C.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from placeshaping import __version__
from placeshaping._core.errors import PlaceshapingError
from placeshaping._core.progress import quiet as no_progress
from placeshaping.cli_backtest import backtest
from placeshaping.cli_evaluate import evaluate
from placeshaping.cli_index import index
from placeshaping.cli_inspections import inspections
from placeshaping.cli_ledger import ledger_app
from placeshaping.cli_patrol import patrol_app
from placeshaping.cli_places import access, rounds, site
from placeshaping.cli_profile import profile
from placeshaping.cli_publish import publish
from placeshaping.cli_review import review_app
from placeshaping.cli_segments import segments
from placeshaping.console import Json, Quiet, print_json, print_table, this_day

if TYPE_CHECKING:
    from placeshaping.project.pipeline import Outcome
    from placeshaping.verify.verdict import Verdict

_ORDER = (
    "demo", "init", "check", "fetch", "run", "verify", "publish", "ledger",
    "profile", "access", "site", "rounds", "review", "segments", "index", "evaluate",
    "inspections", "backtest", "patrol",
)  # fmt: skip


class _InOrder(TyperGroup):
    """Lists the commands in the order in which people meet them."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - named by the base class
        """Return their names; one that has no place stands last."""
        place = {name: number for number, name in enumerate(_ORDER)}
        return sorted(self.commands, key=lambda name: place.get(name, len(place)))


app = typer.Typer(
    name="placeshaping",
    cls=_InOrder,
    help="Hot spots and place shaping: join, find, protect, publish.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain help: any console can print it, and it answers sooner
    pretty_exceptions_enable=False,
)

_MOST_ROWS = 50
"""Breaches that are printed; all of them stand in the JSON report."""

INTERRUPTED = 130
"""Exit code after Ctrl-C, which the command-line library turns into an exit."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; mendable problems end in one line and exit code 1."""
    _write_anything()
    try:
        app(args=None if arguments is None else list(arguments))
    except PlaceshapingError as error:
        typer.echo(f"placeshaping: {error}", err=True)
        sys.exit(1)
    except SystemExit as stop:
        if stop.code == INTERRUPTED:
            typer.echo("placeshaping: stopped. Nothing half-written was left.", err=True)
        raise


def _write_anything() -> None:
    """Let a console of an old code page show what it can rather than fail on a name."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


@app.callback(invoke_without_command=True)
def _about(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        typer.echo(f"placeshaping {__version__}")
        raise typer.Exit


app.add_typer(ledger_app)
app.add_typer(patrol_app)
app.add_typer(review_app)
app.command()(publish)
app.command()(backtest)
app.command()(profile)
app.command()(access)
app.command()(site)
app.command()(rounds)
app.command()(evaluate)
app.command()(inspections)
app.command()(segments)
app.command()(index)


@app.command()
def run(
    recipe: Annotated[Path, typer.Argument(help="A recipe in TOML; `init` writes one.")],
    cluster: Annotated[
        str | None,
        typer.Option(help="Count on Dask: local, local:N, or tcp://host:port of a scheduler."),
    ] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Run a recipe: join, find hot spots, protect, and write a map, layers and tables."""
    from placeshaping.project.pipeline import run as run_recipe

    with _speaking(quiet=quiet or as_json):
        outcome = run_recipe(recipe, made_on=this_day(), cluster=cluster)
    _report(outcome, quiet=quiet, as_json=as_json)


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(help="Where to put the invented district.")] = Path(
        "placeshaping-demo"
    ),
    areas: Annotated[int, typer.Option(help="Small areas (LSOAs) of the district.")] = 200,
    seed: Annotated[int, typer.Option(help="Another seed, another district.")] = 2,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Invent a district, write its files, and run the main job on them."""
    from placeshaping.project.demo import run_demo

    with _speaking(quiet=quiet or as_json):
        outcome = run_demo(folder, areas=areas, seed=seed, made_on=this_day())
    _report(outcome, quiet=quiet, as_json=as_json)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="A folder with your files.")] = Path(),
    force: Annotated[bool, typer.Option("--force", help="Replace a recipe that is there.")] = False,
    quiet: Quiet = False,
) -> None:
    """Write a commented recipe from the files in a folder."""
    from placeshaping.project.start import write_recipe

    path = write_recipe(folder, replace=force)
    if not quiet:
        typer.echo(f'Wrote {path}. Read it through, then: placeshaping run "{path}"')


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Files to look into.")],
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Tell what is in a file and what is wrong with it."""
    from placeshaping.areas.inspection import inspect_file

    with _speaking(quiet=quiet or as_json):
        found = [inspect_file(path) for path in files]
    if as_json:
        print_json([dataclasses.asdict(inspection) for inspection in found])
    elif not quiet:
        for inspection in found:
            rows = [("is", inspection.kind), *inspection.facts]
            rows += [(p.severity, f"{p.what} {p.remedy}".strip()) for p in inspection.problems]
            print_table(inspection.name, ("", ""), rows)
    if any(p.severity == "error" for inspection in found for p in inspection.problems):
        raise typer.Exit(1)


@app.command()
def verify(
    files: Annotated[list[Path], typer.Argument(help="Written files, or folders of them.")],
    policy: Annotated[
        str | None, typer.Option(help="Judge by this policy, whatever the file declares.")
    ] = None,
    former: Annotated[
        Path | None, typer.Option("--with", help="A ledger of what was released before.")
    ] = None,
    population: Annotated[
        Path | None,
        typer.Option(help="Public populations by area code, or addresses with coordinates."),
    ] = None,
    today: Annotated[
        dt.datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The day to judge by, of files that expire."),
    ] = None,
    budget: Annotated[
        int, typer.Option(min=0, help="Hidden cells of a file to solve linear programmes for.")
    ] = 30,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Attack written files, to see whether they give away what their policy hides."""
    from placeshaping.verify.files import verify_files

    with _speaking(quiet=quiet or as_json):
        verdicts = verify_files(
            files,
            policy=policy,
            ledger=former,
            population=population,
            today=this_day() if today is None else today.date(),
            budget=budget,
        )
    breaches = [row for verdict in verdicts for row in verdict.rows()]
    if as_json:
        files_told = [verdict.to_dict() for verdict in verdicts]
        print_json({"files": files_told, "breaches": breaches})
    elif not quiet:
        rows = [(v.file, v.judged_policy, _result(v)) for v in verdicts]
        print_table("Attacked", ("file", "judged as", "result"), rows)
        for note in dict.fromkeys(v.note for v in verdicts if v.note):
            typer.echo(f"Note: {note}")
        if breaches:
            heads = ("file", "where", "cell", "what", "proof")
            table = [[row[head] for head in heads] for row in breaches[:_MOST_ROWS]]
            print_table("Breaches", heads, table)
        if len(breaches) > _MOST_ROWS:
            typer.echo(f"... and {len(breaches) - _MOST_ROWS:,} more; --json lists all.")
    if not all(verdict.passed for verdict in verdicts):
        raise typer.Exit(1)


@app.command()
def fetch(
    what: Annotated[
        str | None,
        typer.Argument(help="What to fetch, such as lsoa21 or crime; without it, all are listed."),
    ] = None,
    within: Annotated[
        list[str] | None,
        typer.Option(help="Only areas of this district, police force or county; repeatable."),
    ] = None,
    force: Annotated[str | None, typer.Option(help="Of crime: the police force.")] = None,
    first: Annotated[
        str | None, typer.Option("--from", help="Of crime: the first month, as 2023-01.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", help="Of crime: the last month, as 2025-12.")
    ] = None,
    into: Annotated[Path | None, typer.Option(help="Copy the file into this folder.")] = None,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Ask again, though it was fetched before.")
    ] = False,
    whole: Annotated[
        bool, typer.Option("--whole", help="Download whole archives where no parts are given.")
    ] = False,
    boundaries: Annotated[
        Path, typer.Option(help="The folder of files dropped in by hand.")
    ] = Path("boundaries"),
    cache: Annotated[Path | None, typer.Option(help="Another folder for the cache.")] = None,
    catalogue: Annotated[Path | None, typer.Option(help="A catalogue of your own.")] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Fetch public data: boundaries, deprivation, recorded crime, postcodes, population."""
    from placeshaping.sources.fetch import fetch as fetch_source
    from placeshaping.sources.fetch import list_sources

    if what is None:
        sources = list_sources(catalogue=catalogue, boundaries=boundaries)["title"]
        if as_json:
            print_json(sources.to_dict())
        elif not quiet:
            print_table("Sources", ("name", "what it is"), sources.items())
        return
    with _speaking(quiet=quiet or as_json):
        fetched = fetch_source(
            what,
            within=within,
            force=force,
            first=first,
            last=last,
            into=into,
            refresh=refresh,
            whole=whole,
            boundaries=boundaries,
            cache=cache,
            catalogue=catalogue,
        )
    if as_json:
        print_json(fetched.to_dict())
    elif not quiet:
        for note in fetched.notes:
            typer.echo(note)
        typer.echo(f"{fetched.path}  ({fetched.origin}; sha256 {fetched.sha256[:12]})")
        typer.echo(f"{fetched.licence}. {fetched.attribution}")


@contextmanager
def _speaking(*, quiet: bool) -> Iterator[None]:
    """Show progress and the library's warnings, or neither."""
    log = logging.getLogger("placeshaping")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("Note: %(message)s"))
    handler.setLevel(logging.CRITICAL if quiet else logging.WARNING)
    log.addHandler(handler)
    try:
        with no_progress(on=quiet):
            yield
    finally:
        log.removeHandler(handler)


def _result(verdict: Verdict) -> str:
    """Say in a few words how a file fared."""
    if not verdict.passed:
        number = len(verdict.breaches)
        return f"{number:,} breach{'es' if number > 1 else ''}"
    if verdict.note:
        return "not checked (open)" if verdict.judged_policy == "open" else "no counts checked"
    return "withstands"


def _report(outcome: Outcome, *, quiet: bool, as_json: bool) -> None:
    if as_json:
        print_json(outcome.to_dict())
    elif not quiet:
        release = outcome.release
        for sentence in (*release.notes, *release.statement):
            typer.echo(sentence)
        for sentence in release.cautions:
            typer.echo(f"Mind: {sentence}")
        typer.echo("")
        for path in outcome.files:
            typer.echo(f"{path}  ({path.stat().st_size / 1000:,.0f} KB)")

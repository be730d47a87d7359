"""What a project released before: the ledger beside its recipe, made when first it is needed."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from placeshaping._core.checks import listed
from placeshaping._core.errors import DisclosureError
from placeshaping.project.gather import Gathered
from placeshaping.project.protect import policy_for
from placeshaping.project.recipe import Recipe

if TYPE_CHECKING:
    from placeshaping.disclosure.ledger import Ledger
    from placeshaping.disclosure.ledger.entry import LedgerEntry
    from placeshaping.disclosure.release import Release

_log = logging.getLogger(__name__)


class Former:
    """
    The ledger of a run, if its policy needs one.

    Parameters
    ----------
    path
        Where the ledger is, or will be; None for a run that is not remembered.
    dataset
        Name of the records in it, to say so where it holds others alone.
    apart
        Names of records of which these are a part, or which are a part of
        these: what was released of them gives the rest away.

    Attributes
    ----------
    ledger
        Open, where there is one already; a file that does not exist is made
        only when a release is entered.
    """

    def __init__(
        self, path: Path | None, *, dataset: str | None = None, apart: Iterable[str] = ()
    ) -> None:
        self.path, self.dataset = path, dataset
        self.apart = sorted(set(apart) - {dataset})
        self.ledger: Ledger | None = None
        self._open = ExitStack()

    def __enter__(self) -> Former:
        if self.path is not None and self.path.exists():
            self._make()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def _make(self) -> Ledger:
        from placeshaping.disclosure.ledger import open_ledger

        if self.ledger is None:
            self.ledger = self._open.enter_context(open_ledger(self.path or Path()))
            self._refuse_parts(self.ledger)
            self._tell_others()
        return self.ledger

    def _refuse_parts(self, ledger: Ledger) -> None:
        """Refuse records of which more, or a part, was released under another name."""
        known = ledger.list()
        out = set(known.loc[known["left_the_house"], "dataset"])
        if found := [name for name in self.apart if name in out]:
            msg = (
                f"{ledger.path.name} holds a release of {listed(found)}: with {self.dataset!r} "
                "beside it a reader could subtract what both count and get hidden numbers of the "
                "rest. Release services together, or each by itself, not both. What never left the "
                "house can be taken back: placeshaping ledger withdraw."
            )
            raise DisclosureError(msg)

    def _tell_others(self) -> None:
        """Say so where the ledger holds releases, and none under this recipe's name."""
        others = [] if self.ledger is None else list(self.ledger.list()["dataset"].unique())
        if self.dataset is None or not others or self.dataset in others:
            return
        _log.warning(
            "%s holds no release of %r, only of %s: nothing of that is checked against this one. "
            'If the records are the same, give the recipe that name: dataset = "%s".',
            (self.path or Path()).name, self.dataset, listed(others), others[0],
        )  # fmt: skip

    @contextmanager
    def entering(self, released: Release) -> Iterator[Callable[[], None]]:
        """
        Give what enters a release; confirm it at the end, or take it back where it stayed.

        Yields
        ------
        enter
            To be called when the products have withstood the attacker, before
            they are moved into place.
        """
        with self._confirming(released.made_on, lambda: [self._enter(released)]) as enter:
            yield enter

    @contextmanager
    def entering_checked(self, entries: Sequence[LedgerEntry]) -> Iterator[Callable[[], None]]:
        """
        Give what enters numbers that cannot be hidden further, or refuses them.

        Parameters
        ----------
        entries
            Of one product.

        Yields
        ------
        enter
            As of `entering`.

        Raises
        ------
        DisclosureError
            By `enter`, if they give a count away together with what was released before.
        """
        made_on = entries[0].made_on
        with self._confirming(made_on, lambda: map(self._enter_checked, entries)) as enter:
            yield enter

    @contextmanager
    def _confirming(
        self, made_on: dt.date, enter: Callable[[], Iterable[tuple[int, bool]]]
    ) -> Iterator[Callable[[], None]]:
        if self.path is None:
            yield lambda: None
            return
        entered: list[tuple[int, bool]] = []

        def one_by_one() -> None:
            for one in enter():
                entered.append(one)  # noqa: PERF402 - those before a refusal are taken back

        try:
            yield one_by_one
        except BaseException:
            for number, is_new in entered:
                if is_new:
                    self._make().withdraw(
                        number,
                        because="its products could not be put in place",
                        on=made_on,
                        never_left=True,
                    )
            raise
        for number, _ in entered:
            self._make().confirm(number)

    def _enter(self, released: Release) -> tuple[int, bool]:
        """Enter a release as about to leave; return its number, and whether that is new."""
        from placeshaping.disclosure.ledger.entry import entry_of

        entry, begun = entry_of(released), self.ledger is None
        ledger = self._make()
        if begun and not ledger.conflicts(entry).empty:
            msg = (
                f"{ledger.path.name} was made by another run meanwhile, and this release would "
                "give numbers away together with that one. Nothing was written; run again."
            )
            raise DisclosureError(msg)
        return self._record(entry)

    def _enter_checked(self, entry: LedgerEntry) -> tuple[int, bool]:
        """Enter numbers as about to leave, unless they give others away."""
        found = self._make().conflicts(entry)
        if not found.empty:
            msg = (
                f"{len(found):,} numbers of {entry.title!r} would give others away together with "
                f"what was released before ({listed(list(found['proof']), most=3)}). Nothing was "
                "written. Take more areas, another start, longer blocks, or more categories."
            )
            raise DisclosureError(msg)
        return self._record(entry)

    def _record(self, entry: LedgerEntry) -> tuple[int, bool]:
        ledger = self._make()
        known = set(ledger.list()["id"])
        number = ledger.record(entry, pending=True)
        return number, number not in known


def open_former(
    recipe: Recipe, gathered: Gathered, *, folder: Path, apart: Sequence[str] | None = None
) -> Former:
    """
    Return the ledger of a recipe, not yet open.

    Parameters
    ----------
    recipe, gathered, folder
        What is released, and what paths are relative to.
    apart
        Names under which more of the same records, or a part of them, would
        stand in the ledger; by default the recipe's services, if several.
    """
    from placeshaping.disclosure.former import is_remembered
    from placeshaping.project.records import services_of

    if recipe.ledger is None or not is_remembered(policy_for(recipe, gathered)):
        return Former(None)
    if apart is None:
        names = (recipe.profile or {}).get("names", {})
        services = services_of(recipe.records, names=names, folder=folder)
        apart = list(services) if len(services) > 1 else []
    return Former(folder / recipe.ledger, dataset=recipe.dataset or gathered.subject, apart=apart)

"""An attacker of its own finds no small count in a protected table narrower than its mark."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from placeshaping.disclosure.cells import Cells, find_sums, make_cells, weights
from placeshaping.disclosure.optimum import suppress_exactly
from placeshaping.disclosure.suppression import protect_cells, suppress_by_witnesses

TOP = 10_000  # stands for no upper bound in the attacker's programmes


@dataclass
class Attacker:
    """Knows the sums, what is shown, and the marks; shares no code with the protector."""

    cells: Cells

    def __post_init__(self) -> None:
        sums = self.cells.sums
        self.rows = np.zeros((len(sums.totals), self.cells.size))
        for number, total in enumerate(sums.totals):
            self.rows[number, total] = -1
            self.rows[number, sums.parts[sums.sum_of_part == number]] = 1

    def limits(self, hidden: np.ndarray) -> np.ndarray:
        limits = []
        for cell, count in enumerate(self.cells.counts):
            base, least = self.cells.rounding, self.cells.threshold[cell]
            smallest = self.cells.smallest_hidden
            if not self.cells.published[cell]:
                limits.append((0, TOP))
            elif hidden[cell]:
                limits.append((smallest, least - 1 if count < least else TOP))
            else:
                alike = [
                    other
                    for other in range(count - base, count + base + 1)
                    if base * round(other / base) == base * round(count / base)
                    and (other >= least or (other == 0 and smallest == 1))
                ]
                limits.append((min(alike), max(alike)))
        return np.array(limits, dtype=float)

    def interval(self, hidden: np.ndarray, cell: int, *, whole: bool) -> tuple[float, float]:
        limits = self.limits(hidden)
        ends = []
        for side in (1, -1):
            aim = np.zeros(self.cells.size)
            aim[cell] = side
            if whole:
                found = milp(
                    aim,
                    constraints=LinearConstraint(self.rows, 0, 0),
                    bounds=Bounds(limits[:, 0], limits[:, 1]),
                    integrality=np.ones(len(aim)),
                )
            else:
                found = linprog(aim, A_eq=self.rows, b_eq=np.zeros(len(self.rows)), bounds=limits)
            assert found.status == 0, found.message
            ends.append(float(found.x[cell]))
        return ends[0], ends[1]

    def narrow(self, hidden: np.ndarray, *, whole: bool = False) -> list[int]:
        """List the small cells that are left less than their mark, unless nothing could help."""
        everything = self.cells.published & (
            (self.cells.counts > 0) | (self.cells.smallest_hidden == 0)
        )
        breached = []
        for cell in np.flatnonzero(self.cells.small):
            mark = (self.cells.smallest_hidden, self.cells.threshold[cell] - 1)
            low, high = self.interval(hidden, cell, whole=whole)
            if low > mark[0] + 1e-5 or high < mark[1] - 1e-5:
                least, most = self.interval(everything, cell, whole=whole)
                if low > max(mark[0], least) + 1e-5 or high < min(mark[1], most) - 1e-5:
                    breached.append(int(cell))
        return breached


@st.composite
def tables(
    draw: st.DrawFn, *, rounding: int = 1, most_areas: int = 4, most_others: int = 3
) -> Cells:
    """Draw up to three levels and two linked branches, periods and categories with totals."""
    areas = draw(st.integers(2, most_areas))
    shape = (draw(st.integers(1, most_others)), draw(st.integers(1, most_others)), areas)
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    finest = rng.negative_binomial(1, draw(st.sampled_from([0.08, 0.15, 0.3])), shape)
    if shape[1] > 1:
        finest = np.concatenate([finest.sum(axis=1, keepdims=True), finest], axis=1)
    if shape[0] > 1:
        finest = np.concatenate([finest.sum(axis=0, keepdims=True), finest], axis=0)
    cubes, parents = {"a": finest}, []
    for branch in range(draw(st.integers(0, 2))):
        size = int(rng.integers(1, areas + 1))
        inside = np.sort(np.concatenate([np.arange(size), rng.integers(0, size, areas - size)]))
        inside = inside if branch == 0 else rng.permutation(inside)
        name = f"b{branch}"
        cubes[name] = np.stack(
            [finest[..., inside == one].sum(axis=-1) for one in range(size)], axis=-1
        )
        parents.append(("a", name, inside))
        if draw(st.booleans()):
            cubes[f"top{branch}"] = finest.sum(axis=-1, keepdims=True)
            parents.append((name, f"top{branch}", np.zeros(size, dtype=np.intp)))
    sums = find_sums(
        {name: cube.shape for name, cube in cubes.items()},
        periods_add_up=shape[0] > 1,
        categories_add_up=shape[1] > 1,
        parents=parents,
    )
    counts = np.concatenate([cube.ravel() for cube in cubes.values()])
    published = np.ones(len(counts), dtype=bool)
    if "top0" in cubes and "top1" in cubes:  # both say the same: tie them, show neither
        published[:] = np.concatenate(
            [np.full(c.size, not n.startswith("top")) for n, c in cubes.items()]
        )
    return make_cells(
        counts,
        sums,
        threshold=np.where(rng.random(len(counts)) < draw(st.sampled_from([0, 0.2])), 6, 3),
        smallest_hidden=draw(st.sampled_from([0, 1])),
        rounding=rounding,
        published=published,
        hidden_before=rng.random(len(counts)) < 0.2,
    )


@settings(max_examples=12, deadline=None)
@given(cells=tables(most_areas=3, most_others=2))
def test_least_suppression_withstands_a_whole_number_attack(cells: Cells) -> None:
    hidden = suppress_exactly(cells)
    assume(hidden is not None)  # None: no least choice was proved in the turns allowed
    attacker = Attacker(cells)
    assert attacker.narrow(hidden, whole=True) == []
    assert attacker.narrow(hidden) == []
    least = weights(cells)[hidden].sum()
    assert least <= weights(cells)[suppress_by_witnesses(cells)].sum() + 1e-6


@settings(max_examples=25, deadline=None)
@given(cells=tables(most_areas=5))
def test_suppression_by_witnesses_withstands_an_attack(cells: Cells) -> None:
    hidden = suppress_by_witnesses(cells)
    assert hidden[cells.primary].all()
    assert not hidden[~(cells.primary | cells.may_hide)].any()
    assert Attacker(cells).narrow(hidden) == []


@settings(max_examples=20, deadline=None)
@given(cells=st.sampled_from([2, 5, 10]).flatmap(lambda base: tables(rounding=base)))
def test_rounding_withstands_an_attack(cells: Cells) -> None:
    protection = protect_cells(cells, method="round")
    assert protection.audited == "lp"
    assert Attacker(cells).narrow(protection.hidden) == []


@settings(max_examples=5, deadline=None)
@given(cells=tables(most_areas=2, most_others=2))
def test_protection_is_the_same_each_time(cells: Cells) -> None:
    first, second = (protect_cells(cells, method="suppress").hidden for _ in range(2))
    assert np.array_equal(first, second)

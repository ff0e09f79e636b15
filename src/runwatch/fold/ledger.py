"""The sums of model calls by run, step, issue, agent and model, all from the same cells, so that they agree exactly.

No I/O, no formatting. Definitions: metrics.md, "Tokens and prices".

A call seen by several sources counts once. Repeats with the same request id are told before they get here; for the
rest, within one agent, issue and model (under all its names: ``contest.family``), the source that saw most counts and
the others do not, neither in the sums nor in durations and trends: most tokens, then most calls, then the order of
``contest.SOURCES``, then the alphabet. What several sources know of one call is joined before (``twins``), and a call
that one of them told of without an agent is given to the agent that another one told (``give``). Where every call there
has a request id, all count, since then no call can be one of another source's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from runwatch.fold.contest import Contest, family
from runwatch.fold.percentiles import Histogram
from runwatch.fold.retries import Scope
from runwatch.fold.series import Trends
from runwatch.fold.tally import CALLS, REQUESTS, Tally, empty, shift
from runwatch.fold.under_attempts import UnderAttempts

if TYPE_CHECKING:
    from runwatch.fold.call import Call

CellKey = tuple[int | None, int | str | None, str | None, str | None, str | None, str]
"""Step, issue, agent, provider, model and source."""


class Model:
    """One model at one provider. Both names are None until anything says them."""

    __slots__ = ("durations", "name", "prices", "provider", "tally")

    def __init__(self, provider: str | None, name: str | None) -> None:
        self.provider = provider
        self.name = name
        self.tally = empty()
        self.prices: str | None = None
        """The price list that was used last."""
        self.durations = Histogram()
        """Of the calls that count."""


class Cell:
    """The calls of one step, issue, agent, model and source."""

    __slots__ = (
        "applied", "contest", "is_dirty", "key", "model", "number", "rows", "scope", "seen", "source", "totals",
        "under",
    )  # fmt: skip

    def __init__(self, key: CellKey, scope: Scope, contest: Contest, model: Model, rows: list[Tally]) -> None:
        self.key = key
        self.model = model
        self.source = key[-1]
        self.scope = scope
        self.contest = contest
        self.rows = rows
        """The sums that it is part of."""
        self.totals = empty()
        self.applied = empty()
        """What of the totals is in the sums."""
        self.seen = contest.join(self)
        self.under = UnderAttempts()
        self.is_dirty = False
        self.number = -1
        """Where it is remembered for the sake of calls."""


class Ledger:
    """All cells and sums. Sums are brought up to date by ``settle``, not at every call."""

    def __init__(
        self,
        on_agent: Callable[[int | str | None, str | None], None],
        use: Callable[[int, int], None],
        trends: Trends,
    ) -> None:
        self._on_agent = on_agent
        """Told of each issue and agent that a call names first."""
        self._use = use
        """Told of what came to the tokens of an attempt, which is named by its ordinal."""
        self._trends = trends
        self.run = empty()
        self.by_step: dict[int | None, Tally] = {}
        self.by_issue: dict[str | None, Tally] = {}
        self.by_agent: dict[str | None, Tally] = {}
        self.by_issue_agent: dict[tuple[str | None, str | None], Tally] = {}
        self.models: dict[tuple[str | None, str | None], Model] = {}
        self._cells: dict[CellKey, Cell] = {}
        self._scopes: dict[tuple[int | None, str | None, str | None], Scope] = {}
        self._contests: dict[tuple[str | None, str | None, str | None], Contest] = {}
        self._dirty: list[Cell] = []
        self._lessened: dict[int, Model] = {}
        """Models, by identity, that durations were taken out of."""

    def cell(
        self,
        step: int | None,
        issue: int | str | None,
        agent: str | None,
        provider: str | None,
        model: str | None,
        source: str,
    ) -> Cell:
        """Return the cell of a call that is about to change it."""
        key = (step, issue, agent, provider, model, source)
        cell = self._cells.get(key)
        if cell is None:
            cell = self._cells[key] = self._new(key)
        if not cell.is_dirty:
            self.touch(cell)
        return cell

    def touch(self, cell: Cell) -> None:
        """Note that a cell's totals change."""
        if not cell.is_dirty:
            cell.is_dirty = True
            self._dirty.append(cell)

    def scope(self, step: int | None, issue: int | str | None, agent: str | None) -> Scope:
        """Return the scope of retries without a call id."""
        return self._scopes.setdefault((step, None if issue is None else str(issue), agent), Scope())

    def model(self, provider: str | None, name: str | None) -> Model:
        """Return a model, seen now if not before."""
        model = self.models.get((provider, name))
        if model is None:
            model = self.models[provider, name] = Model(provider, name)
        return model

    def time(self, cell: Cell, duration: int) -> None:
        """Show how many microseconds a call took."""
        cell.seen.durations.add(duration)
        if cell.seen.counts:
            cell.model.durations.add(duration)

    def use(self, cell: Cell, ts: str | None, tokens: int, pico: int) -> None:
        """Show when a call used so many tokens and cost so much more."""
        self._trends.use(ts, tokens, pico, cell.seen.share, counts=cell.seen.counts)

    def give(self, call: Call, owner: Call) -> None:
        """Count a call for issue and agent of another one, under that one's attempt, and no longer where it was."""
        old, (step, _, _, *_), (_, issue, agent, *_) = call.cell, call.cell.key, owner.cell.key
        new = self.cell(step, issue, agent, *old.key[3:])
        self.touch(old)
        call.count(-1)
        call.cell, call.attempt_of_agent = new, owner.attempt_of_agent
        call.count(1)
        for column in (CALLS,) if call.is_retry else (CALLS, REQUESTS):
            old.totals[column] -= 1
            new.totals[column] += 1
        tokens, pico = call.counts[5], call.pico or 0
        if tokens or pico:
            self.use(old, call.ts, -tokens, -pico)
            self.use(new, call.ts, tokens, pico)
        if call.duration is not None:
            one = Histogram()
            one.add(call.duration)
            old.seen.durations.take(one)
            if old.seen.counts:
                old.model.durations.take(one)
                self._lessened[id(old.model)] = old.model
            self.time(new, call.duration)

    def settle(self) -> None:
        """Bring the sums up to date. Changes no metric: it only does now what was put off."""
        contests = {id(cell.contest): cell.contest for cell in self._dirty if cell.contest.is_open}
        for cell in self._dirty:
            if not cell.contest.is_open:
                shift(cell.rows, cell.applied, cell.totals)
                cell.under.settle(self._use, counts=True)
            cell.is_dirty = False
        self._dirty.clear()
        for contest in contests.values():
            self._decide(contest)
        for model in self._lessened.values():
            model.durations.bound(
                seen.durations
                for contest in self._contests.values()
                for seen in contest.seen.values()
                if seen.counts and seen.model is model
            )
        self._lessened.clear()

    def _decide(self, contest: Contest) -> None:
        """Count the winner of a contest and nobody else."""
        winner = contest.winner()
        for cell in contest.cells:
            counts = winner is None or cell.source == winner
            shift(cell.rows, cell.applied, cell.totals if counts else empty())
            cell.under.settle(self._use, counts=counts)
        contest.counts = {source: winner is None or source == winner for source in contest.counts}
        for (source, _), seen in contest.seen.items():
            counts = contest.counts[source]
            if counts == seen.counts:
                continue
            seen.counts = counts
            self._trends.shift(seen.share, 1 if counts else -1)
            if counts:
                seen.model.durations.merge(seen.durations)
            else:
                seen.model.durations.take(seen.durations)
                self._lessened[id(seen.model)] = seen.model

    def _new(self, key: CellKey) -> Cell:
        step, issue, agent, provider, model, _ = key
        self._on_agent(issue, agent)
        name = None if issue is None else str(issue)
        state = self.model(provider, model)
        rows = [
            self.run,
            state.tally,
            self.by_step.setdefault(step, empty()),
            self.by_issue.setdefault(name, empty()),
            self.by_agent.setdefault(agent, empty()),
            self.by_issue_agent.setdefault((name, agent), empty()),
        ]
        kin = family(model)
        contest = self._contests.setdefault((agent, name, kin), Contest((name, agent), kin))
        return Cell(key, self.scope(step, issue, agent), contest, state, rows)

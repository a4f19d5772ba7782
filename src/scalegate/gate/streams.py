"""From registered runs to facts: streams pooled, strata apart, every run counted.

Runs with equal evaluation, subject, elicitation and scaffold form one stream with one error budget per side. Each
(elicitation, scaffold) is a stratum; refuting a trigger needs every stratum, proving it one, with the error split.
A run that was registered and never reported stays visible and bars favorable use.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from scalegate.core.events import ResultReported, RunRegistered
from scalegate.core.evidence import Crossing, Fact, Gap
from scalegate.core.kernel import Evaluation, Kernel
from scalegate.core.person import person
from scalegate.core.quantities import (
    FOREVER,
    UNBOUNDED,
    ComputeRange,
    show_bound,
    show_count,
    show_duration,
    show_instant,
)
from scalegate.core.subject import Subject
from scalegate.gate.budget import ErrorBudget, Stratum, stratum_name
from scalegate.gate.lineage import Link
from scalegate.gate.provenance import flawed, flaws
from scalegate.gate.reach import Reach
from scalegate.gate.records import Records, Run, evidence_of
from scalegate.gate.standing import Standing
from scalegate.gate.voices import may_speak
from scalegate.stats.pooling import Counts, Pooled, pooled, pooled_upper


@dataclass(frozen=True, slots=True)
class Bounds:
    """The pooled bounds of a stream, seen from both sides: of the successes and of the failures.

    Each side latches its adverse end at the policy's error of a wrong stop, and bounds its favorable end at the error
    of a wrong clearance.
    """

    falling: Pooled
    rising: Pooled

    @property
    def latch(self) -> tuple[Fraction, Fraction]:
        """Where the latch of a high score stands, and where it could if all missing samples were successes."""
        return self.falling.lower, self.falling.lower_at_most

    @property
    def rising_latch(self) -> tuple[Fraction, Fraction]:
        """Where the latch of a low score could stand if all missing samples were failures, and where it stands."""
        return 1 - self.rising.lower_at_most, 1 - self.rising.lower


class Streams(Standing):
    """All streams of one evaluation of one policy."""

    def __init__(self, records: Records, kernel: Kernel, evaluation: Evaluation) -> None:
        """Collect the runs of the evaluation's variable; voided runs leave, retracted results become missing."""
        super().__init__(records, kernel, evaluation)
        self.runs: dict[tuple[str, Stratum], list[Run]] = {}
        self.budget = ErrorBudget(evaluation.elicited_by)
        # Who registered runs of a stream, by whether the policy asks them, in the order in which they first did.
        self.registrars: dict[tuple[str, Stratum, bool], dict[tuple[str, str], None]] = {}
        for run in records.runs_of(evaluation.digest or ""):
            stratum = (run.plan.elicitation, run.plan.scaffold)
            # Voided runs keep their stratum's place, so that no share of the error ever moves.
            asked, registrar = self.asked(run), (person(run.plan.by), run.plan.role)
            self.budget.place(run.plan.subject, stratum, asked=asked)
            for flag in {asked, False}:
                self.registrars.setdefault((run.plan.subject, stratum, flag), {})[registrar] = None
            if not self.voided(run):
                self.runs.setdefault((run.plan.subject, stratum), []).append(run)

    # ------------------------------------------------------------ strata

    def strata(self, subject: str) -> list[Stratum]:
        """Return the strata with runs on a subject, in the order of their first registration."""
        return [stratum for name, stratum in self.runs if name == subject]

    def pool(self, looks: Sequence[Counts], share: Fraction) -> Bounds:
        """Return the pooled bounds of some results, the first look first."""
        stopped, cleared = self.evaluation.wrongly_stopped * share, self.evaluation.wrongly_cleared
        return Bounds(pooled(looks, stopped, cleared), pooled(_mirrored(looks), stopped, cleared))

    def measured(self, subject: str, stratum: Stratum) -> Iterator[tuple[Bounds, list[Run]]]:
        """Yield the pooled bounds of everything ever reported in a stream, apart for each group of speakers.

        Results are grouped by who registered and who reported them, whether or not they may: so nobody can dilute
        what another measured, and a crossing does not vanish because its speaker later loses a role.
        """
        said = [
            (entry, run, result)
            for run in self.runs[subject, stratum]
            if not self.retracted(run)
            for entry, result in ((run.result_entry, run.result), *run.disputes)
            if entry is not None and result is not None
        ]
        groups: dict[tuple[tuple[str, str], ...], list[tuple[Run, ResultReported]]] = {}
        for _, run, result in sorted(said, key=lambda item: item[0].index):
            groups.setdefault(_speakers(run, result), []).append((run, result))
        odd = {True: 0, False: 0}
        for group in groups.values():
            asked = self.spoken(group[0][0], then=True) and group[0][1] is group[0][0].result
            registrar, reporter = _speakers(*group[0])
            # By who registered first: nobody takes the place of a registered run by reporting before it.
            if registrar == reporter:
                place = 2 * [*self.registrars[subject, stratum, asked]].index(registrar)
            else:
                place, odd[asked] = 2 * odd[asked] + 1, odd[asked] + 1
            share = self.budget.share(subject, stratum, place, asked=asked)
            yield self.pool([self.counts(run, result) for run, result in group], share), [run for run, _ in group]

    def share_of(self, plan: RunRegistered) -> Fraction:
        """Return the share of the error of a wrong stop that a run will spend, were it registered now and reported.

        It goes by who registered first, so that nobody's later words make it smaller.
        """
        role, stratum = self.evaluation.by, (plan.elicitation, plan.scaffold)
        is_asked = role is None or (plan.role == role and may_speak(self.records, self.kernel, role, plan.by))
        self.budget.place(plan.subject, stratum, asked=is_asked)
        known = [*self.registrars.get((plan.subject, stratum, is_asked), {})]
        registrar = person(plan.by), plan.role
        place = 2 * (known.index(registrar) if registrar in known else len(known))
        return self.budget.share(plan.subject, stratum, place, asked=is_asked)

    def adverse(self, subjects: set[str], target: str) -> Iterator[Fact]:
        """Yield each subject's measurements as facts that never speak for a permit of `target`.

        A run that was never reported, or lost its content, could have crossed: it leaves the question open.
        """
        for (name, stratum), runs in self.runs.items():
            if name not in subjects:
                continue
            carried = "" if name == target else f", carried to {target}"
            label = f"{self.evaluation.id} of {name}{stratum_name(stratum)}{carried}"
            for bounds, group in self.measured(name, stratum):
                yield Fact(
                    label,
                    *bounds.latch,
                    rising=bounds.rising_latch,
                    adverse_only=True,
                    evidence=evidence_of(group),
                    detail=detail_of(bounds) + refused_of(group),
                )
            if name != target:
                gaps = tuple(self._gaps(runs))
                if gaps:
                    yield Fact(label, adverse_only=True, gaps=gaps, evidence=evidence_of(runs))
        due = self.next_due(subjects)
        if due < FOREVER:
            low, high = Fraction(-UNBOUNDED), Fraction(UNBOUNDED)
            words = f"{self.evaluation.id}: a pending run that concerns {target}"
            yield Fact(words, low, low, rising=(high, high), adverse_only=True, until=due, detail="changes nothing yet")

    def crossings(self, computes: dict[str, ComputeRange], beyond: int) -> tuple[Crossing, ...]:
        """Return what was or could have been measured at more effective compute than `beyond`, adverse ends first.

        The interpreter sees which of them cross the bound in question.
        """
        found = []
        for (name, stratum), runs in self.runs.items():
            span = computes.get(name)
            if span is None or span.high <= beyond:
                continue
            for bounds, _ in self.measured(name, stratum):
                found.append(Crossing(bounds.latch[1], bounds.rising_latch[0], span.low, name))
            if self._gaps(runs):
                found.append(Crossing(Fraction(UNBOUNDED), Fraction(-UNBOUNDED), span.low, name))
        for _, statement in self.records.statements.get(("treat-as-crossed", self.evaluation.digest or ""), ()):
            span = computes.get(statement.subject)
            if statement.holds and span is not None and span.high > beyond:
                found.append(Crossing(Fraction(UNBOUNDED), Fraction(-UNBOUNDED), span.low, statement.subject))
        return tuple(found)

    def next_due(self, subjects: Iterable[str]) -> int:
        """Return when the first pending run on some subjects is due: from then on it is missing."""
        names = set(subjects)
        ends = [
            self.report_by(run)
            for (name, _), runs in self.runs.items()
            if name in names
            for run in runs
            if run.result is None and self.report_by(run) > self.records.now
        ]
        return min(ends, default=FOREVER)

    # ------------------------------------------------------------ favorable use

    def bearing(
        self,
        link: Link,
        stratum: Stratum,
        reach: Reach,
        extended: Reach | None,
        to: int,
        elsewhere: tuple[Crossing, ...],
    ) -> Fact:
        """Return the fact of one stream as it may be used in favor of a permit.

        A few fresh samples never renew the age of many old ones, and a run that drops out (by age, by a newer method,
        by its speaker's loss of a role) may only make things worse: the favorable end is the worst over the runs in
        time and over every larger pool that they are what is left of.
        """
        name, now, validity = link.subject.name, self.records.now, self.evaluation.validity
        runs = self.runs[name, stratum]
        gaps = self._gaps(runs) + self._overtaken(runs)
        levels = self._levels(runs)
        accepted, current = [run for run in levels[0] if self.accepted(run)], levels[-1]
        due = [run for run in current if _end(run, validity.due_time) > now]
        fresh, until, limit = due, min(_ends(due, validity.due_time), reach.until), reach.compute
        if extended is not None and (to > limit or not due):
            fresh = due or [run for run in current if _end(run, validity.stop_time) > now]
            limit_time = validity.due_time if due else validity.stop_time
            until, limit = min(_ends(fresh, limit_time), extended.until), extended.compute
        if not fresh and not gaps:
            gaps.append(self._why_none(link.subject, runs, accepted, current))
        high, low = self._favorable(levels, due)
        used = fresh or current or accepted
        return Fact(
            f"{self.evaluation.id} of {name}{stratum_name(stratum)}",
            # Only the favorable ends: the adverse ones are latched by the facts of `adverse`.
            high=high,
            rising=(low, None),
            until=min(until, self.next_due([name])),
            reach=limit,
            gaps=tuple(gaps),
            elsewhere=elsewhere,
            evidence=evidence_of(runs),
            detail=self._detail(name, stratum, used),
        )

    def _levels(self, runs: Sequence[Run]) -> list[list[Run]]:
        """Return the results that could count, from all that ever could to those that do, oldest first.

        A level is what is left of the one before it: those with provenance that the policy accepts, those that follow
        each method card, those whose speakers still may speak. Nobody drops a bad result by spoiling its provenance.
        """
        level = [run for run in runs if not self.retracted(run) and self.spoken(run, then=True)]
        levels = [level]
        level = [run for run in level if run.result is not None and not flaws(run.result, self.evaluation)]
        levels.append(level)
        for card in self._cards(runs[0].plan.elicitation):
            level = [run for run in level if card in run.plan.methods]
            levels.append(level)
        levels.append([run for run in level if self.spoken(run)])
        return levels

    def _favorable(self, levels: list[list[Run]], due: list[Run]) -> tuple[Fraction | None, Fraction | None]:
        """Return the worst favorable ends (for low and for high scores) over the runs in time and all larger pools."""
        first = due[0].entry.index if due else FOREVER
        pools: dict[tuple[str, ...], list[Counts]] = {}
        for level in levels:
            for start, run in enumerate(level):
                if start and run.entry.index > first:
                    break
                # In the order of registration: who chooses which of many results comes first chooses by the scores.
                pool = level[start:]
                pools[tuple(item.plan.run for item in pool)] = [self.counts(item, item.result) for item in pool]
        error = self.evaluation.wrongly_cleared
        highs = [pooled_upper(looks, error) for looks in pools.values()]
        lows = [1 - pooled_upper(_mirrored(looks), error) for looks in pools.values()]
        return max(highs, default=None), min(lows, default=None)

    def _detail(self, name: str, stratum: Stratum, used: list[Run]) -> str:
        """Return the interval and counts of the runs in use, in words."""
        if not used:
            return ""
        ordered = sorted(used, key=lambda run: run.result_entry.index if run.result_entry else 0)
        looks = [self.counts(run, run.result) for run in ordered]
        detail = detail_of(self.pool(looks, self.budget.share(name, stratum))) + refused_of(ordered)
        copies = [f"{run.plan.run} repeats the log of {run.copied_from}" for run in used if run.copied_from]
        if copies:
            detail += f"; {', '.join(copies)} and counts as missing"
        if any(run.result is not None and not run.copied_from and not self.usable(run, run.result) for run in used):
            detail += "; a run that stopped early, is not 0/1 or is only an aggregate counts as missing"
        return detail

    def _gaps(self, runs: Sequence[Run]) -> list[Gap]:
        """Return why single runs bar favorable use of their whole stream."""
        gaps = [gap for run in runs if not self.retracted(run) for gap in self._run_gaps(run)]
        for run in runs:
            # A retraction takes content away, whether or not the run ever had any; only a pending run is still open.
            if self.retracted(run) and not self.is_pending(run) and not self._replaced(run, runs):
                words = f"the result of run {run.plan.run} was retracted for a defect"
                gaps.append(Gap("missing", words, (run.entry.digest,)))
        return gaps

    def _overtaken(self, runs: Sequence[Run]) -> list[Gap]:
        """Return the gap that results leave which were reported before those of runs registered earlier.

        Else whoever registers many runs at once could report the best of them, and the others when a permit is out.
        """
        reported = [run.entry.index for run in runs if run.result is not None and self.spoken(run, then=True)]
        behind = [
            run
            for run in runs
            if self.is_pending(run)
            and self.asked(run)
            and not self.retracted(run)
            and run.entry.index < max(reported, default=-1)
        ]
        words = "was registered before others that have their results, and has not reported yet; they count behind it"
        return [Gap("pending", f"run {run.plan.run} {words}", (run.entry.digest,)) for run in behind]

    def _replaced(self, retracted: Run, runs: Sequence[Run]) -> bool:
        """Whether a run registered later, of as many items and by those asked, takes the place of a retracted one."""
        return any(
            run.result is not None
            and run.entry.index > retracted.entry.index
            and _planned(run) >= _planned(retracted)
            and not self.retracted(run)
            and self.usable(run, run.result)
            and self.spoken(run, then=True)
            for run in runs
        )

    def _run_gaps(self, run: Run) -> Iterator[Gap]:
        """Yield why one run bars favorable use of its whole stream."""
        evidence = (run.entry.digest,)
        name = run.plan.run
        if run.result is not None:
            if run.refused:
                offered = [entry.digest for entry, _ in run.refused]
                codes = ", ".join(dict.fromkeys(refusal.code for _, refusal in run.refused))
                words = f"a log was offered for run {name} and refused ({codes})"
                repair = f"an independent role retracts run {name}, and it is run again"
                yield Gap("untrusted", f"{words}; which log is that of the run is open", (*offered, *evidence), repair)
            differing = [entry.digest for entry, result in run.disputes if _counted(result) != _counted(run.result)]
            if differing:
                words = f"run {name} is disputed: a second result with other counts was reported"
                repair = f"an independent role retracts run {name} for its defect, and it is run again"
                yield Gap("untrusted", words, (*differing, *evidence), repair)
            return
        if run.refused:
            entry, refusal = run.refused[-1]
            words = f"the log offered for run {name} was refused ({refusal.code}: {refusal.message})"
            repair = f"an independent role voids run {name}, and it is run again"
            yield Gap("untrusted", words, (entry.digest, *evidence), repair)
        elif self.records.now >= self.report_by(run):
            words = f"run {name} was registered and never reported; its result was due by"
            repair = f"the result of run {name} is reported, or an independent role voids the run"
            yield Gap("missing", f"{words} {show_instant(self.report_by(run))}", evidence, repair)

    def _cards(self, elicitation: str) -> list[str]:
        """Return the method cards of an elicitation, oldest first: the state of the art that runs must follow."""
        return [event.card for _, event in self.records.methods if event.elicitation in ("", elicitation)]

    def _why_none(self, subject: Subject, runs: list[Run], accepted: list[Run], current: list[Run]) -> Gap:
        what = f"{self.evaluation.id} of {subject.name}"
        evidence = evidence_of(runs)
        if current:
            limit = self.evaluation.validity.due_time
            age = f" (it holds for {show_duration(limit)})" if limit else ""
            return Gap("stale", f"the evidence on {what} is too old{age}", evidence)
        if accepted:
            return Gap("stale", f"the evidence on {what} is behind a newer elicitation method", evidence)
        reported = [run for run in runs if run.result is not None and not self.retracted(run)]
        flaw = flawed(reported, self.evaluation, evidence)
        if flaw is not None:
            return flaw
        if reported:
            words = f"the results on {what} were not made by {self.evaluation.by}, as the policy asks"
            return Gap("untrusted", words, evidence)
        names = ", ".join(run.plan.run for run in runs)
        last = max((self.report_by(run) for run in runs), default=0)
        words = f"run {names} on {what} has not reported yet; it must by {show_instant(last)}"
        return Gap("pending", words, evidence)

    def pending(self, subject: str, stratum: Stratum, made_by: int) -> int:
        """Return until when a run on a checkpoint taken at or before `made_by` is pending; 0 for none."""
        runs = self.runs.get((subject, stratum), ())
        declared = self.records.declared.get(subject)
        # The day a checkpoint is said to be taken is the developer's word; the day it was declared is not.
        if declared is None or declared.at > made_by:
            return 0
        ends = [self.report_by(run) for run in runs if self.is_pending(run) and not self.retracted(run)]
        return max(ends, default=0)


def _mirrored(looks: Sequence[Counts]) -> list[Counts]:
    """Return the looks with successes and failures exchanged."""
    return [look.mirrored() for look in looks]


def _counted(result: ResultReported) -> tuple[int, int, int, str]:
    return result.successes, result.failures, result.missing, result.outcomes


def _speakers(run: Run, result: ResultReported) -> tuple[tuple[str, str], tuple[str, str]]:
    """Return who registered a run and who reported a result of it, each with their role."""
    return (person(run.plan.by), run.plan.role), (person(result.by), result.role)


def _planned(run: Run) -> int:
    """Return the planned number of samples: what is missing where a run shows nothing."""
    return run.plan.items if run.plan.sampling is None else min(run.plan.items, run.plan.sampling.units)


def _end(run: Run, limit: int | None) -> int:
    """Return when a run's evidence is too old: counted from its registration, which nobody can redate."""
    return FOREVER if limit is None else run.entry.at + limit


def _ends(runs: Sequence[Run], limit: int | None) -> int:
    return min((_end(run, limit) for run in runs), default=0)


def refused_of(runs: Sequence[Run]) -> str:
    """Return the logs that were refused for some runs, in words with `; ` before: they stay visible beside a result."""
    codes = {run.plan.run: dict.fromkeys(refusal.code for _, refusal in run.refused) for run in runs if run.refused}
    return "".join(f"; a log of run {name} was refused ({', '.join(found)})" for name, found in codes.items())


def detail_of(bounds: Bounds) -> str:
    """Return interval and counts in words."""
    pool = bounds.falling
    planned = pool.successes + pool.failures + pool.missing
    if pool.mean is not None:
        low, high = pool.mean
        mean = (
            show_bound(low, up=False) if low == high else f"{show_bound(low, up=False)} to {show_bound(high, up=True)}"
        )
        words = f"between {show_bound(pool.lower, up=False)} and {show_bound(pool.upper, up=True)}"
        words += f" (mean of {show_count(planned, 'sample')}: {mean}"
        return words + (f", {pool.looks} results pooled)" if pool.looks > 1 else ")")
    words = f"between {show_bound(pool.lower, up=False)} and {show_bound(pool.upper, up=True)}"
    words += f" ({pool.successes} of {planned}"
    if pool.missing:
        words += f", {pool.missing} missing"
    return words + (f", {pool.looks} results pooled)" if pool.looks > 1 else ")")

"""How a policy sees a situation: for each of its terms, which variables make a comparison stand for a permit.

Seen from the permit's side as in `scalegate.gate.interpret`: a comparison stands for the permit by its favorable end
and only if its evidence may be used at all; it stands against it by its adverse end alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from scalegate.core.actions import MITIGATION, NEW_SCALE, TRAIN
from scalegate.core.kernel import Compare, Condition, Constant, Count, Evaluation, Kernel, Not, Safeguard, Validity
from scalegate.core.terms import (
    Approved,
    Attested,
    Clock,
    Compute,
    Elapsed,
    Hole,
    Measure,
    Operates,
    Overdue,
    Published,
    Revenue,
    Shown,
    Specified,
    Term,
)
from scalegate.gate.reach import UNSTATED_GROWTH
from scalegate.gate.standing import PENDING_AT_MOST
from scalegate.prove.formula import Formula, Values, at_most, at_most_times, every, neg, some
from scalegate.prove.symbols import ANYBODY, RoleRule, rule_of
from scalegate.prove.variables import Variables

# More than nothing of a second, and less than all of it: instants are whole seconds.
SECOND = Fraction(1, 2)
TRAINING = frozenset({TRAIN, NEW_SCALE, MITIGATION})


@dataclass(frozen=True, slots=True)
class View:
    """How one term stands in a situation, as one policy sees it under one action.

    Attributes:
        usable: whether its evidence may be used in favor of a permit.
        low, high: names of the ends that conditions read which the score meets by being low: adverse, favorable.
        rise_low, rise_high: the ends that conditions read which it meets by being high: favorable, adverse.
        yes, no: for terms that are so or not: that it is shown to be so, or not so, where that stands for the permit.
        against_yes, against_no: what stands against reading it as so, or as not so; None: the opposite one above.

    An end that is None is open: nothing is known on that side.
    """

    usable: Formula = True
    low: str | None = None
    high: str | None = None
    rise_low: str | None = None
    rise_high: str | None = None
    yes: Formula | None = None
    no: Formula | None = None
    against_yes: Formula | None = None
    against_no: Formula | None = None

    def opposed(self, *, above: bool) -> Formula | None:
        """Return what stands against a term that is so or not, read as so where `above`; None for other terms."""
        if self.yes is None or self.no is None:
            return None
        found, otherwise = (self.against_yes, self.no) if above else (self.against_no, self.yes)
        return otherwise if found is None else found


class Sight:
    """One policy's view of the situations of one action.

    With `adverse`, adverse ends get variables too; a policy that holds whatever is unknown needs none.
    """

    def __init__(
        self, variables: Variables, kernel: Kernel, action: str, *, adverse: bool = False, filled: bool = False
    ) -> None:
        """Look at the situations of an action; `filled` imagines every hole filled by something that can be shown."""
        self.variables, self.kernel, self.action = variables, kernel, action
        self.adverse, self.filled = adverse, filled
        self.training = action in TRAINING
        self._views: dict[tuple[Term, bool], View] = {}

    # ------------------------------------------------------------ comparisons

    def stands(self, leaf: Compare, *, permissive: bool) -> Formula:
        """Return that a comparison stands for the permit."""
        above = leaf.above is permissive
        view = self.view(self.kernel.terms[leaf.term], above=above)
        if view.yes is not None and view.no is not None:
            return view.yes if above else view.no
        end = view.rise_low if above else view.high
        # A permit that would end the second it is given is none: time that is still left has to be left.
        left = SECOND if isinstance(self.kernel.terms[leaf.term], Clock | Elapsed) and not above else Fraction(0)
        return every((view.usable, self._closed(leaf, above=above), _beyond(end, leaf, above=above, left=left)))

    def opposed(self, leaf: Compare, *, permissive: bool) -> Formula:
        """Return that a comparison stands against the permit."""
        above = leaf.above is permissive
        view = self.view(self.kernel.terms[leaf.term], above=above)
        opposed = view.opposed(above=above)
        if opposed is not None:
            return opposed
        return _beyond(view.rise_high if above else view.low, leaf, above=not above)

    def _closed(self, leaf: Compare, *, above: bool) -> Formula:
        """Return that nothing leaves a measurement open, where its bound is one that no rate lies beyond."""
        term, bound = self.kernel.terms[leaf.term], Fraction(leaf.num, leaf.den)
        vacuous = (bound < 0 or (bound == 0 and leaf.edge)) if above else (bound > 1 or (bound == 1 and not leaf.edge))
        if not isinstance(term, Measure) or not vacuous:
            return True
        return neg(self.variables.flag(*self._open(term), nominal=False))

    def opened(self, term: Measure, values: Values) -> bool:
        """Whether relatives leave open what a measurement comes to, whatever is compared with it."""
        variable = self.variables.by_key.get(self._open(term))
        return variable is not None and values[variable.name] is True

    def _open(self, term: Measure) -> tuple[object, ...]:
        digest = self.kernel.evaluations[term.evaluation].digest or ""
        return ("open", digest, term.position, self._reach(term))

    def _reach(self, term: Measure) -> tuple[bool, Fraction]:
        """Return whose crossings count: of every lineage, or of relatives up to an allowance of elicitation."""
        issuer = self.kernel.evaluations[term.evaluation].reach_issuer
        return (issuer, self.kernel.elicitation_allowance) if term.position == "when" else (False, Fraction(0))

    def view(self, term: Term, *, above: bool) -> View:
        """Return how a term stands; `above` where being high is favorable."""
        known = self._views.get((term, above))
        if known is None:
            known = self._views[term, above] = self._view(term, above=above)
        return known

    def _view(self, term: Term, *, above: bool) -> View:
        match term:
            case Measure():
                return self._measure(term, above=above)
            case Shown(safeguard=name):
                return self._safeguard(self.kernel.safeguards[name])
            case Attested(predicate=predicate, role=role, expires=age):
                return self._voiced(("predicate", predicate), self._rule(role), age)
            case Approved(matter=matter, role=role):
                return self._voiced(("approval", matter), self._rule(role), None)
            case Published(matter=matter):
                return View(yes=self.variables.flag("published", matter, nominal=False), no=False)
            case Hole(name=name) | Specified(hole=name):
                return self._hole(name, specified=isinstance(term, Specified))
            case Overdue(obligation=name):
                return self._overdue(name)
            case _:
                return self._amount(term)

    def _hole(self, name: str, *, specified: bool) -> View:
        if specified:
            # All who may fill it have to say so.
            roles = self.kernel.holes[name].filled_only_by if name in self.kernel.holes else ()
            said = [self.variables.flag("specified", name, self._rule(role), nominal=False) for role in roles]
            return View(yes=every(said) if said else False, no=False)
        return View(yes=self.variables.flag("filled", name) if self.filled else False, no=False)

    def _amount(self, term: Term) -> View:
        make, teachers = self.variables.amount, self.kernel.teachers_count
        match term:
            case Compute():
                # Teachers aside, what training makes embodies at least what is asked for, and no more is known.
                asked = self.training and not teachers
                low = make("to", unit="flop") if asked else make("compute-low", teachers, unit="flop")
                high = make("compute-high", teachers, unit="flop")
            case Clock():
                low = high = make("now", unit="instant")
            case Revenue():
                low, high = make("revenue-low", unit="usd"), make("revenue-high", unit="usd")
                return View(self._described(), low, high, low, high)
            case Operates(place=place):
                absent = self.variables.flag("absent", place, nominal=False)
                present, known = self.variables.flag("present", place), self._described()
                return View(
                    yes=every((present, known)), no=every((absent, known)), against_yes=absent, against_no=present
                )
            case Elapsed(predicate=predicate, role=role):
                rule = self._rule(role)
                # Who wants little time to have passed has anybody's word against him, who wants much needs the role's.
                longest = make("elapsed", predicate, ANYBODY, unit="seconds")
                surely = make("elapsed", predicate, rule, unit="seconds")
                began = self.variables.flag("began", predicate, rule, nominal=False)
                return View(began, longest, longest, surely, surely)
            case _:
                return View(usable=False)
        return View(True, low, high, low, high)

    def _described(self) -> Formula:
        """Return that somebody independent of the developer describes it; a policy without such a role hears nobody."""
        rules = [self._rule(name) for name, role in self.kernel.roles.items() if role.is_outside]
        if not rules:
            return False
        return self.variables.flag("described", tuple(sorted(rules, key=lambda rule: rule.name)), nominal=False)

    # ------------------------------------------------------------ who says what

    def _rule(self, role: str | None) -> RoleRule:
        return rule_of(dict(self.kernel.roles), role)

    def _voiced(self, matter: tuple[str, str], rule: RoleRule, age: int | None) -> View:
        words = ":".join(matter)
        # Where nothing happens safeguards and beliefs stand, and nobody attests or approves anything new.
        calm = matter[0] not in ("predicate", "approval")
        yes = [self.variables.flag("affirmed", words, rule, nominal=calm)]
        if age is not None:
            yes.append(self._younger(("affirmed-ago", words, rule), age))
        no = self.variables.flag("denied", words, rule, nominal=False)
        return View(yes=every(yes), no=no)

    def _younger(self, key: tuple[object, ...], age: int | None) -> Formula:
        """Return that something is younger than an age in seconds."""
        if age is None:
            return True
        return at_most(self.variables.amount(*key, unit="seconds"), age, strict=True)

    def _safeguard(self, spec: Safeguard) -> View:
        if spec.hole is not None or spec.by is None:
            return View(yes=False, no=False)
        if not spec.concept and (spec.means is None or spec.because is None):
            return View(yes=False, no=False)
        # Means alone tell a failure; that it works also rests on the argument.
        means = f"concept {spec.concept}" if spec.concept else f"{spec.id} {spec.means}"
        shown = self._voiced(
            ("safeguard", f"{means} {spec.because or ''}".strip()), self._rule(spec.by), spec.valid_time
        )
        failures = [self._failure(means, count, spec) for count in spec.fails_if]
        yes, no = [shown.yes or False], [shown.no or False]
        yes += [withstood for withstood, _ in failures]
        no += [failed for _, failed in failures]
        # To be shown takes all of them, and so does being shown to fail; any of them stands against either.
        return View(yes=every(yes), no=every(no), against_yes=some(no), against_no=some(yes))

    def _failure(self, means: str, count: Count, spec: Safeguard) -> tuple[Formula, Formula]:
        """Return that a safeguard withstood enough attempts, and that it failed more often than it may."""
        what, rule = f"{means} {count.name}", self._rule(spec.by)
        trials = self.variables.amount("attempts", what, unit="count", nominal=1000)
        failed = self.variables.amount("failures", what, unit="count")
        enough = neg(at_most(trials, count.trials, strict=True))
        young = self._younger(("attempts-ago", what, rule), spec.valid_time)
        said = self.variables.flag("affirmed", f"attempts:{what}", rule)
        few = at_most(failed, count.least)
        return every((said, enough, young, few)), neg(few)

    # ------------------------------------------------------------ evaluations

    def _measure(self, term: Measure, *, above: bool) -> View:
        spec = self.kernel.evaluations[term.evaluation]
        if spec.hole is not None or spec.digest is None:
            return View(usable=False)
        what, position, reach = spec.digest, term.position, self._reach(term)
        # What lies beyond the model asked about goes by its effective compute, with or without its teachers.
        teachers = self.kernel.teachers_count or spec.kind != "capability"
        favorable = (what, position, spec.wrongly_cleared, reach, spec.wrongly_stopped, teachers)
        usable = self.usable(spec)
        if term.every_scaffold:
            usable = every((usable, self._scaffolds(spec)))
        rate = self.variables.rate
        if above:
            end = rate("low", *favorable, nominal=1)
            latch = (
                rate("latched-high", what, position, spec.wrongly_stopped, reach, nominal=1) if self.adverse else None
            )
            return View(usable, rise_low=end, rise_high=latch)
        end = rate("high", *favorable, nominal=0)
        latch = rate("latched-low", what, position, spec.wrongly_stopped, reach, nominal=0) if self.adverse else None
        return View(usable, low=latch, high=end)

    def usable(self, spec: Evaluation) -> Formula:
        """Return that results of an evaluation may be used in favor of a permit."""
        flag, what = self.variables.flag, spec.digest or ""
        parts = [flag("reported", what, self._rule(spec.by).alone), self._fresh(spec)]
        # A run without a result is missing once it is out of time, whatever it was registered for.
        parts.append(self._younger(("waiting", what), longest_wait(spec.validity)))
        parts += [flag("elicited", what, way) for way in spec.elicited_by]
        for belief in spec.beliefs:
            if belief.role is None:
                return False
            voice = self._voiced(("belief", f"{what} {belief.claim}"), self._rule(belief.role), belief.expires)
            parts.append(voice.yes or False)
        parts += [self._met(spec, count) for count in (*spec.hidden_capability, *spec.shown_to_work)]
        parts += [neg(flag("flawed", what, flaw, nominal=False)) for flaw in spec.refuse_provenance]
        for accepted, flaw in (
            (spec.accept_aggregate, "only an aggregate"),
            (spec.accept_edited, "edited scores"),
            (spec.accept_earlier, "began before it was registered"),
        ):
            if not accepted:
                parts.append(neg(flag("flawed", what, flaw, nominal=False)))
        return every(parts)

    def _met(self, spec: Evaluation, count: Count) -> Formula:
        """Return that a measured requirement of an evaluation is met; nobody can where no role carries it out."""
        if spec.by is None:
            return False
        what = f"{spec.digest} {count.name}"
        said = self.variables.flag("affirmed", f"measurement:{what}", self._rule(spec.by))
        share = self.variables.rate("share", what, nominal=1)
        least = count.rate if count.rate is not None else Fraction(count.least, max(count.trials, 1))
        trials = self.variables.amount("trials", what, unit="count", nominal=1000)
        enough = neg(at_most(trials, max(count.trials, 1), strict=True))
        return every((said, enough, neg(at_most(share, least, strict=True))))

    def _fresh(self, spec: Evaluation) -> Formula:
        """Return that evidence is in time and within its reach: until due, or with a run pending until the hard end."""
        validity = spec.validity
        if self.training and not validity.training:
            return False
        what = spec.digest or ""
        due = every((self._in_time(what, validity.due_time), self._in_reach(what, validity.due_compute)))
        late = every((self._in_time(what, validity.stop_time), self._in_reach(what, validity.stop_compute)))
        if late == due:
            return due
        return some((due, every((late, self._pending(what, validity)))))

    def _in_time(self, what: str, limit: int | None) -> Formula:
        return self._younger(("age", what), limit)

    def _in_reach(self, what: str, factor: Fraction | None) -> Formula:
        if not self.training:
            return True
        teachers = self.kernel.teachers_count
        to = self.variables.amount("compute-high", teachers, unit="flop")
        base = self.variables.amount("base", what, teachers, unit="flop")
        return at_most_times(to, factor or UNSTATED_GROWTH, base)

    def _pending(self, what: str, validity: Validity) -> Formula:
        """Return that a run is pending on a checkpoint that was taken at or before the due point."""
        parts: list[Formula] = [self.variables.flag("pending", what, nominal=False)]
        if validity.due_time is not None:
            parts.append(at_most(self.variables.amount("pending-made", what, unit="seconds"), validity.due_time))
        if self.training:
            teachers = self.kernel.teachers_count
            made = self.variables.amount("pending-compute", what, teachers, unit="flop")
            base = self.variables.amount("base", what, teachers, unit="flop")
            parts.append(at_most_times(made, validity.due_compute or UNSTATED_GROWTH, base))
        parts.append(self._younger(("pending-ago", what), longest_wait(validity)))
        return every(parts)

    def _scaffolds(self, spec: Evaluation) -> Formula:
        """Return that every scaffold which the context of the request admits was evaluated, and no other is used."""
        flag = self.variables.flag
        return some(
            every(
                (
                    flag("context", name, nominal=False),
                    neg(flag("unadmitted", tuple(sorted({*context.scaffolds})), nominal=False)),
                    *(flag("scaffold", spec.digest or "", item) for item in context.scaffolds),
                )
            )
            for name, context in self.kernel.contexts.items()
            if context.scaffolds is not None and context.action == self.action
        )

    # ------------------------------------------------------------ obligations

    def overdue(self, name: str) -> Formula:
        """Return that an obligation is overdue: behind its last instant, and not met."""
        item = self.kernel.duties.obligations[name]
        met = self._rule(item.met.role)
        if item.every is not None:
            since = self.variables.amount("discharged-ago", item.met.predicate, item.every, met, unit="seconds")
            return neg(at_most(since, item.every))
        late: list[Formula] = []
        for start in item.starts:
            began = self.variables.flag("started", start.predicate, start.role, nominal=False)
            since = self.variables.amount("started-ago", start.predicate, start.role, unit="seconds")
            done = self.variables.flag("discharged", start.predicate, item.met.predicate, met, nominal=False)
            late.append(every((began, neg(at_most(since, item.within or 0)), neg(done))))
        return some(late)

    def _overdue(self, name: str) -> View:
        """Return how being overdue stands: who wants it needs the word of the role, and that nobody says it was met."""
        item, late = self.kernel.duties.obligations[name], self.overdue(name)
        # Who claims that it was met is asked behind the start of the clock, which is another one for another period.
        period = () if item.every is None else (item.every,)
        claimed = self.variables.flag("claimed", item.met.predicate, *period, nominal=False)
        stated = [
            self.variables.flag("stated", start.predicate, self._rule(start.role).alone, nominal=False)
            for start in item.starts
        ]
        certain = every((neg(claimed), some(stated) if item.every is None else True))
        return View(yes=every((late, certain)), no=neg(late), against_yes=neg(late), against_no=late)


def longest_wait(validity: Validity) -> int:
    """Return how long a run may be waited for, in seconds, as `gate.standing` does."""
    return PENDING_AT_MOST if validity.exact or validity.stop_time is None else validity.stop_time


def _beyond(end: str | None, leaf: Compare, *, above: bool, left: Fraction = Fraction(0)) -> Formula:
    """Return that an end lies on one side of the constant of a comparison, with something `left` up to it."""
    if end is None:
        return False
    bound = Fraction(leaf.num, leaf.den)
    # The constant itself counts as above where `edge`.
    if above:
        return neg(at_most(end, bound, strict=leaf.edge))
    return at_most(end, bound - left, strict=leaf.edge)


def directions(kernel: Kernel) -> frozenset[tuple[Term, bool]]:
    """Return each term with the directions that some condition of a policy reads it in: whether high is favorable."""
    todo: list[tuple[Condition, bool]] = [(kernel.scope, False)]
    for commitment in kernel.commitments:
        todo += [(commitment.when, False), (commitment.until, True)]
    for item in kernel.exceptions:
        todo += [(part, True) for part in (item.when, item.until, *item.needs)]
    return frozenset((kernel.terms[leaf.term], above) for leaf, above in directed(todo))


def directed(conditions: Iterable[tuple[Condition, bool]]) -> Iterator[tuple[Compare, bool]]:
    """Yield the comparisons of conditions, each of which permits or not: with whether a high term is favorable."""
    todo = list(conditions)
    while todo:
        condition, permissive = todo.pop()
        match condition:
            case Compare():
                yield condition, condition.above is permissive
            case Constant():
                pass
            case Not(part=part):
                todo.append((part, not permissive))
            case _:
                todo += [(part, permissive) for part in condition.parts]

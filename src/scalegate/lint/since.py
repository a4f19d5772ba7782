"""Two versions of one policy, compared by their texts: what is gone, holds less, binds less or asks for less."""

from __future__ import annotations

# This is a reading of two kernels, part by part. Where `prove` can show what a change permits, its results belong here:
# `weakenings` is the only thing that rules call.
from collections.abc import Iterator, Sequence
from fractions import Fraction

from scalegate.core.kernel import Commitment, Compare, Condition, Count, Exception_, Kernel
from scalegate.core.quantities import show_duration, show_rate
from scalegate.core.terms import Measure, Shown
from scalegate.lint.conditions import alternatives, always, ceilings, conjuncts, limit, safeguards, shape, shown
from scalegate.policy.diagnose import quote, spoken
from scalegate.policy.phrases import leaves
from scalegate.prove.permits import STRENGTH

_UNSETTLED = ("hold", "discretion", "permit")

# Where a change stands, what it is, and why it weakens.
Change = tuple[tuple[str, ...], str, str]


def weakenings(old: Kernel, new: Kernel) -> Iterator[Change]:
    """Yield every commitment that the newer version drops or weakens, in the order of the older one."""
    now = {item.id: item for item in new.commitments}
    for item in old.commitments:
        after = now.get(item.id)
        if after is None:
            held = spoken(map(quote, item.hold), "and")
            yield ("commitments",), f"{quote(item.id)} is gone; it held {held} in version {quote(old.version)}", ""
        else:
            for message in _weaker(old, item, new, after):
                yield ("commitments", item.id), message, f"in version {quote(old.version)} it was stronger"


def _weaker(old: Kernel, item: Commitment, new: Kernel, after: Commitment) -> Iterator[str]:
    name = quote(item.id)
    freed = sorted(item.actions - after.actions)
    if freed:
        yield f"{name} no longer holds {spoken(map(quote, freed), 'and')}"
    if STRENGTH.index(after.modality) > STRENGTH.index(item.modality):
        yield f"{name} went from {quote(item.modality)} to {quote(after.modality)}"
    if _UNSETTLED.index(after.unsettled) > _UNSETTLED.index(item.unsettled):
        yield f"{name} went from {quote(item.unsettled)} to {quote(after.unsettled)} where nothing is settled"
    if always(new, shown(after)) and not always(old, shown(item)):
        yield f"{name} no longer holds anything"
    for words, before_side, after_side in (
        ("stops", shown(item), shown(after)),
        ("resumes", item.until, after.until),
    ):
        before, later = _ceilings(old, before_side), _ceilings(new, after_side)
        for test, most in before.items():
            if test in later and later[test] > most:
                yield f"{name} {words} at {show_rate(later[test])} on {quote(test)}, and not at {show_rate(most)}"
            elif test not in later:
                yield f"{name} {words} without asking for {quote(test)}"
        ways = {_shape(old, part) for part in (before_side, *alternatives(before_side))}
        for part in alternatives(after_side):
            if _shape(new, part) not in ways and part not in conjuncts(after_side):
                yield f"{name} {words} also on {quote(_wording(part))}"
    dropped = _safeguards(old, item.until) - _safeguards(new, after.until)
    if dropped:
        yield f"{name} resumes without {spoken(map(quote, sorted(dropped)), 'and')}"


def _ceilings(kernel: Kernel, condition: Condition) -> dict[str, Fraction]:
    """Return the ceilings of a condition by what is measured, whatever each version calls it."""
    return {_measured(kernel, test): limit(leaf) for test, leaf in ceilings(kernel, condition).items()}


def _safeguards(kernel: Kernel, condition: Condition) -> frozenset[str]:
    """Return the safeguards of a condition by what they are, whatever each version calls them."""
    return frozenset(kernel.safeguards[name].concept or name for name in safeguards(kernel, condition))


def _measured(kernel: Kernel, test: str) -> str:
    return kernel.evaluations[test].concept or test


def _shape(kernel: Kernel, condition: Condition) -> tuple[object, ...]:
    """Return what a condition says, with concepts in the place of names."""

    def known(said: object) -> object:
        match said:
            case tuple():
                return tuple(known(part) for part in said)
            case Shown(safeguard=name):
                return ("shown", kernel.safeguards[name].concept or name)
            case Measure(evaluation=name):
                return ("measure", _measured(kernel, name), said.every_scaffold)
            case _:
                return said

    found = known(shape(kernel, condition))
    return found if isinstance(found, tuple) else (found,)


def _wording(condition: Condition) -> str:
    texts = [leaf.text for leaf in leaves(condition) if isinstance(leaf, Compare)]
    return " and ".join(texts) or "nothing"


def broadened(old: Kernel, new: Kernel) -> Iterator[Change]:
    """Yield every exception that is new, needs less, lasts longer or has a lower floor."""
    before = {item.id: item for item in old.exceptions}
    for item in new.exceptions:
        known = before.get(item.id)
        where = ("exceptions", item.id)
        if known is None:
            yield where, f"the exception {quote(item.id)} is new since version {quote(old.version)}", ""
        else:
            for message in _broader(old, known, new, item):
                yield where, message, f"in version {quote(old.version)} it was narrower"


def _broader(old: Kernel, known: Exception_, new: Kernel, item: Exception_) -> Iterator[str]:
    name = quote(item.id)
    lacking = _lost(old, known.needs, new, item.needs)
    if lacking:
        yield f"{name} no longer needs {spoken(map(quote, lacking), 'and')}"
    if _lost(old, (known.when,), new, (item.when,)):
        yield f"{name} opens on {quote(_wording(item.when))}, and not on {quote(_wording(known.when))}"
    if item.each > known.each or item.total * known.window > known.total * item.window:
        each, total, window = map(show_duration, (item.each, item.total, item.window))
        yield f"{name} lasts {each} a time and {total} in any {window}"
    before, later = _ceilings(old, known.until), _ceilings(new, item.until)
    lower = [test for test, most in before.items() if test not in later or later[test] > most]
    lost = _safeguards(old, known.until) - _safeguards(new, item.until)
    if lower or lost:
        yield f"the floor of {name} is lower on {spoken(map(quote, sorted({*lower, *lost})), 'and')}"


def _lost(old: Kernel, before: Sequence[Condition], new: Kernel, after: Sequence[Condition]) -> list[str]:
    """Return what was asked for before, and is not asked for in the same words any more."""
    kept = {_shape(new, part) for condition in after for part in conjuncts(condition)}
    return [_wording(part) for condition in before for part in conjuncts(condition) if _shape(old, part) not in kept]


def touched(old: Kernel, new: Kernel) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield every commitment, exception, evaluation and safeguard that differs between two versions, with its place."""
    for section, before, after in (
        (
            "commitments",
            {i.id: _plain(old, i) for i in old.commitments},
            {i.id: _plain(new, i) for i in new.commitments},
        ),
        (
            "exceptions",
            {i.id: _exception(old, i) for i in old.exceptions},
            {i.id: _exception(new, i) for i in new.exceptions},
        ),
        ("evaluations", _tests(old), _tests(new)),
        ("safeguards", _measures(old), _measures(new)),
        ("roles", dict(old.roles), dict(new.roles)),
        ("contexts", _contexts(old), _contexts(new)),
        ("obligations", _obligations(old), _obligations(new)),
    ):
        for name in sorted({*before, *after}):
            if before.get(name) != after.get(name):
                yield ((section, name) if name in after else (section,)), name
    for path, before_rule, after_rule in (
        (("scope",), shape(old, old.scope), shape(new, new.scope)),
        (("amendments",), old.amendments, new.amendments),
        (("permits",), old.countersigned_by, new.countersigned_by),
        (("stop orders",), old.stop_orders_by, new.stop_orders_by),
    ):
        if before_rule != after_rule:
            yield path, path[0]


def _plain(kernel: Kernel, item: Commitment) -> tuple[object, ...]:
    sides = tuple(shape(kernel, side) for side in (item.when, item.until))
    return (item.actions, item.modality, item.unsettled, item.declared_stop, *sides)


def _exception(kernel: Kernel, item: Exception_) -> tuple[object, ...]:
    sides = tuple(shape(kernel, side) for side in (item.when, item.until, *item.needs))
    return (item.instead_of, item.each, item.total, item.window, *sides)


def _tests(kernel: Kernel) -> dict[str, tuple[object, ...]]:
    return {
        item.id: (
            *(item.kind, item.test, item.score, item.by, item.elicited_by, item.validity, item.concept, item.hole),
            *(item.wrongly_cleared, item.wrongly_stopped, item.estimand, item.bank, item.clustered_by),
            *(item.accept_aggregate, item.accept_edited, item.accept_earlier, item.refuse_provenance),
            *(item.reach_issuer, _counts(item.hidden_capability), _counts(item.shown_to_work)),
            tuple((belief.claim, belief.role, belief.expires) for belief in item.beliefs),
        )
        for item in kernel.evaluations.values()
    }


def _counts(counts: tuple[Count, ...]) -> tuple[object, ...]:
    return tuple((item.name, item.least, item.trials, item.rate) for item in counts)


def _contexts(kernel: Kernel) -> dict[str, tuple[object, ...]]:
    return {item.name: (item.action, item.scaffolds, item.withdraws) for item in kernel.contexts.values()}


def _obligations(kernel: Kernel) -> dict[str, tuple[object, ...]]:
    return {
        item.id: (item.does, item.within, item.every, item.starts, item.met, item.modality)
        for item in kernel.duties.obligations.values()
    }


def _measures(kernel: Kernel) -> dict[str, tuple[object, ...]]:
    return {
        item.id: (item.means, item.because, item.by, item.valid_time, item.concept, item.stops, _counts(item.fails_if))
        for item in kernel.safeguards.values()
    }

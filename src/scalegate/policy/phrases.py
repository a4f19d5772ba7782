"""English for the parts of a kernel: dates, frequencies, actions, terms and conditions.

Text that a policy's author wrote is flattened to one line of printable characters before it is repeated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction

from scalegate.core.actions import GROUPS, HARDER
from scalegate.core.kernel import All, AnyOf, AtLeast, Compare, Condition, Constant, Count, Kernel, Not
from scalegate.core.quantities import (
    DAY,
    show_duration,
    show_flop,
    show_instant,
    show_number,
    show_rate,
)
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

ACTION_WORDS = {
    "train": "training",
    "train.new-scale": "training at a new scale",
    "train.mitigation": "mitigation training",
    "deploy": "every deployment",
    "deploy.internal": "internal use",
    "deploy.internal.autonomous-research": "autonomous research in house",
    "deploy.partners": "deployment to named partners",
    "deploy.api": "deployment through an API",
    "deploy.finetuning": "fine-tuning by customers",
    "release": "release of the weights",
    "release.weights": "release of the weights",
    "store.weights": "storing weights",
    "delete.weights": "deleting weights",
    "everything": "everything",
    "evaluate": "evaluating",
    "elicit": "eliciting",
    "study": "studying",
}


def plain(text: str) -> str:
    """Return an author's text as one line of printable characters, all of its words kept."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def quoted(text: str) -> str:
    """Return an author's text in quotation marks."""
    return f"“{plain(text)}”"


def the(role: str) -> str:
    """Return a role as it is spoken of."""
    return f"the {plain(role)}"


def spoken_id(name: str) -> str:
    """Return a name of the kernel in words: `capability.x` is what a hole for the capability `x` is called."""
    kind, _, rest = name.partition(".")
    return f"capability {plain(rest)}" if kind == "capability" and rest else plain(name)


def listed(items: Iterable[str], word: str = "and") -> str:
    """Return `a`, `a and b` or `a, b, and c`."""
    parts = list(items)
    if len(parts) < 3:
        return f" {word} ".join(parts)
    return f"{', '.join(parts[:-1])}, {word} {parts[-1]}"


def bank_words(items: int) -> str:
    """Return a bank with its size, such as `bank of 1,300 items`."""
    return f"bank of {items:,} items"


def date_words(seconds: int) -> str:
    """Return an instant as `January 1, 2027`, with the UTC time of day where it is not midnight."""
    if show_instant(seconds) == "never":
        return "the end of the calendar"
    moment = datetime.fromtimestamp(seconds, tz=UTC)
    day = f"{moment:%B} {moment.day}, {moment.year}"
    return day if seconds % DAY == 0 else f"{day}, {moment:%H:%M:%S} UTC"


def frequency(rate: Fraction) -> str:
    """Return a probability as a natural frequency, such as `1 time in 1,000`."""
    if rate == 0:
        return "never"
    times = "1 time" if rate.numerator == 1 else f"{rate.numerator:,} times"
    return f"{times} in {rate.denominator:,}"


def flop_words(value: Fraction) -> str:
    """Return effective compute exactly; scientific notation only where that loses no digit."""
    if value.denominator != 1:
        return f"{show_number(value)} FLOP"
    short = show_flop(value.numerator)
    exact = f"{value.numerator:,}" if short.startswith("~") else short
    return f"{exact} FLOP"


def money_words(value: Fraction) -> str:
    """Return an amount of money exactly, such as `500,000,000 USD`."""
    return f"{value.numerator:,} USD" if value.denominator == 1 else f"{show_number(value)} USD"


def actions_words(names: Sequence[str], actions: frozenset[str]) -> str:
    """Return what a hold of `names` holds, with everything that it covers beside what it names."""
    words = listed(ACTION_WORDS.get(name, quoted(name)) for name in names)
    if "everything" in names:
        return (
            f"{words} (evaluating, eliciting, and studying a model excepted, which nobody can "
            "hold, and mitigation training, which has its own capped permit)"
        )
    named = {GROUPS.get(name, name) for name in names}
    rest = [
        action
        for action in HARDER
        if action in actions - named and not ("deploy" in names and action.startswith("deploy."))
    ]
    if not rest:
        return words
    return f"{words} ({listed(ACTION_WORDS.get(action, action) for action in rest)} included)"


def count_words(count: Count) -> str:
    """Return a measured requirement such as `known positives flagged: at least 19 of 20`."""
    if count.rate is not None:
        return f"{plain(count.name)}: at least {show_rate(count.rate)}"
    return f"{plain(count.name)}: at least {count.least} of {count.trials}"


def failure_words(count: Count) -> str:
    """Return what shows that a safeguard fails, such as `theft succeeds more than 0 times in 3`."""
    if count.rate is not None:
        return f"{plain(count.name)} goes beyond {show_rate(count.rate)}"
    return f"{plain(count.name)} happens more than {count.least} times in {count.trials}"


def leaves(condition: Condition) -> Iterator[Compare | Constant]:
    """Yield the comparisons and constants of a condition, left to right."""
    match condition:
        case Compare() | Constant():
            yield condition
        case Not(part=part):
            yield from leaves(part)
        case All(parts=parts) | AnyOf(parts=parts) | AtLeast(parts=parts):
            for part in parts:
                yield from leaves(part)


def terms_of(kernel: Kernel, *conditions: Condition) -> list[Term]:
    """Return the terms that conditions compare, each once, in the order they are first named."""
    found: dict[Term, None] = {}
    for condition in conditions:
        for leaf in leaves(condition):
            if isinstance(leaf, Compare):
                found[kernel.terms[leaf.term]] = None
    return list(found)


def shape(kernel: Kernel, condition: Condition) -> object:
    """Return a condition without positions in texts, so that two can be compared for meaning."""
    match condition:
        case Compare(term=index, above=above, edge=edge, num=num, den=den):
            term = kernel.terms[index]
            if isinstance(term, Measure):
                term = replace(term, position="when")
            return (term, above, edge, Fraction(num, den))
        case Constant(proven=proven):
            return proven
        case Not(part=part):
            return ("not", shape(kernel, part))
        case AtLeast(count=count, parts=parts):
            return (count, *(shape(kernel, part) for part in parts))
        case All(parts=parts) | AnyOf(parts=parts):
            return (type(condition).__name__, *(shape(kernel, part) for part in parts))


def condition_words(kernel: Kernel, condition: Condition) -> str:
    """Return a condition as a clause that can follow `it is shown that`."""
    match condition:
        case Compare():
            return _compare_words(kernel, condition)
        case Constant(proven=proven):
            return "nothing (this always holds)" if proven else "the impossible (this never holds)"
        case Not(part=part):
            return f"it is not the case that {_nested(kernel, part)}"
        case All(parts=parts):
            lead = "both " if len(parts) == 2 else "all of this: " if len(parts) > 2 else ""
            return lead + _joined(kernel, parts, "and")
        case AnyOf(parts=parts):
            lead = "either " if len(parts) == 2 else "any one of this: " if len(parts) > 2 else ""
            return lead + _joined(kernel, parts, "or")
        case AtLeast(count=count, parts=parts):
            inner = "; ".join(_nested(kernel, part) for part in parts)
            return f"at least {count} of these {len(parts)}: {inner}"


def that_clause(kernel: Kernel, condition: Condition) -> str:
    """Return a condition as what follows `it is shown`: `that a`, `that a and that b`, ..."""
    match condition:
        case All(parts=parts) if all(isinstance(part, Compare) for part in parts) and len(parts) > 1:
            return listed((f"that {condition_words(kernel, part)}" for part in parts), "and")
        case AnyOf(parts=parts) if all(isinstance(part, Compare) for part in parts) and len(parts) > 1:
            return f"either {listed((f'that {condition_words(kernel, part)}' for part in parts), 'or')}"
        case _:
            return f"that {condition_words(kernel, condition)}"


def _joined(kernel: Kernel, parts: Sequence[Condition], word: str) -> str:
    words = [_nested(kernel, part) for part in parts]
    if len(words) < 3:
        return f" {word} ".join(words)
    return f"{'; '.join(words[:-1])}; {word} {words[-1]}"


def _nested(kernel: Kernel, part: Condition) -> str:
    words = condition_words(kernel, part)
    return words if isinstance(part, Compare | Constant) else f"({words})"


def _compare_words(kernel: Kernel, compare: Compare) -> str:
    term = kernel.terms[compare.term]
    value = Fraction(compare.num, compare.den)
    match term:
        case Measure(evaluation=evaluation, every_scaffold=every):
            under = " under every scaffold that the deployment context admits" if every else ""
            measured = kernel.evaluations.get(evaluation)
            mean = " on average" if measured is not None and measured.score.mean else ""
            return f"{plain(evaluation)} scores {_side(compare)} {show_rate(value)}{mean}{under}"
        case Compute():
            return f"effective compute is {_side(compare)} {flop_words(value)}"
        case Clock():
            return _clock_words(compare, value)
        case Revenue():
            return f"the developer's yearly revenue is {_side(compare)} {money_words(value)}"
        case Elapsed():
            return _elapsed_words(term, compare, value)
        case _:
            return _yes_or_no(kernel, term, compare, value)


def _side(compare: Compare) -> str:
    if compare.above:
        return "at least" if compare.edge else "above"
    return "below" if compare.edge else "at most"


def _clock_words(compare: Compare, value: Fraction) -> str:
    day = date_words(int(value)) if value.denominator == 1 else f"second {show_number(value)}"
    if compare.above:
        return f"the date is {day} or later" if compare.edge else f"the date is after {day}"
    return f"the date is before {day}" if compare.edge else f"the date is {day} or earlier"


def _elapsed_words(term: Elapsed, compare: Compare, value: Fraction) -> str:
    age = show_duration(value.numerator) if value.denominator == 1 and value > 0 else f"{show_number(value)} seconds"
    if compare.above and compare.edge:
        verb = "has" if age.startswith("1 ") else "have"
        return f"{age} {verb} passed since {the(term.role)} stated {quoted(term.predicate)}"
    return f"the time since {the(term.role)} stated {quoted(term.predicate)} is {_side(compare)} {age}"


def _yes_or_no(kernel: Kernel, term: Term, compare: Compare, value: Fraction) -> str:
    """Say a term whose facts are [0, 0], [1, 1] or [0, 1]; the policy writes it as `>= 1`."""
    words = yes_words(kernel, term)
    if value == 1 and compare.edge:
        return words if compare.above else f"it is not the case that {words}"
    return f"the answer (0 no, 1 yes) to “{words}” is {_side(compare)} {show_number(value)}"


def yes_words(kernel: Kernel, term: Term) -> str:
    """Return a term that is answered by yes or no as a clause that says yes."""
    match term:
        case Shown(safeguard=safeguard):
            return f"the safeguard {plain(safeguard)} works"
        case Attested(predicate=predicate, role=role, expires=expires):
            age = f" (counted for {show_duration(expires)})" if expires is not None else ""
            return f"{the(role)} attests {quoted(predicate)}{age}"
        case Approved(matter=matter, role=role):
            return f"{the(role)} has approved {_matter(matter)}"
        case Published(matter=matter):
            return f"{_matter(matter)} has been published"
        case Hole(name=name):
            return f"the hole {_hole_name(kernel, name)} is filled and met"
        case Specified(hole=name):
            return f"what the hole {_hole_name(kernel, name)} asks for is specified, though it need not be shown"
        case _:
            return _other_words(term)


def _other_words(term: Operates | Overdue | Measure | Compute | Clock | Revenue | Elapsed) -> str:
    """Say what is so of the developer; of a term that is a number, say that there is one."""
    match term:
        case Operates(place=place):
            return f"the developer operates in {plain(place)}"
        case Overdue(obligation=obligation):
            return f"the obligation {plain(obligation)} is overdue"
        case Measure(evaluation=evaluation):
            return f"{plain(evaluation)} is measured"
        case Compute():
            return "effective compute is known"
        case Clock():
            return "the date is known"
        case Revenue():
            return "the developer's revenue is known"
        case Elapsed(predicate=predicate, role=role):
            return f"it is known when {the(role)} stated {quoted(predicate)}"


def _matter(matter: str) -> str:
    kind, _, name = matter.partition(":")
    if kind == "exception" and name:
        return f"the use of the exception {plain(name)}"
    if kind == "commitment" and name:
        return f"going on under {spoken_id(name)}"
    return "this" if not matter else quoted(matter)


def _hole_name(kernel: Kernel, name: str) -> str:
    spec = kernel.holes.get(name)
    return f"{spoken_id(name)} ({quoted(spec.words)})" if spec else spoken_id(name)

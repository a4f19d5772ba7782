"""Everything that people say in a situation: attestations, approvals, safeguards, measurements, countersignatures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from scalegate.core.events import StatementKind, claim_topic, matter_topic, specified_topic
from scalegate.core.kernel import Count, Evaluation, Kernel, Safeguard
from scalegate.core.terms import Approved, Attested, Measure, Published, Shown, Specified
from scalegate.prove.enact.speakers import CannotEnactError, Ear
from scalegate.prove.enact.stage import NO_REASON, Stage
from scalegate.prove.symbols import RoleRule, rule_of


@dataclass(frozen=True, slots=True)
class Matter:
    """One thing that a role of one policy speaks on.

    Attributes:
        words: how the variables call it.
        kind, topic, means, because: of the statements on it.
        rule: who may speak, as the policy has it.
        count: the measured requirement that it is about.
    """

    words: str
    kind: StatementKind
    topic: str
    rule: RoleRule
    means: str = ""
    because: str = ""
    count: Count | None = None


def speak(stage: Stage, compute: int, subject: str) -> None:
    """Record what everybody says.

    Args:
        stage: where it is said.
        compute: what a countersignature has to reach.
        subject: the subject of the request, which a countersignature names.
    """
    groups: dict[tuple[str, str], list[Matter]] = {}
    for matter in _matters(stage):
        groups.setdefault((matter.words, matter.rule.name), []).append(matter)
    for (words, role), matters in groups.items():
        said = dict.fromkeys((item.kind, item.topic, item.means, item.because, item.count) for item in matters)
        if not role:
            raise CannotEnactError(f"nobody is named who could speak on {words}")
        for holds in (True, False):
            word = "affirmed" if holds else "denied"
            ears = [
                Ear(
                    item.rule,
                    max(1, item.rule.quorum) if holds else item.rule.spare + 1,
                    stage.so(word, words, item.rule),
                )
                for item in matters
                if stage.known(word, words, item.rule)
            ]
            ago = _age(stage, words, matters) if holds else 0
            for name in stage.cast.speakers(role, ears, words):
                for kind, topic, means, because, count in said:
                    found = None if count is None else _counted(stage, words, [item.count for item in matters])
                    stage.state(
                        ago,
                        kind,
                        topic,
                        name,
                        role,
                        holds=holds,
                        means=means,
                        because=because,
                        count=found,
                        action=stage.action if kind == "countersignature" else "",
                        compute=compute if kind == "countersignature" else 0,
                        subject=subject if kind == "countersignature" else "",
                    )
        _unheard_failures(stage, words, matters)
    _specified(stage)
    _published(stage)


def _age(stage: Stage, words: str, matters: list[Matter]) -> int:
    """Return how long ago something was said."""
    kind, what = ("attempts-ago", words.removeprefix("attempts:")), ("affirmed-ago", words)
    key = kind if words.startswith("attempts:") else what
    heard = [item.rule for item in matters if stage.so("affirmed", words, item.rule) and stage.known(*key, item.rule)]
    ages = {stage.whole(*key, rule) for rule in heard}
    if len(ages) > 1:
        raise CannotEnactError(f"{words} would have to be said at two times")
    return ages.pop() if ages else 0


def _counted(stage: Stage, words: str, counts: list[Count | None]) -> tuple[int, int]:
    """Return what was counted: failures of attempts, or successes of trials."""
    kind, _, what = words.partition(":")
    if kind == "attempts":
        return stage.whole("failures", what), stage.whole("attempts", what, otherwise=1000)
    share, trials = stage.number("share", what, otherwise=1), stage.whole("trials", what, otherwise=1000)
    bounds = [max(count.trials, 1) for count in counts if count is not None]
    # As many trials as make the share a count, on the same side of every number that is asked for.
    for tried in range(max(trials, 1), max(trials, 1) + 100_000):
        same = all((tried >= bound) is (trials >= bound) for bound in bounds)
        if same and (share * tried).denominator == 1:
            return int(share * tried), tried
        if not same:
            break
    for tried in range(trials, 0, -1):
        if (share * tried).denominator == 1 and all((tried >= bound) is (trials >= bound) for bound in bounds):
            return int(share * tried), tried
    raise CannotEnactError(f"no {trials} trials have a share of {share}")


def _unheard_failures(stage: Stage, words: str, matters: list[Matter]) -> None:
    """Let somebody whom no policy names report failures that count whoever reports them."""
    if not words.startswith("attempts:") or any(
        stage.so("affirmed", words, item.rule) for item in matters if stage.known("affirmed", words, item.rule)
    ):
        return
    failed, tried = _counted(stage, words, [item.count for item in matters])
    if failed > min(item.count.least for item in matters if item.count is not None):
        name = stage.cast.anybody()
        for topic, means in dict.fromkeys((item.topic, item.means) for item in matters):
            stage.state(0, "measurement", topic, name, "witness", means=means, count=(failed, max(tried, failed)))


def _published(stage: Stage) -> None:
    for read in stage.reads():
        if isinstance(read.term, Published) and stage.so("published", read.term.matter):
            topic = matter_topic(read.kernel.id, read.term.matter)
            stage.state(0, "publication", topic, stage.cast.anybody(), "reader")


# ---------------------------------------------------------------- what there is to speak on


def _matters(stage: Stage) -> Iterator[Matter]:
    for read in stage.reads():
        kernel = read.kernel
        match read.term:
            case Attested(predicate=predicate, role=role):
                yield _matter(kernel, f"predicate:{predicate}", "predicate", predicate, role)
            case Approved(matter=matter, role=role):
                yield _matter(kernel, f"approval:{matter}", "approval", matter_topic(kernel.id, matter), role)
            case Shown(safeguard=name):
                yield from _of_safeguard(kernel, kernel.safeguards[name])
            case Measure(evaluation=name):
                yield from _of_evaluation(kernel, kernel.evaluations[name])
            case _:
                pass
    for kernel in () if stage.duties else stage.kernels:
        for role in kernel.countersigned_by:
            yield _matter(kernel, "countersignature", "countersignature", stage.action, role)


def _matter(  # noqa: PLR0913 - a matter has that many parts
    kernel: Kernel,
    words: str,
    kind: StatementKind,
    topic: str,
    role: str | None,
    *,
    means: str = "",
    because: str = "",
    count: Count | None = None,
) -> Matter:
    return Matter(words, kind, topic, rule_of(dict(kernel.roles), role), means, because, count)


def _of_safeguard(kernel: Kernel, spec: Safeguard) -> Iterator[Matter]:
    if spec.hole is not None or spec.by is None or spec.means is None or spec.because is None:
        return
    means = f"concept {spec.concept}" if spec.concept else f"{spec.id} {spec.means}"
    because = "" if spec.because == NO_REASON else spec.because
    yield _matter(
        kernel,
        f"safeguard:{means} {because}".strip(),
        "safeguard",
        matter_topic(kernel.id, spec.id),
        spec.by,
        means=spec.means,
        because=spec.because,
    )
    for count in spec.fails_if:
        topic = matter_topic(kernel.id, f"{spec.id}:{count.name}")
        words = f"attempts:{means} {count.name}"
        yield _matter(kernel, words, "measurement", topic, spec.by, means=spec.means, count=count)


def _of_evaluation(kernel: Kernel, spec: Evaluation) -> Iterator[Matter]:
    if spec.digest is None or spec.hole is not None:
        return
    for belief in spec.beliefs:
        if belief.role is not None:
            words = f"belief:{spec.digest} {belief.claim}"
            topic = claim_topic(spec.digest, belief.claim)
            yield _matter(kernel, words, "belief", topic, belief.role)
    for count in (*spec.hidden_capability, *spec.shown_to_work):
        if spec.by is not None:
            words = f"measurement:{spec.digest} {count.name}"
            yield _matter(kernel, words, "measurement", claim_topic(spec.digest, count.name), spec.by, count=count)


def _specified(stage: Stage) -> None:
    """Record who says that holes are specified."""
    heard: dict[tuple[str, str], list[Ear]] = {}
    for read in stage.reads():
        if isinstance(read.term, Specified) and read.term.hole in read.kernel.holes:
            for role in read.kernel.holes[read.term.hole].filled_only_by:
                rule = rule_of(dict(read.kernel.roles), role)
                so = stage.so("specified", read.term.hole, rule)
                heard.setdefault((read.term.hole, role), []).append(Ear(rule, max(1, rule.quorum), so))
    for (hole, role), ears in heard.items():
        for name in stage.cast.speakers(role, ears, hole):
            stage.state(0, "predicate", specified_topic(hole), name, role)

"""What the prose of a policy must say, and must never say."""

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings

from scalegate.core.kernel import Constant, Kernel
from scalegate.core.quantities import show_rate
from scalegate.core.terms import Attested, Hole
from scalegate.policy import load
from scalegate.policy.phrases import date_words, frequency, plain
from scalegate.policy.prose import WIDTH, prose
from scalegate.policy.templates import template
from tests.policy.kernels import SPAN, kernels

HERE = Path(__file__).resolve().parent
EXAMPLES = sorted((HERE.parents[1] / "examples" / "policies").glob("*.yaml"))


def flat(text: str) -> str:
    return " ".join(text.split()).casefold()


def says(kernel: Kernel) -> str:
    return flat(prose(kernel))


def section(text: str, heading: str) -> str:
    return flat(text.split(f"## {heading}\n")[1].split("\n## ", maxsplit=1)[0])


def kernel_of(text: str) -> Kernel:
    return load(text, "policy.yaml")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_golden(path: Path) -> None:
    """`GOLDEN=write` accepts what is printed now; read the difference before committing it."""
    golden = HERE / "golden_prose" / f"{path.stem}.md"
    text = prose(kernel_of(path.read_text("utf-8")))
    if os.environ.get("GOLDEN") == "write":
        golden.write_text(text, "utf-8")
    assert text == golden.read_text("utf-8")


def test_every_golden_file_belongs_to_an_example() -> None:
    assert [path.stem for path in sorted((HERE / "golden_prose").glob("*.md"))] == [path.stem for path in EXAMPLES]


# ---------------------------------------------------------------- nothing is dropped


@settings(max_examples=40)
@given(kernels())
def test_no_hole_is_dropped(kernel: Kernel) -> None:
    first = section(prose(kernel), "What this policy does not cover")
    for spec in kernel.holes.values():
        assert flat(spec.name) in first
        assert flat(plain(spec.words)) in first
        assert flat(plain(spec.owner)) in first if spec.owner else "nobody is named as its owner" in first
        assert "no date is set" in first if spec.review_by is None else flat(date_words(spec.review_by)) in first
    for evaluation in kernel.evaluations.values():
        if evaluation.hole is not None:
            assert flat(plain(evaluation.hole)) in first
        elif evaluation.digest is None:
            assert f"the test of {evaluation.id}" in first
            for belief in evaluation.beliefs:
                assert belief.role is not None or flat(plain(belief.claim)) in first
        else:
            beyond = f"nothing is claimed beyond this bank of {evaluation.bank:,} items by {evaluation.id}."
            assert (beyond in first) == (evaluation.estimand == "bank")
    for safeguard in kernel.safeguards.values():
        assert safeguard.hole is None or flat(plain(safeguard.hole)) in first
    for term in kernel.terms:
        assert not isinstance(term, Hole) or term.name in first
    assert "fear-2x" in first
    assert show_rate(kernel.mitigation_cap) in first
    assert "evaluating, eliciting, and studying a model in quarantine can never be held" in first
    assert f"before {flat(date_words(kernel.effective))} nothing" in first


@settings(max_examples=40)
@given(kernels())
def test_no_way_out_is_dropped(kernel: Kernel) -> None:
    ways = section(prose(kernel), "How it may be left")
    for item in kernel.exceptions:
        assert f"exception {item.id}, in place of the commitment {item.instead_of}" in ways
    assert ways.count("it is then enough to show") == len(kernel.exceptions)
    assert ways.count("it never covers release of the weights or deleting weights") == len(kernel.exceptions)
    for spec in kernel.holes.values():
        assert f"the hole {spec.name}" in ways
        assert all(f"the {role}" in ways for role in spec.filled_only_by)
    for context in kernel.contexts.values():
        assert context.withdraws or f"in the context {context.name} a hold does not end" in ways
    assert kernel.teachers_count or "teacher models does not count" in ways
    for evaluation in kernel.evaluations.values():
        assert not evaluation.accept_aggregate or f"a published total counts for {evaluation.id}" in ways
        assert not evaluation.accept_edited or f"edited afterwards count for {evaluation.id}" in ways
        assert not evaluation.accept_earlier or f"before they were registered count for {evaluation.id}" in ways
    assert ("can withdraw it" in ways) == (kernel.kind != "regime" and kernel.duties.law is None)
    assert "no role is named that must approve" in ways or "the board" in ways


@settings(max_examples=40)
@given(kernels())
def test_every_declaration_is_spoken(kernel: Kernel) -> None:
    text = says(kernel)
    for item in kernel.commitments:
        assert f"**{item.id}.** hold " in text
    for names in (kernel.roles, kernel.evaluations, kernel.safeguards, kernel.contexts, kernel.capabilities):
        assert all(name in text for name in names)
    for role in (*kernel.stop_orders_by, *kernel.countersigned_by):
        assert f"the {role}" in section(prose(kernel), "Who can stop it at once")
    for evaluation in kernel.evaluations.values():
        if evaluation.hole is None:
            assert evaluation.concept or frequency(evaluation.wrongly_cleared) in text
            assert all(flat(plain(words)) in text for words in evaluation.elicited_by)
            assert not evaluation.clustered_by or f"the same “{flat(plain(evaluation.clustered_by))}”" in text


@settings(max_examples=40)
@given(kernels())
def test_an_author_starts_no_line(kernel: Kernel) -> None:
    """Text of a policy that looked like a heading or list would let its author edit the reading."""
    headings = [line for line in prose(kernel).split("\n") if line.startswith("#")]
    assert headings[0].startswith("# The policy policy-1x")
    assert all(line.startswith("## ") and line[3:].replace(" ", "").isalpha() for line in headings[1:])
    for line in prose(kernel).split("\n"):
        assert not re.match(r"\s+([#>+*=|~`-]|\d+[.)](\s|$))", line), line
        assert line.isprintable()


@settings(max_examples=40)
@given(kernels())
def test_no_model_is_called_safe(kernel: Kernel) -> None:
    assert not re.search(r"\bsafe\b", prose(kernel), re.IGNORECASE)


# ---------------------------------------------------------------- the burden of proof


def test_holes_and_ways_out_come_first() -> None:
    headings = re.findall(r"^## (.*)$", prose(kernel_of(template("rsp"))), re.MULTILINE)
    assert headings[:3] == ["What this policy does not cover", "How it may be left", "What it commits to"]


def test_the_burden_of_proof_is_audible() -> None:
    kernel = kernel_of(template("rsp"))
    said = section(prose(kernel), "What it commits to")
    assert said.count("it is shown that") >= len(kernel.commitments)
    assert (
        "hold training (training at a new scale included) unless it is shown that replication scores at most 20%"
        in said
    )
    assert (
        "once crossed, resume only if it is shown that deception scores below 10% "
        "and that the safeguard weight-security works"
    ) in said


def test_errors_are_natural_frequencies() -> None:
    text = says(kernel_of(template("rsp")))
    assert "wrongly cleared at most 1 time in 1,000, and wrongly stopped at most 1 time in 20" in text


def measured(score: str = "success rate", extra: str = "") -> Kernel:
    """The minimal template with another score, or with more keys of its evaluation."""
    text = template("minimal").replace("tasks solved in at least 1 of 10 tries", score)
    return kernel_of(text.replace("    by: auditor\n", f"    by: auditor\n{extra}"))


def test_the_claim_is_about_the_bank_or_about_what_it_was_drawn_from() -> None:
    drawn = "the claim is about the tasks that these items were drawn from."
    bank = "the claim is about this bank of 1,300 items, not about the tasks they stand for."
    beyond = "nothing is claimed beyond this bank of 1,300 items by autonomy."
    assert [words in says(measured()) for words in (drawn, bank, beyond)] == [True, False, False]
    text = says(measured(extra="    estimand: bank of 1300 items\n"))
    assert [words in text for words in (drawn, bank, beyond)] == [False, True, True]


def test_a_mean_is_told_from_a_share_of_items() -> None:
    text = says(measured("mean reward in 4 tries"))
    assert "every score is a number from 0 to 1, and what counts is their mean." in text
    assert "the 4 tries of one item are together one piece of evidence." in text
    assert "it is shown that autonomy scores at most 20% on average." in text
    assert "together one piece of evidence" not in says(measured("mean reward"))
    assert "on average" not in says(measured("tasks solved in at least 1 of 4 tries"))


def test_a_cluster_holds_the_tries_of_its_items() -> None:
    extra = "    clustered by: source document\n"
    same = "items with the same “source document”"
    assert f"{same} are together one piece of evidence." in says(measured(extra=extra))
    text = says(measured("mean reward in 4 tries", extra))
    assert f"{same}, with all of their tries, are together one piece of evidence." in text
    assert "tries of one item" not in text


def test_due_dates_and_hard_ends_are_said_in_words() -> None:
    text = says(kernel_of(template("rsp")))
    due = (
        "a new result is due once effective compute is 4 times what it was or 3 months have passed, whichever is first"
    )
    assert due in text
    assert "once effective compute is 6 times what it was or 4 months have passed, whichever is first, it stops" in text


def test_a_stop_is_told_from_a_forgotten_resumption() -> None:
    stop = kernel_of(template("stop"))
    forgotten = replace(stop, commitments=tuple(replace(item, declared_stop=False) for item in stop.commitments))
    assert "claims no condition for going on. that is declared." in says(stop)
    assert "does not say what would let anyone go on" in says(forgotten)
    assert "does not say what would let anyone go on" not in says(stop)


def test_a_pause_by_the_calendar_admits_that_time_alone_ends_it() -> None:
    text = says(kernel_of(template("calendar-pause")))
    assert "unless and until it is shown that the date is after july 1, 2026" in text
    assert "time passing counts as showing something in pause" in text


def test_a_regime_outlives_the_policy_of_a_developer() -> None:
    text = says(kernel_of(template("regime")))
    assert "it binds every developer within its scope" in text
    assert "cannot leave it by withdrawing a policy of its own" in text
    assert "binds licensing-office and no other developer" not in text


def test_a_commitment_that_never_holds_is_called_that() -> None:
    stop = kernel_of(template("stop"))
    item = replace(stop.commitments[0], when=Constant(proven=False, span=SPAN))
    assert "the commitment stop never holds: nothing can cross it" in says(replace(stop, commitments=(item,)))


def test_actions_that_no_commitment_holds_are_named() -> None:
    text = says(kernel_of(template("stop")))
    said = "release of the weights, training at a scale that was reached before, storing weights, or deleting weights"
    assert said in text


def test_deciders_without_independence_are_named() -> None:
    text = template("rsp").replace("board: {quorum: 2 of 3, independent of: [developer]}", "board: {quorum: 2 of 3}")
    assert "the board decides here without being independent of anyone" in says(kernel_of(text))
    assert "without being independent" not in says(kernel_of(template("rsp")))


def test_a_filled_hole_is_still_told() -> None:
    filled = load(template("rsp"), fills={"takeover-understanding": "deception < 1%"})
    text = says(filled)
    assert "hole, filled for now: takeover-understanding" in text
    assert "once crossed, resume only if it is shown that deception scores below 1%" in text


def test_an_attestation_says_how_long_it_counts() -> None:
    kernel = kernel_of(template("rsp"))
    terms = tuple(replace(term, expires=86_400) if isinstance(term, Attested) else term for term in kernel.terms)
    assert "(counted for 1 day)" in says(replace(kernel, terms=terms))


def test_lines_are_short() -> None:
    assert max(map(len, prose(kernel_of(template("rsp"))).split("\n"))) <= WIDTH

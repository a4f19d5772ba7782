"""Public sentences: proved or refuted by a situation that replays; ambiguous ones refused with what they could mean."""

from functools import cache
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scalegate.adapters.solvers.z3 import Z3
from scalegate.core.diagnostic import DiagnosticError
from scalegate.core.kernel import Kernel
from scalegate.policy import load
from scalegate.prove.cases.case import Bench
from scalegate.prove.claims.bind import bind, readings
from scalegate.prove.claims.claim import Checked, check, refutes
from scalegate.prove.claims.file import bound_claims, read_claims
from scalegate.prove.claims.tree import AmbiguousError, UnclearError
from scalegate.prove.compare import Solvers, in_force
from scalegate.prove.formula import holds
from scalegate.prove.wording.settle import settle
from scalegate.prove.wording.vocabulary import describe
from tests.prove.policies import BOTH
from tests.prove.test_wording import values_of

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples" / "policies"
LIBRARY = ROOT / "src" / "scalegate" / "policy" / "library"
GOLDEN = Path(__file__).parent / "golden" / "ambiguous.txt"
BINDS = "where the policy binds, "


@cache
def policy(name: str) -> Kernel:
    path = EXAMPLES / f"{name}.yaml"
    path = path if path.exists() else LIBRARY / f"{name}.yaml"
    return load(path.read_text("utf-8"), name)


@cache
def bench(name: str) -> Bench:
    return Bench(policy(name))


@cache
def checked(name: str, sentence: str) -> Checked:
    kernels = [policy(name)]
    return check(bind(sentence, kernels), kernels, BOTH)


def claims_of(path: Path) -> list[tuple[str, str, bool]]:
    found = read_claims(path.read_text("utf-8"), path.name)
    (named,) = found.policies
    return [(Path(named.text).name.removesuffix(".yaml"), item.says.text, item.true) for item in found.claims]


CLAIMS = [item for path in sorted((EXAMPLES / "claims").glob("*.yaml")) for item in claims_of(path)]


def test_there_are_claims_of_both_kinds_about_examples_and_library() -> None:
    assert len(CLAIMS) >= 20
    assert min(sum(true for _, _, true in CLAIMS), sum(not true for _, _, true in CLAIMS)) >= 10
    assert len({name for name, _, _ in CLAIMS if (LIBRARY / f"{name}.yaml").exists()}) >= 3


@pytest.mark.parametrize(("name", "sentence", "true"), CLAIMS, ids=[sentence for _, sentence, _ in CLAIMS])
def test_a_claim_is_proved_or_refuted_by_a_situation_that_replays(name: str, sentence: str, true: object) -> None:
    found = checked(name, sentence)
    assert found.true is true
    if found.shown is None:
        said = {item.status for item in found.opinions}
        assert said <= {"unsat"}
        assert len(found.opinions) in (0, 2)
        return
    assert true is sentence.startswith(("some ", f"{BINDS}some "))
    assert found.variables is not None
    # The words alone, put into a file of cases about the same policy, are permitted there too.
    clauses = describe(found.variables, [policy(name)], found.shown.values)
    values = bench(name).situation(clauses)
    assert bench(name).replay.action(found.shown.action, values).permits


PROVED = [(name, text) for name, text, true in CLAIMS if true and "some model" not in text and "the hold" not in text]


@pytest.mark.parametrize(("name", "sentence"), PROVED, ids=[sentence for _, sentence in PROVED])
@given(data=st.data())
@settings(max_examples=25)
def test_no_situation_that_is_drawn_refutes_what_was_proved(name: str, sentence: str, data: st.DataObject) -> None:
    """The interpreter judges each by itself; none of the formulas that a solver saw decides here."""
    one, others = bench(name), list(bench(name).variables)
    chosen = data.draw(st.lists(st.sampled_from(others), max_size=10, unique_by=lambda item: item.name))
    said = {item.name: data.draw(values_of(item)) for item in chosen}
    laws = (*one.variables.laws(), *in_force(one.variables, [one.kernel]))
    values = settle(one.variables.nominal, said, laws)
    assume(all(holds(law, values) for law in laws))
    assert not refutes(bind(sentence, [one.kernel]), [one.kernel], values, one.variables)


UPWARD = """\
scalegate: policy/v1
id: upward
version: "1"
issuer: lab
effective: 2026-01-01
scope: everything
roles: {developer: {}, auditor: {independent of: [developer]}}
evaluations:
  robustness:
    kind: safety
    test: bank@sha256:fbbe90f0838fe676840a9c877e40141e340e6e08f84b47ad1f2855b95f19ea99
    score: success rate
    by: auditor
    valid for: {time: 3 months}
commitments:
  line: {hold: deploy, unless shown: robustness >= 80%, once crossed: never}
"""


def test_the_dangerous_side_is_the_one_that_the_policy_holds_on() -> None:
    kernels = [load(UPWARD, "upward")]
    found = check(bind("no model below 80% on robustness is ever deployed internally", kernels), kernels, BOTH)
    assert found.true is True
    assert "robustness may be below 80%" in found.means
    found = check(bind("every model that is deployed internally is at least 80% on robustness", kernels), kernels, BOTH)
    assert found.true is True
    found = check(bind("every model that is deployed internally is at least 81% on robustness", kernels), kernels, BOTH)
    assert found.true is False
    with pytest.raises(AmbiguousError):
        bind("no model above 80% on robustness is ever deployed internally", kernels)


def test_the_whole_gate_agrees_with_most_situations() -> None:
    """On a history in which each comes about; of some, encodings above all, there is none."""
    shown = [found.shown.gate.agrees for found in (checked(name, text) for name, text, _ in CLAIMS) if found.shown]
    assert sum(agrees is True for agrees in shown) >= 8


def test_no_value_of_a_situation_could_be_uneventful() -> None:
    found = checked(
        "rsp", f"{BINDS}no model above 20% on replication is ever trained without being shown below 10% on deception"
    )
    assert found.shown is not None
    assert found.variables is not None
    assert describe(found.variables, [policy("rsp")], found.shown.values) == [
        "replication may be as high as 30%, relatives included",
        "deception may be as high as 10%",
        "the exception rival is invoked",
        "auditor attests rival-without-safeguards",
        "board approves exception:rival",
        "exception:rival is published",
    ]
    assert [item.escapes for item in found.shown.judged] == [("rival",)]


def test_the_sentence_of_the_public_forgets_the_scope() -> None:
    sentence = "no model above 20% on replication is ever deployed to partners without weight-security"
    assert checked("rsp", sentence).true is False
    assert checked("rsp", BINDS + sentence).true is True
    assert checked("rsp", sentence).means == (
        "in every situation in which deploy.partners is permitted and replication may be above 20%: "
        "weight-security is shown"
    )


def test_what_is_true_of_nothing_says_so() -> None:
    """Above one half nothing is ever deployed, so that whatever is said of it is true."""
    sentence = f"{BINDS}no model above 50% on replication is ever deployed in any way without weight-security"
    assert checked("rsp", sentence).empty
    assert not checked("rsp", sentence.replace("50%", "20%")).empty


def test_a_proof_names_what_it_rests_on() -> None:
    found = checked("rsp", f"{BINDS}no model above 50% on replication is ever trained")
    assert "commitment takeover-line" in found.core
    assert {item.solver for item in found.opinions} == {"z3", "cvc5"}
    assert all(query.startswith("sha256:") for query in found.queries)


def test_policies_that_bind_together_prove_more() -> None:
    """The regime forbids what the lab's own policy permits."""
    kernels = [policy("rsp"), policy("regime")]
    sentence = "no model beyond 1e25 FLOP is ever stored without the countersignature of licensing-office"
    assert check(bind(sentence, kernels), kernels, BOTH).true is True
    assert check(bind(sentence, [kernels[1]]), [kernels[1]], BOTH).true is True
    alone = "no model beyond 1e25 FLOP is ever stored without the countersignature of regulator"
    assert check(bind(alone, [kernels[0]]), [kernels[0]], BOTH).true is False


def test_an_amendment_can_break_a_claim() -> None:
    sentence = f"{BINDS}no model above 20% on replication is ever deployed to partners without weight-security"
    text = (EXAMPLES / "rsp.yaml").read_text("utf-8")
    weaker = text.replace("deception < 10% and weight-security", "deception < 10%")
    kernels = [load(weaker, "rsp")]
    found = check(bind(sentence, kernels), kernels, BOTH)
    assert found.true is False
    assert found.shown is not None


class Silent:
    """A solver that gives up."""

    name, version = "silent", "0"

    def run(self, *_: object) -> str:
        return "unknown"


def test_what_no_solver_decides_is_undecided() -> None:
    kernels = [policy("stop")]
    found = check(bind("nothing is ever trained", kernels), kernels, Solvers(Silent()))
    assert found.true is None
    assert found.why


class Liar(Z3):
    """A solver that swears by everything nominal."""

    def run(self, script: str, *_: object) -> str:
        names = [line.split()[1:3] for line in script.splitlines() if line.startswith("(declare-const")]
        values = " ".join(f"({name} {'true' if kind.startswith('Bool') else '0.0'})" for name, kind in names)
        return f"sat\n({values})"


def test_a_situation_that_does_not_replay_is_no_refutation() -> None:
    kernels = [policy("stop")]
    found = check(bind("nothing is ever trained at a new scale", kernels), kernels, Solvers(Liar()))
    assert found.true is None
    assert "does not confirm" in found.why


# ---------------------------------------------------------------- ambiguous

AMBIGUOUS = [
    ("rsp", "some model above 20% on replication can be trained"),
    ("rsp", "no model below 20% on replication is ever trained"),
    ("rsp", "every model that is trained is above 5% on deception"),
    ("rsp", "no model above 20% on replication is ever deployed"),
    (
        "rsp",
        "no model above 20% on replication is ever trained without weight-security or takeover-understanding",
    ),
    ("rsp", "no model without weight-security and takeover-understanding is ever stored"),
    ("rsp", "no model above 20% on replication and above 10% on deception or beyond 4e25 FLOP is ever trained"),
    ("rsp", "training needs weight-security or takeover-understanding and the countersignature of auditor"),
    ("rsp", "every model that is released was tested on bio-assistance"),
    ("rsp", "a crossing of replication always stops training"),
    ("rsp", "some model below 20% on replication can be deployed"),
    ("regime", "no model above 10% on replication is ever trained without the approval of licensing-office"),
]


@pytest.mark.parametrize(("name", "sentence"), AMBIGUOUS, ids=[sentence for _, sentence in AMBIGUOUS])
def test_an_ambiguous_sentence_is_refused_with_sentences_that_mean_one_thing(name: str, sentence: str) -> None:
    kernels = [policy(name)]
    with pytest.raises(AmbiguousError):
        bind(sentence, kernels)
    ways = readings(sentence, kernels)
    assert len(ways) >= 2
    meanings = {check(bind(way, kernels), kernels, BOTH).means for way in ways}
    assert len(meanings) == len(ways)


def test_the_readings_are_those_that_were_agreed_on() -> None:
    lines = []
    for name, sentence in AMBIGUOUS:
        with pytest.raises(AmbiguousError) as caught:
            bind(sentence, [policy(name)])
        lines += [f"{sentence}", f"  because {caught.value}"]
        lines += [f"  - {way}" for way in readings(sentence, [policy(name)])]
    assert "\n".join(lines) + "\n" == GOLDEN.read_text("utf-8")


def test_the_stronger_reading_entails_the_other() -> None:
    """A bare `above` in `no model above` is read as `that may be above`: whoever proves that has proved both."""
    bare = f"{BINDS}no model above 20% on replication is ever deployed to partners without weight-security"
    assert checked("rsp", bare).means == checked("rsp", bare.replace("above", "that may be above")).means
    assert checked("rsp", bare).true
    assert checked("rsp", bare.replace("above", "shown above")).true


UNCLEAR = [
    ("", "ends too early"),
    ("models are safe", "not expected"),
    ("no model above 20 on replication is ever trained", "not expected"),
    ("no model above 20% on autonomy is ever trained", "no evaluation `autonomy`"),
    ("no model above 20% on takeover-understanding is ever trained", "is a hole"),
    ("no model is ever trained without vault", "no safeguard or hole `vault`"),
    ("no model is ever trained without deception", "is an evaluation"),
    ("no model is ever trained without x attested by nobody", "no role `nobody`"),
    ("training needs the approval of auditor for exception:rival", "no approval by auditor"),
    ("nothing is ever deployed to partners in the context desk", "no context `desk`"),
    ("nothing but an outside body can lift the hold vault", "no commitment `vault`"),
    ("a crossing of deception always stops training", "draws a line"),
    ("some model can be trained without rival-saef attested by auditor", "no statement by auditor called"),
    (f"{BINDS}nothing but an outside body can lift the hold takeover-line", "wherever it binds"),
    ("nothing is ever trained in the context partner-desk", "is one of what is deployed to partners"),
    ("nothing is ever deployed in any way in the context partner-desk", "is one of what is deployed to partners"),
    ("nothing is ever deployed to partners in the context partner-desk or deployed over the API", "of one thing"),
    ("nothing is ever deployed to partners or deployed over the API in the context partner-desk", "of one thing"),
    ("no model is ever trained tomorrow", "not expected"),
    ("nothing is ever trained and released", "not expected"),
    ("every model that is released is safe", "not expected"),
    (f"no model {'(' * 400} is ever trained", "parentheses are open"),
    ("no model " * 200, "more than 1000"),
]


@pytest.mark.parametrize(("sentence", "message"), UNCLEAR, ids=[sentence[:60] or "nothing" for sentence, _ in UNCLEAR])
def test_what_is_no_sentence_of_the_language_is_refused(sentence: str, message: str) -> None:
    with pytest.raises(UnclearError, match=message):
        bind(sentence, [policy("rsp")])


def test_a_name_that_means_two_things_is_refused() -> None:
    """The lab's auditor and the regime's institute measure the same items, and do not count the same results."""
    with pytest.raises(UnclearError, match="not the same in every policy"):
        bind("no model above 20% on replication is ever trained", [policy("rsp"), policy("regime")])


def test_safeguards_and_roles_of_one_name_are_one_thing_or_refused() -> None:
    text = (EXAMPLES / "rsp.yaml").read_text("utf-8")
    other = load(text.replace("red-team-theft > 0 of 3", "red-team-theft > 2 of 3"), "other")
    with pytest.raises(UnclearError, match="`weight-security` is not the same in every policy"):
        bind("nothing is ever trained without weight-security", [policy("rsp"), other])
    laxer = load(text.replace("board: {quorum: 2 of 3, ", "board: {"), "laxer")
    with pytest.raises(UnclearError, match="`board` is not the same in every policy"):
        bind("training needs the approval of board", [policy("rsp"), laxer])
    assert bind("nothing is ever trained without weight-security", [policy("rsp"), laxer])
    later = load(text.replace("no result, stop: at 6x or 4 months", "no result, stop: at 6x or 9 months", 1), "later")
    with pytest.raises(UnclearError, match="`replication` is not the same in every policy"):
        bind("every model that is trained was measured on replication", [policy("rsp"), later])


def test_an_encoding_does_not_say_who_lifts_its_holds() -> None:
    with pytest.raises(UnclearError, match="does not say who may amend"):
        bind("nothing but an outside body can lift the hold stop", [policy("fli-letter")])


def test_bare_words_are_refused_where_the_policy_shows_no_dangerous_side() -> None:
    """Whether high or low is feared of an evaluation that no condition reads, nobody can say."""
    text = (EXAMPLES / "rsp.yaml").read_text("utf-8")
    text = text.replace("    unless shown: error-repair <= 30%\n", "    unless shown: replication <= 19%\n")
    with pytest.raises(AmbiguousError):
        bind("no model above 20% on error-repair is ever trained", [load(text, "unread")])


def test_what_was_proved_can_be_read_in_one_way() -> None:
    found = checked("rsp", f"{BINDS}no model without weight-security and above 20% on replication is ever trained")
    assert found.means.endswith("((it is not so that weight-security is shown) and replication may be above 20%)")


def test_the_scaffolds_of_a_condition_stand_in_what_was_proved() -> None:
    tail = "under every scaffold of the context"
    found = checked(
        "rsp", f"nothing is ever deployed to partners without being shown at most 20% on replication {tail}"
    )
    assert found.means.endswith(f"replication is shown at most 20% {tail}")


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("scalegate: claims/v1\npolicy: x\nclaims: {nothing is ever trained: maybe}", "P205", 3),
        ("scalegate: claims/v1\npolicy: x\nclaims: [a]", "P203", 3),
        ("scalegate: claims/v1\nclaims: {nothing is ever trained: true}\nclaim: {}", "P201", 3),
        ("scalegate: claims/v1\npolicy: x\nclaims: {}", "P204", 3),
        ("scalegate: claims/v1\nclaims: {models are safe: true}", "C201", 2),
        ("scalegate: claims/v1\nclaims:\n  nothing is ever deployed: true", "C202", 3),
    ],
)
def test_a_file_that_is_none_is_refused_at_its_place(text: str, code: str, line: int) -> None:
    with pytest.raises(DiagnosticError) as caught:
        bound_claims(read_claims(text, "c.yaml").claims, [policy("stop")], text, "c.yaml")
    first = caught.value.diagnostics[0]
    assert (first.code, first.span and first.span.line) == (code, line)


def test_the_place_of_a_fault_is_exact_whatever_the_white_space() -> None:
    text = "scalegate: claims/v1\nclaims:\n  'nothing   is ever    deployed': true"
    with pytest.raises(DiagnosticError) as caught:
        bound_claims(read_claims(text, "c.yaml").claims, [policy("stop")], text, "c.yaml")
    span = caught.value.diagnostics[0].span
    assert span is not None
    assert text.splitlines()[2][span.column - 1 : span.end_column - 1] == "deployed"


# ---------------------------------------------------------------- the page


def block(kind: str) -> list[str]:
    page = (ROOT / "docs" / "claims.md").read_text("utf-8")
    return page.split(f"```text {kind}\n", 1)[1].split("```", 1)[0].splitlines()


@pytest.mark.parametrize("sentence", block("claims"))
def test_every_sentence_of_the_page_means_one_thing(sentence: str) -> None:
    assert bind(sentence, [policy("rsp")]).sentence.text == sentence


@pytest.mark.parametrize("sentence", block("refused"))
def test_every_sentence_that_the_page_refuses_is_ambiguous(sentence: str) -> None:
    with pytest.raises(AmbiguousError):
        bind(sentence, [policy("rsp")])
    assert len(readings(sentence, [policy("rsp")])) > 1


@pytest.mark.parametrize("clause", block("clauses"))
def test_every_clause_of_the_page_is_one(clause: str) -> None:
    assert bench("rsp").situation([clause])

"""What a difference must not pass over, and what a verdict must not promise: found by review."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from scalegate.core.duties import Declared, EventName, LegalText, Obligation, Provenance
from scalegate.core.kernel import Context, Kernel, PolicyKind
from scalegate.core.terms import Hole
from scalegate.prove.amendment import check, document
from scalegate.prove.compare import Solvers
from scalegate.prove.deep import examine
from scalegate.prove.diff import Diff, diff
from scalegate.prove.permits import Reading
from scalegate.prove.verdict import Verdict, verdicts
from tests.prove.policies import BOTH, line, policy

OUTSIDE = "{approved by: [auditor], notice: 30 days}"
PLAIN = "unless shown: autonomy <= 20% | once crossed, resume only if shown: "


def _weakened(found: Diff) -> set[str]:
    return {change.part for change in found.changes if change.kind == "weakened"}


# ---------------------------------------------------------------- what stands beside a hole


@pytest.mark.parametrize("left", ["motives", "deception < 90% and motives"])
def test_what_stands_beside_a_hole_is_held_once_the_hole_is_filled(left: str):
    """Today neither text ever releases; filled by the same approvers, the new one asks for less."""
    old, new = (policy(line(PLAIN + words)) for words in ("deception < 10% and motives", left))
    found = diff(old, new, BOTH)
    assert found.weakens is True
    assert _weakened(found) == {"commitment autonomy-line"}
    (change,) = (item for item in found.changes if item.kind == "weakened")
    assert change.filled
    assert change.witness is not None


def test_a_stop_that_becomes_a_hole_is_weakened():
    old, new = policy(line("unless shown: autonomy <= 20% | once crossed: never")), policy(line(f"{PLAIN}motives"))
    assert _weakened(diff(old, new, BOTH)) == {"commitment autonomy-line"}


def test_a_hole_of_another_name_is_another_hole():
    """The same words under a new name, to be filled by whom the author likes."""
    old = policy(line(f"{PLAIN}motives"))
    hole = replace(old.holes["motives"], name="insight", filled_only_by=("developer",))
    terms = tuple(Hole("insight") if term == Hole("motives") else term for term in old.terms)
    new = replace(old, terms=terms, holes={**old.holes, "insight": hole})
    assert terms != old.terms
    assert _weakened(diff(old, new, BOTH)) == {"commitment autonomy-line"}


def test_a_hole_more_is_no_weakening():
    old, new = (policy(line(PLAIN + words)) for words in ("weight-security", "weight-security and motives"))
    found = diff(old, new, BOTH)
    assert found.weakens is False


def test_what_a_hole_hides_is_replayed_without_a_solver():
    old, new = (policy(line(PLAIN + words)) for words in ("deception < 10% and motives", "motives"))
    data = document(diff(old, new, BOTH), old, new)
    checked = check(data, old, new)
    assert checked.wrong == ()
    assert checked.replayed > 0
    shown = next(item for item in data["changes"] if item["filled"])  # type: ignore[union-attr,index,call-overload]
    shown["filled"] = False  # type: ignore[index,call-overload]
    assert check(data, old, new).wrong


# ---------------------------------------------------------------- what no situation shows


def _base() -> Kernel:
    kernel = policy(line(f"{PLAIN}weight-security"))
    yearly = Obligation(
        "report", "publish", None, 86_400 * 90, (), EventName("published", "auditor"), "must", (), Provenance(),
        kernel.span,
    )  # fmt: skip
    declared = {
        "notice": Declared("notice", "staff is told", "must", "4x", Provenance(), kernel.span),
        "drills": Declared("drills", "stops are rehearsed", "aim", "", Provenance(), kernel.span),
    }
    law = LegalText("An act", "2026", None, "us-ca", "act@sha256:" + "a" * 64, kernel.span)
    duties = replace(kernel.duties, obligations={"report": yearly}, declares=declared, law=law)
    desk = Context("desk", "deploy.partners", None, True, kernel.span)
    return replace(kernel, duties=duties, contexts={"desk": desk}, capabilities={"replication": "autonomy"})


def _declares(kernel: Kernel, **changes: Declared | None) -> Kernel:
    left = {key: item for key, item in {**kernel.duties.declares, **changes}.items() if item is not None}
    return replace(kernel, duties=replace(kernel.duties, declares=left))


BASE = _base()
LAW = BASE.duties.law
NOTICE, DRILLS = BASE.duties.declares["notice"], BASE.duties.declares["drills"]
CHANGED = {
    "a practice is dropped": (_declares(BASE, notice=None), {"practice notice"}),
    "a practice is only aimed at": (_declares(BASE, notice=replace(NOTICE, modality="aim")), {"practice notice"}),
    "an aim is dropped": (_declares(BASE, drills=None), set()),
    "a fear is forgotten": (replace(BASE, capabilities={}), {"capability replication"}),
    "what runs goes on": (
        replace(BASE, contexts={"desk": replace(BASE.contexts["desk"], withdraws=False)}), {"context desk"}
    ),
    "a new context goes on": (
        replace(BASE, contexts={**BASE.contexts, "two": replace(BASE.contexts["desk"], name="two", withdraws=False)}),
        {"context two"},
    ),
    "periods begin anew": (replace(BASE, effective=BASE.effective + 86_400), {"effective"}),
    "another issuer": (replace(BASE, issuer="acme-two"), {"issuer"}),
    "another kind": (replace(BASE, kind="regime"), {"kind"}),
    "a law that nobody can tell": (
        replace(BASE, duties=replace(BASE.duties, law=replace(LAW, text=None))), {"legal text"}  # type: ignore[type-var]
    ),
    "no law": (replace(BASE, duties=replace(BASE.duties, law=None)), {"legal text"}),
    "a later review": (
        replace(BASE, holes={"motives": replace(BASE.holes["motives"], review_by=2**31)}), {"hole motives"}
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGED)
def test_what_no_situation_shows_is_told(name: str):
    new, expected = CHANGED[name]
    found = diff(BASE, new, BOTH)
    assert _weakened(found) == expected
    assert found.changes
    back = diff(new, BASE, BOTH)
    mutual = {"another issuer", "another kind"}
    assert back.weakens is (name in mutual)


def test_what_nobody_read_of_a_practice_is_not_said_to_be_dropped():
    new = _declares(BASE, notice=None)
    unread = replace(new, duties=replace(new.duties, unread=("declares.notice",)))
    found = diff(BASE, unread, BOTH)
    assert found.weakens is None
    assert any(change.part == "practice notice" and change.kind == "undecided" for change in found.changes)


def test_a_difference_that_needs_what_nobody_read_is_no_proof():
    new = replace(BASE, duties=replace(BASE.duties, unread=("commitments",)))
    found = diff(BASE, new, BOTH)
    assert found.weakens is None


def test_an_aim_counts_where_aims_are_asked_about():
    new = _declares(BASE, drills=None)
    assert _weakened(diff(BASE, new, BOTH, Reading(weakest="aim"))) == {"practice drills"}


# ---------------------------------------------------------------- verdicts


def _only(kernel: Kernel) -> Verdict:
    (found,) = verdicts(kernel, BOTH)
    return found


def _reference(kernel: Kernel, unsettled: str = "discretion") -> Kernel:
    kind: PolicyKind = "reference"
    commitments = tuple(replace(item, unsettled=unsettled) for item in kernel.commitments)  # type: ignore[arg-type]
    return replace(kernel, kind=kind, commitments=commitments)


@pytest.mark.parametrize("unsettled", ["discretion", "permit"])
def test_what_lets_the_unknown_pass_needs_nobody_from_outside(unsettled: str):
    text = policy(line("unless shown: attested all-is-well by auditor | once crossed: never"), amendments=OUTSIDE)
    assert _only(text).outside_only
    found = _only(_reference(text, unsettled))
    assert not found.outside_only
    assert {way.path for way in found.ways if way.alone} == {"evidence"}


def test_a_denial_by_somebody_outside_is_no_word_of_the_developer():
    text = line(f"{PLAIN}not attested danger by auditor")
    assert _only(policy(text, amendments=OUTSIDE)).outside_only


def test_a_hole_of_the_developers_beside_what_only_others_can_show_lifts_nothing():
    both = policy(line(f"{PLAIN}weight-security and motives"), fillers="[board]", amendments=OUTSIDE)
    assert _only(both).outside_only
    alone = policy(line(f"{PLAIN}published and motives"), fillers="[board]", amendments=OUTSIDE)
    assert {way.path for way in _only(alone).ways if way.alone} == {"fill"}


def test_publication_is_the_word_of_anybody():
    assert not _only(policy(line(f"{PLAIN}published"), amendments=OUTSIDE)).outside_only


@pytest.mark.parametrize(
    ("what", "outside"),
    [
        ("at least 1 of (approved by board, approved by auditor)", False),
        ("at least 2 of (approved by board, published, approved by auditor)", False),
        ("at least 2 of (approved by board, weight-security, approved by auditor)", True),
        ("elapsed 6 months since pause-announced by regulator", True),
        ("elapsed 6 months since pause-announced by developer", False),
        ("after 2027-01-01", False),
    ],
)
def test_who_is_needed_is_counted_as_the_gate_counts(what: str, *, outside: bool):
    assert _only(policy(line(PLAIN + what), amendments=OUTSIDE)).outside_only is outside


# ---------------------------------------------------------------- who cannot tell says so


class _Unsure:
    """A solver that never decides."""

    name, version = "unsure", "0"

    def run(self, script: str, after: Mapping[str, str], limit: int) -> str:
        """Return that nothing is known of a script."""
        return "unknown" if script and limit and after is not None else ""


def test_what_no_solver_decides_is_not_proved():
    kernel = policy(line(f"{PLAIN}weight-security", hold="[deploy]"))
    found = examine(kernel, Solvers(_Unsure()))
    flaws = [(item.flaw, item.commitment) for item in found.defects]
    assert flaws.count(("undecided", "autonomy-line")) == 2
    assert ("undecided", "") in flaws
    assert {item.flaw for item in found.defects} == {"undecided"}
    assert found.verdicts[0].before == "undecided"
    assert not found.verdicts[0].outside_only


def test_a_difference_that_no_solver_decides_is_undecided():
    old, new = (policy(line(f"{PLAIN}autonomy <= {bound}")) for bound in ("30%", "40%"))
    found = diff(old, new, Solvers(_Unsure()))
    assert found.weakens is None

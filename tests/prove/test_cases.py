"""Cases of a policy: what is as expected, what is not, what no case shows, and files that are none."""

from pathlib import Path

import pytest

from scalegate.core.diagnostic import DiagnosticError
from scalegate.policy import load
from scalegate.prove.cases.case import Bench, Covered, Tried
from scalegate.prove.cases.file import bind, read_cases

POLICIES = Path(__file__).resolve().parents[2] / "examples" / "policies"
CASES = POLICIES / "cases" / "rsp.yaml"
RSP = Bench(load((POLICIES / "rsp.yaml").read_text("utf-8"), "rsp"))


def tried(text: str, bench: Bench = RSP) -> tuple[Tried, ...]:
    cases = read_cases(text, "c.yaml")
    return tuple(bench.try_(case, values) for case, values in bind(text, "c.yaml", cases, bench))


def one(body: str) -> Tried:
    """The result of a file with one case."""
    (found,) = tried(f"scalegate: cases/v1\ncases:\n  it:\n    {body}\n")
    return found


EXAMPLE = tried(CASES.read_text("utf-8"))


@pytest.mark.parametrize("item", EXAMPLE, ids=[item.case.name for item in EXAMPLE])
def test_every_example_case_is_as_expected_by_the_whole_gate(item: Tried) -> None:
    assert (item.wrong, item.unasked) == ((), "")


def test_a_permit_by_a_way_out_is_no_permit_of_the_policy() -> None:
    """Below the scope, or by an exception, a case passes only where it says so."""

    def asked(clauses: str, because: str = "") -> Tried:
        return one(f"{{situation: [{clauses}], ask: train, expect: permit{because}}}")

    small = "the action would reach 1 FLOP"
    assert [word for word in asked(small).wrong if "nothing binds there" in word]
    assert asked(small, ", because: {takeover-line: below scope}").wrong == ()
    rival = (
        "replication may be as high as 25%, deception may be as high as 12%, the exception rival is invoked, "
        "auditor attests rival-without-safeguards, board approves exception:rival, exception:rival is published"
    )
    assert [word for word in asked(rival).wrong if "exception rival" in word]
    assert asked(rival, ", because: {replication-line: exception rival}").wrong == ()


def test_a_file_without_a_case_is_refused() -> None:
    with pytest.raises(DiagnosticError, match="there is no case"):
        read_cases("scalegate: cases/v1\ncases: {}\n", "c.yaml")


def test_the_example_shows_every_outcome() -> None:
    assert len(EXAMPLE) >= 20
    assert {item.commitment for item in RSP.coverage(EXAMPLE) if item.unseen} == set()


def test_what_is_never_shown_is_listed() -> None:
    """The hole of `takeover-line` can never release it, `scaffold-line` has no exception: neither is asked for."""
    alone = RSP.coverage([item for item in EXAMPLE if item.case.name == "silence on both holds twice"])
    assert {item.commitment: (item.seen, item.unseen) for item in alone} == {
        "replication-line": (("held",), ("shown", "resumption", "exception", "below scope")),
        "replication-use": ((), ("held", "shown", "resumption", "below scope")),
        "takeover-line": (("held",), ("shown", "below scope")),
        "biology-line": ((), ("held", "shown", "resumption", "below scope")),
        "open-weights": ((), ("held", "shown", "below scope")),
        "scaffold-line": ((), ("held", "shown", "resumption", "below scope")),
        "capability.cyber-offense": ((), ("held", "below scope")),
    }


def test_coverage_of_a_stop_asks_for_no_release() -> None:
    bench = Bench(load((POLICIES / "stop.yaml").read_text("utf-8"), "stop"))
    assert bench.coverage([]) == (Covered("stop", (), ("held",)),)


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ("{ask: train, expect: hold, because: [takeover-line]}", ("expected a hold, and it is a permit",)),
        (
            "{situation: [no result on replication counts], ask: train, expect: permit}",
            ("expected a permit, and it is a hold by `takeover-line`",),
        ),
        (
            "{situation: [no result on replication counts], ask: train, expect: hold, because: [replication-line]}",
            ("expected `replication-line` to hold as well", "`takeover-line` holds too"),
        ),
        (
            "{ask: train, expect: permit, because: {replication-line: resumption}}",
            ("expected replication-line to be released by `resumption`, and it is `shown`",),
        ),
        (
            "{situation: replication may be as high as 60%, expect: hold, ask: train, because: [takeover-line: stale]}",
            ("expected takeover-line to hold for `stale`, and the gate says `crossed` and `hole`",),
        ),
        (
            "{ask: train, expect: permit, because: {biology-line: shown}}",
            ("expected biology-line to be released by `shown`, and it is `not asked`",),
        ),
    ],
)
def test_what_is_not_as_expected_is_said(body: str, wrong: tuple[str, ...]) -> None:
    assert one(body).wrong == wrong


HEAD = "scalegate: cases/v1\ncases:\n"
OTHER_SCALE = """\
  a:
    situation:
      - replication was measured at 2e25 FLOP
    ask: train to 1e25 FLOP
    expect: permit
"""


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("", "P202", 1),
        ("scalegate: policy/v1\ncases: {}", "P208", 1),
        ("cases: {}", "P202", 1),
        ("scalegate: cases/v1\ncases: [a]", "P203", 2),
        (f"{HEAD}  a: {{ask: train}}", "P202", 3),
        (f"{HEAD}  a: {{ask: train, expect: hold}}", "P202", 3),
        (f"{HEAD}  a: {{ask: train, expect: maybe}}", "P205", 3),
        (f"{HEAD}  a: {{ask: train, expect: permit, expects: hold}}", "P201", 3),
        (f"{HEAD}  a: {{ask: train, expect: permit}}\n  a: {{ask: train, expect: permit}}", "P108", 4),
        (f"{HEAD}  a: {{ask: trains, expect: permit}}", "P403", 3),
        (f"{HEAD}  a: {{ask: train at once, expect: permit}}", "P301", 3),
        (f"{HEAD}  a: {{ask: train to many FLOP, expect: permit}}", "P308", 3),
        (f"{HEAD}  a: {{ask: deploy.partners in desk, expect: permit}}", "P401", 3),
        (f"{HEAD}  a: {{ask: deploy.api in partner-desk, expect: permit}}", "P401", 3),
        (f"{HEAD}  a: {{ask: train, expect: hold, because: [rule]}}", "P401", 3),
        (f"{HEAD}  a: {{ask: train, expect: hold, because: [bio, bio]}}", "P209", 3),
        (f"{HEAD}  a: {{ask: train, expect: hold, because: {{open-weights: bad}}}}", "P205", 3),
        (f"{HEAD}  a: {{ask: train, expect: permit, because: [open-weights]}}", "P202", 3),
        (f"{HEAD}  a:\n    situation: [all is well]\n    ask: train\n    expect: permit", "C101", 4),
        (f"{HEAD}  a:\n    situation:\n      - &x weight-security is shown\n", "P105", 5),
        (f"{HEAD}{OTHER_SCALE}", "C101", 6),
    ],
)
def test_a_file_that_is_none_is_refused_at_its_place(text: str, code: str, line: int) -> None:
    with pytest.raises(DiagnosticError) as caught:
        tried(text)
    first = caught.value.diagnostics[0]
    assert (first.code, first.span and first.span.line) == (code, line)

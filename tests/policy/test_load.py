"""What policy texts mean: their kernels, part by part."""

from fractions import Fraction

import pytest

from scalegate.core import actions, kernel, terms
from scalegate.core.canonical import digest, digest_bytes
from scalegate.core.diagnostic import DiagnosticError
from scalegate.core.kernel import All, AnyOf, AtLeast, Compare, Constant, Kernel, Not, Validity
from scalegate.core.quantities import DAY, MONTH, YEAR, instant
from scalegate.policy import check, load

HEX = "ab" * 32
HEAD = """scalegate: policy/v1
id: acme-rsp
version: 1.20
issuer: acme
effective: 2026-01-01
"""
ROLES = """roles:
  developer: {}
  auditor: {independent of: [developer]}
  board: {quorum: 2 of 3, members: [ada, ben, cy]}
"""
EVALUATION = f"""  bio:
    kind: capability
    test: bank@sha256:{HEX}
    score: success rate
"""
HOLE = """  insight:
    kind: understanding
    hole: nobody knows
    owner: alignment-team
    filled only by: [board, auditor]
    review by: 2027-06-01
"""
SAFEGUARD = f"""safeguards:
  vault: {{means: controls@sha256:{HEX}, because: case@sha256:{HEX}, stops: thieves, by: auditor,
          fails if: [red-team > 0 of 3, leak >= 2 of 9], valid for: {{time: 12 months}}}}
"""


def policy(
    unless: str = "bio <= 20%",
    resume: str = "never",
    *,
    hold: str = "train",
    evaluation: str = EVALUATION,
    extra: str = "",
) -> str:
    """A policy of one commitment; `resume` is the condition that ends its hold."""
    ends = "once crossed: never" if resume == "never" else f"once crossed, resume only if shown: {resume}"
    return (
        f"{HEAD}{extra}{ROLES}evaluations:\n{evaluation}{HOLE}{SAFEGUARD}"
        f"commitments:\n  stop:\n    hold: {hold}\n    unless shown: {unless}\n    {ends}\n"
    )


def until(words: str, fills: dict[str, str] | None = None) -> tuple[Kernel, kernel.Condition]:
    """The kernel and resumption of a policy that resumes under these words."""
    found = load(policy(resume=words), fills=fills)
    return found, found.commitments[0].until


def leaf(words: str) -> tuple[terms.Term, bool, bool, Fraction]:
    """The one comparison that words stand for."""
    found, condition = until(words)
    assert isinstance(condition, Compare)
    constant = Fraction(condition.num, condition.den)
    return found.terms[condition.term], condition.above, condition.edge, constant


@pytest.mark.parametrize(
    ("words", "above", "edge", "value"),
    [
        ("bio <= 20%", False, False, Fraction(1, 5)),
        ("bio < 20%", False, True, Fraction(1, 5)),
        ("bio >= 0.2", True, True, Fraction(1, 5)),
        ("bio > 1 in 5", True, False, Fraction(1, 5)),
        ("bio > 3/20", True, False, Fraction(3, 20)),
        ("bio > 12.5%", True, False, Fraction(1, 8)),
        ("bio > 0", True, False, Fraction(0)),
        ("bio < 1.0", False, True, Fraction(1)),
        ("bio < 1e-3", False, True, Fraction(1, 1000)),
    ],
)
def test_comparisons_are_exact(words: str, above: bool, edge: bool, value: Fraction) -> None:  # noqa: FBT001
    assert leaf(words) == (terms.Measure("bio", "until"), above, edge, value)


@pytest.mark.parametrize(
    ("words", "term"),
    [
        ("vault", terms.Shown("vault")),
        ("insight", terms.Hole("insight")),
        ("published", terms.Published("commitment:stop")),
        ("approved by board", terms.Approved("commitment:stop", "board")),
        ("attested calm by auditor", terms.Attested("calm", "auditor")),
    ],
)
def test_what_is_said_without_a_number_is_at_least_one(words: str, term: terms.Term) -> None:
    assert leaf(words) == (term, True, True, Fraction(1))


def test_compute_and_calendar_are_whole_numbers() -> None:
    assert leaf("effective compute > 4e25 FLOP") == (terms.Compute(), True, False, Fraction(4 * 10**25))
    assert leaf("effective compute < 5") == (terms.Compute(), False, True, Fraction(5))
    day = Fraction(instant("2027-01-01"))
    assert leaf("after 2027-01-01") == (terms.Clock(), True, False, day)
    assert leaf("before 2027-01-01T00:00:00Z") == (terms.Clock(), False, True, day)


def test_every_scaffold_is_a_term_of_its_own() -> None:
    found, condition = until("bio <= 5% and bio <= 20% under every scaffold of the context")
    assert isinstance(condition, All)
    compared = [found.terms[part.term] for part in condition.parts if isinstance(part, Compare)]
    assert compared == [terms.Measure("bio", "until"), terms.Measure("bio", "until", every_scaffold=True)]


def test_connectives() -> None:
    _, condition = until("(bio <= 5% or not vault) and at least 2 of (vault, published, never)")
    assert isinstance(condition, All)
    either, some = condition.parts
    assert isinstance(either, AnyOf)
    assert isinstance(either.parts[1], Not)
    assert isinstance(some, AtLeast)
    assert (some.count, len(some.parts)) == (2, 3)


def test_a_commitment_holds_unless_its_trigger_is_refuted() -> None:
    found = load(policy("bio <= 20%", "bio <= 10%"))
    stop = found.commitments[0]
    assert isinstance(stop.when, Not)
    assert isinstance(stop.when.part, Compare)
    assert found.terms[stop.when.part.term] == terms.Measure("bio", "when")
    assert isinstance(stop.until, Compare)
    assert found.terms[stop.until.term] == terms.Measure("bio", "until")
    assert stop.declared_stop is False


def test_a_declared_stop_is_no_fault() -> None:
    text = policy("never").replace("    once crossed: never\n", "").replace(HEAD, HEAD + "scope: everything\n")
    text = text.replace(EVALUATION, EVALUATION + "    valid for: {time: 1 day}\n")
    stop = load(text).commitments[0]
    assert check(text) == ()
    assert stop.declared_stop is True
    assert isinstance(stop.until, Constant)
    assert stop.until.proven is False


def test_a_pause_until_a_day_is_no_stop() -> None:
    assert load(policy("never", "after 2027-01-01")).commitments[0].declared_stop is False


def test_holds_cover_what_is_harder_to_undo() -> None:
    stop = load(policy(hold="[train, deploy.api]")).commitments[0]
    assert stop.hold == ("train", "deploy.api")
    assert stop.actions == {"train", "train.new-scale", "deploy.api", "deploy.finetuning", "release.weights"}
    every = load(policy(hold="everything")).commitments[0].actions
    assert not every & {*actions.UNHOLDABLE, actions.MITIGATION}


def test_the_head() -> None:
    found = load(policy(extra="scope: effective compute > 1e24\nteachers: do not count\nmitigation: {at most: 2%}\n"))
    assert (found.id, found.version, found.issuer, found.kind) == ("acme-rsp", "1.20", "acme", "policy")
    assert found.effective == instant("2026-01-01")
    assert found.teachers_count is False
    assert found.mitigation_cap == Fraction(1, 50)
    assert found.elicitation_allowance == Fraction(1, 100)
    assert isinstance(found.scope, Compare)
    assert found.roles["board"] == kernel.Role("board", 2, 3, ("ada", "ben", "cy"))
    assert found.roles["auditor"].independent_of == ("developer",)


def test_the_digest_is_that_of_the_text() -> None:
    assert load(policy()).digest == digest_bytes(policy().encode())


def test_a_regime_binds_every_developer() -> None:
    found = load(policy(extra="kind: regime\nbinds: every developer above 1e25 FLOP\n"))
    assert found.binds_every_developer is True
    assert isinstance(found.scope, Compare)
    assert (found.scope.above, found.scope.edge, found.scope.num) == (True, False, 10**25)
    everyone = load(policy(extra="kind: regime\nbinds: every developer\n"))
    assert isinstance(everyone.scope, Constant)
    assert everyone.scope.proven is True


def test_without_scope_everything_is_bound() -> None:
    found = load(policy())
    assert isinstance(found.scope, Constant)
    assert found.scope.proven is True
    assert "W501" in {item.code for item in check(policy())}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("", Validity()),
        (
            (
                "    due: at 4x effective compute or 3 months, whichever is first\n"
                "    no result, stop: at 6x or 4 months\n"
            ),
            Validity(Fraction(4), 3 * MONTH, Fraction(6), 4 * MONTH, exact=False, training=True),
        ),
        ("    due: at 4x\n", Validity(Fraction(4), None, Fraction(4), None, exact=False, training=True)),
        (
            "    due: at 4x\n    no result, stop: at 5x or 1 year\n",
            Validity(Fraction(4), YEAR, Fraction(5), YEAR, exact=False, training=True),
        ),
        (
            "    due: at 4x or 30 days\n    no result, stop: at 5.5x\n",
            Validity(Fraction(4), MONTH, Fraction(11, 2), MONTH, exact=False, training=True),
        ),
        (
            "    valid for: {system: this exact one, time: 6 months}\n",
            Validity(None, 6 * MONTH, None, 6 * MONTH, exact=True, training=True),
        ),
        ("    valid for: {time: 1 week}\n", Validity(None, 7 * DAY, None, 7 * DAY, exact=True, training=True)),
        (
            "    valid for: {compute: 4x, time: 3 months}\n",
            Validity(Fraction(4), 3 * MONTH, Fraction(4), 3 * MONTH, exact=False, training=True),
        ),
    ],
)
def test_how_long_evidence_holds(words: str, expected: Validity) -> None:
    assert load(policy(evaluation=EVALUATION + words)).evaluations["bio"].validity == expected


def test_an_evaluation_with_everything() -> None:
    words = EVALUATION.replace("success rate", "tasks solved in at least 2 of 10 tries") + (
        "    elicited by: [prompting, scaffolds]\n    by: auditor\n    reach: issuer\n"
        "    hidden capability: {spike-in recovered: at least 80%}\n"
        "    shown to work by: {known positives flagged: at least 19 of 20}\n"
        "    wrongly cleared at most: 1 in 1000\n    wrongly stopped at most: 2%\n"
        "    believable only if: {gaming is excluded: attested by auditor, expires: 6 months}\n"
        "    accept: [aggregate, edited scores, earlier runs]\n    refuse provenance: [dirty revision]\n"
    )
    bio = load(policy(evaluation=words)).evaluations["bio"]
    assert bio.score == kernel.ScoreRule("tasks solved in at least 2 of 10 tries", 2, 10)
    assert (bio.wrongly_cleared, bio.wrongly_stopped) == (Fraction(1, 1000), Fraction(1, 50))
    assert [(item.name, item.rate) for item in bio.hidden_capability] == [("spike-in recovered", Fraction(4, 5))]
    assert [(item.least, item.trials, item.rate) for item in bio.shown_to_work] == [(19, 20, None)]
    belief = bio.beliefs[0]
    assert (belief.claim, belief.role, belief.expires) == ("gaming is excluded", "auditor", 6 * MONTH)
    assert bio.accept_aggregate
    assert bio.accept_edited
    assert bio.accept_earlier
    assert bio.reach_issuer
    assert bio.refuse_provenance == ("dirty revision",)
    assert bio.digest == digest(
        {
            "kind": "capability",
            "test": f"bank@sha256:{HEX}",
            "score": {"least": 2, "tries": 10, "text": "tasks solved in at least 2 of 10 tries"},
        }
    )


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ("success rate", (1, 1, False)),
        ("tasks solved in at least 2 of 3 tries", (2, 3, False)),
        ("mean", (1, 1, True)),
        ("mean score", (1, 1, True)),
        ("mean reward in 4 tries", (1, 4, True)),
        ("mean reward in 1 try", (1, 1, True)),
        ("mean of the means in 2 attempts", (1, 2, True)),
        ("mean share of tries solved", (1, 1, True)),
        ("mean score in 3D scenes", (1, 1, True)),
        ("meaning found", (1, 1, False)),  # what starts with another word is words, whatever follows
        ("tasks solved in 4 tries", (1, 1, False)),
        ("share above the mean reward in 4 tries", (1, 1, False)),
    ],
)
def test_what_counts_of_the_tries_of_an_item(words: str, rule: tuple[int, int, bool]) -> None:
    bio = load(policy(evaluation=EVALUATION.replace("success rate", words))).evaluations["bio"]
    assert bio.score == kernel.ScoreRule(words, rule[0], rule[1], mean=rule[2])


def test_a_claim_is_about_what_the_items_stand_for_unless_it_is_about_the_bank() -> None:
    bio = load(policy()).evaluations["bio"]
    assert (bio.estimand, bio.bank, bio.clustered_by) == ("population", 0, "")
    words = EVALUATION + "    estimand: bank  of 300 items\n    clustered by:  source  document\n"
    bio = load(policy(evaluation=words)).evaluations["bio"]
    assert (bio.estimand, bio.bank, bio.clustered_by) == ("bank", 300, "source document")


@pytest.mark.parametrize("size", [2, 9, 10, 999_999, 9_999_999, 10_000_000])
def test_a_bank_holds_as_many_items_as_the_policy_says(size: int) -> None:
    for word in ("item", "items"):
        bio = load(policy(evaluation=EVALUATION + f"    estimand: bank of {size} {word}\n")).evaluations["bio"]
        assert (bio.estimand, bio.bank) == ("bank", size)


@pytest.mark.parametrize(
    ("words", "code", "remedy"),
    [
        ("bank", "P317", "write `bank of N items`: how many items the bank holds is for the policy to say"),
        ("bank of 300", "P317", "write `bank of N items`: how many items the bank holds is for the policy to say"),
        (
            "bank of 10 000 items",
            "P317",
            "write `bank of N items`: how many items the bank holds is for the policy to say",
        ),
        ("bank of 10,000 items", "P317", "write `bank of 10000 items`"),
        ("bank of 10_000 items", "P317", "write `bank of 10000 items`"),
        ("bank of 10000001 items", "P317", "write how many items the bank holds, as in `bank of 300 items`"),
        ("bank of 300.0 items", "P317", "write how many items the bank holds, as in `bank of 300 items`"),
        ("bank of 3e2 items", "P317", "write how many items the bank holds, as in `bank of 300 items`"),
        ("bank of -3 items", "P317", "write how many items the bank holds, as in `bank of 300 items`"),
        ("bank of +3 items", "P317", "write how many items the bank holds, as in `bank of 300 items`"),
        ("bank of 030 items", "P317", "write `bank of 30 items`"),
        ("bank of \u0663\u0660 items", "P317", "write how many items the bank holds, as in `bank of 300 items`"),
        ("bank of f items", "P317", "write how many items the bank holds, as in `bank of 300 items`"),
        (f"bank of {'9' * 4000} items", "P317", "write how many items the bank holds, as in `bank of 300 items`"),
        ("Bank of 300 items", "P205", "did you mean `bank of 300 items`?"),
        ("population of 300 items", "P205", "did you mean `population`?"),
        ("banks of many items", "P205", "did you mean `bank of N items`?"),
        ("300 items", "P205", "write `population` or `bank of N items`"),
    ],
)
def test_a_bank_without_a_size_is_refused(words: str, code: str, remedy: str) -> None:
    found = check(policy(evaluation=EVALUATION + f"    estimand: {words}\n"))
    assert [(item.code, item.severity, item.help) for item in found if item.severity == "error"] == [
        (code, "error", remedy)
    ]


def variable(extra: str = "", score: str = "success rate") -> str | None:
    """The digest of an evaluation with another score, or with more keys."""
    words = EVALUATION.replace("success rate", score) + extra
    return load(policy(evaluation=words)).evaluations["bio"].digest


def test_what_stands_at_its_default_changes_no_digest() -> None:
    """Evidence is filed under this digest: one that was registered before must be found afterwards."""
    assert variable() == "sha256:e7514db8bf227b208896f6615fede66b285429d7db0a47735f330aff980a0787"
    assert variable("    estimand: population\n") == variable()


def test_another_claim_is_another_variable() -> None:
    pinned = {"kind": "capability", "test": f"bank@sha256:{HEX}"}
    rule = {"least": 1, "tries": 1, "text": "success rate"}
    of_bank = {**pinned, "score": rule, "estimand": "bank", "bank": 300}
    assert variable("    estimand: bank of 300 items\n") == digest(of_bank)
    assert variable("    clustered by: document\n") == digest({**pinned, "score": rule, "clustered by": "document"})
    mean = {"least": 1, "tries": 4, "text": "mean reward in 4 tries", "mean": True}
    assert variable(score="mean reward in 4 tries") == digest({**pinned, "score": mean})
    banks = ["    estimand: bank of 300 items\n", "    estimand: bank of 2 items\n"]
    both = "    estimand: bank of 300 items\n    clustered by: document\n"
    keys = ["", *banks, "    clustered by: document\n", "    clustered by: template\n", both]
    told_apart = {variable(extra, score) for extra in keys for score in ("success rate", "mean score")}
    assert len(told_apart) == 2 * len(keys)


def test_blanks_are_holes() -> None:
    text = policy(evaluation=EVALUATION.replace(f"@sha256:{HEX}", ""), extra="capabilities: {feared: {}}\n")
    text = text.replace(f"because: case@sha256:{HEX}, ", "")
    found = load(text)
    assert found.evaluations["bio"].digest is None
    assert found.safeguards["vault"].hole == "no `because` is given"
    assert found.holes["capability.feared"].words == "no test covers this capability"
    held = found.commitments[-1]
    assert (held.id, held.hold) == ("capability.feared", ("everything",))
    assert {"W503", "W504", "W505"} <= {item.code for item in check(text)}


def test_safeguards_count_failures() -> None:
    vault = load(policy()).safeguards["vault"]
    assert [(item.name, item.least, item.trials) for item in vault.fails_if] == [("red-team", 0, 3), ("leak", 1, 9)]
    assert (vault.valid_time, vault.by, vault.hole) == (12 * MONTH, "auditor", None)


def test_a_hole_of_a_capability_holds_what_it_says() -> None:
    extra = "capabilities: {feared: {hole: no test, holds: [release]}, known: {tested by: bio}}\n"
    found = load(policy(extra=extra))
    held = found.commitments[-1]
    assert (held.id, held.actions) == ("capability.feared", {"release.weights"})
    assert isinstance(held.when, Not)
    assert isinstance(held.until, Compare)
    assert found.terms[held.until.term] == terms.Hole("capability.feared")
    assert found.capabilities == {"feared": "capability.feared", "known": "bio"}


# ---------------------------------------------------------------- filling holes


def test_a_filled_hole_is_its_condition_and_nothing_else() -> None:
    found, condition = until("vault and insight", {"insight": "bio <= 1% or vault"})
    assert isinstance(condition, All)
    either = condition.parts[1]
    assert isinstance(either, AnyOf)
    assert either.span.file == "<fill of insight>"
    assert (either.span.line, either.span.column, either.span.end_column) == (1, 1, 19)
    assert found.holes == {}
    assert found.digest == load(policy(resume="vault and insight")).digest


def test_filling_the_hole_of_a_capability_fills_both_sides() -> None:
    text = policy(extra="capabilities: {feared: {hole: no test, holds: [release]}}\n")
    found = load(text, fills={"capability.feared": "bio <= 1%"})
    held = found.commitments[-1]
    assert isinstance(held.when, Not)
    assert isinstance(held.when.part, Compare)
    assert isinstance(held.until, Compare)
    assert found.terms[held.when.part.term] == terms.Measure("bio", "when")
    assert found.terms[held.until.term] == terms.Measure("bio", "until")


@pytest.mark.parametrize(
    ("fills", "code", "file"),
    [
        ({"insigth": "bio <= 1%"}, "P407", "<fill of insigth>"),
        ({"bio": "bio <= 1%"}, "P407", "<fill of bio>"),
        ({"insight": "bio <= 20"}, "P304", "<fill of insight>"),
        ({"insight": "insight"}, "P511", "<fill of insight>"),
        ({"insight": "insight or vault"}, "P501", "<fill of insight>"),
        ({"insight": ""}, "P204", "<fill of insight>"),
        ({"insight": "vault \u202e"}, "P103", "<fill of insight>"),
        ({"insight": "vault and\n\nwault"}, "P401", "<fill of insight>"),
    ],
)
def test_a_fill_is_read_as_strictly_as_the_policy(fills: dict[str, str], code: str, file: str) -> None:
    with pytest.raises(DiagnosticError) as refused:
        until("insight", fills)
    assert [(item.code, item.span.file) for item in refused.value.diagnostics if item.span] == [(code, file)]


def test_two_holes_cannot_fill_each_other() -> None:
    text = policy(resume="insight", extra="capabilities: {feared: {hole: no test}}\n")
    other = HOLE.replace("insight", "foresight")
    text = text.replace(HOLE, HOLE + other)
    with pytest.raises(DiagnosticError) as refused:
        load(text, fills={"insight": "foresight", "foresight": "insight"})
    assert [item.code for item in refused.value.diagnostics] == ["P511"]


def test_an_exception_speaks_of_itself() -> None:
    extra = (
        "exceptions:\n  rival:\n    instead of: stop\n    when: attested ahead by auditor\n"
        "    resume only if shown: bio <= 35%\n    needs: [approved by board, published]\n"
        "    sunset: {each: 30 days, in any 12 months: 60 days}\n"
    )
    found = load(policy(extra=extra))
    rival = found.exceptions[0]
    assert (rival.instead_of, rival.each, rival.total, rival.window) == ("stop", 30 * DAY, 60 * DAY, 12 * MONTH)
    needed = [found.terms[need.term] for need in rival.needs if isinstance(need, Compare)]
    assert needed == [terms.Approved("exception:rival", "board"), terms.Published("exception:rival")]


def test_contexts() -> None:
    extra = (
        "contexts:\n  partner-x: {action: deploy.partners, scaffolds: [bare], withdraw: no}\n"
        "  shop: {action: deploy.api}\n  lab: {action: deploy.internal, scaffolds: any}\n"
    )
    found = load(policy(extra=extra)).contexts
    assert (found["partner-x"].scaffolds, found["partner-x"].withdraws) == (("bare",), False)
    assert (found["shop"].scaffolds, found["shop"].withdraws) == (None, True)
    assert found["lab"].scaffolds is None


def test_all_errors_come_at_once_in_order() -> None:
    text = policy("bio <= 20 and", hold="trane").replace("by: auditor", "by: auditer")
    with pytest.raises(DiagnosticError) as refused:
        load(text, "p.yaml")
    places = [(item.code, item.span.line) for item in refused.value.diagnostics if item.span]
    assert places == [("P402", 22), ("P403", 26), ("P301", 27)]

"""The developer holds the keys of log and gate, and rewrites the log: entries changed, dropped, moved, cut off."""

import shutil
from dataclasses import replace

import pytest

from scalegate.audit.verify import verify
from scalegate.core.canonical import digest_bytes
from scalegate.core.events import (
    DecisionMade,
    PolicyAdopted,
    ResultReported,
    RunRegistered,
    Statement,
    SubjectDeclared,
)
from scalegate.ledger.note import Note, NoteKey, SignatureType, format_note
from scalegate.ledger.trust import parse_trust
from tests.attacks.company import reasons, statements_of
from tests.attacks.insider import ORIGIN
from tests.cli.lab import ADA, DAY, LEA
from tests.ledger.signers import Ed25519Signer, key_of

EXPIRES = ("--expires", "6 months")


@pytest.fixture(scope="module")
def company(found):
    """A passing run and a permit, then a failing run, a hold, and a denial by the auditor."""
    company = found()
    company.init()
    company.measure("r1", 0)
    assert company.gate().code == 0
    company.do("evidence", "attest", "publication", "exception:rival", *EXPIRES, *ADA)
    company.measure("r2", 90)
    company.now += 100
    assert company.gate().code == 1
    company.do("evidence", "attest", "safeguard", "vault", "--denied", *LEA)
    return company


@pytest.fixture(scope="module")
def bundle(company):
    return company.export()


def check_refused(company, insider, *words, code=4, more=()):
    """Publish, verify, and find these words in one of the complaints."""
    said = company.verify(insider.publish(), *more)
    found = reasons(said)
    assert said.code == code, said.out + said.err
    assert any(all(word in item for word in words) for item in found), found


def test_the_honest_export_is_what_an_insider_starts_from(company, insider):
    before = (insider.folder / "checkpoint").read_bytes()
    assert company.verify(insider.publish()).code == 3
    assert before.startswith((insider.folder / "checkpoint").read_bytes())


# ---------------------------------------------------------------- entries changed


def test_rewritten_entry_of_an_auditor(company, insider):
    """He changes the result and signs it with the only keys he has."""
    place = insider.where(ResultReported, run="r2")
    insider.leaves[place] = insider.again(place, by=("Ada Osei",), successes=0, failures=100)
    check_refused(company, insider, f"entry {place} ", "not signed with the key of `Lea Roth`")


def test_rewritten_entry_of_his_own_is_seen_with_an_older_checkpoint(company, insider, bundle):
    """He may say what he likes with his own keys, but not something else to whoever kept a head of the log."""
    place = insider.where(Statement, kind="publication")
    insider.leaves[place] = insider.again(place, expires=0)
    insider.repair()
    insider.publish()
    assert company.verify(insider.folder).code == 3
    assert "its first 11 entries were others" in against(company, insider.folder, bundle)[0]


def test_rewritten_entry_without_a_new_checkpoint(company, insider):
    old = (insider.folder / "checkpoint").read_bytes()
    place = insider.where(Statement, kind="publication")
    insider.leaves[place] = insider.again(place, expires=0)
    insider.publish()
    (insider.folder / "checkpoint").write_bytes(old)
    said = company.verify(insider.folder)
    assert (said.code, "log: the log is not what its checkpoint says" in reasons(said)[0]) == (4, True)


def test_rewritten_entry_before_an_answer(company, insider):
    """The answer names the entry that it was made on."""
    place = insider.where(DecisionMade) - 1
    assert isinstance(insider.events()[place], ResultReported)
    data = insider.leaves.pop(place)
    insider.leaves.insert(place + 1, data)
    check_refused(company, insider, f"entry {place} ", "another history")


def test_dropped_entry_of_an_auditor(company, insider):
    """His next statement has the number after the next."""
    del insider.leaves[insider.where(ResultReported, run="r2")]
    insider.repair()
    check_refused(company, insider, "is statement 5 of `Lea Roth`, and 4 comes next")


def test_dropped_entry_of_his_own_without_repair(company, insider):
    place = insider.where(DecisionMade)
    del insider.leaves[place]
    check_refused(company, insider, "of `acme gate`")


def test_reordered_entries_of_an_auditor(company, insider):
    one, other = insider.where(ResultReported, run="r1"), insider.where(ResultReported, run="r2")
    insider.leaves[one], insider.leaves[other] = insider.leaves[other], insider.leaves[one]
    insider.repair()
    check_refused(company, insider, "of `Lea Roth`, and 2 comes next")


def test_a_statement_that_is_replayed(company, insider):
    insider.leaves.append(insider.leaves[insider.where(ResultReported, run="r1")])
    check_refused(company, insider, "the same statement is in the log already")


def test_a_statement_for_another_log(company, insider):
    place = insider.where(Statement, kind="publication")
    insider.leaves[place] = insider.again(place, origin="acme.example/other")
    check_refused(company, insider, "made for the log `acme.example/other`")


@pytest.mark.parametrize("number", [1, 4, 9, 1 << 52])
def test_an_author_who_counts_with_a_gap(company, insider, number):
    place = insider.where(Statement, kind="publication")
    insider.leaves[place] = insider.again(place, number=number)
    check_refused(company, insider, f"is statement {number} of `Ada Osei`, and 3 comes next")


def test_a_swapped_model_digest(company, insider):
    """What auditors signed about the model names its digest as well."""
    place = insider.where(SubjectDeclared)
    declared = insider.events()[place].subject
    other = "f" * 64
    insider.leaves[place] = insider.again(
        place, subject=replace(declared, digest=f"sha256:{other}"), subjects=((declared.name, other),)
    )
    insider.repair()
    check_refused(company, insider, f"entry {insider.where(RunRegistered)} ", "subject of the statement")


def test_a_policy_text_that_is_edited_under_its_old_digest(company, insider):
    """The gate never takes it for the policy of that digest, so that no permit follows."""
    place = insider.where(PolicyAdopted)
    text = insider.events()[place].text
    insider.leaves[place] = insider.again(place, text=text.replace("autonomy <= 20%", "autonomy <= 99%"))
    insider.repair()
    check_refused(company, insider, "decisions:", "does not follow from the log", code=1)


def test_a_policy_text_that_is_edited_with_its_digest(company, insider):
    """What the auditor registered names evaluations of the old text, and the policies of answers change."""
    place = insider.where(PolicyAdopted)
    text = insider.events()[place].text.replace("autonomy <= 20%", "autonomy <= 99%")
    insider.leaves[place] = insider.again(place, text=text, digest=digest_bytes(text.encode()))
    insider.repair()
    check_refused(company, insider, "decisions:", "other policies bind", code=1)


# ---------------------------------------------------------------- ends cut off


def against(company, folder, *bundles):
    """Return the complaints of a reader who kept the checkpoints of other bundles."""
    kept = [(other / "checkpoint").read_bytes() for other in bundles]
    said = verify(folder, parse_trust(company.trust.read_text()), company.now, kept=kept)
    return [item.message for item in said.of("untrusted") if item.room == "history"]


def cut(insider, place):
    """Leave everything from an entry on out."""
    del insider.leaves[place:]
    return insider.publish()


def test_rollback_is_seen_with_an_older_checkpoint(company, insider, bundle):
    cut(insider, -3)
    assert against(company, insider.folder, bundle) == [
        "the log was rolled back: it has 8 entries, and had 11; keep both checkpoints"
    ]


def test_split_view_is_seen_with_the_checkpoint_of_the_other_reader(company, insider, bundle):
    """One reader is shown a denial, the other one a longer log without it."""
    last = len(insider.leaves) - 1
    del insider.leaves[last:]
    model = insider.where(Statement, kind="publication")
    for number in range(3):
        insider.add(replace(insider.events()[model], expires=company.now + DAY + number))
    insider.publish()
    assert company.verify(insider.folder).code == 3
    assert against(company, insider.folder, bundle) == [
        "the log is another one: its first 11 entries were others; keep both checkpoints"
    ]
    assert against(company, bundle, insider.folder) == [
        "the log was rolled back: it has 11 entries, and had 13; keep both checkpoints"
    ]


def test_an_older_checkpoint_that_the_log_continues_is_no_reason_for_alarm(company, insider, bundle):
    kept = [insider.checkpoint(size) for size in range(1, len(insider.leaves) + 1)]
    said = verify(bundle, parse_trust(company.trust.read_text()), company.now, kept=kept)
    assert not said.of("failed", "untrusted")
    assert any(item.room == "history" and item.verdict == "passed" for item in said.checks)


def test_a_checkpoint_that_the_log_never_signed_proves_nothing_against_it(company, insider, bundle):
    """Whoever shows one to the auditor is told so, and the log is not blamed for it."""
    twin = NoteKey(ORIGIN, SignatureType.NOTE, key_of(Ed25519Signer("twin")))
    text = insider.checkpoint().decode().split("\n\n")[0].replace(str(len(insider.leaves)), "99") + "\n"
    kept = format_note(Note(text, (twin.sign(text, Ed25519Signer("twin")),)))
    said = verify(bundle, parse_trust(company.trust.read_text()), company.now, kept=[kept, b"no note"])
    assert [item.verdict for item in said.checks if item.room == "history"] == ["failed", "failed"]


def test_a_censored_entry_of_an_auditor(company, insider, bundle, tmp_path):
    """The last of his statements: no later one shows the gap, and the developer knew what it says."""
    own = tmp_path / "own"
    own.mkdir()
    for number, data in enumerate(statements_of(bundle, company.people, "Lea Roth")):
        (own / f"{number}.json").write_bytes(data)
    cut(insider, insider.where(Statement, kind="safeguard"))
    said = company.verify(insider.folder, "--own", own)
    assert (said.code, reasons(said)) == (3, []), "it may still be included in time"
    assert any("has time left" in item for item in reasons(said, "impossible"))
    company.now += 4 * DAY
    try:
        said = company.verify(insider.folder, "--own", own)
    finally:
        company.now -= 4 * DAY
    assert said.code == 4
    assert "is not in the log" in reasons(said)[0]
    assert company.verify(bundle, "--own", own).code == 3


@pytest.mark.parametrize("content", [b"", b"{}", b"[" * 70_000, b"\xff"])
def test_a_statement_of_ones_own_that_is_none_is_said(company, bundle, tmp_path, content):
    (tmp_path / "one.json").write_bytes(content)
    said = company.verify(bundle, "--own", tmp_path)
    assert said.code == 1
    assert "one of your own statements is none" in reasons(said)[0]


# ---------------------------------------------------------------- another log


def test_a_checkpoint_of_another_log(company, insider):
    insider.publish()
    (insider.folder / "checkpoint").write_bytes(insider.checkpoint(origin="acme.example/other"))
    said = company.verify(insider.folder)
    assert (said.code, "not of 'acme.example/attacked'" in reasons(said)[0]) == (4, True), reasons(said)


def test_a_checkpoint_signed_with_another_key_of_that_name(company, insider):
    twin = NoteKey(ORIGIN, SignatureType.NOTE, key_of(Ed25519Signer("twin")))
    text = insider.checkpoint().decode().split("\n\n")[0] + "\n"
    (insider.folder / "checkpoint").write_bytes(format_note(Note(text, (twin.sign(text, Ed25519Signer("twin")),))))
    said = company.verify(insider.folder)
    assert (said.code, "none of the known keys signed" in reasons(said)[0]) == (4, True)


def test_the_tiles_of_another_log_under_this_checkpoint(company, insider):
    keep = (insider.folder / "checkpoint").read_bytes()
    insider.leaves = [insider.leaves[0]]
    insider.publish()
    (insider.folder / "checkpoint").write_bytes(keep)
    said = company.verify(insider.folder)
    assert (said.code, "not whole" in reasons(said)[0]) == (4, True)
    shutil.rmtree(insider.folder / "tile")
    assert company.verify(insider.folder).code == 4


def test_an_empty_log_shows_nothing(company, insider):
    insider.leaves = []
    insider.publish()
    said = company.verify(insider.folder)
    assert said.code == 4, said.out

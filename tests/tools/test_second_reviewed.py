"""What a hostile review of the second verifier found: rules of the log that it did not have, and files it hung on."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction

import pytest

from scalegate.core.canonical import canonical_bytes
from scalegate.core.events import DecisionMade, StopLifted, StopOrdered
from scalegate.core.log_events import KeyRotated, OrderDrawn, TrustAdopted
from scalegate.ledger.checkpoint import Checkpoint, format_checkpoint
from scalegate.ledger.jobs import Jobs
from scalegate.ledger.leaf import read_leaf, sign_leaf, write_statement
from scalegate.ledger.merkle import Tree, leaf_hash
from scalegate.ledger.mirror import write_tiles
from scalegate.ledger.note import Note, format_note
from scalegate.ledger.standing import Standing
from scalegate.ledger.store import LocalStore
from scalegate.ledger.trust import parse_trust, write_key
from tests.cli.speakers import keyring_in_use
from tests.enforce.permits import make_lab
from tests.ledger.keys import speaker_line, trust_text
from tests.ledger.signers import Ed25519Signer, key_of
from tests.tools.exports import SECOND, Export, first_code, second, second_says
from tests.tools.forged import DAY, SAID, answer, cosigned, rewritten, sha
from tests.tools.test_second_verifier import REFUSED, export, people

__all__ = ["export", "people"]
AT = 1_700_000_000


class Small:
    """A log of a few statements; everybody's key has his name as seed."""

    def __init__(self):
        self.leaves, self.numbers, self.trust = [], {}, None

    def say(self, event, *signers, by=""):
        """Add a statement by the first of these signers, or of whom is named."""
        name = by or signers[0]
        self.numbers[name] = number = self.numbers.get(name, 0) + 1
        if isinstance(event, TrustAdopted):
            self.trust = parse_trust(event.text)
        said = write_statement(event, self.trust.origin, number, AT, Standing().subjects_of(event))
        self.leaves.append(sign_leaf(said, [Ed25519Signer(signer) for signer in signers])[1])

    def adopt(self, text, by="gate"):
        self.say(TrustAdopted(sha(text.encode()), text), by)

    def replaced(self):
        return f"replaces {self.trust.digest}"

    def verdicts(self, folder):
        """Both verifiers' exit codes, and what the second one says."""

        def write(path, data):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)

        write_tiles(write, lambda start, stop: self.leaves[start:stop], len(self.leaves))
        tree, key = Tree(map(leaf_hash, self.leaves)), self.trust.logs[0]
        text = format_checkpoint(Checkpoint(self.trust.origin, tree.size, tree.root()))
        write("checkpoint", format_note(Note(text, (key.sign(text, Ed25519Signer("log")),))))
        path = folder.with_name("trust")
        path.write_text(self.trust.text)
        one = Export(folder, path, AT)
        code, said = second_says(one)
        return first_code(one), code, said


def rotation(old, new, name):
    return KeyRotated(write_key(key_of(Ed25519Signer(old))), write_key(key_of(Ed25519Signer(new))), name, "auditor")


ADA, BEA = {"Ada": ["auditor"]}, {"Bea": ["auditor"]}


def by_a_trust_file(log):
    """The key of Ada, who is gone, comes back as that of Bea."""
    log.adopt(trust_text(speakers=ADA))
    log.adopt(trust_text(speakers={}, more=(log.replaced(), speaker_line("Bea", ["auditor"], "Ada"))))


def after_a_rotation(log):
    """The key that Ada rotated to."""
    log.adopt(trust_text(speakers=ADA))
    log.say(rotation("Ada", "next", "Ada"), "Ada", "next")
    log.adopt(trust_text(speakers={}, more=(log.replaced(), speaker_line("Bea", ["auditor"], "next"))))


def by_a_rotation(log):
    """Bea rotates to the key of Ada, who is gone."""
    log.adopt(trust_text(speakers=ADA))
    log.adopt(trust_text(speakers=BEA, more=(log.replaced(),)))
    log.say(rotation("Bea", "Ada", "Bea"), "Bea", "Ada")


def of_a_witness(log):
    """A witness becomes an auditor."""
    log.adopt(trust_text(speakers={}, witnesses=["w"]))
    log.adopt(trust_text(speakers={}, more=(log.replaced(), speaker_line("Bea", ["auditor"], "w"))))


def among_witnesses(log):
    """The key of one witness is the next one's."""
    log.adopt(trust_text(speakers={}, witnesses=["w"]))
    line = next(line for line in log.trust.text.split("\n") if line.startswith("witness w "))
    key = line.split()[2]
    other = second.Trust.note_key(key)
    assert other.names[0] == "w"
    mark = sha(b"x\n\x04" + key_of(Ed25519Signer("w")).public)[7:15]
    renamed = f"witness x x+{mark}+{key.split('+', 2)[2]}"
    log.adopt(trust_text(speakers={}, more=(log.replaced(), renamed)))


@pytest.mark.parametrize("change", [by_a_trust_file, after_a_rotation, by_a_rotation, of_a_witness, among_witnesses])
def test_no_key_is_ever_handed_to_somebody_else(change, tmp_path):
    log = Small()
    change(log)
    first, code, said = log.verdicts(tmp_path / "log")
    assert (first, code) == (4, 4), said


def test_a_key_may_go_and_come_back_to_the_same_name(tmp_path):
    log = Small()
    log.adopt(trust_text(speakers=ADA))
    log.adopt(trust_text(speakers=BEA, more=(log.replaced(),)))
    log.adopt(
        trust_text(speakers=ADA, more=(log.replaced(), f"replaces {parse_trust(trust_text(speakers=ADA)).digest}"))
    )
    log.say(StopOrdered("s1", (), "", "Ada", "auditor"), "Ada")
    first, code, said = log.verdicts(tmp_path / "log")
    assert (first, code) == (3, 3), said


def test_a_trustee_may_adopt_a_trust_file_and_say_nothing_else_of_the_log(tmp_path):
    speakers = {"Tess": ["trustee"]}
    log = Small()
    log.adopt(trust_text(speakers=speakers))
    log.adopt(trust_text(speakers=speakers, more=(log.replaced(),)), by="Tess")
    first, code, said = log.verdicts(tmp_path / "good")
    assert (first, code) == (3, 3), said
    log.say(OrderDrawn("r1", "", "", 0, ""), "Tess")
    first, code, said = log.verdicts(tmp_path / "bad")
    assert (first, code) == (4, 4), said


def test_no_trustee_adopts_the_first_trust_file(tmp_path):
    log = Small()
    log.adopt(trust_text(speakers={"Tess": ["trustee"]}), by="Tess")
    first, code, said = log.verdicts(tmp_path / "log")
    assert (first, code) == (4, 4), said


@pytest.mark.parametrize("event", [StopLifted("s1", "", "auditor"), StopLifted("s1", "gate", "gate")])
def test_the_gate_says_nothing_in_the_name_of_others(event, tmp_path):
    log = Small()
    log.adopt(trust_text(speakers=ADA))
    log.say(StopOrdered("s1", (), "", "Ada", "auditor"), "Ada")
    log.say(event, "gate")
    first, code, said = log.verdicts(tmp_path / "log")
    assert (first, code) == (4, 4), said


# ---------------------------------------------------------------- what witnesses saw


def minted(export, people, tmp_path, change):
    """Both verdicts on a log that the insider changed, with the derived files of his answers."""
    one = replace(export("small"), now=export("small").now + 2 * DAY)
    bundle = shutil.copytree(one.bundle, tmp_path / "copy")
    rewritten(bundle, people, change, derived=True)
    return first_code(one, bundle), *second_says(one, bundle)


@pytest.mark.parametrize(("covers", "fine"), [("everything", True), ("what was seen before", False)])
def test_a_permit_is_stale_over_an_entry_that_no_head_covers(export, people, tmp_path, covers, fine):
    """The last head is new in both cases, and the approval before it two days old."""

    def change(insider, kept):
        index = insider.where(DecisionMade, answer="permit")
        at, size = read_leaf(insider.leaves[index]).at, len(insider.leaves)
        cosigned(insider, size, insider.tree(size).root(), at)
        insider.add(replace(SAID, by="Ada Osei", role="developer"))
        size = len(insider.leaves) - (covers != "everything")
        cosigned(insider, size, insider.tree(size).root(), at + 2 * DAY)
        # What was permitted before is no new scale.
        answer(later=2 * DAY, change=lambda shown: shown["policies"][0].update(actions=["train"]))(insider, kept)

    first, code, said = minted(export, people, tmp_path, change)
    assert (first in REFUSED, code in REFUSED) == (not fine, not fine), said
    assert fine or "['facts']" in said


def test_a_permit_is_stale_on_heads_of_an_older_trust_file(export, people, tmp_path):
    """Those who cosigned them are perhaps asked by nobody any more."""
    one = export("small")
    text = f"{one.trust.read_text()}replaces {sha(one.trust.read_bytes())}\n"
    later = replace(one, bundle=shutil.copytree(one.bundle, tmp_path / "copy"), trust=tmp_path / "trust")
    later.trust.write_text(text)

    def change(insider, kept):
        insider.add(TrustAdopted(sha(text.encode()), text))
        answer(trust=sha(text.encode()))(insider, kept)

    rewritten(later.bundle, people, change, derived=True)
    code, said = second_says(later)
    assert first_code(later) in REFUSED
    assert (code, "['facts']" in said) == (1, True), said


# ---------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    "text", ["1e999999999", "0.5", "1_0", " 1", "1/2\n", "+1", "nan", "", "1/", "\u0661", "1" * 401, f"1/{'1' * 401}"]
)
def test_a_rational_has_one_form(text):
    with pytest.raises(ValueError, match="is no rational"):
        second.ratio(text)


@pytest.mark.parametrize("text", ["0", "-3", "7/20", "-7/20", "1" * 400])
def test_rationals_of_exports_are_read(text):
    assert second.ratio(text) == Fraction(text)


def test_a_bound_outside_0_and_1_is_none():
    for bound in (Fraction(-1, 2), Fraction(-(10**300)), Fraction(10**300)):
        assert not second.is_bound(bound, 1_000, 2_000, Fraction(1, 20))


@pytest.mark.parametrize("place", ["low", "high", "until"])
def test_a_number_with_a_giant_exponent_ends_in_a_verdict(export, tmp_path, place):
    one = export("small")
    bundle = shutil.copytree(one.bundle, tmp_path / "copy")
    path = bundle / "derived/decisions/2.json"
    value = json.loads(path.read_bytes())
    for policy in value["policies"]:
        for strata in policy["facts"]:
            for fact in strata:
                fact[place] = "1e999999999"
    path.write_bytes(canonical_bytes(value))
    said = subprocess.run(
        [sys.executable, "-I", SECOND, bundle, "--trust", one.trust, "--at", str(one.now)],
        capture_output=True,
        check=False,
        text=True,
        timeout=30,
    )
    assert (said.returncode, first_code(one, bundle)) == (4, 4), said.stdout


# ---------------------------------------------------------------- claims


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, 3),
        ({"factor": Fraction(1, 2)}, 4),
        ({"spent": -5}, 4),
        ({"job": "job-2"}, 4),
        ({"host": "elsewhere"}, 4),
        ({"follows": "sha256:" + "0" * 64}, 4),
        ({"key": "rsa:AAAA"}, 4),
        ({"key": "ed25519:AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}, 4),
        ({"late": True}, 4),
    ],
)
def test_both_refuse_a_claim_that_a_gate_did_not_check(tmp_path, monkeypatch, changes, code):
    """A second claim by the key of a job, of a permit of its own, that does not follow from what is there."""
    made = make_lab(tmp_path, monkeypatch)
    (made.folder / "tiny").mkdir()
    (made.folder / "tiny" / "weights").write_bytes(b"1")
    made.declare("tiny", made.folder / "tiny")
    made.permit("tiny", 9_000)
    first = made.history().entries[-1].event
    made.do("gate", "train", "--subject", "tiny", "--to", "8000")
    given = made.history().entries[-1]
    same = {name: getattr(given.event, name) for name in ("decision", "limit", "expires")}
    late = "late" in changes
    claim = replace(first, **same, **({} if late else changes))
    with monkeypatch.context() as careless:
        careless.setattr(Jobs, "check_claim", lambda *_: None)
        with LocalStore(made.store, keyring_in_use()) as store:
            store.append(claim, claim.expires if late else given.at)
        made.do("ledger", "export", made.folder / "out")
    assert made.run("verify", made.folder / "out", "--trust", made.trust).code == code
    command = [sys.executable, SECOND, made.folder / "out", "--trust", made.trust]
    assert subprocess.run(command, check=False, capture_output=True).returncode == code

"""Logs that an insider with the keys of log, gate and lab wrote anew, each with one thing that is wrong."""

import base64
import hashlib
import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from scalegate.core.canonical import canonical_bytes
from scalegate.core.events import DecisionMade, ResultReported, RunRegistered, Sampling, Statement
from scalegate.core.log_events import HeadWitnessed, KeyRevoked, KeyRotated, TrustAdopted
from scalegate.ledger.checkpoint import Checkpoint, format_checkpoint
from scalegate.ledger.leaf import read_leaf
from scalegate.ledger.note import Note, format_note
from scalegate.ledger.trust import write_key
from tests.attacks.insider import WITNESSES, Insider, People, witness_key
from tests.ledger.signers import Ed25519Signer, key_of

DAY = 86_400
SAID = Statement("approval", "acme-rsp/x", "", True, 1 << 40, None, "", "", "", 0, (), "Bo Li", "board")


def sha(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def rewritten(bundle: Path, people: People, change, *, derived: bool) -> None:
    """Let an insider change the log of a bundle, and publish it with the log's signature.

    Args:
        bundle: the export.
        people: the keys.
        change: what he does, with the folder of the derived files; these are left out afterwards unless `derived`.
    """
    kept = bundle.with_name("derived-kept")
    shutil.copytree(bundle / "derived", kept)
    insider = Insider(bundle, people)
    change(insider, kept)
    insider.publish()
    if derived:
        shutil.copytree(kept, bundle / "derived")


# ---------------------------------------------------------------- entries


def forged(kind, **changes):
    """Sign an entry of somebody outside his reach with the key of the lab."""

    def change(insider: Insider, _kept: Path) -> None:
        index = insider.where(kind)
        insider.leaves = [*insider.leaves[:index], insider.again(index, by=("Ada Osei",), **changes)]

    return change


def added(event=SAID, **more):
    """Add an entry at the end."""
    return lambda insider, _kept: insider.add(event, **more)


def left_out(insider: Insider, _kept: Path) -> None:
    insider.leaves.pop(insider.where(RunRegistered))


def reordered(insider: Insider, _kept: Path) -> None:
    place = insider.where(RunRegistered)
    insider.leaves[place], insider.leaves[place + 1] = insider.leaves[place + 1], insider.leaves[place]


def repeated(insider: Insider, _kept: Path) -> None:
    insider.leaves.append(insider.leaves[-1])


def minted(**changes):
    """Add an answer at the end, with one field that is wrong."""
    return lambda insider, _kept: insider.mint(insider.where(DecisionMade, answer="permit"), **changes)


def minted_on_an_old_head(insider: Insider, _kept: Path) -> None:
    insider.mint(insider.where(DecisionMade, answer="permit"), head=read_leaf(insider.leaves[2]).digest)


def raw(change):
    """Change the JSON of the last leaf's envelope."""

    def done(insider: Insider, _kept: Path) -> None:
        value = json.loads(insider.leaves[-1])
        insider.leaves[-1] = change(value) or canonical_bytes(value)

    return done


def with_a_space(value) -> bytes:
    return canonical_bytes(value) + b" "


def a_key_twice(value) -> bytes:
    return canonical_bytes(value)[:-1] + b',"payloadType":"application/vnd.in-toto+json"}'


def no_signature(value) -> None:
    value["signatures"] = []


def a_field_more(value) -> None:
    value["signatures"][0]["note"] = "x"


def another_type(value) -> None:
    value["payloadType"] = "application/json"


def spaced(insider: Insider, _kept: Path) -> None:
    """A statement that is signed well, and not in canonical form."""
    value = json.loads(insider.leaves[-1])
    payload = base64.b64decode(value["payload"]).replace(b'"at":', b'"at": ')
    message = b"DSSEv1 28 application/vnd.in-toto+json %d %b" % (len(payload), payload)
    signature = insider.signer("acme gate").sign(message)
    value["payload"] = base64.b64encode(payload).decode()
    value["signatures"] = [{"sig": base64.b64encode(signature).decode()}]
    insider.leaves[-1] = canonical_bytes(value)


def of_an_unknown_kind(insider: Insider, _kept: Path) -> None:
    """A statement of the lab whose kind nobody knows, signed well."""
    insider.add(replace(SAID, by="Ada Osei", role="developer"))
    value = json.loads(insider.leaves[-1])
    payload = base64.b64decode(value["payload"]).replace(b"urn:scalegate:statement:v1", b"urn:scalegate:stop-unsaid:v1")
    message = b"DSSEv1 28 application/vnd.in-toto+json %d %b" % (len(payload), payload)
    value["payload"] = base64.b64encode(payload).decode()
    value["signatures"][0]["sig"] = base64.b64encode(insider.signer("Ada Osei").sign(message)).decode()
    insider.leaves[-1] = canonical_bytes(value)


def no_name_of_its_key(value) -> None:
    del value["signatures"][0]["keyid"]


def the_name_of_another_key(value) -> None:
    value["signatures"][0]["keyid"] = "sha256:" + "6" * 64


def the_same_signature_twice(value) -> None:
    value["signatures"] *= 2


def with_its_own_order(insider: Insider, _kept: Path) -> None:
    """A registration of the lab that brings a seed along, where witnesses draw one."""
    index = insider.where(RunRegistered)
    sampling = Sampling("bank", 100, "sha256:" + "7" * 64, "sha256:" + "8" * 64, "", 100, ())
    mine = replace(insider.events()[index], run="r8", by="Ada Osei", role="developer", sampling=sampling)
    insider.add(mine, subjects=read_leaf(insider.leaves[index]).subjects)


# ---------------------------------------------------------------- keys and trust


def rotated_alone(insider: Insider, _kept: Path) -> None:
    """A rotation that only the old key signed."""
    insider.add(KeyRotated(write_key(insider.key("Bo Li")), write_key(key_of(Ed25519Signer("n"))), "Bo Li", "board"))


def revoked_and_used(insider: Insider, _kept: Path) -> None:
    insider.add(KeyRevoked("Bo Li", write_key(insider.key("Bo Li")), "lost", "Bo Li", "board"))
    insider.add(SAID)


def revoked_by_another(insider: Insider, _kept: Path) -> None:
    insider.add(KeyRevoked("Cy Ng", write_key(insider.key("Cy Ng")), "lost", "Bo Li", "board"))


def trust_again(more: str, digest: str = ""):
    """Adopt the trust file a second time, with lines more."""

    def change(insider: Insider, _kept: Path) -> None:
        old = insider.events()[0]
        text = old.text + more.format(old.digest)
        insider.add(TrustAdopted(digest or sha(text.encode()), text))

    return change


def trust_of_another_digest(insider: Insider, _kept: Path) -> None:
    insider.leaves = [insider.again(0, digest="sha256:" + "3" * 64)]


# ---------------------------------------------------------------- heads


def head(**changes):
    """Record the last cosigned head once more, with something that it does not say."""

    def change(insider: Insider, _kept: Path) -> None:
        event = insider.events()[insider.where(HeadWitnessed)]
        insider.add(replace(event, **changes))

    return change


def cosigned(insider: Insider, size: int, root: bytes, time: int) -> None:
    """Record a head that the log and all witnesses signed."""
    key = insider.people.log.note
    text = format_checkpoint(Checkpoint(key.name, size, root))
    lines = [key.sign(text, insider.people.log_signer())]
    lines += [witness_key(name).sign(text, Ed25519Signer(name), time) for name in WITNESSES]
    note, first = format_note(Note(text, tuple(lines))).decode(), lines[1].signature
    insider.add(HeadWitnessed(size, root.hex(), time, note, sha(first)))


def head_of_another_history(insider: Insider, _kept: Path) -> None:
    """A root that is none of this log's."""
    event = insider.events()[insider.where(HeadWitnessed)]
    cosigned(insider, event.size, hashlib.sha256(b"another").digest(), event.time)


# ---------------------------------------------------------------- answers


def answer(*, later: int = 0, recorded: int | None = None, change=None, **changes):
    """Mint a permit like the one there is: entry, record and derived file say the same.

    Args:
        later: when it says that it was made, in seconds after the first one.
        recorded: when its entry was, likewise.
        change: what is done to the derived file.
        changes: of the event.
    """

    def done(insider: Insider, kept: Path) -> None:
        index = insider.where(DecisionMade, answer="permit")
        old = insider.events()[index]
        shown = json.loads((kept / "decisions" / f"{old.number}.json").read_bytes())
        number = 1 + sum(isinstance(event, DecisionMade) for event in insider.events())
        shown |= {"number": number, "entry": len(insider.leaves), "now": shown["now"] + later}
        if change is not None:
            change(shown)
        (kept / "decisions" / f"{number}.json").write_bytes(canonical_bytes(shown))
        expires = shown["now"] + 30 * DAY
        dates = [datetime.fromtimestamp(at, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for at in (shown["now"], expires)]
        record = {"as_of": dates[0]}
        record["limits"] = insider.record(old)["limits"] | {"expires": dates[1]}
        at = read_leaf(insider.leaves[index]).at + (later if recorded is None else recorded)
        insider.mint(index, at=at, record=record, **({"expires": expires} | changes))

    return done


def another_end(insider: Insider, _kept: Path) -> None:
    index = insider.where(DecisionMade, answer="permit")
    insider.leaves[index] = insider.again(index, expires=insider.events()[index].expires + DAY)


LOGS = {
    "an-entry-left-out": left_out,
    "entries-reordered": reordered,
    "an-entry-repeated": repeated,
    "a-result-improved-without-its-key": forged(ResultReported, successes=0, failures=100),
    "a-registration-in-the-name-of-an-auditor": forged(RunRegistered, items=50),
    "a-number-with-a-gap": added(number=3),
    "no-number": added(number=0),
    "a-statement-for-another-log": added(log="elsewhere.example/log"),
    "a-statement-about-another-subject": added(subjects=(("orion", "0" * 64),)),
    "an-approval-signed-by-the-gate": added(by=("acme gate",), number=1),
    "an-approval-in-a-role-of-others": added(replace(SAID, role="auditor")),
    "an-approval-of-somebody-unknown": added(replace(SAID, by="Eve"), by=("Bo Li",)),
    "an-answer-with-another-count": minted(number=5),
    "an-answer-on-an-old-head": minted_on_an_old_head,
    "an-answer-under-another-trust-file": minted(trust="sha256:" + "2" * 64),
    "a-head-of-another-time": head(time=1_800_000_000),
    "a-head-of-another-size": head(size=2),
    "a-head-of-another-root": head(root="0" * 64),
    "a-head-of-another-mark": head(mark=""),
    "a-head-of-another-history": head_of_another_history,
    "a-trust-file-of-another-digest": trust_of_another_digest,
    "a-trust-file-that-nobody-accepted": trust_again("replaces {}\n"),
    "a-trust-file-that-replaces-nothing": trust_again(""),
    "an-envelope-with-a-space": raw(with_a_space),
    "a-key-twice": raw(a_key_twice),
    "a-statement-with-a-space": spaced,
    "no-signature": raw(no_signature),
    "a-field-more": raw(a_field_more),
    "another-type": raw(another_type),
    "an-event-of-an-unknown-kind": of_an_unknown_kind,
    "an-approval-that-names-nobody": added(replace(SAID, by="")),
    "an-approval-in-the-role-of-the-gate": added(replace(SAID, by="acme gate", role="gate")),
    "an-answer-that-does-not-name-its-key": raw(no_name_of_its_key),
    "an-answer-that-names-another-key": raw(the_name_of_another_key),
    "an-answer-signed-twice": raw(the_same_signature_twice),
    "a-registration-with-its-own-order": with_its_own_order,
    "a-rotation-by-the-old-key-alone": rotated_alone,
    "a-revoked-key-that-signs": revoked_and_used,
    "a-key-revoked-by-another": revoked_by_another,
}
ANSWERS = {
    "a-permit-for-more": answer(limit=int("9" * 25)),
    "a-permit-of-another-end": answer(expires=1 << 40),
    "a-permit-on-a-head-that-is-old": answer(later=3 * DAY),
    "a-permit-made-after-it-was-recorded": answer(later=DAY // 2, recorded=0),
    "a-permit-under-no-policy": answer(change=lambda shown: shown.update(policies=[])),
    "a-permit-that-ends-later": another_end,
}

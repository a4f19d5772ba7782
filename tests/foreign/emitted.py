"""What scalegate emits for others to verify: signed statements, and a small log with its checkpoints and proofs."""

import base64
from dataclasses import replace

from scalegate.core.canonical import canonical_bytes
from scalegate.core.events import DecisionMade
from scalegate.ledger.checkpoint import Checkpoint, format_checkpoint
from scalegate.ledger.dsse import IN_TOTO, STATEMENT, format_envelope, sign_envelope
from scalegate.ledger.leaf import write_statement
from scalegate.ledger.merkle import Tree, leaf_hash
from scalegate.ledger.note import Note, NoteKey, SignatureType, format_note
from scalegate.ledger.proof import Prover
from tests.ledger.signers import Ed25519Signer, P256Signer, key_of

AT = 1_800_000_000
ORIGIN = "acme.example/log"
WEIGHTS, POLICY, DECISION, HEAD = (f"sha256:{digit * 64}" for digit in "abcd")
SUBJECTS = [("orion", WEIGHTS.removeprefix("sha256:"))]
PERMIT = DecisionMade(
    decision=DECISION,
    answer="permit",
    action="train",
    subject="orion",
    context="",
    limit=4 * 10**25,
    expires=AT + 3_600,
    policies=(POLICY,),
    head=HEAD,
    number=1,
)
HOLD = replace(PERMIT, answer="hold", limit=0, expires=0)

GATE, AUDITOR = Ed25519Signer("gate"), P256Signer()
SIGNERS = {"ed25519": GATE, "ecdsa-p256": AUDITOR}
KEYS = {name: key_of(signer) for name, signer in SIGNERS.items()}
STRANGER = key_of(Ed25519Signer("stranger"))


def statement_of(kind, predicate):
    """An in-toto Statement about the weights, as plain data."""
    about = [{"name": name, "digest": {"sha256": digest}} for name, digest in SUBJECTS]
    return {"_type": STATEMENT, "subject": about, "predicateType": kind, "predicate": predicate}


def envelope_of(event, *signers):
    """An envelope around the statement that carries an event."""
    return sign_envelope(IN_TOTO, write_statement(event, ORIGIN, 1, AT, SUBJECTS), signers)


def with_payload(envelope, old, new):
    """The envelope with one word of its payload exchanged, and the old signatures."""
    assert old in envelope.payload
    return replace(envelope, payload=envelope.payload.replace(old, new))


# ---------------------------------------------------------------- a log

LOG, WITNESS = Ed25519Signer("log"), Ed25519Signer("witness")
LOG_KEY = NoteKey(ORIGIN, SignatureType.NOTE, key_of(LOG))
WITNESS_KEY = NoteKey("witness.example/w1", SignatureType.COSIGNATURE, key_of(WITNESS))
# The bytes of a leaf: an envelope in canonical form.
ENTRIES = [format_envelope(envelope_of(replace(HOLD, number=number), GATE)) for number in range(1, 14)]
SIZE = len(ENTRIES)
TREE = Tree(map(leaf_hash, ENTRIES))


def prover(size=SIZE):
    """Makes proofs about the log when it had so many entries."""
    return Prover(TREE.node, size)


def head(size=SIZE, *, cosigned=True):
    """The signed checkpoint of the log when it had so many entries."""
    text = format_checkpoint(Checkpoint(ORIGIN, size, TREE.root(size)))
    lines = [LOG_KEY.sign(text, LOG)]
    return Note(text, (*lines, WITNESS_KEY.sign(text, WITNESS, AT)) if cosigned else tuple(lines))


def head_text(size=SIZE, *, cosigned=True):
    """The same as text."""
    return format_note(head(size, cosigned=cosigned)).decode()


def encoded(data):
    """Standard base64."""
    return base64.b64encode(data).decode()


def canonical(value):
    """Canonical JSON, as text."""
    return canonical_bytes(value).decode()

"""A log for the tests of witnesses, and its twin that has another history from some entry on."""

from scalegate.ledger.checkpoint import Checkpoint, format_checkpoint
from scalegate.ledger.merkle import Tree, leaf_hash
from scalegate.ledger.note import Note, NoteKey, SignatureType, format_note
from scalegate.ledger.proof import Prover
from scalegate.ledger.witness import format_request
from tests.ledger.signers import Ed25519Signer, key_of

ORIGIN = "lab.example/log"
LAB, AUDITOR = Ed25519Signer("lab"), Ed25519Signer("auditor")
LAB_KEY = NoteKey(ORIGIN, SignatureType.NOTE, key_of(LAB))
WITNESS_KEY = NoteKey("auditor.example/w1", SignatureType.COSIGNATURE, key_of(AUDITOR))
LOGS = {ORIGIN: (LAB_KEY,)}


class Log:
    """A log that signs whatever it is told to."""

    def __init__(self, size=64, *, fork=None, origin=ORIGIN, key=LAB_KEY, signer=LAB):
        self.origin, self.key, self.signer = origin, key, signer
        self.tree = Tree(leaf_hash(b"%d" % item) for item in range(size if fork is None else fork))
        for item in range(self.tree.size, size):
            self.tree.append(leaf_hash(b"another %d" % item))

    def root(self, size):
        return self.tree.root(size)

    def note(self, size, *extensions):
        text = format_checkpoint(Checkpoint(self.origin, size, self.root(size), extensions))
        return format_note(Note(text, (self.key.sign(text, self.signer),)))

    def proof(self, old, size):
        return Prover(self.tree.node, size).consistency(old) if 0 < old < size else ()

    def request(self, old, size, *extensions):
        return format_request(old, self.proof(old, size), self.note(size, *extensions))

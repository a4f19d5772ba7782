"""A trust file, and private keys in memory for everybody in it: who has which name has the key of that seed."""

from scalegate.ledger.note import NoteKey, SignatureType, format_vkey
from scalegate.ledger.trust import parse_trust, write_key
from tests.ledger.signers import Ed25519Signer, key_of

ORIGIN = "acme.example/log"
SPEAKERS = {"M. Ito": ["regulator"]}


class MemoryKeys:
    """The private keys of some speakers, and of `own`: the log and its gate, unless a test says otherwise."""

    def __init__(self, *names, own=("log", "gate"), known=()):
        self.known = known
        self._signers = {key_of(signer): signer for signer in map(Ed25519Signer, (*names, *own))}

    def signer(self, key):
        return self._signers.get(key)

    def note_signer(self, key):
        return self._signers.get(key.key)

    def trusts(self):
        return self.known


def log_key(origin=ORIGIN, name="log"):
    """The key of a log, of the seed `name`."""
    return NoteKey(origin, SignatureType.NOTE, key_of(Ed25519Signer(name)))


def witness_key(name):
    """The key of a witness."""
    return NoteKey(name, SignatureType.COSIGNATURE, key_of(Ed25519Signer(name)))


def speaker_line(name, roles, seed=""):
    """The line of a speaker, whose key has his name as seed unless another is given."""
    return f'key "{name}" {",".join(roles)} {write_key(key_of(Ed25519Signer(seed or name)))}'


def trust_text(origin=ORIGIN, speakers=None, witnesses=(), quorum="none", log="log", more=()):
    """The text of a trust file: one log, its gate, and those whom `speakers` gives roles.

    `more` are further lines, before the quorum: groups, `fresh`, `include`, `replaces`.
    """
    who = {**(SPEAKERS if speakers is None else speakers), "gate": ["gate"]}
    lines = (
        f"log {format_vkey(log_key(origin, log))}",
        *(f"witness {name} {format_vkey(witness_key(name))}" for name in witnesses),
        *more,
        f"quorum {quorum}",
        *(speaker_line(name, roles) for name, roles in who.items()),
    )
    return "".join(f"{line}\n" for line in lines)


def make_trust(origin=ORIGIN, speakers=None, witnesses=(), quorum="none", log="log", more=()):
    """The trust file of `trust_text`, read."""
    return parse_trust(trust_text(origin, speakers, witnesses, quorum, log, more))

"""The permit file: what a job carries instead of a connection to the log, and checks offline.

It holds two leaves of the log, the answer and its claim, each with a C2SP tlog-proof. Whoever changes a byte of it
makes it fail. Whoever has it without the job's private key has nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from scalegate.core.events import DecisionMade, Event
from scalegate.core.job_events import PermitClaimed
from scalegate.ledger.checkpoint import CheckpointError
from scalegate.ledger.dsse import DsseError, read_json, verify_envelope
from scalegate.ledger.jobs import GRANTED
from scalegate.ledger.leaf import Leaf, LeafError, read_leaf
from scalegate.ledger.note import NoteError, format_note
from scalegate.ledger.proof import ProofError
from scalegate.ledger.signatures import PublicKey, SignatureError
from scalegate.ledger.tlog_proof import TlogProofError, parse_proof, verify_proof
from scalegate.ledger.trust import GATE, Trust, open_head

SCHEMA: Final = "scalegate/permit/v1"
MAX_PERMIT: Final = 1 << 20
_FIELDS: Final = ("schema", "log", "trust", "decision", "claim")
_ASK: Final = "`scalegate gate ... --permit FILE` writes one"
_ELSEWHERE: Final = "a permit is checked under the trust file in force when it was given: ask the gate for a new one"
_E = TypeVar("_E", bound=Event)


class PermitError(ValueError):
    """What is shown is no permit for this; whoever asked has to hold.

    Attributes:
        code: why, for programs, such as `permit-expired`.
        message: why, for people.
        hint: what would help; empty where nobody knows.
    """

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        """Keep all three."""
        super().__init__(f"{message} [{code}]" + (f"; {hint}" if hint else ""))
        self.code = code
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[type[PermitError], tuple[str, str, str]]:
        # Errors of workers cross processes.
        return type(self), (self.code, self.message, self.hint)


@dataclass(frozen=True, slots=True)
class Permit:
    """A permit that was checked.

    Attributes:
        claim: what it grants, to which job.
        decision: the answer of the gate behind it.
        seen: an instant that is past: of the claim as the gate dated it, or of the head that witnesses cosigned.
        gates: keys in whose name the gate of the log speaks.
        origin: the log.
    """

    claim: PermitClaimed
    decision: DecisionMade
    seen: int
    gates: tuple[PublicKey, ...]
    origin: str


@dataclass(frozen=True, slots=True)
class Proved:
    """A leaf of the log with its tlog-proof, both as bytes."""

    leaf: bytes
    proof: bytes


def write_permit(trust: Trust, decision: Proved, claim: Proved) -> bytes:
    """Return the bytes of a permit file."""
    parts = {
        name: {"leaf": item.leaf.decode("utf-8"), "proof": item.proof.decode("utf-8")}
        for name, item in (("decision", decision), ("claim", claim))
    }
    value = {"schema": SCHEMA, "log": trust.origin, "trust": trust.digest, **parts}
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()


def read_permit(data: bytes, trust: Trust) -> Permit:
    """Return the permit in a file, once everything holds that can be checked without a clock and the job's key.

    1. The file has this format, and was given under this very trust file.
    2. Answer and claim are each signed by a gate of the trust file.
    3. Both are in the log, under a checkpoint that the log signed, and enough witnesses where the file asks for them.
    4. The claim stands behind the answer, and grants what the answer permits.

    Args:
        data: the file.
        trust: whom the job trusts; from elsewhere than the file.

    Raises:
        PermitError: if anything of this does not hold.
    """
    fields = _fields(data, trust)
    decision, place, _ = _entry(fields["decision"], "answer", DecisionMade, trust)
    claim, behind, seen = _entry(fields["claim"], "claim", PermitClaimed, trust)
    if decision.answer != "permit":
        raise PermitError("permit-hold", "the answer in the file is a hold")
    if behind <= place or any(getattr(claim, name) != getattr(decision, name) for name in GRANTED):
        raise PermitError("permit-edited", "the claim in the file is not one of its answer")
    if decision.trust != trust.digest:
        raise PermitError("permit-trust", "the answer was given under another trust file", _ELSEWHERE)
    return Permit(claim, decision, seen, _gates(trust), trust.origin)


def _fields(data: bytes, trust: Trust) -> dict[str, Any]:
    try:
        value = read_json(data, MAX_PERMIT)
    except DsseError as error:
        raise PermitError("permit-malformed", f"the file is no permit: {error}", _ASK) from error
    if not isinstance(value, dict) or value.get("schema") != SCHEMA or set(value) != set(_FIELDS):
        raise PermitError("permit-malformed", f"the file is no permit of the form {SCHEMA}", _ASK)
    for name in ("decision", "claim"):
        part = value[name]
        texts = part.values() if isinstance(part, dict) and set(part) == {"leaf", "proof"} else [None]
        if not all(isinstance(text, str) for text in texts):
            raise PermitError(
                "permit-malformed", f"`{name}` of the permit is a leaf with its proof, both as text", _ASK
            )
    if (value["log"], value["trust"]) != (trust.origin, trust.digest):
        raise PermitError("permit-trust", "the permit was given under another trust file than this one", _ELSEWHERE)
    return value


def _entry(part: dict[str, str], what: str, kind: type[_E], trust: Trust) -> tuple[_E, int, int]:
    """Return an event with its place in the log, and the latest instant that is past, as gate and witnesses say."""
    try:
        data = part["leaf"].encode()
        leaf, proof = read_leaf(data), parse_proof(part["proof"].encode())
    except (LeafError, TlogProofError, UnicodeEncodeError) as error:
        raise PermitError("permit-edited", f"the {what} in the permit is none: {error}") from error
    if not isinstance(leaf.event, kind):
        raise PermitError("permit-edited", f"the {what} in the permit is another kind of entry")
    if leaf.log != trust.origin or not _is_by_gate(leaf, trust):
        raise PermitError("permit-unsigned", f"the {what} in the permit is not signed by a gate of this log")
    try:
        verify_proof(proof, data, trust.origin, trust.logs, [item.key for item in trust.witnesses])
        head = open_head(format_note(proof.note), trust)
    except (NoteError, CheckpointError, ProofError, SignatureError) as error:
        words = f"the {what} in the permit is not shown to be in the log: {error}"
        raise PermitError("permit-unproved", words) from error
    if trust.needs_witnesses and head.at is None:
        raise PermitError(
            "permit-unwitnessed",
            "too few witnesses cosigned the log with this permit in it: others may be shown a log without it",
            "`scalegate permit write` writes it again, once they can be reached",
        )
    return leaf.event, proof.index, max(leaf.at, head.at or 0)


def _is_by_gate(leaf: Leaf, trust: Trust) -> bool:
    try:
        return bool(verify_envelope(leaf.envelope, _gates(trust)))
    except (DsseError, SignatureError):
        return False


def _gates(trust: Trust) -> tuple[PublicKey, ...]:
    return tuple(speaker.key for speaker in trust.speakers if GATE in speaker.roles)

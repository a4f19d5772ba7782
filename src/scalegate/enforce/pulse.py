"""A pulse: the gate's word that a permit still stands, signed, numbered, and good for a short time.

A permit has its bounds in itself; what happens after it was given, it cannot know. Whoever wants a job to hear of a
crossing, a retraction, a stop order or a revocation gives it a place where pulses are. One that is late is a hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scalegate.core.canonical import canonical_bytes
from scalegate.core.ports import Signer
from scalegate.enforce.permit import Permit, PermitError
from scalegate.ledger.dsse import (
    DsseError,
    canonical_envelope,
    parse_envelope,
    read_json,
    sign_envelope,
    verify_envelope,
)
from scalegate.ledger.signatures import SignatureError

TYPE: Final = "application/vnd.scalegate.pulse+json"
SCHEMA: Final = "scalegate/pulse/v1"
MAX_PULSE: Final = 1 << 15
_TEXTS: Final = ("schema", "log", "decision", "state", "words", "head")
_NUMBERS: Final = ("number", "at", "until")


@dataclass(frozen=True, slots=True)
class Pulse:
    """What a gate says of a permit.

    Attributes:
        log: origin of the log.
        decision: digest of the permit.
        number: never smaller than that of an earlier pulse: how many entries the log has, and then the time.
        at, until: when it was made, and until when it is good, in seconds since 1970.
        stands: whether the gate would still give the permit.
        words: why not.
        head: digest of the last entry of the log.
    """

    log: str
    decision: str
    number: int
    at: int
    until: int
    stands: bool
    words: str
    head: str


def write_pulse(pulse: Pulse, signer: Signer) -> bytes:
    """Return the bytes of a pulse, signed by a gate.

    Raises:
        DsseError: if the signature is not good.
    """
    payload = canonical_bytes(
        {
            "schema": SCHEMA,
            "log": pulse.log,
            "decision": pulse.decision,
            "number": pulse.number,
            "at": pulse.at,
            "until": pulse.until,
            "state": "stands" if pulse.stands else "held",
            "words": pulse.words,
            "head": pulse.head,
        }
    )
    return canonical_envelope(sign_envelope(TYPE, payload, [signer]))


def read_pulse(data: bytes, permit: Permit) -> Pulse:
    """Return a pulse that the gate behind a permit signed about that permit.

    Raises:
        PermitError: for anything else.
    """
    try:
        envelope = parse_envelope(data[: MAX_PULSE + 1])
        verify_envelope(envelope, permit.gates, TYPE)
        value = read_json(envelope.payload, MAX_PULSE)
    except (DsseError, SignatureError) as error:
        raise PermitError(
            "pulse-false", f"what stands where the pulse should be is none of the gate: {error}"
        ) from error
    if not isinstance(value, dict) or set(value) != {*_TEXTS, *_NUMBERS}:
        raise PermitError("pulse-false", "the pulse has other fields than a pulse has")
    texts = all(isinstance(value[name], str) for name in _TEXTS)
    if not texts or not all(type(value[name]) is int for name in _NUMBERS) or value["schema"] != SCHEMA:
        raise PermitError("pulse-false", f"the pulse is not of the form {SCHEMA}")
    if (value["log"], value["decision"]) != (permit.origin, permit.claim.decision):
        raise PermitError("pulse-other", "the pulse is one of another permit")
    return Pulse(
        log=value["log"],
        decision=value["decision"],
        number=value["number"],
        at=value["at"],
        until=value["until"],
        stands=value["state"] == "stands",
        words=value["words"],
        head=value["head"],
    )

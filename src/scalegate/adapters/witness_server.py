"""A witness over HTTP (C2SP tlog-witness): POST /add-checkpoint, and GET / for who wants to compare heads."""

from __future__ import annotations

from scalegate.adapters.listening import Answers, Limits, Listener, Reply, Report, Request
from scalegate.core.canonical import Plain, canonical_bytes
from scalegate.core.ports import Clock
from scalegate.ledger.note import format_note, format_vkey
from scalegate.ledger.witness import PLAIN, Witness

ADD_CHECKPOINT = "/add-checkpoint"
JSON = "application/json"


def witness_answers(witness: Witness, clock: Clock) -> Answers:
    """Return what answers for a witness.

    `POST /add-checkpoint` is the specification's. `GET /` is ours: a JSON object with the verifier key of the witness
    as `witness`, and in `heads` for each log, by its origin, the last note it cosigned, or null. A monitor compares
    it with the head that the log shows to the monitor.
    """

    def answer(request: Request) -> Reply:
        if request.target == ADD_CHECKPOINT:
            if request.method != "POST":
                return _refusal(405, "POST")
            found = witness.add_checkpoint(request.body, clock.now())
            return Reply(found.status, found.content_type, found.body, (("Cache-Control", "no-store"),))
        if request.target != "/":
            return Reply(404, PLAIN, b"there is /add-checkpoint, and / with the heads\n")
        if request.method != "GET":
            return _refusal(405, "GET, HEAD")
        heads: dict[str, Plain] = {
            origin: None if head is None else format_note(head.note).decode()
            for origin, head in witness.heads().items()
        }
        body = canonical_bytes({"heads": heads, "witness": format_vkey(witness.key)})
        return Reply(200, JSON, body, (("Cache-Control", "no-store"),))

    return answer


def serve(
    witness: Witness,
    clock: Clock,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    limits: Limits | None = None,
    report: Report | None = None,
) -> Listener:
    """Return a listener that answers for a witness once it is started.

    Args:
        witness: who decides.
        clock: what tells the time of cosignatures.
        host: interface to listen on.
        port: its port, 0 for any that is free.
        limits: how much to bear.
        report: told one line for each answer.

    Raises:
        OSError: if the port cannot be taken.
    """
    return Listener(witness_answers(witness, clock), host, port, limits=limits, report=report)


def _refusal(status: int, allowed: str) -> Reply:
    return Reply(status, PLAIN, b"another method is needed here\n", (("Allow", allowed),))

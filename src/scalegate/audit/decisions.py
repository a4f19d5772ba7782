"""Every live answer of a log, asked again on the entries it was made on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from scalegate.audit.answers import NOWHERE, resting
from scalegate.audit.bundle import Bundle, BundleError
from scalegate.audit.entries import Audited
from scalegate.audit.report import Report
from scalegate.core.canonical import digest
from scalegate.core.decision import Decision, Request
from scalegate.core.diagnostic import DiagnosticError
from scalegate.core.events import DecisionMade
from scalegate.core.kernel import Kernel
from scalegate.gate.chronicle import Chronicle
from scalegate.gate.decide import decide_next
from scalegate.gate.record import decision_record
from scalegate.ledger.log import MAX_SKEW
from scalegate.policy import load

# What a record says beside words, which are for the version of this program that chose them.
_FACTS: Final = (
    "schema",
    "as_of",
    "answer",
    "action",
    "subject",
    "to",
    "context",
    "counterfactual",
    "untrusted",
    "policies",
    "limits",
    "head",
)
MAX_DIGITS: Final = 400


def audit_decisions(bundle: Bundle, audited: Audited, report: Report) -> None:
    """Derive every answer again, and compare it with the one in the log."""
    chronicle = Chronicle()
    due = resting(audited.entries)
    made = same = 0
    for place, entry in enumerate(audited.entries):
        for item in due.get(place, ()):
            if isinstance(item.event, DecisionMade):
                since = audited.entries[place - 1].at if place else 0
                found = _compare(bundle, chronicle, item.index, item.event, (since, item.at), report)
                made += found is not None
                same += bool(found)
        chronicle.add(entry)
        chronicle.terms = audited.terms.get(entry.index, chronicle.terms)
    for item in due.get(NOWHERE, ()):
        made += 1
        report.add("decisions", "failed", f"the answer in entry {item.index} rests on no entries before it", item.index)
    if made:
        report.add("decisions", "passed" if same == made else "failed", f"{same} of {made} answers follow from the log")


def _compare(
    bundle: Bundle, chronicle: Chronicle, index: int, event: DecisionMade, times: tuple[int, int], report: Report
) -> bool | None:
    """Return whether an answer follows; None where that was not looked at."""
    since, at = times
    record: dict[str, Any] = {}
    whole = True
    try:
        record = record_in(bundle.blob(event.decision))
        request, now = asked(record, event)
        extra = added_policies(bundle, chronicle, event)
    except KeyError:
        what = "a policy that was added to its question" if record else "its record"
        report.add("decisions", "impossible", f"the words of answer {event.number}: {what} is not in the bundle", index)
        if event.answer == "hold":
            return None  # what was held, nobody may do: of that the entry is enough
        whole, extra = False, []
        request, now = Request(event.action, event.subject, event.limit or None, event.context), at
    except (BundleError, ValueError) as error:
        report.add(
            "decisions", "untrusted", f"the record of answer {event.number} is not to be trusted: {error}", index
        )
        return False
    untimely = _untimely(event, now, since, at)
    if untimely:
        report.add("decisions", "failed", f"answer {event.number} {untimely}", index)
        return False
    decision = decide_next(chronicle, request, now, extra)
    wrong = _differs(decision, event) if whole else _exceeds(decision, event)
    if wrong:
        report.add("decisions", "failed", f"answer {event.number} does not follow from the log: {wrong}", index)
        return False
    other = _misstated(record, decision) if whole else ""
    if other:
        report.add("decisions", "failed", f"the record of answer {event.number} has another `{other}`", index)
        return False
    if whole and digest(decision_record(decision)) != event.decision:
        report.add(
            "decisions",
            "impossible",
            f"the words of answer {event.number}: another version of scalegate chose them",
            index,
        )
    return True


def _untimely(event: DecisionMade, now: int, since: int, at: int) -> str:
    """Return what is wrong with when an answer was made, between what it rests on and when it was recorded."""
    if now > at:
        return "says that it was made after it was recorded"
    if at - now > MAX_SKEW:
        # What it rests on ends by the clock, and this one stood still.
        return "was recorded long after it says that it was made"
    if now < since:
        # What it rests on was not all known then: the gate would leave out what came later.
        return "is dated before what it rests on"
    if event.answer == "permit" and event.expires <= at:
        return "had ended before it was recorded"
    return ""


def _differs(decision: Decision, event: DecisionMade) -> str:
    limits = decision.limits
    derived = (
        decision.answer,
        (limits.effective_compute or 0) if limits else 0,
        limits.expires if limits else 0,
        tuple(item.digest for item in decision.policies),
    )
    recorded = (event.answer, event.limit, event.expires, event.policies)
    names = ("the answer", "its limit", "its end", "its policies")
    for name, one, other in zip(names, derived, recorded, strict=True):
        if one != other:
            return f"{name} would be {one}, and is {other}" if name != "its policies" else "other policies bind"
    return ""


def _exceeds(decision: Decision, event: DecisionMade) -> str:
    """Return what a permit grants beyond the answer to what is known of its question.

    Policies that the question added only ever tighten, and it was asked no later than it was recorded.
    """
    if decision.limits is None:
        return f"the answer would be {decision.answer}, and is {event.answer}"
    if event.expires > decision.limits.expires:
        return f"its end would be {decision.limits.expires}, and is {event.expires}"
    known = tuple(item.digest for item in decision.policies)
    return "" if event.policies[: len(known)] == known else "other policies bind"


def _misstated(record: dict[str, Any], decision: Decision) -> str:
    """Return what a record says otherwise than the answer, words aside: people act on it."""
    derived = decision_record(decision)
    return next((name for name in _FACTS if name not in record or record[name] != derived[name]), "")


def record_in(data: bytes) -> dict[str, Any]:
    """Return the record that some bytes stand for.

    Raises:
        BundleError: if they are none.
    """
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BundleError("it is no JSON") from error
    if not isinstance(found, dict):
        raise BundleError("it is no object")
    return found


def asked(record: dict[str, Any], event: DecisionMade) -> tuple[Request, int]:
    """Return the question of an answer, and when it was asked, from its record.

    Raises:
        BundleError: if the record does not say so, or is about another question than the entry.
    """
    texts = [record.get(name) for name in ("action", "subject", "context", "as_of")]
    to = record.get("to", "")
    if not all(isinstance(text, str) for text in texts) or not (to is None or _is_number(to)):
        raise BundleError("it does not say what was asked, and when")
    action, subject, context, as_of = map(str, texts)
    try:
        now = int(datetime.fromisoformat(as_of).timestamp())
    except (ValueError, OverflowError) as error:
        raise BundleError("it does not say when it was asked") from error
    request = Request(action, subject, None if to is None else int(to), context)
    if (request.action, request.subject, request.context) != (event.action, event.subject, event.context):
        raise BundleError("it is about another question than its entry")
    return request, now


def _is_number(text: object) -> bool:
    return isinstance(text, str) and len(text) <= MAX_DIGITS and text.isascii() and text.isdigit()


def added_policies(bundle: Bundle, chronicle: Chronicle, event: DecisionMade) -> Sequence[Kernel]:
    """Return the policies that the question added to those in force.

    Raises:
        KeyError: if one of them is not in the bundle.
        BundleError: if one of them is no policy.
        ValueError: if one of them is no text.
    """
    known = chronicle.adopted
    found = []
    for mark in event.policies:
        if mark not in known:
            text = bundle.blob(mark).decode("utf-8")
            try:
                found.append(load(text, "extra.yaml"))
            except DiagnosticError as error:
                raise BundleError(f"the policy {mark} that was added to the question cannot be read") from error
    return found

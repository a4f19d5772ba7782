"""What our entries say, in the words of public predicates, for tools that know those and not ours.

| ours | public predicate | what is lost |
|---|---|---|
| a result | test-result v0.1 of in-toto | bounds, elicitation; counts stand in annotations only |
| a permit | svr v0.2 of in-toto | the reasons |
| a permit or a hold | verification_summary v1 of SLSA | the reasons |

They are views: whoever relies on one relies on who signed it, and the entry that it points to is what binds. A reader
of such a view may know nothing of ours. So a permit is one property that carries its action, subject, context, compute
and end with it: there is no shorter word in it that could be taken for more than was granted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, TypeAlias
from urllib.parse import quote

from scalegate.core.actions import NEW_SCALE, TRAIN
from scalegate.core.canonical import Plain, digest
from scalegate.core.events import DecisionMade, ResultReported, RunRegistered

TEST_RESULT: Final = "https://in-toto.io/attestation/test-result/v0.1"
SVR: Final = "https://in-toto.io/attestation/svr/v0.2"
VSA: Final = "https://slsa.dev/verification_summary/v1"
# Changes when the meaning of what is said below does.
VERIFIER: Final = "urn:scalegate:gate:v1"
_SHA256 = re.compile(r"sha256:([0-9a-f]{64})", re.ASCII)
_YEAR_10000 = 253_402_300_800

Predicate: TypeAlias = tuple[str, dict[str, Plain]]


class PredicateError(ValueError):
    """An event that a public predicate has no true words for; the message says why."""


def test_result(result: ResultReported, run: RunRegistered, model_digest: str, *, passed: bool) -> Predicate:
    """Return type and predicate that report a result as a test of one name.

    `PASSED` is for results that nothing is held against: all planned items have a score, the log has samples, and its
    provenance has no shortfall. A result that passed in spite of one is `WARNED`.

    Args:
        result: The result.
        run: Its registration.
        model_digest: Digest of the model's files, `sha256:` and hex; it is the subject of the statement as well.
        passed: Whether the bound that the policy asks for was shown. A result alone does not say so.

    Raises:
        PredicateError: if the result is of another run, or a digest is none.
    """
    if result.run != run.run:
        raise PredicateError(f"the result is of the run {result.run!r:.80}, not of {run.run!r:.80}")
    name = run.task or run.evaluation
    doubts = bool(result.missing or result.derived or result.provenance) or result.evidence_class != "samples"
    verdict = ("WARNED" if doubts else "PASSED") if passed else "FAILED"
    configuration: list[Plain] = [
        {"name": "evaluation", "digest": _sha256(run.evaluation), "annotations": _texts(task=run.task)},
        {"name": "model", "digest": _sha256(model_digest), "annotations": _texts(subject=run.subject)},
        {
            "name": "registration",
            "uri": f"urn:scalegate:run:{_quoted(run.run)}",
            "annotations": {"items": run.items, **_texts(elicitation=run.elicitation, scaffold=run.scaffold)},
        },
        {
            "name": "log",
            "digest": _sha256(result.log),
            "annotations": {
                "successes": result.successes,
                "failures": result.failures,
                "missing": result.missing,
                "adaptive": result.adaptive,
                "evidenceClass": result.evidence_class,
                "provenance": list(result.provenance),
            },
        },
    ]
    predicate: dict[str, Plain] = {"result": verdict, "configuration": configuration}
    for word, field in (("PASSED", "passedTests"), ("WARNED", "warnedTests"), ("FAILED", "failedTests")):
        predicate[field] = [name] if verdict == word else []
    return TEST_RESULT, predicate


def svr(decision: DecisionMade, at: int, verifier: str = VERIFIER) -> Predicate:
    """Return type and predicate that state a permit as the one property that was verified.

    The predicate has no words for a hold: its properties are those that passed, and fewer of them are no denial.

    Args:
        decision: The permit.
        at: When it was given, seconds since 1970 UTC.
        verifier: URI of who decided; whoever trusts a signer trusts it for certain verifiers only.

    Raises:
        PredicateError: for a hold, a permit without its limits, or digests or times that are none.
    """
    if decision.answer != "permit":
        raise PredicateError("a verification result lists what passed, and cannot state a hold: use the summary (vsa)")
    policies: list[Plain] = [_policy(item) for item in decision.policies]
    return SVR, {
        "verifier": {"id": verifier, "policies": policies},
        "timeCreated": _time(at),
        "properties": [permit_property(decision, at)],
        "urn:scalegate:decision": _origin(decision),
    }


def vsa(decision: DecisionMade, at: int, verifier: str = VERIFIER, inputs: Sequence[str] = ()) -> Predicate:
    """Return type and predicate that summarize a decision: `PASSED` for a permit, `FAILED` for a hold.

    `resourceUri` names action, subject and context. A summary of a permit to train is none of one to release.

    Args:
        decision: The decision.
        at: When it was made, seconds since 1970 UTC.
        verifier: URI of who decided.
        inputs: Digests of all entries that it was made on, or none of them: a part would have to be taken for all.

    Raises:
        PredicateError: for a permit without its limits, a decision under no policy, or digests or times that are none.
    """
    permit = decision.answer == "permit"
    predicate: dict[str, Plain] = {
        "verifier": {"id": verifier},
        "timeVerified": _time(at),
        "resourceUri": request_uri(decision.action, decision.subject, decision.context),
        "policy": _policies(decision.policies),
        "verificationResult": "PASSED" if permit else "FAILED",
        "verifiedLevels": [permit_property(decision, at) if permit else "FAILED"],
        "urn:scalegate:decision": _origin(decision),
    }
    if inputs:
        attestations: list[Plain] = [{"digest": _sha256(item)} for item in inputs]
        predicate["inputAttestations"] = attestations
    return VSA, predicate


def request_uri(action: str, subject: str, context: str) -> str:
    """Return the URI of what is asked, such as `urn:scalegate:request:train:orion:`; an empty context is the worst."""
    return f"urn:scalegate:request:{_quoted(action)}:{_quoted(subject)}:{_quoted(context)}"


def permit_property(decision: DecisionMade, at: int) -> str:
    """Return a permit as one word, in which every limit of it stands.

    Such as `SCALEGATE_PERMIT:train?subject=orion&context=&to=40000&until=2027-01-01T00:00:00Z`, where `to` is effective
    compute in FLOP and only there for actions that make a new model.

    Raises:
        PredicateError: if the decision is no permit, lacks its end or its compute, or had ended when it was made.
    """
    if decision.answer != "permit":
        raise PredicateError("the decision is a hold, which permits nothing")
    if decision.expires <= at:
        raise PredicateError("a permit ends after it was given, and this one does not")
    makes_model = decision.action in (TRAIN, NEW_SCALE)
    if decision.limit < 0 or (makes_model and not decision.limit):
        raise PredicateError(f"a permit to {decision.action} has a limit of effective compute, and this has none")
    compute = f"&to={decision.limit}" if decision.limit else ""
    return (
        f"SCALEGATE_PERMIT:{_quoted(decision.action)}?subject={_quoted(decision.subject)}"
        f"&context={_quoted(decision.context)}{compute}&until={_time(decision.expires)}"
    )


def _origin(decision: DecisionMade) -> dict[str, Plain]:
    """What an extension field says of the decision itself: consumers of the predicate ignore it."""
    return {
        "digest": _sha256(decision.decision),
        "head": decision.head,
        "number": decision.number,
        "policies": list(decision.policies),
        "trust": decision.trust,
    }


def _policy(text: str) -> dict[str, Plain]:
    return {"uri": f"urn:scalegate:policy:{_quoted(text)}", "digest": _sha256(text)}


def _policies(texts: tuple[str, ...]) -> dict[str, Plain]:
    """Describe the one policy, or the list of several: its digest is over their digests as canonical JSON."""
    if not texts:
        raise PredicateError("a summary names the policy it was made under, and the decision has none")
    if len(texts) == 1:
        return _policy(texts[0])
    for text in texts:
        _sha256(text)
    whole = digest(list(texts))
    return {"uri": f"urn:scalegate:policies:{_quoted(whole)}", "digest": _sha256(whole)}


def _sha256(text: str) -> dict[str, Plain]:
    match = _SHA256.fullmatch(text)
    if match is None:
        raise PredicateError(f"a digest is `sha256:` and 64 hex digits, not {text!r:.80}")
    return {"sha256": match[1]}


def _texts(**texts: str) -> dict[str, Plain]:
    return {name: text for name, text in texts.items() if text}


def _quoted(text: str) -> str:
    try:
        return quote(text, safe="")
    except UnicodeEncodeError as error:
        raise PredicateError("half of a surrogate pair has no form in a URI") from error


def _time(seconds: int) -> str:
    if not 0 <= seconds < _YEAR_10000:
        raise PredicateError(f"there is no timestamp for {seconds} seconds since 1970")
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

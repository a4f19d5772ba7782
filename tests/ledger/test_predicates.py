import copy
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import get_args

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.core.events import DecisionMade, Event, ResultReported, RunRegistered
from scalegate.ledger import predicates
from scalegate.ledger.codec import TAGS, CodecError, decode_event, encode_event
from scalegate.ledger.dsse import IN_TOTO, format_envelope, sign_envelope
from scalegate.ledger.event_schema import DRAFT, predicate_type, schema_of
from scalegate.ledger.leaf import read_leaf, write_statement
from scalegate.ledger.predicates import PredicateError, permit_property, request_uri
from tests.ledger.events import EVERY_EVENT, records
from tests.ledger.signers import Ed25519Signer

FOLDER = Path(__file__).parents[2] / "docs" / "schemas"
AT = 1_800_000_000
MODEL, EVALUATION, LOG, HEAD, POLICY, OTHER = (f"sha256:{digit * 64}" for digit in "abcdef")
RUN = RunRegistered(
    run="r1",
    evaluation=EVALUATION,
    subject="orion",
    elicitation="prompting",
    scaffold="",
    items=100,
    item_ids="",
    report_by=AT,
    methods=(),
    order="developer",
    by="Ada",
    role="developer",
    task="bio",
)
RESULT = ResultReported(
    run="r1",
    log=LOG,
    successes=7,
    failures=93,
    missing=0,
    adaptive=False,
    binary=True,
    evidence_class="samples",
    derived=False,
    provenance=(),
    findings=(),
    harness="inspect",
    by="Ada",
    role="developer",
)
PERMIT = DecisionMade(
    decision=OTHER,
    answer="permit",
    action="train",
    subject="orion",
    context="",
    limit=4 * 10**25,
    expires=AT + 60,
    policies=(POLICY,),
    head=HEAD,
    number=3,
)
HOLD = replace(PERMIT, answer="hold", limit=0, expires=0)


def carried(event):
    """The predicate that carries an event."""
    return {"at": AT, "event": encode_event(event), "log": "example.com/acme", "number": 1}


VALIDATORS = {kind: jsonschema.Draft202012Validator(schema_of(kind)) for kind in get_args(Event)}

# ---------------------------------------------------------------- schemas of our own predicates


@pytest.mark.parametrize("tag", TAGS)
def test_the_published_schema_is_the_one_of_the_types(tag):
    path = FOLDER / f"{tag}.v1.json"
    text = json.dumps(schema_of(TAGS[tag]), indent=2) + "\n"
    if os.environ.get("SCALEGATE_GOLDEN") == "write":
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, "write it anew: SCALEGATE_GOLDEN=write pytest tests/ledger"


def test_every_published_schema_is_of_an_event():
    assert {path.name for path in FOLDER.iterdir()} == {f"{tag}.v1.json" for tag in TAGS}


@pytest.mark.parametrize("kind", get_args(Event))
def test_every_schema_is_one_and_names_its_predicate(kind):
    schema = schema_of(kind)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == DRAFT
    assert schema["$id"] == predicate_type(kind)
    assert predicate_type(kind).startswith("urn:scalegate:")


@given(EVERY_EVENT)
def test_every_event_that_can_be_written_fits_its_schema(event):
    assert not list(VALIDATORS[type(event)].iter_errors(carried(event)))


def test_a_signed_leaf_carries_what_the_schema_says():
    payload = write_statement(HOLD, "example.com/acme", 1, AT, [("orion", "a" * 64)])
    leaf = format_envelope(sign_envelope(IN_TOTO, payload, [Ed25519Signer("gate")]))
    statement = json.loads(read_leaf(leaf).envelope.payload)
    assert statement["predicateType"] == predicate_type(DecisionMade)
    VALIDATORS[DecisionMade].validate(statement["predicate"])
    for wrong in ({"at": -1}, {"number": 0}, {"log": None}, {"note": ""}):
        assert not VALIDATORS[DecisionMade].is_valid(statement["predicate"] | wrong)


@given(EVERY_EVENT, st.data())
def test_an_event_with_a_field_more_or_less_fits_no_schema(event, data):
    validator = VALIDATORS[type(event)]
    good = carried(event)
    more = copy.deepcopy(good)
    more["event"]["waived"] = True
    less = copy.deepcopy(good)
    del less["event"][data.draw(st.sampled_from(sorted(less["event"])))]
    assert not validator.is_valid(more)
    assert not validator.is_valid(less)


@given(records(DecisionMade), st.sampled_from(["subject", "limit", "policies", "answer", "number"]))
def test_what_a_schema_refuses_the_codec_refuses(event, name):
    for wrong in (None, True, 1.5, "never", ["x", 1], {}, -(1 << 53), "0" * 20):
        predicate = carried(event)
        predicate["event"][name] = wrong
        if VALIDATORS[DecisionMade].is_valid(predicate):
            continue
        with pytest.raises(CodecError):
            decode_event("decision-made", predicate["event"])
        return


def test_no_schema_is_made_of_what_is_no_event():
    with pytest.raises(KeyError):
        schema_of(int)


# ---------------------------------------------------------------- test-result


def test_a_result_without_shortfalls_that_passed_is_passed():
    kind, body = predicates.test_result(RESULT, RUN, MODEL, passed=True)
    assert kind == "https://in-toto.io/attestation/test-result/v0.1"
    assert body["result"] == "PASSED"
    assert (body["passedTests"], body["warnedTests"], body["failedTests"]) == (["bio"], [], [])
    digests = {item["name"]: item.get("digest") for item in body["configuration"]}
    assert digests == {
        "evaluation": {"sha256": "b" * 64},
        "model": {"sha256": "a" * 64},
        "registration": None,
        "log": {"sha256": "c" * 64},
    }


@pytest.mark.parametrize(
    "change",
    [{"missing": 1}, {"derived": True}, {"provenance": ("dirty revision",)}, {"evidence_class": "aggregate"}],
    ids=lambda change: next(iter(change)),
)
def test_a_result_that_passed_in_spite_of_something_is_warned(change):
    _, body = predicates.test_result(replace(RESULT, **change), RUN, MODEL, passed=True)
    assert body["result"] == "WARNED"
    assert (body["passedTests"], body["warnedTests"]) == ([], ["bio"])


@pytest.mark.parametrize("missing", [0, 5])
def test_a_result_that_did_not_pass_is_failed(missing):
    _, body = predicates.test_result(replace(RESULT, missing=missing), replace(RUN, task=""), MODEL, passed=False)
    assert body["result"] == "FAILED"
    assert (body["passedTests"], body["failedTests"]) == ([], [EVALUATION])


def test_a_result_is_not_reported_for_another_run():
    with pytest.raises(PredicateError, match="of the run 'r2', not of 'r1'"):
        predicates.test_result(replace(RESULT, run="r2"), RUN, MODEL, passed=True)


@pytest.mark.parametrize("digest", ["", "a" * 64, "sha256:" + "A" * 64, "sha256:" + "a" * 63, MODEL + "\n"])
def test_a_digest_in_another_form_is_refused(digest):
    with pytest.raises(PredicateError, match="64 hex digits"):
        predicates.test_result(RESULT, RUN, digest, passed=True)


# ---------------------------------------------------------------- svr and vsa


def test_a_permit_is_one_property_with_all_its_limits():
    kind, body = predicates.svr(PERMIT, AT)
    assert kind == "https://in-toto.io/attestation/svr/v0.2"
    assert body["properties"] == [
        "SCALEGATE_PERMIT:train?subject=orion&context=&to=40000000000000000000000000&until=2027-01-15T08:01:00Z"
    ]
    assert body["timeCreated"] == "2027-01-15T08:00:00Z"
    assert body["verifier"] == {
        "id": "urn:scalegate:gate:v1",
        "policies": [{"uri": f"urn:scalegate:policy:sha256%3A{'e' * 64}", "digest": {"sha256": "e" * 64}}],
    }


def test_a_hold_has_no_verification_result():
    with pytest.raises(PredicateError, match="cannot state a hold"):
        predicates.svr(HOLD, AT)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"expires": 0}, "ends after it was given"),
        ({"expires": AT}, "ends after it was given"),
        ({"limit": 0}, "a limit of effective compute"),
        ({"action": "train.new-scale", "limit": 0}, "a limit of effective compute"),
        ({"limit": -1}, "a limit of effective compute"),
        ({"expires": 1 << 62}, "no timestamp"),
        ({"decision": "sha256:"}, "64 hex digits"),
        ({"policies": ("acme",)}, "64 hex digits"),
        ({"subject": "\ud800"}, "surrogate"),
    ],
)
@pytest.mark.parametrize("view", [predicates.svr, predicates.vsa])
def test_a_permit_without_its_limits_is_shown_in_no_view(view, change, why):
    with pytest.raises(PredicateError, match=why):
        view(replace(PERMIT, **change), AT)


def test_a_permit_for_one_context_says_so():
    permit = replace(PERMIT, action="deploy.partners", limit=0, context="beta & co")
    assert permit_property(permit, AT) == (
        "SCALEGATE_PERMIT:deploy.partners?subject=orion&context=beta%20%26%20co&until=2027-01-15T08:01:00Z"
    )


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
def test_no_name_writes_a_limit_of_its_own(subject, context):
    found = permit_property(replace(PERMIT, subject=subject, context=context), AT)
    assert [part.partition("=")[0] for part in found.partition("?")[2].split("&")] == [
        "subject",
        "context",
        "to",
        "until",
    ]
    assert request_uri("train", subject, context).count(":") == 5


@pytest.mark.parametrize(
    ("decision", "result", "level"),
    [(PERMIT, "PASSED", permit_property(PERMIT, AT)), (HOLD, "FAILED", "FAILED")],
    ids=["permit", "hold"],
)
def test_a_summary_says_passed_for_permits_only(decision, result, level):
    kind, body = predicates.vsa(decision, AT)
    assert kind == "https://slsa.dev/verification_summary/v1"
    assert body["verificationResult"] == result
    assert body["verifiedLevels"] == [level]
    assert body["resourceUri"] == "urn:scalegate:request:train:orion:"
    assert "inputAttestations" not in body


def test_a_summary_has_one_policy_whatever_their_number():
    bodies = [predicates.vsa(replace(PERMIT, policies=found), AT)[1] for found in [(POLICY, OTHER), (OTHER, POLICY)]]
    assert bodies[0]["policy"] != bodies[1]["policy"]
    assert bodies[0]["urn:scalegate:decision"]["policies"] == [POLICY, OTHER]
    with pytest.raises(PredicateError, match="names the policy"):
        predicates.vsa(replace(HOLD, policies=()), AT)


def test_a_permit_under_no_policy_has_no_summary():
    with pytest.raises(PredicateError, match="the decision has none"):
        predicates.vsa(replace(PERMIT, policies=()), AT)


def test_a_summary_lists_the_entries_behind_it():
    _, body = predicates.vsa(HOLD, AT, inputs=(LOG, HEAD))
    assert body["inputAttestations"] == [{"digest": {"sha256": "c" * 64}}, {"digest": {"sha256": "d" * 64}}]


def test_a_hold_has_no_property():
    with pytest.raises(PredicateError, match="permits nothing"):
        permit_property(HOLD, AT)

"""The types of the in-toto attestation framework take our statements, ours and those in public words."""

import json
from dataclasses import replace

import pytest

from scalegate.core.events import ResultReported, RunRegistered
from scalegate.ledger import predicates
from scalegate.ledger.dsse import parse_envelope, parse_statement
from tests.foreign.emitted import AT, GATE, HEAD, HOLD, PERMIT, POLICY, WEIGHTS, canonical, envelope_of, statement_of

pytestmark = pytest.mark.extra
json_format = pytest.importorskip("google.protobuf.json_format", reason="needs the extra `foreign`")
statements = pytest.importorskip("in_toto_attestation.v1.statement", reason="needs the extra `foreign`")
statement_pb2 = pytest.importorskip("in_toto_attestation.v1.statement_pb2", reason="needs the extra `foreign`")
test_result_pb2 = pytest.importorskip(
    "in_toto_attestation.predicates.test_result.v0.test_result_pb2", reason="needs the extra `foreign`"
)
vsa_pb2 = pytest.importorskip("in_toto_attestation.predicates.vsa.v1.vsa_pb2", reason="needs the extra `foreign`")
descriptors = pytest.importorskip("in_toto_attestation.v1.resource_descriptor", reason="needs the extra `foreign`")

RUN = RunRegistered(
    run="r1",
    evaluation=POLICY,
    subject="orion",
    elicitation="prompting",
    scaffold="react",
    items=100,
    item_ids="",
    report_by=AT,
    methods=(),
    order="witnesses",
    by="Ada",
    role="developer",
    task="bio",
)
RESULT = ResultReported(
    run="r1",
    log=HEAD,
    successes=7,
    failures=92,
    missing=1,
    adaptive=False,
    binary=True,
    evidence_class="samples",
    derived=False,
    provenance=("no weights digest",),
    findings=("E604",),
    harness="inspect",
    by="Ada",
    role="developer",
)


def validated(text):
    """A statement that in-toto's types take, as they read it."""
    message = json_format.Parse(text, statement_pb2.Statement())
    statements.Statement.copy_from_pb(message).validate()
    return message


def test_in_toto_takes_the_statement_of_every_leaf():
    for event in (PERMIT, HOLD, RUN, RESULT):
        found = validated(envelope_of(event, GATE).payload)
        assert found.predicate_type.startswith("urn:scalegate:")
        assert dict(found.subject[0].digest) == {"sha256": "a" * 64}


@pytest.mark.parametrize("field", ["subject", "predicateType", "_type", "predicate"])
def test_in_toto_refuses_our_statement_without_one_of_its_parts(field):
    statement = json.loads(envelope_of(HOLD, GATE).payload)
    del statement[field]
    with pytest.raises(ValueError, match=r"required|statement type"):
        validated(canonical(statement))


def test_in_toto_refuses_our_statement_without_the_digest_of_its_subject():
    statement = json.loads(envelope_of(HOLD, GATE).payload)
    statement["subject"][0]["digest"] = {}
    with pytest.raises(ValueError, match="digest required"):
        validated(canonical(statement))


@pytest.mark.parametrize(("passed", "result"), [(True, "WARNED"), (False, "FAILED")])
def test_in_toto_takes_our_test_result_to_the_last_field(passed, result):
    kind, body = predicates.test_result(RESULT, RUN, WEIGHTS, passed=passed)
    assert validated(canonical(statement_of(kind, body))).predicate_type == kind
    found = json_format.Parse(canonical(body), test_result_pb2.TestResult())
    assert found.result == result
    assert [*found.passed_tests, *found.warned_tests, *found.failed_tests] == ["bio"]
    for item in found.configuration:
        descriptors.ResourceDescriptor.copy_from_pb(item).validate()
    log = next(item for item in found.configuration if item.name == "log")
    assert dict(log.digest) == {"sha256": "d" * 64}
    assert log.annotations["missing"] == 1


@pytest.mark.parametrize(("decision", "result"), [(PERMIT, "PASSED"), (HOLD, "FAILED")], ids=["permit", "hold"])
def test_in_toto_takes_our_summary(decision, result):
    kind, body = predicates.vsa(decision, AT, inputs=(HEAD,))
    validated(canonical(statement_of(kind, body)))
    # The published type has one text where the specification has a list of levels: it reads no real summary whole.
    levels = body.pop("verifiedLevels")
    found = json_format.Parse(canonical(body), vsa_pb2.VerificationSummary(), ignore_unknown_fields=True)
    assert levels
    assert found.verification_result == result
    assert found.time_verified.seconds == AT
    assert dict(found.policy.digest) == {"sha256": "b" * 64}
    assert [dict(item.digest) for item in found.input_attestations] == [{"sha256": "d" * 64}]


def test_the_published_type_does_not_read_the_levels_of_a_real_summary_either(shared_data):
    path = shared_data / "vectors/slsa-vsa/cli/slsa-verifier/testdata/vsa/gce/v1/gke-gce-pre.bcid-vsa.jsonl"
    real = parse_statement(parse_envelope(path.read_bytes())).predicate
    _, ours = predicates.vsa(PERMIT, AT)
    assert set(ours) - set(real) == {"urn:scalegate:decision"}
    assert set(real) - set(ours) == set()
    for body in (real, ours):
        with pytest.raises(json_format.ParseError, match="verifiedLevels"):
            json_format.ParseDict(body, vsa_pb2.VerificationSummary(), ignore_unknown_fields=True)


def test_in_toto_takes_our_permit_as_verification_result():
    kind, body = predicates.svr(replace(PERMIT, policies=(POLICY, HEAD)), AT)
    found = json_format.MessageToDict(validated(canonical(statement_of(kind, body))).predicate)
    assert found["properties"] == body["properties"]
    for item in found["verifier"]["policies"]:
        descriptor = descriptors.ResourceDescriptor(uri=item["uri"], digest=item["digest"])
        descriptor.validate()
        assert descriptor.pb.digest["sha256"] in {"b" * 64, "d" * 64}

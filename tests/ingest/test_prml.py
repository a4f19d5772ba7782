import hashlib
import json
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from scalegate.ingest.prml import PrmlError, check_attested, read_manifest
from scalegate.ledger.dsse import STATEMENT
from tests.ingest.manifests import CANONICAL, CLAIM, DATA, FIELDS, PUBLISHED, YAML, stated


def read(**changes):
    fields = {name: value for name, value in (FIELDS | changes).items() if value is not ...}
    return read_manifest(json.dumps(fields).encode())


# ---------------------------------------------------------------- what is read


def test_a_published_manifest_has_its_published_digest():
    assert hashlib.sha256(CANONICAL.encode()).hexdigest() == PUBLISHED
    assert read().digest == f"sha256:{PUBLISHED}"


def test_the_bar_is_read_as_it_was_fixed():
    manifest = read()
    assert (manifest.metric, manifest.comparator, manifest.threshold) == ("accuracy", ">=", Fraction(17, 20))
    assert (manifest.data_set, manifest.data_set_digest) == ("mmlu-test-v1", f"sha256:{DATA}")
    assert (manifest.seed, manifest.producer, manifest.replaces) == (42, "eval-team.example.org", "")


@pytest.mark.parametrize("text", [YAML, CANONICAL, YAML.replace("\n", "\r\n"), YAML.replace('">="', "'>='")])
def test_the_digest_does_not_depend_on_how_a_manifest_is_written(text):
    manifest = read_manifest(text.encode())
    assert replace(manifest, source="") == replace(read(), source="")
    assert manifest.source == "sha256:" + hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("version", "written", "canonical"),
    [
        ("prml/0.1", "1", "1.0"),
        ("prml/0.1", "1.0", "1.0"),
        ("prml/0.2", "1300.0", "1300"),
        ("prml/0.2", "1300", "1300"),
        ("prml/0.2", "0.85", "0.85"),
        ("prml/0.2", "9007199254740992", "9007199254740992.0"),
        ("prml/0.1", "1e-7", "1.0e-07"),
        ("prml/0.1", "1e22", "1.0e+22"),
        ("prml/0.1", "-0.5", "-0.5"),
    ],
)
def test_a_threshold_is_one_number_however_it_is_spelled(version, written, canonical):
    text = json.dumps(FIELDS | {"version": version, "threshold": 7777}).replace("7777", written)
    expected = CANONICAL.replace("prml/0.1", version).replace("0.85", canonical)
    assert read_manifest(text.encode()).digest == "sha256:" + hashlib.sha256(expected.encode()).hexdigest()


@given(st.sampled_from(["metric", "created_at", "seed", "threshold", "comparator"]), st.data())
def test_every_change_of_the_bar_changes_the_digest(name, data):
    other = {
        "metric": st.text("abcxyz", min_size=1),
        "created_at": st.sampled_from(["2026-08-18T21:00:01Z", "2025-08-18T21:00:00+02:00"]),
        "seed": st.integers(0, 1 << 40) | st.none(),
        "threshold": st.floats(0, 1),
        "comparator": st.sampled_from(["<=", "<", ">", "=="]),
    }
    value = data.draw(other[name])
    assume(value != FIELDS[name])
    assert read(**{name: value}).digest != read().digest


def test_a_manifest_says_what_it_leaves_open():
    said = " ".join(read().leaves_open)
    for word in ("when", "items", "order", "elicitation", "checkpoint"):
        assert word in said


def test_an_earlier_manifest_that_is_replaced_is_named():
    assert read(prior_hash="AB" * 32).replaces == "sha256:" + "ab" * 32


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"version": "prml/0.3"}, "prml/0.1 and prml/0.2 are read"),
        ({"claim_id": CLAIM.replace("-7e4f-", "-4e4f-")}, "UUID of version 7"),
        ({"claim_id": CLAIM + "0"}, "UUID of version 7"),
        ({"created_at": "yesterday"}, "date and time"),
        ({"created_at": "2026-08-18T21:00:00Z or later"}, "date and time"),
        ({"created_at": 20260818}, "`created_at` of the manifest is no text"),
        ({"metric": ""}, "`metric` of the manifest is no text"),
        ({"metric": "m" * 257}, "more than 256"),
        ({"comparator": "="}, "comparator"),
        ({"threshold": "0.85"}, "no number"),
        ({"threshold": True}, "no number"),
        ({"threshold": float("nan")}, "not finite"),
        ({"threshold": float("inf")}, "not finite"),
        ({"threshold": 10**309}, "not finite"),
        ({"seed": 1.5}, "seed"),
        ({"seed": True}, "seed"),
        ({"dataset": {"id": "x", "hash": DATA.upper()}}, "64 lower-case"),
        ({"dataset": {"id": "x"}}, "`dataset.hash`"),
        ({"dataset": "x"}, "`dataset` of the manifest is no object"),
        ({"dataset": {"id": "x", "hash": DATA, "note": 1}}, "not known: `note`"),
        ({"producer": {}}, "`producer.id`"),
        ({"waived": True}, "not known: `waived`"),
        ({"prior_hash": "ab"}, "prior_hash"),
        ({"notes": "n" * 4_097}, "notes"),
        ({"notes": "a\nb"}, "control characters"),
        ({"notes": "O\u0308zturk"}, "not in NFC"),
        ({"notes": "\ud800"}, "control characters"),
        ({"metric_args": {"k\u2028": 1}}, "control characters"),
        ({"metric_args": {"k": float("inf")}}, "not finite"),
        ({"metric_args": {"k": [[1]]}}, "nests lists"),
        ({"metric_args": {"k" * 101: 1}}, "more than 100"),
        ({"seed": ...}, "has no `seed`"),
    ],
    ids=str,
)
def test_a_manifest_in_another_form_is_refused(changes, why):
    with pytest.raises(PrmlError, match=why):
        read(**changes)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("0.85", "1e-3", "readers of YAML disagree on `1e-3`"),
        ("0.85", ".85", "disagree"),
        ("0.85", "0x10", "disagree"),
        ("0.85", "1_000", "disagree"),
        ("0.85", "12:30", "disagree"),
        ("0.85", "010", "disagree"),
        ("seed: 42", "seed: 042", "disagree"),
        ("metric: accuracy", "metric: no", "disagree on `no`"),
        ("metric: accuracy", "metric: y", "disagree on `y`"),
        ("metric: accuracy", "metric: &a accuracy", "disagree"),
        ("metric: accuracy", "metric: *a", "disagree"),
        ("metric: accuracy", "metric: !!str accuracy", "disagree"),
        ("metric: accuracy", "metric: a: b", "disagree"),
        ("metric: accuracy", "metric: |", "disagree"),
        ("metric: accuracy", "metric: [accuracy]", "disagree"),
        ("metric: accuracy", 'metric: "accur\\x61cy"', "text in quotes"),
        ("metric: accuracy", 'metric: "accuracy" more', "text in quotes"),
        ("metric: accuracy", "metric: 'accuracy", "text in quotes"),
        ("metric: accuracy", "metric: accuracy\nmetric: f1", "`metric` stands twice"),
        ("  id: mmlu-test-v1", "  id: mmlu-test-v1\n  id: easy", "`id` stands twice"),
        ("metric: accuracy", "metric: accuracy\n  more", "expected `key: value`"),
        ("metric: accuracy", "metric:\taccuracy", "expected `key: value`"),
        ("metric: accuracy", "<<: {metric: easy}", "expected `key: value`"),
        ("metric: accuracy", "--- \nmetric: accuracy", "expected `key: value`"),
        ("  id: mmlu-test-v1", "    id: mmlu-test-v1", "expected `key: value`"),
        ("  id: mmlu-test-v1", "  id:", "has no value"),
        ('"2026-08-18T21:00:00Z"', "2026-08-18T21:00:00Z", "disagree"),
    ],
)
def test_yaml_that_readers_take_for_different_manifests_is_refused(old, new, why):
    assert old in YAML
    with pytest.raises(PrmlError, match=why):
        read_manifest(YAML.replace(old, new, 1).encode())


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "has no `version`"),
        (b"\xff: 1", "not UTF-8"),
        (b'{"version":"prml/0.1","version":"prml/0.2"}', "the same key twice"),
        (b'{"threshold":1e999999999}', "out of range"),
        (b"{" * 9_000, "nested too deeply|not JSON"),
        (b" " * 65_537, "at most 65536 bytes"),
        (b"  id: x", "expected `key: value`"),
    ],
    ids=["empty", "not UTF-8", "a key twice", "a bomb", "deep", "large", "nested in nothing"],
)
def test_bytes_that_are_no_manifest_are_refused(data, why):
    with pytest.raises(PrmlError, match=why):
        read_manifest(data)


# ---------------------------------------------------------------- statements about a manifest


def statement(changes=None, **predicate):
    body = {
        "_type": STATEMENT,
        "subject": [
            {"name": CLAIM, "digest": {"sha256": PUBLISHED}},
            {"name": "mmlu-test-v1", "digest": {"sha256": DATA}},
        ],
        "predicateType": "https://falsify.dev/prml/v0.1",
        "predicate": {
            "claim_id": CLAIM,
            "created_at": "2026-08-18T21:00:00Z",
            "metric": "accuracy",
            "comparator": ">=",
            "threshold": 0.85,
            "seed": 42,
            "producer": {"id": "eval-team.example.org"},
            "prml_version": "prml/0.1",
            "manifest_sha256": PUBLISHED,
            **predicate,
        },
        **(changes or {}),
    }
    return stated(body)


def test_the_published_statement_is_about_its_manifest():
    found = statement()
    check_attested(found, read())
    assert found.predicate["threshold"] == Decimal("0.85")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("threshold", 0.8),
        ("threshold", True),
        ("threshold", "0.85"),
        ("comparator", "<="),
        ("metric", "f1"),
        ("seed", 43),
        ("claim_id", "x"),
        ("created_at", "2025-08-18T21:00:00Z"),
        ("producer", {"id": "other"}),
        ("producer", None),
        ("prml_version", "prml/0.2"),
        ("manifest_sha256", "ab" * 32),
    ],
)
def test_a_statement_that_moved_the_bar_is_about_another_manifest(name, value):
    with pytest.raises(PrmlError, match=f"another `{name}`"):
        check_attested(statement(**{name: value}), read())


@pytest.mark.parametrize("name", ["seed", "threshold"])
def test_true_is_not_the_number_one_in_a_statement(name):
    manifest = read(**{name: 1})
    subjects = statement().subjects
    about = (replace(subjects[0], digests=(("sha256", manifest.digest.removeprefix("sha256:")),)), subjects[1])
    said = statement().predicate | {name: 1, "manifest_sha256": about[0].digests[0][1]}
    check_attested(replace(statement(), subjects=about, predicate=said), manifest)
    with pytest.raises(PrmlError, match=f"another `{name}`"):
        check_attested(replace(statement(), subjects=about, predicate=said | {name: True}), manifest)


@pytest.mark.parametrize(
    "changes",
    [
        {"predicateType": "https://falsify.dev/prml/v0.2"},
        {"subject": [{"name": CLAIM, "digest": {"sha256": PUBLISHED}}]},
        {
            "subject": [
                {"name": CLAIM, "digest": {"sha256": DATA}},
                {"name": "mmlu-test-v1", "digest": {"sha256": DATA}},
            ]
        },
        {"subject": [{"name": CLAIM, "digest": {"sha256": PUBLISHED}}, {"name": "x", "digest": {"sha512": "ab" * 64}}]},
    ],
    ids=["another version", "a subject less", "another digest", "another data set"],
)
def test_a_statement_about_something_else_is_refused(changes):
    with pytest.raises(PrmlError, match=r"another manifest|no lock of a manifest"):
        check_attested(statement(changes), read())

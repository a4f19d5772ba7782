"""falsify, the reference program of PRML, computes the digests that we compute, and reads what we read."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.ingest.prml import PrmlError, check_attested, read_manifest
from tests.ingest.manifests import CANONICAL, DATA, FIELDS, PUBLISHED, YAML, stated

pytestmark = pytest.mark.extra
WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Cn"]), min_size=1, max_size=12
) | st.sampled_from(
    [
        *(
            "yes",
            "No",
            "null",
            "~",
            "1",
            "0x1f",
            "1.5",
            ".5",
            "1e5",
            "1.0e+5",
            "12:30:45",
            "2026-01-01",
            "=",
            "<<",
            "-",
        ),
        *("- a", "a: b", "a:", "a #b", "#a", "? a", "?", ":", ": ", "---", "...", "a'b", '"a"', "[a]", "{a}", "%a"),
        *(
            " a",
            "a ",
            "@a",
            "`a",
            "&a",
            "*a",
            "!a",
            "|",
            ">",
            ">=",
            "<=",
            "==",
            "a,b",
            "-a",
            "\u00e9",
            "0b01",
            "00",
            "1_0",
        ),
        *(
            "2026-01-01T00:00:00Z",
            "2026-1-1 1:00:00",
            "inf",
            ".inf",
            ".NaN",
            "y",
            "N",
            "0o7",
            "+1",
            "a" * 300,
            "a b " * 60,
        ),
    ]
)
NUMBERS = st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
LEAVES = WORDS | NUMBERS | st.none() | st.booleans() | st.sampled_from([[], {}])
VALUES = st.recursive(
    LEAVES | st.lists(LEAVES, max_size=3),
    lambda inner: st.dictionaries(WORDS.filter(lambda word: len(word) < 100), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def reference():
    return pytest.importorskip("falsify_prml", reason="needs the extra `foreign`")


@given(
    st.sampled_from(["prml/0.1", "prml/0.2"]),
    WORDS,
    NUMBERS,
    st.dictionaries(WORDS.filter(lambda word: len(word) < 100), VALUES, max_size=3),
)
def test_the_reference_program_computes_the_same_digest(reference, version, word, threshold, more):
    manifest = FIELDS | {
        "version": version,
        "metric": word,
        "threshold": threshold,
        "dataset": {"id": word, "hash": DATA},
        "metric_args": more,
    }
    data = json.dumps(manifest).encode()
    if reference.validate_manifest(json.loads(data)):
        with pytest.raises(PrmlError):
            read_manifest(data)
    else:
        assert read_manifest(data).digest == f"sha256:{reference.manifest_hash(json.loads(data))}"


@pytest.mark.parametrize("text", [YAML, CANONICAL])
def test_the_reference_program_reads_the_same_from_yaml(reference, tmp_path, text):
    path = tmp_path / "claim.prml.yaml"
    path.write_text(text)
    assert reference.manifest_hash(reference.load_manifest(str(path))) == PUBLISHED


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("manifests") / "claim.prml.yaml"


@given(
    WORDS.filter(lambda word: word[0] != " "), st.sampled_from(["metric: accuracy", "  id: mmlu-test-v1", "seed: 42"])
)
def test_yaml_that_we_read_the_reference_program_reads_the_same(reference, place, word, line):
    text = YAML.replace(line, f"{line.partition(':')[0]}: {word}", 1)
    try:
        manifest = read_manifest(text.encode())
    except PrmlError:
        return
    place.write_text(text, encoding="utf-8")
    theirs = reference.load_manifest(str(place))
    assert not reference.validate_manifest(theirs)
    assert manifest.digest == f"sha256:{reference.manifest_hash(theirs)}"


def test_a_statement_of_the_reference_program_is_about_its_manifest(reference):
    manifest = FIELDS | {"version": "prml/0.2"}
    body = reference.to_intoto_statement(manifest)
    made = stated(body)
    check_attested(made, read_manifest(json.dumps(manifest).encode()))
    with pytest.raises(PrmlError):
        check_attested(made, read_manifest(json.dumps(manifest | {"threshold": 0.8}).encode()))

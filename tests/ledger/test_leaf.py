"""Leaves: one sequence of bytes for each statement, and the fast reading equal to the strict one."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from scalegate.core.events import Question, Sampling, StopLifted
from scalegate.ledger.codec import tag_of
from scalegate.ledger.dsse import (
    IN_TOTO,
    format_envelope,
    parse_envelope,
    parse_statement,
    sign_envelope,
    verify_envelope,
)
from scalegate.ledger.leaf import MAX_LEAF, LeafError, hints_of, read_leaf, recall_leaf, sign_leaf, write_statement
from tests.ledger.events import EVERY_EVENT, event, registration
from tests.ledger.signers import Ed25519Signer, P256Signer, key_of

ITO = Ed25519Signer("M. Ito")
ABOUT = (("orion", "0f" * 32),)
STATEMENT = write_statement(event(), "acme.example/log", 3, 10, ABOUT)
_, GOOD = sign_leaf(STATEMENT, [ITO])


def resigned(payload: bytes) -> bytes:
    """The leaf of other bytes, signed as well as any."""
    _, data = sign_leaf(payload, [ITO])
    return data


@given(EVERY_EVENT, st.integers(1, 1 << 40), st.integers(0, 1 << 40))
def test_a_leaf_says_what_was_written_whoever_reads_it(said, number, at):
    try:
        statement = write_statement(said, "acme.example/log", number, at, ABOUT)
    except LeafError:
        assume(False)
    _, data = sign_leaf(statement, [ITO])
    leaf, recalled = read_leaf(data), recall_leaf(data)
    assert (leaf.event, leaf.number, leaf.at, leaf.log, leaf.subjects) == (said, number, at, "acme.example/log", ABOUT)
    assert (recalled.event, recalled.number, recalled.at, recalled.digest) == (said, number, at, leaf.digest)
    assert hints_of(data) == (key_of(ITO).digest,)


def test_a_leaf_is_an_in_toto_statement_that_others_can_verify():
    envelope = parse_envelope(GOOD)
    assert verify_envelope(envelope, [key_of(ITO)]) == (key_of(ITO),)
    statement = parse_statement(envelope)
    assert statement.predicate_type == f"urn:scalegate:{tag_of(event())}:v1"
    assert [(item.name, dict(item.digests)["sha256"]) for item in statement.subjects] == list(ABOUT)


def test_the_digest_of_a_leaf_does_not_depend_on_who_else_signs():
    _, other = sign_leaf(STATEMENT, [ITO, P256Signer()])
    assert other != GOOD
    assert read_leaf(other).digest == read_leaf(GOOD).digest


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(GOOD + b" ", id="trailing-space"),
        pytest.param(GOOD.replace(b",", b", ", 1), id="other-spacing"),
        pytest.param(GOOD.replace(b'{"payload"', b'{"extra":1,"payload"'), id="other-field"),
        pytest.param(GOOD[:-1], id="cut-off"),
        pytest.param(b"", id="empty"),
        pytest.param(b"[" * 60_000, id="deep"),
        pytest.param(b"x" * (MAX_LEAF + 1), id="too-long"),
        pytest.param(b"\xef\xbb\xbf" + GOOD, id="byte-order-mark"),
        pytest.param(resigned(STATEMENT + b" "), id="statement-with-a-space"),
        pytest.param(resigned(STATEMENT.replace(b'"at":10', b'"at":10,"at":10')), id="duplicate-key"),
        pytest.param(resigned(STATEMENT.replace(b'"at":10', b'"at":1e1')), id="float"),
        pytest.param(resigned(STATEMENT.replace(b'"at":10', b'"at":-0')), id="minus-zero"),
        pytest.param(resigned(STATEMENT.replace(b'"at":10', b'"at":true')), id="flag-for-a-number"),
        pytest.param(resigned(STATEMENT.replace(b'"at":10', b'"at":-1')), id="before-1970"),
        pytest.param(resigned(STATEMENT.replace(b'"number":3', b'"number":0')), id="number-zero"),
        pytest.param(resigned(STATEMENT.replace(b"M. Ito", b"M. \\u0049to")), id="other-escape"),
        pytest.param(resigned(STATEMENT.replace(b"M. Ito", b"M. \xff")), id="not-utf-8"),
        pytest.param(resigned(STATEMENT.replace(b"stop-lifted", b"stop-lifter")), id="unknown-event"),
        pytest.param(resigned(STATEMENT.replace(b":v1", b":v2")), id="other-version"),
        pytest.param(resigned(STATEMENT.replace(b"Statement/v1", b"Statement/v2")), id="other-statement"),
        pytest.param(resigned(STATEMENT.replace(b'"name":"orion"', b'"name":7')), id="name-that-is-none"),
        pytest.param(resigned(b"[" * 3_000), id="deep-statement"),
        pytest.param(resigned(b'{"at":' + b"9" * 5_000 + b"}"), id="long-number"),
    ],
)
def test_bytes_that_are_no_leaf_are_refused(data):
    assert read_leaf(GOOD).event == event()
    with pytest.raises(LeafError):
        read_leaf(data)


def test_a_statement_of_another_kind_is_no_leaf():
    data = format_envelope(sign_envelope("text/plain", STATEMENT, [ITO]))
    with pytest.raises(LeafError, match="no in-toto statement"):
        read_leaf(data)
    assert IN_TOTO in GOOD.decode()


@pytest.mark.parametrize(
    "wrong",
    [StopLifted("a", "\ud800", "regulator"), StopLifted("x" * 70_000, "M. Ito", "regulator"), StopLifted(7, "a", "b")],
)
def test_what_fits_in_no_leaf_is_never_written(wrong):
    with pytest.raises(LeafError):
        write_statement(wrong, "acme.example/log", 1, 0, ABOUT)


@pytest.mark.parametrize("text", ["1e999999999", "1/0", "0.5", "9" * 500 + "/1"])
def test_recalling_a_rational_that_is_none_ends_and_is_refused(text):
    data = write_statement(registration(Sampling, Question), "acme.example/log", 1, 0, ABOUT)
    with pytest.raises(LeafError):
        recall_leaf(resigned(data.replace(b'"above":"1/5"', f'"above":"{text}"'.encode())))

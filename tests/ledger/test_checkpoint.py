import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.ledger.checkpoint import (
    EMPTY_ROOT,
    MAX_EXTENSIONS,
    MAX_INTEGER,
    Checkpoint,
    CheckpointError,
    cosignature_message,
    decode_base64,
    format_checkpoint,
    parse_checkpoint,
    subtree_message,
)

ROOT = hashlib.sha256(b"root").digest()
ROOT_TEXT = base64.b64encode(ROOT).decode()
TEXT = f"example.com/log\n12\n{ROOT_TEXT}\n"

lines = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=20)
checkpoints = st.builds(
    Checkpoint,
    lines,
    st.integers(1, MAX_INTEGER),
    st.binary(min_size=32, max_size=32),
    st.lists(lines, max_size=3).map(tuple),
)


@given(checkpoints)
def test_a_checkpoint_comes_back_from_its_text(checkpoint):
    text = format_checkpoint(checkpoint)
    assert parse_checkpoint(text) == checkpoint
    assert format_checkpoint(parse_checkpoint(text)) == text


@given(checkpoints, st.data())
def test_a_text_stands_for_one_checkpoint(checkpoint, data):
    text = format_checkpoint(checkpoint)
    place = data.draw(st.integers(0, len(text)))
    gone = data.draw(st.integers(0, 2))
    changed = text[:place] + data.draw(st.text(max_size=2)) + text[place + gone :]
    try:
        found = parse_checkpoint(changed)
    except CheckpointError:
        return
    assert format_checkpoint(found) == changed


def test_the_example_of_the_specification_is_read():
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    found = parse_checkpoint(text)
    assert (found.origin, found.size, found.extensions) == ("example.com/behind-the-sofa", 20852163, ())
    assert found.root.hex() == "0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62"


def test_extension_lines_are_kept():
    assert parse_checkpoint(TEXT + "one\n two \n").extensions == ("one", " two ")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("", "end with a newline", id="nothing"),
        pytest.param("\n", "at least three lines", id="a-newline"),
        pytest.param(TEXT[:-1], "end with a newline", id="no-last-newline"),
        pytest.param("example.com/log\n12\n", "at least three lines", id="no-root"),
        pytest.param(TEXT.replace("example.com/log", ""), "is empty", id="empty-origin"),
        pytest.param(TEXT + "\n", "is empty", id="trailing-empty-line"),
        pytest.param(TEXT + "\nmore\n", "is empty", id="empty-extension"),
        pytest.param("\n" + TEXT, "without leading zeros", id="leading-empty-line"),
        pytest.param(TEXT.replace("\n", "\r\n"), "without leading zeros", id="crlf"),
        pytest.param(TEXT.replace("example.com/log", "example.com/log\r"), "control character", id="cr-in-origin"),
        pytest.param(TEXT + "a\x1bb\n", "control character", id="escape-in-extension"),
        pytest.param(TEXT + "\x00\n", "control character", id="nul"),
        pytest.param(TEXT.replace("\n12\n", "\n012\n"), "without leading zeros", id="leading-zero"),
        pytest.param(TEXT.replace("\n12\n", "\n+12\n"), "without leading zeros", id="plus"),
        pytest.param(TEXT.replace("\n12\n", "\n-12\n"), "without leading zeros", id="minus"),
        pytest.param(TEXT.replace("\n12\n", "\n12 \n"), "without leading zeros", id="space"),
        pytest.param(TEXT.replace("\n12\n", "\n1_2\n"), "without leading zeros", id="underscore"),
        pytest.param(TEXT.replace("\n12\n", "\n0x12\n"), "without leading zeros", id="hex"),
        pytest.param(TEXT.replace("\n12\n", "\n\u0661\u0662\n"), "without leading zeros", id="arabic-digits"),
        pytest.param(TEXT.replace("\n12\n", f"\n{2**63}\n"), "from 0 to", id="too-large"),
        pytest.param(TEXT.replace("\n12\n", f"\n{'9' * 5000}\n"), "from 0 to", id="endless"),
        pytest.param(TEXT.replace("\n12\n", "\n0\n"), "without entries has one root", id="root-of-an-empty-log"),
        pytest.param(TEXT.replace(ROOT_TEXT, ROOT_TEXT[:-1]), "base64", id="no-padding"),
        pytest.param(TEXT.replace(ROOT_TEXT, ROOT_TEXT + " "), "base64", id="space-behind-root"),
        pytest.param(TEXT.replace(ROOT_TEXT, "AA=="), "32 bytes", id="short-root"),
        pytest.param(TEXT.replace(ROOT_TEXT, base64.b64encode(bytes(33)).decode()), "32 bytes", id="long-root"),
        pytest.param(TEXT + "x\n" * (MAX_EXTENSIONS + 1), "at most 64", id="many-extensions"),
        pytest.param(TEXT + "\ud800\n", "surrogate", id="surrogate"),
    ],
)
def test_what_is_no_checkpoint_is_refused(text, reason):
    with pytest.raises(CheckpointError, match=reason):
        parse_checkpoint(text)


def test_the_empty_log_has_the_hash_of_nothing(shared_data):
    assert parse_checkpoint(f"log\n0\n{base64.b64encode(EMPTY_ROOT).decode()}\n").size == 0
    hashes = (shared_data / "vectors/c2sp/rfc6962_hashes.json").read_text()
    assert EMPTY_ROOT.hex() in hashes


@pytest.mark.parametrize("size", [-1, 1 << 63, True, "1"])
def test_a_size_that_no_text_carries_is_refused(size):
    with pytest.raises(CheckpointError, match="size of a log"):
        Checkpoint("log", size, ROOT)


@pytest.mark.parametrize(
    "text",
    ["AB==", "AA=", "AA", "A===", "AA==AA==", " AA==", "AA==\n", "A-_=", "AAA\u00e9", "=", "A"],
)
def test_base64_in_another_form_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        decode_base64(text)


@given(st.binary(max_size=40))
def test_base64_comes_back(data):
    assert decode_base64(base64.b64encode(data).decode()) == data


def test_cosigners_sign_what_the_specification_says():
    expected = b"cosignature/v1\ntime 1679315147\n" + TEXT.encode()
    assert cosignature_message(TEXT, 1679315147) == expected
    expected = (
        b"subtree/v1\n\0"
        b"\x0bexample.com" + (1679315147).to_bytes(8) + b"\x0fexample.com/log" + bytes(8) + (12).to_bytes(8) + ROOT
    )
    assert subtree_message(TEXT + "extension\n", "example.com", 1679315147) == expected


@pytest.mark.parametrize("timestamp", [-1, 1 << 63])
def test_a_time_that_is_none_is_not_signed(timestamp):
    with pytest.raises(CheckpointError, match="time of a cosignature"):
        cosignature_message(TEXT, timestamp)
    with pytest.raises(CheckpointError, match="time of a cosignature"):
        subtree_message(TEXT, "example.com", timestamp)


def test_what_is_no_checkpoint_is_not_cosigned():
    with pytest.raises(CheckpointError, match="at least three lines"):
        cosignature_message("text\n", 1)
    with pytest.raises(CheckpointError, match="at least three lines"):
        subtree_message("text\n", "example.com", 1)


@pytest.mark.parametrize(("origin", "cosigner"), [("x" * 256, "w"), ("log", "x" * 256), ("log", "")])
def test_names_of_another_length_than_one_byte_holds_are_not_cosigned(origin, cosigner):
    with pytest.raises(CheckpointError, match="1 to 255 bytes"):
        subtree_message(format_checkpoint(Checkpoint(origin, 12, ROOT)), cosigner, 1)

"""Nothing that others wrote steers a terminal, fakes a line, or breaks out of JSON."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.app.ask import Answer
from scalegate.cli import decision_text
from scalegate.cli.output import Output
from scalegate.cli.text import columns, safe, wrap
from scalegate.core.decision import Decision, ExceptionNote, Node, Reason, Remedy, Request
from tests.cli.lab import LEA, POLICY

ATTACKS = {
    "clear-screen": "\x1b[2J\x1b[1;1HPERMIT",
    "title": "\x1b]0;PERMIT\x07",
    "carriage-return": "held\rPERMIT",
    "new-line": "held\nPERMIT    train orion",
    "backspace": "HOLD\b\b\b\bPERMIT",
    "c1-control": "\x9b2J",
    "right-to-left": "\u202etimreP\u202c",
    "zero-width": "PER\u200bMIT",
    "line-separator": "held\u2028PERMIT",
    "tag": "\U000e0041",
    "null": "a\0b",
}
STEERING = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
DRAWN = frozenset(map(chr, range(0x20, 0x7F))) | {"\n"}


@pytest.mark.parametrize("attack", ATTACKS)
def test_one_line_stays_one_line_of_drawn_characters(attack):
    for text in (safe(ATTACKS[attack]), wrap(ATTACKS[attack], "", "")):
        assert set(text) <= DRAWN
        assert not any(line.startswith("PERMIT") for line in text.splitlines())


@given(st.text())
def test_any_text_becomes_printable(text):
    assert not STEERING.intersection(map(unicodedata.category, safe(text)))


@given(st.lists(st.tuples(st.text(), st.text()), min_size=1))
def test_columns_are_one_line_for_each_row(rows):
    lines = columns(rows)
    assert len(lines) == len(rows)
    assert not STEERING.intersection(unicodedata.category(character) for line in lines for character in line)


def decision(text):
    """A hold with `text` in every place that somebody else writes."""
    node = Node(text, "unknown", "missing", None, (text,), text, (Node(text, "refuted"),))
    return Decision(
        as_of=1_790_000_000,
        answer="hold",
        request=Request("train", "orion", 1, text),
        policies=(),
        reasons=(Reason(text, text, "missing", text, None, (text,)),),
        remedies=(Remedy((text,)), Remedy((text,), attainable=False)),
        would_not_release=(text,),
        not_checked=(text,),
        assumptions=(text,),
        exceptions=(
            ExceptionNote(text, text, text, True, text, None),
            ExceptionNote(text, text, text, False, text, None),
        ),
        limits=None,
        tree=node,
        head=text,
        notes=(text,),
    )


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_rendering_of_a_decision_lets_text_through(attack):
    answer = Answer(decision(ATTACKS[attack]), "sha256:0")
    renderings = [
        decision_text.human(answer),
        decision_text.plain(answer),
        *(decision_text.why(answer, audience) for audience in ("engineer", "auditor", "public")),
    ]
    for lines in renderings:
        text = "\n".join(lines)
        assert set(text) <= DRAWN
        assert not any(line.startswith("PERMIT") for line in text.splitlines())


@pytest.mark.parametrize("attack", ATTACKS)
def test_text_of_a_log_reaches_no_terminal(bare, attack):
    bare.register("r1")
    metric = ATTACKS[attack].replace("\0", "")
    row = {"doc_id": 0, "metrics": [metric, "b"], metric: 1.0, "b": 0.0, "filter": metric}
    path = bare.file("log.jsonl", "\n".join(json.dumps({**row, "doc_id": item}) for item in range(3)))
    for form in ("human", "plain", "json"):
        for line in (["evidence", "check", path], ["evidence", "add", "r1", path, *LEA]):
            said = bare.run(*line, "--format", form)
            assert set(said.out + said.err) <= DRAWN, said


COMMANDS = ("::error file=a::pwned", "##[error]pwned", "  ::add-mask::x", "x ##[command]")


@pytest.mark.parametrize("form", ["human", "plain", "json"])
@pytest.mark.parametrize("text", COMMANDS)
def test_no_line_is_a_command_for_a_runner(bare, text, form):
    bare.register("r1")
    row = {"metrics": [text, "b"], text: 1.0, "b": 0.0}
    path = bare.file("log.jsonl", "\n".join(json.dumps({**row, "doc_id": item}) for item in range(100)))
    for pad in range(0, 100, 7):
        policy = bare.file("p.yaml", POLICY.replace("nobody yet knows what", f'"{"w " * pad}{text} what').replace(
            "would be enough", 'would be enough"'))  # fmt: skip
        for line in (
            ["policy", "show", policy],
            ["policy", "check", policy],
            ["evidence", "check", path],
            ["evidence", "add", "r1", path, *LEA],
            ["evidence", "attest", "safeguard", text, "--expires", "1 day", *LEA],
            ["why", text],
            ["gate", "train", "--subject", "orion", "--to", "4e24"],
        ):
            said = bare.run(*line, "--format", form)
            assert "##[" not in said.out + said.err
            assert not [words for words in (said.out + said.err).split("\n") if words.lstrip().startswith("::")]


def test_json_means_the_same_where_a_mark_is_escaped(capsys):
    Output("json").json({"##[group]": "::x ##[error]"})
    assert json.loads(capsys.readouterr().out) == {"##[group]": "::x ##[error]"}


@pytest.mark.parametrize("attack", [name for name in ATTACKS if name != "null"])
def test_arguments_reach_no_terminal(bare, attack):
    text = ATTACKS[attack]
    for line in (
        [text],
        ["gate", text, "--subject", "orion"],
        ["gate", "train", "--subject", text, "--to", "4e24"],
        ["gate", "train", "--subject", "orion", "--to", text],
        ["gate", "deploy.api", "--subject", "orion", "--context", text],
        ["gate", "train", "--subject", "orion", "--to", "4e24", "--at", text],
        ["gate", "train", "--subject", "orion", "--to", "4e24", "--policy", text],
        ["gate", f"--{text}"],
        ["policy", text],
        ["policy", "check", text],
        ["policy", "new", "--template", text],
        ["evidence", "add", text, text, *LEA],
        ["evidence", "attest", "safeguard", text, "--expires", "1 day", *LEA],
        ["evidence", "void", "r1", "--why", text, *LEA],
        ["why", text],
        ["subject", "add", text, "--digest", text, "--issuer", text, *LEA],
        ["stop", "issue", text, *LEA],
        ["status", "--store", text],
    ):
        said = bare.run(*line)
        assert said.code != 0
        assert set(said.out + said.err) <= DRAWN, (line, said)

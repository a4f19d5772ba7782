import base64
import re
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from scalegate.core.canonical import digest_bytes
from scalegate.core.diagnostic import DiagnosticError
from scalegate.ledger.checkpoint import Checkpoint, CheckpointError, format_checkpoint
from scalegate.ledger.note import Note, NoteError, NoteKey, SignatureType, format_note, format_vkey
from scalegate.ledger.signatures import KeyFormatError, PublicKey
from scalegate.ledger.trust import Speaker, format_key_line, open_head, parse_key, parse_trust, write_key
from scalegate.ledger.trust_lines import CODES, MAX_FINDINGS, MAX_TRUST
from scalegate.policy.diagnose import render
from tests.ledger.signers import Ed25519Signer, MlDsa44Signer, P256Signer, has_ml_dsa_44, key_of

ROOT = Path(__file__).resolve().parents[2]
ORIGIN = "lab.example/log"
NAMES = "abcdef"


def note_key(name, kind=SignatureType.COSIGNATURE, signer=None):
    return NoteKey(name, kind, key_of(signer or Ed25519Signer(name)))


def vkey(*args, **kwargs):
    return format_vkey(note_key(*args, **kwargs))


LOG = vkey(ORIGIN, SignatureType.NOTE)
WITNESS = {name: vkey(f"{name}.example") for name in NAMES}
# A second key of the first cosigner.
TWIN = vkey("a.example", signer=Ed25519Signer("twin"))
ADA = Speaker("Ada Osei", frozenset({"developer"}), key_of(Ed25519Signer("ada")))
LEA = Speaker("Lea Roth", frozenset({"auditor", "assessor"}), key_of(P256Signer()), "minutes of 2026-03-01")
GATE = Speaker("acme gate", frozenset({"gate"}), key_of(Ed25519Signer("gate")))
ADA_KEY, LEA_KEY = write_key(ADA.key), write_key(LEA.key)

C2SP = f"""# The log, and who watches it.
log {LOG} https://lab.example/
witness a {WITNESS["a"]}
\twitness b   {WITNESS["b"]}\thttps://b.example/w
witness c {WITNESS["c"]}
witness d {WITNESS["d"]}

  # Two of three auditors, and the lab.
group auditors 2 a b c
group all-of-them all d auditors
quorum all-of-them
"""
FILE = f"""{C2SP}
fresh 12 hours  # half a day
include 1 week
replaces sha256:{"0" * 64}
{format_key_line(ADA)}
{format_key_line(LEA)} # seen by two of us
{format_key_line(GATE)}
"""
BASE = f"log {LOG}\nwitness a {WITNESS['a']}\nwitness b {WITNESS['b']}\nquorum a\n"


def refused(text, file="trust"):
    with pytest.raises(DiagnosticError) as caught:
        parse_trust(text, file)
    return caught.value.diagnostics


def codes(text):
    return [item.code for item in refused(text)]


# ---------------------------------------------------------------- what a file says


def test_a_file_says_whom_to_trust():
    trust = parse_trust(FILE.encode())
    assert (trust.origin, trust.log_url) == (ORIGIN, "https://lab.example/")
    assert [format_vkey(key) for key in trust.logs] == [LOG]
    assert {item.name: (format_vkey(item.key), item.url) for item in trust.witnesses} == {
        "a": (WITNESS["a"], ""),
        "b": (WITNESS["b"], "https://b.example/w"),
        "c": (WITNESS["c"], ""),
        "d": (WITNESS["d"], ""),
    }
    assert trust.speakers == (ADA, LEA, GATE)
    assert (trust.fresh, trust.include) == (12 * 3_600, 7 * 86_400)
    assert trust.replaces == ("sha256:" + "0" * 64,)
    assert trust.needs_witnesses
    assert trust.speaker("Lea Roth") == LEA
    assert trust.speaker("lea roth") is None


def test_the_digest_is_one_of_the_bytes_of_the_file():
    assert parse_trust(FILE).digest == digest_bytes(FILE.encode())
    assert parse_trust(FILE + "# another word\n").digest != parse_trust(FILE).digest


def test_what_is_not_said_is_one_day_and_three_days():
    trust = parse_trust(BASE)
    assert (trust.fresh, trust.include) == (86_400, 3 * 86_400)


@pytest.mark.parametrize(
    ("words", "seconds"),
    [("1 second", 1), ("90 minutes", 5_400), ("1 hour", 3_600), ("2 days", 172_800), ("4 weeks", 2_419_200)],
)
def test_a_duration_has_a_number_and_a_unit(words, seconds):
    assert parse_trust(BASE + f"fresh {words}\n").fresh == seconds


def test_a_file_of_tlog_policy_alone_is_a_trust_file():
    trust = parse_trust(C2SP)
    assert trust.cosigned({"a", "b", "d"})
    assert trust.speakers == ()


def test_the_file_of_the_guide_asks_for_two_of_three_auditors_and_the_lab():
    guide = (ROOT / "docs/trust.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```trust\n(.*?)^```$", guide, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 1
    trust = parse_trust(blocks[0], "docs/trust.md")
    assert trust.cosigned({"northwatch", "opal", "lighthouse"})
    assert not trust.cosigned({"northwatch", "lighthouse"})
    assert not trust.cosigned({"northwatch", "delta-audit", "opal"})
    assert [item.name for item in trust.speakers if item.custody] == ["Lea Roth"]


def test_a_file_without_logs_is_one_but_opens_no_checkpoint():
    trust = parse_trust("quorum none\n")
    with pytest.raises(NoteError, match="names no log"):
        open_head(head_by(), trust)


def test_other_tools_get_the_lines_of_tlog_policy_and_nothing_else():
    trust = parse_trust(FILE)
    text = trust.tlog_policy()
    assert {line.split(" ")[0] for line in text.splitlines()} == {"log", "witness", "group", "quorum"}
    again = parse_trust(text)
    for name in ("logs", "witnesses", "groups", "quorum", "origin", "log_url"):
        assert getattr(again, name) == getattr(trust, name)
    assert again.tlog_policy() == text


def test_the_example_of_tlog_policy_means_what_the_specification_says():
    witnesses = "".join(f"witness {side}{i} {vkey(f'{side}{i}.example')}\n" for side in "XY" for i in (1, 2, 3))
    trust = parse_trust(
        f"log {LOG}\n{witnesses}group X-witnesses 2 X1 X2 X3\ngroup Y-witnesses any Y1 Y2 Y3\n"
        "group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n"
    )
    assert trust.cosigned({"X1", "X3", "Y2"})
    assert not trust.cosigned({"X1", "Y1", "Y2", "Y3"})
    assert not trust.cosigned({"X1", "X2", "X3"})


def test_the_older_form_of_sigsum_is_refused_and_named(shared_data):
    data = (shared_data / "vectors/c2sp/sigsum-test1-2025.builtin-policy").read_bytes()
    found = refused(data, "sigsum")
    assert [(item.code, item.span.line) for item in found] == [("T205", 3), ("T205", 5), ("T205", 6), ("T205", 7)]
    assert all("the older form of sigsum" in item.help for item in found)
    # The rest is tlog-policy: with the same keys as verifier keys the file is one.
    kinds = iter([("log", SignatureType.NOTE), *((name, SignatureType.COSIGNATURE) for name in "abc")])

    def as_vkey(match):
        return format_vkey(NoteKey(*next(kinds), PublicKey("ed25519", bytes.fromhex(match[0]))))

    trust = parse_trust(re.sub(r"\b[0-9a-f]{64}\b", as_vkey, data.decode()))
    assert trust.log_url == "https://test.sigsum.org/barreleye"
    assert trust.cosigned({"poc.sigsum.org/nisse", "rgdd.se/poc-witness"})
    assert not trust.cosigned({"rgdd.se/poc-witness"})


# ---------------------------------------------------------------- quorums


@st.composite
def quorums(draw):
    """A file, and its groups as (needed, members) by name."""
    names = list(NAMES[: draw(st.integers(1, 6))])
    lines = [f"witness {name} {WITNESS[name]}" for name in names]
    groups, free = {}, list(names)
    for number in range(draw(st.integers(0, 3))):
        members = draw(st.lists(st.sampled_from(free), min_size=1, unique=True)) if free else []
        if not members:
            break
        needed = draw(st.integers(1, len(members)))
        words = [*{1: ["any"], len(members): ["all"]}.get(needed, []), str(needed)]
        lines.append(f"group g{number} {draw(st.sampled_from(words))} {' '.join(members)}")
        groups[f"g{number}"] = (needed, members)
        free = [name for name in free if name not in members] + [f"g{number}"]
    quorum = draw(st.sampled_from(names + list(groups)))
    return parse_trust("\n".join([*lines, f"quorum {quorum}\n"])), names, groups, quorum


def met(name, groups, present):
    if name not in groups:
        return name in present
    needed, members = groups[name]
    return sum(met(member, groups, present) for member in members) >= needed


@given(quorums())
def test_a_quorum_is_met_by_exactly_the_sets_that_meet_it(case):
    trust, names, groups, quorum = case
    for bits in range(1 << len(names)):
        present = {name for i, name in enumerate(names) if bits >> i & 1}
        assert trust.cosigned(present) is met(quorum, groups, present)


@given(quorums(), st.sets(st.sampled_from(NAMES)), st.sets(st.sampled_from(NAMES)))
def test_one_more_witness_never_breaks_a_quorum(case, some, more):
    trust = case[0]
    assert trust.cosigned(some | more) or not trust.cosigned(some)
    assert trust.cosigned(some | {"nobody"}) is trust.cosigned(some)
    assert not trust.cosigned(())


@given(quorums(), st.dictionaries(st.sampled_from(NAMES), st.integers(0, 5)))
def test_the_time_of_a_quorum_is_the_latest_at_which_it_still_is_one(case, times):
    trust, names, groups, quorum = case
    times = {name: at for name, at in times.items() if name in names}
    good = [t for t in range(7) if met(quorum, groups, {name for name, at in times.items() if at >= t})]
    assert trust.cosigned_at(times) == max(good, default=None)
    assert trust.cosigned_at({**times, "nobody": 99}) == trust.cosigned_at(times)


def test_one_witness_with_a_wrong_clock_does_not_move_the_time_of_a_quorum():
    trust = parse_trust(FILE)
    assert trust.cosigned_at({"a": 100, "b": 110, "c": 10**12, "d": 105}) == 105
    assert trust.cosigned_at({"a": 100, "c": 10**12, "d": 10**12}) == 100
    assert trust.cosigned_at({"c": 10**12, "d": 10**12}) is None


def test_no_quorum_asks_for_nobody_and_has_the_time_of_whoever_cosigned():
    trust = parse_trust(BASE.replace("quorum a", "quorum none"))
    assert not trust.needs_witnesses
    assert trust.cosigned(())
    assert trust.cosigned_at({}) is None
    assert trust.cosigned_at({"nobody": 9}) is None
    assert trust.cosigned_at({"a": 3, "b": 7, "nobody": 9}) == 7


def test_a_witness_outside_the_quorum_counts_for_nothing():
    trust = parse_trust(BASE)
    assert not trust.cosigned({"b"})
    assert trust.cosigned_at({"b": 5}) is None


# ---------------------------------------------------------------- heads


TEXT = format_checkpoint(Checkpoint(ORIGIN, 3, bytes(range(32))))


def head_by(times=(), text=TEXT, *, log=True):
    lines = [note_key(ORIGIN, SignatureType.NOTE).sign(text, Ed25519Signer(ORIGIN))] if log else []
    for name, at in dict(times).items():
        lines.append(note_key(f"{name}.example").sign(text, Ed25519Signer(f"{name}.example"), at))
    return format_note(Note(text, tuple(lines)))


def test_a_head_says_who_cosigned_it_and_since_when_that_is_enough():
    head = open_head(head_by({"a": 70, "b": 50, "d": 60, "f": 90}), parse_trust(FILE))
    assert head.checkpoint == Checkpoint(ORIGIN, 3, bytes(range(32)))
    assert head.times == {"a": 70, "b": 50, "d": 60}
    assert head.at == 50


def test_a_head_without_its_quorum_has_no_time():
    head = open_head(head_by({"a": 70, "d": 60}), parse_trust(FILE))
    assert head.times == {"a": 70, "d": 60}
    assert head.at is None


def test_a_checkpoint_of_another_log_is_no_head():
    other = TEXT.replace(ORIGIN, "other.example/log")
    with pytest.raises(CheckpointError, match="not of"):
        open_head(head_by(text=other), parse_trust(FILE))


def test_a_checkpoint_that_only_witnesses_signed_is_no_head():
    with pytest.raises(NoteError, match="no known key of its log"):
        open_head(head_by({"a": 1, "b": 1, "d": 1}, log=False), parse_trust(FILE))


def test_a_cosignature_that_is_not_good_refuses_the_head():
    good, other = head_by({"a": 70}), head_by({"a": 71})
    line = next(line for line in other.decode().splitlines() if " a.example " in line)
    mixed = re.sub(r"\N{EM DASH} a\.example .*", line[:-12] + "AAAAAAAAAAA=", good.decode())
    assert mixed != good.decode()
    with pytest.raises(NoteError, match="not good"):
        open_head(mixed.encode(), parse_trust(FILE))


needs_ml_dsa_44 = pytest.mark.skipif(not has_ml_dsa_44(), reason="the installed cryptography has no ML-DSA-44")


@needs_ml_dsa_44
def test_a_cosigner_that_states_no_time_does_not_count():
    signer = MlDsa44Signer()
    key = note_key("a.example", SignatureType.ML_DSA_COSIGNATURE, signer)
    trust = parse_trust(f"log {LOG}\nwitness a {format_vkey(key)}\nquorum a\n")
    for time, expected in ((0, {}), (44, {"a": 44})):
        data = head_by() + format_note(Note(TEXT, (key.sign(TEXT, signer, time),))).removeprefix(TEXT.encode() + b"\n")
        head = open_head(data, trust)
        assert (head.times, head.at) == (expected, expected.get("a"))


@needs_ml_dsa_44
def test_a_log_may_have_a_key_of_each_kind():
    signer = MlDsa44Signer()
    key = note_key(ORIGIN, SignatureType.ML_DSA_COSIGNATURE, signer)
    trust = parse_trust(f"log {LOG} https://a.example\nlog {format_vkey(key)} https://b.example\nquorum none\n")
    assert trust.log_url == "https://a.example"
    data = format_note(Note(TEXT, (key.sign(TEXT, signer, 0),)))
    assert open_head(data, trust).checkpoint.size == 3


# ---------------------------------------------------------------- speakers


LETTERS = st.text(st.sampled_from("abcXYZ\u00e5\u00df\u00f1 \u5317\u2019'`+,.:#-/"), min_size=1, max_size=20)
SEEDS = st.integers(1, 10**6)


@given(LETTERS, st.sets(st.sampled_from(["auditor", "developer", "Board-2"]), min_size=1), SEEDS, LETTERS | st.just(""))
def test_the_line_of_a_speaker_says_all_of_him(name, roles, seed, custody):
    name, custody = " ".join(unicodedata.normalize("NFKC", name).split()), custody.strip()
    assume(name)
    signer = Ed25519Signer(str(seed)) if seed % 2 else P256Signer(seed)
    speaker = Speaker(name, frozenset(roles), key_of(signer), custody)
    line = format_key_line(speaker)
    assert parse_trust(f"quorum none\n{line}\n").speakers == (speaker,)
    assert parse_key(write_key(speaker.key)) == speaker.key


@pytest.mark.parametrize(
    "change",
    [
        {"name": 'Ada "x" Osei'},
        {"name": f'Ada" x {LEA_KEY}\nkey "Eve'},
        {"name": " Ada"},
        {"name": "Ada\u202eOsei"},
        {"name": ""},
        {"roles": frozenset()},
        {"roles": frozenset({"audit or"})},
        {"roles": frozenset({"gate", "auditor"})},
        {"custody": 'seen" key'},
        {"custody": " "},
        {"custody": "seen\nfresh 4 weeks"},
    ],
)
def test_a_speaker_that_no_line_can_name_has_none(change):
    with pytest.raises((DiagnosticError, ValueError)):
        format_key_line(replace(ADA, **change))


@pytest.mark.parametrize(
    "text",
    ["", "ed25519", "ed25519:", "ed25519:AAAA", "rsa:AAAA", "ED25519" + ADA_KEY[7:], ADA_KEY + "\n", ADA_KEY[:-1]],
)
def test_a_key_in_another_form_is_none(text):
    with pytest.raises(KeyFormatError):
        parse_key(text)


@pytest.mark.parametrize(
    "point",
    [bytes(32), b"\1" + bytes(31), bytes.fromhex("ec" + "ff" * 30 + "7f"), bytes.fromhex("ee" + "ff" * 30 + "7f")],
)
def test_a_key_of_small_order_speaks_for_nobody(point):
    line = f"key Eve auditor ed25519:{base64.b64encode(point).decode()}\n"
    found = refused(BASE + line)
    assert [item.code for item in found] == ["T208"]
    assert "small order" in found[0].cause or "canonical encoding" in found[0].cause


# ---------------------------------------------------------------- somebody counts twice


def test_one_key_under_two_names_is_refused_wherever_the_lines_stand():
    a = note_key("a.example").key
    lines = {
        "log": f"log {format_vkey(NoteKey(ORIGIN, SignatureType.NOTE, a))}\n",
        "witness": f"witness w {format_vkey(NoteKey('w.example', SignatureType.COSIGNATURE, a))}\n",
        "speaker": f"key Eve auditor {write_key(a)}\n",
        "second": f"key Mallory assessor {write_key(a)}\n",
    }
    for first, one in lines.items():
        parse_trust(one + "quorum none\n")
        for second, other in lines.items():
            if first != second:
                assert codes(one + other + "quorum none\n") == ["T304"], (first, second)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada Osei", "ada osei"),
        ("Stra\u00dfe", "STRASSE"),
        ("\u5317\u4eac", "\u5317\u4eac"),
        ("\u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2", "\u03c3\u03af\u03c3\u03c5\u03c6\u03bf\u03c3"),
    ],
)
def test_one_person_under_two_spellings_is_refused(one, other):
    assert codes(f'{BASE}key "{one}" auditor {ADA_KEY}\nkey "{other}" auditor {LEA_KEY}\n') == ["T301"]


@pytest.mark.parametrize("other", ["A", "\uff41", "\u24d0", "\U0001d44e"])
def test_a_witness_that_looks_like_another_is_refused(other):
    assert codes(BASE + f"witness {other} {WITNESS['c']}\n") == ["T301"]


def test_the_kelvin_sign_is_no_second_k():
    text = f"witness K {WITNESS['a']}\nwitness \u212a {WITNESS['b']}\ngroup two all K \u212a\nquorum two\n"
    assert codes(text) == ["T301"]


def test_a_cosigner_with_two_keys_reaches_no_quorum_of_two():
    start = f"witness a {WITNESS['a']}\nwitness a2 {TWIN}\nwitness b {WITNESS['b']}\n"
    assert codes(start + "group two 2 a a2 b\nquorum two\n") == ["T307"]
    assert codes(start + "group one any a b\ngroup two all one a2\nquorum two\n") == ["T307"]
    assert codes(start + "group one any a\ngroup other any a2\ngroup two all one other\nquorum two\n") == ["T307"]
    trust = parse_trust(start + "group one any a a2\ngroup two all one b\nquorum two\n")
    assert not trust.cosigned({"a", "a2"})
    assert trust.cosigned({"a2", "b"})


def test_a_member_of_two_groups_is_refused():
    assert codes(BASE + "group one any a b\ngroup two all one a\n") == ["T303"]
    assert codes(BASE + "group one 2 a b a\n") == ["T303"]


def test_groups_in_a_circle_are_refused():
    assert codes(BASE + "group one any two a\ngroup two any one b\n") == ["T302"]
    assert codes(BASE + "group one any one\n") == ["T302"]


def test_a_name_is_as_long_as_128_letters():
    assert parse_trust(BASE + f"key {'x' * 128} auditor {ADA_KEY}\n").speakers
    assert codes(BASE + f"key {'x' * 129} auditor {ADA_KEY}\n") == ["T209"]


@pytest.mark.parametrize("word", ['"Ada"Osei', 'Ada"Osei"', '"Ada""Osei"', '"Ada', 'Ada"', '"'])
def test_quotation_marks_enclose_a_whole_word(word):
    assert codes(BASE + f"key {word} auditor {ADA_KEY}\n") == ["T105"]


def test_the_gate_attests_nothing():
    assert codes(BASE + f"key Eve auditor,gate {ADA_KEY}\n") == ["T309"]
    assert codes(BASE + f"key Eve Gate {ADA_KEY}\n") == ["T207"]
    assert parse_trust(BASE + f"key Eve gate {ADA_KEY}\n").speakers[0].roles == {"gate"}


# ---------------------------------------------------------------- hostile files


@pytest.mark.parametrize(
    "char",
    [
        "\0",
        "\x1b",
        "\x7f",
        "\x85",
        "\xa0",
        "\u200b",
        "\u202e",
        "\u2066",
        "\ufeff",
        "\u2028",
        "\u2800",
        "\u3164",
        "\U000e0041",
    ],
)
@pytest.mark.parametrize("place", ["# a comment {}\n", "key Ad{}a auditor " + ADA_KEY + "\n", "{}fresh 1 day\n"])
def test_nothing_in_a_file_is_hidden(char, place):
    found = refused(BASE + place.format(char))
    assert [item.code for item in found] == ["T103"]
    assert found[0].span.line == BASE.count("\n") + 1
    assert found[0].span.column == place.index("{") + 1


def test_a_file_with_other_line_ends_is_refused():
    assert set(codes(BASE.replace("\n", "\r\n").encode())) == {"T104"}


def test_a_file_that_was_cut_off_is_refused():
    data = FILE.encode()
    assert parse_trust(data)
    assert codes(data[:-1]) == ["T104"]
    for end in range(0, len(data), 7):
        with pytest.raises(DiagnosticError):
            parse_trust(data[: min(end, len(C2SP.encode()) - 2)])


def test_a_byte_order_mark_and_bytes_of_no_text_are_refused():
    assert codes(b"\xef\xbb\xbf" + BASE.encode()) == ["T103"]
    found = refused(BASE.encode() + "# \u00e9".encode() + b"\xff\n")
    assert [(item.code, item.span.line, item.span.column) for item in found] == [("T101", 5, 4)]
    assert codes(BASE + "# \ud800\n") == ["T103"]


def test_a_file_has_at_most_64_kib():
    text = BASE + "# " + "x" * (MAX_TRUST - len(BASE) - 3) + "\n"
    assert len(parse_trust(text).text) == MAX_TRUST
    assert codes(text + "\n") == ["T102"]
    assert codes((text + "\n").encode()) == ["T102"]


def test_a_file_full_of_mistakes_is_answered_with_a_hundred():
    for text in ("x\n" * 30_000, "\0" * 60_000, "group g 1" + " m" * 30_000 + "\n", "group a 1 b\n" * 5_000):
        found = refused(text)
        assert len(found) == MAX_FINDINGS + 1
        assert found[-1].code == "T100"


def test_groups_are_nested_as_deep_as_there_are_groups():
    lines = "".join(f"group g{i} all {f'g{i - 1}' if i else 'a'}\n" for i in range(64))
    trust = parse_trust(BASE.replace("quorum a\n", f"{lines}quorum g63\n"))
    assert trust.cosigned({"a"})
    assert codes(BASE + lines + "group g64 all g63\n") == ["T308"]


def test_a_keyword_of_tlog_policy_in_quotation_marks_is_none():
    assert codes(BASE.replace("quorum a", '"quorum" none')) == ["T306", "T201"]


def test_one_mistake_is_found_once():
    text = f"log {LOG}\nwitness a\nwitness b {LOG}\ngroup g 3 a b\ngroup h all g\nquorum h\n"
    assert codes(text) == ["T202", "T206", "T211"]


@given(st.binary(max_size=300))
def test_any_bytes_are_a_file_or_refused(data):
    try:
        trust = parse_trust(data)
    except DiagnosticError as error:
        found = {item.code for item in error.diagnostics}
    else:
        found = set()
        assert trust.text.encode() == data
    assert found <= set(CODES)


@given(st.integers(0, len(FILE) - 1), st.sampled_from([*'"#\n\t x1,:+=', "", "quorum none\n", "\u0430"]))
def test_a_changed_file_is_another_one_or_refused(place, char):
    text = FILE[:place] + char + FILE[place + 1 :]
    try:
        trust = parse_trust(text)
    except DiagnosticError as error:
        for item in error.diagnostics:
            assert item.code in CODES
            assert item.severity == "error"
            assert item.span is not None
            assert 1 <= item.span.line <= text.count("\n") + 1
            line = text.split("\n")[item.span.line - 1]
            assert 1 <= item.span.column <= len(line) + 1
            assert render(item).startswith(f"trust:{item.span.line}:{item.span.column}: error {item.code}: ")
    else:
        assert (trust.digest == parse_trust(FILE).digest) is (text == FILE)

"""Golden texts: everything that is said about wrong trust files."""

import pytest

from scalegate.core.diagnostic import DiagnosticError
from scalegate.ledger.note import NoteKey, SignatureType, format_vkey
from scalegate.ledger.trust import parse_trust, write_key
from scalegate.ledger.trust_lines import CODES
from scalegate.policy.diagnose import render
from tests.ledger.signers import Ed25519Signer, key_of


def vkey(name, kind=SignatureType.COSIGNATURE, seed=None):
    return format_vkey(NoteKey(name, kind, key_of(Ed25519Signer(seed or name))))


LOG = vkey("lab.example/log", SignatureType.NOTE)
WITNESS = {name: vkey(f"{name}.example") for name in "abc"}
# A second key of the first cosigner.
TWIN = vkey("a.example", seed="twin")
ADA_KEY = write_key(key_of(Ed25519Signer("ada")))
BASE = f"log {LOG}\nwitness a {WITNESS['a']}\nwitness b {WITNESS['b']}\nquorum a\n"


# What is wrong, a file, and all that is said about it.
WRONG = {
    "nobody says how many are enough": (
        "# A comment.\n",
        """\
trust:1:1: error T306: there is no `quorum`
  |
1 | # A comment.
  | ^
  = cause: without one nobody knows how many witnesses are enough
  = help: write `quorum NAME`, or `quorum none` to trust the log alone
""",
    ),
    "a word that is no keyword": (
        BASE + "wittness x y\n",
        """\
trust:5:1: error T201: `wittness` is not a keyword
  |
5 | wittness x y
  | ^^^^^^^^
  = help: did you mean `witness`?
""",
    ),
    "a line with too few words": (
        BASE + "witness c\n",
        """\
trust:5:10: error T202: too few words for `witness`
  |
5 | witness c
  |          ^
  = help: write `witness NAME KEY [URL]`
""",
    ),
    "a line with too many words": (
        BASE + "fresh 1 day ago\n",
        """\
trust:5:13: error T202: too many words for `fresh`
  |
5 | fresh 1 day ago
  |             ^^^
  = help: write `fresh NUMBER UNIT`
""",
    ),
    "a comment on a line of tlog-policy": (
        BASE.replace("quorum a", "quorum a # Lea"),
        """\
trust:4:10: error T106: a comment follows the words
  |
4 | quorum a # Lea
  |          ^
  = cause: other tools that read tlog-policy take it for a name
  = help: give it a line of its own
""",
    ),
    "a quotation mark on a line of tlog-policy": (
        f'witness "Lea Roth" {WITNESS["a"]}\nquorum none\n',
        """\
trust:1:9: error T105: a quotation mark stands in `"Lea`
  |
1 | witness "Lea Roth" a.example+c4f88f70+BHaCOiwdiTyc0Rwj4tpym9zqiBybF0a7TQ5BAoay8oiL
  |         ^^^^
  = cause: other tools that read tlog-policy take it for a part of the name
  = help: write a name without spaces and quotation marks
""",
    ),
    "a quotation mark that is not closed": (
        BASE + f'key "Ada developer {ADA_KEY}\n',
        """\
trust:5:5: error T105: the quotation marks do not enclose the word `"Ada`
  |
5 | key "Ada developer ed25519:P8EaddmMGraWjDaY/gRvSaJ4448iBaklt/f15sNnG1o=
  |     ^^^^
  = help: write "like this", with blanks around; there are no escapes
""",
    ),
    "a hidden character": (
        BASE + "# \u202eyad 1\n",
        """\
trust:5:3: error T103: the character U+202E is hidden
  |
5 | # �yad 1
  |   ^
  = cause: a reader cannot see it, or sees the text in another order than it is read in
  = help: remove it
""",
    ),
    "a carriage return": (
        "quorum none\r\n",
        """\
trust:1:12: error T104: a carriage return stands in the line
  |
1 | quorum none�
  |            ^
  = help: end lines with a line feed alone, so that the file has one digest everywhere
""",
    ),
    "a last line without its line feed": (
        "quorum none",
        """\
trust:1:12: error T104: the last line does not end with a line feed
  |
1 | quorum none
  |            ^
  = cause: a file that was cut off looks like this
  = help: add one
""",
    ),
    "a duration that is none": (
        BASE + "fresh 01 dais\n",
        """\
trust:5:7: error T203: `01` is not a whole number of units
  |
5 | fresh 01 dais
  |       ^^
  = help: write a number from 1 on, in digits
trust:5:10: error T203: `dais` is not a unit of time
  |
5 | fresh 01 dais
  |          ^^^^
  = help: did you mean `days`?
""",
    ),
    "a duration that checks nothing": (
        BASE + "include 53 weeks\n",
        """\
trust:5:9: error T203: `53 weeks` is longer than 366 days
  |
5 | include 53 weeks
  |         ^^
  = cause: a check that late checks nothing
""",
    ),
    "a second quorum": (
        BASE + "quorum none\n",
        """\
trust:5:1: error T204: `quorum` stands on a second line
  |
5 | quorum none
  | ^^^^^^
  = cause: line 4 says it already
  = help: leave one of them out
""",
    ),
    "a witness key where the key of the log belongs": (
        "log " + WITNESS["a"] + "\nquorum none\n",
        """\
trust:1:5: error T206: the key `a.example` is of type 0x04, which is none for a log
  |
1 | log a.example+c4f88f70+BHaCOiwdiTyc0Rwj4tpym9zqiBybF0a7TQ5BAoay8oiL
  |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: a log has a key of type 0x01 or 0x06
""",
    ),
    "a key whose ID is that of another": (
        f"log {LOG[:16]}00000000{LOG[24:]}\nquorum none\n",
        """\
trust:1:5: error T205: `lab.example/log+00000000+ASgzsQNUEF4pVhzKGF/yb82YmJ993p4R...` is not the key of a log
  |
1 | log lab.example/log+00000000+ASgzsQNUEF4pVhzKGF/yb82YmJ993p4R+Pd+29u6C/DK
  |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = cause: the key 'lab.example/log' has the ID b107523f, and 00000000 is written
  = help: write a verifier key, `NAME+ID+BASE64` (C2SP signed-note)
""",
    ),
    "a role that is none": (
        BASE + f"key Ada safety_lead {ADA_KEY}\n",
        """\
trust:5:9: error T207: `safety_lead` is not a role: roles are letters, digits, hyphens and dots
  |
5 | key Ada safety_lead ed25519:P8EaddmMGraWjDaY/gRvSaJ4448iBaklt/f15sNnG1o=
  |         ^^^^^^^^^^^
  = help: separate roles by commas, without spaces
""",
    ),
    "a role twice": (
        BASE + f"key Ada auditor,auditor {ADA_KEY}\n",
        """\
trust:5:9: error T207: the role `auditor` is written twice
  |
5 | key Ada auditor,auditor ed25519:P8EaddmMGraWjDaY/gRvSaJ4448iBaklt/f15sNnG1o=
  |         ^^^^^^^^^^^^^^^
""",
    ),
    "a gate that also attests": (
        BASE + f"key Ada gate,auditor {ADA_KEY}\n",
        """\
trust:5:9: error T309: the role `gate` stands beside another one
  |
5 | key Ada gate,auditor ed25519:P8EaddmMGraWjDaY/gRvSaJ4448iBaklt/f15sNnG1o=
  |         ^^^^^^^^^^^^
  = cause: who answers for the gate signs without asking anybody, and must not be able to attest as well
  = help: give each its own key, on a line of its own
""",
    ),
    "a key without its algorithm": (
        BASE + f"key Ada auditor {ADA_KEY[8:]}\n",
        """\
trust:5:17: error T208: `P8EaddmMGraWjDaY/gRvSaJ4448iBaklt/f15sNnG1o=` is not the key of a speaker
  |
5 | key Ada auditor P8EaddmMGraWjDaY/gRvSaJ4448iBaklt/f15sNnG1o=
  |                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = cause: a key is one of ed25519, ecdsa-p256, ml-dsa-44, a colon, and base64
  = help: copy the whole line that `scalegate keys new` printed
""",
    ),
    "a key that lost its end": (
        BASE + f"key Ada auditor {ADA_KEY[:-1]}\n",
        """\
trust:5:17: error T208: `ed25519:P8EaddmMGraWjDaY/gRvSaJ4448iBaklt/f15sNnG1o` is not the key of a speaker
  |
5 | key Ada auditor ed25519:P8EaddmMGraWjDaY/gRvSaJ4448iBaklt/f15sNnG1o
  |                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = cause: what stands behind the colon is not canonical base64
  = help: copy the whole line that `scalegate keys new` printed
""",
    ),
    "a name in another form": (
        BASE + f'key "Ada  Osei" auditor {ADA_KEY}\n',
        """\
trust:5:5: error T209: the name `Ada  Osei` is not in its normal form
  |
5 | key "Ada  Osei" auditor ed25519:P8EaddmMGraWjDaY/gRvSaJ4448iBaklt/f15sNnG1o=
  |     ^^^^^^^^^^^
  = cause: it has spaces at its ends or beside each other, or letters in another form
  = help: write `Ada Osei`
""",
    ),
    "a name in letters of two scripts": (
        BASE + f'key "\u0410da Osei" auditor {ADA_KEY}\n',
        """\
trust:5:5: error T209: the name `\u0410da Osei` mixes Cyrillic and Latin letters
  |
5 | key "\u0410da Osei" auditor ed25519:P8EaddmMGraWjDaY/gRvSaJ4448iBaklt/f15sNnG1o=
  |     ^^^^^^^^^^
  = cause: it could look like the name of somebody else
""",
    ),
    "a place that is no URL": (
        f"log {LOG} file:///etc/passwd\nquorum none\n",
        """\
trust:1:75: error T210: `file:///etc/passwd` is not a URL that starts with https:// or http://
  |
1 | log lab.example/log+b107523f+ASgzsQNUEF4pVhzKGF/yb82YmJ993p4R+Pd+29u6C/DK file:///etc/passwd
  |                                                                           ^^^^^^^^^^^^^^^^^^
  = cause: it is where the log or the witness is asked, and nothing else is asked over
  = help: write a URL, or leave it out
""",
    ),
    "a group that asks for too many": (
        BASE + "group both 3 a b\n",
        """\
trust:5:12: error T211: `3` is not how many members a group can ask for
  |
5 | group both 3 a b
  |            ^
  = cause: the group has 2 members
  = help: write `all`, `any`, or a number from 1 to 2
""",
    ),
    "custody that says nothing": (
        BASE + f'key Ada auditor {ADA_KEY} custody ""\n',
        """\
trust:5:78: error T212: the evidence of custody is empty
  |
5 | key Ada auditor ed25519:P8EaddmMGraWjDaY/gRvSaJ4448iBaklt/f15sNnG1o= custody ""
  |                                                                              ^^
  = cause: a reader would take it for evidence
  = help: say who saw what and when, or leave `custody` out
""",
    ),
    "a word that is not custody": (
        BASE + f'key Ada auditor {ADA_KEY} custdy "x"\n',
        """\
trust:5:70: error T202: `custody` and one text end the line
  |
5 | key Ada auditor ed25519:P8EaddmMGraWjDaY/gRvSaJ4448iBaklt/f15sNnG1o= custdy "x"
  |                                                                      ^^^^^^
  = help: write `key NAME ROLES ALGORITHM:BASE64 [custody "EVIDENCE"]`
""",
    ),
    "an older file without its digest": (
        BASE + "replaces trust-2025\n",
        """\
trust:5:10: error T213: `trust-2025` is not `sha256:` and 64 hex digits
  |
5 | replaces trust-2025
  |          ^^^^^^^^^^
  = help: copy the digest that permits under the older file carry
""",
    ),
    "a name given twice": (
        BASE + f"witness a {WITNESS['c']}\n",
        """\
trust:5:9: error T301: the name `a` is given a second time
  |
5 | witness a c.example+f499f5b9+BALIOJ7/+cavxi+NPzzGIZPcMcgtMpF3IQI86/Q4iunW
  |         ^
  = cause: line 2 gives it to a witness or group already
  = help: write another name, or leave the line out
""",
    ),
    "a name that looks like another": (
        BASE + f"witness A {WITNESS['c']}\n",
        """\
trust:5:9: error T301: the name `A` looks like `a` on line 2
  |
5 | witness A c.example+f499f5b9+BALIOJ7/+cavxi+NPzzGIZPcMcgtMpF3IQI86/Q4iunW
  |         ^
  = cause: names differ by more than case, width and spaces
  = help: write another name, or leave the line out
""",
    ),
    "a name that stands for nobody": (
        BASE + f"witness none {WITNESS['c']}\n",
        """\
trust:5:9: error T301: `none` is no name: it stands for a quorum without witnesses
  |
5 | witness none c.example+f499f5b9+BALIOJ7/+cavxi+NPzzGIZPcMcgtMpF3IQI86/Q4iunW
  |         ^^^^
  = help: write another name
""",
    ),
    "a member that nobody defined": (
        BASE + f"witness auditor {WITNESS['c']}\ngroup g any auditr\n",
        """\
trust:6:13: error T302: `auditr` is no witness or group that is defined before this line
  |
6 | group g any auditr
  |             ^^^^^^
  = help: did you mean `auditor`?
""",
    ),
    "a member twice": (
        BASE + "group g 2 a b a\n",
        """\
trust:5:15: error T303: `a` is a member a second time
  |
5 | group g 2 a b a
  |               ^
  = cause: it is one on line 5, and would count twice
  = help: leave one of them out
""",
    ),
    "one key under two names": (
        BASE + f"key Ada auditor {ADA_KEY}\nkey Eve auditor {ADA_KEY}\n",
        """\
trust:6:17: error T304: the public key stands on a second line
  |
6 | key Eve auditor ed25519:P8EaddmMGraWjDaY/gRvSaJ4448iBaklt/f15sNnG1o=
  |                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = cause: line 5 has it, and one key under two names would count as two
  = help: ask each of them for a key of their own
""",
    ),
    "keys of two logs": (
        BASE + "log " + vkey("other.example", SignatureType.NOTE) + "\n",
        """\
trust:5:5: error T305: the key is one of the log `other.example`, and the first of `lab.example/log`
  |
5 | log other.example+48ec0c7a+AX3k4FAQ+vgggk3EiJAbffLgcqxdlWka0kvrp5fuqgFA
  |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = cause: a trust file is about one log, so that nothing can be left out of it by writing to another
  = help: write one file for each log
""",
    ),
    "one cosigner that counts as two": (
        f"witness a {WITNESS['a']}\nwitness a2 {TWIN}\ngroup g 2 a a2\nquorum g\n",
        """\
trust:2:12: error T307: the witnesses `a2` and `a` are one cosigner, `a.example`
  |
2 | witness a2 a.example+d36551be+BOLlqz41d6hEHVpSrlXtg9i+NUzT7xFegzxvUorq0D6p
  |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = cause: whoever holds both would count as two
  = help: put both into a group: `group NAME any a a2`
""",
    ),
    "an older file named twice": (
        BASE + f"replaces sha256:{'7' * 64}\n" * 2,
        """\
trust:6:10: error T213: `sha256:77777777777777777777777777777777777777777777777777...` is replaced already
  |
6 | replaces sha256:7777777777777777777777777777777777777777777777777777777777777777
  |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: leave the line out
""",
    ),
}


@pytest.mark.parametrize("title", WRONG)
def test_a_wrong_file_is_answered_with_place_cause_and_remedy(title):
    text, said = WRONG[title]
    with pytest.raises(DiagnosticError) as caught:
        parse_trust(text)
    assert "".join(map(render, caught.value.diagnostics)) == said


def test_every_code_is_the_answer_to_some_file_here():
    said = "".join(said for _, said in WRONG.values())
    # The others are those of files too large to show, in test_trust.py.
    assert {code for code in CODES if f" {code}: " not in said} == {"T100", "T101", "T102", "T308"}

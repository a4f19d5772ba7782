"""What a review found: speakers without a name, keys with two holders, and gates that are not told apart."""

from dataclasses import replace

import pytest

from scalegate.app.book import Speaker
from scalegate.app.refusal import RefusalError
from scalegate.app.trusting import adopt_trust, revoke
from scalegate.core.events import DecisionMade, PermitRevoked, ResultReported, StopLifted
from scalegate.core.log_events import KeyRevoked, KeyRotated, TrustAdopted
from scalegate.ledger.dsse import canonical_envelope
from scalegate.ledger.leaf import read_leaf
from scalegate.ledger.note import format_vkey
from scalegate.ledger.trust import parse_trust, write_key
from tests.attacks.company import copied, reasons
from tests.attacks.insider import WITNESSES, witness_key, witness_lines
from tests.attacks.test_forged_entries import rotation
from tests.cli.lab import LEA
from tests.ledger.signers import Ed25519Signer, key_of

TESS = Speaker("Tess Ray", "trustee")


@pytest.fixture(scope="module")
def company(found):
    """A result that holds, a stop order, and a hold."""
    company = found()
    company.init()
    company.measure("r1", 90)
    company.do("stop", "issue", "halt", "--by", "M. Ito", "--role", "regulator")
    assert company.gate().code == 1
    return company


@pytest.fixture(scope="module")
def bundle(company):
    return company.export()


def check_refused(company, insider, *words, trust=None, code=4):
    said = company.verify(insider.publish(), trust=trust)
    found = reasons(said)
    assert said.code == code, said.out + said.err
    assert any(all(word in item for word in words) for item in found), found


# ---------------------------------------------------------------- nobody


def written(insider, name):
    return write_key(insider.key(name))


NOBODY = {
    "lifts-a-stop": lambda _: StopLifted("halt", "", "regulator"),
    "lifts-a-stop-without-a-role": lambda _: StopLifted("halt", "", ""),
    "reports": lambda insider: replace(insider.events()[insider.where(ResultReported)], by="", successes=0),
    "revokes": lambda insider: KeyRevoked("Lea Roth", written(insider, "Lea Roth"), "x", "", ""),
    "revokes-as-a-trustee": lambda insider: KeyRevoked("Lea Roth", written(insider, "Lea Roth"), "x", "", "trustee"),
    "rotates": lambda insider: KeyRotated(written(insider, "M. Ito"), written(insider, "acme gate"), "", ""),
    "revokes-a-permit": lambda _: PermitRevoked("sha256:" + "0" * 64, "", "developer"),
}


@pytest.mark.parametrize("make", NOBODY.values(), ids=NOBODY)
def test_the_gates_key_speaks_for_nobody(company, insider, make):
    """An event that names nobody had no role to check, and the gate's key is the developer's."""
    insider.add(make(insider), by=("acme gate",))
    check_refused(company, insider, "knows no key of ``")


def test_what_nobody_says_is_not_recorded(company, insider):
    before = company.kinds()
    book = company.book()
    with book.store:
        for make in NOBODY.values():
            event = make(insider)
            with pytest.raises(RefusalError, match="knows no key of ``"):
                book.record(lambda _, said=event: said)
    assert company.kinds() == before


# ---------------------------------------------------------------- one key, one holder


def lines_of(people, *, without=(), more=()):
    told = [f'{key.line} custody "minutes"' for name, key in people.keys.items() if name not in without]
    return [*told, *more]


def line_of(name, role, key):
    return f'key "{name}" {role} {write_key(key)} custody "minutes"'


def follow(people, name, old, **more):
    """A trust file that replaces another one."""
    path = people.file(name, f"replaces {parse_trust(old.read_text()).digest}", speakers=lines_of(people, **more))
    return path, parse_trust(path.read_text())


def adopt(company, path):
    """Let a trust file follow; others of these people stay under the older one."""
    trust = parse_trust(path.read_text())
    company.people.keyring.keep_trust(trust)
    book = company.book()
    with book.store:
        adopt_trust(book, trust)


def test_an_auditor_who_left_and_came_back_under_another_name(company, insider, people):
    """Her one key would fill a quorum of two."""
    first = company.trust
    gone, second = follow(people, "gone", first, without=("Lea Roth",))
    back = line_of("Lea Rothe", "auditor", insider.key("Lea Roth"))
    path = people.file(
        "back",
        f"replaces {second.digest}",
        f"replaces {parse_trust(first.read_text()).digest}",
        speakers=lines_of(people, without=("Lea Roth",), more=(back,)),
    )
    third = parse_trust(path.read_text())
    insider.add(TrustAdopted(second.digest, second.text), by=("acme gate",))
    assert company.verify(insider.publish(), trust=gone).code == 3
    insider.add(TrustAdopted(third.digest, third.text), by=("acme gate",))
    check_refused(company, insider, "gives `Lea Rothe` a key that `Lea Roth` had", trust=path)


def test_a_developer_whose_next_key_is_an_auditors_under_a_later_file(company, insider, people):
    """He rotates to a key; the next file keeps his line, and gives that key to somebody independent of him."""
    fresh = Ed25519Signer("fresh")
    insider.leaves.append(rotation(insider, "Ada Osei", fresh, insider.signer("Ada Osei"), fresh))
    path, later = follow(people, "later", company.trust, more=(line_of("Ida Falk", "auditor", key_of(fresh)),))
    assert company.verify(insider.publish()).code == 3
    insider.add(TrustAdopted(later.digest, later.text), by=("acme gate",))
    check_refused(company, insider, "gives `Ida Falk` a key that `Ada Osei` had", trust=path)


def test_the_key_of_a_witness_that_becomes_an_auditors(found, people):
    company = found("trust-witnessed")
    company.init()
    old = parse_trust(company.trust.read_text())
    some = [name for name in WITNESSES if name != "delta"]
    path = people.file(
        "witness-speaks", *witness_lines(some), f"replaces {old.digest}", quorum="two",
        speakers=lines_of(people, more=(line_of("Ida Falk", "auditor", witness_key("delta").key),)),
    )  # fmt: skip
    with pytest.raises(RefusalError, match=r"that `the witness delta\.example ` had"):
        adopt(company, path)


def test_the_key_of_the_log_that_becomes_an_auditors(found, people):
    company = found()
    company.init()
    ida = line_of("Ida Falk", "auditor", people.log.note.key)
    other = replace(people.log.note, key=key_of(Ed25519Signer("log 2")))
    path = people.file(
        "log-speaks",
        f"replaces {parse_trust(company.trust.read_text()).digest}",
        speakers=lines_of(people, more=(ida,)),
    )
    path.write_text(path.read_text().replace(people.log.line, f"log {format_vkey(other)}"))
    with pytest.raises(RefusalError, match="gives `Ida Falk` a key that `the log ` had"):
        adopt(company, path)


# ---------------------------------------------------------------- gates


@pytest.mark.parametrize("hint", ["", "acme gate", "Ada Osei"])
def test_an_entry_of_the_second_gate_that_does_not_say_so(company, insider, hint):
    """It was admitted as his, and recalled as the first gate's: the next honest answer ruined the log."""
    place = insider.where(DecisionMade)
    insider.leaves[place] = insider.again(place, by=("acme second gate",), number=1)
    assert company.verify(insider.publish()).code == 3
    envelope = read_leaf(insider.leaves[place]).envelope
    line = replace(envelope.signatures[0], key_id=insider.key(hint).digest if hint else "")
    insider.leaves[place] = canonical_envelope(replace(envelope, signatures=(line,)))
    check_refused(company, insider, f"entry {place} ", "not signed with the key of `the gate`")


@pytest.fixture
def gateless(found):
    """A company whose two gates were revoked by the trustee."""
    company = found()
    company.init()
    company.measure("r1", 0)
    book = company.book()
    with book.store:
        revoke(book, "acme gate", "stolen", TESS)
        revoke(book, "acme second gate", "stolen", TESS)
    return company


def test_a_log_whose_only_gate_was_revoked_goes_on_by_the_trustees_adoption(gateless, people):
    said = gateless.gate()
    assert said.code not in (0, 1), said
    new = people.keyring.create("acme third gate", ("gate",), protected=False, replaces=True)
    path, _ = follow(people, "third", gateless.trust, more=(f'{new.line} custody "minutes"',))
    adopt(gateless, path)
    assert gateless.gate().code == 0
    said = gateless.verify(gateless.export(), trust=path)
    assert (said.code, reasons(said)) == (3, []), said.out
    gateless.do("evidence", "register", "r2", "--evaluation", "autonomy", "--subject", "orion", "--items", "9",
                "--report-by", "10 days", *LEA)  # fmt: skip
    assert gateless.history().fault == ""


def test_a_log_whose_only_gate_was_revoked_does_not_go_on_by_anybody_else(gateless, people, tmp_path):
    path, later = follow(people, "by-others", gateless.trust)
    insider = copied(gateless.export(), tmp_path, people)
    for name in ("acme gate", "Ada Osei", "Bo Li"):
        insider.add(TrustAdopted(later.digest, later.text), by=(name,))
        check_refused(gateless, insider, "not signed with the key of `the gate`", trust=path)
        insider.leaves.pop()

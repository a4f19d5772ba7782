"""Keeping policies at the terminal."""

import pytest

from scalegate.core.events import HoleFilled, PolicyAdopted, PolicyWithdrawn
from tests.cli.lab import ADA, DAY, ITO, LEA, POLICY
from tests.cli.speakers import trust_file

SECOND = POLICY.replace('version: "1.2"', 'version: "1.3"').replace("20%", "15%")


def last(lab):
    return lab.history().entries[-1].event


def test_init_makes_a_store_once(empty):
    assert empty.do("init", "--trust", trust_file()).out.startswith("made a store")
    assert empty.run("init", "--trust", trust_file()).code == 1
    assert empty.gate().code == 1


@pytest.mark.parametrize("more", [("--by", "Ada"), ("--policy", "acme.yaml"), ("--role", "developer")])
def test_init_wants_a_policy_with_its_speaker(empty, more):
    empty.file("acme.yaml", POLICY)
    assert empty.run("init", "--trust", trust_file(), *more).code == 2
    assert not empty.store.exists()


def test_init_with_a_broken_policy_makes_nothing(empty):
    empty.file("acme.yaml", "scalegate: policy/v1\n")
    assert empty.run("init", "--trust", trust_file(), "--policy", "acme.yaml", *ADA).code == 2
    assert not empty.store.exists()


def test_the_store_is_found_from_below(bare, monkeypatch):
    below = bare.folder / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert "orion" in bare.do("subject", "list").out


def test_a_second_policy_binds_besides_the_first(bare):
    regime = bare.file("regime.yaml", POLICY.replace("id: acme-rsp", "id: regime"))
    bare.do("policy", "adopt", regime, *ITO)
    assert isinstance(last(bare), PolicyAdopted)
    found = bare.do("policy", "list", "--format", "json").json["policies"]
    assert [item["id"] for item in found] == ["acme-rsp", "regime"]
    assert bare.run("policy", "adopt", regime, *ITO).code == 1


@pytest.mark.parametrize("text", ["", "scalegate: policy/v1", "\xff\xfe", "a: &b 1\nc: *b"])
def test_what_is_no_policy_is_not_adopted(bare, text):
    path = bare.folder / "bad.yaml"
    path.write_bytes(text.encode("latin-1"))
    said = bare.run("policy", "adopt", path, *ADA)
    assert said.code == 2
    assert bare.kinds().count("PolicyAdopted") == 1


def test_a_policy_that_fits_in_no_entry_is_not_adopted(bare):
    long = bare.file("long.yaml", POLICY.replace("acme-rsp", "long") + f"# {chr(120) * 70}\n" * 1_000)
    assert bare.run("policy", "check", long).code == 0
    said = bare.run("policy", "adopt", long, *ADA)
    assert (said.code, "is the limit" in said.err) == (2, True)
    assert bare.run("policy", "adopt", bare.file("huge.yaml", "#" * 2_000_000), *ADA).code == 2


def test_an_amendment_names_what_it_replaces_and_gives_its_notice(bare):
    first = bare.history().entries[1].event
    said = bare.do("policy", "amend", bare.file("second.yaml", SECOND), *ADA)
    event = last(bare)
    assert event.replaces == first.digest
    assert event.effective >= bare.now + 30 * DAY
    assert f"acme-rsp/amendment:{event.digest}" in said.out
    assert "approval" in said.err


def test_an_amendment_of_nothing_or_to_nothing_new_is_refused(bare):
    assert bare.run("policy", "amend", "acme.yaml", *ADA).code == 1
    other = bare.file("other.yaml", POLICY.replace("acme-rsp", "acme-rps"))
    said = bare.run("policy", "amend", other, *ADA)
    assert (said.code, "did you mean `acme-rsp`?" in said.err) == (2, True)


def test_a_fill_is_checked_in_its_place(bare):
    fill = ("policy", "fill", "insight", "--expires", "12 months", *ADA, "--condition")
    assert bare.run(*fill, "deception <").code == 2
    assert bare.run(*fill, "nothing-known < 5%").code == 2
    said = bare.do(*fill, "deception < 5%")
    assert isinstance(last(bare), HoleFilled)
    assert "acme-rsp/fill:insight:sha256:" in said.out
    assert bare.run("policy", "fill", "insigt", *fill[3:], "deception < 5%").code == 2
    assert bare.run(*fill, "deception < 5%", "--expires", "2026-01-01").code == 2


def test_a_withdrawal_is_recorded_and_does_not_release(bare):
    bare.do("policy", "withdraw", "acme-rsp", *ADA)
    assert isinstance(last(bare), PolicyWithdrawn)
    assert bare.gate().code == 1
    assert bare.run("policy", "withdraw", "acme", *ADA).code == 2


def test_stop_orders_need_standing(bare):
    assert bare.run("stop", "issue", "halt", *LEA).code == 1
    assert bare.run("stop", "issue", "halt", "--action", "trian", *ITO).code == 2
    assert bare.run("stop", "issue", "halt", "--subject", "vega", *ITO).code == 2
    bare.do("stop", "issue", "halt", "--action", "deploy", "--subject", "orion", *ITO)
    assert bare.run("stop", "issue", "halt", *ITO).code == 1
    assert bare.do("status", "--format", "json").json["stop_orders"] == ["halt"]
    assert bare.run("stop", "lift", "halt", *LEA).code == 1
    assert bare.run("stop", "lift", "hlt", *ITO).code == 2
    bare.do("stop", "lift", "halt", *ITO)
    assert bare.run("stop", "lift", "halt", *ITO).code == 2
    assert bare.do("status", "--format", "json").json["stop_orders"] == []


def test_an_exception_must_exist(bare):
    bare.do("exception", "invoke", "rival", *ADA)
    assert bare.run("exception", "invoke", "rivl", *ADA).code == 2


def test_a_permit_can_be_revoked(lab):
    assert lab.gate().code == 0
    assert lab.do("permit", "list", "--format", "json").json["permits"][0]["state"] == "given"
    lab.do("permit", "revoke", "1", *ITO)
    assert lab.do("permit", "list", "--format", "json").json["permits"][0]["state"] == "revoked"
    assert lab.run("permit", "revoke", "2", *ITO).code == 2
    lab.now += 60 * DAY
    lab.do("permit", "list")


def test_format_writes_in_place_and_keeps_the_mode(empty):
    path = empty.file("untidy.yaml", POLICY.replace("id: acme-rsp", "id:    acme-rsp"))
    path.chmod(0o640)
    assert empty.run("policy", "format", "--check", path).code == 1
    empty.do("policy", "format", path)
    assert path.read_text() == POLICY
    assert path.stat().st_mode & 0o777 == 0o640
    assert [item.name for item in empty.folder.iterdir()] == ["untidy.yaml"]


def test_check_says_where(empty):
    empty.file("bad.yaml", POLICY.replace("autonomy <= 20%", "autonmy <= 20%"))
    for form in ("human", "plain", "json"):
        said = empty.run("policy", "check", "bad.yaml", "--format", form)
        assert said.code == 2
        assert "autonmy" in said.out
    span = said.json["findings"][0]["span"]
    line = POLICY.splitlines().index("    unless shown: autonomy <= 20%") + 1
    assert (span["line"], span["column"]) == (line, 19)


def test_check_can_be_strict(empty):
    empty.file("acme.yaml", POLICY)
    assert empty.run("policy", "check", "acme.yaml").code == 0
    assert empty.run("policy", "check", "--strict", "acme.yaml").code == 1


@pytest.mark.parametrize("name", ["minimal", "rsp", "regime", "calendar-pause", "stop", "moratorium"])
def test_every_template_can_be_adopted(empty, name):
    text = empty.do("policy", "new", "--template", name).out
    path = empty.file("new.yaml", text)
    assert empty.run("policy", "check", path).code == 0
    assert "hold" in empty.do("policy", "show", path).out.lower()
    empty.do("policy", "show", "--expanded", path)
    empty.do("init", "--trust", trust_file(), "--policy", path, *ADA)

"""What a developer with the command line, and no other tool, must not get away with."""

import json

from tests.cli.lab import ADA, DAY, LEA, POLICY


def add(lab, run, log, *more):
    return lab.run("evidence", "add", run, log, *more, *LEA)


def test_one_log_is_not_the_result_of_thirty_runs(empty):
    lab = empty
    lab.init()
    log = lab.log("a.jsonl", [0.0] * 20)
    for number in range(30):
        lab.register(f"r{number}", items=20)
        add(lab, f"r{number}", log)
    assert lab.gate().code == 1


def test_thirty_copies_that_differ_by_a_space_are_one_log(empty):
    lab = empty
    lab.init()
    for number in range(30):
        lab.register(f"r{number}", items=20)
        path = lab.file(f"{number}.jsonl", lab.log("a.jsonl", [0.0] * 20).read_text() + "\n" * number)
        add(lab, f"r{number}", path)
    assert lab.gate().code == 1


def test_the_same_weights_declared_again_as_small_stay_in_scope(empty):
    lab = empty
    lab.init()
    digest = f"sha256:{'ab' * 32}"
    for name, compute in (("big", "2e24"), ("small", "1e20")):
        lab.run("subject", "add", name, "--digest", digest, "--issuer", "acme",
                "--compute", compute, "--from-scratch", *ADA)  # fmt: skip
    assert lab.run("gate", "release.weights", "--subject", "small").code != 0
    assert lab.run("gate", "train", "--subject", "small", "--to", "9e23").code != 0


def test_a_system_declared_again_over_other_weights_stays_in_scope(empty):
    lab = empty
    lab.init()
    lab.model("tiny", "1e20")
    lab.do("subject", "add", "sys", "--kind", "system", "--weights", "orion", "--issuer", "acme", *ADA)
    digest = next(item["digest"] for item in lab.do("subject", "list", "--format", "json").json["subjects"]
                  if item["name"] == "sys")  # fmt: skip
    lab.run("subject", "add", "sys-2", "--kind", "system", "--weights", "tiny", "--issuer", "acme",
            "--digest", digest, *ADA)  # fmt: skip
    assert lab.run("gate", "deploy.api", "--subject", "sys-2").code != 0


def test_another_spelling_of_the_issuer_does_not_escape_a_crossing_elsewhere(empty):
    lab = empty
    lab.init()
    lab.model("vega", "3e24")
    for run, subject in (("v", "vega"), ("w", "copy")):
        if subject == "copy":
            lab.run("subject", "add", "copy", "--digest", f"sha256:{'cd' * 32}", "--issuer", "Acme",
                    "--compute", "2e24", "--from-scratch", *ADA)  # fmt: skip
        lab.do("evidence", "register", run, "--evaluation", "autonomy", "--subject", subject,
               "--items", 500, "--report-by", "10 days", *LEA)  # fmt: skip
        add(lab, run, lab.log(f"{run}.jsonl", [float(subject == "vega")] * 500))
    assert lab.run("gate", "train", "--subject", "copy", "--to", "4e24").code != 0


def test_the_scorer_is_not_chosen_after_the_scores_are_seen(empty):
    lab = empty
    lab.init()
    lab.register("r", items=500)
    rows = [{"doc_id": item, "metrics": ["acc", "exact"], "acc": float(item < 300), "exact": 0.0}
            for item in range(500)]  # fmt: skip
    path = lab.file("s.jsonl", "\n".join(map(json.dumps, rows)))
    add(lab, "r", path, "--scorer", "exact")
    assert lab.gate().code == 1


def test_items_are_not_picked_by_their_scores(empty):
    """500 of 1,500 items were kept, all failures; nothing else in the file says what was planned."""
    lab = empty
    lab.init()
    lab.register("r", items=500)
    rows = [{"doc_id": 3 * item, "metrics": ["acc"], "acc": 0.0} for item in range(500)]
    add(lab, "r", lab.file("s.jsonl", "\n".join(map(json.dumps, rows))))
    assert lab.gate().code == 1


def test_a_run_that_may_report_in_the_year_9999_is_missing_in_time(empty):
    """Five safety runs, the best one reported: nothing but its `report_by` bounds the others."""
    lab = empty
    lab.init()
    for number in range(5):
        lab.do("evidence", "register", f"d{number}", "--evaluation", "deception", "--subject", "orion",
               "--items", 300, "--report-by", "9999-01-01", *LEA)  # fmt: skip
    lab.measure("r", 30)
    add(lab, "d0", lab.log("d.jsonl", [0.0] * 300))
    lab.do("evidence", "attest", "safeguard", "vault", "--subject", "orion", "--expires", "11 months", *LEA)
    lab.do("evidence", "attest", "measurement", "red-team-theft", "--safeguard", "vault", "--count", "0/3",
           "--subject", "orion", "--expires", "11 months", *LEA)  # fmt: skip
    lab.do("evidence", "attest", "belief", "evaluation gaming is excluded", "--evaluation", "deception",
           "--subject", "orion", "--expires", "10 months", *LEA)  # fmt: skip
    lab.do("evidence", "attest", "measurement", "known positives flagged", "--evaluation", "deception",
           "--count", "20/20", "--subject", "orion", "--expires", "10 months", *LEA)  # fmt: skip
    lab.now += 80 * DAY
    assert lab.run("gate", "deploy.internal", "--subject", "orion").code == 1


def test_earlier_runs_of_others_do_not_take_the_error_from_the_auditors(empty):
    lab = empty
    lab.init()
    for number in range(40):
        lab.do("evidence", "register", f"x{number}", "--evaluation", "autonomy", "--subject", "orion",
               "--items", 2, "--report-by", "10 days", *ADA)  # fmt: skip
        lab.do("evidence", "add", f"x{number}", lab.log(f"x{number}.jsonl", [0.0, 0.0], n=number), *ADA)
    lab.measure("r", 34)
    assert any(reason["kind"] == "crossed" for reason in lab.gate("--format", "json").json["reasons"])


def test_somebody_without_a_key_registers_nothing(empty):
    lab = empty
    lab.init()
    before = lab.kinds()
    said = lab.run("evidence", "register", "x", "--evaluation", "autonomy", "--subject", "orion", "--items", 2,
                   "--report-by", "10 days", "--by", "Nobody 1", "--role", "developer")  # fmt: skip
    assert (said.code, "error[not-admitted]" in said.err) == (1, True)
    assert "the trust file knows no key of `Nobody 1`" in said.err
    assert lab.kinds() == before


def test_a_developer_does_not_speak_as_an_auditor(empty):
    lab = empty
    lab.init()
    before = lab.kinds()
    said = lab.run("evidence", "attest", "safeguard", "vault", "--subject", "orion", "--expires", "30 days",
                   "--by", "Ada Osei", "--role", "auditor")  # fmt: skip
    assert (said.code, "error[not-admitted]" in said.err) == (1, True)
    assert "does not let `Ada Osei` speak as `auditor`" in said.err
    assert lab.kinds() == before


def test_whoever_has_only_the_trust_file_signs_nothing(empty, monkeypatch):
    lab = empty
    lab.init()
    before = lab.kinds()
    monkeypatch.setenv("SCALEGATE_KEYS", str(lab.folder / "no-keys"))
    said = lab.run("evidence", "attest", "safeguard", "vault", "--subject", "orion", "--expires", "30 days", *LEA)
    assert (said.code, "error[key-missing]" in said.err) == (1, True)
    assert "the private key of `Lea Roth` is not here" in said.err
    assert lab.gate().code == 70
    assert lab.kinds() == before


def test_junk_strata_do_not_take_the_error_from_the_one_that_the_policy_asks_for(empty):
    lab = empty
    lab.init(POLICY.replace("score: success rate\n", "score: success rate\n    elicited by: [prompting]\n"))
    for number in range(40):
        lab.do("evidence", "register", f"x{number}", "--evaluation", "autonomy", "--subject", "orion",
               "--items", 2, "--report-by", "10 days", "--elicitation", f"junk-{number}", *ADA)  # fmt: skip
    lab.do("evidence", "register", "r", "--evaluation", "autonomy", "--subject", "orion", "--items", 100,
           "--report-by", "10 days", "--elicitation", "prompting", *LEA)  # fmt: skip
    add(lab, "r", lab.log("r.jsonl", [1.0] * 34 + [0.0] * 66))
    assert any(reason["kind"] == "crossed" for reason in lab.gate("--format", "json").json["reasons"])


def test_a_name_with_a_space_behind_it_is_no_second_person(empty):
    lab = empty
    lab.init()
    lab.do("evidence", "attest", "approval", "acme-rsp/exception:rival", "--expires", "30 days",
           "--by", "Bo Li", "--role", "board")  # fmt: skip
    said = lab.run("evidence", "attest", "approval", "acme-rsp/exception:rival", "--expires", "30 days",
                   "--by", "Bo Li ", "--role", "board")  # fmt: skip
    assert said.code == 2


def test_a_log_that_was_refused_stays_visible_when_another_stands(empty):
    lab = empty
    lab.init()
    lab.register("r", items=100)
    assert add(lab, "r", lab.log("bad.jsonl", [1.0] * 101)).code == 4
    add(lab, "r", lab.log("good.jsonl", [0.0] * 100))
    assert "E415" in lab.run("evidence", "list", "--format", "json").out


def test_no_line_of_an_answer_is_a_command_for_a_runner(empty):
    lab = empty
    for pad in range(0, 60, 4):
        text = f'"{"w " * pad}::error file=a::pwned"'
        said = lab.run("policy", "show", lab.file("h.yaml", POLICY.replace(
            "nobody yet knows what would be enough", text)))  # fmt: skip
        assert not [line for line in said.out.splitlines() if line.lstrip().startswith("::")]


def test_check_says_of_one_item_what_add_would(empty):
    lab = empty
    lab.init()
    assert lab.run("evidence", "check", lab.log("one.jsonl", [0.0])).code == 3

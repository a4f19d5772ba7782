"""What a permit for a deployment allows to serve, and the callers it is served to."""

import hashlib
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.core.actions import ACTIONS, covered
from scalegate.core.job_events import PermitClaimed
from scalegate.enforce.callers import Caller, Callers, CallersError, parse_callers
from scalegate.enforce.permit import PermitError
from scalegate.enforce.service import (
    DEPLOYMENTS,
    PATH,
    Asked,
    Endpoint,
    Offer,
    endpoint_of,
    endpoints_of,
    judge,
    judge_body,
    service_of,
)

NOW = 1_800_000_000
CLAIM = PermitClaimed(
    decision="sha256:d",
    action="deploy.partners",
    subject="orion-chat",
    context="desk",
    limit=0,
    expires=NOW + 100,
    digest="sha256:o",
    listing="",
    spent=0,
    factor=Fraction(1),
    scaffolds=("bare", "tool-loop"),
    evidence="sha256:e",
    job="svc",
    host="h",
    key="ed25519:k",
    follows="",
)
BEA = Caller("bea")
CHAT = Asked("POST", "/v1/chat/completions", "", BEA, "bare")
OFFER = Offer()
ANYONE = Offer(anyone=True)

deployments = st.sampled_from(sorted(DEPLOYMENTS))
paths = st.sampled_from(
    ["/v1/chat/completions", "/v1/models", "/v1/files", "/v1/fine_tuning/jobs", "/v1/batches", "/v1/nothing"]
)
requests = st.builds(
    Asked,
    method=st.sampled_from(["GET", "POST", "DELETE", "PUT"]),
    path=paths,
    query=st.sampled_from(["", "limit=2", "model=other"]),
    caller=st.sampled_from([None, BEA, Caller("cy", "bare"), Caller("di", "swarm")]),
    scaffold=st.sampled_from(["", "bare", "swarm", "*"]),
)


def lease(**fields):
    return service_of(replace(CLAIM, **fields))


def code(asked=CHAT, offer=OFFER, now=NOW, **fields):
    found = judge(lease(**fields), offer, asked, now)
    assert found.allowed == (found.code == "")
    return found.code


# ---------------------------------------------------------------- permits


@pytest.mark.parametrize("action", sorted(ACTIONS - DEPLOYMENTS))
def test_a_permit_for_anything_but_a_deployment_serves_nothing(action):
    with pytest.raises(PermitError, match="permit-action"):
        service_of(replace(CLAIM, action=action))


@pytest.mark.parametrize("action", sorted(DEPLOYMENTS))
def test_every_deployment_serves(action):
    assert code(action=action) == ""


def test_a_release_of_weights_is_no_deployment():
    assert "release.weights" not in DEPLOYMENTS
    assert "deploy.api" in DEPLOYMENTS


def test_a_permit_is_over_at_the_second_it_ends():
    assert code(now=NOW + 99.9) == ""
    assert code(now=NOW + 100) == "permit-expired"


@pytest.mark.parametrize("name", ["action", "subject", "digest", "context"])
def test_a_permit_for_another_deployment_renews_nothing(name):
    assert lease(expires=1, decision="sha256:other", scaffolds=()).renews(lease())
    other = "deploy.internal" if name == "action" else "other"
    assert not lease(**{name: other}).renews(lease())


# ---------------------------------------------------------------- callers and scaffolds


def test_a_caller_whom_nobody_named_is_refused():
    assert code(replace(CHAT, caller=None)) == "caller-unknown"


@pytest.mark.parametrize("action", sorted(DEPLOYMENTS))
def test_the_public_is_let_in_only_where_the_permit_is_about_it_and_the_operator_wants_it(action):
    asked = replace(CHAT, caller=None)
    assert code(asked, action=action, scaffolds=("*",)) == "caller-unknown"
    public = action in ("deploy.api", "deploy.finetuning")
    assert code(asked, ANYONE, action=action, scaffolds=("*",)) == ("" if public else "caller-unknown")


def test_a_scaffold_that_nobody_named_is_the_worst():
    assert code(replace(CHAT, scaffold="")) == "scaffold-unadmitted"
    assert code(replace(CHAT, scaffold=""), scaffolds=("*",)) == ""


@pytest.mark.parametrize("scaffold", ["swarm", "*", "Bare", "bare "])
def test_a_scaffold_that_the_context_does_not_admit_is_refused(scaffold):
    assert code(replace(CHAT, scaffold=scaffold)) == "scaffold-unadmitted"
    assert code(replace(CHAT, scaffold=scaffold), scaffolds=()) == "scaffold-unadmitted"
    assert code(replace(CHAT, scaffold=scaffold), scaffolds=("*",)) == ""


def test_a_star_among_others_is_the_name_of_a_scaffold():
    assert code(replace(CHAT, scaffold="swarm"), scaffolds=("*", "bare")) == "scaffold-unadmitted"


def test_a_caller_with_a_scaffold_of_its_own_has_no_other():
    cy = replace(CHAT, caller=Caller("cy", "tool-loop"), scaffold="")
    assert code(cy) == ""
    assert code(replace(cy, scaffold="tool-loop")) == ""
    assert code(replace(cy, scaffold="bare")) == "scaffold-other"
    assert code(replace(cy, scaffold="bare"), scaffolds=("*",)) == "scaffold-other"
    assert code(cy, scaffolds=("bare",)) == "scaffold-unadmitted"


def test_what_a_stranger_calls_its_scaffold_counts_for_nothing():
    asked = replace(CHAT, caller=None, scaffold="bare")
    assert code(asked, ANYONE, action="deploy.api") == "scaffold-unadmitted"


def test_a_list_of_models_needs_a_caller_and_no_scaffold():
    asked = Asked("GET", "/v1/models", "", BEA, "")
    assert code(asked) == ""
    assert code(replace(asked, path="/v1/models/acme/orion-chat")) == ""
    assert code(replace(asked, caller=None)) == "caller-unknown"


# ---------------------------------------------------------------- endpoints


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/fine_tuning/jobs"),
        ("GET", "/v1/fine_tuning/jobs/ftjob-1/events"),
        ("POST", "/v1/fine_tuning/jobs/ftjob-1/cancel"),
        ("POST", "/v1/files"),
        ("GET", "/v1/files/file-1/content"),
        ("DELETE", "/v1/files/file-1"),
        ("POST", "/v1/uploads/up-1/parts"),
    ],
)
def test_fine_tuning_and_its_files_need_a_permit_for_fine_tuning(method, path):
    asked = Asked(method, path, "", BEA, "bare")
    for action in DEPLOYMENTS:
        assert code(asked, action=action) == ("" if action == "deploy.finetuning" else "action-beyond")


@pytest.mark.parametrize(
    "path",
    ["/v1/batches", "/v1/batches/b-1", "/v1/threads/t/runs", "/v1/assistants", "/v1/load_lora_adapter", "/v1/realtime"],
)
@pytest.mark.parametrize("action", sorted(DEPLOYMENTS))
def test_what_could_not_be_held_is_allowed_under_no_permit(action, path):
    assert code(replace(CHAT, path=path), action=action, scaffolds=("*",)) == "endpoint-never"


@pytest.mark.parametrize("path", ["/", "/v1", "/v2/chat/completions", "/v1/chat", "/V1/chat/completions", "/metrics"])
def test_an_endpoint_that_is_not_known_is_refused(path):
    assert code(replace(CHAT, path=path)) in ("endpoint-unknown", "path-unclear")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "*",
        "v1/chat/completions",
        "//v1/chat/completions",
        "/v1//chat/completions",
        "/v1/chat/completions/",
        "/v1/models/../chat/completions",
        "/v1/models/..",
        "/v1/./chat/completions",
        "/v1/%63hat/completions",
        "/v1/models/%2e%2e/files",
        "/v1/chat%2fcompletions",
        "/v1\\chat\\completions",
        "/v1/chat/completions;x=1",
        "/v1/chat/completions?model=other",
        "/v1/chat/completions#x",
        "/v1/chat/completions\n",
        "/v1/chat/completions\x00",
        "/v1/chät/completions",
        "http://127.0.0.1/v1/chat/completions",
        "//evil.example/v1/chat/completions",
    ],
)
def test_a_path_that_could_be_read_in_two_ways_is_refused(path):
    asked = replace(CHAT, path=path)
    assert code(asked, scaffolds=("*",)) == "path-unclear"
    assert endpoint_of(asked) is None


@given(st.text(alphabet=st.characters(max_codepoint=0x17F), max_size=40))
def test_no_path_but_the_listed_ones_is_an_endpoint(text):
    for path in (text, f"/v1/{text}", f"/v1/chat/completions{text}", f"/v1/models/{text}"):
        if endpoints_of(path):
            assert PATH.fullmatch(path)
            assert path.startswith(("/v1/chat/completions", "/v1/models", "/v1/files", "/v1/uploads",
                                    "/v1/fine_tuning")) or not text  # fmt: skip
            assert not set(path) & set("%?#;\\ \n")
            assert ".." not in path.split("/")


def test_no_query_follows_an_inference():
    assert code(replace(CHAT, query="model=other")) == "query-unclear"
    assert code(replace(CHAT, query="stream")) == "query-unclear"
    files = Asked("GET", "/v1/files", "purpose=fine-tune&limit=2", BEA, "")
    assert code(files, action="deploy.finetuning") == ""
    assert code(replace(files, query="limit=%32"), action="deploy.finetuning") == "query-unclear"


@pytest.mark.parametrize("method", ["GET", "PUT", "post", "OPTIONS", "CONNECT", "HEAD"])
def test_an_inference_is_posted(method):
    assert code(replace(CHAT, method=method)) == "method-unknown"


# ---------------------------------------------------------------- laws


@given(deployments, deployments, requests)
def test_a_permit_for_what_is_harder_to_undo_allows_a_known_caller_no_less(easy, hard, asked):
    if hard in covered(easy) and asked.caller is not None:
        assert code(asked, action=hard) == "" or code(asked, action=easy) != ""


@given(deployments, requests, st.sets(st.sampled_from(["bare", "swarm"])))
def test_admitting_more_scaffolds_refuses_nobody(action, asked, scaffolds):
    fewer = tuple(sorted(scaffolds - {"swarm"}))
    if code(asked, ANYONE, action=action, scaffolds=fewer) == "":
        assert code(asked, ANYONE, action=action, scaffolds=tuple(sorted(scaffolds))) == ""
        assert code(asked, ANYONE, action=action, scaffolds=("*",)) == ""


@given(deployments, requests, st.booleans(), st.integers(-1_000, 1_000))
def test_what_is_allowed_now_was_allowed_before(action, asked, anyone, later):
    first = judge(lease(action=action), Offer(anyone=anyone), asked, NOW)
    second = judge(lease(action=action), Offer(anyone=anyone), asked, NOW + later)
    assert not second.allowed or later < 100
    if second.allowed or later < 100:
        assert first == second


# ---------------------------------------------------------------- bodies

ENDPOINT = Endpoint(("POST",), "deploy.internal", "json", inference=True)
STEERS = Endpoint(("POST",), "deploy.finetuning", "optional json")


def body_code(body, offer=OFFER, endpoint=ENDPOINT):
    return judge_body(lease(), offer, endpoint, body).code


def test_only_the_model_of_the_permit_is_served():
    assert body_code({"model": "orion-chat", "messages": []}) == ""
    assert body_code({"model": "orion"}) == "model-other"
    assert body_code({"model": "orion-chat "}) == "model-other"
    assert body_code({"model": ["orion-chat"]}) == "model-other"
    assert body_code({"model": None}) == "model-other"
    assert body_code({"messages": []}) == "model-missing"


def test_the_upstream_may_have_a_name_of_its_own_for_it():
    offer = Offer(model="acme/orion")
    assert body_code({"model": "acme/orion"}, offer) == ""
    assert body_code({"model": "orion-chat"}, offer) == "model-other"


@pytest.mark.parametrize("key", ["Model", "MODEL", "BACKGROUND", "bac\u212aground", "Fallbacks"])
def test_a_field_in_another_spelling_is_refused_because_some_readers_take_it(key):
    assert body_code({"model": "orion-chat", key: "other"}) == "body-unclear"


@pytest.mark.parametrize("key", ["models", "fallbacks", "api_base", "base_url"])
def test_a_field_by_which_routers_choose_another_model_is_refused(key):
    assert body_code({"model": "orion-chat", key: []}) == "model-other"


def test_nothing_works_on_in_the_background():
    assert body_code({"model": "orion-chat", "background": False}) == ""
    assert body_code({"model": "orion-chat", "background": True}) == "background-never"
    assert body_code({"model": "orion-chat", "background": "yes"}) == "background-never"


@pytest.mark.parametrize("body", [None, [], "orion-chat", 1, [{"model": "orion-chat"}]])
def test_a_body_that_is_no_object_is_refused(body):
    assert body_code(body) == "body-unclear"


def test_steering_a_job_of_fine_tuning_names_no_model_or_the_right_one():
    assert body_code(None, endpoint=STEERS) == ""
    assert body_code({}, endpoint=STEERS) == ""
    assert body_code({"model": "other"}, endpoint=STEERS) == "model-other"


# ---------------------------------------------------------------- callers


def mark(token):
    return hashlib.sha256(token.encode()).hexdigest()


def test_a_file_of_callers_has_names_and_scaffolds():
    found = parse_callers(f"# team\n\n{mark('a')} bea\n  {mark('b')}\tcy  tool-loop \r\n")
    assert found.find(b"a") == Caller("bea")
    assert found.find(b"b") == Caller("cy", "tool-loop")
    assert found.find(b"c") is None
    assert found.find(mark("a").encode()) is None
    assert Callers().find(b"") is None


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("", 0, "names nobody"),
        ("# only words\n", 0, "names nobody"),
        (f"{'0' * 64} bea\nsecret-token cy", 2, "SHA-256 of a token"),
        (f"{'A' * 64} bea", 1, "lower-case"),
        (f"{'0' * 63} bea", 1, "64"),
        (f"{'0' * 64}", 1, "1 words"),
        (f"{'0' * 64} bea bare more", 1, "4 words"),
        (f"{'0' * 64} bea\n{'0' * 64} cy", 2, "that of `bea` already"),
        (f"{'0' * 64} b\u0435a", 1, "a name is"),
        (f"{'0' * 64} bea *", 1, "a name is"),
    ],
)
def test_a_line_that_names_no_caller_is_refused_with_its_number(text, line, why):
    with pytest.raises(CallersError, match=why) as caught:
        parse_callers(text)
    assert caught.value.line == line


def test_an_error_about_a_line_does_not_repeat_what_may_be_a_token():
    with pytest.raises(CallersError) as caught:
        parse_callers("sk-secret bea")
    assert "sk-secret" not in str(caught.value)

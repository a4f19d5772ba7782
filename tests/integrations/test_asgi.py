"""The guard over HTTP: a real upstream, real permits, and whoever tries to get around the one with the other."""

import asyncio
import gzip
import hashlib
import json
import socket
import threading
from contextlib import contextmanager

import pytest

httpx = pytest.importorskip("httpx", reason="needs the extra `guard`")
uvicorn = pytest.importorskip("uvicorn", reason="needs the extra `guard`")
pytest.importorskip("starlette", reason="needs the extra `guard`")
pytestmark = [pytest.mark.extra, pytest.mark.slow]

from starlette.applications import Starlette  # noqa: E402
from starlette.middleware import Middleware  # noqa: E402
from starlette.requests import ClientDisconnect  # noqa: E402
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, StreamingResponse  # noqa: E402
from starlette.routing import Route  # noqa: E402

from scalegate.enforce.callers import Callers, parse_callers  # noqa: E402
from scalegate.enforce.service import Offer  # noqa: E402
from scalegate.integrations.asgi import Guard, GuardMiddleware  # noqa: E402
from scalegate.integrations.asgi_request import Limits, check_upstream  # noqa: E402
from scalegate.integrations.upstream import Upstream  # noqa: E402
from tests.integrations.deployed import DAY, deployed, edit, lab, renew, until  # noqa: E402

__all__ = ["deployed", "lab"]

TOKEN, FIXED = "sk-caller-bea", "sk-caller-cy"
UPSTREAM_KEY = "sk-upstream-key"
CALLERS = parse_callers(
    "".join(
        f"{hashlib.sha256(token.encode()).hexdigest()} {who}\n"
        for token, who in ((TOKEN, "bea"), (FIXED, "cy tool-loop"))
    )
)
ASK = {"model": "chat", "messages": [{"role": "user", "content": "hi"}]}
HEADERS = {"authorization": f"Bearer {TOKEN}", "x-scalegate-scaffold": "bare"}
TICK = 0.03


# ---------------------------------------------------------------- servers


@contextmanager
def serving(app):
    """An app on uvicorn in a thread, as the guard itself is run; its address."""
    config = uvicorn.Config(app, http="h11", ws="none", loop="asyncio", lifespan="auto", log_config=None,
                            access_log=False, proxy_headers=False, timeout_graceful_shutdown=1)  # fmt: skip
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            until(lambda: server.started)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)
            assert not thread.is_alive()


class Behind:
    """The upstream: what it saw, and how far its streams came."""

    def __init__(self):
        self.seen = []
        self.ticks = 0
        self.ended = threading.Event()
        self.app = Starlette(
            routes=[
                Route("/v1/chat/completions", self.chat, methods=["POST"]),
                Route("/v1/completions", self.odd, methods=["POST"]),
                Route("/v1/models", self.models),
                Route("/v1/files", self.files, methods=["POST"]),
                Route("/v1/fine_tuning/jobs", self.models, methods=["GET", "POST"]),
                Route("/{rest:path}", self.models, methods=["GET", "POST", "PUT", "DELETE"]),
            ]
        )

    async def chat(self, request):
        body = await request.json()
        self.seen.append((request.url.path, dict(request.headers), body))
        if not body.get("stream"):
            return JSONResponse({"choices": [{"message": {"content": "hello"}}]}, headers={"x-secret": "no"})
        kind = body.get("kind", "text/event-stream")
        return StreamingResponse(self.events(), media_type=kind)

    async def events(self):
        try:
            for number in range(1_000):
                self.ticks = number
                yield f"data: {number}\n\n"
                await asyncio.sleep(TICK)
            yield "data: [DONE]\n\n"
        finally:
            self.ended.set()

    async def odd(self, request):
        what = (await request.json())["prompt"]
        self.seen.append((request.url.path, dict(request.headers), what))
        if what == "redirect":
            return RedirectResponse("http://127.0.0.1:1/v1/completions")
        if what == "denied":
            return JSONResponse({"error": {"message": f"Incorrect API key: {UPSTREAM_KEY}"}}, 401)
        if what == "busy":
            return PlainTextResponse("busy", 429, headers={"retry-after": "7"})
        return StreamingResponse(self.breaking(), media_type="text/event-stream")

    async def breaking(self):
        yield "data: 1\n\n"
        raise OSError("the upstream dies")

    async def models(self, request):
        self.seen.append((request.url.path, dict(request.headers), await request.body()))
        return JSONResponse({"data": [{"id": "chat"}]})

    async def files(self, request):
        size = 0
        try:
            async for piece in request.stream():
                size += len(piece)
        except ClientDisconnect:
            self.seen.append((request.url.path, dict(request.headers), None))
            raise
        self.seen.append((request.url.path, dict(request.headers), size))
        return JSONResponse({"id": "file-1"})


@pytest.fixture
def behind():
    made = Behind()
    with serving(made.app) as url:
        made.url = url
        yield made


@contextmanager
def guarding(service, behind, *, callers=CALLERS, offer=None, limits=None):
    """A guard on uvicorn, and a client of it that shows a token."""
    app = Guard(service, Upstream(behind.url, UPSTREAM_KEY), callers=callers, offer=offer, limits=limits)
    with serving(app) as url, httpx.Client(base_url=url, headers=HEADERS, timeout=20, trust_env=False) as client:
        client.address = url
        yield client


@pytest.fixture
def guard(lab, behind):
    """A client of a guard with the permit of the lab."""
    with guarding(lab.service(lab.permit_file), behind) as client:
        yield client


def chat(client, **more):
    return client.post("/v1/chat/completions", json={**ASK, **more})


def reason(answer, status=503):
    """Why something was refused, from an error in the form of OpenAI."""
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert set(error) >= {"message", "type", "param", "code"}
    if status != 503:
        return error["code"]
    assert (error["code"], error["type"]) == ("scalegate_hold", "scalegate_hold")
    assert error["reason"] in error["message"]
    return error["reason"]


def standing(client):
    return client.get("/scalegate/standing")


def raw(client, text):
    """Send bytes as they are, and return the status and the rest of the answer."""
    host, port = client.address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as sock:
        sock.sendall(text if isinstance(text, bytes) else text.encode("latin-1"))
        data = b""
        while piece := sock.recv(65_536):
            data += piece
            if b"\r\n\r\n" in data and not data.partition(b"\r\n\r\n")[2] and b"content-length: 0" in data:
                break
            head, _, body = data.partition(b"\r\n\r\n")
            length = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"content-length")]
            if length and len(body) >= length[0]:
                break
    return int(data.split()[1]), data.decode("latin-1")


# ---------------------------------------------------------------- answers


def test_an_answer_comes_through_and_nothing_of_the_caller_goes_further(guard, behind):
    answer = guard.post(
        "/v1/chat/completions",
        json=ASK,
        headers={"cookie": "session=1", "x-api-key": "k", "api-key": "k", "x-forwarded-for": "10.0.0.1",
                 "x-http-method-override": "DELETE", "x-model": "other", "x-request-id": "r-1",
                 "connection": "x-drop", "x-drop": "1"},
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    assert answer.json()["choices"][0]["message"]["content"] == "hello"
    assert answer.headers["x-scalegate-decision"].startswith("sha256:")
    assert "x-secret" not in answer.headers
    (path, headers, body) = behind.seen[0]
    assert (path, body) == ("/v1/chat/completions", ASK)
    assert headers["authorization"] == f"Bearer {UPSTREAM_KEY}"
    assert TOKEN not in json.dumps(headers)
    assert set(headers) == {"host", "accept", "accept-encoding", "authorization", "connection", "content-length",
                            "content-type", "user-agent", "x-request-id"}  # fmt: skip
    assert headers["connection"] == "keep-alive"


def test_events_come_as_they_are_made(guard, behind):
    with guard.stream("POST", "/v1/chat/completions", json={**ASK, "stream": True}) as answer:
        lines = answer.iter_lines()
        first = [next(lines) for _ in range(5)]
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert behind.ticks < 900, "the answer had not ended by then"
    assert first[::2] == ["data: 0", "data: 1", "data: 2"]


def test_a_client_that_goes_away_stops_the_upstream(guard, behind):
    with guard.stream("POST", "/v1/chat/completions", json={**ASK, "stream": True}) as answer:
        next(answer.iter_lines())
    assert behind.ended.wait(5)
    assert behind.ticks < 900


def test_how_it_stands_is_said_to_everybody(guard, lab):
    answer = httpx.get(f"{guard.address}/scalegate/standing", trust_env=False)
    assert answer.status_code == 200
    found = answer.json()
    assert found["serves"]
    assert found["permit"]["context"] == "desk"
    assert any("which weights the upstream serves" in item for item in found["not_checked"])
    lab.permit_file.unlink()
    until(lambda: standing(guard).status_code == 503)
    assert standing(guard).json()["code"] == "permit-missing"
    assert guard.head("/scalegate/standing").content == b""
    assert reason(guard.post("/scalegate/standing")) == "permit-missing"


def test_an_error_of_the_upstream_is_the_caller_s_to_see(guard):
    answer = guard.post("/v1/completions", json={"model": "chat", "prompt": "busy"})
    assert (answer.status_code, answer.text, answer.headers["retry-after"]) == (429, "busy", "7")


def test_the_list_of_models_is_read(guard):
    assert guard.get("/v1/models").json()["data"][0]["id"] == "chat"


# ---------------------------------------------------------------- no permit


def test_no_permit(lab, behind):
    with guarding(lab.service(lab.folder / "none.permit"), behind) as client:
        answer = chat(client)
        assert reason(answer) == "permit-missing"
        assert answer.headers["x-should-retry"] == "false"
        assert reason(client.get("/v1/models")) == "permit-missing"
        assert standing(client).status_code == 503
    assert behind.seen == []


def test_expired_permit(lab, behind):
    lab.ahead = 60 * DAY
    with guarding(lab.service(lab.permit_file), behind) as client:
        assert reason(chat(client)) == "permit-expired"
    assert behind.seen == []


def test_permit_of_another_host(lab, behind):
    with guarding(lab.service(lab.permit_file, host="elsewhere"), behind) as client:
        assert reason(chat(client)) == "permit-host"
    assert behind.seen == []


def test_permit_without_key(lab, behind):
    (lab.folder / "svc.permit.key").unlink()
    with guarding(lab.service(lab.permit_file), behind) as client:
        assert reason(chat(client)) == "job-key"
    assert behind.seen == []


def test_permit_that_comes_later_opens_the_door(lab, behind):
    kept = lab.permit_file.rename(lab.folder / "kept")
    with guarding(lab.service(lab.permit_file), behind) as client:
        assert reason(chat(client)) == "permit-missing"
        kept.rename(lab.permit_file)
        until(lambda: chat(client).status_code == 200)


# ---------------------------------------------------------------- while it is served


@contextmanager
def streaming(client, **more):
    """A stream that has begun; what is left of it."""
    with client.stream("POST", "/v1/chat/completions", json={**ASK, "stream": True, **more}) as answer:
        assert answer.status_code == 200
        lines = answer.iter_lines()
        assert next(lines) == "data: 0"
        yield lines


def cut_off(lines):
    """The reason in the last event of a stream that was cut off, before it was done."""
    rest = [line for line in lines if line.startswith("data: ")]
    assert "data: [DONE]" not in rest
    error = json.loads(rest[-1].removeprefix("data: "))["error"]
    assert error["code"] == "scalegate_hold"
    return error["reason"]


def expire(lab):
    lab.ahead = 60 * DAY


def edit_in_place(lab):
    edit(lab.permit_file, "deploy.partners", "deploy.api")


def remove(lab):
    lab.permit_file.unlink()


def remove_key(lab):
    (lab.folder / "svc.permit.key").unlink()


def other_context(lab):
    renew(lab, lab.permit_file, context="second-desk")


@pytest.mark.parametrize(
    ("attack", "why"),
    [
        (expire, {"permit-expired"}),
        (edit_in_place, {"permit-edited", "permit-unsigned"}),
        (remove, {"permit-missing"}),
        (remove_key, {"job-key"}),
        (other_context, {"permit-other"}),
    ],
)
def test_a_hold_cuts_streams_off_and_refuses_at_once(guard, lab, behind, attack, why):
    with streaming(guard) as lines:
        attack(lab)
        assert reason(chat(guard)) in why | {"permit-changed"}
        assert cut_off(lines) in why | {"permit-changed"}
    assert behind.ended.wait(5)
    assert behind.ticks * TICK < 5, "a few seconds of an answer of half a minute"
    assert len(behind.seen) == 1
    assert reason(chat(guard)) in why


def test_an_answer_that_is_no_stream_of_events_is_left_broken(guard, lab):
    with streaming(guard, kind="text/plain") as lines:
        lab.permit_file.unlink()
        with pytest.raises(httpx.RemoteProtocolError):
            list(lines)


def test_a_renewal_cuts_nobody_off(guard, lab, behind):
    before = chat(guard).headers["x-scalegate-decision"]
    with streaming(guard) as lines:
        renew(lab, lab.permit_file)
        until(lambda: chat(guard).headers["x-scalegate-decision"] != before)
        ticks = behind.ticks
        until(lambda: behind.ticks > ticks + 40)
        assert next(lines) == ""
    assert standing(guard).status_code == 200


def test_a_new_permit_serves_again_without_a_restart(guard, lab):
    lab.permit_file.rename(lab.folder / "old.permit")
    (lab.folder / "svc.permit.key").rename(lab.folder / "old.permit.key")
    assert reason(chat(guard)) in ("permit-missing", "permit-changed")
    lab.deploy("svc", follows=lab.folder / "old.permit")
    until(lambda: chat(guard).status_code == 200)


def test_clock_set_back(guard, lab):
    lab.ahead = -400 * DAY
    assert chat(guard).status_code == 200
    lab.ahead = 60 * DAY
    assert reason(chat(guard)) == "permit-expired"
    lab.ahead = -400 * DAY
    assert reason(chat(guard)) == "permit-expired"


# ---------------------------------------------------------------- pulses


def test_pulse_held_by_a_stop_order(lab, behind):
    place = lab.pulse(lab.permit_file)
    old = place.read_bytes()
    with guarding(lab.service(lab.permit_file, pulse=str(place)), behind) as client, streaming(client) as lines:
        lab.stop()
        lab.pulse(lab.permit_file)
        assert cut_off(lines) == "permit-lapsed"
        place.write_bytes(old)
        assert reason(chat(client)) == "permit-lapsed"


def test_pulse_late(lab, behind):
    place = lab.pulse(lab.permit_file)
    with guarding(lab.service(lab.permit_file, pulse=str(place)), behind) as client, streaming(client) as lines:
        lab.ahead = 300
        assert reason(chat(client)) == "permit-lapsed"
        assert cut_off(lines) == "permit-lapsed"
        lab.ahead = 0


def test_pulse_over_http_that_does_not_come_delays_no_hold(lab, behind):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = f"http://127.0.0.1:{silent.getsockname()[1]}/svc.pulse"
        with guarding(lab.service(lab.permit_file, pulse=place), behind) as client:
            assert reason(chat(client)) in ("permit-lapsed", "not-begun")
    assert behind.seen == []


# ---------------------------------------------------------------- callers and scaffolds


@pytest.mark.parametrize(
    ("headers", "status", "why"),
    [
        ({"authorization": ""}, 401, "caller-unknown"),
        ({"authorization": "Bearer sk-other"}, 401, "caller-unknown"),
        ({"authorization": f"Basic {TOKEN}"}, 401, "caller-unknown"),
        ({"authorization": f"Bearer {hashlib.sha256(TOKEN.encode()).hexdigest()}"}, 401, "caller-unknown"),
        ({"x-scalegate-scaffold": "swarm"}, 403, "scaffold-unadmitted"),
        ({"x-scalegate-scaffold": ""}, 403, "scaffold-unadmitted"),
        ({"x-scalegate-scaffold": "bare, tool-loop"}, 403, "scaffold-unadmitted"),
        ({"authorization": f"Bearer {FIXED}"}, 403, "scaffold-other"),
    ],
)
def test_a_caller_or_scaffold_that_the_context_does_not_know(guard, behind, headers, status, why):
    answer = guard.post("/v1/chat/completions", json=ASK, headers=headers)
    assert reason(answer, status) == why
    assert behind.seen == []


def test_a_caller_of_another_context_is_nobody_here(lab, behind):
    others = parse_callers(f"{hashlib.sha256(b'sk-of-the-team').hexdigest()} ann")
    with guarding(lab.service(lab.permit_file), behind, callers=others) as client:
        assert reason(chat(client), 401) == "caller-unknown"
    assert behind.seen == []


def test_a_caller_with_a_fixed_scaffold_need_not_name_it(guard):
    headers = {"authorization": f"bearer {FIXED}", "x-scalegate-scaffold": "tool-loop"}
    assert guard.post("/v1/chat/completions", json=ASK, headers=headers).status_code == 200


def test_two_tokens_in_one_request_are_refused(guard, behind):
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
    for extra in ("Authorization: Bearer other", "X-Scalegate-Scaffold: bare\r\nX-Scalegate-Scaffold: swarm"):
        status, text = raw(guard, f"{head}{extra}\r\nContent-Length: 0\r\n\r\n")
        assert (status, "head-unclear" in text) == (400, True)
    assert behind.seen == []


@pytest.mark.parametrize(
    ("action", "context", "anyone", "status"),
    [
        ("deploy.api", "public", True, 200),
        ("deploy.api", "public", False, 401),
        ("deploy.partners", "desk", True, 401),
        ("deploy.internal", "team", True, 401),
    ],
)
def test_the_public_gets_in_only_under_a_permit_for_it(lab, behind, action, context, anyone, status):
    file = lab.deploy("other", action, context)
    with guarding(lab.service(file), behind, callers=Callers(), offer=Offer(anyone=anyone)) as client:
        del client.headers["authorization"]
        assert chat(client).status_code == status
    assert len(behind.seen) == (status == 200)


# ---------------------------------------------------------------- endpoints, paths and bodies


def test_fine_tuning_under_a_permit_for_an_api(lab, behind):
    with guarding(lab.service(lab.deploy("api", "deploy.api", "public")), behind) as client:
        assert chat(client).status_code == 200
        assert reason(client.post("/v1/fine_tuning/jobs", json={"model": "chat"}), 403) == "action-beyond"
        assert reason(client.post("/v1/files", files={"file": b"x"}), 403) == "action-beyond"
        assert reason(client.post("/v1/batches", json={}), 403) == "endpoint-never"
    assert len(behind.seen) == 1


def test_fine_tuning_under_a_permit_for_it(lab, behind):
    with guarding(lab.service(lab.deploy("tune", "deploy.finetuning", "tuning")), behind) as client:
        pieces = (b"x" * 50_000 for _ in range(20))
        assert client.post("/v1/files", content=pieces).status_code == 200
        assert client.post("/v1/files", content=b"x" * 3_000).status_code == 200
        assert client.get("/v1/fine_tuning/jobs?limit=2").status_code == 200
        assert client.post("/v1/fine_tuning/jobs", json={"model": "chat"}).status_code == 200
        assert client.post("/v1/fine_tuning/jobs/ftjob-1/cancel").status_code == 200
        assert reason(client.post("/v1/fine_tuning/jobs", json={"model": "ft:other"}), 404) == "model-other"
        assert "fine-tuning make upstream" in standing(client).text
    assert [item for _, _, item in behind.seen[:2]] == [1_000_000, 3_000]
    assert len(behind.seen) == 5


def test_body_too_large(lab, behind):
    file = lab.deploy("tune", "deploy.finetuning", "tuning")
    with guarding(lab.service(file), behind, limits=Limits(body=10_000)) as client:
        long = {**ASK, "more": "x" * 20_000}
        assert reason(client.post("/v1/chat/completions", json=long), 413) == "body-long"
        pieces = iter([json.dumps(long).encode()])
        headers = {"content-type": "application/json"}
        assert reason(client.post("/v1/chat/completions", content=pieces, headers=headers), 413) == "body-long"
        assert reason(client.post("/v1/files", content=b"x" * 20_000), 413) == "body-long"
        assert reason(client.post("/v1/files", content=(b"x" * 4_000 for _ in range(5))), 413) == "body-long"
        assert chat(client).status_code == 200
    until(lambda: behind.seen)
    assert not [item for path, _, item in behind.seen if path == "/v1/files" and item is not None]


def test_a_body_that_does_not_come(lab, behind):
    with guarding(lab.service(lab.permit_file), behind, limits=Limits(seconds=0.3)) as client:
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
        status, text = raw(client, f"{head}X-Scalegate-Scaffold: bare\r\nContent-Length: 9\r\n\r\n{{")
        assert (status, "body-late" in text) == (408, True)
    assert behind.seen == []


@pytest.mark.parametrize(
    "target",
    [
        "//v1/models",
        "/v1//models",
        "/v1/models/",
        "/v1/../v1/models",
        "/v1/chat/../models",
        "/v1/%6dodels",
        "/v1/models%2f..%2ffiles",
        "/v1%2fmodels",
        "/v1/models;x",
        "http://127.0.0.1:1/v1/models",
        "/v1/models/..%5c",
        "//127.0.0.1:1/v1/models",
        "/scalegate/../v1/models",
        "/scalegate/standing/../../v1/models",
        "*",
    ],
)
def test_path_tricks(guard, behind, target):
    status, text = raw(
        guard, f"GET {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n"
    )
    assert status in (400, 404), text
    assert behind.seen == []


SMUGGLED = "GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    "framing",
    [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 400\r\n",
        "Content-Length: 4\r\nContent-Length: 40\r\n",
        "Content-Length: +4\r\n",
        "Content-Length: 4, 40\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        " Transfer-Encoding: chunked\r\n",
    ],
)
def test_header_smuggling(guard, behind, framing):
    status, text = raw(
        guard,
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
        f"X-Scalegate-Scaffold: bare\r\nContent-Type: application/json\r\n{framing}\r\n0\r\n\r\n{SMUGGLED}",
    )
    assert status in (400, 415, 501), text
    assert behind.seen == []


@pytest.mark.parametrize(
    ("content", "headers", "why"),
    [
        (b'{"model":"chat","model":"other"}', {}, "body-unclear"),
        (b'{"model":"other","\\u006dodel":"chat"}', {}, "body-unclear"),
        (b'{"model":"chat","MODEL":"other"}', {}, "body-unclear"),
        (b'{"model":"chat"', {}, "body-unclear"),
        (b"", {}, "body-unclear"),
        (b"\xff\xfe{}", {}, "body-unclear"),
        (b'\xef\xbb\xbf{"model":"chat"}', {}, "body-unclear"),
        (b'{"model":"chat","x":' + b"[" * 90 + b"]" * 90 + b"}", {}, "body-unclear"),
        ('{"model":"chat"}'.encode("utf-16"), {"content-type": "application/json; charset=utf-16"}, "body-unclear"),
        (b'{"model":"chat"}', {"content-type": "text/plain"}, "body-unclear"),
        (b'{"model":"chat"}', {"content-type": "application/json; charset=utf-7"}, "body-unclear"),
        (gzip.compress(b'{"model":"chat"}', mtime=0), {"content-encoding": "gzip"}, "body-encoded"),
        (b'{"model":"tiny"}', {}, "model-other"),
        (b'{"model":"chat","models":["tiny"]}', {}, "model-other"),
        (b'{"messages":[]}', {}, "model-missing"),
        (b'{"model":"chat","background":true}', {}, "background-never"),
    ],
)
def test_a_body_that_another_reader_could_read_differently(guard, behind, content, headers, why):
    answer = guard.post(
        "/v1/chat/completions", content=content, headers={"content-type": "application/json", **headers}
    )
    assert 400 <= answer.status_code < 500
    assert answer.json()["error"]["code"] == why
    assert behind.seen == []


def test_a_query_that_names_another_model(guard, behind):
    answer = guard.post("/v1/chat/completions?model=tiny", json=ASK)
    assert reason(answer, 400) == "query-unclear"
    assert behind.seen == []


def test_a_large_body_is_read_in_a_thread_and_comes_through(guard, behind):
    assert chat(guard, more="x" * 600_000).status_code == 200
    assert len(behind.seen[0][2]["more"]) == 600_000


def test_websockets_are_refused(guard, behind):
    status, text = raw(
        guard,
        f"GET /v1/models HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    )
    assert (status, "upgrade-refused" in text) == (400, True)
    assert behind.seen == []


def test_a_socket_of_asgi_is_closed_before_it_opens(lab, behind):
    app = Guard(lab.service(lab.permit_file), Upstream(behind.url))
    sent = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    asyncio.run(app({"type": "websocket", "path": "/v1/realtime"}, receive, send))
    assert [message["type"] for message in sent] == ["websocket.close"]
    with pytest.raises(ValueError, match="is not served"):
        asyncio.run(app({"type": "other"}, receive, send))


# ---------------------------------------------------------------- upstreams


def test_upstream_unreachable(lab, behind):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        behind.url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with guarding(lab.service(lab.permit_file), behind) as client:
        assert reason(chat(client)) == "upstream-unreachable"


def test_a_redirect_would_lead_around_the_guard(guard):
    answer = guard.post("/v1/completions", json={"model": "chat", "prompt": "redirect"})
    assert reason(answer) == "upstream-redirects"
    assert "location" not in answer.headers


def test_what_the_upstream_says_of_its_key_stays_between_them(guard):
    answer = guard.post("/v1/completions", json={"model": "chat", "prompt": "denied"})
    assert reason(answer) == "upstream-refused"
    assert UPSTREAM_KEY not in answer.text


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_upstream_that_breaks_off_is_no_whole_answer(guard):
    with guard.stream("POST", "/v1/completions", json={"model": "chat", "prompt": "break"}) as answer:
        assert cut_off(answer.iter_lines()) == "upstream-unreachable"


@pytest.mark.parametrize(
    "url",
    ["", "127.0.0.1:8000", "ftp://host", "http://", "http://user:key@host", "http://host/?a=1", "http://host/#x",
     "http://host:0", "http://host//v1", "http://host/../v1", "http://host:99999"],
)  # fmt: skip
def test_an_address_of_an_upstream_is_one(url):
    with pytest.raises(ValueError, match=r".+"):
        check_upstream(url)


# ---------------------------------------------------------------- failures of the guard itself


class Broken(Callers):
    """Callers that cannot be looked through."""

    def find(self, token):
        raise RuntimeError("broken", token)


def test_a_failure_of_the_guard_lets_nothing_through(lab, behind):
    with guarding(lab.service(lab.permit_file), behind, callers=Broken()) as client:
        assert reason(chat(client)) == "guard-failed"
        assert "broken" not in chat(client).text
    assert behind.seen == []
    assert any("a request failed: RuntimeError" in line for line in lab.told)


def test_a_permit_that_cannot_be_looked_at_is_a_hold(lab, behind):
    service = lab.service(lab.permit_file)
    service._fits = None
    with guarding(service, behind) as client:
        assert reason(chat(client)) == "guard-failed"
    assert behind.seen == []


def test_the_end_is_reported_when_the_server_stops(lab, behind):
    service = lab.service(lab.permit_file)
    with guarding(service, behind) as client:
        assert chat(client).status_code == 200
    assert lab.reports(service) == [("started", ""), ("ended", "")]


# ---------------------------------------------------------------- middleware


@pytest.fixture
def inside(lab, behind):
    """A client of the upstream itself, with the guard as its middleware."""
    service = lab.service(lab.permit_file)
    app = Starlette(
        routes=behind.app.routes,
        middleware=[Middleware(GuardMiddleware, service=service, callers=CALLERS, limits=Limits(body=100_000))],
    )
    with serving(app) as url, httpx.Client(base_url=url, headers=HEADERS, timeout=20, trust_env=False) as client:
        client.address = url
        yield client


def test_a_server_with_the_middleware_answers_under_a_permit_only(inside, lab, behind):
    assert chat(inside).status_code == 200
    assert "authorization" not in behind.seen[0][1]
    assert "x-scalegate-scaffold" not in behind.seen[0][1]
    assert reason(chat(inside, model="tiny"), 404) == "model-other"
    assert reason(inside.get("/"), 400) == "path-unclear"
    assert reason(inside.get("/docs"), 404) == "endpoint-unknown"
    with streaming(inside) as lines:
        lab.permit_file.unlink()
        assert reason(chat(inside)) in ("permit-missing", "permit-changed")
        assert cut_off(lines) in ("permit-missing", "permit-changed")
    assert behind.ended.wait(5)
    assert len(behind.seen) == 2


def test_a_failure_inside_a_server_with_the_middleware_is_a_hold(inside):
    answer = inside.post("/v1/completions", json={"model": "chat"})
    assert reason(answer) == "guard-failed"


def test_the_middleware_limits_what_is_uploaded(lab, behind):
    file = lab.deploy("tune", "deploy.finetuning", "tuning")
    app = GuardMiddleware(behind.app, lab.service(file), callers=CALLERS, limits=Limits(body=10_000))
    with serving(app) as url, httpx.Client(base_url=url, headers=HEADERS, trust_env=False) as client:
        assert client.post("/v1/files", content=b"x" * 5_000).status_code == 200
        assert reason(client.post("/v1/files", content=(b"x" * 4_000 for _ in range(5))), 413) == "body-long"
    assert [item for _, _, item in behind.seen] == [5_000]

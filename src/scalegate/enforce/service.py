"""What a permit for a deployment lets a service answer: which endpoint, to whom, around which scaffold, until when.

Everything that is not known to be allowed is refused: endpoints by name, models by name, scaffolds unless the context
admits any. What would go on behind the service's back, once it is held, is refused under every permit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from scalegate.core.actions import covered
from scalegate.core.job_events import PermitClaimed
from scalegate.core.quantities import show_instant
from scalegate.enforce.callers import Caller
from scalegate.enforce.permit import PermitError

DEPLOYMENTS: Final = covered("deploy") - covered("release")
# Users whom nobody named: only these actions are about them.
PUBLIC: Final = frozenset({"deploy.api", "deploy.finetuning"})
ANY_SCAFFOLD: Final = ("*",)
Body = Literal["none", "json", "optional json", "bytes"]


@dataclass(frozen=True, slots=True)
class ServiceLease:
    """What one service may do, until when.

    Attributes:
        decision: digest of the permit.
        action: the deployment it is for.
        subject, digest: what may be served.
        context: where.
        scaffolds: what the context admits around it; `*` alone for any.
        expires: when it ends, in seconds since 1970.
    """

    decision: str
    action: str
    subject: str
    digest: str
    context: str
    scaffolds: tuple[str, ...]
    expires: int

    def renews(self, other: ServiceLease) -> bool:
        """Whether this one goes on with the same service: subject, files, action and context are the same."""
        names = ("action", "subject", "digest", "context")
        return all(getattr(self, name) == getattr(other, name) for name in names)


def service_of(claim: PermitClaimed) -> ServiceLease:
    """Return what a claim allows to serve.

    Raises:
        PermitError: if it is no permit for a deployment.
    """
    if claim.action not in DEPLOYMENTS:
        raise PermitError(
            "permit-action",
            f"the permit is one for {claim.action}, and serves nothing",
            "`scalegate gate deploy... --permit FILE --job NAME` asks for one",
        )
    return ServiceLease(
        decision=claim.decision,
        action=claim.action,
        subject=claim.subject,
        digest=claim.digest,
        context=claim.context,
        scaffolds=claim.scaffolds,
        expires=claim.expires,
    )


# ---------------------------------------------------------------- endpoints


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A kind of request.

    Attributes:
        methods: those it takes.
        needs: the least action whose permit covers it.
        body: what it takes.
        inference: whether the model is put to use, so that it has to be named, and the scaffold around it matters.
        query: whether anything may follow a `?`.
    """

    methods: tuple[str, ...]
    needs: str
    body: Body
    inference: bool = False
    query: bool = False


_INTERNAL: Final = "deploy.internal"
_TUNING: Final = "deploy.finetuning"
_ASKS: Final = Endpoint(("POST",), _INTERNAL, "json", inference=True)
_READS: Final = Endpoint(("GET",), _INTERNAL, "none")
_TUNES: Final = Endpoint(("POST",), _TUNING, "json", inference=True)
_STEERS: Final = Endpoint(("POST",), _TUNING, "optional json")
_UPLOADS: Final = Endpoint(("POST",), _TUNING, "bytes")
_LISTS: Final = Endpoint(("GET", "DELETE"), _TUNING, "none", query=True)

_SEGMENT: Final = r"/[A-Za-z0-9_][A-Za-z0-9_.:@~-]*"
_QUERY: Final = re.compile(r"[A-Za-z0-9_.~=&-]*", re.ASCII)
# No `//`, no `..`, no `%`, no scheme: what two servers could read differently is no path here.
PATH: Final = re.compile(rf"(?:{_SEGMENT})+", re.ASCII)
_INFERENCE: Final = frozenset(
    f"/v1/{name}"
    for name in (
        "audio/speech",
        "chat/completions",
        "completions",
        "embeddings",
        "images/generations",
        "moderations",
        "rerank",
        "responses",
        "score",
    )
)
_MODELS: Final = re.compile(rf"/v1/models(?:{_SEGMENT}){{0,2}}", re.ASCII)
_JOBS: Final = "/v1/fine_tuning/jobs"
_FILES: Final = re.compile(rf"/v1/(?:files|uploads)(?:{_SEGMENT}){{0,2}}", re.ASCII)
_JOB: Final = re.compile(rf"/v1/fine_tuning(?:{_SEGMENT}){{1,4}}", re.ASCII)
_GOES_ON: Final = "works on after the request, so that nothing could hold it"
_OTHER: Final = "brings other weights than those of the permit"
# Known, and not allowed under any permit; what is not known is not allowed either.
NEVER: Final[Mapping[str, str]] = {
    "/v1/assistants": _GOES_ON,
    "/v1/batches": _GOES_ON,
    "/v1/evals": _GOES_ON,
    "/v1/threads": _GOES_ON,
    "/v1/load_lora_adapter": _OTHER,
    "/v1/unload_lora_adapter": _OTHER,
    "/v1/realtime": "is a socket, and sockets are not looked into",
}


def endpoints_of(path: str) -> tuple[Endpoint, ...]:
    """Return what may be asked at a path, by method; nothing for one that is not known."""
    if path in _INFERENCE:
        return (_ASKS,)
    if _MODELS.fullmatch(path):
        return (_READS,)
    if path == _JOBS:
        return (_TUNES, _LISTS)
    if _JOB.fullmatch(path):
        return (_STEERS, _LISTS)
    if _FILES.fullmatch(path):
        return (_UPLOADS, _LISTS)
    return ()


# ---------------------------------------------------------------- one request


@dataclass(frozen=True, slots=True)
class Offer:
    """How an operator offers what the permit is for.

    Attributes:
        model: the name that the upstream has for it; empty for the subject's own.
        anyone: whether callers whom nobody named may ask, where the permit is one for the public.
    """

    model: str = ""
    anyone: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, without its body.

    Attributes:
        method, path, query: as they were sent, the path without its query.
        caller: who asks; None for somebody whom nobody named.
        scaffold: the one that the request names; empty for none.
    """

    method: str
    path: str
    query: str
    caller: Caller | None
    scaffold: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request may go on.

    Attributes:
        allowed: True if so.
        status: of HTTP, where it may not.
        code, words: why not.
    """

    allowed: bool
    status: int = 200
    code: str = ""
    words: str = ""


ALLOWED: Final = Verdict(allowed=True)


def _no(status: int, code: str, words: str) -> Verdict:
    return Verdict(allowed=False, status=status, code=code, words=words)


def judge(lease: ServiceLease, offer: Offer, asked: Asked, now: float) -> Verdict:
    """Return whether a request may be answered, before its body is read."""
    return next(_objections(lease, offer, asked, now), ALLOWED)


def endpoint_of(asked: Asked) -> Endpoint | None:
    """Return what is asked for; None where nothing like it may be."""
    found = endpoints_of(asked.path) if PATH.fullmatch(asked.path) else ()
    return next((item for item in found if asked.method in item.methods), None)


def _objections(lease: ServiceLease, offer: Offer, asked: Asked, now: float) -> Iterator[Verdict]:
    if now >= lease.expires:
        yield _no(503, "permit-expired", f"the permit ended at {show_instant(lease.expires)}")
    if asked.caller is None and not (offer.anyone and lease.action in PUBLIC):
        yield _no(401, "caller-unknown", "nobody named this caller to the service: a known bearer token is needed")
    if PATH.fullmatch(asked.path) is None:
        yield _no(400, "path-unclear", "the path could be read in more than one way")
    endpoint = endpoint_of(asked)
    if endpoint is None:
        yield _unknown(asked)
        return
    if endpoint.needs != lease.action and lease.action not in covered(endpoint.needs):
        yield _no(403, "action-beyond", f"the permit is one for {lease.action}, and this needs {endpoint.needs}")
    if endpoint.query and _QUERY.fullmatch(asked.query) is None:
        yield _no(400, "query-unclear", "the query could be read in more than one way")
    if asked.query and not endpoint.query:
        yield _no(400, "query-unclear", "nothing may follow a `?` here: some servers let it name another model")
    if endpoint.inference:
        yield from _scaffold(lease, asked)


def _unknown(asked: Asked) -> Verdict:
    for path, why in NEVER.items():
        if asked.path == path or asked.path.startswith(f"{path}/"):
            return _no(403, "endpoint-never", f"`{path}` {why}")
    if endpoints_of(asked.path):
        return _no(405, "method-unknown", "this endpoint does not take that method")
    return _no(404, "endpoint-unknown", "no permit is known to allow this endpoint")


def _scaffold(lease: ServiceLease, asked: Asked) -> Iterator[Verdict]:
    """Yield what speaks against the scaffold: one that nobody named is the worst, and a stranger's word is no name."""
    fixed = asked.caller.scaffold if asked.caller is not None else ""
    if fixed and asked.scaffold not in ("", fixed):
        yield _no(403, "scaffold-other", f"this caller has the scaffold `{fixed}` and no other")
    if lease.scaffolds == ANY_SCAFFOLD:
        return
    named = fixed or (asked.scaffold if asked.caller is not None else "")
    if not named or named not in lease.scaffolds:
        admitted = ", ".join(lease.scaffolds) or "none"
        said = "this one is not among them" if named else "none is named, and that is the worst"
        yield _no(403, "scaffold-unadmitted", f"the context admits the scaffolds {admitted}: {said}")


# ---------------------------------------------------------------- its body

# By these, servers that stand for several others let a request choose what `model` does not name.
_CHOOSERS: Final = frozenset({"models", "fallbacks", "api_base", "base_url"})
_READ: Final = frozenset({"model", "background"}) | _CHOOSERS


def judge_body(lease: ServiceLease, offer: Offer, endpoint: Endpoint, body: object) -> Verdict:
    """Return whether a request with this JSON may be answered: it asks for the model of the permit, and no other.

    Args:
        lease: what may be served.
        offer: how.
        endpoint: what is asked for.
        body: the JSON, read so that no key stands twice in an object; None where there is none.
    """
    if body is None and endpoint.body == "optional json":
        return ALLOWED
    if not isinstance(body, Mapping):
        return _no(400, "body-unclear", "the body is no JSON object")
    for key in body:
        # Readers that take no notice of case would see another field than is looked at here.
        if key not in _READ and str(key).casefold() in _READ:
            return _no(400, "body-unclear", f"the body spells `{str(key).casefold()}` in another way")
    chosen = sorted(_CHOOSERS & set(body))
    if chosen:
        return _no(400, "model-other", f"`{chosen[0]}` could choose another model than the permit is for")
    if body.get("background") not in (None, False):
        return _no(403, "background-never", f"what is asked for in the background {_GOES_ON}")
    served = offer.model or lease.subject
    if endpoint.inference and "model" not in body:
        return _no(400, "model-missing", f"the request names no model: `{served}` is served")
    if body.get("model", served) != served:
        return _no(404, "model-other", f"the permit is one for `{lease.subject}`: only `{served}` is served")
    return ALLOWED

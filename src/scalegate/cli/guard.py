"""`scalegate guard`: a model behind a door that a permit keeps open."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from scalegate.cli import exits
from scalegate.cli.options import PLACE, examples

if TYPE_CHECKING:
    from scalegate.enforce.callers import Callers
    from scalegate.enforce.service import Offer
    from scalegate.integrations.around import Around
    from scalegate.integrations.serving import Service

_PATH = click.Path(path_type=Path)
_EXTRA: Final = ("httpx", "uvicorn")
_MAX_KEY: Final = 1 << 12
_BACKLOG: Final = 512


@click.command(
    epilog=examples(
        "scalegate guard --permit orion.permit --trust acme.trust --upstream http://127.0.0.1:8000 --callers team.txt",
        "scalegate guard --permit api.permit --trust acme.trust --upstream http://127.0.0.1:8000 --anyone --hold-ready",
    )
)
@click.option("--permit", required=True, type=_PATH, help="The permit; the key of its job stands beside it.")
@click.option("--trust", type=_PATH, help="Whom you trust; by default the file that SCALEGATE_TRUST names.")
@click.option("--upstream", required=True, metavar="URL", help="The server behind, without `/v1`.")
@click.option("--listen", default="127.0.0.1:8080", show_default=True, metavar="HOST:PORT", help="Where to answer.")
@click.option("--pulse", default="", metavar="PATH|URL", help="Where `permit pulse` says whether the permit stands.")
@click.option("--callers", type=_PATH, help="Who may ask: lines of `SHA256-OF-TOKEN NAME [SCAFFOLD]`.")
@click.option("--anyone", is_flag=True, help="Let anybody ask, where the permit is one for the public.")
@click.option("--context", metavar="NAME", help="Take permits for this context only; by default the first one's.")
@click.option("--model", default="", metavar="NAME", help="What the upstream calls it; by default as the subject.")
@click.option("--upstream-key-file", type=_PATH, help="The bearer token that the upstream asks for.")
@click.option("--weights", type=_PATH, help="Compare these files with the permit, once, before anything is answered.")
@click.option("--safeguard", "safeguards", multiple=True, metavar="DIGEST", help="With --weights: those of the system.")
@click.option("--scaffold", default="", metavar="NAME", help="With --weights: the scaffold of the system.")
@click.option("--store", type=PLACE, help="Where holds and the end are recorded; by default that of SCALEGATE_STORE.")
@click.option("--hold-ready", is_flag=True, help="Begin without a valid permit, hold, and wait for one.")
def guard(  # noqa: PLR0913 - one argument for each option
    *,
    permit: Path,
    trust: Path | None,
    upstream: str,
    listen: str,
    pulse: str,
    callers: Path | None,
    anyone: bool,
    context: str | None,
    model: str,
    upstream_key_file: Path | None,
    weights: Path | None,
    safeguards: tuple[str, ...],
    scaffold: str,
    store: Path | str | None,
    hold_ready: bool,
) -> int:
    """Serve a model only while its permit stands: a proxy for endpoints as OpenAI has them.

    Prints its URL, and answers until it is interrupted. Without a valid permit for this deployment, and once it is
    removed, changed, ended or held by a pulse, every request gets 503 and answers on their way are cut off; a new
    permit for the same deployment, moved over the old file, opens it again. Needs the extra `guard`.

    `GET /scalegate/standing` says how it stands, and what no guard can check: which weights the upstream has. There is
    no TLS here: put a server that has it in front, and let nobody reach the upstream but the guard.
    """
    # Deferred: help does without them.
    from scalegate.app.refusal import RefusalError  # noqa: PLC0415
    from scalegate.enforce.service import Offer  # noqa: PLC0415
    from scalegate.integrations.around import Around  # noqa: PLC0415

    if (safeguards or scaffold) and weights is None:
        raise click.UsageError("--safeguard and --scaffold go with --weights")
    known = _callers(callers)
    if known is None and not anyone:
        raise click.UsageError("nobody may ask: --callers names them, and --anyone lets the public in")
    door = _Door(_upstream(upstream), _key(upstream_key_file), known, Offer(model, anyone=anyone))
    address = _address(listen)
    around = Around(pulse=pulse) if store is None else Around(pulse=pulse, store=os.fspath(store))
    service = _service(permit, trust, around, context, (weights, safeguards, scaffold))
    try:
        found = service.look()
        if found.lease is None and not hold_ready:
            hint = found.hint or "--hold-ready begins on hold, and waits for a permit"
            raise RefusalError("refused", found.code, found.words, hint)
        _check_extra()
        door.run(service, *address)
    finally:
        service.close()
    return exits.YES


def _service(
    permit: Path,
    trust: Path | None,
    around: Around,
    context: str | None,
    served: tuple[Path | None, tuple[str, ...], str],
) -> Service:
    from scalegate.app.refusal import RefusalError  # noqa: PLC0415
    from scalegate.enforce.permit import PermitError  # noqa: PLC0415
    from scalegate.integrations.serving import Service, read_served  # noqa: PLC0415

    weights, safeguards, scaffold = served
    try:
        found = read_served(weights, safeguards, scaffold) if weights is not None else None
    except PermitError as error:
        raise RefusalError("refused", error.code, error.message, error.hint) from error
    try:
        return Service(permit, trust, around, context=context, served=found)
    except PermitError as error:
        raise RefusalError("usage", error.code, error.message, error.hint) from error


def _upstream(url: str) -> str:
    from scalegate.integrations.asgi_request import check_upstream  # noqa: PLC0415

    try:
        return check_upstream(url)
    except ValueError as error:
        raise click.UsageError(f"--upstream: {error}") from error


def _callers(path: Path | None) -> Callers | None:
    """Return who may ask; None where no file names anybody.

    Raises:
        RefusalError: if the file cannot be read, or a line of it is none.
    """
    from scalegate.app.refusal import RefusalError  # noqa: PLC0415
    from scalegate.enforce.callers import MAX_CALLERS, CallersError, parse_callers  # noqa: PLC0415

    if path is None:
        return None
    data = _read(path, MAX_CALLERS)
    try:
        return parse_callers(data.decode("utf-8"))
    except CallersError as error:
        where = f"{path}:{error.line}: " if error.line else f"{path}: "
        words = str(error).removeprefix(f"line {error.line}: ")
        raise RefusalError("malformed", "callers-malformed", f"{where}{words}") from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RefusalError("malformed", "callers-malformed", f"{path}:{line}: it is not UTF-8") from error


def _key(path: Path | None) -> str:
    from scalegate.app.refusal import RefusalError  # noqa: PLC0415

    if path is None:
        return ""
    text = _read(path, _MAX_KEY).decode("ascii", "replace").strip()
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise RefusalError("malformed", "key-malformed", f"`{path}` is no one token of printable ASCII")
    return text


def _read(path: Path, limit: int) -> bytes:
    from scalegate.app.refusal import RefusalError  # noqa: PLC0415

    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise RefusalError("usage", "file-unreadable", f"cannot read `{path}`: {error.strerror}") from error
    if len(data) > limit:
        raise RefusalError("malformed", "file-long", f"`{path}` has more than {limit} bytes")
    return data


def _address(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not (port.isascii() and port.isdigit() and int(port[:6]) < 1 << 16):
        raise click.UsageError(f"--listen: `{listen}` is not HOST:PORT, such as 127.0.0.1:8080")
    return host, int(port)


def _check_extra() -> None:
    from scalegate.app.refusal import RefusalError  # noqa: PLC0415

    missing = [name for name in _EXTRA if find_spec(name) is None]
    if missing:
        raise RefusalError(
            "usage",
            "extra-missing",
            f"a guard needs the extra `guard`: there is no {' and no '.join(missing)}",
            "pip install 'scalegate[guard]'",
        )


@dataclass(frozen=True, slots=True)
class _Door:
    """What a guard is told by its operator.

    Attributes:
        upstream, key: the server behind, and the token for it.
        callers: who may ask; None where no file names anybody.
        offer: how it is offered.
    """

    upstream: str
    key: str
    callers: Callers | None
    offer: Offer

    def run(self, service: Service, host: str, port: int) -> None:
        """Answer until interrupted.

        Raises:
            RefusalError: if the port cannot be taken.
        """
        from scalegate.app.refusal import RefusalError  # noqa: PLC0415
        from scalegate.integrations.asgi import Guard  # noqa: PLC0415
        from scalegate.integrations.guard import serve  # noqa: PLC0415 - an extra
        from scalegate.integrations.upstream import Upstream  # noqa: PLC0415 - an extra

        app = Guard(service, Upstream(self.upstream, self.key), callers=self.callers, offer=self.offer)
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
        except OSError as error:
            raise RefusalError("usage", "port-taken", f"`{host}:{port}` cannot be taken: {error.strerror}") from error
        with listener:
            name = f"[{host}]" if ":" in host else host
            click.echo(f"http://{name}:{listener.getsockname()[1]}")
            serve(app, listener)

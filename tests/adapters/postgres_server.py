"""A PostgreSQL server of a test's own, from the wheel `pgserver`, that can be killed as by a loss of power.

PostgreSQL refuses to run as root: a test that is root runs it as `nobody`.
"""

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

WHO = "nobody" if os.geteuid() == 0 else None
USER = "scalegate"
# A log writer that sleeps: what nobody flushed is still in memory when the server is killed.
SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "16MB",
    "max_connections": "40",
    "wal_writer_delay": "10s",
    "wal_writer_flush_after": "0",
    "autovacuum": "off",
    "restart_after_crash": "on",
    "max_wal_size": "256MB",
    "recovery_init_sync_method": "syncfs",
    "log_min_messages": "warning",
}
PATIENCE = 30.0


def programs():
    """The folder with `postgres` and `initdb`; None where the wheel is not installed."""
    found = find_spec("pgserver")
    if found is None or found.origin is None:
        return None
    folder = Path(found.origin).parent / "pginstall" / "bin"
    return folder if (folder / "postgres").is_file() else None


def why_not():
    """Why there can be no server here; empty where there can."""
    if find_spec("psycopg") is None:
        return "the extra `postgres` is not installed"
    return "" if programs() else "the wheel `pgserver` is not installed"


class Server:
    """A server in a folder of its own; `url` is that of a database which `database` made."""

    def __init__(self, **settings):
        # Not below the folder of pytest, which is open to its owner only; and short, for the name of a socket.
        self.folder = Path(tempfile.mkdtemp(prefix="sgpg-", dir="/tmp"))
        self._process = None
        self._settings = {**SETTINGS, "unix_socket_directories": str(self.folder), **settings}
        self._names = itertools.count()
        data = self.folder / "data"
        data.mkdir(mode=0o700)
        if WHO:
            for path in (self.folder, data):
                shutil.chown(path, WHO)
        self._data = data
        made = self._run("initdb", "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale", "C", "-N")
        made.check_returncode()

    def start(self):
        """Start it, and wait until it answers."""
        options = [word for name, value in self._settings.items() for word in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [programs() / "postgres", "-D", self._data, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                user=WHO,
            )
        self.wait()
        return self

    def wait(self):
        """Wait until it answers."""
        import psycopg  # noqa: PLC0415 - an extra

        until = time.monotonic() + PATIENCE
        while True:
            try:
                psycopg.connect(self.address("postgres"), connect_timeout=5).close()
            except psycopg.OperationalError:
                if time.monotonic() > until or self._process.poll() is not None:
                    raise
                time.sleep(0.005)
            else:
                return

    def kill(self):
        """Kill the postmaster and everything that it started, at once."""
        victims = [self._process.pid, *self.backends()]
        for victim in victims:
            with suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
        self._process.wait()
        # A new postmaster does not start while one of the old ones holds the shared memory.
        until = time.monotonic() + PATIENCE
        while any(map(_runs, victims[1:])) and time.monotonic() < until:
            time.sleep(0.001)

    def backends(self):
        """The processes that the postmaster started."""
        found = []
        for status in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                fields = status.read_text().rpartition(")")[2].split()
                if int(fields[1]) == self._process.pid:
                    found.append(int(status.parent.name))
        return found

    def sessions(self):
        """The processes behind connections."""
        found = []
        for process in self.backends():
            with suppress(OSError):
                # As it calls itself: "postgres: scalegate log0 [local] idle".
                if b"[local]" in Path(f"/proc/{process}/cmdline").read_bytes():
                    found.append(process)
        return found

    def stop(self):
        """Stop it for good."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def address(self, name):
        """The URL of a database."""
        return f"postgresql://{USER}@/{name}?host={self.folder}"

    def database(self, template="template1"):
        """Make a database, and return its URL."""
        import psycopg  # noqa: PLC0415 - an extra

        name = f"log{next(self._names)}"
        with psycopg.connect(self.address("postgres"), autocommit=True) as db:
            db.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.address(name)

    def log(self):
        """What the server wrote about itself."""
        return (self.folder / "log").read_text()

    def _run(self, name, *arguments):
        return subprocess.run([programs() / name, *arguments], capture_output=True, check=False, text=True, user=WHO)


def _runs(process):
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"

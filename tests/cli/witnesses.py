"""A lab whose log has three witnesses, which answer over HTTP in threads, and a clock of their own."""

from contextlib import ExitStack

from scalegate.adapters.signers.secret import Secrets
from scalegate.adapters.witness_server import serve
from scalegate.app.hosting import open_witness
from scalegate.app.keyring import Keyring
from scalegate.ledger.note import SignatureType
from tests.cli.speakers import ORIGIN, SPEAKERS

NAMES = ("w1", "w2", "w3")


class Watch:
    """The clock of the witnesses, which may be ahead of the lab's, or fail one of them for some answers."""

    def __init__(self, lab):
        self.lab = lab
        self.ahead = 0
        self.failures = {}

    def of(self, name):
        """The clock of one witness."""
        return _Clock(self, name)


class _Clock:
    def __init__(self, watch, name):
        self._watch, self._name = watch, name

    def now(self):
        if self._watch.failures.get(self._name, 0):
            self._watch.failures[self._name] -= 1
            raise OSError("no clock")
        return self._watch.lab.now + self._watch.ahead


class Witnesses:
    """Three witnesses of a lab. Those that are down do not answer."""

    def __init__(self, lab, stack, quorum="2 of 3", roles=SPEAKERS):
        self.lab, self.clock = lab, Watch(lab)
        self._stack, self._ports, self._up = stack, {}, {}
        folder = lab.folder / "witnesses"
        self._ring = Keyring(folder / "keys", Secrets({}))
        ring = Keyring(lab.folder / "keys", Secrets({}))
        log = ring.create_note(ORIGIN, SignatureType.NOTE, protected=False).line
        self._log = log.split()[1]
        speakers = [ring.create(name, roles, protected=False).line for name, roles in roles.items()]
        keys = {
            name: self._ring.create_note(f"{name}.example", SignatureType.COSIGNATURE, protected=False).line.split()[2]
            for name in NAMES
        }
        for name in NAMES:
            self.start(name, new=True)
        lines = [f"witness {name} {keys[name]} http://127.0.0.1:{self._ports[name]}" for name in NAMES]
        group = f"group witnesses {quorum.split()[0]} w1 w2 w3"
        self.trust = lab.file("trust", "\n".join([log, *lines, group, "quorum witnesses", *speakers]) + "\n")

    def start(self, name, *, new=False):
        """Let a witness answer, where it answered before."""
        folder = self.lab.folder / "witnesses" / name
        stack = self._stack.enter_context(ExitStack())
        found = stack.enter_context(open_witness(self._ring, f"{name}.example", [self._log], folder, new=new))
        listener = stack.enter_context(serve(found, self.clock.of(name), port=self._ports.get(name, 0)))
        listener.start()
        self._ports[name] = int(listener.url.rpartition(":")[2])
        self._up[name] = stack

    def stop(self, name):
        """Let a witness answer no longer."""
        self._up.pop(name).close()

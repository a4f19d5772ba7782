"""A hostile insider: the keys of the developer, the log and the gate, and write access to store and export.

What he cannot do is sign for auditors, regulators and witnesses. Everything that follows from a change of his he
repairs as far as his keys go: counters, heads of answers, tiles, the checkpoint.
"""

import json
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from scalegate.adapters.signers.secret import Secrets
from scalegate.app.keyring import Keyring
from scalegate.core.canonical import canonical_bytes, digest, digest_bytes
from scalegate.core.events import DecisionMade
from scalegate.ledger.checkpoint import Checkpoint, format_checkpoint
from scalegate.ledger.codec import encode_event
from scalegate.ledger.leaf import read_leaf, sign_leaf, write_statement
from scalegate.ledger.log_folder import LogFolder
from scalegate.ledger.merkle import Tree, leaf_hash
from scalegate.ledger.mirror import entries, write_tiles
from scalegate.ledger.note import Note, NoteKey, SignatureType, format_note, format_vkey, open_checkpoint, parse_note
from scalegate.ledger.proof import Prover
from scalegate.ledger.signatures import PublicKey
from scalegate.ledger.trust import Trust, parse_trust
from scalegate.ledger.witness import Witness, WitnessState, format_request
from tests.ledger.signers import Ed25519Signer, key_of

ORIGIN = "acme.example/attacked"
SPEAKERS = {
    "Ada Osei": ("developer",),
    "Lea Roth": ("auditor",),
    "Noa Adler": ("auditor",),
    "M. Ito": ("regulator",),
    "Bo Li": ("board",),
    "Cy Ng": ("board",),
    "Tess Ray": ("trustee",),
    "acme gate": ("gate",),
    "acme second gate": ("gate",),
}
OUTSIDE = frozenset({"Lea Roth", "Noa Adler", "M. Ito", "Tess Ray"})
WITNESSES = ("north", "opal", "delta")


class People:
    """Keys of everybody, made once, and the trust files that name them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keyring = Keyring(folder / "keys", Secrets({}))
        self.log = self.keyring.create_note(ORIGIN, SignatureType.NOTE, protected=False)
        self.keys = {name: self.keyring.create(name, roles, protected=False) for name, roles in SPEAKERS.items()}
        self._signers: dict[str, object] = {}
        self.file("trust")
        self.file("trust-witnessed", *witness_lines(), quorum="two")

    def file(self, name: str, *more: str, quorum: str = "none", speakers=None) -> Path:
        """Write a trust file."""
        told = [f'{key.line} custody "minutes of 2026-03-01"' for key in self.keys.values()]
        lines = [self.log.line, *more, f"quorum {quorum}", *(told if speakers is None else speakers)]
        path = self.folder / name
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    def signer(self, name: str):
        """Return what signs with the first key of somebody."""
        if name not in self._signers:
            self._signers[name] = self.keyring.signer(self.keys[name].public)
        return self._signers[name]

    def log_signer(self):
        """Return what signs checkpoints."""
        if "" not in self._signers:
            self._signers[""] = self.keyring.note_signer(self.log.note)
        return self._signers[""]

    def use(self, patch) -> None:
        """Let commands find the keys."""
        patch.setenv("SCALEGATE_KEYS", os.fspath(self.folder / "keys"))


def witness_key(name: str) -> NoteKey:
    """The key of a witness."""
    return NoteKey(f"{name}.example", SignatureType.COSIGNATURE, key_of(Ed25519Signer(name)))


def witness_lines(names=WITNESSES, needed=2) -> list[str]:
    """Lines of a trust file: some witnesses, and the group `two` of them."""
    lines = [f"witness {name} {format_vkey(witness_key(name))}" for name in names]
    return [*lines, f"group two {needed} {' '.join(names)}"]


class Witnesses:
    """Witnesses with their memories, each of which answers as it would over HTTP."""

    def __init__(self, folder: Path, log: NoteKey, names=WITNESSES) -> None:
        self.folder, self.log, self.all = folder, log, {}
        for name in names:
            opened = WitnessState if (folder / name).exists() else WitnessState.create
            state = opened(folder / name, witness_key(name))
            self.all[name] = Witness(state, Ed25519Signer(name), {log.name: (log,)})

    def copy(self, folder: Path) -> "Witnesses":
        """Return witnesses who remember the same, and forget nothing of it here."""
        shutil.copytree(self.folder, folder)
        return Witnesses(folder, self.log)

    def ask(self, note: bytes, tree: Tree, time: int, names=None) -> tuple[bytes, dict[str, int]]:
        """Return the note with every cosignature that was given, and the status of each answer."""
        parsed = parse_note(note)
        size = int(parsed.text.split("\n")[1])
        lines, status = list(parsed.signatures), {}
        for name in names or self.all:
            witness = self.all[name]
            head = witness.heads()[parsed.text.split("\n")[0]]
            old = head.checkpoint.size if head else 0
            proof = Prover(tree.node, size).consistency(old) if 0 < old < size else ()
            answer = witness.add_checkpoint(format_request(min(old, size), proof, note), time)
            status[name] = answer.status
            if answer.status == 200:
                lines += parse_note(f"{parsed.text}\n{answer.body.decode()}".encode()).signatures
        return format_note(Note(parsed.text, tuple(lines))), status


@dataclass
class Insider:
    """Rewrites one bundle.

    Attributes:
        folder: the bundle.
        people: everybody's keys; those of `OUTSIDE` he does not have, and never asks for.
        leaves: what he will publish.
    """

    folder: Path
    people: People

    def __post_init__(self) -> None:
        key = self.people.log.note
        size = open_checkpoint((self.folder / "checkpoint").read_bytes(), ORIGIN, (key,)).checkpoint.size
        self.leaves = list(entries(LogFolder(self.folder).read, size))
        # Nothing rests on them, and they would only show what he changed.
        for name in ("derived", "attestations"):
            shutil.rmtree(self.folder / name, ignore_errors=True)

    @property
    def trust(self) -> Trust:
        """The trust file of the bundle."""
        return parse_trust((self.folder / "trust").read_bytes())

    def events(self) -> list[object]:
        """What the leaves say."""
        return [read_leaf(data).event for data in self.leaves]

    def where(self, kind: type, place: int = 0, /, **fields: object) -> int:
        """Return the index of the first entry of a kind, or of a later one, that has these fields."""
        found = [
            index
            for index, event in enumerate(self.events())
            if isinstance(event, kind) and all(getattr(event, name) == value for name, value in fields.items())
        ]
        return found[place]

    # ------------------------------------------------------------ signing

    def signer(self, name: str):
        """Return what signs for somebody; a KeyError for whoever is outside his reach."""
        if name in OUTSIDE:
            raise KeyError(name)
        return self.people.signer(name)

    def key(self, name: str) -> PublicKey:
        """The public key of somebody."""
        return self.people.keys[name].public

    def leaf(self, event, number, at, *, by=(), log=ORIGIN, subjects=None) -> bytes:
        """Return a leaf signed by some of those whose keys he has; by whom the event names unless told otherwise."""
        subjects = subjects or (("event", digest(encode_event(event)).removeprefix("sha256:")),)
        names = by or (getattr(event, "by", "") or "acme gate",)
        return sign_leaf(write_statement(event, log, number, at, subjects), [self.signer(name) for name in names])[1]

    def again(self, index: int, *, by=(), **changes: object) -> bytes:
        """Return the leaf of an entry, signed anew with other fields of the statement; fields of the event are named.

        `at`, `number`, `origin` and `subjects` are of the statement.
        """
        said = read_leaf(self.leaves[index])
        given = {name: changes.pop(name) for name in ("at", "number", "origin", "subjects") if name in changes}
        event = replace(said.event, **changes)
        about = said.subjects if said.subjects[0][0] != "event" else None
        return self.leaf(
            event,
            given.get("number", said.number),
            given.get("at", said.at),
            by=by,
            log=given.get("origin", said.log),
            subjects=given.get("subjects", about),
        )

    def add(self, event, at: int | None = None, **more: object) -> None:
        """Add an entry behind all others, signed by whom it names, or the gate."""
        said = [read_leaf(data) for data in self.leaves]
        name = getattr(event, "by", "") or (more.get("by") or ("acme gate",))[0]
        number = 1 + sum(self.author(item) == name for item in said)
        self.leaves.append(self.leaf(event, more.pop("number", number), at or said[-1].at, **more))

    @staticmethod
    def author(said) -> str:
        """Return whose statement a leaf is, where only the first gate ever signs."""
        return getattr(said.event, "by", "") or "acme gate"

    # ------------------------------------------------------------ answers

    def blob(self, data: bytes) -> str:
        """Put a document into the bundle."""
        mark = digest_bytes(data)
        text = mark.removeprefix("sha256:")
        path = self.folder / "blobs" / "sha256" / text[:2] / text
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return mark

    def path(self, mark: str) -> Path:
        """Return where a document of the bundle is."""
        text = mark.removeprefix("sha256:")
        return self.folder / "blobs" / "sha256" / text[:2] / text

    def record(self, event: DecisionMade) -> dict[str, object]:
        """Return the record of an answer."""
        return json.loads(self.path(event.decision).read_bytes())

    def mint(self, model: int, *, at: int | None = None, record=None, **changes: object) -> str:
        """Add an answer like that of entry `model`, on the last entry, and return its digest."""
        said = [read_leaf(data) for data in self.leaves]
        old = said[model].event
        body = self.record(old) | {"head": said[-1].digest} | (record or {})
        count = sum(isinstance(item.event, DecisionMade) for item in said)
        fields = {"decision": self.blob(canonical_bytes(body)), "head": said[-1].digest, "number": count + 1, **changes}
        event = replace(old, **fields)
        subjects = said[model].subjects if said[model].subjects[0][0] != "event" else None
        self.add(event, at, subjects=subjects)
        return event.decision

    # ------------------------------------------------------------ publishing

    def repair(self) -> None:
        """Sign again what he can: numbers without gaps, and answers that rest on the entry before them."""
        numbers: dict[str, int] = {}
        decisions, last, heads = 0, "", {}
        for index, data in enumerate(self.leaves):
            said = read_leaf(data)
            name = self.author(said)
            if name not in OUTSIDE:
                number = numbers.get(name, 0) + 1
                if isinstance(said.event, DecisionMade):
                    decisions += 1
                    head = heads.get(said.event.head, last)
                    record = self.record(said.event) | {"head": head}
                    mark = self.blob(canonical_bytes(record))
                    event = replace(said.event, head=head, number=decisions, decision=mark)
                else:
                    event = said.event
                subjects = said.subjects if said.subjects[0][0] != "event" else None
                self.leaves[index] = self.leaf(event, number, said.at, by=(name,), subjects=subjects)
            now = read_leaf(self.leaves[index])
            numbers[name] = now.number
            heads[said.digest] = last = now.digest

    def tree(self, size: int | None = None) -> Tree:
        """Return the tree over the leaves."""
        return Tree(leaf_hash(item) for item in self.leaves[:size])

    def checkpoint(self, size: int | None = None, origin: str = ORIGIN) -> bytes:
        """Return a checkpoint of what he shows, signed with the log's key."""
        tree, key = self.tree(size), self.people.log.note
        text = format_checkpoint(Checkpoint(origin, tree.size, tree.root()))
        return format_note(Note(text, (key.sign(text, self.people.log_signer()),)))

    def publish(self) -> Path:
        """Write tiles and checkpoint anew, and return the bundle."""
        shutil.rmtree(self.folder / "tile")

        def write(path: str, data: bytes) -> None:
            place = self.folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)

        write_tiles(write, lambda start, stop: self.leaves[start:stop], len(self.leaves))
        write("checkpoint", self.checkpoint())
        return self.folder

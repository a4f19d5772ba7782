"""What a log says so far, and what it admits next: keys in force, counters, and whom an event needs signed by.

The same rules stand at the entrance of the log and in every verification of it: `admit` is called for each leaf in
order, with everything checked, or `recall` for leaves that a checkpoint of the log covers.

- The first event adopts a trust file. A later file names the one in force among those it replaces.
- An event is signed with the key in force of whom it names, in a role that the trust file gives him. What names nobody
  is signed by a speaker in the role `gate`. Rotations are signed with both keys. A revoked key signs nothing.
- Each author counts his statements for the log, without gaps. So nobody can include an older statement after a newer
  one, or leave one out between two.
- The time of an entry is the latest of what its author says, the time of the entry before it, and what witnesses said.
- A permit is claimed once; a job's reports are signed with the key that claimed it, and follow each other.
- Live answers are numbered without gaps, and rest on everything before them but other answers.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from scalegate.core.canonical import canonical_bytes, digest, digest_bytes
from scalegate.core.events import (
    DecisionMade,
    Entry,
    Event,
    PermitRevoked,
    RunRegistered,
    Sampling,
    SubjectDeclared,
    Terms,
)
from scalegate.core.job_events import JobReported, PermitClaimed
from scalegate.core.log_events import HeadWitnessed, KeyRevoked, KeyRotated, TrustAdopted
from scalegate.ledger.checkpoint import CheckpointError
from scalegate.ledger.codec import encode_event
from scalegate.ledger.dsse import DsseError, verify_envelope
from scalegate.ledger.holders import HOLDING, OWN, Holders, NotAdmittedError, key_in, read_trust
from scalegate.ledger.jobs import JobError, Jobs
from scalegate.ledger.leaf import MAX_TIME, Leaf, LeafError, Recalled, hints_of, read_leaf, recall_leaf
from scalegate.ledger.merkle import Tree, TreeSizeError, leaf_hash
from scalegate.ledger.note import NoteError
from scalegate.ledger.signatures import PublicKey, SignatureError
from scalegate.ledger.trust import Head, Trust, open_head

# Events that change what the log admits behind them.
_OF_JOBS = (DecisionMade, PermitClaimed, JobReported, PermitRevoked)
_KEPT = (TrustAdopted, HeadWitnessed, SubjectDeclared, RunRegistered, KeyRotated, KeyRevoked)


@dataclass(slots=True)
class Standing:
    """A log up to some entry.

    Attributes:
        accept: digests of the trust files that whoever verifies accepts; None for any, as the log's own store does.
        entries: what was admitted.
        said: when the author of each says that he made it.
        holders: whose signatures count.
        numbers: how many statements each author has made.
        witnessed: time of the last cosigned head that was admitted; 0 for none.
        jobs: who claimed which permit, and what jobs reported.
    """

    accept: frozenset[str] | None = None
    entries: list[Entry] = field(default_factory=list)
    said: list[int] = field(default_factory=list)
    holders: Holders = field(default_factory=Holders)
    numbers: dict[str, int] = field(default_factory=dict)
    witnessed: int = 0
    jobs: Jobs = field(default_factory=Jobs)
    _at: int = 0
    _tree: Tree = field(default_factory=Tree)
    _waiting: list[bytes] = field(default_factory=list)
    _authors: list[str] = field(default_factory=list)
    _digests: set[str] = field(default_factory=set)
    _models: dict[str, str] = field(default_factory=dict)
    _runs: dict[str, str] = field(default_factory=dict)
    _heads: set[str] = field(default_factory=set)
    _decisions: int = 0

    # ------------------------------------------------------------ what may come next

    @property
    def at(self) -> int:
        """Time of the last entry; 0 for an empty log."""
        return self._at

    @property
    def trust(self) -> Trust | None:
        """The trust file in force; None before the first entry."""
        return self.holders.trust

    @property
    def revoked(self) -> set[PublicKey]:
        """Keys that sign nothing any longer."""
        return self.holders.revoked

    @property
    def tree(self) -> Tree:
        """The tree over the leaves."""
        if self._waiting:
            # All at once is faster than one by one, and nobody looks in between.
            self._tree.extend(self._waiting)
            self._waiting.clear()
        return self._tree

    @property
    def terms(self) -> Terms | None:
        """What the trust file in force asks of permits."""
        if self.trust is None:
            return None
        return Terms(self.trust.digest, self.trust.needs_witnesses, self.trust.fresh)

    def subjects_of(self, event: Event) -> tuple[tuple[str, str], ...]:
        """Return what a statement of an event is about: a declared model or system, a policy, or the event itself."""
        name = getattr(event, "subject", "")
        match event:
            case SubjectDeclared(subject=subject):
                return ((subject.name, _hex(subject.digest)),)
            case RunRegistered():
                name = event.subject
            case _ if getattr(event, "run", ""):
                name = self._runs.get(event.run, "")  # type: ignore[union-attr]
            case _:
                pass
        if isinstance(name, str) and name in self._models:
            return ((name, self._models[name]),)
        return (("event", _hex(digest(encode_event(event)))),)

    def signers_of(self, event: Event) -> tuple[tuple[str, tuple[PublicKey, ...]], ...]:
        """Return whose statement an event can be: names, and the keys that all have to sign.

        Raises:
            NotAdmittedError: if nobody may say it, or its author may not in the role that it names.
        """
        return self.holders.signers_of(event)

    def key_of(self, name: str) -> PublicKey | None:
        """Return the key in force of a speaker; None if the trust file knows him not."""
        return self.holders.key_of(name)

    def number_of(self, name: str) -> int:
        """Return the number of an author's next statement."""
        return self.numbers.get(name, 0) + 1

    def allows_head(self, head: str) -> bool:
        """Whether nothing but answers came after an entry, so that an answer made on it still holds."""
        return head in self._heads or (not head and not self.entries)

    @property
    def decisions(self) -> int:
        """How many live answers there are."""
        return self._decisions

    # ------------------------------------------------------------ admission

    def admit(self, data: bytes) -> Entry:
        """Check a leaf against everything, and add it.

        Raises:
            NotAdmittedError: if it is not admitted; nothing changed then.
        """
        try:
            leaf = read_leaf(data)
        except LeafError as error:
            raise NotAdmittedError(str(error)) from error
        author = self._author(leaf)
        self._check(leaf, author)
        return self._add(leaf, author, data)

    def admit_signed(self, leaf: Leaf, author: str, data: bytes) -> Entry:
        """Add a leaf that was signed here, by its author's keys in force; everything else is checked.

        Raises:
            NotAdmittedError: if it is not admitted; nothing changed then.
        """
        self._check(leaf, author)
        return self._add(leaf, author, data)

    def recall(self, data: bytes) -> Entry:
        """Add a leaf that was admitted before, as a checkpoint of the log shows: its signatures are not checked again.

        Those that say whose signatures count are checked again all the same.

        Raises:
            NotAdmittedError: if it cannot have been.
        """
        try:
            leaf = recall_leaf(data)
            hints = hints_of(data) if isinstance(leaf.event, OWN) else ()
        except LeafError as error:
            raise NotAdmittedError(str(error)) from error
        event = leaf.event
        if isinstance(event, HOLDING):
            # Whoever writes one into the table would name the gate that then vouches for it.
            return self.admit(data)
        author: str = getattr(event, "by", "")
        if isinstance(event, OWN):
            pairs = self.signers_of(event)
            author = next((name for name, keys in pairs if keys[0].digest in hints), "")
        elif not author or self.trust is None:
            raise NotAdmittedError("it names nobody who says it, or comes before any trust file")
        if leaf.number != self.number_of(author):
            raise NotAdmittedError("the statement is not the next of its author")
        if isinstance(event, PermitClaimed | JobReported):
            self._check_job(event, max(leaf.at, self._at))
        return self._add(leaf, author, data)

    def _author(self, leaf: Leaf) -> str:
        own = isinstance(leaf.event, OWN)
        for name, keys in self.signers_of(leaf.event):
            # Who of several gates it was has to be seen without their keys, too: `recall` goes by the hint.
            if own and [item.key_id for item in leaf.envelope.signatures] != [keys[0].digest]:
                continue
            try:
                signed = verify_envelope(leaf.envelope, keys)
            except (DsseError, SignatureError):
                continue
            if set(signed) == set(keys):
                return name
        who = "the gate" if own else getattr(leaf.event, "by", "")
        raise NotAdmittedError(f"it is not signed with the key of `{who:.80}`")

    def _check(self, leaf: Leaf, author: str) -> None:
        if leaf.digest in self._digests:
            raise NotAdmittedError("the same statement is in the log already")
        if leaf.number != self.number_of(author):
            raise NotAdmittedError(
                f"it is statement {leaf.number} of `{author:.80}`, and {self.number_of(author)} comes next"
            )
        if leaf.subjects != self.subjects_of(leaf.event):
            raise NotAdmittedError("the subject of the statement is not what the event is about")
        match leaf.event:
            case TrustAdopted() as event:
                self._check_trust(event)
            case HeadWitnessed() as event:
                self._check_witnessed(event)
            case DecisionMade() as event:
                self._check_decision(event)
            case RunRegistered(sampling=Sampling(seed=seed)) if seed and self.holders.in_force.needs_witnesses:
                raise NotAdmittedError("it brings an order of its items along, and here witnesses draw that")
            case PermitClaimed() | JobReported() as event:
                self._check_job(event, max(leaf.at, self._at))
            case KeyRevoked() as event if self.key_of(event.name) != key_in(event.key):
                raise NotAdmittedError(f"that is not the key in force of `{event.name:.80}`")
            case _:
                pass
        origin = self.trust.origin if self.trust else read_trust(leaf.event.text).origin  # type: ignore[union-attr]
        if leaf.log != origin:
            raise NotAdmittedError(f"the statement was made for the log `{leaf.log:.80}`, and this is `{origin:.80}`")

    def _check_trust(self, event: TrustAdopted) -> None:
        trust = read_trust(event.text)
        if event.digest != trust.digest:
            raise NotAdmittedError("the digest beside the trust file is that of another text")
        if self.accept is not None and event.digest not in self.accept:
            raise NotAdmittedError(f"it adopts a trust file that is not accepted here: {event.digest}")
        self.holders.check(trust)

    def _check_witnessed(self, event: HeadWitnessed) -> None:
        try:
            head = open_head(event.note.encode(), self.holders.in_force)
            root = self.tree.root(head.checkpoint.size)
        except (NoteError, CheckpointError, SignatureError, TreeSizeError) as error:
            raise NotAdmittedError(f"the cosigned head is not one of this log: {error}") from error
        if event.time >= MAX_TIME:
            raise NotAdmittedError("the time of the cosigned head is beyond any that an entry can have")
        if root != head.checkpoint.root:
            raise NotAdmittedError("the cosigned head is one of another history of this log")
        said = (event.size, event.root, event.time, event.mark)
        if said != (head.checkpoint.size, root.hex(), head.at, mark_of(head, self.holders.in_force)):
            raise NotAdmittedError("what is said of the cosigned head is not what it says")

    def _check_decision(self, event: DecisionMade) -> None:
        if event.number != self._decisions + 1:
            raise NotAdmittedError(f"it is answer {event.number}, and {self._decisions + 1} comes next")
        if not self.allows_head(event.head):
            raise NotAdmittedError("the answer was made on another history than the one it follows")
        if event.trust != self.holders.in_force.digest:
            raise NotAdmittedError("the answer was made under another trust file")

    def _check_job(self, event: PermitClaimed | JobReported, at: int) -> None:
        try:
            if isinstance(event, PermitClaimed):
                self.jobs.check_claim(event, at)
            else:
                self.jobs.check_report(event)
        except JobError as error:
            raise NotAdmittedError(str(error)) from error

    def _add(self, leaf: Leaf | Recalled, author: str, data: bytes) -> Entry:
        event = leaf.event
        at = max(leaf.at, self._at)
        if isinstance(event, _KEPT):
            at = self._keep(event, at)
        if isinstance(event, _OF_JOBS):
            self.jobs.add(event)
        entry = Entry(len(self.entries), at, leaf.digest, event)
        self._at = at
        self.entries.append(entry)
        self.said.append(leaf.at)
        self._waiting.append(leaf_hash(data))
        self.numbers[author] = leaf.number
        self._authors.append(author)
        self._digests.add(leaf.digest)
        if isinstance(event, DecisionMade):
            self._decisions += 1
            self._heads.add(leaf.digest)
        else:
            self._heads = {leaf.digest}
        return entry

    def _keep(self, event: Event, at: int) -> int:
        """Take over what an event changes for those behind it, and return its time."""
        match event:
            case TrustAdopted():
                self.holders.adopt(read_trust(event.text))
            case HeadWitnessed():
                self.witnessed = max(self.witnessed, event.time)
                at = max(at, event.time)
            case SubjectDeclared(subject=subject):
                self._models.setdefault(subject.name, _hex(subject.digest))
            case RunRegistered():
                self._runs.setdefault(event.run, event.subject)
            case KeyRotated():
                self.holders.rotate(event)
            case KeyRevoked():
                self.holders.revoke(event)
            case _:
                pass
        return at

    def author_of(self, index: int) -> str:
        """Return who made the statement of an entry."""
        return self._authors[index]


def mark_of(head: Head, trust: Trust) -> str:
    """Return the digest of the cosignature of the first witness of a trust file; empty if he did not cosign."""
    if not trust.witnesses:
        return ""
    key = trust.witnesses[0].key
    found = [item for item in head.note.signatures if (item.name, item.key_id) == (key.name, key.key_id)]
    return digest_bytes(found[0].signature) if len(found) == 1 else ""


def witnessed(note: bytes, trust: Trust) -> HeadWitnessed | None:
    """Return the event that says of a cosigned checkpoint what it says; None where the quorum did not cosign it.

    Raises:
        NoteError, CheckpointError: if it is no checkpoint that the log of the trust file signed.
    """
    head = open_head(note, trust)
    if head.at is None:
        return None
    checkpoint = head.checkpoint
    return HeadWitnessed(checkpoint.size, checkpoint.root.hex(), head.at, note.decode(), mark_of(head, trust))


def _hex(text: str) -> str:
    """Return a digest without its algorithm; what is no SHA-256 stands for its own digest."""
    plain = text.removeprefix("sha256:")
    if len(plain) == 64 and not plain.strip("0123456789abcdef"):
        return plain
    return digest_bytes(canonical_bytes(text)).removeprefix("sha256:")

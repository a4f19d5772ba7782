"""Who may sign for whom: the trust file in force, completed by the rotations and revocations behind it.

A key stands for one holder, for as long as the log goes on: no later trust file and no rotation hands a key that was
ever somebody's to somebody else, under whatever name. So nobody counts twice in a quorum, and nobody comes back as an
auditor who was a developer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from scalegate.core.diagnostic import DiagnosticError
from scalegate.core.events import DecisionMade, Event
from scalegate.core.job_events import JobReported, PermitClaimed
from scalegate.core.log_events import HeadWitnessed, KeyRevoked, KeyRotated, OrderDrawn, TrustAdopted
from scalegate.ledger.signatures import PublicKey
from scalegate.ledger.trust import GATE, Speaker, Trust, parse_key, parse_trust

TRUSTEE = "trustee"
# What the log says itself, by its gate. Everything else names who says it.
OWN = (TrustAdopted, HeadWitnessed, OrderDrawn, DecisionMade, PermitClaimed, JobReported)
# What changes whose signatures count.
HOLDING = (TrustAdopted, KeyRotated, KeyRevoked)


class NotAdmittedError(ValueError):
    """A leaf that the log does not admit; the message says why."""


@dataclass(slots=True)
class Holders:
    """Whose signatures count at some entry of a log.

    Attributes:
        trust: the trust file in force; None before the first entry.
        keys: the keys in force of those who rotated theirs.
        revoked: keys that sign nothing any longer.
        owners: everybody who ever had a key; logs and witnesses among them.
    """

    trust: Trust | None = None
    keys: dict[str, PublicKey] = field(default_factory=dict)
    revoked: set[PublicKey] = field(default_factory=set)
    owners: dict[PublicKey, str] = field(default_factory=dict)

    @property
    def in_force(self) -> Trust:
        """The trust file in force.

        Raises:
            NotAdmittedError: before there is one.
        """
        if self.trust is None:
            raise NotAdmittedError("the first entry of a log adopts a trust file")
        return self.trust

    def key_of(self, name: str) -> PublicKey | None:
        """Return the key in force of a speaker; None if the trust file knows him not."""
        speaker = self.in_force.speaker(name)
        return None if speaker is None else self._key(speaker)

    def gates(self) -> tuple[tuple[str, PublicKey], ...]:
        """Return who speaks for the log itself, and with which key: those whose key is not revoked."""
        found = [(item.name, self._key(item)) for item in self.in_force.speakers if GATE in item.roles]
        return tuple((name, key) for name, key in found if key not in self.revoked)

    def signers_of(self, event: Event) -> tuple[tuple[str, tuple[PublicKey, ...]], ...]:
        """Return whose statement an event can be: names, and the keys that all have to sign.

        Raises:
            NotAdmittedError: if nobody may say it, or its author may not in the role that it names.
        """
        if isinstance(event, OWN):
            return self._of_the_log(event)
        trust = self.in_force
        name, role = getattr(event, "by", ""), getattr(event, "role", "")
        speaker = trust.speaker(name)
        if speaker is None:
            raise NotAdmittedError(f"the trust file knows no key of `{name:.80}`")
        of_keys = isinstance(event, KeyRotated | KeyRevoked)
        if role not in speaker.roles or (role == GATE and not of_keys):
            raise NotAdmittedError(f"the trust file does not let `{name:.80}` speak as `{role:.80}`")
        key = self._key(speaker)
        if key in self.revoked:
            raise NotAdmittedError(f"the key of `{name:.80}` is revoked")
        if isinstance(event, KeyRotated):
            return ((name, (key, self._next_key(event, key))),)
        if isinstance(event, KeyRevoked) and event.name != name and role != TRUSTEE:
            raise NotAdmittedError(f"only `{event.name:.80}`, or a {TRUSTEE} of the trust file, revokes that key")
        return ((name, (key,)),)

    def _of_the_log(self, event: Event) -> tuple[tuple[str, tuple[PublicKey, ...]], ...]:
        if self.trust is None and isinstance(event, TrustAdopted):
            first = Holders(read_trust(event.text))
            return tuple((name, (key,)) for name, key in first.gates())
        pairs = [(name, (key,)) for name, key in self.gates()]
        if isinstance(event, TrustAdopted):
            # So that a log whose only gate was revoked can go on.
            trustees = [item for item in self.in_force.speakers if TRUSTEE in item.roles]
            pairs += [(item.name, (self._key(item),)) for item in trustees if self._key(item) not in self.revoked]
        if not pairs:
            raise NotAdmittedError("the trust file gives nobody the role `gate`, or that key is revoked")
        return tuple(pairs)

    def check(self, trust: Trust) -> None:
        """Check that a trust file may follow the one in force.

        Raises:
            NotAdmittedError: if it does not replace that, is one of another log, or gives a key to somebody else.
        """
        if self.trust is not None:
            if self.trust.digest not in trust.replaces:
                raise NotAdmittedError(f"the trust file does not say that it replaces {self.trust.digest}")
            if trust.origin != self.trust.origin:
                raise NotAdmittedError("the trust file is one of another log")
        for key, name in _owners(trust):
            if self.owners.get(key, name) != name:
                raise NotAdmittedError(f"the trust file gives `{name:.80}` a key that `{self.owners[key]:.80}` had")

    def adopt(self, trust: Trust) -> None:
        """Take over a trust file; a rotated key stays in force where the file's line is the one it was rotated from."""
        before = {item.name: item.key for item in self.trust.speakers} if self.trust else {}
        self.keys = {
            item.name: self.keys[item.name]
            for item in trust.speakers
            if item.name in self.keys and before.get(item.name) == item.key
        }
        self.trust = trust
        for key, name in _owners(trust):
            self.owners.setdefault(key, name)

    def rotate(self, event: KeyRotated) -> None:
        """Take over a rotation that was admitted."""
        new = key_in(event.new)
        self.keys[event.by] = new
        self.owners.setdefault(new, event.by)
        self.revoked.add(key_in(event.old))

    def revoke(self, event: KeyRevoked) -> None:
        """Take over a revocation that was admitted."""
        self.revoked.add(key_in(event.key))

    def _key(self, speaker: Speaker) -> PublicKey:
        return self.keys.get(speaker.name, speaker.key)

    def _next_key(self, event: KeyRotated, key: PublicKey) -> PublicKey:
        if key_in(event.old) != key:
            raise NotAdmittedError(f"that is not the key in force of `{event.by:.80}`")
        new = key_in(event.new)
        if new in self.owners or new in self.revoked:
            raise NotAdmittedError("the new key is or was somebody's already")
        return new


def _owners(trust: Trust) -> list[tuple[PublicKey, str]]:
    """Return every key of a trust file and whose it is; no name of a speaker has a space at its end."""
    return [
        *((item.key, item.name) for item in trust.speakers),
        *((item.key, "the log ") for item in trust.logs),
        *((item.key.key, f"the witness {item.key.name} ") for item in trust.witnesses),
    ]


@lru_cache(maxsize=16)
def read_trust(text: str) -> Trust:
    """Return the trust file of an event; it is read once, however often one asks.

    Raises:
        NotAdmittedError: if the text is none.
    """
    try:
        return parse_trust(text)
    except DiagnosticError as error:
        raise NotAdmittedError(f"the text is no trust file: {error}") from error


def key_in(text: str) -> PublicKey:
    """Return the key that an event names.

    Raises:
        NotAdmittedError: if it is none.
    """
    try:
        return parse_key(text)
    except ValueError as error:
        raise NotAdmittedError(str(error)) from error

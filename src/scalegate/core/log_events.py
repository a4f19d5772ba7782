"""What a ledger says about itself: whose signatures count, who saw it when, and what was drawn from that."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TrustAdopted:
    """A trust file starts to say whose signatures count, and which witnesses; the first event of every ledger.

    A later one names the digest of the one in force among those it replaces.
    """

    digest: str
    text: str


@dataclass(frozen=True, slots=True)
class HeadWitnessed:
    """Witnesses cosigned the log as it was: enough of them, and at which time.

    Attributes:
        size, root: number of entries, and hex of the tree hash over them.
        time: latest instant, in seconds since 1970, that enough witnesses vouch for.
        note: the cosigned checkpoint, as C2SP signed note.
        mark: digest of the cosignature of the first witness in the trust file, which orders are drawn from; empty
            where he did not cosign. One witness, so that nobody can choose among several.
    """

    size: int
    root: str
    time: int
    note: str
    mark: str


@dataclass(frozen=True, slots=True)
class OrderDrawn:
    """The order of a run's items, from a cosignature that nobody had when the run was registered.

    Attributes:
        run: the run.
        seed: `core.order.seed_of` the registration and the `mark` of the cosigned head that ends with it.
        order: digest of the ids of the planned items, in the order in which they are run.
        items: number of them.
        reported: of an audit, what the audited run came to, in this order.
    """

    run: str
    seed: str
    order: str
    items: int
    reported: str


@dataclass(frozen=True, slots=True)
class KeyRotated:
    """Somebody's next key, signed with the old one and the new one. Keys are `algorithm:base64`."""

    old: str
    new: str
    by: str
    role: str


@dataclass(frozen=True, slots=True)
class KeyRevoked:
    """From here on a key signs nothing. Its holder says so, or somebody whom the trust file makes a `trustee`."""

    name: str
    key: str
    why: str
    by: str
    role: str

"""CPU time of the Merkle tree: entries added, proofs made and checked, beside pymerkle on the same entries."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Iterable
from time import process_time
from typing import Any

import pymerkle

from scalegate.ledger.merkle import Tree, leaf_hash
from scalegate.ledger.proof import Prover, verify_inclusion

SIZE = 200_000
PROOFS = 20_000
PEER_PROOFS = 2_000
REPEATS = 3
ENTRY = 200
PEER = "pymerkle"


class DisagreementError(AssertionError):
    """Two trees of the same entries have other roots, or proofs: their timings are not of the same work."""


def _best(work: Callable[[], Any], count: int) -> tuple[float, Any]:
    """Return microseconds for each of `count`, the least of several runs, and what the work returned."""
    times, found = [], None
    for _ in range(REPEATS):
        # What the last run returned is freed outside the clock.
        found = None
        gc.collect()
        gc.disable()
        start = process_time()
        found = work()
        times.append(process_time() - start)
        gc.enable()
    return min(times) / count * 1e6, found


def _ours(entries: list[bytes]) -> Tree:
    tree = Tree()
    append = tree.append
    for entry in entries:
        append(leaf_hash(entry))
    return tree


def _theirs(entries: list[bytes]) -> Any:
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    append = tree.append_entry
    for entry in entries:
        append(entry)
    return tree


def _verify_ours(leaves: list[bytes], proofs: Iterable[tuple[int, tuple[bytes, ...]]], root: bytes) -> None:
    for leaf, (index, proof) in zip(leaves, proofs, strict=True):
        verify_inclusion(leaf, index, SIZE, proof, root)


def _verify_theirs(leaves: list[bytes], proofs: list[Any], root: bytes) -> None:
    for leaf, proof in zip(leaves, proofs, strict=True):
        pymerkle.verify_inclusion(leaf, root, proof)


def rows() -> list[dict[str, Any]]:
    """Return what to report, as arguments of a row.

    Raises:
        DisagreementError: when the peer has another root or another proof.
    """
    draw = random.Random(4)
    entries = [draw.randbytes(ENTRY) for _ in range(SIZE)]
    indices = [draw.randrange(SIZE) for _ in range(PROOFS)]
    fewer = indices[:PEER_PROOFS]
    append, tree = _best(lambda: _ours(entries), SIZE)
    peer_append, peer_tree = _best(lambda: _theirs(entries), SIZE)
    prover, root = Prover(tree.node, SIZE), tree.root()
    prove, proofs = _best(lambda: [prover.inclusion(index) for index in indices], PROOFS)
    # Theirs counts entries from 1.
    peer_prove, peer_proofs = _best(
        lambda: [peer_tree.prove_inclusion(index + 1, SIZE) for index in fewer], PEER_PROOFS
    )
    peer_root = peer_tree.get_root(SIZE)
    # A proof of theirs starts with the leaf itself.
    same = zip(peer_proofs, proofs, strict=False)
    if peer_root != root or any(tuple(theirs.path[1:]) != ours for theirs, ours in same):
        raise DisagreementError("pymerkle has another root or another proof of the same entries")
    leaves = [leaf_hash(entries[index]) for index in indices]
    claims = list(zip(indices, proofs, strict=True))
    verify, _ = _best(lambda: _verify_ours(leaves, claims, root), PROOFS)
    peer_verify, _ = _best(lambda: _verify_theirs(leaves[:PEER_PROOFS], peer_proofs, peer_root), PEER_PROOFS)
    said = f"{SIZE:,} entries of {ENTRY} bytes in memory, both trees with one root; best of {REPEATS}"
    return [
        _row("append", append, peer_append, 300_000, f"each entry hashed and added; {said}"),
        _row("prove", prove, peer_prove, 100_000, f"inclusion, the same hashes from both; {said}"),
        _row("verify_inclusion", verify, peer_verify, 60_000, said),
    ]


def _row(name: str, value: float, peer_value: float, least: int, note: str) -> dict[str, Any]:
    return {
        "name": f"ledger.{name}",
        "value": value,
        "unit": "us",
        "peer": PEER,
        "peer_value": peer_value,
        "target": 1e6 / least,
        "note": f"{1e6 / value:,.0f} a second, {least:,} promised; {note}",
    }


if __name__ == "__main__":
    for row in rows():
        print(row)

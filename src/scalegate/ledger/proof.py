"""Proofs that a leaf is in a tree, and that a tree continues another: made, and checked strictly.

RFC 6962, sections 2.1.1 and 2.1.2; the checks are those of RFC 9162, sections 2.1.3.2 and 2.1.4.2,
with the length known before anything is hashed. A proof is a sequence of hashes from the leaves
up. Exactly one number of hashes fits an index and sizes, so that nothing can be hidden in a proof.

Whoever makes a proof is not believed: a proof is worth what checking it against a root says, and a
root is worth what the signatures on its checkpoint are. Roots are compared and never measured
here: their length is a matter of the checkpoint's form.
"""

from __future__ import annotations

from collections.abc import Sequence

from scalegate.ledger.merkle import (
    EMPTY_ROOT,
    HASH_SIZE,
    HashLengthError,
    Nodes,
    TreeSizeError,
    node_hash,
    require_hash,
)


class ProofError(ValueError):
    """A proof that does not show what it is said to show, or a question no proof can answer."""


class IndexOutsideError(ProofError):
    """A leaf that the tree is too small for, or an index below zero; nothing is in an empty tree."""


class EmptyTreeError(ProofError):
    """A question about consistency with the empty tree: everything continues it, which shows nothing."""


class NegativeSizeError(ProofError):
    """A size below zero."""


class SizesReversedError(ProofError):
    """The tree said to continue another one is smaller."""


class ProofTooShortError(ProofError):
    """Fewer hashes than the index and sizes need."""


class ProofTooLongError(ProofError):
    """More hashes than the index and sizes need."""


class ProofHashError(ProofError):
    """A part of a proof, or the leaf, that is not 32 bytes."""


class RootMismatchError(ProofError):
    """The proof leads to another root than that of the tree."""


class OldRootMismatchError(ProofError):
    """The proof starts from another tree than the old one."""


class Prover:
    """Makes proofs about the tree of one size, from any source of its nodes.

    The source may hold more leaves by now. It is asked for complete nodes only; the few incomplete
    ones on the right edge are hashed once, here, and serve every proof.
    """

    __slots__ = ("_levels", "_node", "_root", "_size")

    def __init__(self, node: Nodes, size: int) -> None:
        """Read the right edge of the tree, at most one node for each level.

        Raises:
            TreeSizeError: if the size is negative.
            Exception: what the source raises for a node it does not have.
        """
        if size < 0:
            raise TreeSizeError(f"a tree cannot have {size} leaves")
        self._node = node
        self._size = size
        # For each level: how many complete nodes it has, and the hash of the leaves after them.
        self._levels: list[tuple[int, int, bytes]] = []
        edge = b""
        height = max(size - 1, 0).bit_length()
        for level in range(height):
            complete = size >> level
            self._levels.append((level, complete, edge))
            if complete & 1:
                last = node(level, complete - 1)
                edge = node_hash(last, edge) if edge else last
        self._root = edge or (node(height, 0) if size else EMPTY_ROOT)

    @property
    def size(self) -> int:
        """Number of leaves of the tree that proofs are about."""
        return self._size

    @property
    def root(self) -> bytes:
        """Merkle tree hash of that tree."""
        return self._root

    def inclusion(self, index: int) -> tuple[bytes, ...]:
        """Return the proof that leaf `index` is in the tree: PATH(index, D) of RFC 6962, section 2.1.1.

        Raises:
            IndexOutsideError: if the tree has no such leaf.
            Exception: what the source raises for a node it does not have.
        """
        _require_index(index, self._size)
        return tuple(self._path(0, index))

    def consistency(self, old_size: int) -> tuple[bytes, ...]:
        """Return the proof that the tree continues its first `old_size` leaves: PROOF(old_size, D).

        RFC 6962, section 2.1.2. It has no hashes where the sizes are equal.

        Raises:
            NegativeSizeError: if `old_size` is below zero.
            EmptyTreeError: if `old_size` is 0.
            SizesReversedError: if the tree is smaller than that.
            Exception: what the source raises for a node it does not have.
        """
        _require_sizes(old_size, self._size)
        if old_size == self._size:
            return ()
        # The smallest peak of the old tree: with the way up from it, both roots can be computed.
        level = _trailing_zeros(old_size)
        index = (old_size >> level) - 1
        path = self._path(level, index)
        # Alone, it is the old root, which the other side knows.
        return tuple(path if index == 0 else [self._node(level, index), *path])

    def _path(self, start: int, index: int) -> list[bytes]:
        """Return the neighbors on the way from a node of level `start` to the root."""
        node = self._node
        path: list[bytes] = []
        for level, complete, edge in self._levels[start:]:
            neighbor = index ^ 1
            if neighbor < complete:
                path.append(node(level, neighbor))
            elif neighbor == complete and edge:
                path.append(edge)
            index >>= 1
        return path


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that the leaf hash `leaf` is leaf `index` of the tree of `size` leaves with that root.

    RFC 9162, section 2.1.3.2.

    Raises:
        IndexOutsideError: if no tree of that size has such a leaf; size 0 has none.
        ProofHashError: if the leaf hash or a hash of the proof is not 32 bytes.
        ProofTooShortError: if hashes are missing.
        ProofTooLongError: if hashes are left over.
        RootMismatchError: if the proof leads to another root.
    """
    _require_index(index, size)
    if len(leaf) != HASH_SIZE:
        raise ProofHashError(f"the leaf hash has {len(leaf)} bytes, and a hash has {HASH_SIZE}")
    # Up to where the way to the leaf leaves the right edge of the tree, there is a neighbor on each
    # level; beyond, only where the edge is a right child.
    inner = (index ^ (size - 1)).bit_length()
    _require_length(proof, inner + (index >> inner).bit_count())
    running = leaf
    for neighbor in proof[:inner]:
        running = node_hash(neighbor, running) if index & 1 else node_hash(running, neighbor)
        index >>= 1
    for neighbor in proof[inner:]:
        running = node_hash(neighbor, running)
    if running != root:
        raise RootMismatchError("the inclusion proof leads to another root than that of the tree")


def verify_consistency(old_size: int, size: int, proof: Sequence[bytes], old_root: bytes, root: bytes) -> None:
    """Check that the tree of `size` leaves starts with the leaves of the one of `old_size`.

    RFC 9162, section 2.1.4.2. Where the sizes are equal, the roots have to be, and there is nothing
    to prove. That a tree continues the empty one is nobody's to prove either: ask for no proof.

    Raises:
        NegativeSizeError: if a size is below zero.
        EmptyTreeError: if the old tree is empty.
        SizesReversedError: if `old_size` is larger.
        ProofHashError: if a hash of the proof, or an old root that it starts from, is not 32 bytes.
        ProofTooShortError: if hashes are missing.
        ProofTooLongError: if hashes are left over.
        OldRootMismatchError: if the proof does not start from the old root.
        RootMismatchError: if it leads to another root than that of the tree.
    """
    _require_sizes(old_size, size)
    if old_size == size:
        _require_length(proof, 0)
        if old_root != root:
            raise RootMismatchError(f"two trees of {size} leaves have different roots")
        return
    level = _trailing_zeros(old_size)
    index = (old_size >> level) - 1
    inner = (index ^ ((size - 1) >> level)).bit_length()
    lead = 1 if index else 0
    _require_length(proof, lead + inner + (index >> inner).bit_count())
    try:
        running = old = proof[0] if lead else require_hash(old_root, "the old root")
    except HashLengthError as error:
        raise ProofHashError(str(error)) from error
    for neighbor in proof[lead : lead + inner]:
        if index & 1:
            # To the left: part of both trees. To the right there are only newer leaves.
            old = node_hash(neighbor, old)
            running = node_hash(neighbor, running)
        else:
            running = node_hash(running, neighbor)
        index >>= 1
    for neighbor in proof[lead + inner :]:
        old = node_hash(neighbor, old)
        running = node_hash(neighbor, running)
    if old != old_root:
        raise OldRootMismatchError("the consistency proof starts from another root than that of the old tree")
    if running != root:
        raise RootMismatchError("the consistency proof leads to another root than that of the tree")


def _trailing_zeros(size: int) -> int:
    """Level of the smallest peak of a tree that is not empty."""
    return (size & -size).bit_length() - 1


def _require_index(index: int, size: int) -> None:
    if not 0 <= index < size:
        raise IndexOutsideError(f"a tree of {size} leaves has no leaf {index}")


def _require_sizes(old_size: int, size: int) -> None:
    if old_size < 0 or size < 0:
        raise NegativeSizeError(f"a tree cannot have {min(old_size, size)} leaves")
    if old_size > size:
        raise SizesReversedError(f"a tree of {size} leaves cannot continue one of {old_size}")
    if old_size == 0:
        raise EmptyTreeError("every tree continues the empty one: a proof of it shows nothing")


def _require_length(proof: Sequence[bytes], expected: int) -> None:
    """Check how many hashes a proof has, and that each is one."""
    if len(proof) < expected:
        raise ProofTooShortError(f"the proof has {len(proof)} hashes, and {expected} are needed")
    if len(proof) > expected:
        raise ProofTooLongError(f"the proof has {len(proof)} hashes, and {expected} are all it can have")
    for place, part in enumerate(proof):
        if len(part) != HASH_SIZE:
            raise ProofHashError(f"hash {place} of the proof has {len(part)} bytes, and a hash has {HASH_SIZE}")

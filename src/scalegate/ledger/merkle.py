"""The Merkle tree of RFC 6962, section 2.1, with SHA-256: hashes, roots, and trees that only grow.

A node has a level and an index. Node (l, i) stands for the 2**l leaves from i * 2**l on, and its
hash is their Merkle tree hash; the leaf hashes are level 0. Only nodes whose leaves are all there
are kept: such a hash never changes when the tree grows, which is what tiles and proofs live on.

Hashes are 32 bytes. Entries are hashed once, by `leaf_hash`; everything else takes leaf hashes.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence

HASH_SIZE = 32

# MTH({}) = SHA-256(), RFC 6962, section 2.1.
EMPTY_ROOT = hashlib.sha256().digest()

# Hash of the node at a level and index; raises an error of its own where it has none.
Nodes = Callable[[int, int], bytes]

# Copies of a started hash cost less than new ones, which ask OpenSSL for SHA-256 again each time.
_start_leaf = hashlib.sha256(b"\x00").copy
_start_node = hashlib.sha256(b"\x01").copy
_hash_at = struct.Struct(f"{HASH_SIZE}s").unpack_from
_PAIR = 2 * HASH_SIZE


class MerkleError(ValueError):
    """Something that no tree has; the message says what."""


class HashLengthError(MerkleError):
    """Bytes that stand for a hash and are not 32."""


class TreeSizeError(MerkleError):
    """A size that is negative, beyond the tree, or does not fit what stands beside it."""


class NodeMissingError(MerkleError):
    """A node that this tree does not have, or does not have completely."""


def leaf_hash(entry: bytes) -> bytes:
    """Return SHA-256(0x00 || entry), the hash of a leaf (RFC 6962, section 2.1)."""
    running = _start_leaf()
    running.update(entry)
    return running.digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 || left || right), the hash of a node (RFC 6962, section 2.1).

    Both are taken to be hashes of 32 bytes: whoever reads them from outside has looked.
    """
    running = _start_node()
    running.update(left)
    running.update(right)
    return running.digest()


def require_hash(value: bytes, what: str) -> bytes:
    """Return `value` if it is as long as a hash; `what` names it in the error.

    Raises:
        HashLengthError: if it is not 32 bytes.
    """
    if len(value) != HASH_SIZE:
        raise HashLengthError(f"{what} has {len(value)} bytes, and a hash has {HASH_SIZE}")
    return value


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Return the Merkle tree hash of leaf hashes, made at once; `EMPTY_ROOT` for none.

    Raises:
        HashLengthError: if a leaf hash is not 32 bytes.
    """
    row = [require_hash(leaf, f"leaf {index}") for index, leaf in enumerate(leaves)]
    while len(row) > 1:
        pairs = zip(row[::2], row[1::2], strict=False)
        # A node without a neighbor moves up unhashed: the split of the RFC leaves it alone on its side.
        alone = row[len(row) & ~1 :]
        row = [node_hash(left, right) for left, right in pairs] + alone
    return row[0] if row else EMPTY_ROOT


def peaks(size: int) -> Iterator[tuple[int, int]]:
    """Yield level and index of the largest complete nodes that cover a tree, from the left.

    There is one for each binary one of `size`, which is not negative.
    """
    for level in range(size.bit_length() - 1, -1, -1):
        if size >> level & 1:
            yield level, (size >> level) - 1


def _join(hashes: Sequence[bytes]) -> bytes:
    """Return the root above the peaks of a tree, given from the left."""
    if not hashes:
        return EMPTY_ROOT
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


class Frontier:
    """The compact tree: its size and its peaks, at most one hash for each level.

    It gives the root and takes the next leaf, and has forgotten everything that proofs need. For
    whoever follows a log, or computes its root from a stream of entries.
    """

    __slots__ = ("_peaks", "_size")

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        """Start from nothing, or from the `size` and `hashes` of another frontier.

        Raises:
            TreeSizeError: if the size is negative or has another number of peaks.
            HashLengthError: if a hash is not 32 bytes.
        """
        kept = [require_hash(item, f"peak {place}") for place, item in enumerate(hashes)]
        if size < 0:
            raise TreeSizeError(f"a tree cannot have {size} leaves")
        if len(kept) != size.bit_count():
            raise TreeSizeError(f"a tree of {size} leaves has {size.bit_count()} peaks, not {len(kept)}")
        self._size = size
        self._peaks = kept

    @property
    def size(self) -> int:
        """Number of leaves."""
        return self._size

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """Hashes of the `peaks` of the size, from the left."""
        return tuple(self._peaks)

    def append(self, leaf: bytes) -> int:
        """Add a leaf hash, and return its index.

        Raises:
            HashLengthError: if it is not 32 bytes.
        """
        running = require_hash(leaf, "the leaf")
        index = left = self._size
        # Each one at the end of the index is a peak that is now half of a larger one.
        while left & 1:
            running = node_hash(self._peaks.pop(), running)
            left >>= 1
        self._peaks.append(running)
        self._size = index + 1
        return index

    def root(self) -> bytes:
        """Return the Merkle tree hash, after at most one hash for each level."""
        return _join(self._peaks)


class Tree:
    """A tree that keeps the hash of every complete node, 64 bytes for each leaf.

    Each level is one row of packed hashes: the hash tiles of C2SP tlog-tiles are slices of every
    eighth row, and no object stands for a node.
    """

    __slots__ = ("_rows",)

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        """Start with some leaf hashes.

        Raises:
            HashLengthError: if a leaf hash is not 32 bytes.
        """
        self._rows: list[bytearray] = [bytearray()]
        self.extend(leaves)

    @property
    def size(self) -> int:
        """Number of leaves."""
        return len(self._rows[0]) // HASH_SIZE

    def append(self, leaf: bytes) -> int:
        """Add a leaf hash, and return its index: two hashes of work at the mean, log2(size) at worst.

        Raises:
            HashLengthError: if it is not 32 bytes.
        """
        if len(leaf) != HASH_SIZE:
            require_hash(leaf, "the leaf")
        rows = self._rows
        row = rows[0]
        index = left = len(row) // HASH_SIZE
        row += leaf
        level = 0
        while left & 1:
            running = _start_node()
            running.update(row[-_PAIR:])
            level += 1
            left >>= 1
            if level == len(rows):
                rows.append(bytearray())
            row = rows[level]
            row += running.digest()
        return index

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add leaf hashes: the same as appending each of them, row by row.

        Raises:
            HashLengthError: if one is not 32 bytes; then none was added.
        """
        start = self.size
        checked = [require_hash(leaf, f"leaf {index}") for index, leaf in enumerate(leaves, start)]
        self._rows[0] += b"".join(checked)
        level = 0
        while (pairs := len(self._rows[level]) // _PAIR) > 0:
            if level + 1 == len(self._rows):
                self._rows.append(bytearray())
            above = self._rows[level + 1]
            done = len(above) // HASH_SIZE
            fresh = bytes(self._rows[level][done * _PAIR : pairs * _PAIR])
            above += b"".join([_hash_pair(fresh, place) for place in range(0, len(fresh), _PAIR)])
            level += 1

    def node(self, level: int, index: int) -> bytes:
        """Return the hash of a complete node; this method is what proofs are made from.

        Raises:
            NodeMissingError: if the tree has no such node, or not all of its leaves.
        """
        # Both from below as well: Python would count from the other end.
        if 0 <= level < len(self._rows) and index >= 0:
            row = self._rows[level]
            place = index * HASH_SIZE
            if place < len(row):
                found: bytes = _hash_at(row, place)[0]
                return found
        raise NodeMissingError(f"a tree of {self.size} leaves has no complete node {index} on level {level}")

    def packed(self, level: int, start: int, stop: int) -> bytes:
        """Return the hashes of complete nodes `start` to `stop` - 1 of a level, one after the other.

        Raises:
            NodeMissingError: if the tree does not have all of them, or there are none to return.
        """
        row = self._rows[level] if 0 <= level < len(self._rows) else b""
        if not 0 <= start < stop <= len(row) // HASH_SIZE:
            raise NodeMissingError(
                f"a tree of {self.size} leaves has no complete nodes {start} to {stop - 1} on level {level}"
            )
        return bytes(row[start * HASH_SIZE : stop * HASH_SIZE])

    def root(self, size: int | None = None) -> bytes:
        """Return the Merkle tree hash now, or when the tree had `size` leaves.

        Raises:
            TreeSizeError: if it never had so many.
        """
        if size is None:
            size = self.size
        elif not 0 <= size <= self.size:
            raise TreeSizeError(f"a tree of {self.size} leaves never had {size}")
        return _join([self.node(level, index) for level, index in peaks(size)])


def _hash_pair(row: bytes, place: int) -> bytes:
    running = _start_node()
    running.update(row[place : place + _PAIR])
    return running.digest()

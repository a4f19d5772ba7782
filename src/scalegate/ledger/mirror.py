"""Logs that others wrote, as files in the layout of C2SP tlog-tiles: checked against their checkpoint, and written.

`verify_log` takes nothing for granted: it hashes all entries, compares every hash tile with what they come to, and the
root with the one that the log signed. Whoever changes a file that the tree needs is noticed; whoever adds files is not,
since nobody reads them. That others were shown the same tree is for witnesses to say.

A source of files is any function from a path to bytes, or None for a path without a file: `LogFolder(...).read`, the
`get` of a dictionary, a client of a web server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from scalegate.ledger.checkpoint import Checkpoint, CheckpointError
from scalegate.ledger.log_folder import FileShapeError, MirrorError
from scalegate.ledger.merkle import Frontier, Nodes, Tree, TreeSizeError, leaf_hash, peaks, root_of
from scalegate.ledger.note import NoteError, NoteKey, SignedCheckpoint, open_checkpoint
from scalegate.ledger.tiles import (
    TILE_HEIGHT,
    TILE_WIDTH,
    Bundle,
    Tile,
    TileError,
    bundles_of,
    decode_bundle,
    decode_tile,
    encode_bundle,
    encode_tile,
    tiles_of,
)

CHECKPOINT = "checkpoint"

Read: TypeAlias = Callable[[str], bytes | None]
Write: TypeAlias = Callable[[str, bytes], None]


class FileMissingError(MirrorError):
    """A file that the tree needs and the source does not have."""


class HeadRefusedError(MirrorError):
    """A checkpoint that the log did not sign, or that is one of another log."""


class TileMismatchError(MirrorError):
    """A tile that holds other hashes than those of the entries."""


class RootMismatchError(MirrorError):
    """Entries and tiles that agree with one another, and not with the signed root."""


class RolledBackError(MirrorError):
    """A log that is smaller than it was."""


class HistoryRewrittenError(MirrorError):
    """A log that does not continue the older checkpoint: what it said then is not what it says now."""


@dataclass(frozen=True, slots=True)
class Verified:
    """A log of which everything was recomputed.

    Attributes:
        signed: The checkpoint, who signed it and who cosigned it; whether that is enough is for a trust policy to say.
        files: How many files were read.
        unneeded: How many of the listed files a tree of this size does not need; nobody looked into them.
    """

    signed: SignedCheckpoint
    files: int
    unneeded: int

    @property
    def checkpoint(self) -> Checkpoint:
        """Head of the log."""
        return self.signed.checkpoint

    @property
    def entries(self) -> int:
        """Number of entries."""
        return self.signed.checkpoint.size


def entries(read: Read, size: int, start: int = 0) -> Iterator[bytes]:
    """Yield the entries of a log of `size` entries, from entry `start` on. Nothing is verified: see `verify_log`.

    Raises:
        TreeSizeError: if `start` is negative or larger than `size`, or `size` beyond 2**63 - 1.
        FileMissingError: if a bundle is not there.
        FileShapeError: if a bundle is not exactly so many entries.
    """
    for bundle in bundles_of(size, start):
        _, found = _read_bundle(read, bundle)
        yield from found[max(start - bundle.index * TILE_WIDTH, 0) :]


# ---------------------------------------------------------------- verifying


def verify_log(
    read: Read,
    origin: str,
    log: Iterable[NoteKey],
    witnesses: Iterable[NoteKey] = (),
    *,
    since: Checkpoint | None = None,
    listed: Iterable[str] = (),
) -> Verified:
    """Check a whole log against its signed checkpoint, from its entries up.

    1. A known key of the log signed the checkpoint, and each signature by a known key is good.
    2. Every bundle and tile that the tree needs is there, and is exactly as wide as it has to be. Where a partial one
       is not there, the full one may stand for it; what it holds beyond the checkpoint is not looked at.
    3. Every hash of every tile is that of the entries below it.
    4. The root of the entries is the signed one.
    5. With `since`: the log starts with the entries it had then.

    Args:
        read: Source of the files.
        origin: Which log it has to be.
        log: Keys of the log.
        witnesses: Keys whose cosignatures are looked for.
        since: An older checkpoint of the log, verified when it was kept.
        listed: Paths of the source's files, to count those that nobody needs.

    Raises:
        MirrorError: for the first fault; it has the path of the file.
        Exception: what the source raises.
    """
    seen: set[str] = set()

    def reading(path: str) -> bytes | None:
        data = read(path)
        if data is not None:
            seen.add(path)
        return data

    signed = _open_head(reading, origin, tuple(log), tuple(witnesses))
    size = signed.checkpoint.size
    if since is not None:
        _require_later(signed.checkpoint, since)
    root, before = _recompute(reading, size, since.size if since is not None else size)
    if root != signed.checkpoint.root:
        raise RootMismatchError(
            CHECKPOINT,
            f"the {size} entries have the root {root.hex()}, and the log signed {signed.checkpoint.root.hex()}: "
            "entries were changed together with their tiles, or the checkpoint is of another tree",
        )
    # Not earlier: only under the signed root is it the log that says something else, and not a file somebody changed.
    if since is not None:
        _require_continued(before, since)
    return Verified(signed, len(seen), len(set(listed) - seen))


def _recompute(read: Read, size: int, earlier: int) -> tuple[bytes, bytes]:
    """Return the roots of all entries and of the first `earlier` ones, once the tiles are those of the entries."""
    before = None
    tiles = _Tiles(read)
    for bundle in bundles_of(size):
        path, found = _read_bundle(read, bundle)
        leaves = [leaf_hash(entry) for entry in found]
        if earlier // TILE_WIDTH == bundle.index:
            before = tiles.root(leaves[: earlier % TILE_WIDTH])
        tiles.add(leaves, path)
    tiles.finish()
    root = tiles.root()
    # No bundle starts where a log of full ones ends.
    return root, root if before is None else before


class _Tiles:
    """The hashes of a tree as its entries come in: one row for each level of tiles, of the tile that is not full."""

    __slots__ = ("_counts", "_read", "_rows")

    def __init__(self, read: Read) -> None:
        self._read = read
        self._rows: list[list[bytes]] = []
        # How many tiles of each level were full.
        self._counts: list[int] = []

    def add(self, leaves: list[bytes], source: str) -> None:
        """Take the leaves of a bundle, compare their tile, and all tiles that are full by them."""
        self._put(0, leaves, source)
        level = 0
        while len(self._rows[level]) == TILE_WIDTH:
            above = root_of(self._rows[level])
            below = Tile(level, self._counts[level]).path
            self._counts[level] += 1
            self._rows[level] = []
            level += 1
            self._put(level, [above], below)

    def finish(self) -> None:
        """Compare the tiles of the levels above the leaves that are not full."""
        for level in range(1, len(self._rows)):
            if self._rows[level]:
                self._compare(level, f"tiles of level {level - 1}")

    def root(self, leaves: Sequence[bytes] | None = None) -> bytes:
        """Return the root over everything so far; with `leaves`, as if these stood after the last full bundle."""
        rows: list[Sequence[bytes]] = list(self._rows) or [[]]
        if leaves is not None:
            rows[0] = leaves
        size, found = 0, []
        for level in reversed(range(len(rows))):
            row = rows[level]
            size += len(row) << TILE_HEIGHT * level
            for height, index in peaks(len(row)):
                found.append(root_of(row[index << height : (index + 1) << height]))
        return Frontier(size, found).root()

    def _put(self, level: int, hashes: list[bytes], source: str) -> None:
        if level == len(self._rows):
            self._rows.append([])
            self._counts.append(0)
        self._rows[level] += hashes
        # Partial tiles of higher levels get more hashes with the next bundles: they are compared at the end.
        if level == 0 or len(self._rows[level]) == TILE_WIDTH:
            self._compare(level, source)

    def _compare(self, level: int, source: str) -> None:
        row = self._rows[level]
        tile = Tile(level, self._counts[level], len(row))
        path, data, width = _find(self._read, tile)
        try:
            stored = decode_tile(data, width)[: len(row)]
        except TileError as error:
            raise FileShapeError(path, str(error)) from error
        for place, (ours, theirs) in enumerate(zip(row, stored, strict=True)):
            if ours != theirs:
                what = f"entry {tile.index * TILE_WIDTH + place} in {source}" if level == 0 else f"what is in {source}"
                raise TileMismatchError(path, f"hash {place} is not that of {what}: one of the two was changed")


def _open_head(read: Read, origin: str, log: tuple[NoteKey, ...], witnesses: tuple[NoteKey, ...]) -> SignedCheckpoint:
    data = read(CHECKPOINT)
    if data is None:
        raise FileMissingError(CHECKPOINT, "it is not there, and a log starts with it")
    try:
        return open_checkpoint(data, origin, log, witnesses)
    except (NoteError, CheckpointError) as error:
        raise HeadRefusedError(CHECKPOINT, str(error)) from error


def _require_later(checkpoint: Checkpoint, since: Checkpoint) -> None:
    if since.origin != checkpoint.origin:
        raise HeadRefusedError(
            CHECKPOINT, f"it is one of {checkpoint.origin!r:.200}, and the older one of {since.origin!r:.200}"
        )
    if since.size > checkpoint.size:
        raise RolledBackError(CHECKPOINT, f"the log has {checkpoint.size} entries, and had {since.size} before")


def _require_continued(root: bytes, since: Checkpoint) -> None:
    if root != since.root:
        raise HistoryRewrittenError(
            CHECKPOINT,
            f"the first {since.size} entries have the root {root.hex()}, and had {since.root.hex()} when the older "
            "checkpoint was made: keep both checkpoints, which show that the log was rewritten",
        )


# ---------------------------------------------------------------- writing


def write_tiles(
    write: Write,
    read_entries: Callable[[int, int], Sequence[bytes]],
    size: int,
    since: int = 0,
    *,
    node: Nodes | None = None,
) -> int:
    """Write the entry bundles and hash tiles of a log, and return how many files that were.

    The checkpoint is for the caller to write, after this: a reader that sees it has to find its files.

    Args:
        write: Takes a path and its bytes.
        read_entries: Takes two indices, and returns the entries from the first one up to the second.
        size: Number of entries.
        since: Number of entries that the files were last written for; only what is new or wider is written.
        node: Nodes of the tree. Without it, all entries are read and hashed once more.

    Raises:
        TreeSizeError: if `since` is negative or larger than `size`, or there are not so many entries.
        EntryTooLongError: if an entry has more than 65,535 bytes.
        Exception: what the three functions raise.
    """
    if node is None:
        tree = Tree()
        for bundle in bundles_of(size):
            tree.extend(map(leaf_hash, _exactly(read_entries, bundle)))
        node = tree.node
    files = 0
    for bundle in bundles_of(size, since):
        write(bundle.path, encode_bundle(_exactly(read_entries, bundle)))
        files += 1
    for tile in tiles_of(size, since):
        first = tile.index * TILE_WIDTH
        write(tile.path, encode_tile([node(tile.level * TILE_HEIGHT, first + place) for place in range(tile.width)]))
        files += 1
    return files


def _exactly(read_entries: Callable[[int, int], Sequence[bytes]], bundle: Bundle) -> Sequence[bytes]:
    start = bundle.index * TILE_WIDTH
    found = read_entries(start, start + bundle.width)
    if len(found) != bundle.width:
        raise TreeSizeError(f"{bundle.width} entries from {start} on were asked for, and {len(found)} came")
    return found


# ---------------------------------------------------------------- files


def _read_bundle(read: Read, bundle: Bundle) -> tuple[str, list[bytes]]:
    """Return the path that a bundle was read from, and its entries."""
    path, data, width = _find(read, bundle)
    try:
        return path, decode_bundle(data, width)[: bundle.width]
    except TileError as error:
        raise FileShapeError(path, str(error)) from error


def _find(read: Read, place: Tile | Bundle) -> tuple[str, bytes, int]:
    """Return path, bytes and width of a tile or bundle, or of the full one that came after it."""
    data = read(place.path)
    if data is not None:
        return place.path, data, place.width
    # Logs may drop what is partial once it is full.
    full = Bundle(place.index) if isinstance(place, Bundle) else Tile(place.level, place.index)
    data = read(full.path) if full != place else None
    if data is None:
        raise FileMissingError(place.path, "it is not there, and the tree needs it")
    return full.path, data, TILE_WIDTH

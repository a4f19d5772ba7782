"""A tree as files that any file server can host: the tiles and entry bundles of C2SP tlog-tiles.

A tile holds up to 256 neighboring hashes of every eighth level of the tree; an entry bundle holds
the entries below a tile of level 0. Each has one path, under the prefix of the log. Full ones never
change; the last one of a level may be partial, and then its width stands in the path.

Nothing here is authenticated by being read. Whoever changes a tile can make proofs fail and cannot
make a false one hold: check the proofs against the root of a signed checkpoint.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from scalegate.ledger.merkle import HASH_SIZE, NodeMissingError, Tree, TreeSizeError, node_hash, require_hash

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
MAX_LEVEL = 63
# For most readers and databases, sizes are signed numbers of 64 bits.
MAX_SIZE = (1 << 63) - 1
MAX_INDEX = MAX_SIZE - 1
# The prefix of an entry is a uint16.
MAX_ENTRY = (1 << 16) - 1
_PREFIX = 2

_LONGEST_PATH = 64
_PATH = re.compile(r"tile/(entries|[0-9]{1,2})/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([0-9]{1,3}))?")


class TileError(ValueError):
    """A tile or bundle that is not what tlog-tiles describes; the message says why."""


class TilePathError(TileError):
    """A text that is not the one path of any tile or bundle."""


class TileShapeError(TileError):
    """A level, index or width that no tile or bundle has."""


class TileLengthError(TileError):
    """A tile whose bytes are not as many hashes as it is wide."""


class TileMissingError(TileError):
    """A tile that the tree needs and nobody has."""


class BundleLengthError(TileError):
    """A bundle that ends inside an entry, too early, or too late."""


class EntryTooLongError(TileError):
    """An entry whose length does not fit in 16 bits."""


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """Place of a hash tile: `width` hashes from `index` * 256 on, of level `level` * 8 of the tree.

    Raises:
        TileShapeError: if the level is not 0 to 63, the index not 0 to 2**63 - 2, or the width not 1 to 256.
    """

    level: int
    index: int
    width: int = TILE_WIDTH

    def __post_init__(self) -> None:
        if not 0 <= self.level <= MAX_LEVEL:
            raise TileShapeError(f"tiles have levels 0 to {MAX_LEVEL}, not {self.level}")
        _require_place(self.index, self.width)

    @property
    def path(self) -> str:
        """Path under the prefix of the log, as `tile/0/x001/x234/067.p/8`."""
        return f"tile/{self.level}/{_place(self.index, self.width)}"


@dataclass(frozen=True, slots=True, order=True)
class Bundle:
    """Place of an entry bundle: `width` entries from `index` * 256 on.

    Raises:
        TileShapeError: if the index is not 0 to 2**63 - 2, or the width not 1 to 256.
    """

    index: int
    width: int = TILE_WIDTH

    def __post_init__(self) -> None:
        _require_place(self.index, self.width)

    @property
    def path(self) -> str:
        """Path under the prefix of the log, as `tile/entries/x001/x234/067.p/8`."""
        return f"tile/entries/{_place(self.index, self.width)}"


def parse_path(path: str) -> Tile | Bundle:
    """Return the tile or bundle that a path, without the prefix of the log, stands for.

    Each has exactly one path: others of the same numbers are refused.

    Raises:
        TilePathError: for every other text.
    """
    match = _PATH.fullmatch(path) if len(path) <= _LONGEST_PATH else None
    if match is None:
        raise TilePathError(f"{path[:_LONGEST_PATH]!r} is no path of a tile")
    level, elements, width = match.groups(default=str(TILE_WIDTH))
    index = int(elements.replace("/", "").replace("x", ""))
    try:
        place = Bundle(index, int(width)) if level == "entries" else Tile(int(level), index, int(width))
    except TileShapeError as error:
        raise TilePathError(f"{path!r} is no path of a tile: {error}") from error
    if place.path != path:
        raise TilePathError(f"{path!r} is not how {place.path!r} is written")
    return place


def tiles_of(size: int, since: int = 0) -> Iterator[Tile]:
    """Yield the tiles of a tree of `size` leaves, level by level, each at its widest.

    With `since`, only those that were absent or narrower when the tree had so many leaves: what has
    to be written before a checkpoint of `size` may be shown.

    Raises:
        TreeSizeError: if `since` is negative or larger, or `size` beyond 2**63 - 1.
    """
    _require_growth(size, since)
    level = 0
    while (count := size >> TILE_HEIGHT * level) > 0:
        for index, width in _places(count, since >> TILE_HEIGHT * level):
            yield Tile(level, index, width)
        level += 1


def bundles_of(size: int, since: int = 0) -> Iterator[Bundle]:
    """Yield the entry bundles of a tree, as `tiles_of` does its tiles.

    Raises:
        TreeSizeError: if `since` is negative or larger, or `size` beyond 2**63 - 1.
    """
    _require_growth(size, since)
    for index, width in _places(size, since):
        yield Bundle(index, width)


def cut_tile(tree: Tree, tile: Tile) -> bytes:
    """Return the bytes of a tile: its hashes one after the other, `tile.width` * 32 bytes.

    Raises:
        NodeMissingError: if the tree is too small for it.
    """
    start = tile.index * TILE_WIDTH
    return tree.packed(tile.level * TILE_HEIGHT, start, start + tile.width)


def encode_tile(hashes: Sequence[bytes]) -> bytes:
    """Return 1 to 256 hashes as the bytes of a tile.

    Raises:
        TileShapeError: if there are fewer or more.
        HashLengthError: if one is not 32 bytes.
    """
    _require_place(0, len(hashes))
    return b"".join([require_hash(item, f"hash {place} of the tile") for place, item in enumerate(hashes)])


def decode_tile(data: bytes, width: int) -> list[bytes]:
    """Return the hashes of a tile.

    Raises:
        TileShapeError: if the width is not 1 to 256.
        TileLengthError: if the data is not exactly so many hashes.
    """
    _require_place(0, width)
    if len(data) != width * HASH_SIZE:
        raise TileLengthError(f"a tile of width {width} has {width * HASH_SIZE} bytes, not {len(data)}")
    return [bytes(data[place : place + HASH_SIZE]) for place in range(0, len(data), HASH_SIZE)]


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Return 1 to 256 entries as the bytes of a bundle, each after its length as a big-endian uint16.

    Raises:
        TileShapeError: if there are fewer or more.
        EntryTooLongError: if one has more than 65,535 bytes.
    """
    _require_place(0, len(entries))
    parts: list[bytes] = []
    for place, entry in enumerate(entries):
        if len(entry) > MAX_ENTRY:
            raise EntryTooLongError(f"entry {place} has {len(entry)} bytes, and {MAX_ENTRY} is the limit")
        parts += (len(entry).to_bytes(_PREFIX, "big"), entry)
    return b"".join(parts)


def decode_bundle(data: bytes, width: int) -> list[bytes]:
    """Return the entries of a bundle; that they hash to their tile is for the caller to check.

    Raises:
        TileShapeError: if the width is not 1 to 256.
        BundleLengthError: if the data is not exactly so many entries.
    """
    _require_place(0, width)
    entries: list[bytes] = []
    place = 0
    for number in range(width):
        start = place + _PREFIX
        if start > len(data):
            raise BundleLengthError(f"the bundle ends before entry {number} of {width}")
        place = start + int.from_bytes(data[place:start], "big")
        if place > len(data):
            raise BundleLengthError(f"the bundle ends inside entry {number} of {width}")
        entries.append(bytes(data[start:place]))
    if place != len(data):
        raise BundleLengthError(f"{len(data) - place} bytes follow the last of {width} entries")
    return entries


class TiledTree:
    """Nodes of the tree of one size, read from its tiles: a source for `Prover`.

    `read` gets a path and returns its bytes, or None where there are none; what else it raises
    passes through. The last tiles are kept, with the nodes between their levels: about 45 kB for each.
    """

    __slots__ = ("_keep", "_read", "_size", "_tiles")

    def __init__(self, read: Callable[[str], bytes | None], size: int, keep: int = 256) -> None:
        """Look at the tree of `size` leaves, and keep up to `keep` tiles.

        Raises:
            TreeSizeError: if the size is negative or beyond 2**63 - 1.
        """
        _require_growth(size, 0)
        self._read = read
        self._size = size
        self._keep = keep
        self._tiles: dict[tuple[int, int], list[list[bytes]]] = {}

    @property
    def size(self) -> int:
        """Number of leaves."""
        return self._size

    def node(self, level: int, index: int) -> bytes:
        """Return the hash of a complete node.

        Raises:
            NodeMissingError: if the tree has no such node, or not all of its leaves.
            TileMissingError: if its tile is nowhere.
            TileLengthError: if its tile is cut short or too long.
        """
        if level < 0 or not 0 <= index < self._size >> level:
            raise NodeMissingError(f"a tree of {self._size} leaves has no complete node {index} on level {level}")
        tile_level, height = divmod(level, TILE_HEIGHT)
        tile_index, place = divmod(index << height, TILE_WIDTH)
        return self._rows(tile_level, tile_index)[height][place >> height]

    def _rows(self, level: int, index: int) -> list[list[bytes]]:
        """Return the nodes of a tile: its hashes, and the complete nodes up to seven levels above them."""
        # Taken out and put back, the dictionary is in order of last use.
        rows = self._tiles.pop((level, index), None)
        if rows is None:
            row = self._fetch(level, index)
            rows = [row]
            for _ in range(TILE_HEIGHT - 1):
                row = [node_hash(left, right) for left, right in zip(row[::2], row[1::2], strict=False)]
                rows.append(row)
            while self._tiles and len(self._tiles) >= self._keep:
                del self._tiles[next(iter(self._tiles))]
        self._tiles[level, index] = rows
        return rows

    def _fetch(self, level: int, index: int) -> list[bytes]:
        """Return the hashes of a tile at the width it has in this tree, or of the full one."""
        count = self._size >> TILE_HEIGHT * level
        full = Tile(level, index)
        tile = Tile(level, index, min(count - index * TILE_WIDTH, TILE_WIDTH))
        data = self._read(tile.path)
        if data is not None:
            return decode_tile(data, tile.width)
        # Logs may drop a partial tile once it is full; `node` reads no further than the size.
        data = self._read(full.path) if tile != full else None
        if data is None:
            raise TileMissingError(f"there is no {tile.path}, which a tree of {self._size} leaves needs")
        return decode_tile(data, TILE_WIDTH)


def _places(count: int, before: int) -> Iterator[tuple[int, int]]:
    """Yield index and width of the tiles of a level that grew from `before` hashes to `count`."""
    if count == before:
        return
    for index in range(before // TILE_WIDTH, count // TILE_WIDTH):
        yield index, TILE_WIDTH
    if count % TILE_WIDTH:
        yield count // TILE_WIDTH, count % TILE_WIDTH


def _place(index: int, width: int) -> str:
    """Return the end of a path: the index in groups of three digits, and the width unless it is full."""
    text = str(index)
    text = text.zfill(-(-len(text) // 3) * 3)
    groups = [text[place : place + 3] for place in range(0, len(text), 3)]
    path = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return path if width == TILE_WIDTH else f"{path}.p/{width}"


def _require_place(index: int, width: int) -> None:
    if not 0 <= index <= MAX_INDEX:
        raise TileShapeError(f"tiles have indices 0 to {MAX_INDEX}, not {index}")
    if not 1 <= width <= TILE_WIDTH:
        raise TileShapeError(f"tiles have widths 1 to {TILE_WIDTH}, not {width}")


def _require_growth(size: int, since: int) -> None:
    if size > MAX_SIZE:
        raise TreeSizeError(f"a tree in tiles has at most {MAX_SIZE} leaves")
    if not 0 <= since <= size:
        raise TreeSizeError(f"no tree grows from {since} leaves to {size}")

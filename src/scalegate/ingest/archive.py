"""ZIP archives, read strictly and in one pass: every byte is hashed, every member is checked.

`zipfile` is built to be lenient (last of two equal names, bytes before the archive, headers that contradict each
other) and before Python 3.14 cannot unpack zstd, method 93, which Inspect writes. This reader knows what logs
contain (stored, deflate, zstd in one or more frames, ZIP64) and refuses the rest. Sources: PKWARE APPNOTE 6.3.10,
RFC 1951, RFC 8878.
"""

from __future__ import annotations

import hashlib
import io
import re
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple, cast

import zstandard

from scalegate.ingest.limits import MIB, Limits
from scalegate.ingest.objections import ObjectionError
from scalegate.ingest.sanitize import quoted

STORED, DEFLATED, ZSTANDARD = 0, 8, 93

_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_MAX_COMMENT = 0xFFFF
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF
_UNKNOWN_SIZE = (1 << 64) - 1
_ENCRYPTED, _DESCRIPTOR, _UTF8_NAME = 0x2041, 0x8, 0x800
_PIECE = MIB // 4
# Members up to this size are unpacked in one call; larger ones stream.
_AT_ONCE = 32 * MIB
# Nothing is ever extracted; but what other tools would write outside their folder has no place in a log. Ids of
# samples become names, so that `//` and backslashes (addresses, formulas) occur in honest ones.
_UNSAFE = re.compile(r"^[/\\]|^[A-Za-z]:|(?:^|[/\\])\.\.(?:[/\\]|$)|[\x00-\x1f\x7f]|^$")


class Member(NamedTuple):
    """One entry of the central directory.

    Attributes:
        name: path inside the archive.
        method: compression method.
        flags: general purpose flags.
        crc: CRC-32 of the unpacked bytes.
        packed: size in the archive.
        size: size unpacked.
        offset: where the member's own header starts.
        raw_name: the name as stored.
    """

    name: str
    method: int
    flags: int
    crc: int
    packed: int
    size: int
    offset: int
    raw_name: bytes


class Archive:
    """An archive that is read once, from its first byte to its last.

    Iteration gives the members in the order of their bytes. Each one has to be taken by `read` or `pieces`
    before the next; those that are not are checked on the way. After the iteration `digest` is the SHA-256 of the
    whole file, and every checksum has been verified.

    Attributes:
        members: the directory, in the order of the members' bytes.
        slack: bytes between members that belong to none.
    """

    def __init__(self, handle: BinaryIO, limits: Limits) -> None:
        """Read and check the directory.

        Raises:
            ObjectionError: E105 to E112, E114, E118.
        """
        self._handle = handle
        self._limits = limits
        self._size = handle.seek(0, 2)
        self.slack = 0
        self.members, self._directory_start = self._read_directory()
        self._check_sizes()
        self._hash = hashlib.sha256()
        self._position = 0
        self._current: tuple[Member, int] | None = None
        self._zstd = zstandard.ZstdDecompressor(max_window_size=limits.window_bytes)
        handle.seek(0)

    @property
    def digest(self) -> str:
        """`sha256:` and the digest of all bytes read so far; of the whole file after the iteration."""
        return f"sha256:{self._hash.hexdigest()}"

    def __iter__(self) -> Iterator[Member]:
        for index, member in enumerate(self.members):
            self._skip_to(member.offset)
            self._current = (member, self._end_of(index) - member.offset)
            yield member
            if self._current is not None:
                for _ in self.pieces(member):
                    pass
        self._skip_to(self._directory_start)
        tail = self._take(self._size - self._directory_start)
        if tail != self._tail or self._handle.read(1):
            raise ObjectionError("E119")

    def read(self, member: Member) -> bytes:
        """Return the unpacked bytes of the current member.

        Raises:
            ObjectionError: E108, E109, E113, E115, E116, E119, E207.
        """
        if member.size > self._limits.document_bytes:
            raise ObjectionError("E207", f"{member.size} bytes", member.name)
        room = self._claim(member)
        if room > _AT_ONCE or member.size > _AT_ONCE:
            return b"".join(self._stream(member, room))
        return self._whole(member, room)

    def pieces(self, member: Member) -> Iterator[bytes]:
        """Return the unpacked bytes of the current member piece by piece; checked when the last was taken.

        Raises:
            ObjectionError: E108, E109, E113, E115, E116, E119.
        """
        return self._stream(member, self._claim(member))

    def _claim(self, member: Member) -> int:
        if self._current is None or self._current[0] is not member:
            raise ValueError(f"{member.name} is not the current member, or was taken before")
        room = self._current[1]
        self._current = None
        return room

    # -- the directory ------------------------------------------------------------------------

    def _at(self, offset: int, size: int) -> bytes:
        self._handle.seek(offset)
        return self._handle.read(size)

    def _find_end(self) -> tuple[int, int, int, int]:
        """Return where the end record starts, and the directory's count, size and offset."""
        start = self._size - _END.size
        record = self._at(start, _END.size) if start >= 0 else b""
        if record[:4] != b"PK\x05\x06" or record[-2:] != b"\0\0":
            tail = self._at(max(0, start - _MAX_COMMENT), _MAX_COMMENT + _END.size)
            found = tail.rfind(b"PK\x05\x06")
            if 0 <= found <= len(tail) - _END.size:
                raise ObjectionError("E106", "something follows the end record")
            raise ObjectionError("E105")
        _, disk, first, here, count, size, offset, _ = _END.unpack(record)
        if _FULL16 in (here, count) or _FULL32 in (size, offset):
            locator = self._at(start - _LOCATOR.size, _LOCATOR.size)
            if len(locator) == _LOCATOR.size and locator[:4] == b"PK\x06\x07":
                start -= _LOCATOR.size + _END64.size
                record = self._at(start, _END64.size) if start >= 0 else b""
                if record[:4] != b"PK\x06\x06" or _LOCATOR.unpack(locator)[2] != start:
                    raise ObjectionError("E106", "the ZIP64 end record is not where it says")
                _, _, _, _, disk, first, here, count, size, offset = _END64.unpack(record)
        if disk or first or here != count:
            raise ObjectionError("E105", "the archive spans several files")
        return start, count, size, offset

    def _read_directory(self) -> tuple[tuple[Member, ...], int]:
        end, count, size, offset = self._find_end()
        if count > self._limits.members or size > self._limits.directory_bytes:
            raise ObjectionError("E118", f"{count} members")
        if offset + size != end:
            raise ObjectionError("E106", "the directory is not where the end record says")
        self._tail = self._at(offset, self._size - offset)
        directory = self._tail[:size]
        members: list[Member] = []
        names: set[str] = set()
        position = 0
        while position < size:
            member, position = _central_entry(directory, position)
            if member.name in names:
                raise ObjectionError("E107", where=member.name)
            names.add(member.name)
            members.append(member)
        if len(members) != count:
            raise ObjectionError("E105", f"{len(members)} directory entries instead of {count}")
        members.sort(key=lambda member: member.offset)
        return tuple(members), offset

    def _check_sizes(self) -> None:
        limits = self._limits
        total = 0
        for member in self.members:
            total += member.size
            if member.size > limits.ratio_floor:
                ratio = member.size // max(member.packed, 1)
                if ratio > limits.member_ratio:
                    raise ObjectionError("E114", f"{ratio} times its packed size", member.name)
        if total > limits.total_bytes:
            raise ObjectionError("E114", f"{total} bytes in all")
        if total > limits.ratio_floor and total > limits.total_ratio * self._size:
            raise ObjectionError("E114", f"{total // self._size} times the archive's size in all")

    def _end_of(self, index: int) -> int:
        following = index + 1
        if following < len(self.members):
            return self.members[following].offset
        return self._directory_start

    # -- the members --------------------------------------------------------------------------

    def _take(self, size: int) -> bytes:
        data = self._handle.read(size)
        if len(data) != size:
            raise ObjectionError("E119", "it became shorter")
        self._hash.update(data)
        self._position += size
        return data

    def _skip_to(self, offset: int) -> None:
        if offset < self._position:
            raise ObjectionError("E109")
        self.slack += offset - self._position
        while self._position < offset:
            self._take(min(_PIECE, offset - self._position))

    def _whole(self, member: Member, room: int) -> bytes:
        """Read everything up to the next member at once, and unpack in one call."""
        tile = self._take(max(room, 0))
        start = _check_header(member, tile, room)
        packed = memoryview(tile)[start : start + member.packed]
        self.slack += room - start - member.packed
        try:
            data = self._unpacked(member, packed)
        except (zlib.error, zstandard.ZstdError) as error:
            raise _broken(error, member) from error
        _check_content(member, len(data), zlib.crc32(data))
        return data

    def _unpacked(self, member: Member, packed: memoryview) -> bytes:
        if member.method == STORED or not member.size:
            return bytes(packed) if member.method == STORED else b""
        if member.method == DEFLATED:
            unpacker = zlib.decompressobj(-15)
            data = unpacker.decompress(packed, member.size + 1)
            if not unpacker.eof or unpacker.unused_data:
                raise ObjectionError("E115", "the compressed data does not end with it", member.name)
            return data
        frame = zstandard.get_frame_parameters(packed)
        known = frame.content_size != _UNKNOWN_SIZE
        if known and frame.content_size > member.size:
            raise ObjectionError("E115", f"a frame of {frame.content_size} bytes", member.name)
        if frame.window_size > self._limits.window_bytes and not known:
            raise ObjectionError("E116", f"a window of {frame.window_size} bytes", member.name)
        try:
            return self._zstd.decompress(packed, max_output_size=member.size, allow_extra_data=False)
        except zstandard.ZstdError:
            # Several frames, or broken: the stream knows which.
            return b"".join(_capped(_frames(self._zstd, io.BytesIO(packed)), member))

    def _stream(self, member: Member, room: int) -> Iterator[bytes]:
        head = self._take(min(_LOCAL.size, max(room, 0)))
        if len(head) == _LOCAL.size:
            fields = _LOCAL.unpack(head)
            head += self._take(min(fields[9] + fields[10], room - _LOCAL.size))
        _check_header(member, head, room)
        packed = self._packed(member)
        try:
            content = packed
            if member.method == DEFLATED:
                content = _inflate(packed, member)
            elif member.method == ZSTANDARD:
                content = _frames(self._zstd, _Source(packed))
            crc = size = 0
            for piece in _capped(content, member):
                crc = zlib.crc32(piece, crc)
                size += len(piece)
                yield piece
        except (zlib.error, zstandard.ZstdError) as error:
            raise _broken(error, member) from error
        _check_content(member, size, crc)

    def _packed(self, member: Member) -> Iterator[bytes]:
        left = member.packed
        while left:
            piece = self._take(min(_PIECE, left))
            left -= len(piece)
            yield piece


def _broken(error: Exception, member: Member) -> ObjectionError:
    text = str(error)
    code = "E116" if "memory" in text.lower() or "window" in text.lower() else "E115"
    return ObjectionError(code, quoted(text), member.name)


def _capped(content: Iterator[bytes], member: Member) -> Iterator[bytes]:
    """Stop as soon as more comes out than was declared."""
    left = member.size
    for piece in content:
        left -= len(piece)
        if left < 0:
            raise ObjectionError("E115", f"more than {member.size} bytes", member.name)
        yield piece


def _check_content(member: Member, size: int, crc: int) -> None:
    if size != member.size:
        raise ObjectionError("E115", f"{size} bytes instead of {member.size}", member.name)
    if crc != member.crc:
        raise ObjectionError("E113", where=member.name)


class _Source:
    """Pieces of packed bytes as something to read from."""

    __slots__ = ("_pieces",)

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    def read(self, _size: int = -1) -> bytes:
        """Return the next piece, empty at the end."""
        return next(self._pieces, b"")


def _frames(unpacker: zstandard.ZstdDecompressor, source: _Source | io.BytesIO) -> Iterator[bytes]:
    reader = unpacker.stream_reader(cast("BinaryIO", source), read_size=_PIECE, read_across_frames=True)
    while piece := reader.read(_PIECE):
        yield piece


def _inflate(packed: Iterator[bytes], member: Member) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(-15)
    for piece in packed:
        rest = piece
        while rest:
            yield unpacker.decompress(rest, _PIECE)
            rest = unpacker.unconsumed_tail
        if unpacker.unused_data:
            raise ObjectionError("E115", "data follows the stream", member.name)
    # Output that did not fit into the last piece is still inside.
    while unpacked := unpacker.decompress(b"", _PIECE):
        yield unpacked
    if not unpacker.eof:
        raise ObjectionError("E115", "the stream is cut off", member.name)


def _central_entry(directory: bytes, position: int) -> tuple[Member, int]:
    """Return the directory entry at `position`, and where the next one starts."""
    fields = directory[position : position + _CENTRAL.size]
    if len(fields) < _CENTRAL.size or fields[:4] != b"PK\x01\x02":
        raise ObjectionError("E105", "the directory is broken")
    _, _, _, flags, method, _, _, crc, packed, size, *sizes, disk, _, _, offset = _CENTRAL.unpack(fields)
    name_size, extra_size, comment_size = sizes
    start = position + _CENTRAL.size
    end = start + name_size + extra_size + comment_size
    if end > len(directory):
        raise ObjectionError("E105", "the directory is broken")
    raw_name = directory[start : start + name_size]
    name = _name(raw_name, flags)
    extra = directory[start + name_size : start + name_size + extra_size]
    if _FULL32 in (packed, size, offset):
        size, packed, offset = _large(extra, (size, packed, offset), name)
    if flags & _ENCRYPTED:
        raise ObjectionError("E110", where=name)
    if method not in (STORED, DEFLATED, ZSTANDARD):
        raise ObjectionError("E111", f"method {method}", name)
    if method == STORED and packed != size:
        raise ObjectionError("E115", "stored with two sizes", name)
    if disk:
        raise ObjectionError("E105", "the archive spans several files")
    return Member(name, method, flags, crc, packed, size, offset, raw_name), end


def _name(raw: bytes, flags: int) -> str:
    try:
        name = raw.decode("utf-8" if flags & _UTF8_NAME else "ascii")
    except UnicodeDecodeError:
        try:
            name = raw.decode("cp437" if not flags & _UTF8_NAME else "ascii")
        except UnicodeDecodeError as error:
            raise ObjectionError("E112", "the name is not UTF-8") from error
    if _UNSAFE.search(name):
        raise ObjectionError("E112", where=name or "(empty)")
    return name


def _large(extra: bytes, short: tuple[int, ...], name: str) -> tuple[int, ...]:
    """Replace saturated sizes by those of the ZIP64 extra field, which holds only those, in order."""
    position = 0
    while position + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, position)
        if kind == 1:
            body = extra[position + 4 : position + 4 + length]
            wide = iter(struct.unpack(f"<{len(body) // 8}Q", body[: len(body) // 8 * 8]))
            try:
                return tuple(next(wide) if value == _FULL32 else value for value in short)
            except (StopIteration, RuntimeError) as error:
                raise ObjectionError("E108", "a ZIP64 field is too short", name) from error
        position += 4 + length
    return short


def _check_header(member: Member, tile: bytes, room: int) -> int:
    """Compare a member's own header with the directory; return where its packed bytes start.

    Raises:
        ObjectionError: E108, E109.
    """
    if room < _LOCAL.size:
        raise ObjectionError("E109", where=member.name)
    if len(tile) < _LOCAL.size or tile[:4] != b"PK\x03\x04":
        raise ObjectionError("E108", "no header where the directory says", member.name)
    _, _, flags, method, _, _, crc, packed, size, name_size, extra_size = _LOCAL.unpack_from(tile)
    start: int = _LOCAL.size + name_size + extra_size
    if start + member.packed > room:
        raise ObjectionError("E109", where=member.name)
    raw_name = tile[_LOCAL.size : _LOCAL.size + name_size]
    if _FULL32 in (packed, size):
        extra = tile[_LOCAL.size + name_size : start]
        size, packed = _large(extra, (size, packed), member.name)
    own = (flags, method, crc, packed, size)
    directory = (member.flags, member.method, member.crc, member.packed, member.size)
    streamed = member.flags & _DESCRIPTOR and own[:2] == directory[:2]
    if own != directory and not (streamed and own[2:] in ((0, 0, 0), (crc, 0, 0))):
        raise ObjectionError("E108", "sizes, checksum or method", member.name)
    if raw_name != member.raw_name:
        raise ObjectionError("E108", "another name", member.name)
    return start

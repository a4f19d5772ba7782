"""Archives with one defect each, named after it; every one is refused for its own reason."""

import hashlib
import io
import json
import zipfile
import zlib
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from scalegate.ingest.archive import Archive
from scalegate.ingest.limits import KIB, MIB, Limits
from scalegate.ingest.objections import ObjectionError
from scalegate.ingest.read import read_log
from tests.ingest.logs import archive, binary_log, codes, members_of, pack

SMALL = [("a.json", b'{"a": 1}'), ("b.json", b"b" * 5000)]
NO_LIMITS = Limits()


def contents(data: bytes, limits: Limits = NO_LIMITS) -> dict[str, bytes]:
    opened = Archive(io.BytesIO(data), limits)
    found = {member.name: opened.read(member) for member in opened}
    assert opened.digest == f"sha256:{hashlib.sha256(data).hexdigest()}"
    return found


def streamed(data: bytes, limits: Limits = NO_LIMITS) -> dict[str, bytes]:
    opened = Archive(io.BytesIO(data), limits)
    return {member.name: b"".join(opened.pieces(member)) for member in opened}


def code_of(data: bytes, limits: Limits = NO_LIMITS) -> str:
    with pytest.raises(ObjectionError) as whole:
        contents(data, limits)
    with pytest.raises(ObjectionError) as pieces:
        streamed(data, limits)
    assert whole.value.finding.code == pieces.value.finding.code
    return whole.value.finding.code


@given(
    st.dictionaries(st.text("abc/é", min_size=1).map(lambda n: f"x{n}.json".replace("//", "/")), st.binary()),
    st.sampled_from([0, 8, 93]),
    st.booleans(),
)
def test_every_member_comes_back_whole_and_in_pieces(members: dict[str, bytes], method: int, zip64: bool):  # noqa: FBT001
    if not members:
        return
    data = archive(list(members.items()), method, zip64=zip64)
    assert contents(data) == streamed(data) == members


@given(st.binary(max_size=300), st.data())
def test_flipping_any_byte_is_noticed_or_leaves_the_contents_alone(noise: bytes, data: st.DataObject):
    original = archive([("a.json", b"score" + noise), ("b.json", b"1")], data.draw(st.sampled_from([0, 8, 93])))
    place = data.draw(st.integers(0, len(original) - 1))
    changed = bytearray(original)
    changed[place] ^= data.draw(st.integers(1, 255))
    try:
        found = contents(bytes(changed))
    except ObjectionError:
        return
    # Dates, versions and attributes are nobody's evidence; names may change only in both places.
    assert found == contents(original)


@given(st.data())
def test_truncation_anywhere_is_noticed(data: st.DataObject):
    original = archive(SMALL)
    cut = data.draw(st.integers(0, len(original) - 1))
    with pytest.raises(ObjectionError):
        contents(original[:cut])


def test_zstd_in_many_frames_is_read():
    parts = [bytes([65 + number]) * 70_000 for number in range(5)]
    frames = b"".join(zstandard.ZstdCompressor().compress(part) for part in parts)
    data = archive([("m", b"".join(parts))], 93, packed={"m": frames})
    assert contents(data)["m"] == streamed(data)["m"] == b"".join(parts)


def test_large_members_stream():
    big = bytes(range(256)) * 4 * KIB * 40
    for method in (0, 8, 93):
        data = archive([("m", big)], method)
        opened = Archive(io.BytesIO(data), NO_LIMITS)
        sizes = [len(piece) for member in opened for piece in opened.pieces(member)]
        assert sum(sizes) == len(big)
        assert max(sizes) <= 2 * MIB
        assert contents(data)["m"] == big


def test_duplicate_names():
    assert code_of(archive([*SMALL, ("a.json", b"{}")])) == "E107"


@pytest.mark.parametrize("junk", [b"x", b"PK\5\6", b"\0" * 22, b"x" * 70_000])
def test_trailing_data(junk: bytes):
    assert code_of(archive(SMALL, after=junk)) in ("E105", "E106")
    assert code_of(archive(SMALL, after=b"x")) == "E106"


def test_archive_comment():
    data = bytearray(archive(SMALL))
    data[-2:] = b"\x03\x00"
    assert code_of(bytes(data) + b"abc") == "E106"


def test_bytes_before_the_archive_that_the_directory_does_not_count():
    assert code_of(b"junk" + archive(SMALL)) == "E106"


def test_bytes_between_members_are_counted():
    data = archive(SMALL, between=b"hidden")
    opened = Archive(io.BytesIO(data), NO_LIMITS)
    assert [opened.read(member) for member in opened] == [content for _, content in SMALL]
    assert opened.slack == 12
    skipped = Archive(io.BytesIO(data), NO_LIMITS)
    assert len(list(skipped)) == 2
    assert skipped.slack == 12
    assert skipped.digest == opened.digest


@pytest.mark.parametrize(
    ("field", "change", "code"),
    [
        ("crc", lambda f: f.__setitem__(2, f[2] ^ 1), "E108"),
        ("size", lambda f: f.__setitem__(4, f[4] + 1), "E108"),
        ("packed", lambda f: f.__setitem__(3, f[3] - 1), "E108"),
        ("method", lambda f: f.__setitem__(1, 93), "E108"),
        ("unknown-method", lambda f: f.__setitem__(1, 12), "E111"),
        ("encrypted", lambda f: f.__setitem__(0, 1), "E110"),
        ("offset", lambda f: f.__setitem__(5, f[5] + 1), "E108"),
        ("overlap", lambda f: f.__setitem__(5, 0), "E109"),
    ],
)
def test_directory_contradicts_the_member(field: str, change, code: str):
    data = archive(SMALL, central=lambda name, fields: change(fields) if name == "b.json" else None)
    assert code_of(data) == code, field


def test_checksum_is_wrong_in_both_places():
    data = archive(SMALL, 0)
    assert code_of(data.replace(b'{"a": 1}', b'{"a": 9}')) == "E113"


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../x", "a\\..\\x", "\\x", "C:x", "a\x07", "a\x00b", "x/.."])
def test_unsafe_names(name: str):
    assert code_of(archive([(name, b"1")])) == "E112"


def test_stored_size_is_not_the_unpacked_one():
    data = archive([("m", b"abc")], 8, packed={"m": pack(b"abcd", 8)})
    assert code_of(data) == "E115"
    data = archive([("m", b"abcd")], 93, packed={"m": pack(b"abc", 93)})
    assert code_of(data) == "E115"


@pytest.mark.parametrize("method", [8, 93])
def test_data_behind_the_compressed_stream(method: int):
    data = archive([("m", b"abc")], method, packed={"m": pack(b"abc", method) + b"extra"})
    assert code_of(data) == "E115"


def test_deflate_bomb_is_refused_by_its_declared_size():
    data = archive(
        [("m", b"")],
        8,
        packed={"m": pack(b"\0" * MIB, 8)},
        central=lambda _, fields: fields.__setitem__(4, 3 * 1024**3),
    )
    assert code_of(data) == "E114"


@pytest.mark.parametrize("method", [8, 93])
def test_bomb_that_declares_little_stops_at_what_it_declared(method: int):
    bomb = pack(b"\0" * (64 * MIB), method)
    data = archive([("m", b"\0" * 1000)], method, packed={"m": bomb})
    assert code_of(data) == "E115"


def test_many_members_that_are_a_bomb_together():
    limits = Limits(ratio_floor=MIB, member_ratio=10_000, total_ratio=50)
    data = archive([(f"m{number}", b"\0" * MIB) for number in range(8)], 8)
    assert code_of(data, limits) == "E114"


def test_too_many_members():
    assert code_of(archive(SMALL), Limits(members=1)) == "E118"


def test_zstd_window_beyond_the_limit():
    parameters = zstandard.ZstdCompressionParameters.from_level(3, window_log=27)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    data = b"x" * (40 * MIB)
    frame = packer.compress(data) + packer.flush()
    assert code_of(archive([("m", data)], 93, packed={"m": frame})) == "E116"


def test_zstd_frame_that_promises_the_moon():
    frame = bytearray(zstandard.ZstdCompressor().compress(b"a" * 70_000))
    assert zstandard.get_frame_parameters(bytes(frame)).content_size == 70_000
    data = archive([("m", b"a" * 10)], 93, packed={"m": bytes(frame)})
    assert code_of(data) == "E115"


def test_a_file_that_changes_while_it_is_read():
    handle = io.BytesIO(archive(SMALL))
    opened = Archive(handle, NO_LIMITS)
    handle.seek(-10, 2)
    handle.write(b"\1")
    handle.seek(0)
    with pytest.raises(ObjectionError) as caught:
        list(opened)
    assert caught.value.finding.code == "E119"


def test_streamed_archives_with_data_descriptors_are_read():
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.data = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data) -> int:
            self.data += data
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in SMALL:
            out.writestr(name, data)
    assert contents(bytes(pipe.data)) == dict(SMALL)


def test_skipped_members_are_verified_too():
    data = archive(SMALL, 0).replace(b"bbbb", b"bbbc", 1)
    with pytest.raises(ObjectionError) as caught:
        list(Archive(io.BytesIO(data), NO_LIMITS))
    assert caught.value.finding.code == "E113"


def test_a_member_can_be_taken_once():
    opened = Archive(io.BytesIO(archive(SMALL)), NO_LIMITS)
    member = next(iter(opened))
    opened.read(member)
    with pytest.raises(ValueError, match="taken before"):
        opened.read(member)


def test_shadowed_sample_under_a_second_name_entry(tmp_path: Path):
    """The classic: two entries of one name, one with the true score, one with the wished one."""
    log = binary_log(["C", "I"])
    wished = json.dumps({**log["samples"][0], "scores": {"match": {"value": "I"}}}).encode()
    members = members_of(log)
    path = tmp_path / "log.eval"
    path.write_bytes(archive([*members, ("samples/1_epoch_1.json", wished)]))
    assert codes(read_log(path).findings) == ["E107"]


def test_crc_of_a_flipped_sample(tmp_path: Path):
    data = archive(members_of(binary_log(["C", "I"])), 0)
    path = tmp_path / "log.eval"
    path.write_bytes(data.replace(b'"value": "C"', b'"value": "I"', 1))
    reading = read_log(path)
    assert codes(reading.findings) == ["E113"]
    assert reading.digest == f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    assert zlib.crc32(b"") == 0

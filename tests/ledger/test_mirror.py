import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.ledger.checkpoint import Checkpoint, format_checkpoint
from scalegate.ledger.log_folder import MAX_FILE, FileShapeError, LogFolder, MirrorError
from scalegate.ledger.merkle import HASH_SIZE, Tree, TreeSizeError, leaf_hash, root_of
from scalegate.ledger.mirror import (
    CHECKPOINT,
    FileMissingError,
    HeadRefusedError,
    HistoryRewrittenError,
    RolledBackError,
    RootMismatchError,
    TileMismatchError,
    entries,
    verify_log,
    write_tiles,
)
from scalegate.ledger.note import Note, NoteKey, SignatureType, format_note, parse_vkey
from scalegate.ledger.tiles import (
    TILE_WIDTH,
    EntryTooLongError,
    TiledTree,
    bundles_of,
    encode_bundle,
    encode_tile,
    parse_path,
    tiles_of,
)
from tests.ledger.signers import Ed25519Signer, key_of

ORIGIN = "lab.example/log"
LAB, AUDITOR = Ed25519Signer("lab"), Ed25519Signer("auditor")
LAB_KEY = NoteKey(ORIGIN, SignatureType.NOTE, key_of(LAB))
WITNESS_KEY = NoteKey("auditor.example", SignatureType.COSIGNATURE, key_of(AUDITOR))
ENTRIES = [b"entry %d" % index for index in range(1_000)]
TREE = Tree(map(leaf_hash, ENTRIES))
SIZES = st.one_of(st.integers(0, len(ENTRIES)), st.sampled_from([0, 1, 255, 256, 257, 511, 512, 513, 1_000]))
SIZE = 700


def head(size, root, origin=ORIGIN):
    """A checkpoint that the lab signed and an auditor cosigned."""
    text = format_checkpoint(Checkpoint(origin, size, root))
    return format_note(Note(text, (LAB_KEY.sign(text, LAB), WITNESS_KEY.sign(text, AUDITOR, 1_800_000_000))))


def cut(of=ENTRIES):
    return lambda start, stop: of[start:stop]


class Shelf(dict):
    """The files of a log, whole."""

    def __init__(self, size=SIZE, of=ENTRIES):
        super().__init__()
        write_tiles(self.__setitem__, cut(of), size)
        self[CHECKPOINT] = head(size, root_of([leaf_hash(entry) for entry in of[:size]]))

    def check(self, origin=ORIGIN, log=(LAB_KEY,), **options):
        return verify_log(self.get, origin, log, [WITNESS_KEY], listed=self, **options)


def checkpoint(size, of=ENTRIES):
    return Checkpoint(ORIGIN, size, root_of([leaf_hash(entry) for entry in of[:size]]))


def bent(data, place=-1):
    place %= len(data)
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


# ---------------------------------------------------------------- whole logs


@given(SIZES)
def test_a_log_that_is_written_is_verified(size):
    shelf = Shelf(size)
    verified = shelf.check()
    assert verified.entries == size
    assert verified.checkpoint.root == TREE.root(size)
    assert [item.key for item in verified.signed.witnesses] == [WITNESS_KEY]
    assert (verified.files, verified.unneeded) == (len(shelf), 0)
    assert list(entries(shelf.get, size)) == ENTRIES[:size]


@given(SIZES, SIZES)
def test_a_log_that_grew_is_verified_as_one_that_continues(first, second):
    before, after = sorted((first, second))
    shelf = Shelf(before)
    write_tiles(shelf.__setitem__, cut(), after, before)
    shelf[CHECKPOINT] = head(after, TREE.root(after))
    assert shelf.check(since=checkpoint(before)).entries == after


@given(SIZES, SIZES)
def test_with_nodes_of_the_tree_the_same_files_are_written(first, second):
    before, after = sorted((first, second))
    shelf, asked = {}, []

    def read_entries(start, stop):
        asked.append((start, stop))
        return ENTRIES[start:stop]

    written = write_tiles(shelf.__setitem__, read_entries, after, before, node=TREE.node)
    again = {}
    write_tiles(again.__setitem__, cut(), after, before)
    assert shelf == again
    assert written == len(shelf)
    # From the start of the first bundle that grew, each once.
    assert sum(stop - start for start, stop in asked) == (after - before // 256 * 256 if after > before else 0)


@given(st.integers(0, SIZE))
def test_entries_are_read_from_anywhere(start):
    assert list(entries(Shelf().get, SIZE, start)) == ENTRIES[start:SIZE]


def test_nodes_of_three_levels_of_tiles_are_compared():
    """65,536 small entries are the fewest that fill a tile of level 1."""
    size = 65_536 + 300
    shelf = Shelf(size, [b"%d" % index for index in range(size)])
    levels = {parse_path(tile.path).level for tile in tiles_of(size)}
    assert levels == {0, 1, 2}
    assert shelf.check().entries == size
    for path in ("tile/1/000", "tile/1/001.p/1", "tile/2/000.p/1", "tile/0/255"):
        broken = Shelf.__new__(Shelf)
        broken.update(shelf, **{path: bent(shelf[path])})
        with pytest.raises(TileMismatchError) as found:
            broken.check()
        assert found.value.path == path


def test_the_full_tile_may_stand_for_a_partial_one():
    grown, shelf = Shelf(1_000), Shelf(SIZE)
    for path in ("tile/0/002", "tile/entries/002"):
        del shelf[f"{path}.p/188"]
        shelf[path] = grown[path]
    assert shelf.check().entries == SIZE
    assert list(entries(shelf.get, SIZE)) == ENTRIES[:SIZE]


def test_files_that_nobody_needs_are_counted_and_not_read():
    shelf = Shelf()
    shelf.update({"tile/0/002.p/189": b"?", "tile/entries/000.p/12": b"?", "README": b"?", "tile/7/000": b"?"})
    verified = shelf.check()
    assert verified.unneeded == 4
    assert verified.files == len(shelf) - 4


# ---------------------------------------------------------------- what was done to the files


@given(st.data())
def test_every_file_is_needed_and_none_of_its_bytes_can_be_changed(data):
    shelf = Shelf()
    path = data.draw(st.sampled_from(sorted(shelf)))
    if path == CHECKPOINT:
        shelf[path] = shelf[path].replace(b"700", b"699")
    else:
        shelf[path] = bent(shelf[path], data.draw(st.integers(0, len(shelf[path]) - 1)))
    with pytest.raises(MirrorError):
        shelf.check()
    del shelf[path]
    with pytest.raises(FileMissingError) as found:
        shelf.check()
    assert found.value.path == path


@given(st.data())
def test_no_file_can_be_longer_or_shorter(data):
    shelf = Shelf()
    path = data.draw(st.sampled_from(sorted(set(shelf) - {CHECKPOINT})))
    shelf[path] = data.draw(st.sampled_from([shelf[path] + b"\0", shelf[path][:-1], shelf[path] + bytes(HASH_SIZE)]))
    with pytest.raises(FileShapeError) as found:
        shelf.check()
    assert found.value.path == path


def rewritten():
    return [*ENTRIES[:300], b"nothing happened", *ENTRIES[301:]]


def test_a_rewritten_entry_is_noticed():
    shelf = Shelf()
    shelf["tile/entries/001"] = encode_bundle(rewritten()[256:512])
    with pytest.raises(TileMismatchError, match=r"tile/0/001: hash 44 is not that of entry 300 in tile/entries/001"):
        shelf.check()


def test_a_rewritten_entry_with_all_its_tiles_is_noticed():
    shelf = Shelf(of=rewritten())
    shelf[CHECKPOINT] = Shelf()[CHECKPOINT]
    with pytest.raises(RootMismatchError) as found:
        shelf.check()
    assert found.value.path == CHECKPOINT


def test_a_log_that_signs_a_rewritten_history_is_noticed_by_whoever_kept_a_checkpoint():
    shelf = Shelf(of=rewritten())
    assert shelf.check(since=checkpoint(300)).entries == SIZE
    for size in (301, 512, 699, SIZE):
        with pytest.raises(HistoryRewrittenError, match=f"the first {size} entries"):
            shelf.check(since=checkpoint(size))


def test_a_file_that_somebody_changed_is_not_called_a_rewritten_history():
    shelf = Shelf(of=rewritten())
    shelf[CHECKPOINT] = Shelf()[CHECKPOINT]
    with pytest.raises(RootMismatchError):
        shelf.check(since=checkpoint(512))


def test_a_dropped_entry_is_noticed():
    shelf = Shelf(of=[*ENTRIES[:10], *ENTRIES[11:]])
    shelf[CHECKPOINT] = Shelf()[CHECKPOINT]
    with pytest.raises(RootMismatchError):
        shelf.check()


def test_reordered_entries_are_noticed():
    shelf = Shelf()
    found = ENTRIES[:256]
    found[3], found[4] = found[4], found[3]
    shelf["tile/entries/000"] = encode_bundle(found)
    with pytest.raises(TileMismatchError, match="hash 3 "):
        shelf.check()


def test_a_log_that_was_rolled_back_is_noticed():
    with pytest.raises(RolledBackError, match="has 700 entries, and had 701"):
        Shelf().check(since=checkpoint(701))


def test_a_wrong_hash_in_a_tile_that_proofs_are_made_from_is_noticed():
    shelf = Shelf()
    shelf["tile/0/002.p/188"] = encode_tile([bytes(HASH_SIZE)] * 188)
    with pytest.raises(TileMismatchError, match=r"tile/0/002\.p/188: hash 0 is not that of entry 512"):
        shelf.check()


def test_a_wrong_hash_in_a_higher_tile_is_noticed():
    shelf = Shelf()
    shelf["tile/1/000.p/2"] = bent(shelf["tile/1/000.p/2"], HASH_SIZE)
    with pytest.raises(TileMismatchError, match=r"tile/1/000\.p/2: hash 1 is not that of what is in tiles of level 0"):
        shelf.check()


def test_a_full_tile_that_stands_for_a_partial_one_is_compared():
    grown, shelf = Shelf(1_000), Shelf(SIZE)
    del shelf["tile/0/002.p/188"]
    shelf["tile/0/002"] = bent(grown["tile/0/002"], 0)
    with pytest.raises(TileMismatchError) as found:
        shelf.check()
    assert found.value.path == "tile/0/002"


def test_a_giant_entry_is_not_read_past_its_bundle():
    shelf = Shelf()
    shelf["tile/entries/000"] = b"\xff\xff" + shelf["tile/entries/000"][2:]
    with pytest.raises(FileShapeError, match="ends inside entry 0"):
        shelf.check()


# ---------------------------------------------------------------- checkpoints


def test_an_unsigned_checkpoint_is_refused():
    shelf = Shelf()
    shelf[CHECKPOINT] = shelf[CHECKPOINT].partition(b"\n\n")[0] + b"\n\n"
    with pytest.raises(HeadRefusedError, match="checkpoint: the note does not end with a signature line"):
        shelf.check()


def test_a_checkpoint_signed_by_another_log_is_refused():
    other = Ed25519Signer("other")
    with pytest.raises(HeadRefusedError):
        Shelf().check(log=[NoteKey(ORIGIN, SignatureType.NOTE, key_of(other))])


def test_a_checkpoint_of_another_log_is_refused():
    with pytest.raises(HeadRefusedError, match=r"not of 'other\.example'"):
        Shelf().check(origin="other.example")


def test_an_older_checkpoint_of_another_log_is_refused():
    with pytest.raises(HeadRefusedError, match=r"the older one of 'other\.example'"):
        Shelf().check(since=Checkpoint("other.example", 300, TREE.root(300)))


def test_a_checkpoint_of_a_size_that_was_never_reached_is_refused():
    shelf = Shelf()
    shelf[CHECKPOINT] = head((1 << 63) - 1, TREE.root())
    with pytest.raises(FileMissingError, match=r"tile/entries/002: "):
        shelf.check()


# ---------------------------------------------------------------- folders


def saved(shelf, folder):
    for path, data in shelf.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return LogFolder(folder)


def test_a_folder_is_verified(tmp_path):
    folder = saved(Shelf(), tmp_path)
    (tmp_path / "README").write_text("a log")
    verified = verify_log(folder.read, ORIGIN, [LAB_KEY], listed=folder.paths())
    assert (verified.entries, verified.unneeded) == (SIZE, 1)
    assert set(folder.paths()) == set(Shelf()) | {"README"}


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "../secret", "tile/../../secret", "tile//0", "./checkpoint", "a\0b"]
)
def test_no_path_leads_out_of_the_folder(tmp_path, path):
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "log").mkdir()
    with pytest.raises(FileShapeError, match="no empty"):
        LogFolder(tmp_path / "log").read(path)


def test_a_link_is_not_followed(tmp_path):
    log = tmp_path / "log"
    folder = saved(Shelf(), log)
    (log / CHECKPOINT).rename(tmp_path / "outside")
    (log / CHECKPOINT).symlink_to(tmp_path / "outside")
    with pytest.raises(FileShapeError, match="checkpoint: there is a link"):
        folder.read(CHECKPOINT)
    assert CHECKPOINT in set(folder.paths())


def test_a_folder_that_is_a_link_is_not_followed(tmp_path):
    log = tmp_path / "log"
    folder = saved(Shelf(), log)
    (log / "tile").rename(tmp_path / "outside")
    (log / "tile").symlink_to(tmp_path / "outside")
    with pytest.raises(FileShapeError, match="tile/0/000: there is a link"):
        folder.read("tile/0/000")
    assert set(folder.paths()) == {CHECKPOINT, "tile"}


def test_what_is_no_ordinary_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    for path in ("pipe", "folder", "file/below"):
        with pytest.raises(FileShapeError):
            LogFolder(tmp_path).read(path)


def test_a_file_larger_than_any_of_a_log_is_refused(tmp_path):
    with (tmp_path / CHECKPOINT).open("wb") as file:
        file.truncate(MAX_FILE + 1)
    with pytest.raises(FileShapeError, match="longer than 16777"):
        LogFolder(tmp_path).read(CHECKPOINT)


def test_a_folder_that_is_not_there_is_no_empty_log(tmp_path):
    with pytest.raises(FileNotFoundError):
        LogFolder(tmp_path / "log").read(CHECKPOINT)
    assert LogFolder(tmp_path).read(CHECKPOINT) is None


# ---------------------------------------------------------------- writing


def test_a_log_cannot_be_written_with_fewer_entries_than_it_has():
    with pytest.raises(TreeSizeError, match="from 768 on were asked for, and 232 came"):
        write_tiles({}.__setitem__, cut(), 1_001)


def test_an_entry_that_no_bundle_can_hold_is_refused():
    with pytest.raises(EntryTooLongError):
        write_tiles({}.__setitem__, cut([bytes(65_536)]), 1)


def test_the_largest_bundle_is_as_long_as_the_largest_file():
    largest = [bytes(65_535)] * TILE_WIDTH
    shelf = Shelf(TILE_WIDTH, largest)
    assert len(shelf["tile/entries/000"]) == MAX_FILE
    assert shelf.check().entries == TILE_WIDTH


def test_proofs_can_be_made_from_what_was_written():
    shelf = Shelf()
    nodes = TiledTree(shelf.get, SIZE)
    assert nodes.node(3, 5) == TREE.node(3, 5)
    assert len(shelf) == 1 + len(list(bundles_of(SIZE))) + len(list(tiles_of(SIZE)))


# ---------------------------------------------------------------- a log that Tessera wrote


def test_every_size_of_the_test_log_of_tessera_is_verified(shared_data):
    folder = shared_data / "vectors" / "tessera" / "log"
    if not folder.is_dir():
        pytest.skip("no vectors/tessera in the shared data: testdata/log of transparency-dev/tessera")
    key = parse_vkey("example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx")
    log, since = LogFolder(folder), None
    for size in range(16):

        def read(path, size=size):
            return log.read(f"checkpoint.{size}" if path == CHECKPOINT else path)

        verified = verify_log(read, key.name, [key], since=since)
        assert verified.entries == size
        since = verified.checkpoint
    assert next(entries(log.read, 15)) == b"one"

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.ledger.merkle import (
    HASH_SIZE,
    HashLengthError,
    NodeMissingError,
    Tree,
    TreeSizeError,
    leaf_hash,
    root_of,
)
from scalegate.ledger.proof import Prover, RootMismatchError, verify_consistency, verify_inclusion
from scalegate.ledger.tiles import (
    MAX_ENTRY,
    MAX_INDEX,
    MAX_SIZE,
    TILE_WIDTH,
    Bundle,
    BundleLengthError,
    EntryTooLongError,
    Tile,
    TiledTree,
    TileLengthError,
    TileMissingError,
    TilePathError,
    TileShapeError,
    bundles_of,
    cut_tile,
    decode_bundle,
    decode_tile,
    encode_bundle,
    encode_tile,
    parse_path,
    tiles_of,
)

# Two tiles of level 1, the second one partial, and one of level 2.
LEAVES = [leaf_hash(b"entry %d" % index) for index in range(70_000)]
TREE = Tree(LEAVES)
SIZES = st.one_of(
    st.integers(1, 1_100),
    st.integers(1, len(LEAVES)),
    st.sampled_from([255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 65_792, 70_000]),
)
WIDTHS = st.integers(1, TILE_WIDTH)
INDICES = st.one_of(st.integers(0, 2_000), st.integers(0, MAX_INDEX))
PLACES = st.one_of(st.builds(Tile, st.integers(0, 63), INDICES, WIDTHS), st.builds(Bundle, INDICES, WIDTHS))


class Shelf(dict):
    """Files by path, that remembers what was asked for."""

    def __init__(self, size, tree=TREE):
        super().__init__({tile.path: cut_tile(tree, tile) for tile in tiles_of(size)})
        self.asked = []

    def read(self, path):
        self.asked.append(path)
        return self.get(path)


# ---------------------------------------------------------------- paths


@pytest.mark.parametrize(
    ("place", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 0, 1), "tile/0/000.p/1"),
        (Tile(63, 999, 255), "tile/63/999.p/255"),
        (Tile(2, 1_000), "tile/2/x001/000"),
        # The example of the specification.
        (Tile(0, 1_234_067), "tile/0/x001/x234/067"),
        (Tile(10, 1_234_067, 8), "tile/10/x001/x234/067.p/8"),
        (Bundle(0), "tile/entries/000"),
        (Bundle(1_234_067, 44), "tile/entries/x001/x234/067.p/44"),
        (Bundle(MAX_INDEX), "tile/entries/x009/x223/x372/x036/x854/x775/806"),
    ],
)
def test_a_place_has_one_path(place, path):
    assert place.path == path
    assert parse_path(path) == place


@given(PLACES)
def test_a_path_leads_back_to_its_place(place):
    assert parse_path(place.path) == place


@given(PLACES, PLACES)
def test_two_places_never_share_a_path(one, other):
    assert (one.path == other.path) is (one == other)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "/tile/0/000",
        "tile/0/000/",
        "tile/0/000\n",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000",
        "tile/0/1234",
        "tile/0/001/000",
        "tile/0/x001/x000",
        "tile/0/x01/000",
        "tile/0/X001/000",
        "tile/0/x001//000",
        "tile/0/x000/001",
        "tile/0/x000/x001/000",
        "tile/00/000",
        "tile/01/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/+1/000",
        "tile/x/000",
        "tile//000",
        "tile/entry/000",
        "tile/Entries/000",
        "tile/8/0/000",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/999",
        "tile/0/000.p/1000",
        "tile/0/000.p/",
        "tile/0/000.p",
        "tile/0/000.p1",
        "tile/0/000p/1",
        "tile/0/000.p/-1",
        "tile/0/000.p/1/2",
        "tile/0/000.p/1.p/1",
        "tile/0/../000",
        "tile/0/x001/../000",
        "tile/0/\u0660\u0660\u0660",
        "tile/0/000.p/\uff11",
        "tile/0/x009/x223/x372/x036/x854/x775/807",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "tile/0/" + "x000/" * 30 + "000",
        "tile/0/" + "x001/" * 100_000 + "000",
    ],
)
def test_what_is_no_path_is_refused(path):
    with pytest.raises(TilePathError) as caught:
        parse_path(path)
    assert len(str(caught.value)) < 250


@given(PLACES, st.data())
def test_a_path_with_one_character_changed_leads_elsewhere_or_nowhere(place, data):
    path = place.path
    at = data.draw(st.integers(0, len(path) - 1))
    changed = path[:at] + data.draw(st.sampled_from("0123456789xp./")) + path[at + 1 :]
    try:
        other = parse_path(changed)
    except TilePathError:
        return
    assert other.path == changed
    assert (other == place) is (changed == path)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Tile(64, 0), "levels 0 to 63, not 64"),
        (lambda: Tile(-1, 0), "levels 0 to 63, not -1"),
        (lambda: Tile(0, -1), "indices 0 to 9223372036854775806, not -1"),
        (lambda: Tile(0, MAX_INDEX + 1), "not 9223372036854775807"),
        (lambda: Tile(0, 0, 0), "widths 1 to 256, not 0"),
        (lambda: Tile(0, 0, 257), "widths 1 to 256, not 257"),
        (lambda: Bundle(-1), "indices"),
        (lambda: Bundle(0, 0), "widths"),
    ],
)
def test_a_place_that_cannot_be_is_refused(make, message):
    with pytest.raises(TileShapeError, match=message):
        make()


# ---------------------------------------------------------------- which tiles there are


def test_the_tiles_of_the_example_of_the_specification():
    tiles = list(tiles_of(70_000))
    assert tiles == [
        *(Tile(0, index) for index in range(273)),
        Tile(0, 273, 112),
        Tile(1, 0),
        Tile(1, 1, 17),
        Tile(2, 0, 1),
    ]
    assert list(tiles_of(256)) == [Tile(0, 0), Tile(1, 0, 1)]
    assert list(tiles_of(0)) == list(bundles_of(0)) == []


@given(SIZES)
def test_partial_tiles_are_as_wide_as_the_specification_says(size):
    tiles = list(tiles_of(size))
    for level in range(4):
        widths = [tile.width for tile in tiles if tile.level == level]
        full, rest = divmod(size // 256**level, 256)
        assert widths == [256] * full + [rest] * (rest > 0)
    assert [(tile.index, tile.width) for tile in tiles if tile.level == 0] == [
        (bundle.index, bundle.width) for bundle in bundles_of(size)
    ]


@given(SIZES, SIZES)
def test_what_was_written_before_is_not_written_again(one, other):
    since, size = sorted((one, other))
    before = set(tiles_of(since))
    assert list(tiles_of(size, since)) == [tile for tile in tiles_of(size) if tile not in before]
    earlier = set(bundles_of(since))
    assert list(bundles_of(size, since)) == [bundle for bundle in bundles_of(size) if bundle not in earlier]


@pytest.mark.parametrize(("size", "since"), [(-1, 0), (3, 4), (3, -1), (MAX_SIZE + 1, 0)])
def test_sizes_that_no_tree_grows_between_are_refused(size, since):
    for places in (tiles_of, bundles_of):
        with pytest.raises(TreeSizeError):
            next(places(size, since))


def test_trees_of_any_size_are_named_without_being_walked():
    assert next(tiles_of(MAX_SIZE, MAX_SIZE - 1)) == Tile(0, MAX_SIZE // 256, MAX_SIZE % 256)


# ---------------------------------------------------------------- tiles


@given(SIZES, st.data())
def test_a_tile_holds_the_hashes_that_its_definition_says(size, data):
    tile = data.draw(st.sampled_from(list(tiles_of(size))))
    place = data.draw(st.integers(0, tile.width - 1))
    start = (tile.index * 256 + place) * 256**tile.level
    hashes = decode_tile(cut_tile(TREE, tile), tile.width)
    assert hashes[place] == root_of(LEAVES[start : start + 256**tile.level])


@given(st.lists(st.binary(min_size=HASH_SIZE, max_size=HASH_SIZE), min_size=1, max_size=TILE_WIDTH))
def test_a_tile_comes_back_as_it_was(hashes):
    data = encode_tile(hashes)
    assert len(data) == HASH_SIZE * len(hashes)
    assert decode_tile(data, len(hashes)) == hashes
    assert cut_tile(Tree(hashes), Tile(0, 0, len(hashes))) == data


@pytest.mark.parametrize("length", [0, 31, 32, 63, 65, 96])
def test_a_tile_of_another_length_is_refused(length):
    with pytest.raises(TileLengthError, match=f"a tile of width 2 has 64 bytes, not {length}"):
        decode_tile(bytes(length), 2)


def test_a_tile_of_no_width_is_refused():
    for width in (0, 257):
        with pytest.raises(TileShapeError):
            decode_tile(bytes(width * HASH_SIZE), width)
        with pytest.raises(TileShapeError):
            encode_tile([bytes(HASH_SIZE)] * width)
    with pytest.raises(HashLengthError, match="hash 1 of the tile has 31 bytes"):
        encode_tile([bytes(32), bytes(31)])


def test_a_tile_beyond_the_tree_is_refused():
    tree = Tree(LEAVES[:300])
    for tile in (Tile(0, 1, 45), Tile(0, 2, 1), Tile(1, 0, 2), Tile(2, 0, 1), Tile(63, 0, 1)):
        with pytest.raises(NodeMissingError):
            cut_tile(tree, tile)


# ---------------------------------------------------------------- entry bundles


def test_a_bundle_is_what_the_specification_says():
    assert encode_bundle([b"ab", b"", b"c" * 258]) == b"\x00\x02ab\x00\x00\x01\x02" + b"c" * 258


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=TILE_WIDTH))
def test_a_bundle_comes_back_as_it_was(entries):
    assert decode_bundle(encode_bundle(entries), len(entries)) == entries


def test_the_longest_entry_fits_and_the_next_does_not():
    assert decode_bundle(encode_bundle([bytes(MAX_ENTRY)]), 1) == [bytes(65_535)]
    with pytest.raises(EntryTooLongError, match="entry 1 has 65536 bytes, and 65535 is the limit"):
        encode_bundle([b"", bytes(65_536)])


@given(st.lists(st.binary(max_size=9), min_size=1, max_size=5), st.data())
def test_a_bundle_that_was_cut_or_continued_is_refused(entries, data):
    whole = encode_bundle(entries)
    with pytest.raises(BundleLengthError, match="ends"):
        decode_bundle(whole[: data.draw(st.integers(0, len(whole) - 1))], len(entries))
    with pytest.raises(BundleLengthError, match=r"^\d+ bytes follow the last of"):
        decode_bundle(whole + data.draw(st.binary(min_size=1, max_size=5)), len(entries))
    with pytest.raises(BundleLengthError, match="ends before entry"):
        decode_bundle(whole, len(entries) + 1)


def test_a_bundle_of_no_width_is_refused():
    for width in (0, 257):
        with pytest.raises(TileShapeError):
            decode_bundle(b"\0\0" * width, width)
        with pytest.raises(TileShapeError):
            encode_bundle([b""] * width)


# ---------------------------------------------------------------- trees read from tiles


@given(SIZES, st.data())
def test_proofs_from_tiles_equal_proofs_from_leaves(size, data):
    shelf = Shelf(size)
    tiled, whole = Prover(TiledTree(shelf.read, size).node, size), Prover(TREE.node, size)
    assert tiled.root == whole.root == TREE.root(size)
    for _ in range(5):
        index = data.draw(st.integers(0, size - 1))
        proof = tiled.inclusion(index)
        assert proof == whole.inclusion(index)
        verify_inclusion(LEAVES[index], index, size, proof, TREE.root(size))
        proof = tiled.consistency(index + 1)
        assert proof == whole.consistency(index + 1)
        verify_consistency(index + 1, size, proof, TREE.root(index + 1), TREE.root(size))


def test_every_node_of_a_tree_is_in_its_tiles():
    size = 600
    tiled = TiledTree(Shelf(size).read, size)
    tree = Tree(LEAVES[:size])
    for level in range(11):
        for index in range((size >> level) + 1):
            if index < size >> level:
                assert tiled.node(level, index) == tree.node(level, index)
            else:
                with pytest.raises(NodeMissingError, match=f"600 leaves has no complete node {index} on level {level}"):
                    tiled.node(level, index)


@pytest.mark.parametrize(("level", "index"), [(-1, 0), (0, -1), (0, 600), (10, 0), (600, 0)])
def test_a_node_that_is_not_in_the_tree_is_not_looked_for(level, index):
    shelf = Shelf(600)
    with pytest.raises(NodeMissingError):
        TiledTree(shelf.read, 600).node(level, index)
    assert shelf.asked == []


def test_only_the_tiles_of_the_size_are_asked_for_and_each_once():
    size = 70_000
    shelf = Shelf(size)
    prover = Prover(TiledTree(shelf.read, size).node, size)
    for index in range(3_000, 3_050):
        prover.inclusion(index)
    assert set(shelf.asked) <= {tile.path for tile in tiles_of(size)}
    assert len(shelf.asked) == len(set(shelf.asked)) == 5


def test_no_more_tiles_are_kept_than_allowed_and_the_last_used_stay():
    shelf = Shelf(2_000)
    tiled = TiledTree(shelf.read, 2_000, keep=2)
    for index in (0, 300, 1, 600, 2, 900, 3):
        assert tiled.node(0, index) == LEAVES[index]
    assert shelf.asked == ["tile/0/000", "tile/0/001", "tile/0/002", "tile/0/003"]
    assert len(tiled._tiles) == 2
    assert tiled.node(0, 301) == LEAVES[301]
    assert shelf.asked[4:] == ["tile/0/001"]


def test_a_full_tile_stands_in_for_a_partial_one_that_was_dropped():
    size = 70_000
    shelf = Shelf(size)
    del shelf["tile/0/273.p/112"]
    shelf["tile/0/273"] = encode_tile([*LEAVES[273 * 256 :], *LEAVES[: 256 - 112]])
    prover = Prover(TiledTree(shelf.read, size).node, size)
    assert prover.root == TREE.root()
    assert prover.inclusion(size - 1) == Prover(TREE.node, size).inclusion(size - 1)
    assert shelf.asked.index("tile/0/273.p/112") == shelf.asked.index("tile/0/273") - 1


def test_a_missing_tile_is_named():
    shelf = Shelf(300)
    del shelf["tile/0/001.p/44"]
    with pytest.raises(TileMissingError, match=r"there is no tile/0/001\.p/44, which a tree of 300 leaves needs"):
        TiledTree(shelf.read, 300).node(0, 299)
    assert shelf.asked == ["tile/0/001.p/44", "tile/0/001"]


@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data + b"\0", lambda _: b""])
def test_a_tile_of_a_wrong_length_is_refused(change):
    shelf = Shelf(300)
    shelf["tile/0/000"] = change(shelf["tile/0/000"])
    with pytest.raises(TileLengthError):
        TiledTree(shelf.read, 300).node(0, 0)


@given(st.integers(0, 299), st.integers(0, 299), st.integers(0, 255))
def test_a_changed_tile_makes_no_proof_that_holds(index, place, bit):
    size = 300
    shelf = Shelf(size)
    path = [tile.path for tile in tiles_of(size)][place // 256]
    data = bytearray(shelf[path])
    data[place % 256 * HASH_SIZE + bit // 8] ^= 1 << bit % 8
    shelf[path] = bytes(data)
    proof = Prover(TiledTree(shelf.read, size).node, size).inclusion(index)
    if proof != Prover(TREE.node, size).inclusion(index):
        with pytest.raises(RootMismatchError):
            verify_inclusion(LEAVES[index], index, size, proof, TREE.root(size))


@pytest.mark.parametrize("size", [-1, MAX_SIZE + 1])
def test_a_tiled_tree_of_no_size_is_refused(size):
    with pytest.raises(TreeSizeError):
        TiledTree({}.get, size)


def test_entries_of_a_bundle_hash_to_its_tile():
    entries = [b"entry %d" % index for index in range(256, 300)]
    (bundle,) = bundles_of(300, 256)
    hashes = decode_tile(cut_tile(TREE, Tile(0, bundle.index, bundle.width)), bundle.width)
    assert [leaf_hash(entry) for entry in decode_bundle(encode_bundle(entries), bundle.width)] == hashes

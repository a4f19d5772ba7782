import hashlib
import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.ledger.merkle import (
    EMPTY_ROOT,
    HASH_SIZE,
    Frontier,
    HashLengthError,
    NodeMissingError,
    Tree,
    TreeSizeError,
    leaf_hash,
    node_hash,
    peaks,
    root_of,
)

HASHES = st.binary(min_size=HASH_SIZE, max_size=HASH_SIZE)
LEAVES = [leaf_hash(b"entry %d" % index) for index in range(600)]

# The eight entries of the tests of Certificate Transparency, and the roots of their prefixes.
KNOWN_ENTRIES = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243")]
KNOWN_ENTRIES += [bytes(range(0x50, 0x58)), bytes(range(0x60, 0x70))]
KNOWN_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def mth(leaves):
    """The definition of RFC 6962, section 2.1, word for word, on leaf hashes."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + mth(leaves[:split]) + mth(leaves[split:])).digest()


def frontier_of(leaves):
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier


def appended(leaves):
    tree = Tree()
    for leaf in leaves:
        tree.append(leaf)
    return tree


def test_published_hashes_come_out(shared_data):
    known = json.loads((shared_data / "vectors" / "c2sp" / "rfc6962_hashes.json").read_bytes())
    assert EMPTY_ROOT.hex() == known["empty_root"]
    assert leaf_hash(b"").hex() == known["empty_leaf"]
    assert leaf_hash(b"L123456").hex() == known["leaf_L123456"]
    assert node_hash(b"N123", b"N456").hex() == known["node_N123_N456"]


def test_roots_of_the_known_tree_come_out():
    leaves = [leaf_hash(entry) for entry in KNOWN_ENTRIES]
    tree = Tree(leaves)
    for size, root in enumerate(KNOWN_ROOTS, 1):
        assert root_of(leaves[:size]).hex() == root
        assert tree.root(size).hex() == root
        assert frontier_of(leaves[:size]).root().hex() == root


def test_hashing_one_thing_leaves_no_trace_in_the_next():
    first = leaf_hash(b"a"), node_hash(LEAVES[0], LEAVES[1])
    assert (leaf_hash(b"a"), node_hash(LEAVES[0], LEAVES[1])) == first
    assert first[0] == hashlib.sha256(b"\x00a").digest()


def test_a_leaf_never_hashes_as_a_node():
    assert leaf_hash(LEAVES[0] + LEAVES[1]) != node_hash(LEAVES[0], LEAVES[1])


@given(st.lists(HASHES, max_size=70))
def test_every_way_to_a_root_is_the_definition(leaves):
    root = mth(leaves)
    assert root_of(leaves) == root
    assert frontier_of(leaves).root() == root
    assert appended(leaves).root() == root
    assert Tree(leaves).root() == root


def test_appending_equals_rebuilding_at_every_size():
    tree, frontier = Tree(), Frontier()
    for size, leaf in enumerate(LEAVES):
        assert tree.append(leaf) == frontier.append(leaf) == size
        assert tree.size == frontier.size == size + 1
        assert tree.root() == frontier.root() == root_of(LEAVES[: size + 1])
    assert tree._rows == Tree(LEAVES)._rows


@given(st.lists(st.integers(0, 90), max_size=8))
def test_leaves_may_come_one_by_one_or_many_at_a_time(lengths):
    tree = Tree()
    for length in lengths:
        fresh = LEAVES[tree.size :][:length]
        if length == 1:
            tree.append(fresh[0])
        else:
            tree.extend(iter(fresh))
    assert tree._rows == appended(LEAVES[: tree.size])._rows


@given(st.integers(0, 600), st.data())
def test_a_tree_remembers_its_earlier_roots(size, data):
    tree = Tree(LEAVES[:size])
    earlier = data.draw(st.integers(0, size))
    assert tree.root(earlier) == root_of(LEAVES[:earlier])


def test_every_complete_node_is_there_and_no_other():
    size = 21
    tree = Tree(LEAVES[:size])
    for level in range(6):
        for index in range(size + 2):
            under = LEAVES[:size][index << level : (index + 1) << level]
            if len(under) == 1 << level:
                assert tree.node(level, index) == mth(under)
            else:
                with pytest.raises(
                    NodeMissingError, match=rf"21 leaves has no complete node {index} on level {level}$"
                ):
                    tree.node(level, index)


@pytest.mark.parametrize(("level", "index"), [(-1, 0), (0, -1), (1, -2), (0, 1 << 70), (1 << 70, 0)])
def test_no_node_is_counted_from_the_end(level, index):
    with pytest.raises(NodeMissingError):
        Tree(LEAVES[:8]).node(level, index)


def test_packed_hashes_are_the_nodes_side_by_side():
    tree = Tree(LEAVES[:21])
    assert tree.packed(1, 2, 5) == b"".join(tree.node(1, index) for index in (2, 3, 4))
    assert type(tree.packed(0, 0, 1)) is type(tree.node(0, 0)) is bytes


@pytest.mark.parametrize(
    ("level", "start", "stop"), [(0, -1, 1), (0, 0, 9), (0, 3, 3), (0, 5, 4), (4, 0, 1), (-1, 0, 1)]
)
def test_packed_hashes_outside_the_tree_are_refused(level, start, stop):
    with pytest.raises(NodeMissingError, match="no complete nodes"):
        Tree(LEAVES[:8]).packed(level, start, stop)


def test_a_tree_keeps_64_bytes_for_each_leaf():
    tree = Tree(LEAVES[:512])
    assert sum(map(len, tree._rows)) == (2 * 512 - 1) * HASH_SIZE
    # Rows that grow by appending are given some room in advance.
    assert sum(map(sys.getsizeof, appended(LEAVES[:512])._rows)) < 100 * 512


@pytest.mark.parametrize("leaf", [b"", b"short", bytes(31), bytes(33)])
def test_what_is_no_hash_never_enters_a_tree(leaf):
    tree, frontier = Tree(LEAVES[:3]), frontier_of(LEAVES[:3])
    wrong = f"has {len(leaf)} bytes, and a hash has 32"
    with pytest.raises(HashLengthError, match=wrong):
        tree.append(leaf)
    with pytest.raises(HashLengthError, match=f"leaf 4 {wrong}"):
        tree.extend([LEAVES[3], leaf])
    with pytest.raises(HashLengthError, match=wrong):
        frontier.append(leaf)
    with pytest.raises(HashLengthError, match=f"leaf 0 {wrong}"):
        root_of([leaf])
    assert tree._rows == Tree(LEAVES[:3])._rows
    assert frontier.root() == tree.root()


@given(st.integers(0, 600))
def test_a_frontier_goes_on_where_it_was_left(size):
    frontier = frontier_of(LEAVES[:size])
    tree = Tree(LEAVES[:size])
    assert list(frontier.hashes) == [tree.node(level, index) for level, index in peaks(size)]
    again = Frontier(frontier.size, frontier.hashes)
    for leaf in LEAVES[:9]:
        again.append(leaf)
    assert again.root() == root_of(LEAVES[:size] + LEAVES[:9])
    assert frontier.root() == tree.root()


@pytest.mark.parametrize(
    ("size", "hashes", "error", "message"),
    [
        (-1, LEAVES[:1], TreeSizeError, "cannot have -1 leaves"),
        (3, LEAVES[:1], TreeSizeError, "3 leaves has 2 peaks, not 1"),
        (0, LEAVES[:1], TreeSizeError, "0 leaves has 0 peaks, not 1"),
        (4, LEAVES[:2], TreeSizeError, "4 leaves has 1 peaks, not 2"),
        (2, [bytes(31)], HashLengthError, "peak 0 has 31 bytes"),
    ],
)
def test_a_frontier_that_cannot_be_is_refused(size, hashes, error, message):
    with pytest.raises(error, match=message):
        Frontier(size, hashes)


@pytest.mark.parametrize("size", [-1, 9])
def test_a_root_of_another_size_is_refused(size):
    with pytest.raises(TreeSizeError, match=f"8 leaves never had {size}$"):
        Tree(LEAVES[:8]).root(size)

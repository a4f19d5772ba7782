import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.ledger.merkle import (
    EMPTY_ROOT,
    HASH_SIZE,
    NodeMissingError,
    Tree,
    TreeSizeError,
    leaf_hash,
    node_hash,
    root_of,
)
from scalegate.ledger.proof import (
    EmptyTreeError,
    IndexOutsideError,
    NegativeSizeError,
    OldRootMismatchError,
    ProofError,
    ProofHashError,
    ProofTooLongError,
    ProofTooShortError,
    Prover,
    RootMismatchError,
    SizesReversedError,
    verify_consistency,
    verify_inclusion,
)

LARGEST = 200
LEAVES = [leaf_hash(b"entry %d" % index) for index in range(1_000)]
TREE = Tree(LEAVES)
ROOTS = [TREE.root(size) for size in range(len(LEAVES) + 1)]
PROVERS = [Prover(TREE.node, size) for size in range(LARGEST + 1)]
PROBES = ("vectors", "rfc6962-merkle-probes", "testdata")


def path(index, leaves):
    """PATH of RFC 6962, section 2.1.1, word for word, on leaf hashes."""
    if len(leaves) == 1:
        return []
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if index < split:
        return [*path(index, leaves[:split]), root_of(leaves[split:])]
    return [*path(index - split, leaves[split:]), root_of(leaves[:split])]


def subproof(size, leaves, *, whole=True):
    """SUBPROOF of RFC 6962, section 2.1.2, word for word, on leaf hashes."""
    if size == len(leaves):
        return [] if whole else [root_of(leaves)]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if size <= split:
        return [*subproof(size, leaves[:split], whole=whole), root_of(leaves[split:])]
    return [*subproof(size - split, leaves[split:], whole=False), root_of(leaves[:split])]


def sides(index, size):
    """On which sides the neighbors of a leaf are, from below."""
    if size == 1:
        return ""
    split = 1 << (size - 1).bit_length() - 1
    return sides(index, split) + "r" if index < split else sides(index - split, size - split) + "l"


@st.composite
def inclusions(draw, least=1):
    """Leaf, index, size, proof and root that belong together."""
    size = draw(st.integers(least, len(LEAVES)))
    index = draw(st.integers(0, size - 1))
    return LEAVES[index], index, size, Prover(TREE.node, size).inclusion(index), ROOTS[size]


@st.composite
def consistencies(draw):
    """Old size, size, proof, old root and root that belong together."""
    size = draw(st.integers(2, len(LEAVES)))
    old_size = draw(st.integers(1, size - 1))
    return old_size, size, Prover(TREE.node, size).consistency(old_size), ROOTS[old_size], ROOTS[size]


def flipped(value, bit):
    return bytes(byte ^ (1 << bit % 8 if place == bit // 8 else 0) for place, byte in enumerate(value))


def with_part(proof, place, part):
    return (*proof[:place], part, *proof[place + 1 :])


def bent(draw, proof):
    """Yield proofs that differ from one in a single way, with what each is refused as."""
    bit = draw(st.integers(0, 8 * HASH_SIZE - 1))
    mismatch = (RootMismatchError, OldRootMismatchError)
    for place, part in enumerate(proof):
        yield with_part(proof, place, flipped(part, bit)), mismatch
        yield with_part(proof, place, part[:-1]), ProofHashError
        yield with_part(proof, place, part + b"\0"), ProofHashError
        yield proof[:place] + proof[place + 1 :], ProofTooShortError
        yield (*proof[:place], part, *proof[place:]), ProofTooLongError
        for other in range(place):
            yield with_part(with_part(proof, place, proof[other]), other, part), mismatch
    yield (*proof, b""), ProofTooLongError
    yield (*proof, bytes(HASH_SIZE)), ProofTooLongError
    yield (bytes(HASH_SIZE), *proof), ProofTooLongError


# ---------------------------------------------------------------- published probes


def probes(folder, kind):
    """The probes of a kind, with base64 read and names for messages."""
    root = folder.joinpath(*PROBES, kind)
    for file in sorted(root.rglob("*.json")):
        probe = json.loads(file.read_bytes())
        for field in {"root", "leafHash", "root1", "root2"} & set(probe):
            probe[field] = base64.b64decode(probe[field], validate=True)
        probe["proof"] = [base64.b64decode(part, validate=True) for part in probe["proof"] or ()]
        yield file.relative_to(root), probe


def refused(check, *arguments):
    try:
        check(*arguments)
    except ProofError:
        return True
    return False


def test_every_published_inclusion_probe_comes_out_as_it_says(shared_data):
    seen = {}
    for name, probe in probes(shared_data, "inclusion"):
        arguments = (probe["leafHash"], probe["leafIdx"], probe["treeSize"], probe["proof"], probe["root"])
        seen[name] = refused(verify_inclusion, *arguments), probe["wantErr"]
    assert [name for name, (got, wanted) in seen.items() if got is not wanted] == []
    assert len(seen) == 98
    assert sum(not wanted for _, wanted in seen.values()) == 6


def test_every_published_consistency_probe_comes_out_as_it_says(shared_data):
    seen = {}
    for name, probe in probes(shared_data, "consistency"):
        arguments = (probe["size1"], probe["size2"], probe["proof"], probe["root1"], probe["root2"])
        seen[name] = refused(verify_consistency, *arguments), probe["wantErr"]
    assert [name for name, (got, wanted) in seen.items() if got is not wanted] == []
    assert len(seen) == 98
    assert sum(not wanted for _, wanted in seen.values()) == 6


def test_published_probes_of_subtrees_that_start_at_zero_are_of_trees(shared_data):
    seen = {}
    for name, probe in probes(shared_data, "subtreeinclusion"):
        if probe["start"] == 0:
            arguments = (probe["leafHash"], probe["leafIdx"], probe["end"], probe["proof"], probe["root"])
            seen["inclusion", name] = refused(verify_inclusion, *arguments), probe["wantErr"]
    for name, probe in probes(shared_data, "subtreeconsistency"):
        # Proofs about an empty subtree are theirs alone.
        if probe["start"] == 0 and probe["end"] > 0:
            arguments = (probe["end"], probe["size"], probe["proof"], probe["root1"], probe["root2"])
            seen["consistency", name] = refused(verify_consistency, *arguments), probe["wantErr"]
    assert [name for name, (got, wanted) in seen.items() if got is not wanted] == []
    assert len(seen) > 150
    assert any(not wanted for _, wanted in seen.values())


# ---------------------------------------------------------------- inclusion


def test_every_leaf_of_every_small_tree_has_the_proof_of_the_definition():
    for size in range(1, 67):
        for index in range(size):
            proof = PROVERS[size].inclusion(index)
            assert list(proof) == path(index, LEAVES[:size])
            verify_inclusion(LEAVES[index], index, size, proof, ROOTS[size])


@given(inclusions())
def test_an_inclusion_proof_holds(inclusion):
    verify_inclusion(*inclusion)
    assert len(inclusion[3]) == len(sides(inclusion[1], inclusion[2]))


@given(inclusions(), st.data())
def test_an_inclusion_proof_changed_in_any_way_is_refused(inclusion, data):
    leaf, index, size, proof, root = inclusion
    for wrong, error in bent(data.draw, proof):
        with pytest.raises(error):
            verify_inclusion(leaf, index, size, wrong, root)


@given(inclusions(), st.integers(0, 8 * HASH_SIZE - 1))
def test_an_inclusion_proof_holds_for_no_other_leaf_and_no_other_root(inclusion, bit):
    leaf, index, size, proof, root = inclusion
    with pytest.raises(RootMismatchError):
        verify_inclusion(flipped(leaf, bit), index, size, proof, root)
    with pytest.raises(RootMismatchError):
        verify_inclusion(leaf, index, size, proof, flipped(root, bit))
    with pytest.raises(RootMismatchError):
        verify_inclusion(leaf, index, size, proof, b"")


@given(inclusions())
def test_an_inclusion_proof_holds_at_no_other_index(inclusion):
    leaf, index, size, proof, root = inclusion
    for other in {*range(-2, min(size + 2, 70)), index - 1, index + 1, index ^ 2, size - 1, size, index + size}:
        if other != index:
            with pytest.raises(ProofError):
                verify_inclusion(leaf, other, size, proof, root)


def test_an_inclusion_proof_holds_for_another_size_only_where_the_way_up_is_the_same():
    """A root does not tell its size: it is the checkpoint that binds them, by one signature."""
    alike = 0
    for size in range(1, 35):
        for index in range(size):
            proof = PROVERS[size].inclusion(index)
            for other in range(70):
                fits = index < other and sides(index, other) == sides(index, size)
                assert refused(verify_inclusion, LEAVES[index], index, other, proof, ROOTS[size]) is not fits
                alike += fits and other != size
    assert alike > 0


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 0), (1, 1), (-1, 1), (8, 8), (2**64 - 1, 8), (0, -1)])
def test_a_leaf_outside_the_tree_is_refused(index, size):
    with pytest.raises(IndexOutsideError, match=f"a tree of {size} leaves has no leaf {index}$"):
        verify_inclusion(LEAVES[0], index, size, [], ROOTS[1])
    if size >= 0:
        with pytest.raises(IndexOutsideError, match=f"a tree of {size} leaves has no leaf {index}$"):
            PROVERS[size].inclusion(index)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_leaf_that_is_no_hash_is_refused_even_where_it_is_the_root(length):
    with pytest.raises(ProofHashError, match=f"the leaf hash has {length} bytes, and a hash has 32"):
        verify_inclusion(bytes(length), 0, 1, [], bytes(length))


def test_a_node_does_not_count_as_a_leaf_where_the_size_is_known():
    node = node_hash(LEAVES[0], LEAVES[1])
    with pytest.raises(ProofTooShortError, match="the proof has 1 hashes, and 2 are needed"):
        verify_inclusion(node, 0, 4, [TREE.node(1, 1)], ROOTS[4])


# ---------------------------------------------------------------- consistency


def test_every_pair_of_sizes_up_to_200_is_consistent():
    for size in range(1, LARGEST + 1):
        for old_size in range(1, size + 1):
            proof = PROVERS[size].consistency(old_size)
            verify_consistency(old_size, size, proof, ROOTS[old_size], ROOTS[size])
            if size < 40:
                assert list(proof) == subproof(old_size, LEAVES[:size])


@given(consistencies(), st.data())
def test_a_consistency_proof_changed_in_any_way_is_refused(consistency, data):
    old_size, size, proof, old_root, root = consistency
    verify_consistency(*consistency)
    for wrong, error in bent(data.draw, proof):
        with pytest.raises(error):
            verify_consistency(old_size, size, wrong, old_root, root)


@given(consistencies(), st.integers(0, 8 * HASH_SIZE - 1))
def test_a_consistency_proof_holds_for_no_other_roots(consistency, bit):
    old_size, size, proof, old_root, root = consistency
    with pytest.raises((OldRootMismatchError, RootMismatchError)):
        verify_consistency(old_size, size, proof, flipped(old_root, bit), root)
    with pytest.raises(RootMismatchError):
        verify_consistency(old_size, size, proof, old_root, flipped(root, bit))
    with pytest.raises(ProofError):
        verify_consistency(old_size, size, proof, root, old_root)
    with pytest.raises(ProofError):
        verify_consistency(old_size, size, proof, b"", root)


@given(consistencies(), st.data())
def test_a_tree_with_one_old_leaf_rewritten_does_not_continue_the_old_one(consistency, data):
    old_size, size, proof, old_root, _ = consistency
    index = data.draw(st.integers(0, old_size - 1))
    forked = Tree([*LEAVES[:index], leaf_hash(b"rewritten"), *LEAVES[index + 1 : size]])
    with pytest.raises(ProofError):
        verify_consistency(old_size, size, proof, old_root, forked.root())
    # An attacker makes the best proof that he can.
    with pytest.raises((OldRootMismatchError, RootMismatchError)):
        verify_consistency(old_size, size, Prover(forked.node, size).consistency(old_size), old_root, forked.root())


def test_a_consistency_proof_holds_for_no_other_old_size():
    for size in range(2, 40):
        for old_size in range(1, size):
            proof = PROVERS[size].consistency(old_size)
            for other in range(-1, size + 3):
                if other != old_size:
                    assert refused(verify_consistency, other, size, proof, ROOTS[old_size], ROOTS[size])


def test_a_consistency_proof_holds_for_another_size_only_where_the_way_up_is_the_same():
    alike = 0
    for size in range(2, 35):
        for old_size in range(1, size):
            proof = PROVERS[size].consistency(old_size)
            level = (old_size & -old_size).bit_length() - 1
            for other in range(70):
                # The way up from the smallest peak of the old tree, which is on that level.
                fits = old_size < other and sides(old_size - 1, other)[level:] == sides(old_size - 1, size)[level:]
                holds = not refused(verify_consistency, old_size, other, proof, ROOTS[old_size], ROOTS[size])
                assert holds is fits
                alike += fits and other != size
    assert alike > 0


@pytest.mark.parametrize("size", [0, 1, 2, 8])
def test_consistency_with_the_empty_tree_is_no_question(size):
    for proof in ([], [EMPTY_ROOT]):
        with pytest.raises(EmptyTreeError, match="every tree continues the empty one"):
            verify_consistency(0, size, proof, EMPTY_ROOT, ROOTS[size])
    with pytest.raises(EmptyTreeError):
        PROVERS[size].consistency(0)


def test_sizes_in_the_wrong_order_are_refused():
    with pytest.raises(SizesReversedError, match="a tree of 3 leaves cannot continue one of 5"):
        verify_consistency(5, 3, PROVERS[5].consistency(3), ROOTS[5], ROOTS[3])
    with pytest.raises(SizesReversedError):
        PROVERS[3].consistency(5)


@pytest.mark.parametrize(("old_size", "size"), [(-1, 3), (-1, -1), (3, -1)])
def test_sizes_below_zero_are_refused(old_size, size):
    with pytest.raises(NegativeSizeError, match="a tree cannot have -1 leaves"):
        verify_consistency(old_size, size, [], ROOTS[3], ROOTS[3])
    with pytest.raises(NegativeSizeError):
        PROVERS[3].consistency(-1)


def test_equal_sizes_need_equal_roots_and_no_proof():
    verify_consistency(3, 3, [], ROOTS[3], ROOTS[3])
    with pytest.raises(RootMismatchError, match="two trees of 3 leaves have different roots"):
        verify_consistency(3, 3, [], ROOTS[3], ROOTS[4])
    with pytest.raises(ProofTooLongError, match="the proof has 1 hashes, and 0 are all it can have"):
        verify_consistency(3, 3, [ROOTS[3]], ROOTS[3], ROOTS[3])


def test_an_old_root_that_a_proof_starts_from_is_a_hash():
    with pytest.raises(ProofHashError, match="the old root has 12 bytes"):
        verify_consistency(1, 2, PROVERS[2].consistency(1), b"don't care 1", ROOTS[2])


def test_an_old_root_is_told_from_a_new_one():
    proof = PROVERS[7].consistency(3)
    with pytest.raises(OldRootMismatchError, match="starts from another root"):
        verify_consistency(3, 7, proof, ROOTS[4], ROOTS[7])
    with pytest.raises(RootMismatchError, match="leads to another root"):
        verify_consistency(3, 7, proof, ROOTS[3], ROOTS[8])


# ---------------------------------------------------------------- making


def test_a_prover_knows_the_root_of_every_size():
    assert [prover.root for prover in PROVERS] == ROOTS[: LARGEST + 1]
    assert [prover.size for prover in PROVERS] == list(range(LARGEST + 1))
    assert PROVERS[0].root == EMPTY_ROOT


def test_a_prover_goes_on_for_its_size_while_the_tree_grows():
    tree = Tree(LEAVES[:5])
    prover = Prover(tree.node, 5)
    tree.extend(LEAVES[5:300])
    assert prover.root == ROOTS[5]
    for index in range(5):
        assert prover.inclusion(index) == PROVERS[5].inclusion(index)


@given(inclusions(), st.data())
def test_a_prover_asks_for_few_nodes_and_each_is_complete(inclusion, data):
    _, index, size, _, _ = inclusion
    asked = []

    def node(level, place):
        asked.append((level, place))
        assert place + 1 << level <= size
        return TREE.node(level, place)

    prover = Prover(node, size)
    assert len(asked) <= size.bit_length()
    asked.clear()
    prover.inclusion(index)
    assert len(asked) <= size.bit_length()
    asked.clear()
    prover.consistency(data.draw(st.integers(1, size)))
    assert len(asked) <= size.bit_length() + 1


def test_a_prover_says_what_its_source_lacks():
    with pytest.raises(NodeMissingError, match="a tree of 5 leaves has no complete node"):
        Prover(Tree(LEAVES[:5]).node, 9)
    with pytest.raises(TreeSizeError, match="cannot have -1 leaves"):
        Prover(TREE.node, -1)

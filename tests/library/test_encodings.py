"""The encodings of published texts: that they are policies, rest on sources, speak one vocabulary, and copy nobody."""

import re
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import pytest

from scalegate.app.library import encoding_kernel, encoding_text
from scalegate.core.diagnostic import DiagnosticError
from scalegate.core.kernel import Kernel
from scalegate.core.terms import Attested, Elapsed, Term
from scalegate.policy import check, load
from scalegate.policy.library import ENCODINGS, successions
from tests.conftest import ROOT

NOTES = ROOT.parent / "shared" / "reference"
NAMES = tuple(ENCODINGS)
# Holes of a law whose text is not pinned, and an interval that is its own end, are what these texts leave open.
TOLERATED = {"W507", "W509", "W511"}
SHINGLE = 8


def shingles(text: str) -> set[tuple[str, ...]]:
    """Every stretch of eight words of a text, without marks and capitals."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    return {tuple(words[start : start + SHINGLE]) for start in range(len(words) - SHINGLE + 1)}


def attested(terms: tuple[Term, ...]) -> set[tuple[str, str]]:
    return {(term.predicate, term.role) for term in terms if isinstance(term, Attested | Elapsed)}


def events(kernel: Kernel) -> set[tuple[str, str]]:
    obligations = kernel.duties.obligations.values()
    return {(event.predicate, event.role) for item in obligations for event in (*item.starts, item.met)}


@pytest.mark.parametrize("name", NAMES)
def test_every_encoding_is_a_reference_without_unexpected_warnings(name: str) -> None:
    found = [item for item in check(encoding_text(name), name) if item.code not in TOLERATED]
    assert found == []
    assert encoding_kernel(name).kind == "reference"


@pytest.mark.parametrize("name", NAMES)
def test_the_list_agrees_with_the_file(name: str) -> None:
    kernel = encoding_kernel(name)
    assert kernel.id == name
    assert ENCODINGS[name].date in {item.date for item in kernel.duties.sources.values()}


def test_the_list_is_the_folder() -> None:
    inside = {item.name for item in files("scalegate.policy.library").iterdir() if item.name.endswith(".yaml")}
    assert inside == {f"{name}.yaml" for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_has_a_source_and_every_source_a_place(name: str) -> None:
    duties = encoding_kernel(name).duties
    assert duties.provenance
    assert [path for path, origin in duties.provenance.items() if origin.source not in duties.sources] == []
    assert [item.key for item in duties.sources.values() if not (item.title and item.document and item.pages)] == []
    used = {origin.source for origin in duties.provenance.values()}
    assert [key for key in duties.sources if key not in used and key not in encoding_text(name)] == []


@pytest.mark.parametrize("name", NAMES)
def test_what_is_unread_is_said_to_be(name: str) -> None:
    """A declared practice that nobody read is listed, so that a comparison that needs it refuses; and the reverse."""
    duties = encoding_kernel(name).duties
    unread = {path for path, origin in duties.provenance.items() if origin.read == "unread"}
    assert unread <= set(duties.unread)
    assert {path for path in duties.unread if path.startswith("declares.")} <= unread


def test_an_entry_without_a_source_is_found() -> None:
    text = encoding_text("fli-letter").replace("    source: FLI\n\ndeclares", "\ndeclares", 1)
    assert "W512" in {item.code for item in check(text, "x")}


def test_an_encoding_is_no_policy() -> None:
    with pytest.raises(DiagnosticError):
        load(encoding_text("meta-faf-1.1").replace("kind: reference", "kind: policy"), "x")


def test_versions_of_one_text_share_names() -> None:
    assert len(successions()) == 6
    for old, new in successions():
        kernels = encoding_kernel(old), encoding_kernel(new)
        one, two = ({item.id for item in kernel.commitments} for kernel in kernels)
        assert len(one & two) >= 2, (old, new)


def test_one_vocabulary_which_the_page_explains() -> None:
    page = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"`([a-z0-9-]+)`", page))
    for name in NAMES:
        kernel = encoding_kernel(name)
        used = {item.concept for item in kernel.evaluations.values() if item.concept}
        used |= {item.concept for item in kernel.safeguards.values()}
        used |= {aspect for item in kernel.commitments for aspect in item.about}
        used |= {aspect for item in kernel.duties.obligations.values() for aspect in item.about}
        used |= {predicate for predicate, _ in attested(kernel.terms) | events(kernel)}
        assert used - explained == set(), name
        roles = {role for role in kernel.roles if role not in page}
        assert roles == set(), name


def test_the_page_explains_nothing_that_nobody_uses() -> None:
    page = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
    everything = "\n".join(encoding_text(name) for name in NAMES)
    first = {
        name for row in re.findall(r"^\| (`.*?) \|", page, re.MULTILINE) for name in re.findall(r"`([a-z0-9-]+)`", row)
    }
    assert len(first) > 100
    assert sorted(name for name in first if name not in everything) == []


def test_one_statement_has_one_speaker() -> None:
    """Names mean one thing in all files, so that a comparison may suppose the same evidence for both sides."""
    speakers: dict[str, set[str]] = {}
    for name in NAMES:
        kernel = encoding_kernel(name)
        for predicate, role in attested(kernel.terms) | events(kernel):
            speakers.setdefault(predicate, set()).add(role)
    assert {predicate for predicate, roles in speakers.items() if len(roles) > 1} == {"framework-reviewed"}


def test_one_role_is_as_independent_in_one_file_as_in_another() -> None:
    declared: dict[str, set[tuple[int, tuple[str, ...]]]] = {}
    for name in NAMES:
        for role in encoding_kernel(name).roles.values():
            declared.setdefault(role.name, set()).add((role.quorum, role.independent_of))
    assert {name for name, forms in declared.items() if len(forms) > 1} == set()


@pytest.mark.skipif(not NOTES.is_dir(), reason="the reference notes are not beside this checkout")
def test_no_encoding_repeats_eight_words_of_the_notes() -> None:
    known: set[tuple[str, ...]] = set()
    for path in sorted(NOTES.iterdir()):
        if path.is_file():
            known |= shingles(path.read_text(encoding="utf-8", errors="replace"))
    assert len(known) > 1000
    folder = Path("src/scalegate/policy/library")
    found = {}
    for path in (Path("docs/library.md"), *(folder / f"{name}.yaml" for name in NAMES)):
        text = (ROOT / path).read_text(encoding="utf-8")
        # Where a document is found is quoted as it is.
        shared = shingles(re.sub(r"(?m)^ *document: .*$", "|", text)) & known
        if shared:
            found[str(path)] = sorted(" ".join(words) for words in shared)
    assert found == {}


def test_shingles_are_stretches_of_eight_words() -> None:
    words = "One, two three; four five six seven eight nine."
    assert len(shingles(words)) == 2
    assert all(
        len(first) == SHINGLE and first[1:] == second[:-1] for first, second in pairwise(sorted(shingles(words)))
    )

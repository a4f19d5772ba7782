"""Salted commitments to the samples of a log: scores can be shown without texts, and texts of some without all.

The developer puts one root into the ledger. Later an auditor is shown the scores of every sample, and the texts of a
few drawn at random, and knows each time that these are the samples that were counted. What is hidden stays hidden:
a score has few values and could be guessed from a bare hash, so that everything is hashed with a salt of 32 bytes.

    record      canonical JSON of: what the samples are of, item, try, scores as exact text, hash of the sample
    commitment  SHA-256(tag || salt || record)
    root        RFC 6962 over the commitments, in the order of the sample table

Three kinds of salt come from one secret of the run by HKDF-SHA256 (RFC 5869), each for one thing only. The salt of a
record opens its scores. The text salt of a sample shows which texts belong to a record: the record holds
SHA-256(tag || text salt || digest of the texts), because known questions with short answers could be guessed as well.
The salt of an item shows which item a blinded name stands for; tries of one item share the name. The secret opens
everything, and no salt opens anything else. Salts depend on what the samples are of, so that two logs under one
secret share none.

Who changes a commitment, a record or a salt afterwards is caught by the root; who makes the root decides what is
under it. That the scores are those of the texts is seen where texts are shown, and nowhere else.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from scalegate.core.canonical import Plain, canonical_bytes
from scalegate.core.reading import ItemId
from scalegate.ledger.merkle import HASH_SIZE, Tree, leaf_hash
from scalegate.ledger.proof import ProofError, Prover, verify_inclusion

SALT_SIZE = SECRET_SIZE = 32
MAX_OPENING = 1 << 20
# Two numbers of 400 digits with exponents up to 400, which is what the readers let through.
_MAX_SCORE = 2_000
_RECORD = b"scalegate sample record 1\0"
_TEXT = b"scalegate sample text 1\0"
_ITEM = b"scalegate sample item 1\0"
_SCORE = re.compile(r"-?(?:0|[1-9][0-9]*)(?:/[1-9][0-9]*)?", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_RECORD_FIELDS = frozenset({"about", "item", "try", "scores", "text"})
_OPENING_FIELDS = frozenset({"index", "salt", "record", "proof"})


class CommitmentError(ValueError):
    """A record, salt or opening that is not what was committed to, or is none; the message says why."""


@dataclass(frozen=True, slots=True)
class ScoreText:
    """What one scorer gave one sample: an exact value, or why there is none.

    Attributes:
        scorer: Name of the scorer.
        value: A fraction in lowest terms, such as `1` or `-3/4`; empty exactly when `missing` is not.
        missing: Why there is no value.

    Raises:
        CommitmentError: from the constructor, for anything else.
    """

    scorer: str
    value: str
    missing: str = ""

    def __post_init__(self) -> None:
        if bool(self.value) is bool(self.missing):
            raise CommitmentError("a score has a value, or a reason why it has none, and never both")
        if self.value and not _is_exact(self.value):
            raise CommitmentError(f"a score is a fraction in lowest terms, and not {self.value!r:.80}")


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample as the developer knows it; `text` is the digest of its raw bytes, None if the try never ran."""

    item: ItemId
    attempt: int
    scores: tuple[ScoreText, ...]
    text: bytes | None


@dataclass(frozen=True, slots=True)
class SampleRecord:
    """One sample as it is committed to; it gives away its scores and no text.

    Attributes:
        about: Digest of what the samples are of, `sha256:` and hexadecimal digits.
        item: ID of the item, or the 32 bytes of its blinded name.
        attempt: Number of the try, from 1.
        scores: One for each scorer, in the order of the table.
        text: 32 bytes that stand for the texts of the sample, None if the try never ran.

    Raises:
        CommitmentError: from the constructor, for anything else.
    """

    about: str
    item: ItemId | bytes
    attempt: int
    scores: tuple[ScoreText, ...]
    text: bytes | None

    def __post_init__(self) -> None:
        if not _DIGEST.fullmatch(self.about):
            raise CommitmentError("a record names what it is about by a SHA-256 digest")
        if isinstance(self.item, bytes):
            _require_size(self.item, HASH_SIZE, "the blinded name of an item")
        if isinstance(self.attempt, bool) or self.attempt < 1:
            raise CommitmentError("tries are numbered from 1")
        if len({score.scorer for score in self.scores}) != len(self.scores):
            raise CommitmentError("two scores of a record are by the same scorer")
        if self.text is not None:
            _require_size(self.text, HASH_SIZE, "the hash of a sample")

    def commitment(self, salt: bytes) -> bytes:
        """Return the 32 bytes that stand for this record under a salt of 32 bytes.

        Raises:
            CommitmentError: if the salt has another size, or a text of the record is not Unicode.
        """
        _require_size(salt, SALT_SIZE, "the salt of a record")
        try:
            content = canonical_bytes(plain_record(self))
        except UnicodeEncodeError as error:
            raise CommitmentError("a record has a text that is not Unicode: it holds half a surrogate pair") from error
        return hashlib.sha256(_RECORD + salt + content).digest()


@dataclass(frozen=True, slots=True)
class Opening:
    """What shows one sample to somebody who has the root.

    Attributes:
        index: Place of the sample in the table, from 0.
        salt: Salt of its record.
        record: The record.
        proof: Inclusion proof of the commitment, from the leaves up.
    """

    index: int
    salt: bytes
    record: SampleRecord
    proof: tuple[bytes, ...]


class Commitments:
    """The commitments to all samples of a log, for whoever holds the secret of the run."""

    __slots__ = ("_about", "_prover", "_secret", "records")

    def __init__(self, about: str, secret: bytes, records: tuple[SampleRecord, ...]) -> None:
        """Commit to records that were made under the same secret; `make` makes them."""
        self._about = about
        self._secret = secret
        self.records = records
        salts = (self.salt(index) for index in range(len(records)))
        tree = Tree(leaf_hash(record.commitment(salt)) for record, salt in zip(records, salts, strict=True))
        self._prover = Prover(tree.node, tree.size)

    @classmethod
    def make(cls, samples: Iterable[Sample], secret: bytes, about: str, *, blind_items: bool = False) -> Commitments:
        """Return the commitments to samples, in their order.

        Args:
            samples: All samples of the table.
            secret: 32 random bytes, of one run; whoever has them can open everything.
            about: Digest of what the samples are of, `sha256:` and hexadecimal digits.
            blind_items: IDs of items may not be shown.

        Raises:
            CommitmentError: if the secret has another size, or a sample has no record.
        """
        _require_size(secret, SECRET_SIZE, "the secret of a run")
        if not _DIGEST.fullmatch(about):
            raise CommitmentError("what samples are about is named by a SHA-256 digest")
        records = []
        for index, sample in enumerate(samples):
            item: ItemId | bytes = sample.item
            if blind_items:
                item = _blinded_item(sample.item, _item_salt(secret, about, sample.item))
            text = sample.text
            if text is not None:
                text = _blinded_text(text, _derive(secret, about, _TEXT, index.to_bytes(8)))
            records.append(SampleRecord(about, item, sample.attempt, sample.scores, text))
        return cls(about, secret, tuple(records))

    def __repr__(self) -> str:
        return f"Commitments({len(self.records)} samples of {self._about})"

    @property
    def size(self) -> int:
        """Number of samples."""
        return len(self.records)

    @property
    def root(self) -> bytes:
        """What goes into the ledger, together with the size."""
        return self._prover.root

    def salt(self, index: int) -> bytes:
        """Return the salt that opens the scores of one sample.

        Raises:
            CommitmentError: if there is no such sample.
        """
        return _derive(self._secret, self._about, _RECORD, self._place(index))

    def text_salt(self, index: int) -> bytes:
        """Return the salt that shows which texts are those of one sample.

        Raises:
            CommitmentError: if there is no such sample.
        """
        return _derive(self._secret, self._about, _TEXT, self._place(index))

    def item_salt(self, item: ItemId) -> bytes:
        """Return the salt that shows which blinded name is that of an item."""
        return _item_salt(self._secret, self._about, item)

    def opening(self, index: int) -> Opening:
        """Return what shows the scores of one sample, and nothing about the others.

        Raises:
            CommitmentError: if there is no such sample.
        """
        salt = self.salt(index)
        return Opening(index, salt, self.records[index], self._prover.inclusion(index))

    def _place(self, index: int) -> bytes:
        if not 0 <= index < len(self.records):
            raise CommitmentError(f"there are commitments to {len(self.records)} samples, and none to sample {index}")
        return index.to_bytes(8)


# ---------------------------------------------------------------- checks


def verify_opening(root: bytes, size: int, opening: Opening) -> SampleRecord:
    """Return the record that an opening shows, if the root stands for it at that place.

    Args:
        root: Root of the commitments, from the ledger.
        size: Number of samples, from the ledger.
        opening: What was handed over.

    Raises:
        CommitmentError: if the root does not stand for this record under this salt at this place.
    """
    leaf = leaf_hash(opening.record.commitment(opening.salt))
    try:
        verify_inclusion(leaf, opening.index, size, opening.proof, root)
    except ProofError as error:
        raise CommitmentError(f"sample {opening.index} is not what was committed to: {error}") from error
    return opening.record


def verify_text(record: SampleRecord, salt: bytes, text: bytes) -> None:
    """Return if texts are those of a record.

    Args:
        record: A record that was opened.
        salt: Text salt of the sample.
        text: Digest of the raw bytes that were handed over, 32 bytes.

    Raises:
        CommitmentError: if the record stands for other texts, or for a try that never ran.
    """
    if record.text is None:
        raise CommitmentError("the record is of a try that never ran: it has no texts")
    if _blinded_text(text, salt) != record.text:
        raise CommitmentError("the texts are not those of the record: others were counted")


def verify_item(record: SampleRecord, salt: bytes, item: ItemId) -> None:
    """Return if an item is that of a record, by its salt where the name is blinded.

    Raises:
        CommitmentError: if the record is of another item.
    """
    found = _blinded_item(item, salt) if isinstance(record.item, bytes) else item
    if found != record.item:
        raise CommitmentError("the record is of another item")


def root_of_commitments(commitments: Iterable[bytes]) -> bytes:
    """Return the root over commitments in the order of the table."""
    return Tree(map(leaf_hash, commitments)).root()


# ---------------------------------------------------------------- forms


def plain_record(record: SampleRecord) -> dict[str, Plain]:
    """Return a record as plain data; its canonical bytes are what is committed to."""
    item: Plain = {"blinded": record.item.hex()} if isinstance(record.item, bytes) else record.item
    return {
        "about": record.about,
        "item": item,
        "try": record.attempt,
        "scores": [[score.scorer, score.value, score.missing] for score in record.scores],
        "text": None if record.text is None else record.text.hex(),
    }


def record_of(value: object) -> SampleRecord:
    """Return the record that plain data stand for.

    Raises:
        CommitmentError: for anything that `plain_record` does not give.
    """
    fields = _fields(value, _RECORD_FIELDS, "a record")
    about, attempt, scores, text = fields["about"], fields["try"], fields["scores"], fields["text"]
    if not isinstance(about, str) or isinstance(attempt, bool) or not isinstance(attempt, int):
        raise CommitmentError("a record names what it is about by text, and its try by number")
    if not isinstance(scores, list):
        raise CommitmentError("the scores of a record are a list")
    return SampleRecord(
        about,
        _item_of(fields["item"]),
        attempt,
        tuple(map(_score_of, scores)),
        None if text is None else unhex(text, "the hash of a sample"),
    )


def format_opening(opening: Opening) -> bytes:
    """Return the canonical JSON of an opening."""
    return canonical_bytes(
        {
            "index": opening.index,
            "salt": opening.salt.hex(),
            "record": plain_record(opening.record),
            "proof": [part.hex() for part in opening.proof],
        }
    )


def parse_opening(data: bytes) -> Opening:
    """Return the opening that some bytes stand for. Nothing is verified yet.

    Raises:
        CommitmentError: for anything but the canonical JSON of one opening of at most 1 MiB.
    """
    if len(data) > MAX_OPENING:
        raise CommitmentError(f"an opening has at most {MAX_OPENING} bytes, and this has {len(data)}")
    try:
        value = json.loads(data)
        canonical = canonical_bytes(value)
    except (ValueError, TypeError, RecursionError) as error:
        raise CommitmentError("the opening is no JSON of the kind that scalegate writes") from error
    if canonical != data:
        raise CommitmentError("the opening is not in canonical form (RFC 8785)")
    fields = _fields(value, _OPENING_FIELDS, "an opening")
    index, proof = fields["index"], fields["proof"]
    if isinstance(index, bool) or not isinstance(index, int) or not isinstance(proof, list):
        raise CommitmentError("an opening has a number for its place, and a list for its proof")
    return Opening(
        index,
        unhex(fields["salt"], "the salt of a record"),
        record_of(fields["record"]),
        tuple(unhex(part, "a hash of the proof") for part in proof),
    )


def unhex(value: object, what: str) -> bytes:
    """Return the 32 bytes that 64 lower-case hexadecimal digits stand for; `what` names them in the error.

    Raises:
        CommitmentError: for anything else.
    """
    if not isinstance(value, str) or not _DIGEST.fullmatch(f"sha256:{value}"):
        raise CommitmentError(f"{what} is not 64 lower-case hexadecimal digits")
    return bytes.fromhex(value)


def _fields(value: object, names: frozenset[str], what: str) -> dict[str, object]:
    if not isinstance(value, dict) or value.keys() != names:
        raise CommitmentError(f"{what} has the fields {', '.join(sorted(names))}, and no others")
    return value


def _item_of(value: object) -> ItemId | bytes:
    if isinstance(value, dict) and value.keys() == {"blinded"}:
        return unhex(value["blinded"], "the blinded name of an item")
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise CommitmentError("an item is a text, a number, or a blinded name")
    return value


def _score_of(value: object) -> ScoreText:
    if isinstance(value, list) and len(value) == 3:
        scorer, score, missing = value
        if isinstance(scorer, str) and isinstance(score, str) and isinstance(missing, str):
            return ScoreText(scorer, score, missing)
    raise CommitmentError("a score is a list of three texts: scorer, value, and why there is no value")


def _is_exact(value: str) -> bool:
    return len(value) <= _MAX_SCORE and bool(_SCORE.fullmatch(value)) and str(Fraction(value)) == value


# ---------------------------------------------------------------- salts


def _derive(secret: bytes, about: str, purpose: bytes, place: bytes) -> bytes:
    """Return the salt for one purpose and place; purposes end with a zero byte, digests have one length."""
    return HKDF(SHA256(), SALT_SIZE, salt=None, info=purpose + about.encode() + place).derive(secret)


def _item_salt(secret: bytes, about: str, item: ItemId) -> bytes:
    return _derive(secret, about, _ITEM, _item_bytes(item))


def _blinded_item(item: ItemId, salt: bytes) -> bytes:
    _require_size(salt, SALT_SIZE, "the salt of an item")
    return hashlib.sha256(_ITEM + salt + _item_bytes(item)).digest()


def _blinded_text(text: bytes, salt: bytes) -> bytes:
    _require_size(text, HASH_SIZE, "the digest of a sample's texts")
    _require_size(salt, SALT_SIZE, "the text salt of a sample")
    return hashlib.sha256(_TEXT + salt + text).digest()


def _item_bytes(item: ItemId) -> bytes:
    try:
        return canonical_bytes(item)
    except UnicodeEncodeError as error:
        raise CommitmentError("the ID of an item is not Unicode: it holds half a surrogate pair") from error


def _require_size(value: bytes, size: int, what: str) -> None:
    if len(value) != size:
        raise CommitmentError(f"{what} has {size} bytes, and this has {len(value)}")

"""PRML manifests (versions 0.1 and 0.2): the bar of an evaluation, written down before it is run.

A manifest is a claim that criteria were fixed, and a digest that shows whether they were changed. It is no evidence of
a result, and no registration of ours: it fixes no number of items, no order, no elicitation, no scorer, no end; and
*when* it was fixed is its author's word. What shows the time is the log: a manifest counts from the entry that names
its digest, and not from the date in it.

The digest is over the canonical form, which PRML defines as YAML with sorted keys; it is computed here without a YAML
library, and compared with the reference program in the tests. Manifests come as JSON, or in the part of YAML that its
readers agree on: `key: value` lines, one level of nesting, and no value whose type depends on who reads it.

Source: falsify 0.4.0 (reference program), in-toto/attestation pull request 587 (predicate).
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import isfinite
from typing import Any

from scalegate.core.canonical import digest_bytes
from scalegate.ingest.objections import ObjectionError
from scalegate.ingest.sanitize import quoted
from scalegate.ingest.strict_json import parse
from scalegate.ledger.dsse import Statement

MAX_MANIFEST = 1 << 16
PREDICATES = {"prml/0.1": "https://falsify.dev/prml/v0.1", "prml/0.2": "https://falsify.dev/prml/v0.2"}
_COMPARATORS = (">=", "<=", ">", "<", "==")
_REQUIRED = ("version", "claim_id", "created_at", "metric", "comparator", "threshold", "dataset", "seed", "producer")
_OPTIONAL = ("model", "compute_envelope", "prior_hash", "notes", "metric_args")
_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)
_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-7[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)
# What YAML, or one of its readers, takes for a line break or drops.
_STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")
_EXACT = 1 << 53
# The largest double; an integer beyond it has no float.
_LARGEST = sys.float_info.max
# What PyYAML, with which the canonical form is defined, would not read back as text (YAML 1.1).
_NOT_TEXT = re.compile(
    r"""(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF
    |~|null|Null|NULL|=|<<
    |[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?
    |[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)
    |[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+
    |[0-9]{4}-[0-9]{2}-[0-9]{2}
    |[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?
     (?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?)""",
    re.ASCII | re.VERBOSE,
)
_LINE = re.compile(r"( {2})?([a-z_][a-z0-9_]{0,63}):(?: +(\S.*?))? *", re.ASCII)
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})", re.ASCII)
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,30}", re.ASCII)
# What newer readers take for a number, and the older ones for a text (YAML 1.2).
_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|0o[0-7]+", re.ASCII)
_PLAIN = re.compile(r"[A-Za-z0-9/<][A-Za-z0-9 _./@+=~()-]*|==", re.ASCII)
_COMMENT = re.compile(r" +#.*")


class PrmlError(ValueError):
    """A manifest that is refused; the message says why."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The bar that a manifest fixes. Everything in it is its producer's word.

    Attributes:
        digest: `sha256:` and hex over the canonical form: what names it, and changes with every word of it.
        source: the same over the bytes that were read.
        version: `prml/0.1` or `prml/0.2`.
        claim: its UUID.
        created: when its producer says that it was fixed; shows nothing.
        metric, comparator, threshold: the bar; `comparator` is one of `>=`, `<=`, `>`, `<` and `==`.
        data_set, data_set_digest: name, and `sha256:` and hex as its producer took it.
        seed: of the run; None for none.
        producer: who claims.
        replaces: digest of an earlier manifest that this one takes the place of; empty for none.
        leaves_open: what a registration of ours fixes and no manifest does, one phrase each.
    """

    digest: str
    source: str
    version: str
    claim: str
    created: str
    metric: str
    comparator: str
    threshold: Fraction
    data_set: str
    data_set_digest: str
    seed: int | None
    producer: str
    replaces: str
    leaves_open: tuple[str, ...]


LEAVES_OPEN = (
    "when it was fixed: its date is its producer's word",
    "how many items are run, which, and in which order",
    "elicitation, scaffold and scorer",
    "which checkpoint of the model is run, by digest",
    "when the run is over, and until when it has to be reported",
)


def read_manifest(data: bytes) -> Manifest:
    """Return what a manifest fixes, and its digest.

    Raises:
        PrmlError: for more than 64 KiB, a value whose type depends on the reader, a field that is missing, unknown or
            in another form, texts with control characters or not in NFC, or a threshold that is not finite.
    """
    if len(data) > MAX_MANIFEST:
        raise PrmlError(f"a manifest has at most {MAX_MANIFEST} bytes, and this has {len(data)}")
    fields = _json(data) if data.lstrip()[:1] == b"{" else _lines(data)
    _check(fields)
    threshold = _threshold(fields)
    canonical = _block(fields | {"threshold": threshold}, "")
    prior = fields.get("prior_hash")
    return Manifest(
        digest=digest_bytes(canonical.encode()),
        source=digest_bytes(data),
        version=fields["version"],
        claim=fields["claim_id"],
        created=fields["created_at"],
        metric=fields["metric"],
        comparator=fields["comparator"],
        threshold=Fraction(Decimal(repr(threshold))),
        data_set=fields["dataset"]["id"],
        data_set_digest=f"sha256:{fields['dataset']['hash']}",
        seed=fields["seed"],
        producer=fields["producer"]["id"],
        replaces=f"sha256:{prior.lower()}" if prior else "",
        leaves_open=LEAVES_OPEN,
    )


def check_attested(statement: Statement, manifest: Manifest) -> None:
    """Return if an in-toto statement is about this very manifest. Who signed it, and when, is for its envelope to say.

    Raises:
        PrmlError: if it is of another kind, or differs from the manifest in a field or a digest.
    """
    if statement.predicate_type != PREDICATES[manifest.version]:
        raise PrmlError(
            f"the statement is no lock of a manifest of this version: {quoted(statement.predicate_type, 80)}"
        )
    subjects = [(item.name, dict(item.digests).get("sha256")) for item in statement.subjects]
    expected = [(manifest.claim, manifest.digest), (manifest.data_set, manifest.data_set_digest)]
    if subjects != [(name, digest.removeprefix("sha256:")) for name, digest in expected]:
        raise PrmlError("the statement is about another manifest, or another data set")
    said = statement.predicate
    producer = said.get("producer")
    fields = {
        "manifest_sha256": manifest.digest.removeprefix("sha256:"),
        "prml_version": manifest.version,
        "claim_id": manifest.claim,
        "created_at": manifest.created,
        "metric": manifest.metric,
        "comparator": manifest.comparator,
        "seed": manifest.seed,
    }
    for name, value in fields.items():
        if name not in said or said[name] != value or isinstance(said[name], bool):
            raise PrmlError(f"the statement has another `{name}` than the manifest")
    threshold = said.get("threshold")
    if isinstance(threshold, bool) or not isinstance(threshold, int | Decimal) or threshold != manifest.threshold:
        raise PrmlError("the statement has another `threshold` than the manifest")
    if not isinstance(producer, dict) or producer.get("id") != manifest.producer:
        raise PrmlError("the statement has another `producer` than the manifest")


# ---------------------------------------------------------------- reading


def _json(data: bytes) -> dict[str, Any]:
    try:
        value = parse(data, "the manifest", MAX_MANIFEST)
    except ObjectionError as error:
        raise PrmlError(f"the manifest cannot be read: {error}") from error
    if not isinstance(value, dict):
        raise PrmlError("the manifest is no object")
    return {name: _number(item) for name, item in value.items()}


def _number(value: object) -> object:
    """Turn decimals into the floats that the format is defined by, at any depth."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {name: _number(item) for name, item in value.items()}
    return [_number(item) for item in value] if isinstance(value, list) else value


def _lines(data: bytes) -> dict[str, Any]:
    """Return the fields of a manifest in YAML, as far as all readers agree on it."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise PrmlError(f"the manifest is not UTF-8 at byte {error.start}") from error
    found: dict[str, Any] = {}
    inner: dict[str, Any] | None = None
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        if not line.strip(" ") or line.lstrip(" ").startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None or (match[1] and inner is None):
            raise PrmlError(
                f"line {number}: expected `key: value`, or two spaces and that below a key; or give it as JSON"
            )
        if not match[1]:
            inner = None
        place = found if inner is None else inner
        if match[2] in place:
            raise PrmlError(f"line {number}: the key `{match[2]}` stands twice")
        said = match[3]
        if said is None or said.startswith("#"):
            if match[1]:
                raise PrmlError(f"line {number}: `{match[2]}` has no value")
            inner = place[match[2]] = {}
        else:
            place[match[2]] = _scalar(said, number)
    return found


def _scalar(said: str, number: int) -> object:
    quote = said[0]
    if quote in "\"'":
        body, closing, rest = said[1:].partition(quote)
        if not closing or (rest and not _COMMENT.fullmatch(rest)) or (quote == '"' and "\\" in body):
            raise PrmlError(f"line {number}: a text in quotes ends on its line, and holds neither its quote nor `\\`")
        return body
    text = _COMMENT.sub("", said)
    if text in ("null", "true", "false"):
        return {"null": None, "true": True, "false": False}[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    known = _NOT_TEXT.fullmatch(text) or _NUMBER.fullmatch(text) or text in ("y", "Y", "n", "N")
    if known or not _PLAIN.fullmatch(text):
        raise PrmlError(
            f"line {number}: readers of YAML disagree on {quoted(text, 60)}; if it is a text, put it in quotes"
        )
    return text


# ---------------------------------------------------------------- what a manifest has to be


def _check(fields: dict[str, Any]) -> None:
    """Refuse what the published schema refuses."""
    for name in _REQUIRED:
        if name not in fields:
            raise PrmlError(f"the manifest has no `{name}`")
    _check_keys(fields, (*_REQUIRED, *_OPTIONAL), "the manifest")
    for name in ("version", "claim_id", "created_at", "metric", "comparator"):
        _text(fields[name], name)
    if fields["version"] not in PREDICATES:
        raise PrmlError(
            f"the manifest is of version {quoted(fields['version'], 40)}, and prml/0.1 and prml/0.2 are read"
        )
    if fields["comparator"] not in _COMPARATORS:
        raise PrmlError("the comparator of the manifest is none of >=, <=, >, < and ==")
    if not _UUID.fullmatch(fields["claim_id"]):
        raise PrmlError("the `claim_id` of the manifest is no UUID of version 7")
    if not _TIME.fullmatch(fields["created_at"]):
        raise PrmlError("the `created_at` of the manifest is no date and time with its zone (RFC 3339)")
    if len(fields["metric"]) > 256:
        raise PrmlError("the metric of the manifest has more than 256 characters")
    if fields["seed"] is not None and type(fields["seed"]) is not int:
        raise PrmlError("the seed of the manifest is no integer")
    _check_parts(fields)


def _check_parts(fields: dict[str, Any]) -> None:
    for name, keys in (("dataset", ("id", "hash", "uri")), ("producer", ("id", "signature"))):
        if not isinstance(fields[name], dict):
            raise PrmlError(f"the `{name}` of the manifest is no object")
        _check_keys(fields[name], keys, f"`{name}`")
        _text(fields[name].get("id"), f"{name}.id")
    if not _HEX.fullmatch(_text(fields["dataset"].get("hash"), "dataset.hash")):
        raise PrmlError("the hash of the data set is not 64 lower-case hex digits")
    prior = fields.get("prior_hash")
    if prior is not None and not _HEX.fullmatch(_text(prior, "prior_hash").lower()):
        raise PrmlError("the `prior_hash` of the manifest is not 64 hex digits")
    notes = fields.get("notes")
    if notes is not None and (not isinstance(notes, str) or len(notes) > 4_096):
        raise PrmlError("the notes of the manifest are no text of at most 4,096 characters")


def _check_keys(value: Mapping[str, Any], known: tuple[str, ...], what: str) -> None:
    for name in sorted(value.keys() - set(known)):
        raise PrmlError(f"{what} has a field that is not known: {quoted(name, 60)}")


def _text(value: object, name: str) -> str:
    if not isinstance(value, str) or not value:
        raise PrmlError(f"`{name}` of the manifest is no text; in YAML, put dates and digits in quotes")
    return value


def _threshold(fields: dict[str, Any]) -> int | float:
    """Return the threshold as its version writes it: a float in 0.1, and in 0.2 an integer where it is whole."""
    value = fields["threshold"]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PrmlError("the threshold of the manifest is no number")
    if abs(value) > _LARGEST or not isfinite(value):
        raise PrmlError("the threshold of the manifest is not finite: no result could miss or meet it")
    if fields["version"] == "prml/0.1":
        return float(value)
    return int(value) if value == int(value) and abs(value) < _EXACT else float(value)


# ---------------------------------------------------------------- canonical form


def _block(value: Mapping[str, Any], indent: str) -> str:
    """Write an object as PyYAML's `safe_dump` does in block style, with sorted keys and no line breaks in texts."""
    lines = []
    for name in sorted(value):
        item = value[name]
        head = f"{indent}{_word(name)}:"
        if len(name) > 100:
            raise PrmlError("a key of the manifest has more than 100 characters")
        if isinstance(item, dict) and item:
            lines.append(f"{head}\n{_block(item, indent + '  ')}")
        elif isinstance(item, list) and item:
            lines.append("".join([f"{head}\n", *(f"{indent}- {_leaf(part)}\n" for part in item)]))
        else:
            lines.append(f"{head} {_leaf(item)}\n")
    return "".join(lines)


def _leaf(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _word(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if not isfinite(value):
            raise PrmlError("a number of the manifest is not finite")
        text = repr(value)
        return text if "." in text or "e" not in text else text.replace("e", ".0e")
    if value in ([], {}):
        return "[]" if isinstance(value, list) else "{}"
    raise PrmlError("the manifest nests lists, which is not read here")


def _word(text: str) -> str:
    """Write a text plain where it reads back as itself, and in single quotes elsewhere."""
    if _STEERING.search(text) or not unicodedata.is_normalized("NFC", text):
        raise PrmlError(f"a text of the manifest has control characters, or is not in NFC: {quoted(text, 60)}")
    plain = (
        text
        and not text.startswith((*"#,[]{}&*!|>'\"%@` ", "---", "...", "- ", "? ", ": "))
        and not text.endswith((" ", ":"))
        and text not in ("-", "?")
        and ": " not in text
        and " #" not in text
        and not _NOT_TEXT.fullmatch(text)
    )
    return text if plain else "'" + text.replace("'", "''") + "'"

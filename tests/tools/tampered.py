"""Single changes of the files of an export, by whoever has no key."""

import base64
import hashlib
import json
from fractions import Fraction
from pathlib import Path

from scalegate.core.canonical import canonical_bytes
from scalegate.stats.binomial import lower_bound
from tests.ledger.signers import Ed25519Signer


def only(bundle: Path, pattern: str) -> Path:
    """The first file that a pattern names."""
    return min(bundle.glob(pattern))


# ---------------------------------------------------------------- files


def flip(pattern: str, place: int):
    """Flip a bit of a byte."""

    def change(bundle: Path) -> None:
        path = only(bundle, pattern)
        data = bytearray(path.read_bytes())
        data[place] ^= 1
        path.write_bytes(data)

    return change


def cut(pattern: str):
    """Cut the last byte off."""
    return lambda bundle: only(bundle, pattern).write_bytes(only(bundle, pattern).read_bytes()[:-1])


def longer(pattern: str, more: bytes):
    """Add something behind the end."""
    return lambda bundle: only(bundle, pattern).write_bytes(only(bundle, pattern).read_bytes() + more)


def drop(pattern: str):
    """Leave a file out."""
    return lambda bundle: only(bundle, pattern).unlink()


def link(bundle: Path) -> None:
    """Let a name lead elsewhere."""
    path = only(bundle, "derived/scores/*")
    path.rename(path.with_suffix(".kept"))
    path.symlink_to(path.with_suffix(".kept"))


def swap(pattern: str):
    """Exchange two files."""

    def change(bundle: Path) -> None:
        one, other = sorted(bundle.glob(pattern))[:2]
        data = one.read_bytes()
        one.write_bytes(other.read_bytes())
        other.write_bytes(data)

    return change


def exchanged(bundle: Path) -> None:
    """Exchange two entries of a bundle."""
    path = only(bundle, "tile/entries/000.p/*")
    rest, rows = path.read_bytes(), []
    while rest:
        size = 2 + int.from_bytes(rest[:2])
        rows, rest = [*rows, rest[:size]], rest[size:]
    path.write_bytes(b"".join([*rows[:3], rows[4], rows[3], *rows[5:]]))


def signature_flipped(bundle: Path) -> None:
    """Flip a bit of the log's signature."""
    data = (bundle / "checkpoint").read_bytes()
    flip("checkpoint", data.index(b" ", data.index(b"\n\n") + 6) + 30)(bundle)


def signed_by_another(bundle: Path) -> None:
    """Replace the log's signature of the checkpoint by one of another key."""
    text, _, tail = (bundle / "checkpoint").read_text().rpartition("\n\n")
    dash, name, body = tail.split("\n")[0].split(" ")
    mark = base64.b64decode(body)[:4]
    signature = Ed25519Signer("mallory").sign(f"{text}\n".encode())
    line = f"{dash} {name} {base64.b64encode(mark + signature).decode()}"
    (bundle / "checkpoint").write_text(f"{text}\n\n{line}\n")


def edit(pattern: str, change, place: int = 0):
    """Change the value of a JSON file, and write it in canonical form."""

    def done(bundle: Path) -> None:
        path = sorted(bundle.glob(pattern))[place]
        value = json.loads(path.read_bytes())
        change(value)
        path.write_bytes(canonical_bytes(value))

    return done


def kernel(change):
    """Change a kernel, under its new name, and let the answers rest on it."""

    def done(bundle: Path) -> None:
        path = only(bundle, "derived/kernels/*")
        value = json.loads(path.read_bytes())
        change(value)
        data = canonical_bytes(value)
        mark = hashlib.sha256(data).hexdigest()
        path.unlink()
        path.with_name(f"{mark}.json").write_bytes(data)
        for answer in bundle.glob("derived/decisions/*"):
            text = answer.read_text().replace(path.stem, mark)
            answer.write_text(text)

    return done


def facts(value, *, exact: bool):
    """The facts of an answer, that is, those that are an exact bound, or the others."""
    found = [fact for policy in value["policies"] for strata in policy["facts"] for fact in strata]
    return [fact for fact in found if bool(fact["exact"]) is exact]


def favorable(value):
    """The fact that speaks for a permit."""
    return next(fact for fact in facts(value, exact=True) if not fact["adverse_only"])


def latched(value):
    """The fact that never does."""
    return next(fact for fact in facts(value, exact=True) if fact["adverse_only"])


def table(change):
    """Change a table of scores."""
    return edit("derived/scores/*", change)


def solved(value):
    value["items"][0][1] = "1"


def solved_and_counted(value):
    solved(value)
    value["successes"] += 1
    value["failures"] -= 1


def at_a_larger_error(value):
    """Let a latch stand where it does at five times the error that there is."""
    fact, end = latched(value), 1 - lower_bound(100, 100, Fraction(1, 5))
    fact["exact"]["error"] = "1/5"
    fact.update(rise_low=str(end), rise_high=str(end))


def under_its_old_name(value):
    value["commitments"][0]["when"]["not"]["text"] = "something else"


PERMIT, HOLD = "derived/decisions/2.json", "derived/decisions/1.json"
FILES = {
    "checkpoint-size": flip("checkpoint", 23),
    "checkpoint-root": flip("checkpoint", 40),
    "checkpoint-signature": signature_flipped,
    "checkpoint-dropped": drop("checkpoint"),
    "checkpoint-cut": cut("checkpoint"),
    "checkpoint-of-another-key": signed_by_another,
    "entries-flipped": flip("tile/entries/000.p/*", 700),
    "entries-cut": cut("tile/entries/000.p/*"),
    "entries-longer": longer("tile/entries/000.p/*", b"\0"),
    "entries-dropped": drop("tile/entries/000.p/*"),
    "entries-exchanged": exchanged,
    "tile-flipped": flip("tile/0/000.p/*", 33),
    "tile-cut": cut("tile/0/000.p/*"),
    "tile-longer": longer("tile/0/000.p/*", bytes(32)),
    "tile-dropped": drop("tile/0/000.p/*"),
    "a-document-flipped": flip("blobs/sha256/*/*", 3),
    "a-document-cut": cut("blobs/sha256/*/*"),
    "documents-swapped": swap("blobs/sha256/*/*"),
    "a-link": link,
    "answer-dropped": drop(PERMIT),
    "answer-with-a-space": longer(PERMIT, b" "),
    "answer-cut": cut(PERMIT),
    "answers-swapped": swap("derived/decisions/*"),
    "kernel-dropped": drop("derived/kernels/*"),
    "kernel-flipped": flip("derived/kernels/*", 200),
    "scores-dropped": drop("derived/scores/*"),
    "scores-cut": cut("derived/scores/*"),
    "scores-longer": longer("derived/scores/*", b"\n"),
    "one-item-solved": table(solved),
    "one-item-solved-and-counted": table(solved_and_counted),
    "an-item-renamed": table(lambda value: value["items"][0].__setitem__(0, "another")),
    "an-item-left-out": table(lambda value: value["items"].pop()),
    "an-item-twice": table(lambda value: value["items"].append(value["items"][-1])),
    "scores-of-another-run": table(lambda value: value.update(run="r9")),
    "scores-of-another-log": table(lambda value: value.update(log="sha256:" + "0" * 64)),
    "an-answer-at-another-time": edit(PERMIT, lambda value: value.update(now=value["now"] - 1)),
    "a-hold-at-another-time": edit(HOLD, lambda value: value.update(now=value["now"] - 1)),
    "an-answer-up-to-more": edit(PERMIT, lambda value: value.update(to="5000000000000000000000000")),
    "an-answer-about-another-model": edit(PERMIT, lambda value: value.update(subject="orion-9")),
    "an-answer-about-another-action": edit(PERMIT, lambda value: value.update(action="deploy.api")),
    "an-answer-with-another-number": edit(PERMIT, lambda value: value.update(number=3)),
    "an-answer-that-ends-earlier": edit(PERMIT, lambda value: value["ends"].append(value["now"] + 5)),
    "an-answer-with-a-reason-more": edit(PERMIT, lambda value: value["loose"].append({"policy": "", "kind": "stale"})),
    "a-hold-with-a-reason-less": edit(HOLD, lambda value: value["loose"].clear()),
    "a-policy-left-out": edit(PERMIT, lambda value: value["policies"].clear()),
    "a-hold-of-no-actions": edit(HOLD, lambda value: value["policies"][0].update(actions=[])),
    "a-favorable-bound-lowered": edit(PERMIT, lambda value: favorable(value).update(high="1/100")),
    "a-favorable-bound-raised": edit(PERMIT, lambda value: favorable(value).update(high="1/10")),
    "a-latch-lowered": edit(PERMIT, lambda value: latched(value).update(rise_high="1/100")),
    "a-latch-at-a-larger-error": edit(PERMIT, at_a_larger_error),
    "a-kernel-under-its-old-name": edit("derived/kernels/*", under_its_old_name),
    "a-kernel-with-another-evaluation": kernel(
        lambda value: value["evaluations"]["autonomy"].update(digest="sha256:" + "4" * 64)
    ),
    "a-larger-error": edit(PERMIT, lambda value: favorable(value)["exact"].update(error="1/20")),
    "a-bound-of-another-run": edit(PERMIT, lambda value: favorable(value)["exact"].update(run="r9")),
    "evidence-of-another-entry": edit(PERMIT, lambda value: favorable(value).update(evidence=[])),
    "a-gap-that-was-none": edit(PERMIT, lambda value: favorable(value).update(gaps=["stale"])),
    "a-fact-that-ended": edit(PERMIT, lambda value: favorable(value).update(until=value["now"])),
    "a-fact-of-less-reach": edit(PERMIT, lambda value: favorable(value).update(reach="1")),
    "a-gap-taken-away": edit(
        HOLD, lambda value: [fact.update(gaps=[], high="1/100") for fact in facts(value, exact=False)]
    ),
    "a-limit-changed": kernel(lambda value: value["commitments"][0]["when"]["not"].update(bound="1/100")),
    "a-commitment-taken-away": kernel(lambda value: value["commitments"].clear()),
    "a-kernel-of-no-policy": kernel(lambda value: value.update(digest="sha256:" + "1" * 64)),
    "a-kernel-for-reference": kernel(lambda value: value.update(kind="reference")),
    "a-larger-error-of-the-policy": kernel(
        lambda value: value["evaluations"]["autonomy"].update(wrongly_cleared="1/10")
    ),
    "a-scope-that-nothing-reaches": kernel(lambda value: value.update(scope={"constant": False})),
}

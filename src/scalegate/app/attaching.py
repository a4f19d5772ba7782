"""Comparisons that a log keeps: the difference an amendment makes, and whether the policies in force meet a regime."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scalegate.app.bindings import check_speaker, find_policy
from scalegate.app.book import Book, Page, Speaker
from scalegate.app.comparing import changes, compared
from scalegate.app.policies import parse
from scalegate.app.refusal import RefusalError
from scalegate.core.canonical import canonical_bytes
from scalegate.core.events import Entry, PolicyAdopted
from scalegate.core.kernel import Kernel
from scalegate.core.policy_events import PolicyCompared
from scalegate.gate.mandates import Lack, missing_roles
from scalegate.prove.amendment import document
from scalegate.prove.certificate import plain
from scalegate.prove.compare import QUESTIONS, UNBOUND, Comparison, all_strict
from scalegate.prove.diff import Diff
from scalegate.prove.permits import Reading

_WORDS: dict[bool | None, Literal["yes", "no", "unknown"]] = {True: "yes", False: "no", None: "unknown"}


@dataclass(frozen=True, slots=True)
class Attached:
    """A difference that was attached to an amendment."""

    entry: Entry
    old: Kernel
    new: Kernel
    diff: Diff


@dataclass(frozen=True, slots=True)
class Certified:
    """Whether the policies in force meet a regime, as it was recorded."""

    entry: Entry
    policies: tuple[Kernel, ...]
    regime: Kernel
    comparison: Comparison
    lacks: tuple[Lack, ...]
    answer: Literal["yes", "no", "unknown"]


def attach_difference(book: Book, policy: str, speaker: Speaker) -> Attached:
    """Attach to the latest amendment of a policy the difference that it makes.

    Raises:
        RefusalError: if the policy was never amended, or no solver is installed.
    """
    page = book.page()
    check_speaker(page, speaker)
    name = find_policy(page, policy).id
    texts = {
        entry.event.digest: entry.event for entry in page.history.entries if isinstance(entry.event, PolicyAdopted)
    }
    offered = [event for event in texts.values() if event.policy == name and event.replaces in texts]
    if not offered:
        raise RefusalError("refused", "amendment-missing", f"no amendment of `{name}` was offered")
    new, old = (parse(event.text, f"<{name}>") for event in (offered[-1], texts[offered[-1].replaces]))
    found = changes(old, new, Reading())
    mark = book.store.put_blob(canonical_bytes(document(found, old, new)))
    answer = _WORDS[None if found.weakens is None else not found.weakens]

    def prepare(page: Page) -> PolicyCompared:
        check_speaker(page, speaker)
        return PolicyCompared("amendment", (new.digest,), (old.digest,), answer, mark, speaker.name, speaker.role)

    return Attached(book.record(prepare), old, new, found)


def certify(book: Book, regime: str, speaker: Speaker) -> Certified:
    """Record whether the developer's policies in force, together, are at least as strict as a regime.

    A role that the regime mandates and a policy lacks is a no, whatever is proved. What fills a hole counts as it does
    for the gate.

    Args:
        book: the store.
        regime: the regime's id; empty for the only policy.
        speaker: who certifies.

    Raises:
        RefusalError: if there is no such regime, no policy of the developer is in force, or no solver is installed.
    """
    page = book.page()
    check_speaker(page, speaker)
    target = find_policy(page, regime)
    if target.kind != "regime":
        raise RefusalError(
            "usage", "regime-unknown", f"`{target.id}` is no regime", "`scalegate regime list` lists them"
        )
    own, target = _in_force(page, target)
    if not own:
        raise RefusalError("refused", "policy-missing", "no policy of the developer is in force")
    reading = Reading()
    found = compared(own, [target], reading, (*QUESTIONS, UNBOUND))
    lacks = tuple(missing_roles(target, own))
    answer = "no" if lacks else _WORDS[all_strict([item.strict for item in found.forward])]
    mark = book.store.put_blob(canonical_bytes(plain(found, own, [target], reading)))

    def prepare(page: Page) -> PolicyCompared:
        check_speaker(page, speaker)
        if _in_force(page, target) != (own, target):
            raise RefusalError("refused", "policies-changed", "what is in force changed meanwhile", "ask again")
        first = tuple(kernel.digest for kernel in own)
        return PolicyCompared("conformity", first, (target.digest,), answer, mark, speaker.name, speaker.role)

    return Certified(book.record(prepare), own, target, found, lacks, answer)


def _in_force(page: Page, regime: Kernel) -> tuple[tuple[Kernel, ...], Kernel]:
    """Return the developer's policies in force and a regime, each with what fills its holes now."""
    binding = {kernel.digest: kernel for kernel in page.force.kernels}
    own = tuple(kernel for kernel in binding.values() if kernel.kind == "policy")
    return own, binding.get(regime.digest, regime)

"""Which policies the history holds, and what words and roles they define.

Whether a policy binds a request is the gate's to say; this is for checking what people write.
"""

from __future__ import annotations

from scalegate.app.book import MAX_SPEAKER, Page, Speaker, check_name, check_words
from scalegate.app.identity import check_form, check_unlike
from scalegate.app.refusal import RefusalError, nearest
from scalegate.core.events import PolicyAdopted
from scalegate.core.kernel import Evaluation, Kernel


def texts(page: Page) -> dict[str, PolicyAdopted]:
    """Return the adoption of each policy whose text is in force, or else the first, by policy id."""
    binding = {kernel.id: kernel.digest for kernel in page.force.kernels}
    found: dict[str, PolicyAdopted] = {}
    for _, event in page.records.adopted:
        if event.policy not in found or binding.get(event.policy) == event.digest:
            found[event.policy] = event
    gone = {event.policy for _, event in page.records.withdrawn} - set(binding)
    return {name: event for name, event in found.items() if name not in gone}


def adopted(page: Page) -> dict[str, Kernel]:
    """Return the kernel of each adopted policy, by policy id; one that no longer reads is left out.

    Leaving it out only withholds its words from the checks here: the gate holds everything.
    """
    known = {kernel.digest: kernel for _, kernel in page.force.every}
    return {name: known[event.digest] for name, event in texts(page).items() if event.digest in known}


def check_speaker(page: Page, speaker: Speaker) -> Speaker:
    """Return a speaker whose role some adopted policy knows; `developer` always is known.

    A statement in a role that nobody named counts for nothing, so that a slip of the pen is refused
    here rather than found later.

    Raises:
        RefusalError: for an unknown role or an unprintable name.
    """
    check_words("name behind --by", speaker.name, MAX_SPEAKER)
    check_form("name behind --by", speaker.name)
    check_unlike("name behind --by", speaker.name, page.speakers)
    check_name("role", speaker.role)
    kernels = adopted(page)
    known = {"developer"}.union(*(kernel.roles for kernel in kernels.values()))
    if kernels and speaker.role not in known:
        raise RefusalError(
            "usage",
            "role-unknown",
            f"no adopted policy has a role `{speaker.role}`",
            nearest(speaker.role, known),
        )
    return speaker


def find_policy(page: Page, name: str) -> Kernel:
    """Return an adopted policy; an empty name stands for the only one.

    Raises:
        RefusalError: if there is none of that name, or no name and several policies.
    """
    kernels = adopted(page)
    if not kernels:
        raise RefusalError(
            "usage",
            "policy-missing",
            "no policy is adopted",
            "`scalegate policy adopt FILE` adopts one",
        )
    if not name:
        if len(kernels) == 1:
            return next(iter(kernels.values()))
        raise RefusalError("usage", "policy-ambiguous", "several policies are adopted", nearest("", kernels))
    if name not in kernels:
        raise RefusalError("usage", "policy-unknown", f"no policy `{name:.80}` is adopted", nearest(name, kernels))
    return kernels[name]


def find_evaluation(page: Page, name: str) -> Evaluation:
    """Return the evaluation of a name, `policy/name` or digest, over all adopted policies.

    The same variable may stand in several policies; those are one evaluation, and the first is
    returned.

    Raises:
        RefusalError: if there is none, several that differ, or one that is a hole.
    """
    found: dict[str, Evaluation] = {}
    known: set[str] = set()
    for policy, kernel in adopted(page).items():
        for word, evaluation in kernel.evaluations.items():
            known.add(word)
            if name in (word, f"{policy}/{word}") or name == evaluation.digest:
                found.setdefault(evaluation.digest or f"hole of {policy}", evaluation)
    if not found:
        raise RefusalError(
            "usage",
            "evaluation-unknown",
            f"no adopted policy has an evaluation `{name:.80}`",
            nearest(name, known),
        )
    if len(found) > 1:
        raise RefusalError(
            "usage",
            "evaluation-ambiguous",
            f"`{name:.80}` is not the same evaluation in all adopted policies",
            "write `POLICY/EVALUATION`",
        )
    evaluation = next(iter(found.values()))
    if evaluation.digest is None:
        raise RefusalError(
            "refused",
            "evaluation-hole",
            f"evaluation `{evaluation.id}` is a hole: " + (evaluation.hole or "its test is not pinned by a digest"),
            "only an amendment or a fill can say what would be measured",
        )
    return evaluation

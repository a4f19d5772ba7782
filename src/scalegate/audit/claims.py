"""Documents that fix a bar before a run: read when the run is registered, and again by whoever audits it.

What a manifest says (PRML, `scalegate.ingest.prml`) binds nobody here: the policy and the registration do. Kept beside
the registration it shows others that their bar stood before the run, so it must not say anything else than those two.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from fractions import Fraction

from scalegate.audit.bundle import Bundle, BundleError
from scalegate.audit.entries import Audited
from scalegate.audit.outcomes import evaluations_of, kernels_of
from scalegate.audit.report import Report
from scalegate.core.events import Entry, PolicyAdopted, RunRegistered
from scalegate.core.kernel import Evaluation, Kernel
from scalegate.gate.sampling import asked
from scalegate.ingest.prml import MAX_MANIFEST, Manifest, PrmlError, read_manifest

# Harnesses write `metric,filter` and `scorer/key`, and manifests the bare name.
_PARTS = re.compile(r"[,/]")


def thresholds(kernels: Collection[Kernel], evaluation: str) -> frozenset[Fraction]:
    """Return what some policies compare an evaluation (its digest) with, as far as a share can be."""
    return frozenset(question.constant for question in asked(tuple(kernels), evaluation, Fraction(1)))


def contradiction(manifest: Manifest, plan: RunRegistered, evaluation: Evaluation, known: Collection[Fraction]) -> str:
    """Return in what a manifest says something else than a registration and its policies; empty for nothing.

    Compared is what both say: the threshold, the metric where a scorer is registered, the seed where the order of the
    items is drawn, and the digest of a data set that has the name of the evaluation's test.

    Args:
        manifest: the manifest.
        plan: the registration, once its order is planned.
        evaluation: what is registered.
        known: thresholds of the policies.
    """
    if manifest.comparator == "==":
        return "it asks for one exact value, which no bound shows"
    if known and manifest.threshold not in known:
        shown = ", ".join(map(str, sorted(known)))
        return f"its threshold is {manifest.threshold}, and the policies compare `{evaluation.id}` with {shown}"
    if plan.scorer and manifest.metric not in (plan.scorer, *_PARTS.split(plan.scorer)):
        return f"its metric is {manifest.metric!a:.80}, and the scorer `{plan.scorer:.80}` is registered"
    if plan.sampling is not None and manifest.seed is not None and str(manifest.seed) != plan.sampling.seed:
        return f"it fixes the seed {manifest.seed}, and the order of this run is drawn with another"
    name, at, mark = evaluation.test.partition("@")
    if at and manifest.data_set == name and manifest.data_set_digest != mark:
        return f"its data set {manifest.data_set!a:.80} has another digest than the test of the policy"
    return ""


def audit_claims(bundle: Bundle, audited: Audited, report: Report) -> None:
    """Read every document again that a registration names, and hold it against the registration."""
    evaluations: dict[str, Evaluation] = {}
    kernels: list[Kernel] = []
    good = 0
    for entry in audited.entries:
        event = entry.event
        if isinstance(event, PolicyAdopted):
            evaluations |= evaluations_of(event)
            kernels += kernels_of(event)
        if isinstance(event, RunRegistered):
            for mark in event.claims:
                good += _reread(bundle, entry, event, mark, evaluations.get(event.evaluation), kernels, report)
    if good:
        report.add("claims", "passed", f"{good} manifests say nothing else than the registrations they came with")


def _reread(
    bundle: Bundle,
    entry: Entry,
    event: RunRegistered,
    mark: str,
    evaluation: Evaluation | None,
    kernels: list[Kernel],
    report: Report,
) -> bool:
    try:
        with bundle.locate(mark).open("rb") as file:
            manifest = read_manifest(file.read(MAX_MANIFEST + 1))
    except KeyError:
        message = f"run `{event.run}`: its manifest {mark} is not in the bundle"
        report.add("claims", "impossible", message, entry.index)
        return False
    except (BundleError, PrmlError, OSError) as error:
        report.add("claims", "untrusted", f"run `{event.run}`: its manifest is none: {error}", entry.index)
        return False
    if evaluation is None:
        report.add("claims", "impossible", f"run `{event.run}`: no policy of the log has its evaluation", entry.index)
        return False
    wrong = contradiction(manifest, event, evaluation, thresholds(kernels, event.evaluation))
    if wrong:
        report.add("claims", "untrusted", f"run `{event.run}`: its manifest contradicts it: {wrong}", entry.index)
    return not wrong

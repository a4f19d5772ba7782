"""Where a single run stands: who may have made it, whether its result counts, and until when it may be waited for."""

from __future__ import annotations

from dataclasses import replace

from scalegate.core.events import ResultReported
from scalegate.core.kernel import Evaluation, Kernel
from scalegate.core.quantities import DAY
from scalegate.gate.provenance import flaws
from scalegate.gate.records import Records, Run
from scalegate.gate.sampling import looked_at
from scalegate.gate.voices import is_independent, may_speak
from scalegate.stats.pooling import Counts

# A run is never pending for longer than this where the policy writes no `no result, stop`.
PENDING_AT_MOST = 60 * DAY


class Standing:
    """The rules of one evaluation of one policy for single runs."""

    def __init__(self, records: Records, kernel: Kernel, evaluation: Evaluation) -> None:
        """Keep the history, and whose rules count."""
        self.records, self.kernel, self.evaluation = records, kernel, evaluation

    def asked(self, run: Run) -> bool:
        """Whether the run was registered by somebody who then could speak in the role that the policy names."""
        role, plan = self.evaluation.by, run.plan
        if role is None:
            return True
        return plan.role == role and may_speak(self.records, self.kernel, role, plan.by, run.entry.index)

    def voided(self, run: Run) -> bool:
        """Whether a run without a result was voided by a role independent of the developer."""
        return run.result is None and any(
            is_independent(self.records, self.kernel, void.role, void.by) for _, void in run.voids
        )

    def retracted(self, run: Run) -> bool:
        """Whether an independent role retracted a defect that the run shares."""
        return any(
            (run.plan.run in defect.runs or (defect.evaluation and defect.evaluation == run.plan.evaluation))
            and run.entry.index < entry.index
            and is_independent(self.records, self.kernel, defect.role, defect.by, entry.index)
            for entry, defect in self.records.retractions
        )

    def accepted(self, run: Run) -> bool:
        """Whether the run was registered and reported by the role the policy names, with provenance it accepts."""
        return run.result is not None and not flaws(run.result, self.evaluation) and self.spoken(run)

    def spoken(self, run: Run, *, then: bool = False) -> bool:
        """Whether the run was registered and reported by the role the policy names.

        With `then`, as things stood when it was reported.
        """
        result, role = run.result, self.evaluation.by
        if result is None or run.result_entry is None:
            return False
        at = run.result_entry.index if then else None
        return role is None or all(
            event.role == role and may_speak(self.records, self.kernel, role, event.by, at)
            for event in (run.plan, result)
        )

    def report_by(self, run: Run) -> int:
        """Return when a run is missing: its `report_by`, never later than the hard end after its registration."""
        validity = self.evaluation.validity
        longest = PENDING_AT_MOST if validity.exact or validity.stop_time is None else validity.stop_time
        return min(run.plan.report_by, run.entry.at + longest)

    def counts(self, run: Run, result: ResultReported | None) -> Counts:
        """Return what a result comes to; that it is about a bank is the word of the policy, not of the run."""
        return replace(self._counts(run, result), of_bank=self.evaluation.estimand == "bank")

    def _counts(self, run: Run, result: ResultReported | None) -> Counts:
        """Return a result's counts over the planned items; whatever it leaves out is missing, and widens both ends.

        What no exact bound can use (stopped early without a plan for it, not 0/1, more items than planned) is all
        missing.
        """
        planned = max(run.plan.items, 1)
        if result is None or not self.usable(run, result) or result.successes + result.failures > planned:
            return Counts(0, 0, planned)
        if run.plan.sampling is not None:
            return looked_at(self.evaluation, run.plan, result) or Counts(0, 0, max(run.plan.sampling.units, 1))
        if self.evaluation.of_means:
            return Counts(0, 0, planned)
        return Counts(result.successes, result.failures, planned - result.successes - result.failures)

    def usable(self, run: Run, result: ResultReported) -> bool:
        """Whether an exact bound applies to a result of 0/1 samples that repeats no other.

        A run that stopped early needs the plan by which it was to be looked at.
        """
        return (
            result.binary
            and not (run.copied_from and result is run.result)
            and (not result.adaptive or run.plan.sampling is not None)
            and (result.evidence_class == "samples" or self.evaluation.accept_aggregate)
            and not self.retracted(run)
        )

    def is_pending(self, run: Run) -> bool:
        """Whether a run may still report in time."""
        return run.result is None and not run.refused and self.records.now < self.report_by(run)

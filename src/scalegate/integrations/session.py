"""The last guard in a process that trains with torch: no optimizer takes a step that the permit does not cover.

A hook before every optimizer step of the process counts it, and raises where the permit ends. It holds whatever other
callbacks, flags and wrappers do. What it cannot see is weights that are changed without an optimizer of torch.
"""

from __future__ import annotations

import hashlib
import os
import random
import time
from pathlib import Path
from typing import Any, Final
from weakref import WeakKeyDictionary

import torch
from torch.optim.optimizer import Optimizer, register_optimizer_step_pre_hook

from scalegate.enforce.boundary import Plan
from scalegate.enforce.permit import PermitError
from scalegate.integrations.around import Around
from scalegate.integrations.fed import Fed
from scalegate.integrations.job_folder import open_folder
from scalegate.integrations.keeper import Files, HeldError, Keeper
from scalegate.integrations.ranks import Ranks
from scalegate.integrations.weights import check_same, files_of, marks_of, read_checkpoint
from scalegate.ledger.trust import Trust

# So many optimizer steps without a question whether to stop: the loop does not ask, and the guard looks by itself.
UNASKED: Final = 16
# What ranks agree on is a number; 0 is none of these.
CODES: Final = ("", "permit-ending", "permit-lapsed", "compute-spent", "asked")
_WORDS: Final = {
    "": "",
    "compute-spent": "the permit's compute is used up",
    "permit-ending": "the permit ends",
    "permit-lapsed": "the permit does not stand any longer",
    "asked": "somebody asked for a hold",
}

# How many forks lie between this process and the one that imported this: cheaper to ask than who one is.
_FORKS = 0


def _forked() -> None:
    global _FORKS  # noqa: PLW0603 - a process is one
    _FORKS += 1


os.register_at_fork(after_in_child=_forked)


class Session:
    """One process of a job while it trains.

    Attributes:
        keeper: counts, and says how far.
        ranks: who trains together.
        code, words: why to stop at this boundary; empty while training may go on.
        fed: what the model was fed since the last optimizer step.
    """

    def __init__(
        self, keeper: Keeper, ranks: Ranks, model: torch.nn.Module, plan: Plan, *, agree_every: int = 1
    ) -> None:
        """Keep all of it; nothing is checked yet.

        Args:
            keeper: the permit.
            ranks: who trains together.
            model: what is trained.
            plan: what an optimizer step costs, over all ranks.
            agree_every: steps between two rounds of agreement on what only one rank knows.
        """
        self.keeper, self.ranks, self.plan = keeper, ranks, plan
        self.code = self.words = self._asked = ""
        self._model, self._every = model, agree_every
        self._own: set[int] = set()
        self._marks: dict[str, str] = {}
        self.fed = Fed(plan)
        self._passes: WeakKeyDictionary[Optimizer, int] = WeakKeyDictionary()
        self._unasked = self._asks = self._forks = 0
        self._measured, self._alone = plan.tokens > 0, ranks.count == 1
        self._groups: WeakKeyDictionary[Optimizer, int] = WeakKeyDictionary()
        self._last: Optimizer | None = None
        self._count = 0
        self._hooks: list[Any] = []
        self._stepped = time.monotonic()

    # ------------------------------------------------------------ beginning

    def begin(self, checkpoint: Path) -> None:
        """Begin with a checkpoint: its files are what the permit is for, and the weights in memory what is in them.

        Raises:
            PermitError: if they are not, on any of the ranks.
            HeldError: if the permit leaves not one step.
        """
        files = self.ranks.on_all(lambda: self._compared(checkpoint))
        if len(set(self.ranks.gathered(files.digest))) > 1:
            raise PermitError("ranks-apart", "the ranks begin with different checkpoints")
        self.ranks.on_all(lambda: self.keeper.begin(files, self.plan) if self.keeper.rank == 0 else None)
        start = self.ranks.from_first(self.keeper.start)
        if self.keeper.rank != 0 and start is not None:
            self.keeper.begin_at(start, self.plan)
        self.guard()

    def _compared(self, checkpoint: Path) -> Files:
        files, contents = read_checkpoint(checkpoint)
        self._marks = check_same(self._model, contents)
        return files

    def guard(self, *, forward: bool = True) -> None:
        """Stand before every optimizer step of this process from now on.

        Args:
            forward: whether to count what the model is called with; without, `feed` says how much that is.
        """
        if self._hooks:
            return
        self._own, self._forks = {id(item) for item in self._model.parameters()}, _FORKS
        self._hooks = [register_optimizer_step_pre_hook(self._before_step)]
        if forward and self.plan.tokens:
            self._hooks.append(self._model.register_forward_pre_hook(self.fed.before_forward, with_kwargs=True))

    def feed(self, tokens: int, length: int = 0) -> None:
        """Count tokens that go into the next optimizer step, in sequences of at most `length`."""
        self.fed.feed(tokens, length)

    def close(self) -> None:
        """Let go of the permit. No optimizer of the process is guarded any longer."""
        for hook in self._hooks:
            hook.remove()
        self._hooks, self._last = [], None
        self.keeper.close()

    def _before_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:  # noqa: ANN401, ARG002 - torch's
        # Asked before every step: nothing is looked up, or called, that need not be.
        try:
            if self._marks:
                self._first_step()
            count = 0
            for group in optimizer.param_groups:
                count += len(group["params"]) + 1
            if optimizer is not self._last or count != self._count:
                self._check_own(optimizer, count)
            if self._forks != _FORKS:
                self._refuse_fork()
            self._unasked += 1
            if self._unasked > UNASKED:
                self._look()
            if self._measured:
                fed = self.fed
                if not fed.tokens:
                    self._check_fed(optimizer)
                self.keeper.before_step(fed.cost())
                fed.settle()
            else:
                self.keeper.before_step()
        except HeldError as error:
            # Whoever catches it, and goes on, is refused again.
            self.keeper.stop(error.code, error.message)
            raise

    def _refuse_fork(self) -> None:
        raise HeldError("other-process", "a process that was forked from the one with the permit trains, too")

    def _check_fed(self, optimizer: Optimizer) -> None:
        """Refuse a second step of an optimizer on nothing: then the model is fed where nobody counts."""
        passes = self.fed.passes
        if self._passes.get(optimizer) == passes:
            raise HeldError(
                "tokens-unseen",
                "an optimizer takes steps, and nothing was fed to the model in between",
                "call the model itself, or say what it was fed: `session.feed(tokens, length)`",
            )
        self._passes[optimizer] = passes

    def _look(self) -> None:
        """Look around for a loop that never asks: it does not stop by itself, and hears of a hold by this."""
        if self.ranks.count > 1:
            raise HeldError(
                "not-asked",
                f"{UNASKED} optimizer steps without a question whether to stop: several ranks have to agree on that",
                "ask `run.stop` behind every optimizer step",
            )
        code, words = self.keeper.check()
        if code:
            raise HeldError(code, words, "`scalegate why` says what would release it")

    def _first_step(self) -> None:
        """Check once more, before anything changes, that the weights are those whose files were read.

        What a pass forward changes, such as running means, was compared at the beginning.
        """
        now = marks_of(self._model, buffers=False)
        if any(self._marks.get(name) != mark for name, mark in now.items()):
            raise HeldError("weights-swapped", "the weights were changed after they were compared with the checkpoint")
        self._marks = {}

    def _check_own(self, optimizer: Optimizer, count: int) -> None:
        if self._groups.get(optimizer) != count:
            if isinstance(optimizer, torch.optim.LBFGS):
                raise HeldError(
                    "closure-repeats",
                    "LBFGS passes through the model many times in one step, and nobody can say how often",
                    "train with an optimizer that takes one pass for each step",
                )
            trained = (item for group in optimizer.param_groups for item in group["params"])
            if any(id(item) not in self._own for item in trained):
                raise HeldError("other-weights", "an optimizer trains weights that the permit is not for")
            self._groups[optimizer] = count
        # Looking up a weak key costs as much as everything else that a step is asked: not for the same one again.
        self._last, self._count = optimizer, count

    # ------------------------------------------------------------ going on

    def ask(self, words: str) -> None:
        """Ask for a hold, on any rank: all of them stop together, as soon as they agree."""
        self._asked = words

    def after_step(self) -> bool:
        """Look, behind an optimizer step, whether this is where to stop. All ranks get the same answer.

        Returns:
            True if training has to be held here; `code` and `words` say why.
        """
        self._unasked = 0
        keeper = self.keeper
        now = time.monotonic()
        if now - self._stepped > keeper.slowest:
            keeper.took(now - self._stepped)
        self._stepped = now
        code = words = ""
        if self._alone:
            code, words = ("asked", self._asked) if self._asked else keeper.check(now)
        else:
            self._asks += 1
            if self._asks % self._every == 0:
                code, words = self._agreed()
        if keeper.step >= keeper.last:
            code = "compute-spent"
        self.code = code
        self.words = words or _WORDS[code]
        return bool(code)

    def _agreed(self) -> tuple[str, str]:
        keeper = self.keeper
        code, words = keeper.check() if keeper.rank == 0 else ("", "")
        if self._asked:
            code, words = "asked", self._asked
        found, *far = self.ranks.agree(CODES.index(code), *keeper.said())
        keeper.follow(*far)
        return CODES[found], words if code == CODES[found] else ""

    def saved(self, folder: Path, state: str = "") -> Files | None:
        """Report a checkpoint that was written; every rank calls it.

        Args:
            folder: the checkpoint.
            state: `state_mark` of when it was written; by default that of now.

        Returns:
            Digests of its files; None where they do not hold the weights in memory, and nothing was reported.
        """
        files = self._same_files(folder)
        if self.keeper.rank == 0 and files is not None:
            self.keeper.saved(files, state or state_mark())
        return files

    def held(self, folder: Path | None, code: str = "", words: str = "") -> None:
        """Report a hold before the process ends; every rank calls it.

        Args:
            folder: the checkpoint that was saved for it; None where none could be.
            code: why; by default what `after_step` found.
            words: the same for people.
        """
        files = self._same_files(folder) if folder is not None else None
        code, words = code or self.code, words or self.words
        try:
            if self.keeper.rank == 0:
                self.keeper.held(code, words, files, state_mark())
        finally:
            # Whoever withdraws the stop takes no step after it.
            self.keeper.stop(code, words)

    def ended(self, folder: Path | None = None) -> None:
        """Report that training ended as planned; every rank calls it."""
        files = self._same_files(folder) if folder is not None else None
        try:
            if self.keeper.rank == 0:
                self.keeper.ended(files, state_mark())
        finally:
            self.keeper.stop("ended", "the job has ended")

    def _same_files(self, folder: Path) -> Files | None:
        """Return the digests of a checkpoint; None where it does not hold the weights in memory."""

        def read() -> tuple[Files, str]:
            if self.keeper.rank != 0:
                return files_of(folder), ""
            files, contents = read_checkpoint(folder)
            try:
                check_same(self._model, contents)
            except PermitError as error:
                return files, str(error)
            return files, ""

        found = self.ranks.gathered(self.ranks.on_all(read))
        files, wrong = found[0]
        if any(other != files for other, _ in found):
            raise HeldError("ranks-apart", "the ranks see different files of the checkpoint")
        if wrong:
            self.keeper.around.tell(f"scalegate: the checkpoint `{folder}` is not reported: {wrong}")
        return None if wrong else files


def open_session(
    model: torch.nn.Module,
    permit: Path | str | None,
    plan: Plan,
    *,
    trust: Path | str | Trust | None = None,
    around: Around | None = None,
    agree_every: int = 1,
) -> Session:
    """Return a session on a permit that was checked for this job; the arguments are those of `gated`.

    Raises:
        PermitError: if there is no permit for this job now, on any of the ranks.
    """
    ranks = Ranks()
    made: list[Keeper] = []
    try:
        ranks.on_all(
            lambda: made.append(Keeper(open_folder(permit, trust), around, rank=ranks.rank, ranks=ranks.count))
        )
    except PermitError:
        for keeper in made:
            keeper.close()
        raise
    return Session(made[0], ranks, model, plan, agree_every=agree_every)


def state_mark() -> str:
    """Return a digest over the generators of randomness of this process: Python's and torch's."""
    running = hashlib.sha256(repr(random.getstate()).encode())
    running.update(torch.get_rng_state().numpy().tobytes())
    return f"sha256:{running.hexdigest()}"

"""The last guard of a training loop in torch: no optimizer takes a step that the permit does not cover (extra `torch`).

A hook before every optimizer step of the process counts it, and raises where the permit ends. It holds whatever other
callbacks, flags and wrappers do. What it cannot see is weights that are changed without an optimizer of torch.

    with gated(model, "orion.permit", checkpoint="orion", plan=Plan(flop)) as run:
        for batch in loader:
            model(batch).loss.backward()
            optimizer.step()
            if run.stop:                      # save, report, and leave at a boundary that all ranks agree on
                run.hold(lambda folder: torch.save(model.state_dict(), folder / "weights.pt"), "orion-held")
                break
"""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

import torch
from torch.optim.optimizer import Optimizer, register_optimizer_step_pre_hook

from scalegate.enforce.boundary import Plan
from scalegate.enforce.permit import PermitError
from scalegate.integrations.job_folder import open_folder
from scalegate.integrations.keeper import Around, Files, HeldError, Keeper
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
_T = TypeVar("_T")


class Session:
    """One process of a job while it trains.

    Attributes:
        keeper: counts, and says how far.
        ranks: who trains together.
        code, words: why to stop at this boundary; empty while training may go on.
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
        self._tokens = self._unasked = 0
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
        files = _on_all(self.ranks, lambda: self._compared(checkpoint))
        if len(set(self.ranks.gathered(files.digest))) > 1:
            raise PermitError("ranks-apart", "the ranks begin with different checkpoints")
        _on_all(self.ranks, lambda: self.keeper.begin(files, self.plan) if self.keeper.rank == 0 else None)
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
            forward: whether to count the tokens that the model is called with; without, `feed` says how many they are.
        """
        if self._hooks:
            return
        self._own = {id(item) for item in self._model.parameters()}
        self._hooks = [register_optimizer_step_pre_hook(self._before_step)]
        if forward and self.plan.tokens:
            self._hooks.append(self._model.register_forward_pre_hook(self._before_forward, with_kwargs=True))

    def feed(self, tokens: int) -> None:
        """Count tokens that go into the next optimizer step."""
        self._tokens += tokens

    def close(self) -> None:
        """Let go of the permit. No optimizer of the process is guarded any longer."""
        for hook in self._hooks:
            hook.remove()
        self._hooks, self._last = [], None
        self.keeper.close()

    def _before_forward(self, model: torch.nn.Module, args: Any, kwargs: Any) -> None:  # noqa: ANN401, ARG002 - torch's
        if not torch.is_grad_enabled():
            return
        for item in (*args, *kwargs.values()):
            if isinstance(item, torch.Tensor):
                shape = item.shape
                self._tokens += shape[0] * shape[1] if len(shape) > 1 else sum(shape)
                return

    def _before_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:  # noqa: ANN401, ARG002 - torch's
        if self._marks:
            self._first_step()
        groups = len(optimizer.param_groups)
        if optimizer is not self._last or groups != self._count:
            self._check_own(optimizer)
        tokens, planned = self._tokens, self.plan.tokens
        flop = 0
        if planned and tokens > planned:
            # Attention grows with the square: more than was planned counts for as much as it can be.
            flop = self.plan.flop * tokens * tokens // (planned * planned) + 1
        self._unasked += 1
        if self._unasked > UNASKED and self.ranks.count == 1:
            self._look()
        self.keeper.before_step(flop)
        self._tokens = 0

    def _look(self) -> None:
        """Look around for a loop that never asks: it does not stop by itself, and hears of a hold by this."""
        code, words = self.keeper.check()
        if code:
            raise HeldError(code, words, "`scalegate why` says what would release it")

    def _first_step(self) -> None:
        """Check once more, before anything changes, that the weights are those whose files were read."""
        if marks_of(self._model) != self._marks:
            raise HeldError("weights-swapped", "the weights were changed after they were compared with the checkpoint")
        self._marks = {}

    def _check_own(self, optimizer: Optimizer) -> None:
        count = len(optimizer.param_groups)
        if self._groups.get(optimizer) != count:
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
        keeper.took(now - self._stepped)
        self._stepped = now
        code = words = ""
        if self.ranks.count == 1:
            code, words = ("asked", self._asked) if self._asked else keeper.check()
        elif keeper.step % self._every == 0:
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

    def saved(self, folder: Path, state: str = "") -> Files:
        """Report a checkpoint that was written; every rank calls it.

        Args:
            folder: the checkpoint.
            state: `state_mark` of when it was written; by default that of now.
        """
        files = self._same_files(folder)
        if self.keeper.rank == 0:
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
        if self.keeper.rank == 0:
            self.keeper.ended(files, state_mark())

    def _same_files(self, folder: Path) -> Files:
        found = self.ranks.gathered(_on_all(self.ranks, lambda: files_of(folder)))
        if len(set(found)) > 1:
            raise HeldError("ranks-apart", "the ranks see different files of the checkpoint")
        return found[0]


class GatedRun:
    """A plain loop under a permit.

    Attributes:
        session: what it stands on.
    """

    def __init__(self, session: Session) -> None:
        """Keep the session."""
        self.session = session
        self.over = False

    @property
    def stop(self) -> bool:
        """Whether training has to be held here; ask behind every optimizer step."""
        return self.session.after_step()

    def save(self, write: Callable[[Path], object], folder: Path | str) -> None:
        """Have a checkpoint written into a new folder, and report it."""
        self.session.saved(_written(write, Path(folder), self.session.ranks))

    def hold(self, write: Callable[[Path], object], folder: Path | str) -> None:
        """Have a checkpoint written into a new folder, and report the hold."""
        self.session.held(_written(write, Path(folder), self.session.ranks))
        self.over = True

    def end(self, write: Callable[[Path], object], folder: Path | str) -> None:
        """Have the last checkpoint written into a new folder, and report that training ended as planned."""
        self.session.ended(_written(write, Path(folder), self.session.ranks))
        self.over = True


def _written(write: Callable[[Path], object], folder: Path, ranks: Ranks) -> Path:
    def make() -> None:
        if ranks.rank == 0:
            folder.mkdir(parents=True)
            write(folder)

    _on_all(ranks, make)
    return folder


def _on_all(ranks: Ranks, act: Callable[[], _T]) -> _T:
    """Do something on every rank, and fail on all of them where it fails on one: nobody waits for one that left."""
    if ranks.count == 1:
        return act()
    done: list[_T] = []
    wrong: Exception | None = None
    try:
        done.append(act())
    except Exception as error:  # noqa: BLE001 - raised below, once the others know
        wrong = error
    told = [f"rank {rank}: {item}" for rank, item in enumerate(ranks.gathered(str(wrong or ""))) if item]
    if wrong is not None:
        raise wrong
    if told:
        raise PermitError("ranks-apart", "; ".join(told)[:500])
    return done[0]


@contextmanager
def gated(
    model: torch.nn.Module,
    permit: Path | str | None,
    checkpoint: Path | str,
    plan: Plan,
    *,
    trust: Path | str | Trust | None = None,
    around: Around | None = None,
    agree_every: int = 1,
) -> Iterator[GatedRun]:
    """Train in a plain loop under a permit.

    Args:
        model: what is trained, with the weights of `checkpoint` loaded.
        permit: file of the permit.
        checkpoint: directory or file that the model was loaded from; what the permit is for.
        plan: what an optimizer step costs, over all ranks.
        trust: trust file; by default that of SCALEGATE_TRUST.
        around: what else there is.
        agree_every: steps between two rounds of agreement among ranks.

    Raises:
        PermitError: before the first step, if there is no permit for this.
        HeldError: by the step that the permit does not cover.
    """
    session = open_session(model, permit, plan, trust=trust, around=around, agree_every=agree_every)
    run = GatedRun(session)
    try:
        session.begin(Path(checkpoint))
        yield run
    except HeldError as error:
        session.held(None, error.code, error.message)
        raise
    finally:
        session.close()


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
        _on_all(
            ranks, lambda: made.append(Keeper(open_folder(permit, trust), around, rank=ranks.rank, ranks=ranks.count))
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

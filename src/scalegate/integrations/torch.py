"""A plain loop in torch under a permit (extra `torch`).

with gated(model, "orion.permit", checkpoint="orion", plan=Plan(flop)) as run:
for batch in loader:
model(batch).loss.backward()
optimizer.step()
optimizer.zero_grad()
if run.stop:                      # save, report, and leave at a boundary that all ranks agree on
run.hold(lambda folder: torch.save(model.state_dict(), folder / "weights.pt"), "orion-held")
break
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from scalegate.enforce.boundary import Plan
from scalegate.integrations.around import Around
from scalegate.integrations.keeper import HeldError
from scalegate.integrations.ranks import Ranks
from scalegate.integrations.session import Session, open_session
from scalegate.ledger.trust import Trust


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
    """Have a checkpoint written into a folder that is not there yet: that of the name, or with a number behind it."""

    def make() -> Path:
        if ranks.rank != 0:
            return folder
        place, number = folder, 1
        while place.exists():
            number += 1
            place = folder.with_name(f"{folder.name}-{number}")
        place.mkdir(parents=True)
        write(place)
        return place

    return ranks.from_first(ranks.on_all(make))


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
    except Exception:
        if session.code and not run.over:
            # It was to be held, and no checkpoint could be written: the hold is reported all the same.
            session.held(None)
        raise
    finally:
        session.close()

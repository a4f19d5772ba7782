"""What a model is fed between two optimizer steps, measured where it is called (extra `torch`).

Whatever has gradients counts: a pass without them, such as an evaluation, trains nothing, and is not counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch

from scalegate.enforce.boundary import Plan

_has_gradients = torch.is_grad_enabled


class Fed:
    """Tokens since the last optimizer step, and the longest sequence among them.

    Attributes:
        tokens: of all passes together; of each the largest tensor counts.
        longest: tokens of the longest sequence.
        passes: how often the model was called, ever.
    """

    def __init__(self, plan: Plan) -> None:
        """Begin with nothing."""
        self._flop, self._tokens, self._by_length = plan.flop, plan.tokens, plan.length > 0
        self._length = plan.length or plan.tokens
        self.tokens = self.longest = self.passes = 0

    def feed(self, tokens: int, length: int = 0) -> None:
        """Count a pass."""
        self.tokens += tokens
        self.longest = max(self.longest, length)
        self.passes += 1

    def before_forward(self, model: torch.nn.Module, args: Any, kwargs: Any) -> None:  # noqa: ANN401, ARG002 - torch's
        """Count a call of the model."""
        if not _has_gradients():
            return
        if not kwargs and len(args) == 1:
            # The most common call, without a walk through what there is not.
            shape: tuple[int, ...] = getattr(args[0], "shape", ())
            if len(shape) > 1:
                length = shape[1]
                self.tokens += shape[0] * length
                self.passes += 1
                if length > self.longest:  # noqa: PLR1730 - this is asked in every pass, and a call costs more
                    self.longest = length
                return
        self.feed(*size_of((args, kwargs)))

    def cost(self) -> int:
        """Return what it cost, in FLOP; 0 where that is within the plan, which says how many tokens there are.

        Cost grows with tokens, and for attention once more with the length of a sequence: both factors apply. Where
        the plan has no length, more tokens may all be in longer sequences.
        """
        tokens = self.tokens
        if tokens <= self._tokens and (self.longest <= self._length or not self._by_length):
            return 0
        longest = self.longest if self._by_length else tokens
        more, longer = max(tokens, self._tokens), max(longest, self._length)
        return self._flop * more * longer // (self._tokens * self._length) + 1

    def settle(self) -> None:
        """Begin anew, behind an optimizer step that was counted."""
        self.tokens = self.longest = 0


def size_of(value: object) -> tuple[int, int]:
    """Return tokens and length of a batch: the largest of all tensors in it, taken as sequences in rows.

    Tensors of one dimension are labels beside such ones, and one packed sequence where there are no others.
    """
    shapes = [tuple(item.shape) for item in _tensors(value)]
    rows = [shape[:2] for shape in shapes if len(shape) > 1] or [(1, *shape[:1]) for shape in shapes if shape]
    return max((many * length for many, length in rows), default=0), max((length for _, length in rows), default=0)


def _tensors(value: object) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _tensors(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _tensors(item)

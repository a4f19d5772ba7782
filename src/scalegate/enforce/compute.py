"""How many FLOP a training run spends: exact counting rules, three independent readings, and effective compute.

A multiply-add is 2 FLOP, and only matrix multiplications count, as in torch's `FlopCounterMode`. Attention is counted
as eager kernels do it: every query meets every key, masked or not. Padding is counted, because it is computed.
What is meant to be exact is exact; everything else errs upward.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from scalegate.core.quantities import UNBOUNDED, ComputeRange


class ComputeError(ValueError):
    """Numbers that describe no computation; the message says which."""


def _check(name: str, value: object, least: int) -> None:
    """Refuse what is not a whole number of at least `least`; a bool is none."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ComputeError(f"{name} must be a whole number of at least {least}, not {value!r}")


def _check_exact(name: str, value: object) -> None:
    """Refuse what is not a fraction: a float would round."""
    if not isinstance(value, Fraction):
        raise ComputeError(f"{name} must be an exact fraction, not {value!r}")


@dataclass(frozen=True, slots=True)
class Attention:
    """The two matrix products of one attention layer, which hold no weights.

    Attributes:
        heads: query heads. Fewer heads of keys and values (GQA) save memory, and no FLOP.
        key_size: size of a query and a key, per head.
        value_size: size of a value, per head.
        window: most keys that a query is multiplied with; None where the kernel computes all and masks, as eager does.
    """

    heads: int
    key_size: int
    value_size: int
    window: int | None = None

    def __post_init__(self) -> None:
        """Refuse sizes that are not positive."""
        for name in ("heads", "key_size", "value_size"):
            _check(name, getattr(self, name), 1)
        if self.window is not None:
            _check("window", self.window, 1)

    def multiply_adds(self, queries: int, keys: int) -> int:
        """Return the multiply-adds of one sequence, of QK^T and of the product with the values."""
        met = keys if self.window is None else min(keys, self.window)
        return self.heads * (self.key_size + self.value_size) * queries * met


@dataclass(frozen=True, slots=True)
class Experts:
    """The experts of one mixture layer, all of one size. The router is a weight like any other.

    Attributes:
        weights: matrix weights of one expert.
        count: experts that a router chooses from.
        active: of these, how many are applied to a token.
        shared: further experts of the same size, applied to every token.
    """

    weights: int
    count: int
    active: int
    shared: int = 0

    def __post_init__(self) -> None:
        """Refuse more active experts than there are."""
        for name in ("weights", "count", "active"):
            _check(name, getattr(self, name), 1)
        _check("shared", self.shared, 0)
        if self.active > self.count:
            raise ComputeError(f"{self.active} of {self.count} experts cannot be active")

    @property
    def applied(self) -> int:
        """Matrix weights applied to one token."""
        return self.weights * (self.active + self.shared)


@dataclass(frozen=True, slots=True)
class Stack:
    """Layers that one sequence runs through.

    Attributes:
        weights: matrix weights applied to every token. A matrix applied twice counts twice.
        experts: mixture layers.
        attention: self-attention layers.
    """

    weights: int
    experts: tuple[Experts, ...] = ()
    attention: tuple[Attention, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a negative number of weights."""
        _check("weights", self.weights, 0)

    def multiply_adds(self, length: int) -> int:
        """Return the multiply-adds of one forward pass over a sequence of `length` tokens."""
        per_token = self.weights + sum(layer.applied for layer in self.experts)
        return per_token * length + sum(layer.multiply_adds(length, length) for layer in self.attention)


@dataclass(frozen=True, slots=True)
class Cross:
    """How a decoder looks at what its encoder made.

    Attributes:
        weights: matrix weights applied to every token of the source: the projections to keys and values.
        attention: cross-attention layers, from target to source.
    """

    weights: int
    attention: tuple[Attention, ...]

    def __post_init__(self) -> None:
        """Refuse a negative number of weights."""
        _check("weights", self.weights, 0)

    def multiply_adds(self, length: int, source: int) -> int:
        """Return the multiply-adds of one forward pass from `source` tokens to `length`."""
        return self.weights * source + sum(layer.multiply_adds(length, source) for layer in self.attention)


@dataclass(frozen=True, slots=True)
class Shape:
    """What of a model decides its FLOP. Embedding lookups, norms, biases and activations cost nothing here.

    Attributes:
        layers: the layers of the model, or of its decoder.
        outside: matrix weights applied to every token outside the layers, such as a tied or untied LM head.
        fixed: multiply-adds per sequence, however long it is: a pooler on the first token, patches of an image.
        encoder: layers that a source sequence runs through.
        cross: how `layers` look at the source; None without an encoder.
    """

    layers: Stack
    outside: int = 0
    fixed: int = 0
    encoder: Stack | None = None
    cross: Cross | None = None

    def __post_init__(self) -> None:
        """Refuse a shape that multiplies nothing, or half of an encoder and decoder."""
        _check("outside", self.outside, 0)
        _check("fixed", self.fixed, 0)
        if (self.encoder is None) != (self.cross is None):
            raise ComputeError("an encoder and a cross-attention come together, or neither")
        if forward_flop(self, 1) == 0:
            raise ComputeError("a model that multiplies nothing cannot be counted")


def _within(shape: Shape, length: int, source: int) -> int:
    """Return the multiply-adds of one forward pass of all layers, for one sequence."""
    total = shape.layers.multiply_adds(length) + shape.fixed
    if shape.encoder is not None and shape.cross is not None:
        total += shape.encoder.multiply_adds(source) + shape.cross.multiply_adds(length, source)
    return total


def _source(shape: Shape, length: int, source: int | None) -> int:
    """Return the length of the source; 0 where there is no encoder."""
    _check("length", length, 1)
    if shape.encoder is None:
        if source is not None:
            raise ComputeError("a source needs an encoder, and this model has none")
        return 0
    if source is None:
        return length
    _check("source", source, 1)
    return source


def forward_flop(shape: Shape, length: int, source: int | None = None) -> int:
    """Return the FLOP of one forward pass over one sequence.

    Args:
        shape: the model.
        length: tokens, padding included; those of the target where there is an encoder.
        source: tokens that the encoder reads, padding included; `length` if not given.

    Raises:
        ComputeError: if a length is not positive, or a source has no encoder to read it.
    """
    return 2 * (_within(shape, length, _source(shape, length, source)) + shape.outside * length)


def training_flop(shape: Shape, length: int, source: int | None = None, *, recompute: bool = False) -> int:
    """Return the FLOP of one forward and backward pass over one sequence.

    The backward pass is two forward passes: one product for the gradient of each operand. Nothing is taken off for
    frozen weights, nor for a first layer whose input needs no gradient.

    Args:
        shape: the model.
        length: tokens, as for `forward_flop`.
        source: tokens that the encoder reads, as for `forward_flop`.
        recompute: whether activations are recomputed (gradient checkpointing), at one more forward pass of the layers.
            An implementation that stops early spares the last product of each layer; it is counted all the same.

    Raises:
        ComputeError: as `forward_flop`.
    """
    again = 2 * _within(shape, length, _source(shape, length, source)) if recompute else 0
    return 3 * forward_flop(shape, length, source) + again


@dataclass(frozen=True, slots=True)
class Step:
    """What one step of the optimizer reads.

    Attributes:
        sequences: sequences of a micro-batch, on one rank.
        length: tokens of each, padding included.
        source: tokens that an encoder reads for each; `length` if None.
        accumulation: micro-batches whose gradients are added up.
        world: ranks that read micro-batches of their own. Ranks that share the work on one are a single one here;
            counting them apart errs upward.
        recompute: whether activations are recomputed.
    """

    sequences: int
    length: int
    source: int | None = None
    accumulation: int = 1
    world: int = 1
    recompute: bool = False

    def __post_init__(self) -> None:
        """Refuse sizes that are not positive."""
        for name in ("sequences", "length", "accumulation", "world"):
            _check(name, getattr(self, name), 1)
        if self.source is not None:
            _check("source", self.source, 1)

    @property
    def tokens(self) -> int:
        """Tokens of the target that the step reads, padding included, on all ranks."""
        return self.sequences * self.length * self.accumulation * self.world


def step_flop(shape: Shape, step: Step) -> int:
    """Return the FLOP of one step of the optimizer, on all ranks. The step's own arithmetic multiplies no matrices.

    Raises:
        ComputeError: if the step has a source, and the model no encoder.
    """
    each = training_flop(shape, step.length, step.source, recompute=step.recompute)
    return each * step.sequences * step.accumulation * step.world


@dataclass(frozen=True, slots=True)
class Hardware:
    """The time that chips were held, as a bound on what they computed.

    Attributes:
        chips: accelerators.
        seconds: how long all of them were held.
        peak: FLOP per second of one chip at most, in the precision that is used.
        utilization: share of the peak that is reached, above 0 and at most 1. Only 1 bounds without an assumption.
    """

    chips: int
    seconds: int
    peak: int
    utilization: Fraction = Fraction(1)

    def __post_init__(self) -> None:
        """Refuse a number out of range."""
        _check("chips", self.chips, 1)
        _check("seconds", self.seconds, 0)
        _check("peak", self.peak, 1)
        _check_exact("utilization", self.utilization)
        if not 0 < self.utilization <= 1:
            raise ComputeError(f"utilization must be above 0 and at most 1, not {self.utilization}")

    @property
    def flop(self) -> int:
        """FLOP, rounded up."""
        return _ceiling(self.chips * self.seconds * self.peak * self.utilization)


def calibration_ratio(counted: int, analytic: int) -> Fraction:
    """Return by how much a counted pass exceeds the analytic count of the same pass; 1 if it does not.

    Raises:
        ComputeError: if either is not positive.
    """
    _check("counted", counted, 1)
    _check("analytic", analytic, 1)
    return max(Fraction(1), Fraction(counted, analytic))


@dataclass(frozen=True, slots=True)
class Reading:
    """Three readings of the FLOP of one run, none of which is trusted alone.

    Attributes:
        analytic: by the counting rules.
        ratio: how much more was counted than the rules say, at least 1; None where nobody counted.
        hardware: by the time that chips were held; None where nobody stated any.
    """

    analytic: int
    ratio: Fraction | None = None
    hardware: int | None = None

    def __post_init__(self) -> None:
        """Refuse a negative reading, or a ratio that would take something off."""
        _check("analytic", self.analytic, 0)
        if self.hardware is not None:
            _check("hardware", self.hardware, 0)
        if self.ratio is not None:
            _check_exact("a calibration ratio", self.ratio)
            if self.ratio < 1:
                raise ComputeError(f"a calibration ratio must be at least 1, not {self.ratio}")

    @property
    def calibrated(self) -> int | None:
        """The analytic count times the ratio, rounded up; None where nobody counted."""
        return None if self.ratio is None else _ceiling(self.analytic * self.ratio)

    @property
    def largest(self) -> int:
        """The reading that a gate goes by."""
        stated = (self.analytic, self.calibrated, self.hardware)
        return max(reading for reading in stated if reading is not None)


@dataclass(frozen=True, slots=True)
class Multiplier:
    """How much effective compute a FLOP is worth, relative to the reference that a policy was written for.

    Attributes:
        low, high: bounds of the factor, which better algorithms and data raise above 1.
    """

    low: Fraction
    high: Fraction

    def __post_init__(self) -> None:
        """Refuse a factor that is not positive, or bounds turned around."""
        _check_exact("the lower bound of a multiplier", self.low)
        _check_exact("the upper bound of a multiplier", self.high)
        if not 0 < self.low <= self.high:
            raise ComputeError(f"a multiplier must satisfy 0 < low <= high, not {self.low} and {self.high}")

    def effective(self, flop: int) -> ComputeRange:
        """Return the effective compute of `flop`, rounded outward to whole FLOP; never beyond `UNBOUNDED`.

        Raises:
            ComputeError: if `flop` is negative.
        """
        _check("flop", flop, 0)
        low, high = flop * self.low, flop * self.high
        return ComputeRange(min(low.numerator // low.denominator, UNBOUNDED), min(_ceiling(high), UNBOUNDED))

    def most(self, limit: int) -> int:
        """Return the most FLOP whose effective compute stays within `limit` at its upper end.

        Raises:
            ComputeError: if `limit` is negative.
        """
        _check("limit", limit, 0)
        most = limit / self.high
        return most.numerator // most.denominator


def _ceiling(value: Fraction) -> int:
    """Return the least whole number that is not below `value`."""
    return -(-value.numerator // value.denominator)

"""The shape of a torch model, for the rules of `enforce.compute`, and a count of one pass to check them by.

Needs the extra `hf`, of which torch suffices for other people's modules. What the walk does not know is refused: a
matrix product that nobody counts is compute that the gate does not see. The walk sees weights, not what is done with
them; layers applied twice, or products without weights that no configuration states, show only when a pass is counted.
(torch 2.13: `utils/flop_counter.py`; transformers 5.24: `modeling_utils.py`, `integrations/moe.py`.)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode, flop_registry

from scalegate.enforce.compute import (
    Attention,
    ComputeError,
    Cross,
    Experts,
    Shape,
    Stack,
    calibration_ratio,
    training_flop,
)

# Layers whose attention costs at most what eager attention over the whole sequence does.
_SELF_ATTENTION = {"attention", "chunked_attention", "full_attention", "sliding_attention"}

_CROSS = re.compile(r"\b(EncDecAttention|encoder_attn|cross_?attn|crossattention)\b")
_OF_SOURCE = re.compile(r"\.(k|v|key|value|k_proj|v_proj)$")

# Parts of the names of operators that multiply matrices; those that torch has no formula for would go unseen.
_PRODUCT = re.compile(
    r"(?:^|_)(?:add|b|ba|badd|addb)?(?:mm|mv|matmul|v?dot|bilinear|einsum|cdist|linear|attention|conv\w*|lstm|gru|rnn)(?:_|$)"
)
_IMPLEMENTATIONS = ("_attn_implementation_internal", "_experts_implementation_internal")
_Mode: Any = TorchDispatchMode
_KNOWN_NAMESPACES = {"aten", "prim", "prims", "profiler"}


class ShapeError(ComputeError):
    """A model whose FLOP cannot be read from its modules; the message names the module."""


class CalibrationError(RuntimeError):
    """A pass that could not be run; the message says why."""


def shape_of(
    model: nn.Module,
    *,
    attention: Sequence[Attention] | None = None,
    positions: Mapping[str, int] | None = None,
    windows: bool = False,
) -> Shape:
    """Read the shape of a model, before it is wrapped or sharded.

    Args:
        model: a model of transformers, or any module whose matrices are applied once to every token.
        attention: self-attention layers, where neither a configuration nor `MultiheadAttention` states them.
        positions: for a module, by its name, to how many positions of a sequence its matrices are applied, however
            long the sequence is: 1 for a pooler, the patches of an image, 0 for a table that is only added.
        windows: whether the kernel that trains skips what lies outside a sliding window; eager and sdpa do not.

    Raises:
        ShapeError: for a module with parameters that are neither counted nor free, for attention that nobody states,
            and for layers that are applied more often than they are there.
        ComputeError: for a model without any matrix.
    """
    walk = _Walk(model, dict(positions or {}))
    walk.weigh()
    return walk.shape(attention, windows=windows)


@dataclass
class _Part:
    """What the walk found in one stack: weights and experts, and the attention modules by name."""

    weights: int = 0
    experts: list[Experts] = field(default_factory=list)
    attention: dict[str, nn.Module] = field(default_factory=dict)


class _Walk:
    """One walk over the modules of a model."""

    def __init__(self, model: nn.Module, positions: dict[str, int]) -> None:
        self.model, self.positions = model, positions
        self.config: Any = getattr(model, "config", None)
        # A module under two names is applied under both, as far as anybody can tell.
        self.modules = dict(model.named_modules(remove_duplicate=False))
        for name, places in positions.items():
            if name not in self.modules or places < 0:
                raise ShapeError(f"`{name}` is no module of this model, or cannot be applied to {places} positions")
        self.layers = tuple(f"{name}." for name, module in self.modules.items() if _is_layer(module))
        self.encoder_prefix = self._find_encoder()
        self.main, self.encoder, self.cross = _Part(), _Part(), _Part()
        self.outside = self.fixed = 0

    def _find_encoder(self) -> str:
        """Return the prefix of what is in the encoder; empty where the model has none."""
        if not getattr(self.config, "is_encoder_decoder", False):
            return ""
        finder = getattr(self.model, "get_encoder", None)
        encoder = None if finder is None else finder()
        for name, module in self.modules.items():
            if module is encoder and name:
                return f"{name}."
        raise ShapeError("the configuration states an encoder, and the model has no module that is one")

    def weigh(self) -> None:
        """Go through all modules, and add up their matrices where they belong."""
        for name, module in self.modules.items():
            if name in self.positions:
                matrices = sum(p.numel() for p in module.parameters(recurse=False) if not _is_vector(p))
                self.fixed += matrices * self.positions[name]
                continue
            if _is_attention(module):
                self._part(name).attention[name] = module
            if any(p.dim() == 3 for p in module.parameters(recurse=False)) and hasattr(module, "num_experts"):
                self._part(name).experts.append(self._experts(name, module))
                continue
            weights = _weights(name, module)
            if self._is_outside(name, module):
                self.outside += weights
            elif self.encoder_prefix and _CROSS.search(name) and _OF_SOURCE.search(name):
                self.cross.weights += weights
            else:
                self._part(name, crossing=False).weights += weights

    def _is_outside(self, name: str, module: nn.Module) -> bool:
        """Return whether a module is in no layer: the one of the logits, where an encoder has layers as well."""
        if self.encoder_prefix:
            head = getattr(self.model, "get_output_embeddings", None)
            return head is not None and module is head()
        return bool(self.layers) and not f"{name}.".startswith(self.layers)

    def _part(self, name: str, *, crossing: bool = True) -> _Part:
        """Return the stack that a module belongs to."""
        if self.encoder_prefix and name.startswith(self.encoder_prefix):
            return self.encoder
        return self.cross if crossing and self.encoder_prefix and _CROSS.search(name) else self.main

    def _experts(self, name: str, module: nn.Module) -> Experts:
        """Return the experts that a module holds as one tensor with a first dimension for the expert."""
        number: Any = module.num_experts
        count, weights = int(number), 0
        for own, parameter in module.named_parameters(recurse=False):
            if parameter.dim() == 3 and parameter.shape[0] == count:
                weights += parameter.numel() // count
            elif not (own.endswith("bias") and parameter.dim() == 2) and not _is_vector(parameter):
                raise ShapeError(f"`{own}` of `{name}` ({type(module).__name__}) is no matrix for each expert")
        around = self.modules[name.rpartition(".")[0]]
        stated = [getattr(part, "top_k", None) for part in (around, *around.children())]
        stated.append(getattr(self.config, "num_experts_per_tok", None))
        active = max((most for most in stated if isinstance(most, int)), default=0)
        if not active:
            raise ShapeError(f"nobody states how many experts of `{name}` are active for each token")
        return Experts(weights, count, min(active, count))

    def shape(self, attention: Sequence[Attention] | None, *, windows: bool) -> Shape:
        """Put the parts together, with the attention that is stated, or else read."""
        if attention is not None:
            if self.encoder_prefix:
                raise ShapeError("the attention of an encoder and a decoder is read, not stated")
            return Shape(self._stack(self.main, tuple(attention)), self.outside, self.fixed)
        found = [self._attention(part, windows=windows) for part in (self.main, self.encoder, self.cross)]
        self._check_layers([len(layers) for layers in found])
        main, encoder, cross = found
        if not self.encoder_prefix:
            return Shape(self._stack(self.main, main), self.outside, self.fixed)
        sources = Cross(self.cross.weights, cross)
        return Shape(
            self._stack(self.main, main), self.outside, self.fixed, self._stack(self.encoder, encoder), sources
        )

    def _stack(self, part: _Part, attention: tuple[Attention, ...]) -> Stack:
        """Return one stack."""
        return Stack(part.weights, tuple(part.experts), attention)

    def _check_layers(self, found: list[int]) -> None:
        """Refuse a model whose attention layers are not as many as its configuration states.

        One module for twelve layers is one that is applied twelve times; none at all is attention by another name.
        """
        if not _states_attention(self.config):
            return
        main, encoder, cross = found
        stated = self.config.num_hidden_layers
        decoder = getattr(self.config, "num_decoder_layers", None) or getattr(self.config, "decoder_layers", None)
        expected = [decoder or stated, stated, decoder or stated] if self.encoder_prefix else [stated, 0, 0]
        if [main, encoder, cross] != expected:
            raise ShapeError(
                f"the configuration states attention layers (own, of the encoder, across) {expected}, "
                f"and the modules hold {found}: layers are shared, or their attention is not known here"
            )

    def _attention(self, part: _Part, *, windows: bool) -> tuple[Attention, ...]:
        """Return the attention layers of one stack, from the modules and else from the configuration."""
        types = getattr(self.config, "layer_types", None) if part is self.main else None
        unknown = set(types or ()) - _SELF_ATTENTION
        if unknown:
            raise ShapeError(f"layers of type {', '.join(sorted(unknown))} are not known here")
        made = []
        for place, (name, module) in enumerate(part.attention.items()):
            if not isinstance(module, nn.MultiheadAttention) and not _states_attention(self.config):
                raise ShapeError(f"nobody states the heads of `{name}` ({type(module).__name__})")
            slides = types is None or (place < len(types) and types[place] == "sliding_attention")
            window = getattr(self.config, "sliding_window", None) if windows and slides else None
            made.append(_attention_of(module, self.config, window))
        return tuple(made)


def _attention_of(module: nn.Module, config: Any, window: int | None) -> Attention:  # noqa: ANN401 - of any library
    """Return the sizes of one attention layer: what the module says of itself, else what the configuration says."""

    def stated(*names: str) -> int | None:
        values = (getattr(module, name, None) for name in names)
        return next((value for value in values if isinstance(value, int)), None)

    heads = stated("num_heads", "n_heads", "num_attention_heads") or config.num_attention_heads
    size = stated("qk_head_dim", "head_dim", "key_value_proj_dim") or getattr(config, "head_dim", None)
    if size is None:
        # Rounded up: too small a head would go uncounted.
        size = -(-config.hidden_size // heads)
    return Attention(heads, size, stated("v_head_dim") or size, window)


def _states_attention(config: object) -> bool:
    """Return whether a configuration states attention layers and their heads."""
    return all(
        isinstance(getattr(config, name, None), int)
        for name in ("num_hidden_layers", "num_attention_heads", "hidden_size")
    )


def _is_layer(module: nn.Module) -> bool:
    """Return whether a module is one of the layers that transformers recomputes."""
    return any(kind.__name__ == "GradientCheckpointingLayer" for kind in type(module).__mro__)


def _is_attention(module: nn.Module) -> bool:
    """Return whether a module is attention, and holds no other that is."""
    inner = [part for part in module.modules() if part is not module]
    return _named_attention(module) and not any(map(_named_attention, inner)) and any(True for _ in module.parameters())


def _named_attention(module: nn.Module) -> bool:
    """Return whether a module is called attention."""
    return re.search("attention|attn", type(module).__name__, re.IGNORECASE) is not None


def _is_vector(parameter: torch.Tensor) -> bool:
    """Return whether a parameter has one dimension at most."""
    return bool(sum(size > 1 for size in parameter.shape) <= 1)


def _weights(name: str, module: Any) -> int:  # noqa: ANN401 - attributes differ by kind
    """Return the matrix weights of one module, without its children, that are applied to every token.

    A vector of unknown use counts as a matrix: its product with a token costs at most so much.
    """
    kind = type(module).__name__
    weights: int
    own_parameters = module.named_parameters(recurse=False)
    rest = {own: held for own, held in own_parameters if not (own.endswith("bias") and _is_vector(held))}
    if isinstance(module, nn.Linear):
        known, weights = {"weight"}, module.in_features * module.out_features
    elif kind == "Conv1D" and hasattr(module, "nx"):
        known, weights = {"weight"}, module.nx * module.nf
    elif isinstance(module, nn.Conv1d) and _keeps_length(module):
        known, weights = {"weight"}, module.weight.numel()
    elif isinstance(module, nn.Embedding):
        known, weights = {"weight"}, 0
    elif isinstance(module, nn.MultiheadAttention):
        known, weights = set(rest), sum(parameter.numel() for parameter in rest.values())
    elif re.search("router|gate", kind, re.IGNORECASE) and hasattr(module, "num_experts") and "weight" in rest:
        known, weights = {"weight"}, rest["weight"].numel()
    else:
        known, weights = set(), 0
    norm = "norm" in kind.lower()
    for own, parameter in rest.items():
        if own in known:
            continue
        if not _is_vector(parameter):
            raise ShapeError(
                f"`{own}` of `{name}` ({kind}) is a matrix of unknown use: nobody can say what it costs for each token"
            )
        weights += 0 if norm else parameter.numel()
    return weights


def _keeps_length(module: nn.Conv1d) -> bool:
    """Return whether a convolution has at most as many outputs as inputs, one for each token."""
    span = module.dilation[0] * (module.kernel_size[0] - 1)
    if isinstance(module.padding, str):
        return module.padding in {"same", "valid"}
    return bool(module.stride[0] == 1 and 2 * module.padding[0] <= span)


@dataclass(frozen=True, slots=True)
class Calibration:
    """One forward and backward pass, counted as torch runs it and by the rules.

    Attributes:
        analytic: FLOP by the rules.
        counted: FLOP as counted; None where part of the pass could not be seen.
        unchecked: why it could not; empty where it was.
    """

    analytic: int
    counted: int | None
    unchecked: str = ""

    @property
    def ratio(self) -> Fraction | None:
        """By how much the count exceeds the rules, at least 1; None where nothing was counted."""
        return None if self.counted is None else calibration_ratio(self.counted, self.analytic)


_Key = tuple[Shape, int, int, torch.dtype]
_calibrations: WeakKeyDictionary[nn.Module, dict[_Key, Calibration]] = WeakKeyDictionary()


def calibrate(
    model: nn.Module,
    length: int,
    batch: int = 1,
    *,
    shape: Shape | None = None,
    inputs: Mapping[str, Any] | None = None,
) -> Calibration:
    """Count one forward and backward pass with eager attention and eager experts, and leave the model as it was.

    Activations are not recomputed here, whatever the model is set to: that adds a pass, and no other products. The
    pass runs on the device and in the precision of the model, and takes memory for attention of `length` x `length`.
    Hooks on the modules run as in any pass; gradients are neither read nor written.

    Args:
        model: a model, before it is wrapped or sharded.
        length: tokens of each sequence, and of each source.
        batch: sequences.
        shape: the shape of the model, read from it if not given.
        inputs: arguments of the pass, of `batch` sequences of `length`, where the model does not take `input_ids`.
            They get no gradient.

    Raises:
        ShapeError: if the shape cannot be read.
        CalibrationError: if the pass cannot be run.
    """
    shape = shape or shape_of(model)
    if inputs is not None:
        return _count(model, inputs, batch * training_flop(shape, length))
    known = _calibrations.setdefault(model, {})
    key = (shape, length, batch, _first(model).dtype)
    if key not in known:
        known[key] = _count(model, _tokens(model, length, batch), batch * training_flop(shape, length))
    return known[key]


def _first(model: nn.Module) -> torch.Tensor:
    """Return the first parameter of a model: its device and precision."""
    return next(model.parameters())


def _tokens(model: nn.Module, length: int, batch: int) -> dict[str, torch.Tensor]:
    """Return a batch of tokens, one after the other: how often each is drawn decides no FLOP, and no seed is used."""
    size = getattr(getattr(model, "config", None), "vocab_size", None)
    if not isinstance(size, int) or getattr(model, "main_input_name", "") != "input_ids":
        raise CalibrationError("a model that takes no `input_ids` needs its `inputs`")
    ids = (torch.arange(batch * length, device=_first(model).device) % size).reshape(batch, length)
    target = {"decoder_input_ids": ids} if getattr(model.config, "is_encoder_decoder", False) else {}
    return {"input_ids": ids, **target}


def _count(model: nn.Module, inputs: Mapping[str, Any], analytic: int) -> Calibration:
    """Run and count one pass."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if not trained:
        return Calibration(analytic, None, "no parameter asks for a gradient, so that there is no backward pass")
    unseen, counter = _Unseen(), FlopCounterMode(display=False)
    try:
        # sdpa is taken apart into its products. The counter hands on to `unseen` what it counted, or took apart.
        with _prepared(model), torch.enable_grad(), sdpa_kernel(SDPBackend.MATH), unseen, counter:
            torch.autograd.grad(_total(model(**inputs)), trained, allow_unused=True)
    except Exception as error:  # whatever the code of a model raises
        raise CalibrationError(f"{type(error).__name__}: {error}") from error
    if unseen.names:
        return Calibration(analytic, None, f"torch counts no FLOP for {', '.join(sorted(unseen.names))}")
    return Calibration(analytic, counter.get_total_flops())


def _total(output: Any) -> torch.Tensor:  # noqa: ANN401 - whatever a model returns
    """Return the sum of all that a model put out and that has a gradient; it multiplies no matrices."""
    leaves = [leaf for leaf in tree_leaves(output) if isinstance(leaf, torch.Tensor) and leaf.requires_grad]
    if not leaves:
        raise ValueError("the model puts out nothing that has a gradient")
    return torch.stack([leaf.float().sum() for leaf in leaves]).sum()


class _Unseen(_Mode):  # type: ignore[misc]
    """Watches for operators that multiply matrices, or may, and that torch has no formula for."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # noqa: ANN401
        """Note the operator, and run it."""
        known = func.namespace in _KNOWN_NAMESPACES and not _PRODUCT.search(func.overloadpacket.__name__)
        if not known and func.overloadpacket not in flop_registry:
            self.names.add(f"{func.namespace}::{func.overloadpacket.__name__}")
        return func(*args, **(kwargs or {}))


@contextmanager
def _prepared(model: nn.Module) -> Iterator[None]:
    """Train, eagerly and without recomputation; then leave settings, buffers and torch's seeds as they were."""
    parts = list(model.modules())
    configs = {id(part.config): part.config for part in parts if hasattr(part, "config")}
    wanted: list[tuple[Any, str, Any]] = [(part, "training", True) for part in parts]
    wanted += [(part, "gradient_checkpointing", False) for part in parts if hasattr(part, "gradient_checkpointing")]
    for config in configs.values():
        wanted += [(config, name, "eager") for name in _IMPLEMENTATIONS if getattr(config, name, None) is not None]
    saved = [(owner, name, getattr(owner, name)) for owner, name, _ in wanted]
    buffers = [(part, name, held, held.clone()) for part in parts for name, held in part.named_buffers(recurse=False)]
    device = _first(model).device
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        try:
            for owner, name, value in wanted:
                setattr(owner, name, value)
            yield
        finally:
            for owner, name, value in saved:
                setattr(owner, name, value)
            for part, name, held, value in buffers:
                with torch.no_grad():
                    held.copy_(value)
                setattr(part, name, held)

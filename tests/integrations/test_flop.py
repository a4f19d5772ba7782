"""FLOP by the rules, beside what torch counts while it runs the same models, and beside what a trainer adds up."""

import gc
import random
import types
import warnings
from fractions import Fraction

import pytest

pytestmark = [
    pytest.mark.extra,
    # Tiny configurations keep the token ids and rotary settings of their large ones.
    pytest.mark.filterwarnings("ignore::UserWarning:transformers"),
]

torch = pytest.importorskip("torch", reason="needs the extra `hf`")
transformers = pytest.importorskip("transformers", reason="needs the extra `hf`")
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402
from torch.utils.checkpoint import set_checkpoint_early_stop  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from scalegate.enforce.compute import Attention, ComputeError, Reading, Step, step_flop, training_flop  # noqa: E402
from scalegate.integrations import flop  # noqa: E402
from scalegate.integrations.flop import CalibrationError, ShapeError, calibrate, shape_of  # noqa: E402

LENGTHS = (64, 256, 1024, 2048)
ONE_PERCENT = Fraction(1, 100)
VOCABULARY = 96
SPECIAL = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
USUAL = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 2048,
    **SPECIAL,
}
GROUPED = {**USUAL, "num_key_value_heads": 1}
GPT = {"vocab_size": VOCABULARY, "n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 2048, **SPECIAL}
PAIR = {
    "vocab_size": VOCABULARY,
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 1,
    "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 96,
    "max_position_embeddings": 2048,
    "decoder_start_token_id": 1,
    **SPECIAL,
}

# Class of the model, and its configuration.
ARCHITECTURES = {
    "gpt2": ("GPT2LMHeadModel", GPT),
    "gpt-j": ("GPTJForCausalLM", {**GPT, "rotary_dim": 8}),
    "gpt-neox": ("GPTNeoXForCausalLM", USUAL),
    "opt": ("OPTForCausalLM", {**USUAL, "ffn_dim": 64, "word_embed_proj_dim": 16}),
    "bloom": ("BloomForCausalLM", {**GPT, "hidden_size": 32}),
    "falcon": ("FalconForCausalLM", USUAL),
    "phi": ("PhiForCausalLM", USUAL),
    "llama, grouped queries": ("LlamaForCausalLM", GROUPED),
    "mistral, sliding window": ("MistralForCausalLM", {**GROUPED, "sliding_window": 128}),
    "qwen2, tied head": ("Qwen2ForCausalLM", {**GROUPED, "tie_word_embeddings": True}),
    "qwen3, wide heads": ("Qwen3ForCausalLM", {**GROUPED, "head_dim": 32}),
    "gemma2, every other layer": ("Gemma2ForCausalLM", {**GROUPED, "head_dim": 32, "sliding_window": 128}),
    "gpt-oss": ("GptOssForCausalLM", {**GROUPED, "head_dim": 32, "num_local_experts": 4, "num_experts_per_tok": 2}),
    "mixtral": ("MixtralForCausalLM", {**GROUPED, "num_local_experts": 4, "num_experts_per_tok": 2}),
    "olmoe": ("OlmoeForCausalLM", {**GROUPED, "num_experts": 8, "num_experts_per_tok": 3}),
    "qwen2-moe, shared expert": (
        "Qwen2MoeForCausalLM",
        {
            **GROUPED,
            "num_experts": 4,
            "num_experts_per_tok": 2,
            "moe_intermediate_size": 16,
            "shared_expert_intermediate_size": 32,
        },
    ),
    "deepseek-v3, latent attention": (
        "DeepseekV3ForCausalLM",
        {
            **USUAL,
            "num_key_value_heads": 2,
            "moe_intermediate_size": 16,
            "n_routed_experts": 4,
            "n_group": 1,
            "topk_group": 1,
            "num_experts_per_tok": 2,
            "first_k_dense_replace": 1,
            "q_lora_rank": 16,
            "kv_lora_rank": 16,
            "qk_rope_head_dim": 8,
            "qk_nope_head_dim": 8,
            "v_head_dim": 24,
        },
    ),
    "bert": ("BertForMaskedLM", USUAL),
    "t5": (
        "T5ForConditionalGeneration",
        {
            "vocab_size": VOCABULARY,
            "d_model": 32,
            "d_kv": 8,
            "d_ff": 64,
            "num_layers": 1,
            "num_heads": 2,
            "decoder_start_token_id": 1,
            **SPECIAL,
        },
    ),
    "bart": ("BartForConditionalGeneration", PAIR),
}


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def build(name, **more):
    kind, settings = ARCHITECTURES[name]
    cls = getattr(transformers, kind)
    # Some configurations warn of what a tiny one leaves at its default.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return cls(cls.config_class(**{**settings, **more})).train()


def eager(model):
    model.set_attn_implementation("eager")
    model.set_experts_implementation("eager")
    return model


def tokens(length, batch=1):
    return torch.arange(length * batch).reshape(batch, length) % VOCABULARY


def counted(model, length, batch=1):
    """FLOP of a pass as torch counts them, and not by the code under test."""
    ids = tokens(length, batch)
    with FlopCounterMode(display=False) as counter:
        model(input_ids=ids, labels=ids).loss.backward()
    return counter.get_total_flops()


def trainer_flop(model, length, batch=1):
    """What the Trainer of transformers adds to `total_flos` for a batch."""
    this = types.SimpleNamespace(model=model)
    return transformers.Trainer.floating_point_ops(this, {"input_ids": tokens(length, batch)})


def deviation(ours, torch_counted):
    return Fraction(ours, torch_counted) - 1


def show(name, length, ours, torch_counted, model):
    others = trainer_flop(model, length)
    return (
        f"{name} at {length}: {ours} by the rules ({float(deviation(ours, torch_counted)):+.2%}), "
        f"{torch_counted} by torch, {others} by the Trainer ({float(deviation(others, torch_counted)):+.2%})"
    )


# ---------------------------------------------------------------- within one percent


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_pass_is_counted_within_one_percent_of_torch(name):
    model = eager(build(name))
    shape = shape_of(model)
    for length in LENGTHS:
        ours, theirs = training_flop(shape, length), counted(model, length)
        assert abs(deviation(ours, theirs)) < ONE_PERCENT, show(name, length, ours, theirs, model)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_pass_that_recomputes_is_counted_within_one_percent_of_torch(name):
    model = eager(build(name))
    model.activation_checkpointing_enable()
    shape = shape_of(model)
    for length in LENGTHS:
        with set_checkpoint_early_stop(enable=False):
            theirs = counted(model, length)
        ours = training_flop(shape, length, recompute=True)
        assert abs(deviation(ours, theirs)) < ONE_PERCENT, show(name, length, ours, theirs, model)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_recomputation_that_stops_early_is_counted_as_if_it_did_not(name):
    model = eager(build(name))
    model.activation_checkpointing_enable()
    ours, theirs = training_flop(shape_of(model), 256, recompute=True), counted(model, 256)
    assert 0 <= deviation(ours, theirs) < 10 * ONE_PERCENT, show(name, 256, ours, theirs, model)


def test_a_batch_costs_its_sequences_and_their_padding():
    model = eager(build("llama, grouped queries"))
    assert step_flop(shape_of(model), Step(sequences=3, length=64)) == counted(model, 64, batch=3)


def test_a_source_of_another_length_is_counted_apart():
    model = eager(build("bart"))
    with FlopCounterMode(display=False) as counter:
        model(input_ids=tokens(96), labels=tokens(32)).loss.backward()
    assert counter.get_total_flops() == training_flop(shape_of(model), length=32, source=96)


def test_a_tied_head_costs_what_an_untied_one_does():
    tied, untied = (build("qwen2, tied head", tie_word_embeddings=tie) for tie in (True, False))
    assert tied.num_parameters() < untied.num_parameters()
    assert shape_of(tied) == shape_of(untied)


def test_fewer_heads_of_keys_spare_weights_and_no_attention():
    few = shape_of(build("llama, grouped queries"))
    many = shape_of(build("llama, grouped queries", num_key_value_heads=2))
    assert few.layers.attention == many.layers.attention == (Attention(2, 16, 16),) * 2
    assert few.layers.weights < many.layers.weights


def test_a_window_counts_only_for_a_kernel_that_skips_what_lies_outside():
    model = build("gemma2, every other layer")
    assert {layer.window for layer in shape_of(model).layers.attention} == {None}
    assert [layer.window for layer in shape_of(model, windows=True).layers.attention] == [128, None]
    every = build("mistral, sliding window")
    assert [layer.window for layer in shape_of(every, windows=True).layers.attention] == [128, 128]


# ---------------------------------------------------------------- what the Trainer says


def test_the_trainers_formula_misses_more_than_half_at_two_thousand_tokens():
    """Why its `total_flos` is no reading: 6 x weights x tokens knows no attention."""
    model = eager(build("llama, grouped queries"))
    ours, others, theirs = training_flop(shape_of(model), 2048), trainer_flop(model, 2048), counted(model, 2048)
    said = show("llama", 2048, ours, theirs, model)
    assert others < Fraction(1, 2) * theirs, said
    assert ours == theirs, said


def test_the_trainers_formula_gives_nothing_for_a_plain_module():
    model = nn.Sequential(nn.Embedding(VOCABULARY, 8), nn.Linear(8, VOCABULARY))
    assert trainer_flop(model, 2048) == 0
    assert training_flop(shape_of(model), 2048) == 6 * 8 * VOCABULARY * 2048


# ---------------------------------------------------------------- plain modules


class Layer(nn.Module):
    """A mixture of home-made parts: attention without weights of its own, by torch's kernel."""

    def __init__(self, repeats=1):
        super().__init__()
        self.first, self.second, self.repeats = nn.Linear(16, 48), nn.Linear(16, 16), repeats

    def forward(self, x):
        for _ in range(self.repeats):
            query, key, value = self.first(x)[:, None].chunk(3, dim=-1)
            x = self.second(functional.scaled_dot_product_attention(query, key, value)[:, 0])
        return x


class HomeMadeAttention(Layer):
    pass


def after_words(*layers, width=16):
    return nn.Sequential(nn.Embedding(VOCABULARY, width), *layers)


def count(model, *shape):
    with FlopCounterMode(display=False) as counter:
        model(torch.ones(shape, requires_grad=True)).sum().backward()
    return counter.get_total_flops()


def test_a_plain_module_is_counted_by_its_matrices():
    model = nn.Sequential(nn.Linear(8, 32), nn.LayerNorm(32), nn.GELU(), nn.Linear(32, 4, bias=False))
    assert count(model, 1, 64, 8) == training_flop(shape_of(model), 64)


def test_a_convolution_over_tokens_is_counted_once_for_each():
    model = nn.Sequential(nn.Conv1d(8, 16, 3, padding=1), nn.Conv1d(16, 4, 5, padding="same"))
    assert count(model, 1, 8, 64) == training_flop(shape_of(model), 64)


def test_a_convolution_over_an_image_is_counted_at_the_positions_that_are_stated():
    model = nn.Sequential(nn.Conv2d(3, 16, 4, stride=4))
    with pytest.raises(ShapeError, match="`weight` of `0` \\(Conv2d\\)"):
        shape_of(model)
    shape = shape_of(model, positions={"0": 64})
    assert count(model, 1, 3, 32, 32) == training_flop(shape, 64)
    with pytest.raises(ShapeError, match="`stem` is no module"):
        shape_of(model, positions={"stem": 64})
    with pytest.raises(ShapeError, match="cannot be applied to -1 positions"):
        shape_of(model, positions={"0": -1})


def test_torchs_own_transformer_is_counted_with_its_attention():
    model = after_words(nn.TransformerEncoderLayer(32, 4, dim_feedforward=64, batch_first=True), width=32)
    done = calibrate(model, 128, inputs={"input": tokens(128)})
    assert done.counted == done.analytic
    assert shape_of(model).layers.attention == (Attention(4, 8, 8),)


def test_attention_that_nobody_states_is_refused_until_somebody_does():
    model = after_words(HomeMadeAttention())
    with pytest.raises(ShapeError, match="nobody states the heads of `1` \\(HomeMadeAttention\\)"):
        shape_of(model)
    shape = shape_of(model, attention=[Attention(1, 16, 16)])
    done = calibrate(model, 64, shape=shape, inputs={"input": tokens(64)})
    assert (done.counted, done.ratio) == (done.analytic, 1)


# ---------------------------------------------------------------- what cannot be read is refused


class Bare(nn.Module):
    """A matrix that no module owns."""

    def __init__(self, *size):
        super().__init__()
        self.secret = nn.Parameter(torch.ones(size))


def shared_layers():
    return transformers.AlbertForMaskedLM(transformers.AlbertConfig(**{**USUAL, "embedding_size": 16}))


def state_space():
    return transformers.MambaForCausalLM(
        transformers.MambaConfig(vocab_size=VOCABULARY, hidden_size=16, num_hidden_layers=1)
    )


def linear_attention():
    model = build("qwen2, tied head")
    model.config.layer_types = ["full_attention", "linear_attention"]
    return model


class Biased(nn.Module):
    """A matrix that is called a bias."""

    def __init__(self):
        super().__init__()
        self.bias = nn.Parameter(torch.ones(8, 8))


class Mixture(Bare):
    num_experts = 4


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (lambda: nn.Sequential(nn.Linear(4, 4), Bare(8, 8)), "`secret` of `1` (Bare) is a matrix of unknown use"),
        (lambda: nn.Sequential(nn.Linear(4, 4), Biased()), "`bias` of `1` (Biased) is a matrix of unknown use"),
        (lambda: nn.Sequential(nn.LSTM(4, 4)), "`weight_ih_l0` of `0` (LSTM)"),
        (lambda: nn.Sequential(nn.Bilinear(4, 4, 4)), "`weight` of `0` (Bilinear)"),
        (lambda: nn.Sequential(nn.Conv1d(4, 4, 3, stride=2)), "`weight` of `0` (Conv1d)"),
        (lambda: nn.Sequential(nn.Conv1d(4, 4, 3, padding=2)), "`weight` of `0` (Conv1d)"),
        (lambda: nn.Sequential(nn.ReLU()), "a model that multiplies nothing"),
        (shared_layers, "layers are shared, or their attention is not known here"),
        (state_space, "`A_log` of `backbone.layers.0.mixer` (MambaMixer)"),
        (linear_attention, "layers of type linear_attention are not known here"),
        (lambda: nn.Sequential(Mixture(4, 8, 8)), "nobody states how many experts of `0` are active"),
        (lambda: nn.Sequential(Mixture(2, 8, 8)), "`secret` of `0` (Mixture) is no matrix for each expert"),
    ],
)
def test_what_nobody_can_count_is_refused_by_name(model, message):
    with pytest.raises(ComputeError) as caught:
        shape_of(model())
    assert message in str(caught.value)


def test_a_vector_of_unknown_use_is_counted_as_a_matrix():
    assert shape_of(nn.Sequential(nn.Linear(4, 4), Bare(64))).layers.weights == 16 + 64


def test_a_name_like_that_of_a_cross_attention_hides_no_weights():
    plain = nn.Sequential(nn.Linear(8, 8))
    named = nn.ModuleDict({"encoder_attn": nn.ModuleDict({"k_proj": nn.Linear(8, 8)})})
    assert shape_of(named) == shape_of(plain)


def test_one_module_in_two_places_is_counted_in_both():
    layer = nn.Linear(8, 8)
    model = nn.Sequential(layer, nn.ReLU(), layer)
    assert count(model, 1, 64, 8) == training_flop(shape_of(model), 64)


# ---------------------------------------------------------------- calibration


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_calibration_sees_every_product_whatever_kernels_are_set(name):
    """Set to fused attention and grouped experts, a model shows torch's counter less than it does."""
    model = build(name)
    ours = calibrate(model, 256, batch=2)
    assert ours.unchecked == ""
    assert ours.counted == counted(eager(model), 256, batch=2)
    assert 1 <= ours.ratio < 1 + ONE_PERCENT


def test_fused_attention_by_itself_goes_unseen():
    """Why calibration is on eager attention: the counter has no formula for the kernel of a CPU."""
    model = build("llama, grouped queries")
    fused = counted(model, 2048)
    assert model.config._attn_implementation == "sdpa"
    assert fused < Fraction(1, 2) * calibrate(model, 2048).counted


def test_products_that_the_walk_missed_raise_the_ratio():
    model = after_words(Layer(repeats=3))
    done = calibrate(model, 64, inputs={"input": tokens(64)})
    assert done.counted > 3 * done.analytic
    assert Reading(done.analytic, done.ratio).largest == done.counted


def test_a_frozen_model_is_not_said_to_cost_less():
    model = build("llama, grouped queries")
    for parameter in model.model.parameters():
        parameter.requires_grad = False
    done = calibrate(model, 64)
    assert done.counted < done.analytic
    assert done.ratio == 1


def test_a_pass_that_cannot_be_seen_is_said_to_be_unchecked():
    class Fast(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Embedding(4, 64)

        def forward(self, x):
            ends = torch.tensor([16, 32, 48, 64], dtype=torch.int32)
            return functional.grouped_mm(x, self.weight.weight.reshape(4, 8, 8).bfloat16(), offs=ends)

    model = nn.Sequential(Fast(), nn.Linear(8, 8, dtype=torch.bfloat16))
    done = calibrate(model, 64, inputs={"input": torch.ones(64, 8, dtype=torch.bfloat16)})
    assert done.counted is None
    assert done.ratio is None
    assert "_grouped_mm" in done.unchecked
    assert Reading(done.analytic, done.ratio).calibrated is None


def test_a_model_that_trains_nothing_is_unchecked():
    model = build("gpt2").requires_grad_(requires_grad=False)
    assert calibrate(model, 64).unchecked.startswith("no parameter asks for a gradient")


def test_a_pass_that_fails_says_why():
    with pytest.raises(CalibrationError, match="IndexError"):
        calibrate(build("gpt2"), 4096)
    with pytest.raises(CalibrationError, match="needs its `inputs`"):
        calibrate(nn.Sequential(nn.Linear(4, 4)), 64)


def test_a_pooler_and_the_patches_of_an_image_are_stated():
    bert = transformers.BertModel(transformers.BertConfig(**USUAL))
    once = calibrate(bert, 64, shape=shape_of(bert, positions={"pooler.dense": 1}))
    assert once.counted == once.analytic < calibrate(bert, 64).analytic
    settings = {name: USUAL[name] for name in USUAL if name not in {"vocab_size", *SPECIAL}}
    image = transformers.ViTModel(transformers.ViTConfig(**settings, image_size=32, patch_size=8))
    places = {"embeddings": 0, "embeddings.patch_embeddings.projection": 16, "pooler.dense": 1}
    pixels = {"pixel_values": torch.ones(1, 3, 32, 32)}
    seen = calibrate(image, 17, shape=shape_of(image, positions=places), inputs=pixels)
    gradient_of_pixels = 2 * 16 * (3 * 8 * 8) * 32
    assert seen.counted == seen.analytic - gradient_of_pixels


# ---------------------------------------------------------------- nothing is left behind


def snapshot(model):
    return {
        "modes": [module.training for module in model.modules()],
        "recomputing": [getattr(module, "gradient_checkpointing", None) for module in model.modules()],
        "gradients": [parameter.grad for parameter in model.parameters()],
        "values": [parameter.detach().clone() for parameter in model.parameters()],
        "kernels": (model.config._attn_implementation, model.config._experts_implementation),
        "seeds": torch.get_rng_state(),
        "others": random.getstate(),
    }


def same(before, after):
    def equal(left, right):
        if isinstance(left, torch.Tensor):
            return torch.equal(left, right)
        if isinstance(left, list):
            return len(left) == len(right) and all(map(equal, left, right))
        return left == right

    return [name for name in before if not equal(before[name], after[name])] == []


def prepared():
    model = build("mixtral", attention_dropout=0.5)
    model.activation_checkpointing_enable()
    model.model.layers[0].eval()
    model(input_ids=tokens(16), labels=tokens(16)).loss.backward()
    return model


def test_a_model_is_left_as_it_was():
    model = prepared()
    before = snapshot(model)
    with torch.no_grad():
        assert calibrate(model, 64).ratio == 1
    assert same(before, snapshot(model))


def test_a_model_is_left_as_it_was_by_a_pass_that_fails():
    model = prepared()
    before = snapshot(model)
    with pytest.raises(CalibrationError):
        calibrate(model, 64, inputs={"input_ids": tokens(64), "nonsense": [1], "labels": tokens(63)})
    assert same(before, snapshot(model))


def test_running_statistics_are_left_as_they_were():
    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4))
    before = {name: buffer.clone() for name, buffer in model.named_buffers()}
    calibrate(model, 64, inputs={"input": torch.randn(64, 4)})
    assert all(torch.equal(before[name], buffer) for name, buffer in model.named_buffers())


def test_an_optimizer_that_steps_in_the_backward_pass_does_not_step():
    model = build("gpt2")
    stepped = []
    for parameter in model.parameters():
        parameter.register_post_accumulate_grad_hook(stepped.append)
    assert calibrate(model, 64).counted
    assert stepped == []


def test_a_second_calibration_is_remembered_and_forgotten_with_its_model():
    model, other = build("gpt2"), build("gpt2")
    passes = []
    model.register_forward_hook(lambda *_: passes.append(1))
    first = calibrate(model, 64)
    assert calibrate(model, 64) is first
    assert len(passes) == 1
    assert calibrate(model, 64, batch=2).counted == 2 * first.counted
    assert calibrate(other, 64) is not first
    assert calibrate(model.bfloat16(), 64).counted == first.counted
    assert len(passes) == 3
    held = len(flop._calibrations)
    del model
    gc.collect()
    assert len(flop._calibrations) < held

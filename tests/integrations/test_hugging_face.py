"""A real language model, trained here for seconds, is run by Inspect's own provider until a verdict stands."""

import os
import random
from fractions import Fraction

import pytest

from scalegate.ingest.read import read_log
from tests.ingest.logs import codes

pytestmark = [
    pytest.mark.extra,
    pytest.mark.slow,
    pytest.mark.filterwarnings("default"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

# Inspect asks the hub about any model it has no facts on, and waits half a minute where there is no network.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
inspect_ai = pytest.importorskip("inspect_ai", reason="needs the extra `inspect`")
torch = pytest.importorskip("torch", reason="needs the extra `hf`")
transformers = pytest.importorskip("transformers", reason="needs the extra `hf`")
pytest.importorskip("accelerate", reason="needs the extra `hf`")
from inspect_ai.dataset import MemoryDataset, Sample  # noqa: E402
from inspect_ai.log import read_eval_log  # noqa: E402
from inspect_ai.model import GenerateConfig  # noqa: E402
from inspect_ai.scorer import match  # noqa: E402
from inspect_ai.solver import generate  # noqa: E402
from tokenizers import Tokenizer, models, pre_tokenizers  # noqa: E402

from scalegate.integrations.inspect import run_task  # noqa: E402
from tests.integrations.inspected import Prefix  # noqa: E402

SEED = 20_260_101
TOGETHER = 25
SUMS = [(left, right) for left in range(10) for right in range(10)]
UNSEEN = random.Random(SEED).sample(SUMS, 25)
TEMPLATE = (
    "{% for message in messages %}{{ message['content'] }} {% endfor %}{% if add_generation_prompt %}={% endif %}"
)


def question(left, right):
    return f"{left} + {right}"


def tokenizer():
    """Numbers and signs, each one word: made here, nothing is fetched."""
    pad, end, unknown = special = ["<pad>", "<end>", "<unk>"]
    words = [*special, "+", "=", *map(str, range(20))]
    made = Tokenizer(models.WordLevel({word: place for place, word in enumerate(words)}, unk_token=unknown))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token=pad,
        eos_token=end,
        unk_token=unknown,
        chat_template=TEMPLATE,
        model_input_names=["input_ids", "attention_mask"],
    )


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory):
    """A small Llama that learned most sums by heart."""
    # Threads that wait for a core that somebody else has make this fifty times slower.
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    words = tokenizer()
    config = transformers.LlamaConfig(
        vocab_size=len(words),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=32,
        bos_token_id=None,
        eos_token_id=words.eos_token_id,
        pad_token_id=words.pad_token_id,
    )
    model = transformers.LlamaForCausalLM(config)
    seen = [pair for pair in SUMS if pair not in UNSEEN]
    texts = [f"{question(*pair)} = {sum(pair)} <end>" for pair in seen]
    rows = words(texts, return_tensors="pt", padding=True)["input_ids"]
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(150):
        loss = model(input_ids=rows, labels=rows).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    folder = tmp_path_factory.mktemp("model")
    model.save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def sums():
    samples = [
        Sample(id=f"{left}+{right}", input=question(left, right), target=str(left + right)) for left, right in SUMS
    ]
    return inspect_ai.Task(
        dataset=MemoryDataset(samples, name="sums"),
        solver=[generate()],
        scorer=match(location="exact"),
        config=GenerateConfig(max_tokens=3),
        name="sums",
    )


def run(model_folder, watch, folder, task=None):
    settings = {"model_path": str(model_folder), "device": "cpu", "do_sample": False}
    return run_task(task or sums(), "hf/small", watch, "match", folder, model_args=settings, max_samples=TOGETHER)


def order():
    items = [f"{left}+{right}" for left, right in SUMS]
    random.Random(SEED).shuffle(items)
    return items


def test_a_model_from_a_folder_is_run_until_it_is_decided(model_folder, tmp_path):
    early, whole = Prefix(order(), 20), Prefix(order())
    done = run(model_folder, early, tmp_path / "early")
    assert (done.complete, done.stopped_early) == (True, True)
    assert 20 <= len(early.seen) <= 20 + TOGETHER
    assert run(model_folder, whole, tmp_path / "whole").stopped_early is False
    assert early.seen.items() <= whole.seen.items()
    unseen = {f"{left}+{right}" for left, right in UNSEEN}
    learned = [whole.seen[item] for item in whole.order if item not in unseen]
    assert Fraction(sum(learned), len(learned)) >= Fraction(9, 10)
    assert Fraction(sum(whole.seen[item] for item in unseen), len(unseen)) <= Fraction(9, 10)
    reading = read_log(done.log)
    assert reading.model == "hf/small"
    assert codes(reading.findings, "untrusted", "malformed", "refused") == []
    (column,) = reading.columns
    assert {item: value for item, value in zip(column.items, column.values, strict=True) if value is not None} == (
        early.seen
    )


def test_a_run_that_goes_on_gives_what_it_would_have_given(model_folder, tmp_path):
    class Stumbling(Prefix):
        def see(self, item, score):
            super().see(item, score)
            if len(self.seen) == 30:
                raise ConnectionError

    first, second = Stumbling(order()), Prefix(order())
    with pytest.raises(ConnectionError):
        run(model_folder, first, tmp_path)
    done = run(model_folder, second, tmp_path)
    assert (done.complete, done.stopped_early) == (True, False)
    assert first.seen.items() <= second.seen.items()
    assert read_log(done.log).refusal is None
    usage = read_eval_log(str(done.log), header_only=True).stats.model_usage["hf/small"]
    assert usage.total_tokens >= 4 * len(SUMS)

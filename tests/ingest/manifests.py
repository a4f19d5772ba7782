"""A PRML manifest in its several forms, and statements about it."""

import json

from scalegate.ledger.dsse import IN_TOTO, Envelope, EnvelopeSignature, parse_statement

CLAIM = "01991a2b-7c3d-7e4f-8a5b-6c7d8e9f0a1b"
DATA = "2a3548c1e7beb15958c29066826fbdf0ee37bee27de3d28096022e820855f133"
FIELDS = {
    "version": "prml/0.1",
    "claim_id": CLAIM,
    "created_at": "2026-08-18T21:00:00Z",
    "metric": "accuracy",
    "comparator": ">=",
    "threshold": 0.85,
    "dataset": {"id": "mmlu-test-v1", "hash": DATA},
    "seed": 42,
    "producer": {"id": "eval-team.example.org"},
}
YAML = f"""\
# The bar of our release.
version: prml/0.1
claim_id: {CLAIM}
created_at: "2026-08-18T21:00:00Z"   # before the run
metric: accuracy
comparator: ">="
threshold: 0.85
dataset:
  id: mmlu-test-v1
  hash: '{DATA}'
seed: 42

producer:
  id: eval-team.example.org
"""
CANONICAL = f"""\
claim_id: {CLAIM}
comparator: '>='
created_at: '2026-08-18T21:00:00Z'
dataset:
  hash: {DATA}
  id: mmlu-test-v1
metric: accuracy
producer:
  id: eval-team.example.org
seed: 42
threshold: 0.85
version: prml/0.1
"""
# As the pull request that proposes the predicate to in-toto states it for this manifest.
PUBLISHED = "97a4da62e1d22a35d336d58ee98c4d3b22e94e150d9dd6952fb43f186565e511"


def stated(body):
    """The statement that plain data stands for; nobody signed it."""
    return parse_statement(Envelope(IN_TOTO, json.dumps(body).encode(), (EnvelopeSignature(b"x"),)))

"""A moratorium that ends by a demonstration to outsiders; nothing the developer signs alone lifts it."""

TEXT = """\
# A moratorium lifted only by demonstration to an outside body. The developer cannot lift it:
# every word and every number that counts comes from the institute or the regulator.
scalegate: policy/v1
kind: regime
id: moratorium
version: "1.0"
issuer: regulator
effective: 2026-01-01
binds: every developer above 1e25 FLOP
existing scale: 5e25 FLOP  # training beyond it is new scale

roles:
  developer: {}
  institute: {independent of: [developer]}
  regulator: {quorum: 2 of 3, independent of: [developer, institute]}

permits: {countersigned by: regulator}
stop orders: {by: regulator}

evaluations:
  loss-of-control:
    kind: capability
    test: replication-bank@sha256:fbbe90f0838fe676840a9c877e40141e340e6e08f84b47ad1f2855b95f19ea99
    score: tasks solved in at least 1 of 10 tries
    elicited by: [prompting, scaffolds, fine-tuning]
    hidden capability: {spike-in recovered: at least 80%}
    shown to work by: {known positives flagged: at least 19 of 20}
    by: institute
    due: at 2x effective compute or 3 months, whichever is first
    no result, stop: at 3x or 4 months
  sabotage:
    kind: safety
    test: deception-bank@sha256:eac63b9ebb10f0dbf66ac69af73a9d02782d78eb7e909d460300ca180ca8140a
    score: sabotage rate
    by: institute
    valid for: {system: this exact one, time: 6 months}

commitments:
  moratorium:
    hold: train.new-scale
    unless shown: attested control-was-demonstrated by regulator and loss-of-control <= 1%
    once crossed, resume only if shown: attested control-was-demonstrated by regulator and sabotage < 1%

amendments: {approved by: [institute, regulator], notice: 180 days, weakening: forbidden while holding}
"""

"""A full stop: no resumption is claimed, and that is no error."""

TEXT = """\
# A stop. No condition for going on is claimed, and that is said, not forgotten.
scalegate: policy/v1
id: full-stop
version: "1.0"
issuer: lighthouse
effective: 2026-01-01
scope: everything
existing scale: 5e25 FLOP  # training beyond it is new scale

roles:
  developer: {}
  board: {quorum: 3 of 3, independent of: [developer]}

commitments:
  stop:
    hold: train.new-scale
    unless shown: never

amendments: {approved by: board, notice: 365 days, weakening: forbidden while holding}
"""

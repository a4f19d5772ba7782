"""A pause by the calendar: the one kind of condition that time alone may loosen."""

TEXT = """\
# A pause by the calendar. Nothing has to be learned for it to end: time alone ends it.
scalegate: policy/v1
id: calendar-pause
version: "1.0"
issuer: lighthouse
effective: 2026-01-01
scope: effective compute > 1e25 FLOP
existing scale: 5e25 FLOP  # training beyond it is new scale

roles:
  developer: {}
  board: {quorum: 2 of 3, independent of: [developer]}

commitments:
  pause:
    hold: train.new-scale
    unless shown: after 2026-07-01
    once crossed, resume only if shown: after 2026-07-01

amendments: {approved by: board, notice: 30 days, weakening: forbidden while holding}
"""

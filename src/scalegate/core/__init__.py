"""Floor 0: the vocabulary that every other room speaks.

Frozen values only: quantities, the kernel a policy expands to, subjects and their lineage, the events of a
history, facts about a subject, decisions, diagnostics, canonical bytes. Standard library only; no file, clock,
network or randomness: time is always an argument.
"""

"""Floor 4: everything that a log claims, derived again from what it rests on.

Counts from logs of evaluations, answers from entries, time and custody from signatures. The same code counts when a
result is recorded and when an auditor checks it; whoever changes this room changes what both believe.
"""

"""Permits against a running job: what a lease allows, and which step is the last (floor 3, pure).

Whoever changes this room can let a job train on; what is in the log about it, he cannot change.
"""

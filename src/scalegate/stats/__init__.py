"""Bounds on rates that decisions may rest on (floor 1, pure, standard library only).

Whoever changes this room can make evidence look stronger or weaker than it is; they cannot change
which evidence there is, nor what a policy asks of it.
"""

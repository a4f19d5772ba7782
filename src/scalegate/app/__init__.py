"""Floor 8: use cases as plain functions, and the one place where parts are put together.

Whoever changes this room can ask the wrong question of the right history, or keep an answer to
themselves; they cannot make the ledger forget, and every failure here ends in a hold.
"""

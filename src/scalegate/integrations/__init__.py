"""Other tools at work for scalegate (floor 7): evaluation harnesses that run what was registered.

Each module needs the extra of its own name, and is imported only by who uses it. Whoever changes this room can lose
or repeat work; what a log proves is still judged by `ingest`, which imports none of these tools.
"""

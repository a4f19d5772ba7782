"""scalegate in other people's tools (floor 7): harnesses run what was registered, trainers and servers obey permits.

Modules that need an extra are imported only by who uses it. Whoever changes this room can lose or repeat an evaluation,
and let a job train or serve on; what a log proves, and what a permit covered, is still judged by `ingest` and `audit`.
"""

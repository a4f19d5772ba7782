"""Floor 9: the command line. Every command is a question, and the exit code is the answer.

Whoever changes this room can show an answer that was never given; the answer itself, its digest and
its place in the history come from the floors below.
"""

"""Renderers of what was decided, for readers who do not run it (floor 6).

Whoever changes this room can make a verdict look other than it is; they cannot change one. Drawing needs the optional
extra `report`, and importing the room does not.
"""

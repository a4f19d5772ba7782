"""The words of a sentence, one after the other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from scalegate.policy.diagnose import quote, spoken
from scalegate.prove.claims.tree import At, UnclearError
from scalegate.prove.symbols import Unit
from scalegate.prove.wording.values import read

MAX_SENTENCE = 1_000

_WORD = re.compile(r"[(),]|[^\s(),]+")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9.:-]*")


class Words:
    """Reads a sentence from left to right."""

    def __init__(self, text: str) -> None:
        """Take a sentence; a period at its end is left out."""
        self.text = " ".join(text[: MAX_SENTENCE + 1].split()).removesuffix(".")
        if len(text) > MAX_SENTENCE:
            raise UnclearError(f"a sentence has more than {MAX_SENTENCE} characters", At(0, 1))
        self._words = [(found.group(), found.start(), found.end()) for found in _WORD.finditer(self.text)]
        self.place = 0
        self.depth = 0

    def at(self, start: int = -1) -> At:
        """Return the stretch from a place to the last word that was read, or the next word."""
        if not self._words:
            return At(0, 0)
        if start < 0:
            word = self._words[min(self.place, len(self._words) - 1)]
            return At(word[1], word[2]) if self.place < len(self._words) else At(len(self.text), len(self.text))
        return At(self._words[min(start, len(self._words) - 1)][1], self._words[max(self.place - 1, 0)][2])

    def between(self, at: At) -> str:
        """Return the words of a stretch."""
        return self.text[at.start : at.end]

    @property
    def ended(self) -> bool:
        """Whether every word was read."""
        return self.place >= len(self._words)

    def next(self, ahead: int = 0) -> str:
        """Return a word that was not read yet; empty behind the last."""
        place = self.place + ahead
        return self._words[place][0] if place < len(self._words) else ""

    def take(self, phrase: str) -> bool:
        """Read a phrase, where it stands next; a sentence may begin with a capital letter."""
        wanted = phrase.split()
        found = [self.next(ahead) for ahead in range(len(wanted))]
        if self.place == 0 and found[0]:
            found[0] = found[0][0].lower() + found[0][1:]
        if found != wanted:
            return False
        self.place += len(wanted)
        return True

    def take_one(self, phrases: Sequence[str]) -> str:
        """Read the longest of some phrases that stands next, and return it; empty where none does."""
        for phrase in sorted(phrases, key=len, reverse=True):
            if self.take(phrase):
                return phrase
        return ""

    def need(self, *phrases: str) -> str:
        """Read one of some phrases.

        Raises:
            UnclearError: where none of them stands next.
        """
        found = self.take_one(phrases)
        if not found:
            raise self.unclear(f"expected {spoken(map(quote, phrases))}")
        return found

    def name(self, what: str) -> str:
        """Read a name; `the` before it is left out.

        Raises:
            UnclearError: where none stands next.
        """
        if self.next() == "the" and _NAME.fullmatch(self.next(1)):
            self.place += 1
        word = self.next()
        if not _NAME.fullmatch(word):
            raise self.unclear(f"expected {what}")
        self.place += 1
        return word

    def unclear(self, expected: str = "") -> UnclearError:
        """Return the error that the next word is not expected."""
        if self.ended:
            return UnclearError("the sentence ends too early", self.at(), expected)
        return UnclearError(f"{quote(self.next())} is not expected here", self.at(), expected)

    # ------------------------------------------------------------ quantities

    def rate(self) -> Fraction:
        """Read a rate such as `20%` or `1 in 5`."""
        return self._value("rate", "a rate such as `20%`", (3, 1))

    def flop(self) -> Fraction:
        """Read a compute such as `4e25 FLOP`."""
        return self._value("flop", "a compute such as `4e25 FLOP`", (2,))

    def duration(self) -> Fraction:
        """Read a duration such as `3 months`, as seconds."""
        return self._value("seconds", "a duration such as `3 months`", (2,))

    def _value(self, unit: Unit, what: str, lengths: Sequence[int]) -> Fraction:
        for length in lengths:
            value = read(" ".join(self.next(ahead) for ahead in range(length)), unit)
            if value is not None:
                self.place += length
                return value
        raise self.unclear(f"expected {what}")

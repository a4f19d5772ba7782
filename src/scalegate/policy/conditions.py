"""Conditions: from their grammar's trees to the phrases of the policy tree."""

from __future__ import annotations

from collections.abc import Callable

from lark import Token, Tree

from scalegate.policy import tree as written
from scalegate.policy.diagnose import Findings, quote
from scalegate.policy.grammar import extent, read_phrase, span_of, token_span
from scalegate.policy.source import Scalar
from scalegate.policy.values import Quantity, as_flop, as_rate, as_usd, duration, instant, number, quantity

# operator: (above, the constant itself counts as above)
_OPERATORS = {"<": (False, True), "<=": (False, False), ">": (True, False), ">=": (True, True)}
_MEANT = {
    "=": "<=",
    "==": "<=",
    "=<": "<=",
    "=>": ">=",
    "\u2264": "<=",
    "\u2265": ">=",
    "<<": "<",
    ">>": ">",
}
_PERCENT = 100
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def read_condition(scalar: Scalar, findings: Findings) -> written.Phrase | None:
    """Return the condition a scalar holds, or None with a finding."""
    found = read_phrase("condition", scalar, findings)
    if found is None:
        return None
    return _Reader(scalar, findings).phrase(_subtree(found))


def _subtree(tree: Tree[Token]) -> Tree[Token]:
    child = tree.children[0]
    if not isinstance(child, Tree):
        raise TypeError("the grammar puts a tree here")
    return child


def _tokens(tree: Tree[Token]) -> list[Token]:
    return [child for child in tree.children if isinstance(child, Token)]


def _trees(tree: Tree[Token]) -> list[Tree[Token]]:
    return [child for child in tree.children if isinstance(child, Tree)]


class _Reader:
    """Reads the trees of one condition; recursion is as deep as its parentheses, which are capped."""

    def __init__(self, scalar: Scalar, findings: Findings) -> None:
        self.scalar = scalar
        self.findings = findings
        self.kinds: dict[str, Callable[[Tree[Token]], written.Phrase | None]] = {
            "either": self._either,
            "both": self._both,
            "negated": self._negated,
            "group": lambda tree: self.phrase(_subtree(tree)),
            "some_of": self._some_of,
            "never": lambda tree: written.Fixed(proven=False, span=span_of(tree, self.scalar)),
            "always": lambda tree: written.Fixed(proven=True, span=span_of(tree, self.scalar)),
            "after": self._calendar,
            "before": self._calendar,
            "attested": self._attested,
            "approved": self._approved,
            "published": lambda tree: written.PublishedWord(self._text(tree), span_of(tree, self.scalar)),
            "operates": self._operates,
            "overdue": self._overdue,
            "specified": self._specified,
            "elapsed": self._elapsed,
            "comparison": self._comparison,
        }

    def phrase(self, tree: Tree[Token]) -> written.Phrase | None:
        """Return the phrase of any tree of the grammar of conditions."""
        return self.kinds[str(tree.data)](tree)

    def _text(self, tree: Tree[Token]) -> str:
        start, end = extent(tree)
        return " ".join(self.scalar.text[start:end].split())

    def _name(self, token: Token) -> written.Name:
        return written.Name(str(token), token_span(token, self.scalar))

    def _parts(self, tree: Tree[Token]) -> tuple[written.Phrase, ...] | None:
        parts = [self.phrase(part) for part in _trees(tree)]
        read = tuple(part for part in parts if part is not None)
        return read if len(read) == len(parts) else None

    def _either(self, tree: Tree[Token]) -> written.Phrase | None:
        mixed = next((part for part in _trees(tree) if part.data == "both"), None)
        if mixed is not None:
            whole = " or ".join(
                f"({self._text(part)})" if part.data == "both" else self._text(part) for part in _trees(tree)
            )
            self.findings.error(
                "P302",
                "`and` and `or` are mixed without parentheses",
                span_of(tree, self.scalar),
                cause="readers disagree which of them binds tighter",
                help=f"write {quote(whole)} if that is meant",
            )
        parts = self._parts(tree)
        if parts is None or mixed is not None:
            return None
        return written.Either(parts, span_of(tree, self.scalar))

    def _both(self, tree: Tree[Token]) -> written.Phrase | None:
        parts = self._parts(tree)
        return None if parts is None else written.Both(parts, span_of(tree, self.scalar))

    def _negated(self, tree: Tree[Token]) -> written.Phrase | None:
        part = self.phrase(_subtree(tree))
        return None if part is None else written.Negated(part, span_of(tree, self.scalar))

    def _some_of(self, tree: Tree[Token]) -> written.Phrase | None:
        token = _tokens(tree)[0]
        count = number(token, self.scalar, self.findings)
        parts = self._parts(tree)
        asked = len(_trees(tree))
        if count is None:
            return None
        if count.denominator != 1 or not 1 <= count <= asked:
            wrong = "can never be met" if count > asked else "is always met"
            if count.denominator != 1:
                wrong = "counts no whole conditions"
            self.findings.error(
                "P313",
                f"at least {quote(str(token))} of {asked} {wrong}",
                token_span(token, self.scalar),
                help=f"write a whole number from 1 to {asked}",
            )
            return None
        if parts is None:
            return None
        return written.SomeOf(count.numerator, parts, span_of(tree, self.scalar))

    def _calendar(self, tree: Tree[Token]) -> written.Phrase | None:
        moment = instant(_tokens(tree)[0], self.scalar, self.findings)
        if moment is None:
            return None
        span = span_of(tree, self.scalar)
        return written.Calendar(tree.data == "after", moment, self._text(tree), span)

    def _attested(self, tree: Tree[Token]) -> written.Phrase:
        predicate, role = map(self._name, _tokens(tree))
        return written.AttestedBy(predicate, role, self._text(tree), span_of(tree, self.scalar))

    def _approved(self, tree: Tree[Token]) -> written.Phrase:
        role = self._name(_tokens(tree)[0])
        return written.ApprovedBy(role, self._text(tree), span_of(tree, self.scalar))

    def _operates(self, tree: Tree[Token]) -> written.Phrase:
        place = self._name(_tokens(tree)[0])
        return written.OperatesIn(place, self._text(tree), span_of(tree, self.scalar))

    def _overdue(self, tree: Tree[Token]) -> written.Phrase:
        duty = self._name(_tokens(tree)[0])
        return written.OverdueDuty(duty, self._text(tree), span_of(tree, self.scalar))

    def _specified(self, tree: Tree[Token]) -> written.Phrase:
        hole = self._name(_tokens(tree)[0])
        return written.SpecifiedHole(hole, self._text(tree), span_of(tree, self.scalar))

    def _elapsed(self, tree: Tree[Token]) -> written.Phrase | None:
        seconds = duration(_subtree(tree), self.scalar, self.findings)
        if seconds is None:
            return None
        event = written.EventText(*map(self._name, _tokens(tree)))
        return written.ElapsedSince(seconds, event, self._text(tree), span_of(tree, self.scalar))

    # ------------------------------------------------------------ comparisons

    def _comparison(self, tree: Tree[Token]) -> written.Phrase | None:
        operands = [part for part in _trees(tree) if part.data != "scaffolds"]
        operators = _tokens(tree)
        scaffolds = next((part for part in _trees(tree) if part.data == "scaffolds"), None)
        if len(operators) > 1:
            self._chained(tree, operands, operators)
            return None
        if not operators:
            return self._alone(operands[0], scaffolds)
        left, right = operands
        operator = operators[0]
        if not self._known(operator):
            return None
        if left.data in {"quantity", "odds"}:
            turned = f"{self._text(right)} {_TURNED[str(operator)]} {self._text(left)}"
            self.findings.error(
                "P303",
                "the value stands before the name",
                span_of(left, self.scalar),
                help=f"write {quote(turned)}",
            )
            return None
        if right.data not in {"quantity", "odds"}:
            self.findings.error(
                "P303",
                f"{quote(self._text(right))} is no value to compare with",
                span_of(right, self.scalar),
                cause="a threshold is a number that stands in the policy",
                help=f"write something like {quote(f'{self._text(left)} {operator} 20%')}",
            )
            return None
        value = quantity(right, self.scalar, self.findings)
        if value is None:
            return None
        return self._compared(tree, left, operator, value, scaffolds)

    def _compared(
        self,
        tree: Tree[Token],
        left: Tree[Token],
        operator: Token,
        value: Quantity,
        scaffolds: Tree[Token] | None,
    ) -> written.Phrase | None:
        above, edge = _OPERATORS[str(operator)]
        span = span_of(tree, self.scalar)
        text = self._text(tree)
        if left.data == "compute":
            flop = as_flop(value, self.findings)
            if scaffolds is not None:
                self._misplaced(scaffolds, "compute depends on no scaffold")
                return None
            if flop is None:
                return None
            return written.ComputeComparison(above, edge, flop, text, span)
        name = self._name(_tokens(left)[0])
        # A share of `revenue` is the score of an evaluation that is called so; only money is the developer's revenue.
        if name.text == "revenue" and (value.unit == "usd" or (value.unit == "plain" and value.value > _PERCENT)):
            money = as_usd(value, self.findings)
            if scaffolds is not None:
                self._misplaced(scaffolds, "revenue depends on no scaffold")
                return None
            return None if money is None else written.MoneyComparison(above, edge, money, text, span)
        rate = as_rate(value, self.findings)
        if rate is None:
            return None
        return written.Comparison(name, above, edge, rate, scaffolds is not None, text, span)

    def _alone(self, operand: Tree[Token], scaffolds: Tree[Token] | None) -> written.Phrase | None:
        span = span_of(operand, self.scalar)
        if operand.data == "name":
            if scaffolds is not None:
                self._misplaced(scaffolds, "a name alone has no score to compare")
                return None
            return written.Bare(self._name(_tokens(operand)[0]), span)
        text = self._text(operand)
        remedy = "write `effective compute > 1e24 FLOP`"
        if operand.data != "compute":
            remedy = f"write something like {quote(f'autonomy <= {text}')}"
        self.findings.error("P301", f"{quote(text)} alone is no condition", span, help=remedy)
        return None

    def _misplaced(self, scaffolds: Tree[Token], cause: str) -> None:
        self.findings.error(
            "P314",
            "`under every scaffold` follows the comparison of an evaluation",
            span_of(scaffolds, self.scalar),
            cause=cause,
            help="write something like `autonomy <= 20% under every scaffold of the context`",
        )

    def _known(self, operator: Token) -> bool:
        if str(operator) in _OPERATORS:
            return True
        meant = _MEANT.get(str(operator))
        remedy = f"write `{meant}`" if meant else "write `<=`, `>=`, `<` or `>`"
        cause = ""
        if str(operator) in {"=", "==", "!=", "\u2260"}:
            cause = "a measured score is an interval, and equals no number"
        message = f"{quote(str(operator))} is no operator of the language"
        span = token_span(operator, self.scalar)
        self.findings.error("P307", message, span, cause=cause, help=remedy)
        return False

    def _chained(self, tree: Tree[Token], operands: list[Tree[Token]], operators: list[Token]) -> None:
        words = [self._text(part) for part in operands]
        remedy = "compare one name with one value at a time"
        numbers = [part.data in {"quantity", "odds"} for part in operands]
        if numbers == [True, False, True]:
            first = _TURNED.get(str(operators[0]), str(operators[0]))
            both = f"{words[1]} {first} {words[0]} and {words[1]} {operators[1]} {words[2]}"
            remedy = f"write {quote(both)}"
        self.findings.error("P303", "a chain of comparisons", span_of(tree, self.scalar), help=remedy)

"""Policy tree to kernel: references, defaults, holes, and what the words of commitments mean.

What a policy leaves blank becomes a hole, never a permission (policy design, kernel meaning 3).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TypeVar

from scalegate.core import actions, kernel
from scalegate.core.canonical import digest_bytes
from scalegate.core.diagnostic import Span
from scalegate.core.kernel import Condition, Constant, Kernel
from scalegate.policy import tree as written
from scalegate.policy.diagnose import Findings, quote, suggestion
from scalegate.policy.expand_conditions import SCOPE, Conditions, Place
from scalegate.policy.expand_declarations import NO_TEST, Declarations
from scalegate.policy.expand_duties import expand_duties
from scalegate.policy.names import CAPABILITY, Names
from scalegate.policy.tree import Name

_SCOPE_PHRASES = (written.ComputeComparison, written.MoneyComparison, written.OperatesIn)
From = TypeVar("From")
To = TypeVar("To")


def expand(
    policy: written.Policy,
    text: str,
    fills: Mapping[str, written.Phrase | None],
    findings: Findings,
) -> Kernel:
    """Return the kernel of a policy tree.

    It means something only as long as `findings` has no error.

    Args:
        policy: the tree.
        text: the policy text, for its digest.
        fills: the phrases that fill holes, by the holes' names.
        findings: receives what is wrong.
    """
    return _Expander(policy, fills, findings).whole(text)


class _Expander:
    """Holds what the parts of one expansion share."""

    def __init__(
        self,
        policy: written.Policy,
        fills: Mapping[str, written.Phrase | None],
        findings: Findings,
    ) -> None:
        self.policy = policy
        self.fills = fills
        self.findings = findings
        self.names = Names.of(policy)
        self.declarations = Declarations(policy, self.names, findings)
        self.conditions = Conditions(self.names, fills, findings)
        self.commitments: dict[str, kernel.Commitment] = {}

    def whole(self, text: str) -> Kernel:
        """Return the whole, section by section."""
        policy, declared = self.policy, self.declarations
        self._check_names()
        scope = self._scope()
        for item in policy.commitments.values():
            self.commitments[item.name.text] = self._commitment(item)
        known = frozenset(self.commitments)
        for capability in policy.capabilities.values():
            self._capability(capability)
        exceptions = [self._exception(item, known) for item in policy.exceptions.values()]
        return Kernel(
            id=policy.id,
            version=policy.version,
            issuer=policy.issuer,
            kind=policy.kind,
            digest=digest_bytes(text.encode("utf-8", "surrogatepass")),
            effective=policy.effective,
            scope=scope,
            binds_every_developer=policy.scope is not None and policy.scope.every_developer,
            commitments=tuple(self.commitments.values()),
            exceptions=tuple(item for item in exceptions if item is not None),
            roles=_each(policy.roles, declared.role),
            evaluations=_each(policy.evaluations, declared.evaluation),
            safeguards=_each(policy.safeguards, declared.safeguard),
            holes=declared.holes(self.fills.keys()),
            contexts=_each(policy.contexts, declared.context),
            capabilities={
                name: item.tested_by.text if item.tested_by else CAPABILITY + name
                for name, item in policy.capabilities.items()
            },
            stop_orders_by=declared.roles_of(policy.stop_orders_by),
            countersigned_by=declared.roles_of(policy.countersigned_by),
            amendments=kernel.AmendmentRule(
                declared.roles_of(policy.amendments.approved_by), policy.amendments.rule.notice
            ),
            elicitation_allowance=policy.elicitation_allowance,
            mitigation_cap=policy.mitigation_cap,
            teachers_count=policy.teachers_count,
            existing_scale=policy.existing_scale,
            span=policy.span,
            terms=self.conditions.terms,
            duties=expand_duties(policy, self.names, self.findings),
        )

    # ------------------------------------------------------------ names

    def _check_names(self) -> None:
        for name, item in self.policy.safeguards.items():
            other = self.policy.evaluations.get(name)
            if other is not None:
                self.findings.error(
                    "P408",
                    f"{quote(name)} is an evaluation and a safeguard",
                    item.name.span,
                    cause=f"the evaluation stands on line {other.name.span.line}; a condition could mean either",
                    help="rename one of them",
                )
        for section in (self.policy.evaluations, self.policy.safeguards, self.policy.commitments):
            for name, thing in section.items():
                if name.startswith(CAPABILITY):
                    cause = "holes of capabilities are called so"
                    message = f"{quote(name)} starts with {quote(CAPABILITY)}"
                    self.findings.error("P408", message, thing.name.span, cause=cause)
        for name in self.fills:
            if name not in self.names.open:
                self.findings.error(
                    "P407",
                    f"there is no hole {quote(name)} to fill",
                    Span(fill_file(name), 1, 1, 1, 1),
                    help=suggestion(name, self.names.open),
                )

    # ------------------------------------------------------------ scope

    def _scope(self) -> Condition:
        item = self.policy.scope
        if item is None:
            span = self.policy.span
            place = Span(span.file, span.line, span.column, span.line, span.column + 1)
            self.findings.warn(
                "W501",
                "the policy does not say from which scale on it binds",
                place,
                cause="without `scope` it binds everything, small models too",
                help="write `scope: effective compute > 1e24 FLOP`, or `scope: everything`",
            )
            return Constant(proven=True, span=place)
        if item.condition is None:
            return Constant(proven=True, span=item.span)
        self._only_scope(item.condition)
        found = self.conditions.expand(item.condition, Place("when", SCOPE))
        return found or Constant(proven=True, span=item.span)

    def _only_scope(self, phrase: written.Phrase) -> None:
        if isinstance(phrase, written.Both | written.Either | written.SomeOf):
            for part in phrase.parts:
                self._only_scope(part)
        elif isinstance(phrase, written.Negated):
            self._only_scope(phrase.part)
        elif not isinstance(phrase, _SCOPE_PHRASES) and not (isinstance(phrase, written.Fixed) and phrase.proven):
            self.findings.error(
                "P506",
                "scope speaks of effective compute, revenue and places only",
                phrase.span,
                cause="whom a policy binds has to be known before anything is evaluated",
                help="write something like `effective compute > 1e24 FLOP`",
            )

    # ------------------------------------------------------------ commitments

    def _covered(self, names: Iterable[Name]) -> frozenset[str]:
        """Return every action that is held; unknown ones are reported."""
        found: set[str] = set()
        for name in names:
            reached = actions.covered(name.text)
            found |= reached
            if reached:
                continue
            if name.text in actions.UNHOLDABLE:
                self.findings.error(
                    "P508",
                    f"{quote(name.text)} can never be held",
                    name.span,
                    cause="evaluating and studying are what a hold is for",
                    help="remove it",
                )
            else:
                self.findings.error(
                    "P403",
                    f"there is no action {quote(name.text)}",
                    name.span,
                    help=suggestion(name.text, actions.HOLD_WORDS, limit=20),
                )
        return frozenset(found)

    def _commitment(self, item: written.CommitmentText) -> kernel.Commitment:
        matter = f"commitment:{item.name.text}"
        span = item.name.span
        shown: Condition | None = None
        if item.unless_shown is not None:
            shown = self.conditions.expand(item.unless_shown, Place("when", matter))
        until: Condition | None = None
        if item.resume is not None:
            until = self.conditions.expand(item.resume, Place("until", matter))
        stops = isinstance(item.unless_shown, written.Fixed) and not item.unless_shown.proven
        declared = item.declared_never or (stops and item.resume is None)
        if item.resume is None and not declared and not item.broken:
            self.findings.warn(
                "W502",
                f"the commitment {quote(item.name.text)} does not say what would end its hold",
                span,
                cause="once crossed, it holds forever",
                help="write `once crossed, resume only if shown:` with a condition, or `once crossed: never`",
            )
        return kernel.Commitment(
            id=item.name.text,
            hold=tuple(name.text for name in item.hold),
            actions=self._covered(item.hold),
            when=_not(shown or Constant(proven=False, span=span)),
            until=until or Constant(proven=False, span=span),
            declared_stop=declared,
            span=span,
            about=item.about,
            modality=item.modality,
            unsettled=item.unsettled,
        )

    def _capability(self, item: written.CapabilityText) -> None:
        name = item.name.text
        if item.tested_by is not None:
            if item.tested_by.text not in self.policy.evaluations:
                self.findings.error(
                    "P401",
                    f"there is no evaluation {quote(item.tested_by.text)}",
                    item.tested_by.span,
                    help=suggestion(item.tested_by.text, self.policy.evaluations.keys()),
                )
            return
        hole = item.hole
        if hole is None:
            return
        if not hole.words:
            self.findings.warn(
                "W503",
                f"no test covers the capability {quote(name)}",
                item.name.span,
                cause="a feared capability without a test holds everything",
                help="write `tested by:`, or declare it with `hole:`",
            )
        hold = item.holds or (Name("everything", item.name.span),)
        place = Place("when", f"commitment:{CAPABILITY}{name}")
        until_place = Place("until", place.matter)
        words = hole.words or NO_TEST
        when = self.conditions.hole(CAPABILITY + name, words, hole.span, place)
        until = self.conditions.hole(CAPABILITY + name, words, hole.span, until_place)
        fallback = Constant(proven=False, span=hole.span)
        self.commitments[CAPABILITY + name] = kernel.Commitment(
            id=CAPABILITY + name,
            hold=tuple(action.text for action in hold),
            actions=self._covered(hold),
            when=_not(when or fallback),
            until=until or fallback,
            declared_stop=False,
            span=item.name.span,
        )

    # ------------------------------------------------------------ exceptions

    def _exception(self, item: written.ExceptionText, declared: Collection[str]) -> kernel.Exception_ | None:
        name = item.name.text
        place = Place("until", f"exception:{name}")
        when = self.conditions.expand(item.when, place) if item.when else None
        floor = self.conditions.expand(item.floor, place) if item.floor else None
        needs = [self.conditions.expand(need, place) for need in item.needs]
        if isinstance(item.floor, written.Fixed) and item.floor.proven:
            self.findings.error(
                "P504",
                f"the floor of the exception {quote(name)} is no floor",
                item.floor.span,
                cause="`always` lets everything through",
                help="write a condition that is weaker than the commitment's, and still one",
            )
        if item.instead_of is None:
            return None
        target = item.instead_of
        if target.text not in declared:
            self.findings.error(
                "P404",
                f"there is no commitment {quote(target.text)} in this policy",
                target.span,
                cause="an exception stands in for one commitment of its own policy",
                help=suggestion(target.text, declared),
            )
            return None
        held = self.commitments[target.text].actions & actions.IRREVERSIBLE
        if held:
            self.findings.warn(
                "W510",
                f"the exception {quote(name)} never lets "
                f"{' or '.join(quote(action) for action in sorted(held))} through",
                target.span,
                cause="what cannot be undone has no exception, though the commitment covers it",
            )
        if when is None or floor is None or None in needs:
            return None
        return kernel.Exception_(
            id=name,
            instead_of=target.text,
            when=when,
            until=floor,
            needs=tuple(need for need in needs if need is not None),
            each=item.each,
            total=item.total,
            window=item.window,
            span=item.name.span,
        )


def fill_file(name: str) -> str:
    """Return what stands for a file name in spans of the text that fills a hole."""
    return f"<fill of {name}>"


def _not(condition: Condition) -> Condition:
    return kernel.Not(condition, condition.span)


def _each(items: Mapping[str, From], convert: Callable[[From], To]) -> dict[str, To]:
    return {name: convert(item) for name, item in items.items()}

"""Duties of the policy tree to those of the kernel: roles and sources are looked up, paths checked."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from scalegate.core import duties
from scalegate.core.actions import HARDER, HOLD_WORDS
from scalegate.policy import tree as written
from scalegate.policy.diagnose import Findings, quote, suggestion
from scalegate.policy.names import CAPABILITY, Names, role
from scalegate.policy.practices import PRACTICES
from scalegate.policy.tree import Name

_SECTIONS = ("roles", "capabilities", "evaluations", "contexts", "safeguards", "commitments", "exceptions")
# What the names of actions begin with: `train`, `deploy`, and so on.
_KINDS_OF_ACTION = frozenset(name.partition(".")[0] for name in HARDER)


def expand_duties(policy: written.Policy, names: Names, findings: Findings) -> duties.Duties:
    """Return what a policy promises besides holding; what it leaves open is reported."""
    return _Duties(policy, names, findings).whole()


class _Duties:
    """Holds what the parts of one expansion share."""

    def __init__(self, policy: written.Policy, names: Names, findings: Findings) -> None:
        self.policy = policy
        self.written = policy.duties
        self.names = names
        self.findings = findings

    def whole(self) -> duties.Duties:
        """Return the whole, part by part."""
        origins = {path: self._origin(item) for path, item in self.written.origins.items()}
        if self.policy.kind == "reference":
            self._check_sources()
            self._check_unread()
        nothing = duties.Provenance()
        return duties.Duties(
            law=self._law(),
            mandates=tuple(
                duties.MandatedRole(item.name.text, item.independent_of, item.quorum, item.name.span)
                for item in self.written.mandates
            ),
            obligations={
                name: found
                for name, item in self.written.obligations.items()
                if (found := self._obligation(item, origins.get(f"obligations.{name}", nothing))) is not None
            },
            declares={
                key: duties.Declared(
                    key, item.says, item.modality, item.number, origins.get(f"declares.{key}", nothing), item.name.span
                )
                for key, item in self.written.declares.items()
            },
            assumes=self.written.assumes,
            sources=dict(self.written.sources),
            unread=tuple(item.text for item in self.written.unread),
            provenance=origins,
        )

    def _law(self) -> duties.LegalText | None:
        law = self.written.law
        if law is None:
            return None
        pinned = law.text is not None and law.text.digest is not None
        # In a policy of a developer the law itself is the error, and it has been reported.
        if not pinned and self.policy.kind != "policy":
            self.findings.warn(
                "W511",
                f"the text of {quote(law.title)} is not pinned: which law is meant counts as a hole",
                law.span if law.text is None else law.text.span,
                cause="a law can be amended under the same name",
                help="write `text:` with `name@sha256:` and the 64 digits of its digest",
            )
        text = law.text.text if law.text is not None and pinned else None
        return duties.LegalText(law.title, law.version, law.in_force, law.jurisdiction, text, law.span)

    # ------------------------------------------------------------ obligations

    def _event(self, event: written.EventText) -> duties.EventName | None:
        by = role(event.role, self.names, self.findings)
        return None if by is None else duties.EventName(event.predicate.text, by)

    def _obligation(self, item: written.ObligationText, origin: duties.Provenance) -> duties.Obligation | None:
        starts = [self._event(event) for event in item.starts]
        met = None if item.met is None else self._event(item.met)
        if met is None:
            return None
        return duties.Obligation(
            id=item.name.text,
            does=item.does,
            within=item.within,
            every=item.every,
            starts=tuple(event for event in starts if event is not None),
            met=met,
            modality=item.modality,
            about=item.about,
            provenance=origin,
            span=item.name.span,
        )

    # ------------------------------------------------------------ where an encoding comes from

    def _origin(self, item: written.OriginText) -> duties.Provenance:
        known = self.written.sources
        if item.source is None:
            return duties.Provenance("", item.read)
        if item.source.text not in known:
            self.findings.error(
                "P411",
                f"no source {quote(item.source.text)} is listed",
                item.source.span,
                help=suggestion(item.source.text, known.keys())
                or f"add `sources: {{{item.source.text}: {{title: ...}}}}`",
            )
        return duties.Provenance(item.source.text, item.read)

    def _check_sources(self) -> None:
        for path, item in self.written.origins.items():
            if item.source is None:
                self.findings.warn(
                    "W512",
                    f"{quote(path)} does not say where it comes from",
                    item.span,
                    cause="an encoding rests on its sources, part by part",
                    help="write `source:` and the key of a source",
                )

    def _check_unread(self) -> None:
        entries: dict[str, Collection[str]] = {section: getattr(self.policy, section).keys() for section in _SECTIONS}
        # A capability without a test expands to a commitment of its own.
        untested = {name for name in self.names.open if name.startswith(CAPABILITY)}
        entries["commitments"] = {*entries["commitments"], *untested}
        entries["obligations"] = self.written.obligations.keys()
        entries["declares"] = PRACTICES.keys()
        for item in self.written.unread:
            self._check_path(item, entries)

    def _check_path(self, item: Name, entries: Mapping[str, Collection[str]]) -> None:
        """Report a path that names nothing; what is no section and no action is an aspect, and may be any name."""
        head, _, rest = item.text.partition(".")
        if item.text in entries or item.text in HOLD_WORDS:
            return
        if head in entries:
            if rest not in entries[head]:
                self._no_path(item, suggestion(rest, entries[head]) if rest else "")
        elif head in _KINDS_OF_ACTION and rest:
            self._no_path(item, suggestion(item.text, HOLD_WORDS))
        elif " " in item.text:
            remedy = f"write {quote(f'declares.{item.text}')}" if item.text in PRACTICES else ""
            self._no_path(item, remedy)

    def _no_path(self, item: Name, remedy: str) -> None:
        self.findings.error(
            "P412",
            f"{quote(item.text)} names no part of an encoding",
            item.span,
            cause="a part is a section, an entry such as `commitments.NAME`, an action, or an aspect",
            help=remedy,
        )

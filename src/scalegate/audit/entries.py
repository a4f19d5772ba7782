"""The log of a bundle: its tree, and every leaf admitted again under the trust file of whoever verifies."""

from __future__ import annotations

from dataclasses import dataclass, field

from scalegate.audit.bundle import Bundle
from scalegate.audit.report import Report
from scalegate.core.events import DecisionMade, Entry, Terms
from scalegate.core.log_events import HeadWitnessed, KeyRevoked, KeyRotated, TrustAdopted
from scalegate.core.quantities import DAY, show_duration, show_instant
from scalegate.ledger.holders import NotAdmittedError
from scalegate.ledger.log import MAX_SKEW
from scalegate.ledger.log_folder import MirrorError
from scalegate.ledger.mirror import FileMissingError, entries, verify_log
from scalegate.ledger.signatures import PublicKey
from scalegate.ledger.standing import Standing
from scalegate.ledger.trust import Trust


@dataclass(slots=True)
class Audited:
    """What a log came to.

    Attributes:
        entries: those that were admitted; all of them unless something is not to be trusted.
        standing: keys, counters and tree behind the last of them.
        terms: what the trust file in force asked, from each entry on that adopted one.
        speakers: keys of everybody who may speak, from each entry on that changed one.
        complete: whether every entry was admitted.
    """

    entries: list[Entry] = field(default_factory=list)
    standing: Standing = field(default_factory=Standing)
    terms: dict[int, Terms] = field(default_factory=dict)
    speakers: dict[int, frozenset[PublicKey]] = field(default_factory=dict)
    complete: bool = False


def audit_log(bundle: Bundle, trust: Trust, report: Report) -> Audited:
    """Check tree, signatures, roles and order of a log; what was admitted is returned."""
    standing = Standing(frozenset({trust.digest, *trust.replaces}))
    audited = Audited(standing=standing)
    try:
        log = verify_log(bundle.log.read, trust.origin, trust.logs, [item.key for item in trust.witnesses])
    except FileMissingError as error:
        report.add("log", "untrusted", f"the bundle is not whole: {error}")
        return audited
    except (MirrorError, OSError) as error:
        report.add("log", "untrusted", f"the log is not what its checkpoint says: {error}")
        return audited
    size = log.entries
    report.add("log", "passed", f"{size} entries have the root that the log `{trust.origin}` signed")
    for index, data in enumerate(entries(bundle.log.read, size)):
        try:
            entry = standing.admit(data)
        except NotAdmittedError as error:
            report.add("entries", "untrusted", f"entry {index} is not to be trusted: {error}", index)
            break
        audited.entries.append(entry)
        if isinstance(entry.event, TrustAdopted) and standing.terms is not None:
            audited.terms[index] = standing.terms
        if isinstance(entry.event, TrustAdopted | KeyRotated | KeyRevoked):
            audited.speakers[index] = speakers_of(standing)
    if standing.tree.size == size and standing.tree.root() != log.checkpoint.root:
        report.add("entries", "untrusted", "the bundle changed while it was read: these entries have another root")
        return audited
    audited.complete = len(audited.entries) == size
    if audited.complete:
        report.add("entries", "passed", f"{size} entries are signed by whom they name, in their roles and order")
        _trust(audited, trust, report)
    return audited


def speakers_of(standing: Standing) -> frozenset[PublicKey]:
    """Return the keys in force of everybody who may speak: what others say for a log has to be signed with one."""
    names = [item.name for item in standing.trust.speakers] if standing.trust is not None else []
    keys = [standing.key_of(name) for name in names]
    return frozenset(key for key in keys if key is not None and key not in standing.revoked)


def _trust(audited: Audited, trust: Trust, report: Report) -> None:
    """Check that the log ended under the trust file of whoever verifies."""
    found = audited.standing.trust
    if found is None or found.digest != trust.digest:
        digest = found.digest if found else "none"
        report.add("trust", "untrusted", f"the log's trust file is {digest}, and yours is {trust.digest}")
    else:
        report.add("trust", "passed", f"the log's trust file is yours: {trust.digest}")
    older = [
        entry
        for entry in audited.entries
        if isinstance(entry.event, DecisionMade)
        and entry.event.answer == "permit"
        and entry.event.trust != trust.digest
    ]
    if older:
        words = f"whether {len(older)} permits would be given under your trust file: they were under one it replaces"
        report.add("trust", "impossible", words, older[-1].index)
    silent = sorted(item.name for item in trust.speakers if not item.custody)
    if silent:
        names = ", ".join(f"`{name}`" for name in silent)
        report.add(
            "custody", "impossible", f"whether anybody but them has the private keys of {names}: no evidence is named"
        )


def audit_time(audited: Audited, trust: Trust, now: int, report: Report) -> None:
    """Check the times of entries against those of witnesses, and how long statements waited."""
    heads = [(entry.index, entry.event) for entry in audited.entries if isinstance(entry.event, HeadWitnessed)]
    for place, head in heads:
        # Times never fall: where the last entry is not ahead, none is.
        ahead = audited.entries[head.size - 1] if head.size else None
        if ahead is not None and ahead.at > head.time + MAX_SKEW:
            message = f"entry {ahead.index} is dated {show_instant(ahead.at)}, and witnesses saw it before"
            report.add("time", "failed", message, place)
            break
    else:
        if heads:
            report.add("time", "passed", f"{len(heads)} cosigned heads agree with the times of the entries before them")
    seen = 0
    for _, head in heads:
        # Only what a head was the first to cover: what is older was seen before.
        late = [entry for entry in audited.entries[seen : head.size] if head.time - entry.at > trust.include]
        seen = max(seen, head.size)
        if late:
            words = f"whether entries {late[0].index} to {late[-1].index} are as old as they say: witnesses first saw"
            report.add("time", "impossible", f"{words} them on {show_instant(head.time)}", late[0].index)
    _permits_seen(audited, trust, [head for _, head in heads], report)
    if audited.standing.at > now + MAX_SKEW:
        # A clock that was set forward ends notices and begins amendments.
        message = f"the log ends on {show_instant(audited.standing.at)}, which is still to come"
        report.add("time", "failed", message, audited.entries[-1].index)
    for entry, said in zip(audited.entries, audited.standing.said, strict=False):
        if entry.at - said > trust.include:
            waited = show_duration((entry.at - said) // DAY * DAY)
            report.add(
                "inclusion", "failed", f"entry {entry.index} was signed {waited} before it was included", entry.index
            )
    _witnesses(audited, trust, heads, now, report)


def _permits_seen(audited: Audited, trust: Trust, heads: list[HeadWitnessed], report: Report) -> None:
    """Check that witnesses saw every permit soon after it was given: a clock that stands still gives old ones."""
    place = 0
    for entry in audited.entries if trust.needs_witnesses else ():
        if not isinstance(entry.event, DecisionMade) or entry.event.answer != "permit":
            continue
        while place < len(heads) and heads[place].size <= entry.index:
            place += 1
        if place < len(heads) and heads[place].time - entry.at > trust.fresh + MAX_SKEW:
            given, seen = show_instant(entry.at), show_instant(heads[place].time)
            words = (
                f"permit {entry.event.number} says that it was given on {given}, and witnesses first saw it on {seen}"
            )
            report.add("time", "failed", words, entry.index)


def _witnesses(
    audited: Audited, trust: Trust, heads: list[tuple[int, HeadWitnessed]], now: int, report: Report
) -> None:
    if not trust.needs_witnesses:
        words = "whether other readers were shown another history of this log: the trust file asks for no witnesses"
        report.add("witnesses", "impossible", words)
        return
    if not heads:
        report.add("witnesses", "failed", "no head of the log was cosigned by enough witnesses")
        return
    adopted = max((entry.index for entry in audited.entries if isinstance(entry.event, TrustAdopted)), default=0)
    heads = [item for item in heads if item[0] > adopted]
    if not heads:
        words = "whether enough witnesses saw the log: none of its heads was cosigned under the trust file in force"
        report.add("witnesses", "impossible", words)
        return
    _, last = max(heads, key=lambda item: item[1].size)
    report.add(
        "witnesses", "passed", f"enough witnesses saw the first {last.size} entries on {show_instant(last.time)}"
    )
    behind = [entry for entry in audited.entries[last.size :] if not isinstance(entry.event, HeadWitnessed)]
    if behind:
        words = (
            f"whether entries {behind[0].index} to {behind[-1].index} were shown to everybody: no witness saw them yet"
        )
        report.add("witnesses", "impossible", words)
    if now - last.time > trust.fresh:
        words = f"what was left out since {show_instant(last.time)}: no witness saw the log after that"
        report.add("witnesses", "impossible", words)

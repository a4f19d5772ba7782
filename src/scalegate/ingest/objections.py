"""Codes of everything that can be wrong with a log, one per reason, with a fixed severity."""

from __future__ import annotations

from scalegate.core.reading import Finding, Severity
from scalegate.ingest.sanitize import quoted

CODES: dict[str, tuple[Severity, str]] = {
    # The file and its container.
    "E101": ("malformed", "the file cannot be opened"),
    "E102": ("malformed", "the file is empty"),
    "E103": ("malformed", "the file is no log of a known harness"),
    "E104": ("malformed", "the file is too large"),
    "E105": ("malformed", "the archive is cut off or has no directory"),
    "E106": ("untrusted", "bytes stand before or behind the archive"),
    "E107": ("untrusted", "two members of the archive share a name"),
    "E108": ("untrusted", "a member's own header contradicts the directory"),
    "E109": ("untrusted", "members of the archive overlap"),
    "E110": ("malformed", "a member is encrypted"),
    "E111": ("malformed", "a member uses an unknown compression method"),
    "E112": ("untrusted", "a member has an unsafe name"),
    "E113": ("untrusted", "the checksum of a member is wrong"),
    "E114": ("malformed", "a member unpacks to more than any log needs"),
    "E115": ("untrusted", "a member does not unpack to its declared size"),
    "E116": ("malformed", "a member asks for too much memory to unpack"),
    "E117": ("provenance", "the archive holds bytes that belong to no member"),
    "E118": ("malformed", "the archive has too many members"),
    "E119": ("untrusted", "the file changed while it was read"),
    # JSON.
    "E201": ("malformed", "the text is not UTF-8"),
    "E202": ("malformed", "the text is not JSON"),
    "E203": ("malformed", "the JSON is nested too deeply"),
    "E204": ("untrusted", "a JSON object has the same key twice"),
    "E205": ("malformed", "a number is out of range"),
    "E206": ("malformed", "a field is missing or has the wrong type"),
    "E207": ("malformed", "the JSON document is too large"),
    # What kind of log it is.
    "E301": ("refused", "the evaluation did not end in success"),
    "E302": ("refused", "the log has no scores"),
    "E303": ("refused", "the log was invalidated"),
    "E304": ("refused", "samples were invalidated"),
    "E305": ("refused", "scores were edited after the run"),
    "E306": ("refused", "the log is split into shards"),
    "E307": ("refused", "the log holds no samples"),
    "E308": ("refused", "the layout of the log is unknown"),
    "E309": ("refused", "the log has no header: the run never ended"),
    "E310": ("refused", "the scorer is not in the log"),
    # Redundant copies.
    "E401": ("untrusted", "samples and summaries disagree on scores"),
    "E402": ("untrusted", "samples and summaries are not of the same tries"),
    "E403": ("untrusted", "the header reports a metric that the samples do not give"),
    "E404": ("untrusted", "the reduced scores are not those of the samples"),
    "E405": ("untrusted", "the header counts other samples than there are"),
    "E406": ("untrusted", "a sample was never planned"),
    "E407": ("untrusted", "a member's name and its content name different samples"),
    "E408": ("untrusted", "two samples are the same try of the same item"),
    "E409": ("untrusted", "a sample's epoch was never planned"),
    "E410": ("untrusted", "the summaries are gone"),
    "E411": ("untrusted", "samples and summaries disagree on errors or limits"),
    "E412": ("untrusted", "aggregate and samples disagree"),
    "E413": ("untrusted", "a recorded hash is not that of the sample"),
    "E414": ("untrusted", "aggregate and samples are of different tasks"),
    "E415": ("untrusted", "the item was never registered"),
    "E416": ("untrusted", "the reported standard error is impossible"),
    # Known only beside the registration of the run, and the rest of the history.
    "E417": ("untrusted", "the log is of another model than was registered"),
    "E418": ("untrusted", "the log lacks the scorer that was registered"),
    "E419": ("untrusted", "the log was offered for another run"),
    "E420": ("untrusted", "the log is of another task than was registered"),
    "E421": ("untrusted", "the receipt of an evaluation does not hold"),
    # Not enough for a decision.
    "E501": ("inconclusive", "the run was stopped early"),
    "E502": ("inconclusive", "scores are not binary"),
    "E503": ("inconclusive", "several tries of one item are one cluster"),
    "E504": ("inconclusive", "one item is no sample"),
    "E505": ("inconclusive", "aggregates carry no samples"),
    "E506": ("inconclusive", "there are more tries than the rule names"),
    "E507": ("inconclusive", "nobody knows how many items were planned"),
    "E508": ("inconclusive", "the harness version is outside the accepted range"),
    # Known about the origin.
    "E601": ("provenance", "the code had uncommitted changes"),
    "E602": ("provenance", "the revision of the code is unknown"),
    "E603": ("provenance", "the commit is abbreviated"),
    "E604": ("provenance", "no digest of the weights"),
    "E605": ("provenance", "no digest of the data set"),
    "E606": ("provenance", "the harness version is unknown"),
    "E607": ("provenance", "only a part of the data set was run"),
    "E608": ("provenance", "tags or metadata were edited after the run"),
    # Known only beside the registration of the run.
    "E609": ("provenance", "the run began before it was registered"),
    "E610": ("provenance", "the log does not say when the run began"),
    "E611": ("provenance", "nobody registered which of the scores counts"),
    "E612": ("provenance", "nobody registered which items were planned"),
    "E613": ("provenance", "nobody registered which task would be run"),
    "E614": ("provenance", "nobody registered which model would be run"),
    # For the reader.
    "E701": ("note", "samples without a score"),
    "E702": ("note", "scores that are no number"),
    "E703": ("note", "a metric was not recomputed"),
    "E704": ("note", "reduced scores were not recomputed"),
    "E705": ("note", "scores were edited after the run, as the policy allows"),
    "E706": ("note", "counts were derived from standard errors"),
    "E707": ("note", "members that no known layout explains"),
    "E708": ("note", "standard errors differ from those of the samples"),
}


def objection(code: str, detail: str = "", where: str = "") -> Finding:
    """Return the finding of that code.

    Args:
        code: a key of `CODES`.
        detail: what exactly; text from the log must already be quoted.
        where: member, field or sample; escaped here.
    """
    severity, title = CODES[code]
    message = f"{title}: {detail}" if detail else title
    return Finding(code, severity, message, quoted(where)[1:-1] if where else "")


class ObjectionError(Exception):
    """A log that cannot be read further; `finding` says why."""

    def __init__(self, code: str, detail: str = "", where: str = "") -> None:
        """Build the finding of that code."""
        self.finding = objection(code, detail, where)
        super().__init__(self.finding.message)

"""JSON Schema of a policy file, for editors: completion, hints, and the coarse mistakes.

A schema sees shapes, not sentences: what it accepts still has to pass `check`, what it refuses no policy is. Values
that YAML readers may take for numbers, dates or booleans are admitted as such, because the policy reader takes all
of them as the text that was written.
"""

from __future__ import annotations

from scalegate.core.actions import HOLD_WORDS
from scalegate.core.canonical import Plain
from scalegate.core.reading import SHORTFALLS
from scalegate.policy.parse_evaluations import ACCEPT
from scalegate.policy.schema_duties import about, belongings, definitions, modality, origin, top_keys, unsettled
from scalegate.policy.schema_parts import Schema, choice, keys_of, map_of, none_of, pattern, record, ref, some_of, words

_NAME = r"^[A-Za-z][A-Za-z0-9.-]*$"
_NUMBER = r"[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?"
_DURATION = r"[0-9]+ +(second|minute|hour|day|week|month|year)s?"


def json_schema() -> Schema:
    """Return the schema, JSON Schema draft 2020-12."""
    schema = record(
        "A responsible scaling policy: hold, unless it is shown that ...",
        {
            "scalegate": {"const": "policy/v1", "description": "The language this file is written in."},
            "id": ref("name", "The policy's own name, never reused."),
            "version": words("Version of the text; `1.20` stays `1.20`.", also=["number"]),
            "issuer": ref("name", "Who binds itself, or issues the regime."),
            "effective": ref("date", "The day from which it binds."),
            "kind": choice(
                "A developer's policy, a regime, or an encoding for study.", "policy", "regime", "reference"
            ),
            "scope": words(
                "Whom it binds: `effective compute > 1e24`, `revenue > 5e8 USD`, `operates in us-ca`, or `everything`."
            ),
            "binds": words(
                "Whom a regime binds: `every developer above 1e26 FLOP with revenue above 5e8 USD in us-ca`."
            ),
            "roles": map_of("Who may say what.", ref("role")),
            "permits": record("Conditions of every permit.", {"countersigned by": ref("names")}),
            "stop orders": record("Who may order a stop, and alone lift it.", {"by": ref("names")}),
            "capabilities": map_of("What is feared, and which test covers it.", ref("capability")),
            "evaluations": map_of("What is measured, and what makes it believable.", ref("evaluation")),
            "contexts": map_of("Where models are used.", ref("context")),
            "safeguards": map_of("What has to hold, and why it would.", ref("safeguard")),
            "commitments": map_of("Hold, unless shown.", ref("commitment")),
            "exceptions": map_of("Ways out, each with its floor and its end.", ref("exception")),
            "amendments": _amendments(),
            "mitigation": record("The permit that a hold leaves open.", {"at most": ref("rate")}),
            "elicitation allowance": ref("rate", "Compute up to which elicitation convicts the model itself."),
            "existing scale": pattern(
                "Effective compute that exists already; training beyond it is new scale.", r"^[0-9]"
            ),
            "teachers": choice("Whether the compute of teacher models adds up.", "count", "do not count"),
            **top_keys(),
        },
        required=("scalegate", "id", "version", "issuer", "effective"),
    )
    schema["not"] = {"required": ["scope", "binds"]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "scalegate policy/v1",
        **schema,
        **belongings(),
        "$defs": {
            **_quantities(),
            "role": _role(),
            "capability": _capability(),
            "evaluation": _evaluation(),
            "context": _context(),
            "safeguard": _safeguard(),
            "commitment": _commitment(),
            "exception": _exception(),
            **definitions(),
        },
    }


def _quantities() -> Schema:
    actions: list[Plain] = [*sorted(HOLD_WORDS)]
    return {
        "name": pattern("Letters, digits, hyphens and dots, after a letter.", _NAME),
        "names": {"anyOf": [ref("name"), {"type": "array", "items": ref("name"), "minItems": 1, "uniqueItems": True}]},
        "words": {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1, "uniqueItems": True},
            ]
        },
        "condition": words(
            "Comparisons such as `autonomy <= 20%`, names of safeguards and holes, `attested X by ROLE`, `approved by "
            "ROLE`, `published`, `after DATE`, `never`, joined by `and`, `or`, `not`, `at least 2 of (...)`."
        ),
        "rate": {
            "description": "A rate that says it is one: `20%`, `0.2`, `1 in 5` or `1/5`.",
            "anyOf": [
                {"type": "string", "pattern": rf"^{_NUMBER}( ?%| +in +{_NUMBER}| ?/ ?{_NUMBER})?$"},
                {"type": "number", "minimum": 0, "maximum": 1},
            ],
        },
        "date": pattern("A day such as `2027-01-01`, or a time such as `2027-01-01T12:00:00Z`.", r"^[0-9]{4}-"),
        "duration": pattern("A whole number of seconds to years: `3 months`.", rf"^{_DURATION}$"),
        "factor": pattern("A multiple of effective compute: `4x`.", rf"^{_NUMBER} ?x$"),
        "due": pattern("`at 4x effective compute or 3 months, whichever is first`", r"^at +[0-9]"),
        "pin": pattern(
            "A name and the digest of what it names: `bank@sha256:` and 64 hexadecimal digits.", r"^[^\s@]+"
        ),
        "tally": pattern("`at least 80%` or `at least 19 of 20`", r"^at +least +[0-9]"),
        "action": {"enum": actions, "description": "An action; a hold covers what is harder to undo."},
        "actions": {
            "anyOf": [
                ref("action"),
                {"type": "array", "items": ref("action"), "minItems": 1, "uniqueItems": True},
            ]
        },
    }


def _hole_keys() -> Schema:
    return {
        "hole": words("What nobody can state yet. It blocks until an amendment fills it."),
        "owner": words("Who works on it."),
        "filled only by": ref("names", "The roles that all have to approve what fills it."),
        "review by": ref("date", "When it is looked at again."),
    }


def _role() -> Schema:
    return record(
        "Who may say something.",
        {
            "independent of": ref("names", "Roles that nobody in this one may also act in."),
            "quorum": pattern("How many have to agree: `2 of 3`.", r"^[0-9]+( +of +[0-9]+)?$", also=["integer"]),
            "members": ref("words", "The people."),
        },
    )


def _capability() -> Schema:
    found = record(
        "A feared capability: the test that covers it, or the hole where one is missing.",
        {
            "tested by": ref("name", "The evaluation."),
            **_hole_keys(),
            "holds": ref("actions", "What the hole holds."),
        },
    )
    return {**found, "if": {"required": ["tested by"]}, "then": none_of("holds", *_hole_keys())}


def _evaluation() -> Schema:
    found = record(
        "An evaluation: could it (capability), would it (safety), do we know why (understanding).",
        {
            "kind": choice("Could it, would it, do we know why.", "capability", "safety", "understanding"),
            "test": ref("pin", "The items, pinned."),
            "score": words("`success rate`, `tasks solved in at least 1 of 10 tries`, or `mean reward in 4 tries`."),
            "estimand": _estimand(),
            "clustered by": words("The field of an item's metadata that says which items belong together."),
            "elicited by": ref("words", "How the capability is drawn out."),
            "hidden capability": map_of("What shows that a hidden capability would be found.", ref("tally")),
            "shown to work by": map_of("What shows that the test finds what it looks for.", ref("tally")),
            "by": ref("name", "The role that carries it out."),
            "wrongly cleared at most": ref("rate", "Error of a missed danger; 1 in 1000 unless stated."),
            "wrongly stopped at most": ref("rate", "Error of a false alarm; 1 in 20 unless stated."),
            "due": ref("due", "When the next result is due."),
            "no result, stop": ref("due", "The hard end, which only a pending run reaches."),
            "valid for": _validity("How long a result counts, in place of `due`."),
            "believable only if": _beliefs(),
            "accept": some_of("Results that count though they lack samples, were edited, or began early.", *ACCEPT),
            "refuse provenance": some_of("Shortfalls of origin that void a result.", *SHORTFALLS.values()),
            "reach": choice("A crossing holds every lineage of the issuer.", "issuer"),
            "concept": ref("name", "What an encoding measures where the text names no test."),
            **origin(),
            **_hole_keys(),
        },
        required=("kind",),
    )
    measured = [key for key in keys_of(found) if key not in {"kind", "by", *origin(), *_hole_keys()}]
    return {
        **found,
        "oneOf": [
            {"required": ["test", "score"], **none_of("concept", *_hole_keys())},
            {"required": ["concept"], **none_of("test", "score", "estimand", "clustered by", *_hole_keys())},
            {"required": ["hole"], **none_of(*measured)},
        ],
    }


def _estimand() -> Schema:
    size = "([2-9]|[1-9][0-9]{1,6}|10000000)"
    return {
        "description": "What the claim is about: the tasks behind the items, or this bank, as in `bank of 300 items`.",
        "anyOf": [{"const": "population"}, {"type": "string", "pattern": f"^bank +of +{size} +items?$"}],
    }


def _beliefs() -> Schema:
    # `expires` stands beside the claim that it limits; a claim without a value is a hole.
    claims: Schema = {
        "type": "object",
        "properties": {"expires": ref("duration", "How long an attestation counts.")},
        "additionalProperties": pattern("Who attests it.", "^(attested +by +|$)", also=["null"]),
        "minProperties": 1,
    }
    return {
        "description": "What has to be attested before a result counts.",
        "anyOf": [claims, {"type": "array", "items": claims, "minItems": 1}],
    }


def _validity(description: str) -> Schema:
    keys: Schema = {
        "system": {"const": "this exact one", "description": "Only what was measured itself."},
        "compute": ref("factor", "Growth of effective compute up to which it counts."),
        "time": ref("duration", "How long it counts."),
    }
    return {**record(description, keys), "minProperties": 1, "not": {"required": ["system", "compute"]}}


def _context() -> Schema:
    return record(
        "Where models are used, and with which scaffolds.",
        {
            "action": ref("action"),
            "scaffolds": ref("words", "The scaffolds it admits; `any` where users bring their own."),
            "withdraw": {
                "description": "Whether a hold ends a running service; yes unless stated.",
                "enum": ["yes", "no", True, False],
            },
        },
        required=("action",),
    )


def _safeguard() -> Schema:
    failure = pattern("`red-team-theft > 0 of 3`", r">")
    return record(
        "A required safeguard, with the reason why it works and what would show that it does not.",
        {
            "means": ref("pin", "What is done, pinned."),
            "stops": words("Whom or what it stops."),
            "because": ref("pin", "The argument that it works, pinned."),
            "fails if": {"anyOf": [failure, {"type": "array", "items": failure, "minItems": 1, "uniqueItems": True}]},
            "by": ref("name", "The role that checks it."),
            "valid for": record("How long it counts as shown.", {"time": ref("duration")}, required=("time",)),
            "concept": ref("name", "What an encoding asks for where the text names no means."),
            **origin(),
        },
    ) | {"if": {"required": ["concept"]}, "then": none_of("means", "because")}


def _commitment() -> Schema:
    return record(
        "Hold the actions, unless it is shown that ...",
        {
            "hold": ref("actions", "The actions; each covers what is harder to undo."),
            "unless shown": ref("condition", "What keeps the line uncrossed."),
            "once crossed, resume only if shown": ref("condition", "What lets anyone go on after a crossing."),
            "once crossed": {"const": "never", "description": "No resumption is claimed, and that is declared."},
            **about(),
            **modality(),
            **unsettled(),
            **origin(),
        },
        required=("hold", "unless shown"),
    ) | {"not": {"required": ["once crossed, resume only if shown", "once crossed"]}}


def _exception() -> Schema:
    sunset: Schema = {
        **record("Each use ends, and so do all uses together.", {"each": ref("duration")}, required=("each",)),
        "patternProperties": {rf"^in any {_DURATION}$": ref("duration")},
        "minProperties": 2,
    }
    needs = ref("condition")
    return record(
        "A way out of one commitment of this policy: a weaker stated target, never none.",
        {
            "instead of": ref("name", "The commitment it replaces."),
            "when": ref("condition", "What has to be shown before it may be used."),
            "resume only if shown": ref("condition", "The floor."),
            "needs": {"anyOf": [needs, {"type": "array", "items": needs, "minItems": 1, "uniqueItems": True}]},
            "sunset": sunset,
            **origin(),
        },
        required=("instead of", "when", "resume only if shown", "sunset"),
    )


def _amendments() -> Schema:
    return record(
        "Who approves a weakening, with how much notice.",
        {
            "approved by": ref("names"),
            "notice": ref("duration"),
            "weakening": {"const": "forbidden while holding", "description": "The rule, whether written or not."},
        },
    )

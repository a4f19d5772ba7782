"""JSON Schema of a policy file, for editors: completion, hints, and the coarse mistakes.

A schema sees shapes, not sentences: what it accepts still has to pass `check`, what it refuses no policy is. Values
that YAML readers may take for numbers, dates or booleans are admitted as such, because the policy reader takes all
of them as the text that was written.
"""

from __future__ import annotations

from scalegate.core.actions import ACTIONS, GROUPS, UNHOLDABLE
from scalegate.core.canonical import Plain
from scalegate.core.reading import SHORTFALLS
from scalegate.policy.parse_evaluations import ACCEPT

_NAME = r"^[A-Za-z][A-Za-z0-9.-]*$"
_NUMBER = r"[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?"
_DURATION = r"[0-9]+ +(second|minute|hour|day|week|month|year)s?"

_Schema = dict[str, Plain]


def json_schema() -> _Schema:
    """Return the schema, JSON Schema draft 2020-12."""
    schema = _record(
        "A responsible scaling policy: hold, unless it is shown that ...",
        {
            "scalegate": {"const": "policy/v1", "description": "The language this file is written in."},
            "id": _ref("name", "The policy's own name, never reused."),
            "version": _words("Version of the text; `1.20` stays `1.20`.", also=["number"]),
            "issuer": _ref("name", "Who binds itself, or issues the regime."),
            "effective": _ref("date", "The day from which it binds."),
            "kind": _choice(
                "A developer's policy, a regime, or an encoding for study.", "policy", "regime", "reference"
            ),
            "scope": _words("What it binds: `effective compute > 1e24 FLOP`, or `everything`."),
            "binds": _words("Whom a regime binds: `every developer above 1e25 FLOP`."),
            "roles": _map("Who may say what.", _ref("role")),
            "permits": _record("Conditions of every permit.", {"countersigned by": _ref("names")}),
            "stop orders": _record("Who may order a stop, and alone lift it.", {"by": _ref("names")}),
            "capabilities": _map("What is feared, and which test covers it.", _ref("capability")),
            "evaluations": _map("What is measured, and what makes it believable.", _ref("evaluation")),
            "contexts": _map("Where models are used.", _ref("context")),
            "safeguards": _map("What has to hold, and why it would.", _ref("safeguard")),
            "commitments": _map("Hold, unless shown.", _ref("commitment")),
            "exceptions": _map("Ways out, each with its floor and its end.", _ref("exception")),
            "amendments": _amendments(),
            "mitigation": _record("The permit that a hold leaves open.", {"at most": _ref("rate")}),
            "elicitation allowance": _ref("rate", "Compute up to which elicitation convicts the model itself."),
            "existing scale": _pattern(
                "Effective compute that exists already; training beyond it is new scale.", r"^[0-9]"
            ),
            "teachers": _choice("Whether the compute of teacher models adds up.", "count", "do not count"),
        },
        required=("scalegate", "id", "version", "issuer", "effective"),
    )
    schema["not"] = {"required": ["scope", "binds"]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "scalegate policy/v1",
        **schema,
        "$defs": {
            **_quantities(),
            "role": _role(),
            "capability": _capability(),
            "evaluation": _evaluation(),
            "context": _context(),
            "safeguard": _safeguard(),
            "commitment": _commitment(),
            "exception": _exception(),
        },
    }


def _quantities() -> _Schema:
    actions: list[Plain] = [*sorted((ACTIONS - UNHOLDABLE) | set(GROUPS) | {"everything"})]
    return {
        "name": _pattern("Letters, digits, hyphens and dots, after a letter.", _NAME),
        "names": {
            "anyOf": [_ref("name"), {"type": "array", "items": _ref("name"), "minItems": 1, "uniqueItems": True}]
        },
        "words": {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1, "uniqueItems": True},
            ]
        },
        "condition": _words(
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
        "date": _pattern("A day such as `2027-01-01`, or a time such as `2027-01-01T12:00:00Z`.", r"^[0-9]{4}-"),
        "duration": _pattern("A whole number of seconds to years: `3 months`.", rf"^{_DURATION}$"),
        "factor": _pattern("A multiple of effective compute: `4x`.", rf"^{_NUMBER} ?x$"),
        "due": _pattern("`at 4x effective compute or 3 months, whichever is first`", r"^at +[0-9]"),
        "pin": _pattern(
            "A name and the digest of what it names: `bank@sha256:` and 64 hexadecimal digits.", r"^[^\s@]+"
        ),
        "tally": _pattern("`at least 80%` or `at least 19 of 20`", r"^at +least +[0-9]"),
        "action": {"enum": actions, "description": "An action; a hold covers what is harder to undo."},
        "actions": {
            "anyOf": [
                _ref("action"),
                {"type": "array", "items": _ref("action"), "minItems": 1, "uniqueItems": True},
            ]
        },
    }


def _hole_keys() -> _Schema:
    return {
        "hole": _words("What nobody can state yet. It blocks until an amendment fills it."),
        "owner": _words("Who works on it."),
        "filled only by": _ref("names", "The roles that all have to approve what fills it."),
        "review by": _ref("date", "When it is looked at again."),
    }


def _role() -> _Schema:
    return _record(
        "Who may say something.",
        {
            "independent of": _ref("names", "Roles that nobody in this one may also act in."),
            "quorum": _pattern("How many have to agree: `2 of 3`.", r"^[0-9]+( +of +[0-9]+)?$", also=["integer"]),
            "members": _ref("words", "The people."),
        },
    )


def _capability() -> _Schema:
    record = _record(
        "A feared capability: the test that covers it, or the hole where one is missing.",
        {
            "tested by": _ref("name", "The evaluation."),
            **_hole_keys(),
            "holds": _ref("actions", "What the hole holds."),
        },
    )
    return {**record, "if": {"required": ["tested by"]}, "then": _none_of("holds", *_hole_keys())}


def _evaluation() -> _Schema:
    record = _record(
        "An evaluation: could it (capability), would it (safety), do we know why (understanding).",
        {
            "kind": _choice("Could it, would it, do we know why.", "capability", "safety", "understanding"),
            "test": _ref("pin", "The items, pinned."),
            "score": _words("`success rate`, `tasks solved in at least 1 of 10 tries`, or `mean reward in 4 tries`."),
            "estimand": _estimand(),
            "clustered by": _words("The field of an item's metadata that says which items belong together."),
            "elicited by": _ref("words", "How the capability is drawn out."),
            "hidden capability": _map("What shows that a hidden capability would be found.", _ref("tally")),
            "shown to work by": _map("What shows that the test finds what it looks for.", _ref("tally")),
            "by": _ref("name", "The role that carries it out."),
            "wrongly cleared at most": _ref("rate", "Error of a missed danger; 1 in 1000 unless stated."),
            "wrongly stopped at most": _ref("rate", "Error of a false alarm; 1 in 20 unless stated."),
            "due": _ref("due", "When the next result is due."),
            "no result, stop": _ref("due", "The hard end, which only a pending run reaches."),
            "valid for": _validity("How long a result counts, in place of `due`."),
            "believable only if": _beliefs(),
            "accept": _some_of("Results that count though they lack samples, were edited, or began early.", *ACCEPT),
            "refuse provenance": _some_of("Shortfalls of origin that void a result.", *SHORTFALLS.values()),
            "reach": _choice("A crossing holds every lineage of the issuer.", "issuer"),
            **_hole_keys(),
        },
        required=("kind",),
    )
    measured = [key for key in _keys(record) if key not in {"kind", "by", *_hole_keys()}]
    return {
        **record,
        "oneOf": [
            {"required": ["test", "score"], **_none_of(*_hole_keys())},
            {"required": ["hole"], **_none_of(*measured)},
        ],
    }


def _estimand() -> _Schema:
    size = "([2-9]|[1-9][0-9]{1,6}|10000000)"
    return {
        "description": "What the claim is about: the tasks behind the items, or this bank, as in `bank of 300 items`.",
        "anyOf": [{"const": "population"}, {"type": "string", "pattern": f"^bank +of +{size} +items?$"}],
    }


def _beliefs() -> _Schema:
    # `expires` stands beside the claim that it limits; a claim without a value is a hole.
    claims: _Schema = {
        "type": "object",
        "properties": {"expires": _ref("duration", "How long an attestation counts.")},
        "additionalProperties": _pattern("Who attests it.", "^(attested +by +|$)", also=["null"]),
        "minProperties": 1,
    }
    return {
        "description": "What has to be attested before a result counts.",
        "anyOf": [claims, {"type": "array", "items": claims, "minItems": 1}],
    }


def _validity(description: str) -> _Schema:
    keys: _Schema = {
        "system": {"const": "this exact one", "description": "Only what was measured itself."},
        "compute": _ref("factor", "Growth of effective compute up to which it counts."),
        "time": _ref("duration", "How long it counts."),
    }
    return {**_record(description, keys), "minProperties": 1, "not": {"required": ["system", "compute"]}}


def _context() -> _Schema:
    return _record(
        "Where models are used, and with which scaffolds.",
        {
            "action": _ref("action"),
            "scaffolds": _ref("words", "The scaffolds it admits; `any` where users bring their own."),
            "withdraw": {
                "description": "Whether a hold ends a running service; yes unless stated.",
                "enum": ["yes", "no", True, False],
            },
        },
        required=("action",),
    )


def _safeguard() -> _Schema:
    failure = _pattern("`red-team-theft > 0 of 3`", r">")
    return _record(
        "A required safeguard, with the reason why it works and what would show that it does not.",
        {
            "means": _ref("pin", "What is done, pinned."),
            "stops": _words("Whom or what it stops."),
            "because": _ref("pin", "The argument that it works, pinned."),
            "fails if": {"anyOf": [failure, {"type": "array", "items": failure, "minItems": 1, "uniqueItems": True}]},
            "by": _ref("name", "The role that checks it."),
            "valid for": _record("How long it counts as shown.", {"time": _ref("duration")}, required=("time",)),
        },
    )


def _commitment() -> _Schema:
    return _record(
        "Hold the actions, unless it is shown that ...",
        {
            "hold": _ref("actions", "The actions; each covers what is harder to undo."),
            "unless shown": _ref("condition", "What keeps the line uncrossed."),
            "once crossed, resume only if shown": _ref("condition", "What lets anyone go on after a crossing."),
            "once crossed": {"const": "never", "description": "No resumption is claimed, and that is declared."},
        },
        required=("hold", "unless shown"),
    ) | {"not": {"required": ["once crossed, resume only if shown", "once crossed"]}}


def _exception() -> _Schema:
    sunset: _Schema = {
        **_record("Each use ends, and so do all uses together.", {"each": _ref("duration")}, required=("each",)),
        "patternProperties": {rf"^in any {_DURATION}$": _ref("duration")},
        "minProperties": 2,
    }
    needs = _ref("condition")
    return _record(
        "A way out of one commitment of this policy: a weaker stated target, never none.",
        {
            "instead of": _ref("name", "The commitment it replaces."),
            "when": _ref("condition", "What has to be shown before it may be used."),
            "resume only if shown": _ref("condition", "The floor."),
            "needs": {"anyOf": [needs, {"type": "array", "items": needs, "minItems": 1, "uniqueItems": True}]},
            "sunset": sunset,
        },
        required=("instead of", "when", "resume only if shown", "sunset"),
    )


def _amendments() -> _Schema:
    return _record(
        "Who approves a weakening, with how much notice.",
        {
            "approved by": _ref("names"),
            "notice": _ref("duration"),
            "weakening": {"const": "forbidden while holding", "description": "The rule, whether written or not."},
        },
    )


# ---------------------------------------------------------------- building blocks


def _ref(name: str, description: str = "") -> _Schema:
    note: _Schema = {"description": description} if description else {}
    return {"$ref": f"#/$defs/{name}", **note}


def _record(description: str, keys: _Schema, required: tuple[str, ...] = ()) -> _Schema:
    needed: _Schema = {"required": [*required]} if required else {}
    return {
        "type": "object",
        "description": description,
        "properties": keys,
        "additionalProperties": False,
        **needed,
    }


def _keys(record: _Schema) -> list[str]:
    keys = record["properties"]
    return list(keys) if isinstance(keys, dict) else []


def _none_of(*keys: str) -> _Schema:
    """Refuse the keys, which exclude others."""
    return {"properties": dict.fromkeys(keys, False)}


def _map(description: str, values: _Schema) -> _Schema:
    return {"type": "object", "description": description, "additionalProperties": values}


def _words(description: str, also: list[Plain] | None = None) -> _Schema:
    return {"type": ["string", *(also or [])], "minLength": 1, "description": description}


def _pattern(description: str, pattern: str, also: list[Plain] | None = None) -> _Schema:
    return {"type": ["string", *(also or [])], "pattern": pattern, "description": description}


def _choice(description: str, *words: str) -> _Schema:
    return {"enum": [*words], "description": description}


def _some_of(description: str, *words: str) -> _Schema:
    choice: _Schema = {"enum": [*words]}
    several: _Schema = {"type": "array", "items": choice, "minItems": 1, "uniqueItems": True}
    return {"description": description, "anyOf": [choice, several]}

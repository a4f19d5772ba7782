"""Random policies that pass `policy check`: drafts (nested dictionaries), and the texts they are written as."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from hypothesis import strategies as st

Draft: TypeAlias = "str | list[Draft] | dict[str, Draft]"

ACTIONS = ("train", "train.new-scale", "deploy", "deploy.partners", "deploy.api", "release.weights", "store.weights")
RESUME = "once crossed, resume only if shown"
FLOOR = "resume only if shown"
SCOPE = (
    "everything",
    "effective compute > 1e24",
    "effective compute >= 3e25 FLOP and not effective compute > 1e30",
    "revenue > 5e8 USD",
    "(revenue >= 1 USD and operates in us-ca) or not operates in eu",
)
BINDS = (
    "every developer",
    "every developer above 1e26 FLOP",
    "every developer above 1e26 with revenue above 5e8 USD in us-ca or us-ny",
    "every developer with revenue above 7 USD",
    "every developer in eu",
)
DUTY = "report-in-time"
# Words that begin a phrase of the language, and stayed names.
WORDS_AS_NAMES = ("overdue", "specified", "elapsed", "operates", "revenue", "since", "with")
TIMES = ("1 day", "2 weeks", "3 months", "1 year")
ROLES = ("developer", "auditor", "regulator", "board")
SCORES = ("success rate", "tasks solved in at least 1 of 10 tries", "mean score", "mean reward in 4 tries")

_PLAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 .%<>=()@/+-]*[A-Za-z0-9.%)])?", re.ASCII)


def names(prefix: str) -> st.SearchStrategy[str]:
    """Names of the language that start with a word that no other kind of thing starts with."""
    return st.text("abcxyz0189.-", max_size=6).map(lambda tail: prefix + tail)


def some(prefix: str, least: int = 0, most: int = 3) -> st.SearchStrategy[list[str]]:
    """Different names of one kind."""
    return st.lists(names(prefix), min_size=least, max_size=most, unique=True)


def rates() -> st.SearchStrategy[str]:
    """Rates in every way of writing them."""
    percent = st.integers(0, 100).map(lambda number: f"{number}%")
    tenth = st.integers(0, 999).map(lambda number: f"{number / 10:.1f}%")
    odds = st.tuples(st.integers(0, 9), st.integers(9, 99), st.sampled_from([" in ", "/"]))
    return percent | tenth | odds.map(lambda item: f"{item[0]}{item[2]}{item[1]}") | st.just("0.25")


def pins(name: str) -> st.SearchStrategy[str]:
    """A pinned reference."""
    return st.integers(0, 255).map(lambda number: f"{name}@sha256:{number:064x}")


@st.composite
def leaves(draw: st.DrawFn, measured: Sequence[str], safeguards: Sequence[str]) -> str:
    """One comparison or bare name."""
    options = ["never", "always", "published", "after 2027-01-01", "before 2030-06-01T12:00:00Z"]
    options += [f"attested calm by {role}" for role in ROLES] + [f"approved by {role}" for role in ROLES]
    options += ["effective compute <= 4e25 FLOP", *safeguards]
    options += [f"overdue {DUTY}", "elapsed 6 months since pause-announced by regulator"]
    if measured and draw(st.booleans()):
        operator = draw(st.sampled_from(["<", "<=", ">", ">="]))
        ending = draw(st.sampled_from(["", "", " under every scaffold of the context"]))
        return f"{draw(st.sampled_from(measured))} {operator} {draw(rates())}{ending}"
    return draw(st.sampled_from(options))


@st.composite
def conditions(
    draw: st.DrawFn,
    measured: Sequence[str],
    safeguards: Sequence[str] = (),
    holes: Sequence[str] = (),
    depth: int = 2,
) -> str:
    """Conditions; holes stand only where they may, joined by `and` at the top."""
    kind = draw(st.integers(0, 5)) if depth else 0
    if holes and draw(st.integers(0, 3)) == 0:
        rest = draw(conditions(measured, safeguards, (), depth))
        return draw(st.sampled_from([holes[0], f"({rest}) and {holes[0]}"]))
    if kind < 3:
        return draw(leaves(measured, safeguards))
    parts = draw(st.lists(conditions(measured, safeguards, (), depth - 1), min_size=2, max_size=3))
    if kind == 3:
        return " and ".join(f"({part})" for part in parts)
    if kind == 4:
        return " or ".join(f"({part})" for part in parts)
    count = draw(st.integers(1, len(parts)))
    return f"at least {count} of ({', '.join(parts)}) and not ({parts[0]})"


@st.composite
def evaluations(draw: st.DrawFn, name: str) -> dict[str, Draft]:
    """The body of an evaluation that is no hole."""
    body: dict[str, Draft] = {
        "kind": draw(st.sampled_from(["capability", "safety", "understanding"])),
        "test": draw(pins(f"bank-{len(name)}")),
        "score": draw(st.sampled_from(SCORES)),
        "by": draw(st.sampled_from(ROLES)),
    }
    time = draw(st.sampled_from(TIMES))
    validity: list[dict[str, Draft]] = [
        {"valid for": {"system": "this exact one", "time": time}},
        {"valid for": {"compute": "4x", "time": time}},
        {"due": "at 2x effective compute or 3 months, whichever is first", "no result, stop": "at 3.5x or 1 year"},
    ]
    body |= draw(st.sampled_from(validity))
    optional: dict[str, Draft] = {
        "elicited by": ["prompting", "fine-tuning"],
        "hidden capability": {"spike-in recovered": "at least 80%"},
        "wrongly cleared at most": "1 in 1000",
        "wrongly stopped at most": "5%",
        "believable only if": {"gaming is excluded": "attested by auditor", "expires": time},
        "shown to work by": {"known positives flagged": "at least 19 of 20"},
        "accept": ["aggregate", "earlier runs"],
        "refuse provenance": ["dirty revision", "start not dated"],
        "reach": "issuer",
        "estimand": draw(st.sampled_from(["population", "bank of 300 items", "bank of 2 item"])),
        "clustered by": draw(st.sampled_from(["document", "source_file: # of it"])),
    }
    chosen = draw(st.sets(st.sampled_from(sorted(optional))))
    return body | {key: optional[key] for key in sorted(chosen)}


@st.composite
def commitments(draw: st.DrawFn, measured: Sequence[str], safeguards: Sequence[str], holes: Sequence[str]) -> Draft:
    """The body of a commitment."""
    actions = st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=3, unique=True)
    hold: Draft = draw(st.just("everything") | st.sampled_from(ACTIONS) | actions.map(list))
    body: dict[str, Draft] = {"hold": hold, "unless shown": draw(conditions(measured, safeguards, holes))}
    if draw(st.booleans()):
        body[RESUME] = draw(conditions(measured, safeguards, holes))
    else:
        body["once crossed"] = "never"
    return body


@st.composite
def exceptions(draw: st.DrawFn, target: str, measured: Sequence[str], safeguards: Sequence[str]) -> Draft:
    """The body of an exception."""
    floor = conditions(measured, safeguards).filter(lambda text: text.strip("()") != "always")
    return {
        "instead of": target,
        "when": draw(conditions(measured, safeguards)),
        FLOOR: draw(floor),
        "needs": ["approved by board", "published"],
        "sunset": {"each": draw(st.sampled_from(TIMES[:2])), "in any 12 months": "60 days"},
    }


@st.composite
def obligations(draw: st.DrawFn) -> dict[str, Draft]:
    """Obligations, one of them called as conditions call it."""
    recurring: dict[str, Draft] = {"every": draw(st.sampled_from(TIMES))}
    running: dict[str, Draft] = {
        "within": draw(st.sampled_from(TIMES)),
        "from": draw(st.sampled_from(["incident by developer", ["incident by developer", "incident by auditor"]])),
    }
    body: dict[str, Draft] = {"does": "report: # it", **draw(st.sampled_from([recurring, running]))}
    body["met when"] = f"reported by {draw(st.sampled_from(ROLES))}"
    if draw(st.booleans()):
        body["about"] = ["clocks", "reports"]
    return {DUTY: body}


@st.composite
def regimes(draw: st.DrawFn) -> dict[str, Draft]:
    """What makes a draft the text of a regime."""
    law: dict[str, Draft] = {"title": "An Act: # on it", "version": "2026"}
    law |= draw(st.sampled_from([{}, {"in force": "2026-01-01", "jurisdiction": "us-ca", "text": draw(pins("act"))}]))
    return {
        "kind": "regime",
        "binds": draw(st.sampled_from(BINDS)),
        "legal text": law,
        "mandates": {"roles": {"auditor": {"independent of": ["developer"], "quorum": draw(st.sampled_from("12"))}}},
    }


@st.composite
def encodings(draw: st.DrawFn) -> dict[str, Draft]:
    """Whole encodings of somebody else's words that pass the check without errors."""
    origin = st.sampled_from([{}, {"source": "text"}, {"source": "text", "read": "memory"}, {"read": "unread"}])
    modality = st.sampled_from([{}, {"modality": "aim"}, {"modality": "recommend"}])
    unknown = st.sampled_from([{}, {"unknown": "discretion"}, {"unknown": "permit"}, {"unknown": "hold"}])
    about = st.sampled_from([{}, {"about": ["cadence"]}, {"about": "deployment"}])
    shown = st.sampled_from(["uplift < 100%", "specified insight or guard-1", "insight and guard-1", "guard-1"])
    draft: dict[str, Draft] = {
        "scalegate": "policy/v1",
        "id": "framework",
        "version": "2",
        "issuer": "other-lab",
        "effective": "2025-10-15",
        "kind": "reference",
        "scope": "everything",
        "roles": {"developer": {}},
        "sources": {
            "text": {"title": "A: # Framework", "date": draw(st.sampled_from(["2025", "2025-10", "2025-10-15"]))}
        },
        "evaluations": {
            "uplift": {"kind": "capability", "concept": "novice-uplift", **draw(origin)},
            "insight": {"kind": "understanding", "hole": "later", "filled only by": "developer", **draw(origin)},
        },
        "safeguards": {"guard-1": {"concept": "level-3", "stops": "thieves", **draw(origin)}},
        "commitments": {
            name: {
                "hold": draw(st.sampled_from(ACTIONS)),
                "unless shown": draw(shown),
                RESUME: draw(shown),
                **draw(modality),
                **draw(unknown),
                **draw(about),
                **draw(origin),
            }
            for name in draw(some("must-", 1))
        },
        "declares": {"drills": {"says": "rehearsed", **draw(modality), **draw(origin)}},
    }
    draft["unread"] = draw(st.sampled_from([["cadence"], ["release.weights", "declares.drills", "commitments"]]))
    draft["assumes"] = ["benchmarks: # show it"]
    return draft


@st.composite
def drafts(draw: st.DrawFn) -> dict[str, Draft]:
    """Whole policies that pass the check without errors."""
    measured = [*draw(some("eval-", 1)), *draw(st.sets(st.sampled_from(WORDS_AS_NAMES), max_size=1))]
    safeguards = draw(some("guard-", 0, 2))
    holes = draw(some("open-", 0, 1))
    committed = draw(some("must-", 1))
    draft: dict[str, Draft] = {
        "scalegate": "policy/v1",
        "id": draw(names("acme")),
        "version": draw(st.sampled_from(["1", "1.20", "2026-01"])),
        "issuer": "acme",
        "effective": "2026-01-01",
        "scope": draw(st.sampled_from(SCOPE)),
        "roles": {
            "developer": {},
            "auditor": {"independent of": ["developer"]},
            "regulator": {},
            "board": {"quorum": "2 of 3", "members": ["ada", "ben", "cy"]},
        },
        "evaluations": {name: draw(evaluations(name)) for name in measured},
        "commitments": {name: draw(commitments(measured, safeguards, holes)) for name in committed},
        "obligations": draw(obligations()),
    }
    for name in holes:
        draft["evaluations"][name] = {  # type: ignore[index,call-overload] # the table written above
            "kind": "understanding",
            "hole": "nobody knows: # yet",
            "filled only by": ["board", "auditor"],
            "review by": "2027-06-01",
        }
    sections: dict[str, Draft] = {
        "permits": {"countersigned by": "auditor"},
        "stop orders": {"by": ["regulator"]},
        "capabilities": {"feared": {"tested by": measured[0]}, "unknown": {"hole": "no test", "holds": ["release"]}},
        "contexts": {"partner-x": {"action": "deploy.partners", "scaffolds": ["bare"], "withdraw": "no"}},
        "exceptions": {"rival": draw(exceptions(committed[0], measured, safeguards))},
        "amendments": {"approved by": ["board"], "notice": "30 days", "weakening": "forbidden while holding"},
        "mitigation": {"at most": "2%"},
        "elicitation allowance": "1 in 50",
        "teachers": "do not count",
        "declares": {"drills": "stops are rehearsed", "safety buffer": {"says": "4x: # or so", "modality": "aim"}},
    }
    draft |= {key: sections[key] for key in sorted(draw(st.sets(st.sampled_from(sorted(sections)))))}
    if draw(st.booleans()):
        draft |= draw(regimes())
        del draft["scope"]
    if safeguards:
        draft["safeguards"] = {
            name: {
                "means": draw(pins("controls")),
                "stops": "thieves",
                "because": draw(pins("case")),
                "fails if": "red-team > 0 of 3",
                "by": "auditor",
                "valid for": {"time": "12 months"},
            }
            for name in safeguards
        }
    return draft


def _scalar(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else json.dumps(text)


def emit(draft: Mapping[str, Draft], indent: int = 0) -> str:
    """Write a draft as YAML: mappings as blocks, lists in brackets, quotes where they are needed."""
    lines: list[str] = []
    for key, value in draft.items():
        start = f"{' ' * indent}{_scalar(key)}:"
        if isinstance(value, dict):
            lines.append(f"{start}\n{emit(value, indent + 2)}" if value else f"{start} {{}}\n")
        elif isinstance(value, list):
            lines.append(f"{start} [{', '.join(_scalar(str(item)) for item in value)}]\n")
        else:
            lines.append(f"{start} {_scalar(value)}\n")
    return "".join(lines)


def policy_texts() -> st.SearchStrategy[str]:
    """Policy texts that pass the check without errors."""
    return (drafts() | encodings()).map(emit)


@st.composite
def reordered(draw: st.DrawFn, draft: Draft) -> Draft:
    """The same draft with the keys of every mapping in another order."""
    if not isinstance(draft, dict):
        return draft
    keys = draw(st.permutations(list(draft)))
    return {key: draw(reordered(draft[key])) for key in keys}


SCRAPS = (
    *":#-[]{}&*!|>'\"%@`,?()\n\t\r\x00\u202e\ufeff\xe9",
    *("<<: ", "---", "...", "\\u202e", "\n  ", " and ", " or ", "not ", "never", "hole: x"),
    *("20", "20%", "1e999999999", "(" * 40, "[" * 40),
)


@st.composite
def spoiled_texts(draw: st.DrawFn) -> str:
    """Valid policy texts after a few random edits: cut, doubled, or with a scrap put in."""
    text = draw(policy_texts())
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 30)))
        scrap = draw(st.sampled_from(["", text[start:end] * 2, *SCRAPS]))
        text = text[:start] + scrap + text[end:]
    return text

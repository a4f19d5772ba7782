"""A situation told as a history: what the gate decides from it has to be what the situation says.

The replay by the interpreter takes facts as given. Here they come about: models are declared, runs registered and
reported with counts whose exact bounds lie where the interval ends, people speak who may or may not. Not every
situation has such a history, and the reason is said where one has none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from scalegate.core.actions import HARDER
from scalegate.core.canonical import digest_bytes
from scalegate.core.decision import Decision, Request
from scalegate.core.events import Entry, History, PolicyAdopted
from scalegate.core.kernel import Kernel, Role
from scalegate.core.quantities import DAY, YEAR
from scalegate.core.terms import Clock
from scalegate.gate.apply import apply_policy
from scalegate.gate.chronicle import Chronicle
from scalegate.gate.decide import decide
from scalegate.gate.lineage import Lineage
from scalegate.gate.obligations import obligation_states
from scalegate.prove.compare import SILENCE
from scalegate.prove.enact.clocks import run_clocks
from scalegate.prove.enact.models import SUBJECT, declare, measured, sizes
from scalegate.prove.enact.speakers import CannotEnactError
from scalegate.prove.enact.stage import Stage, applicable
from scalegate.prove.enact.voices import speak
from scalegate.prove.permits import WHOLE, Reading, mandated
from scalegate.prove.symbols import Value
from scalegate.prove.variables import Variables

OWN = "of-the-developer"
_OWN = (
    "scalegate: policy/v1",
    f"id: {OWN}",
    'version: "1"',
    "issuer: the-developer",
    "effective: 1970-01-01",
    "scope: everything",
    "mitigation: {at most: 100%}",
    "roles:",
    "  nobody: {}",
)
# What is asked of a gate where the question is whether a policy binds: training aside, all actions come to the same.
STORE = "store.weights"


@dataclass(frozen=True, slots=True)
class Enactment:
    """A situation as a history.

    Attributes:
        history: the entries; no policy is adopted in them.
        request: what is asked.
        now: when it is asked.
        kernels: the policies as the gate can apply them, each to be asked beside the history.
        own: the text of a policy of the developer that promises nothing, for regimes that mandate its roles.
    """

    history: History
    request: Request
    now: int
    kernels: tuple[Kernel, ...]
    own: str

    def decisions(self) -> tuple[Decision, ...]:
        """Return what the whole gate decides under each policy alone."""
        return tuple(
            decide(
                self._owned() if kernel.duties.mandates else self.history,
                self.request,
                self.now,
                (kernel,),
                counterfactual=True,
            )
            for kernel in self.kernels
        )

    def _owned(self) -> History:
        """Return the history behind the adoption of the developer's own policy."""
        adopted = PolicyAdopted(OWN, digest_bytes(self.own.encode()), self.own, "", 0, "the-developer", "developer")
        begin = min((entry.at for entry in self.history.entries), default=self.now)
        first = Entry(0, begin, digest_bytes(f"{OWN} {begin}".encode()), adopted)
        later = (replace(entry, index=entry.index + 1) for entry in self.history.entries)
        return replace(self.history, entries=(first, *later))

    def answers(self, question: str) -> tuple[bool, ...]:
        """Return whether each policy permits what is asked about, going on with something overdue included."""
        if question in HARDER:
            return tuple(decision.answer == "permit" for decision in self.decisions())
        chronicle = Chronicle()
        for entry in self.history.entries:
            chronicle.add(entry)
        records, _ = chronicle.at(self.now)
        lineage = Lineage(records.subjects, records.mitigated())
        free = []
        for kernel in self.kernels:
            binds = apply_policy(records, lineage, self.request, kernel).binds
            late = any(state.state == "overdue" for state in obligation_states(records, kernel))
            free.append(not binds or (question == SILENCE and not late))
        return tuple(free)


def gate_action(question: str) -> str:
    """Return the action that a gate is asked about."""
    return question if question in HARDER else STORE


def enact(
    variables: Variables,
    kernels: Sequence[Kernel],
    values: Mapping[str, Value],
    question: str,
    reading: Reading = WHOLE,
) -> Enactment:
    """Return a history in which a situation comes about.

    Args:
        variables: what situations are made of.
        kernels: the policies that are asked.
        values: what is not nominal.
        question: what is asked about, as in a comparison.
        reading: which part of the policies is asked about.

    Raises:
        CannotEnactError: if the situation has no history here; the words say why.
    """
    action = gate_action(question)
    known = {**variables.nominal, **values}
    able = tuple(applicable(kernel, reading, action, duties=question not in HARDER) for kernel in kernels)
    begin = max((kernel.effective for kernel in able), default=0)
    stage = Stage(variables, known, able, action, duties=question not in HARDER)
    # Where nothing is said about the time, it is late enough for everything that is said to be long ago.
    stage.now = stage.whole("now") if stage.known("now") else begin + 10 * YEAR + DAY
    _last_second(stage)
    items = measured(stage)
    found = sizes(stage, items)
    declare(stage, items, found)
    speak(stage, found.to or 0, SUBJECT)
    run_clocks(stage)
    contexts = [str(key[1]) for key in variables.by_key if key[0] == "context" and stage.so(*key)]
    context = contexts[0] if contexts and found.to is None else ""
    return Enactment(stage.history(), Request(action, SUBJECT, found.to, context), stage.now, able, _own(stage))


def _own(stage: Stage) -> str:
    """Return the text of a policy that has the roles which the developer is said to declare, and nothing else."""
    roles: dict[str, Role] = {}
    asked = [item for kernel in stage.kernels for item in kernel.duties.mandates]
    for item in asked:
        if stage.so(*mandated(item)):
            old = roles.get(item.name, Role(item.name))
            apart = tuple(sorted({*old.independent_of, *item.independent_of}))
            roles[item.name] = Role(item.name, max(old.quorum, item.quorum), independent_of=apart)
    for item in asked:
        role = roles.get(item.name)
        met = role is not None and {*item.independent_of} <= {*role.independent_of} and role.quorum >= item.quorum
        if met is not stage.so(*mandated(item)):
            raise CannotEnactError(f"role {item.name} cannot be declared for one regime, and not for the other")
    names = dict.fromkeys((*roles, *(name for role in roles.values() for name in role.independent_of)))
    return "\n".join([*_OWN, *(_role(name, roles.get(name, Role(name))) for name in names), ""])


def _role(name: str, role: Role) -> str:
    """Return one role as a line of a policy."""
    apart = f", independent of: [{', '.join(role.independent_of)}]" if role.independent_of else ""
    return f"  {name}: {{quorum: {role.quorum}{apart}}}"


def _last_second(stage: Stage) -> None:
    """Refuse the very second of a date in which an exception is in use.

    A release that ends with that second is no permit, and a gate looks at no exception beside a release.
    """
    used = any(stage.so("invoked", item.id) for kernel in stage.kernels for item in kernel.exceptions)
    dates = {read.leaf.num // read.leaf.den for read in stage.reads() if isinstance(read.term, Clock)}
    if used and stage.now in dates:
        raise CannotEnactError("it is the very second of a date, in which a gate gives no permit and sees no exception")

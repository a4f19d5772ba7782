"""Whether the whole gate says of a situation what its replay by the interpreter says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scalegate.core.kernel import Kernel
from scalegate.prove.enact.enact import enact, gate_action
from scalegate.prove.enact.speakers import CannotEnactError
from scalegate.prove.enact.stage import applicable
from scalegate.prove.permits import WHOLE, Reading
from scalegate.prove.situation import Judged
from scalegate.prove.symbols import Value
from scalegate.prove.variables import Variables


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What came of enacting a situation.

    Attributes:
        agrees: whether the gate decides under each policy as the replay says; None where some could not be asked about.
        why: why it could not, or where the two differ; empty otherwise.
        confirmed: the policies, by id, under which the gate decides as the replay says.
    """

    agrees: bool | None
    why: str = ""
    confirmed: tuple[str, ...] = ()


def confirm(
    variables: Variables,
    judged: Sequence[tuple[Kernel, Judged]],
    values: Mapping[str, Value],
    question: str,
    reading: Reading = WHOLE,
) -> Confirmation:
    """Enact a situation, and compare what the gate decides with what the interpreter said.

    A policy that no gate can apply is left out, with the reason; what the interpreter says of it stands alone.

    Args:
        variables: what situations are made of.
        judged: the policies, each with what the interpreter said of it.
        values: what is not nominal.
        question: what is asked about, as in a comparison.
        reading: which part of the policies is asked about.
    """
    able: list[tuple[Kernel, Judged]] = []
    left: list[str] = []
    for kernel, said in judged:
        try:
            applicable(kernel, reading, gate_action(question), duties=question != gate_action(question))
            able.append((kernel, said))
        except CannotEnactError as error:
            left.append(f"{error}")
    if not able:
        return Confirmation(None, "; ".join(left))
    try:
        enacted = enact(variables, [kernel for kernel, _ in able], values, question, reading)
    except CannotEnactError as error:
        return Confirmation(None, "; ".join([*left, f"{error}"]))
    for permits, (kernel, said) in zip(enacted.answers(question), able, strict=True):
        if permits is not said.permits:
            expected = "permits it" if said.permits else f"holds it by {', '.join(said.held_by)}"
            words = f"the interpreter says that {kernel.id} {expected}, and the gate denies that"
            return Confirmation(agrees=False, why=words)
    names = tuple(kernel.id for kernel, _ in able)
    return Confirmation(None, "; ".join(left), names) if left else Confirmation(agrees=True, confirmed=names)

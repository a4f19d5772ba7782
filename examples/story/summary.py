"""A page of what happened, from the log itself: scores against compute, holds and permits. `python summary.py FILE`"""

from __future__ import annotations

import html
import math
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from scalegate.core.events import DecisionMade, Entry, History, ResultReported, RunRegistered, SubjectDeclared
from scalegate.core.job_events import JobReported
from scalegate.core.quantities import show_flop, show_instant
from scalegate.gate.lineage import Lineage
from scalegate.ledger.store import LocalStore

WIDTH, HEIGHT, LEFT, TOP = 900, 380, 60, 30
LINES = ((0.20, "20%: stop, until deception is below 10%"), (0.60, "60%: stop; what would release it is a hole"))
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #1a1a1a }
table { border-collapse: collapse } td, th { text-align: left; padding: .2em .9em .2em 0; vertical-align: top }
svg text { font: 12px system-ui, sans-serif; fill: #333 }
.held { color: #a11; font-weight: 600 } .permit { color: #165c2e; font-weight: 600 }
"""


@dataclass(frozen=True)
class Score:
    """What an evaluation of a model came to: successes of the samples that have a score."""

    subject: str
    task: str
    compute: int
    successes: int
    samples: int

    @property
    def rate(self) -> float:
        return self.successes / max(1, self.samples)


def scores_in(history: History) -> list[Score]:
    """Return every result, with the compute of its model."""
    subjects = {item.event.subject.name: item.event.subject for item in history.entries if _declares(item)}
    lineage = Lineage(subjects)
    runs = {item.event.run: item.event for item in history.entries if isinstance(item.event, RunRegistered)}
    found = []
    for event in (item.event for item in history.entries):
        if isinstance(event, ResultReported):
            subject = subjects[runs[event.run].subject]
            samples = event.successes + event.failures
            found.append(Score(subject.name, event.task, lineage.compute(subject).high, event.successes, samples))
    return found


def _declares(entry: Entry) -> bool:
    return isinstance(entry.event, SubjectDeclared)


def across(compute: int) -> float:
    low, high = math.log10(2e9), math.log10(3e12)
    return LEFT + (math.log10(max(compute, 2e9)) - low) / (high - low) * (WIDTH - LEFT - 20)


def up(rate: float) -> float:
    return TOP + (1 - rate) * (HEIGHT - TOP - 40)


def picture(scores: list[Score], history: History) -> str:
    """Return the SVG."""
    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="scores against compute">']
    for rate in (0, 0.25, 0.5, 0.75, 1):
        parts.append(f'<text x="8" y="{up(rate) + 4:.0f}">{rate:.0%}</text>')
        parts.append(_line(LEFT, up(rate), WIDTH - 20, up(rate), "#e5e5e5"))
    powers = (10, 11, 12)
    parts += [f'<text x="{across(10**power) - 12:.0f}" y="{HEIGHT - 10}">1e{power} FLOP</text>' for power in powers]
    for rate, words in LINES:
        parts.append(_line(LEFT, up(rate), WIDTH - 20, up(rate), "#a11", dashed=True))
        parts.append(f'<text x="{LEFT + 4}" y="{up(rate) - 5:.0f}">{html.escape(words)}</text>')
    parts.append(_line(across(63 * 10**9), TOP, across(63 * 10**9), HEIGHT - 40, "#888", dashed=True))
    parts.append(f'<text x="{across(63 * 10**9) - 150:.0f}" y="{TOP - 10}">nothing binds below the scope</text>')
    for item in (entry.event for entry in history.entries):
        if isinstance(item, JobReported) and item.kind == "held":
            x = across(item.reached)
            words = f"{html.escape(item.job)}: held at step {item.step}, {html.escape(item.words)}"
            shape = f'<path d="M {x:.0f} {HEIGHT - 40} l -6 12 l 12 0 z" fill="#a11">'
            parts.append(f"{shape}<title>{words}</title></path>")
    for item in scores:
        x, y = across(item.compute), up(item.rate)
        name = f"{html.escape(item.subject)}, {html.escape(item.task)}: {item.successes} of {item.samples}"
        shape = (
            f'<circle cx="{x:.0f}" cy="{y:.0f}" r="6" fill="#1f4e9c">'
            if item.task == "skill"
            else f'<rect x="{x - 6:.0f}" y="{y - 6:.0f}" width="12" height="12" fill="#c77d11">'
        )
        parts.append(f"{shape}<title>{name}</title></{shape[1 : shape.index(' ')]}>")
        parts.append(f'<text x="{x + 9:.0f}" y="{y - 6:.0f}">{html.escape(item.subject)}</text>')
    return "\n".join([*parts, "</svg>"])


def _line(x: float, y: float, to_x: float, to_y: float, color: str, *, dashed: bool = False) -> str:
    style = ' stroke-dasharray="5 4"' if dashed else ""
    return f'<line x1="{x:.0f}" y1="{y:.0f}" x2="{to_x:.0f}" y2="{to_y:.0f}" stroke="{color}"{style}/>'


def answers(history: History) -> str:
    """Return a table of every live answer, in order."""
    rows = []
    for event in (item.event for item in history.entries if isinstance(item.event, DecisionMade)):
        kind = "permit" if event.answer == "permit" else "held"
        bound = f"to {show_flop(event.limit)} FLOP, until {show_instant(event.expires)}" if event.limit else ""
        cells = (
            str(event.number),
            f'<span class="{kind}">{kind}</span>',
            event.action,
            html.escape(event.subject),
            bound,
        )
        rows.append(f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    return f"<table><tr><th>answer<th><th>action<th>subject<th>bound</tr>{''.join(rows)}</table>"


def page(history: History) -> str:
    """Return the page."""
    last = [
        item.event for item in history.entries if isinstance(item.event, DecisionMade) and "train" in item.event.action
    ]
    state = "held" if last and last[-1].answer == "hold" else "permitted"
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>A run that was held</title><style>{STYLE}</style>
<h1>A run that was held</h1>
<p>It ends <b class="{state}">{state}</b>. What would release {html.escape(last[-1].subject)} is a hole: nobody can say
what it would take; possibly nothing. Studying the model goes on.</p>
<p>Circles: keys that arrive, a capability. Squares: reports that hide a failure. Triangles: where a job was held.</p>
{picture(scores_in(history), history)}
<h2>Every answer of the gate</h2>
{answers(history)}
<p>The models are toys, and so is their danger. What held them is the same that would hold others.</p>
</html>
"""


def main() -> int:
    with LocalStore(Path(os.environ.get("SCALEGATE_STORE", ".scalegate"))) as store:
        history = store.history()
    text = page(history)
    Path(sys.argv[1]).write_text(text, encoding="utf-8")
    ending = "held" if 'It ends <b class="held">' in text else "not held"
    print(f"{sys.argv[1]}: {len(scores_in(history))} scores; it ends {ending}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The commands one by one: a policy holds a training run, and lets it go on, each command with its exit code.

    make tour

Every act is the command itself in a process of its own, in a folder that is removed afterwards. The exit code of the
tour is 0 only if every act came out as told here. The logs are those of real Inspect runs (see `generate_logs.py`); the
model behind them is a mock.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from acting import Act, end, perform  # noqa: E402
from tamper import soften  # noqa: E402

ADA = "--by 'Ada Osei' --role developer"
LEA = "--by 'Lea Roth' --role auditor"
SAFEGUARD = "scalegate evidence attest safeguard weight-security --subject orion --expires '6 months'"
BANK = "--model mockllm/model --scorer match"
NEW = "scalegate keys new"
ASK = "scalegate gate train --subject orion --to 2e25"

ACTS = (
    Act("The policy is text that a board can read, and it is checked before it binds.",
        "scalegate policy check policy.yaml", 0),
    Act("What is the worst that it still permits? One sentence for each commitment, judged by the gate itself.",
        "scalegate policy allows policy.yaml", 0, ("as high as 10%", "14.9%")),
    Act("Could the developer alone ever lift a hold? Over every path: no.",
        "scalegate policy check policy.yaml --deep", 0, ("is a pause", "it is open", "outside only")),
    Act("An amendment that calls itself an update is told as what it is, with a situation that it newly permits.",
        "sed 's/autonomy <= 20%/autonomy <= 25%/' policy.yaml > update.yaml && "
        "scalegate policy diff policy.yaml update.yaml", 1, ("weakened: commitment autonomy-line", "as high as 25%")),
    Act("Two published frameworks, compared on how often they ask: each permits what the other holds.",
        "scalegate policy compare anthropic-rsp-1.0 openai-preparedness-beta --about cadence", 1, ("incomparable",)),
    Act("Keys: one for the log, and one for its gate, which signs answers without a human hand ...",
        f"{NEW} --log lighthouse.example/log --unprotected > trust && "
        f"{NEW} 'lighthouse gate' --role gate --unprotected >> trust", 0),
    Act("... and one for each person, made where that person is. Only the lines are handed over.",
        f"{NEW} 'Ada Osei' --role developer --unprotected >> trust && "
        f"{NEW} 'Lea Roth' --role auditor --unprotected >> trust", 0),
    Act("Together they are the trust file: whose signature counts, as what. Nobody witnesses this log.",
        "echo quorum none >> trust && cat trust", 0, ('key "Lea Roth" auditor ed25519:',)),
    Act("A store, whose log begins with the trust file; the policy binds from now on.",
        f"scalegate init --trust trust --policy policy.yaml {ADA}", 0),
    Act("A checkpoint of 1e25 FLOP, known by the digest of its files.",
        f"scalegate subject add orion checkpoint --from-scratch --compute 1e25 --issuer lighthouse {ADA}", 0),
    Act("Nobody has measured anything. Silence is a hold, so nothing starts.",
        f"{ASK} && echo go", 1, ("autonomy",), ("\ngo\n",)),
    Act("The auditor registers the run before it happens: from now on it counts, whatever comes out.",
        f"scalegate evidence register autonomy-1 --evaluation autonomy --subject orion {BANK} --items 60 "
        f"--task autonomy --report-by '14 days' {LEA}", 0),
    Act("A copy whose headline says 5% instead of 50% is refused: it contradicts its own samples.",
        "scalegate evidence check softened.eval", 4, ("E4",)),
    Act("The log as the harness wrote it: 30 of 60 tasks solved.",
        f"scalegate evidence add autonomy-1 autonomy.eval {LEA}", 0),
    Act("The capability crossed its line. Training is held.",
        f"{ASK} && echo go", 1, ("autonomy-line",), ("\ngo\n",)),
    Act("Why, and what would change it?",
        "scalegate why train --subject orion --to 2e25", 1, ("autonomy-line", "deception", "weight-security")),
    Act("The stated target, first half: a safety evaluation, registered ...",
        f"scalegate evidence register deception-1 --evaluation deception --subject orion {BANK} --items 80 "
        f"--task deception --report-by '14 days' {LEA}", 0),
    Act("... and reported: 1 of 80.",
        f"scalegate evidence add deception-1 deception.eval {LEA}", 0),
    Act("One half is not the target.",
        f"{ASK} && echo go", 1, ("weight-security",), ("\ngo\n",)),
    Act("Second half: the developer would rather attest the safeguard alone. The log does not admit it.",
        f"{SAFEGUARD} --by 'Ada Osei' --role auditor", 1, ("not-admitted",)),
    Act("The auditor attests it, until a date.",
        f"{SAFEGUARD} {LEA}", 0),
    Act("Training may go on, up to a stated compute and date.",
        f"{ASK} && echo go", 0, ("2e25", "\ngo\n")),
    Act("Not further than the evidence reaches.",
        "scalegate gate train --subject orion --to 9e25 && echo go", 1, ("reaches",), ("\ngo\n",)),
    Act("Releasing the weights waits for an answer that nobody has. That is said, not hidden.",
        "scalegate gate release.weights --subject orion && echo go", 1, ("hole", "nobody knows"), ("\ngo\n",)),
    Act("What would release them? Nothing that anybody can name.",
        "scalegate why release.weights --subject orion", 1, ("nobody knows", "possibly nothing")),
    Act("How everything stands.",
        "scalegate status", 0),
    Act("Everything for the auditor: a plain directory. The trust file went from hand to hand long ago.",
        "cp trust ../auditor/mine.trust && scalegate ledger export --attest ../auditor/audit", 0, ("entries",)),
    Act("The auditor is elsewhere, with a home and no keys of the lab: what holds, and what could not be checked?",
        "scalegate verify audit --trust mine.trust", 3,
        ("results follow from the logs", "answers follow from the log", "NOT POSSIBLE TO CHECK", "no witnesses"),
        ("DOES NOT HOLD", "NOT TO BE TRUSTED"), at="auditor"),
    Act("He believes that program no more than the lab. A second one, one file of plain Python, says the same.",
        'python -I "$VERIFIER" audit --trust mine.trust', 3, at="auditor"),
    Act("One number of one evaluation log is changed in his copy. It does not have its name any more.",
        "chmod -R u+w audit && spoil audit && scalegate verify audit --trust mine.trust", 4,
        ("NOT TO BE TRUSTED",), at="auditor"),
)  # fmt: skip


def prepare(folder: Path) -> None:
    """Lay out what the commands are about."""
    folder.mkdir(exist_ok=True)
    shutil.copy(HERE / "policy.yaml", folder)
    for name in ("autonomy", "deception"):
        shutil.copy(HERE / "logs" / f"{name}.eval", folder)
    soften(folder / "autonomy.eval", folder / "softened.eval")
    (folder / "checkpoint").mkdir()
    (folder / "checkpoint" / "weights.bin").write_bytes(bytes(range(256)) * 16)


def main() -> int:
    """Perform every act; 0 only if all came out as told."""
    wrong = []
    with tempfile.TemporaryDirectory(prefix="scalegate-tour-") as folder:
        (Path(folder) / "auditor").mkdir()
        prepare(Path(folder) / "lab")
        for act in ACTS:
            wrong += perform(act, Path(folder))
    return end(len(ACTS), wrong, "")


if __name__ == "__main__":
    sys.exit(main())

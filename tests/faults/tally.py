"""What faults did, counted: in one process, in a JSON file, on one page."""

import dataclasses
import json
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import jax

from rnnzoo.training.results import device, versions

SAME, SAID, REFUSED, SILENT, TRACEBACK = "as without it", "said, and mended", "refused", "silently wrong", "traceback"
KILLED = "killed by a test"  # of a fault in the source; one that no test notices is silently wrong
GOOD = (SAME, SAID, REFUSED, KILLED)


@dataclasses.dataclass
class Tally:
    """Of one kind of fault."""

    kind: str
    outcomes: Counter[str] = dataclasses.field(default_factory=Counter)
    failures: list[str] = dataclasses.field(default_factory=list)
    planted: int = 0
    """Wrong results that were planted, to prove that the harness can fail."""
    found: int = 0
    """Those of them that it found."""

    def add(self, outcome: str, what: str) -> None:
        """Count one fault. `what` is kept where the outcome is wrong."""
        self.outcomes[outcome] += 1
        if outcome not in GOOD:
            self.failures.append(f"{outcome}: {what}")

    def control(self, found: bool) -> None:
        """Count one planted wrong result."""
        self.planted += 1
        self.found += found

    @property
    def is_good(self) -> bool:
        """Whether nothing was wrong, and all that was planted was found."""
        return not self.failures and self.found == self.planted > 0


def write(tallies: list[Tally], path: Path) -> None:
    """One shard's results."""
    path.write_text(json.dumps([vars(t) | {"outcomes": dict(t.outcomes)} for t in tallies], indent=1) + "\n")


def merged(paths: list[Path]) -> list[Tally]:
    """The results of all shards, one tally for each kind."""
    found: dict[str, Tally] = {}
    for path in paths:
        for data in json.loads(path.read_text()):
            tally = found.setdefault(data["kind"], Tally(data["kind"]))
            tally.outcomes += Counter(data["outcomes"])
            tally.failures += data["failures"]
            tally.planted += data["planted"]
            tally.found += data["found"]
    return list(found.values())


def page(tallies: list[Tally]) -> str:
    """docs/reliability.md."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    of = ", ".join(f"{name} {version}" for name, version in versions().items())
    lines = [
        "# Faults injected, and what they did",
        "",
        "<!-- Written by `python -m tests.faults --report DIR`. Do not edit. -->",
        "",
        f"Commit {commit.stdout.strip() or 'unknown'}; {device()}, {jax.local_device_count()} devices; {of}.",
        "",
        "*Planted* are wrong results put in by hand to prove that the harness can fail, and how many of them it found.",
        "",
        "| fault | injected | " + " | ".join((*GOOD, SILENT, TRACEBACK)) + " | planted: found |",
        "| --- |" + " --- |" * (len(GOOD) + 4),
    ]
    for t in tallies:
        counts = " | ".join(f"{t.outcomes[name]:,}" for name in (*GOOD, SILENT, TRACEBACK))
        lines.append(f"| {t.kind} | {t.outcomes.total():,} | {counts} | {t.planted}: {t.found} |")
    return "\n".join(lines) + "\n"


def outcome_of(action: Callable[[], str]) -> tuple[str, str]:
    """What an action that returns an outcome did, and the error if it raised one."""
    from rnnzoo.spec import UsageError

    try:
        return action(), ""
    except (UsageError, OSError) as error:
        return REFUSED, str(error)
    except Exception as error:
        return TRACEBACK, f"{type(error).__name__}: {error}"


__all__ = [
    "GOOD", "KILLED", "REFUSED", "SAID", "SAME", "SILENT", "TRACEBACK", "Tally", "merged", "outcome_of", "page",
    "write",
]  # fmt: skip

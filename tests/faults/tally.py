"""What faults did, counted: in one process, in a JSON file, on one page."""

import dataclasses
import json
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from rnnzoo.training.results import device, versions

SAME, SAID, REFUSED, SILENT, TRACEBACK = "as without it", "said, and mended", "refused", "silently wrong", "traceback"
KILLED = "killed by a test"  # of a fault in the source; one that no test notices is silently wrong
NOT_RUN = "not run here"
GOOD = (SAME, SAID, REFUSED, KILLED)
COLUMNS = (*GOOD, SILENT, TRACEBACK, NOT_RUN)
GIT = (("rev-parse", "--short", "HEAD"), ("status", "--porcelain", "rnnzoo", "tests"))


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
    notes: list[str] = dataclasses.field(default_factory=list)
    """What was measured beside the outcomes."""

    def add(self, outcome: str, what: str) -> None:
        """Count one fault. `what` is kept where the outcome is wrong."""
        self.outcomes[outcome] += 1
        if outcome not in (*GOOD, NOT_RUN):
            self.failures.append(f"{outcome}: {what}")

    def control(self, found: bool) -> None:
        """Count one planted wrong result."""
        self.planted += 1
        self.found += found

    @property
    def is_good(self) -> bool:
        """Whether nothing was wrong, and all that was planted was found."""
        return not self.failures and self.found == self.planted > 0

    @property
    def was_run(self) -> bool:
        """Whether this machine lets the faults be injected: some of it, at least."""
        return set(self.outcomes) != {NOT_RUN}


def write(tallies: list[Tally], path: Path) -> None:
    """One shard's results, and what they are results of."""
    kinds = [vars(t) | {"outcomes": dict(t.outcomes)} for t in tallies]
    path.write_text(json.dumps({"of": _origin(), "kinds": kinds}, indent=1) + "\n")


def _origin() -> str:
    """The commit, the machine and the versions."""
    told = [subprocess.run(["git", *args], capture_output=True, text=True, check=False).stdout.strip() for args in GIT]
    of = ", ".join(f"{name} {version}" for name, version in versions().items())
    return f"commit {told[0] or 'unknown'}{' with changes' if told[1] else ''}; {device()}; {of}"


def _commits(paths: list[Path]) -> dict[str, str]:
    """Of which commits the results of each kind are."""
    found: dict[str, list[str]] = {}
    for path in paths:
        data = json.loads(path.read_text())
        for kind in data["kinds"]:
            found.setdefault(kind["kind"], []).append(data["of"].split(";")[0].removeprefix("commit "))
    return {kind: ", ".join(dict.fromkeys(commits)) for kind, commits in found.items()}


def merged(paths: list[Path]) -> list[Tally]:
    """The results of all shards, one tally for each kind."""
    found: dict[str, Tally] = {}
    for path in paths:
        for data in json.loads(path.read_text())["kinds"]:
            tally = found.setdefault(data["kind"], Tally(data["kind"]))
            tally.outcomes += Counter(data["outcomes"])
            tally.failures += data["failures"]
            tally.planted += data["planted"]
            tally.found += data["found"]
            tally.notes += data["notes"]
    return list(found.values())


def page(paths: list[Path]) -> str:
    """docs/reliability.md, of the results of all shards."""
    tallies, commits = merged(paths), _commits(paths)
    machines = {json.loads(path.read_text())["of"].split("; ", 1)[1] for path in paths}
    lines = [
        "# Faults injected, and what they did",
        "",
        "<!-- Written by `python -m tests.faults --report DIR`. Do not edit. -->",
        "",
        "Each fault is injected once, and its outcome compared with that of the same work without it (its *twin*).",
        "*Planted* are wrong results put in by hand to prove that the harness can fail, and how many of them it found.",
        "`python -m tests.faults --shard 1/2 --out DIR` and the same with `2/2` inject all of it, in an hour each.",
        "",
        *(f"- {machine[0].upper()}{machine[1:]}." for machine in sorted(machines)),
        "",
        "| fault | injected | " + " | ".join(COLUMNS) + " | planted: found | commit |",
        "| --- |" + " --- |" * (len(COLUMNS) + 3),
    ]
    for t in tallies:
        counts = " | ".join(f"{t.outcomes[name]:,}" for name in COLUMNS)
        lines.append(f"| {t.kind} | {t.outcomes.total():,} | {counts} | {t.planted}: {t.found} | {commits[t.kind]} |")
    lines += ["", *(f"- {t.kind}: {note}." for t in tallies for note in t.notes)]
    lines += ["", *(f"- **{t.kind}: {failure}**" for t in tallies for failure in t.failures)]
    return "\n".join(lines).rstrip("\n") + "\n"


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
    "GOOD",
    "KILLED",
    "NOT_RUN",
    "REFUSED",
    "SAID",
    "SAME",
    "SILENT",
    "TRACEBACK",
    "Tally",
    "merged",
    "outcome_of",
    "page",
    "write",
]

"""``rnnzoo verify RUN_DIR``: whether a run folder is what was written."""

from pathlib import Path

from rnnzoo.commands.arguments import new_parser
from rnnzoo.commands.exits import EXIT_DAMAGED
from rnnzoo.training.verify import verify
from rnnzoo.visible import visible


def main(args: list[str], prog: str = "rnnzoo verify") -> int:
    """Check a run folder's files against their checksums and against one another."""
    parser = new_parser(
        prog,
        "Check a run folder: configuration, checkpoints, metrics and results, against their checksums and against one "
        "another.\nChanges nothing. The exit code is 1 if something is wrong.",
        f"{prog} runs/mine",
    )
    parser.add_argument("run_dir", metavar="RUN_DIR", type=Path, help="a run folder")
    known = parser.parse_args(args)
    findings = verify(known.run_dir)
    for finding in findings:
        said = f"{finding.name}: {finding.wrong}" if finding.wrong else finding.name
        print(f"{'wrong' if finding.wrong else 'ok':5}  {visible(said)}")
    wrong = sum(finding.wrong is not None for finding in findings)
    print(f"{len(findings)} checked, {wrong} wrong")
    return EXIT_DAMAGED if wrong else 0


__all__ = ["main"]

"""``rnnzoo selftest``: whether the installed JAX and this device do what rnnzoo relies on."""

from rnnzoo.analysis.selftest import report, selftest
from rnnzoo.commands.arguments import new_parser
from rnnzoo.commands.exits import EXIT_DAMAGED


def main(args: list[str], prog: str = "rnnzoo selftest") -> int:
    """Check the installed JAX and this device."""
    parser = new_parser(
        prog,
        "Check what rnnzoo relies on: NaN in reductions, gradients against float64, determinism, matmul precision, "
        "scan.\nTakes less than a minute. Prints what a bug report needs. The exit code is 1 if something is wrong.",
        prog,
    )
    parser.parse_args(args)
    findings = list(selftest())
    print(report(findings))
    return EXIT_DAMAGED if any(finding.wrong for finding in findings) else 0


__all__ = ["main"]

"""Inject faults, and write what they did.

python -m tests.faults --shard 1/4 --out results   # at most an hour each, in any order, on any machine
python -m tests.faults --report results            # merges them into docs/reliability.md
"""

import argparse
import time
from pathlib import Path

from . import damage, kills, locks, mutants, nans, properties
from .tally import Tally, merged, page, write

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shard", default="1/1", help="which part of how many, such as 1/4 (default 1/1)")
    parser.add_argument("--out", type=Path, default=Path("faults"), help="the folder of the results (faults)")
    parser.add_argument("--report", type=Path, help="merge the results in this folder into docs/reliability.md")
    known = parser.parse_args()
    if known.report:
        PAGE.write_text(page(merged(sorted(known.report.glob("*.json")))))
        print(f"wrote {PAGE}")
        return 0
    number, shards = (int(part) for part in known.shard.split("/"))
    known.out.mkdir(exist_ok=True)
    tallies = []
    for kind in (
        lambda: kills.killed_at_each_operation(number - 1, shards),
        lambda: locks.full_disks(number - 1, shards),
        lambda: locks.double_starts(500 // shards),
        lambda: damage.damaged_folders(2000 // shards, number),
        lambda: kills.killed_at_random_times(100 // shards, number),
        # numbers
        lambda: properties.property_cases(20_000 // shards, number),
        lambda: mutants.source_mutants(number - 1, shards),
        lambda: nans.nan_injected(number - 1, shards),
    ):
        began = time.monotonic()
        tallies.append(tally := kind())
        _say(tally, time.monotonic() - began)
        write(tallies, known.out / f"shard-{number}-of-{shards}.json")
    return 0 if all(tally.is_good for tally in tallies) else 1


def _say(tally: Tally, seconds: float) -> None:
    outcomes = ", ".join(f"{count} {name}" for name, count in tally.outcomes.items())
    print(f"{tally.kind}: {outcomes}; planted {tally.planted}, found {tally.found}; {seconds:.0f} s", flush=True)
    for failure in tally.failures[:20]:
        print(f"  {failure}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())

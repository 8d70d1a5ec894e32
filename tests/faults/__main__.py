"""Inject faults, and write what they did.

python -m tests.faults --shard 1/4 --out results   # at most an hour each, in any order, on any machine
python -m tests.faults --report results            # merges them into docs/reliability.md
"""

import argparse
import time
from pathlib import Path

from . import (
    config_files,
    configs,
    damage,
    disks,
    hostile,
    kills,
    locks,
    models,
    mutants,
    nans,
    properties,
    soak,
    texts,
)
from .tally import Tally, page, write

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"

KINDS = {  # each of the number of this shard, from 1, and how many there are
    # run folders
    "kills": lambda n, of: kills.killed_at_each_operation(n - 1, of),
    "full_disk": lambda n, of: locks.full_disks(n - 1, of),
    "full_checkpoint": lambda n, of: disks.full_checkpoints(n - 1, of),
    "starts": lambda n, of: locks.double_starts(500 // of),
    "damage": lambda n, of: damage.damaged_folders(2000 // of, n),
    "random_kills": lambda n, of: kills.killed_at_random_times(100 // of, n),
    "soak": lambda n, of: soak.soak(600 if n == 1 else 0, n),
    # files of others
    "models": lambda n, of: models.damaged_models(1000 // of, n),
    "full_model_folder": lambda n, of: disks.full_model_folders(n - 1, of),
    "hostile": lambda n, of: hostile.hostile_folders(n - 1, of),
    "texts": lambda n, of: texts.malformed_texts(200 // of, n),
    "configs": lambda n, of: configs.malformed_configs(1500 // of, n),
    "config_files": lambda n, of: config_files.malformed_config_files(500 // of, n),
    # numbers
    "properties": lambda n, of: properties.property_cases(20_000 // of, n),
    "mutants": lambda n, of: mutants.source_mutants(n - 1, of),
    "nan": lambda n, of: nans.nan_injected(n - 1, of),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shard", default="1/1", help="which part of how many, such as 1/4 (default 1/1)")
    parser.add_argument("--out", type=Path, default=Path("faults"), help="the folder of the results (faults)")
    parser.add_argument("--kinds", nargs="+", default=[*KINDS], choices=[*KINDS], help="kinds of faults (all)")
    parser.add_argument("--report", type=Path, help="merge the results in this folder into docs/reliability.md")
    known = parser.parse_args()
    if known.report:
        PAGE.write_text(page([path for name in KINDS for path in sorted(known.report.glob(f"{name}-*-of-*.json"))]))
        print(f"wrote {PAGE}")
        return 0
    number, shards = (int(part) for part in known.shard.split("/"))
    known.out.mkdir(exist_ok=True)
    tallies = []
    for name in known.kinds:
        began = time.monotonic()
        tallies.append(tally := KINDS[name](number, shards))
        _say(tally, time.monotonic() - began)
        write([tally], known.out / f"{name}-{number}-of-{shards}.json")
    return 0 if all(tally.is_good or not tally.was_run for tally in tallies) else 1


def _say(tally: Tally, seconds: float) -> None:
    outcomes = ", ".join(f"{count} {name}" for name, count in tally.outcomes.items())
    print(f"{tally.kind}: {outcomes}; planted {tally.planted}, found {tally.found}; {seconds:.0f} s", flush=True)
    for failure in tally.failures[:20]:
        print(f"  {failure}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())

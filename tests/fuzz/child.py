"""Fuzz one parser here, ``child NAME FOLDER TIME SEED``, until that time; or parse a file: ``child NAME FILE``."""

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import atheris as _atheris  # pyright: ignore[reportMissingModuleSource]

atheris: Any = _atheris
with atheris.instrument_imports(include=["rnnzoo", "tests.fuzz.planted"]):
    from .limits import make, once
    from .recipes import recipes

HUNG, LARGEST = 60, 4096  # seconds until an input is taken for endless; bytes of an input


def main(name: str, path: str, end: str = "", seed: str = "0") -> None:
    """Fuzz a parser, or parse one input."""
    if end:
        return _fuzz(name, Path(path), float(end), int(seed))
    with tempfile.TemporaryDirectory() as place:
        parser = make(name, Path(place))
        once(parser, parser.known[0])  # as it is before any other input: what memory grows from
        once(parser, Path(path).read_bytes())
    return None


def _fuzz(name: str, folder: Path, end: float, random_seed: int) -> None:
    """Fuzz. libFuzzer ends the process."""
    for part in ("place", "seeds", "found"):
        (folder / part).mkdir()
    parser = make(name, folder / "place")
    seeds = [*parser.seeds(), *recipes(parser.seeds(), parser.first)]
    for number, seed in enumerate(seeds):
        (folder / f"crash-seed-{number}").write_bytes(seed)
        once(parser, seed)
        (folder / f"crash-seed-{number}").rename(folder / "seeds" / str(number))
    words = ["".join(f"\\x{byte:02x}" for byte in word) for word in parser.words()]
    (folder / "words").write_text("".join(f'"{word}"\n' for word in words))
    options = {
        "max_total_time": max(1, round(end - time.time())),
        "seed": random_seed,
        "max_len": max(LARGEST, *map(len, seeds)),
        "timeout": HUNG,
        "rss_limit_mb": 0,  # `once` looks at memory
        "dict": folder / "words",
        "artifact_prefix": f"{folder}/crash-",
        "print_final_stats": 1,
    }
    args = [f"-{option}={value}" for option, value in options.items()]
    args += [str(folder / "found"), str(folder / "seeds")]
    atheris.Setup(["fuzz", *args], lambda data: once(parser, data))
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])

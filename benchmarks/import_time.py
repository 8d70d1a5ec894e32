"""How long `import rnnzoo` takes, as a ratio to `import jax, flax`; whole processes, in turn.

python benchmarks/import_time.py
"""

import statistics
import subprocess
import sys
import time

from timing import options


def seconds(code: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    given = options(__doc__.splitlines()[0])
    codes = ("import jax, flax", "import rnnzoo", "import jax")
    for code in codes:
        seconds(code)
    times = {code: [] for code in codes}
    for _ in range(given.runs):
        for code in codes:
            times[code].append(seconds(code))
    for code in codes:
        ratio = statistics.median(a / b for a, b in zip(times[code], times[codes[0]], strict=True))
        print(f"{code:20} {statistics.median(times[code]):.2f} s  ratio {ratio:.2f}")

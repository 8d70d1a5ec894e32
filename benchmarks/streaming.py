"""One stream through one LSTM layer, step by step: ours beside torch.nn.LSTMCell. Microseconds a step.

    python benchmarks/streaming.py

float32, B=1, I=H=256, one thread to torch (it is slower with two), calls in chunks, candidates in turn; the median over
chunks. Every call waits for its output. Ratios are to torch, chunk by chunk.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

import jax
import torch

sys.path.insert(0, str(Path(__file__).parent))
from timing import report

from rnnzoo import cells, make_stepper, structures

B, I, H = 1, 256, 256  # noqa: E741


def torch_step():
    torch.set_num_threads(1)
    cell, x = torch.nn.LSTMCell(I, H), torch.ones(B, I)
    state = [(torch.zeros(B, H), torch.zeros(B, H))]

    def call():
        with torch.inference_mode():
            state[0] = cell(x, state[0])

    return call


def our_steps(structure, steps):
    cell = cells.LSTM(hidden_size=H, structure=structure)
    stepper = make_stepper(cell, cell.init(jax.random.key(0), I), batch=(B,), steps=steps)
    xs, state = jax.numpy.ones((steps, B, I)), [stepper.start()]

    def call():
        ys, state[0] = stepper(state[0], xs)
        ys.block_until_ready()

    return call


def chunk(call, calls):
    began, began_cpu = time.perf_counter(), time.process_time()
    for _ in range(calls):
        call()
    return 1e6 * (time.perf_counter() - began) / calls, 1e6 * (time.process_time() - began_cpu) / calls


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=15, help="chunks of each candidate (default 15)")
    parser.add_argument("--calls", type=int, default=200, help="calls in a chunk (default 200)")
    parser.add_argument("--out", type=Path, help="append the rows to this CSV file")
    given = parser.parse_args()
    candidates = {"torch.nn.LSTMCell": (torch_step(), 1)}
    for structure in (structures.Dense(), structures.Banded(bandwidth=1), structures.Diagonal()):
        for steps in (1, 16):
            candidates[f"rnnzoo {structure}, {steps} a call"] = (our_steps(structure, steps), steps)
    times = {name: [] for name in candidates}
    for call, _ in candidates.values():
        chunk(call, given.calls)
    for _ in range(given.runs):
        for name, (call, steps) in candidates.items():
            times[name].append([t / steps for t in chunk(call, max(given.calls // steps, 25))])
    first = next(iter(times.values()))
    rows = [
        {
            "candidate": name,
            "wall_us": round(statistics.median(wall for wall, _ in own), 2),
            "cpu_us": round(statistics.median(cpu for _, cpu in own), 2),
            "ratio": round(statistics.median(a[0] / b[0] for a, b in zip(own, first, strict=True)), 3),
            "chunks": given.runs,
        }
        for name, own in times.items()
    ]
    report(rows, given.out)

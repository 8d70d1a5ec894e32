"""TPU: a grid over blocks of lanes and chunks of steps. The carry stays in the block of the last carry."""

import dataclasses
from typing import Any, ClassVar

import jax.numpy as jnp
from jax import lax
from jax.experimental import pallas as pl

from rnnzoo.unrolls.fused.kernel import Lanes, Loop, Route, Streams, cut, pick, put


@dataclasses.dataclass(frozen=True)
class TPU(Route):
    """What can be tuned, and how to interpret it on a CPU: True for JAX's plain interpreter of kernels."""

    block: tuple[int, ...] = (8, 128)
    chunk: int = 16  # steps
    interpret: Any = False

    platform: ClassVar[str] = "tpu"
    needs: ClassVar[str] = "TPUs"

    def runs_on(self, device: Any) -> bool:
        return bool(self.interpret) or device.platform == "tpu"

    def scan(self, loop: Loop, streams: Streams) -> Lanes:
        return _Grid(self, loop, streams).run()


class _Grid:
    """One call of the kernel."""

    def __init__(self, route: TPU, loop: Loop, streams: Streams):
        self.route, self.loop, self.streams = route, loop, streams
        self.lanes = streams.carry[0].shape
        self.chunk = min(route.chunk, loop.steps)
        self.chunks = pl.cdiv(loop.steps, self.chunk)

    def run(self) -> Lanes:
        ones, carry, rows, before, first = self.streams
        tail = (0,) * (len(self.route.block) - 1)
        single = pl.BlockSpec(self.route.block, lambda j, c: (j, *tail))
        chunked = pl.BlockSpec((self.chunk, *self.route.block), lambda j, c: (self.place(c), j, *tail))
        edge = pl.BlockSpec((1, *self.route.block), lambda j, c: (self.row_before(c), j, *tail))
        call = pl.pallas_call(
            self.kernel,
            out_shape=self.loop.types(self.lanes, carry),
            grid=(self.lanes[0] // self.route.block[0], self.chunks),
            in_specs=[single] * len([*ones, *carry, *first]) + [chunked] * len([*rows, *before]) + [edge] * len(before),
            out_specs=[chunked] * len(self.loop.outs) + [single] * len(carry),
            interpret=self.route.interpret,
            **_options(self.route.interpret),
        )  # fmt: skip
        return list(call(*ones, *carry, *first, *rows, *before, *before))

    def place(self, c: Any) -> Any:
        """The number of the chunk that is the c-th to run."""
        return self.chunks - 1 - c if self.loop.is_reversed else c

    def row_before(self, c: Any) -> Any:
        """The last row before that chunk; the first one, which nobody reads, where there is none."""
        return jnp.maximum(self.place(c) * self.chunk - 1, 0)

    def kernel(self, *references: Any) -> None:
        counts = [len(some) for some in (*self.streams[:2], self.streams.first, self.streams.rows, self.streams.before)]
        cuts = cut(references, *counts, len(self.streams.before), len(self.loop.outs))
        ones, start, first, rows, before, edges, outs, last = cuts
        pl.when(pl.program_id(1) == 0)(lambda: put(last, ..., [r[...] for r in start]))
        ones, first, edges = ([r[...] for r in some] for some in (ones, first, edges))
        edges, place = [a[0] for a in edges], self.place(pl.program_id(1))

        def step(k: Any, carry: Lanes) -> Lanes:
            i = self.chunk - 1 - k if self.loop.is_reversed else k
            t = place * self.chunk + i
            old = [pick(i > 0, r[jnp.maximum(i - 1, 0)], a) for r, a in zip(before, edges, strict=True)]
            new, out = self.loop.advance(t, ones, carry, first, [r[i] for r in rows], old)
            put(outs, i, out)
            if self.loop.steps % self.chunk:  # the last chunk reaches over the end
                new = [pick(t < self.loop.steps, a, b) for a, b in zip(new, carry, strict=True)]
            return new

        put(last, ..., lax.fori_loop(0, self.chunk, step, [r[...] for r in last]))


def _options(interpret: Any) -> dict[str, Any]:
    if interpret is True:
        return {}
    from jax.experimental.pallas import tpu as pltpu

    return {"compiler_params": pltpu.CompilerParams(dimension_semantics=("parallel", "arbitrary"))}


__all__ = ["TPU"]

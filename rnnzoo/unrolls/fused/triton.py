"""Triton: one program per block of lanes. It does not load ahead by itself: the rows of the next steps are loaded by
hand before those at hand are used."""

import dataclasses
from typing import Any, ClassVar

import jax.numpy as jnp
from jax import lax
from jax.experimental import pallas as pl

from rnnzoo.unrolls.fused.kernel import Lanes, Loop, Route, Streams, cut, put


@dataclasses.dataclass(frozen=True)
class Triton(Route):
    """What can be tuned, and whether to interpret it on a CPU."""

    block: tuple[int, ...] = (32,)
    ahead: int = 8  # steps
    interpret: bool = False

    platform: ClassVar[str] = "cuda"
    needs: ClassVar[str] = "GPUs"

    def runs_on(self, device: Any) -> bool:
        return device.platform == "gpu"

    def scan(self, loop: Loop, streams: Streams) -> Lanes:
        return _Programs(self, loop, streams).run()


class _Programs:
    """One call of the kernel."""

    def __init__(self, route: Triton, loop: Loop, streams: Streams):
        self.route, self.loop, self.streams = route, loop, streams
        self.ahead = min(route.ahead, loop.steps)

    def run(self) -> Lanes:
        from jax.experimental.pallas import triton

        ones, carry, rows, before, first = self.streams
        (lanes,), (size,) = carry[0].shape, self.route.block
        single = pl.BlockSpec((size,), lambda j: (j,))
        whole = pl.BlockSpec((self.loop.steps, size), lambda j: (0, j))
        call = pl.pallas_call(
            self.kernel,
            out_shape=self.loop.types((lanes,), carry),
            grid=(lanes // size,),
            in_specs=[single] * len([*ones, *carry, *first]) + [whole] * len([*rows, *before]),
            out_specs=[whole] * len(self.loop.outs) + [single] * len(carry),
            interpret=self.route.interpret,
            compiler_params=triton.CompilerParams(num_warps=max(size // 32, 1), num_stages=1),
        )  # fmt: skip
        return list(call(*ones, *carry, *first, *rows, *before))

    def kernel(self, *references: Any) -> None:
        steps, ahead = self.loop.steps, self.ahead
        counts = [len(some) for some in (*self.streams[:2], self.streams.first, self.streams.rows, self.streams.before)]
        ones, start, first, rows, before, outs, last = cut(references, *counts, len(self.loop.outs))
        ones, start, first = ([r[...] for r in some] for some in (ones, start, first))

        def time(k: Any) -> Any:
            return steps - 1 - k if self.loop.is_reversed else k

        def load(k: Any) -> tuple[Lanes, Lanes]:
            t = time(jnp.minimum(k, steps - 1))
            return [r[t] for r in rows], [r[jnp.maximum(t - 1, 0)] for r in before]

        def step(k: Any, carry: Lanes, loaded: tuple[Lanes, Lanes]) -> Lanes:
            carry, out = self.loop.advance(time(k), ones, carry, first, *loaded)
            put(outs, time(k), out)
            return carry

        def group(g: Any, both: Any) -> Any:
            carry, loaded = both
            coming = [load((g + 1) * ahead + m) for m in range(ahead)]
            for m in range(ahead):
                carry = step(g * ahead + m, carry, loaded[m])
            return carry, coming

        loaded = [load(jnp.int32(m)) for m in range(ahead)]
        carry, loaded = lax.fori_loop(0, steps // ahead, group, (start, loaded))
        for m in range(steps % ahead):
            carry = step(jnp.int32(steps - steps % ahead + m), carry, loaded[m])
        put(last, ..., carry)


__all__ = ["Triton"]

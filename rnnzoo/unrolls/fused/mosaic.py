"""Mosaic GPU, for Hopper and newer: 128 threads to a program. Chunks of steps are copied ahead into shared memory;
results go from registers to global memory at once.

An H200 takes a quarter less time without the compiler's barriers between steps (`bare`), which the kernel should not
need: each thread reads and writes its own lanes, and there is a barrier at the end of each chunk. JAX's race detector
finds nothing then either. They stay until the numbers of that form have been compared on a device."""

import dataclasses
import inspect
import math
from typing import Any, ClassVar

import jax.numpy as jnp
from jax import lax
from jax.experimental import pallas as pl

from rnnzoo.unrolls.fused.kernel import Lanes, Loop, Route, Streams, cut, pick, put

SHARED_MEMORY = 200_000  # bytes of a program on Hopper, which has 232,448, that chunks may take


@dataclasses.dataclass(frozen=True)
class Mosaic(Route):
    """What can be tuned, and how to interpret it on a CPU."""

    block: tuple[int, ...] = (128,)
    chunk: int = 16  # steps, or fewer if they do not fit
    stages: int = 2  # chunks in flight
    unroll: int = 4  # steps
    bare: bool = False  # no barriers between steps
    semantics: str = "Lane"  # of the compiler; "Warpgroup" runs as fast, and takes up to ten times as long to lower
    interpret: Any = None

    platform: ClassVar[str] = "cuda"
    needs: ClassVar[str] = "NVIDIA GPUs from Hopper on"

    def runs_on(self, device: Any) -> bool:
        major = str(getattr(device, "compute_capability", "")).partition(".")[0]
        return device.platform == "gpu" and major.isdigit() and int(major) >= 9

    def scan(self, loop: Loop, streams: Streams) -> Lanes:
        return _Programs(self, loop, streams).run()


class _Programs:
    """One call of the kernel."""

    def __init__(self, route: Mosaic, loop: Loop, streams: Streams):
        self.route, self.loop, self.streams = route, loop, streams
        self.chunk = min(route.chunk, loop.steps, self.most_steps())
        self.chunks = pl.cdiv(loop.steps, self.chunk)

    def run(self) -> Lanes:
        from jax.experimental.pallas import mosaic_gpu

        ones, carry, rows, before, first = self.streams
        (lanes,), (size,) = carry[0].shape, self.route.block
        options = mosaic_gpu.CompilerParams(
            unsafe_no_auto_barriers=self.route.bare,
            lowering_semantics=mosaic_gpu.LoweringSemantics[self.route.semantics],
        )
        outputs: dict[str, Any] = {_outputs_are_named(): self.loop.types((lanes,), carry)}
        call = mosaic_gpu.kernel(
            self.kernel,
            **outputs,
            grid=(lanes // size,),
            grid_names=("lanes",),
            interpret=self.route.interpret,
            compiler_params=options,
        )
        return list(call(*ones, *carry, *first, *rows, *before, *before))

    def most_steps(self) -> int:
        """The largest power of two of steps whose chunks fit into shared memory."""
        copied = [*self.streams.rows, *self.streams.before]
        step = sum(a.dtype.itemsize for a in copied) * self.route.block[0] * self.route.stages
        return 2 ** max(int(math.log2(SHARED_MEMORY / max(step, 1))), 0)

    def place(self, c: Any) -> Any:
        """The number of the chunk that is the c-th to run."""
        return self.chunks - 1 - c if self.loop.is_reversed else c

    def kernel(self, *references: Any) -> None:
        from jax.experimental.pallas import mosaic_gpu

        (size,), j = self.route.block, lax.axis_index("lanes")
        mine = pl.ds(j * size, size)
        counts = [len(some) for some in (*self.streams[:2], self.streams.first, self.streams.rows, self.streams.before)]
        cuts = cut(references, *counts, len(self.streams.before), len(self.loop.outs))
        ones, start, first, rows, before, edges, outs, last = cuts
        ones, start, first = ([r[mine] for r in some] for some in (ones, start, first))

        def store(t: Any, values: Lanes) -> None:
            put(outs, (t, mine), values)

        def chunk(index: Any, *given: Any) -> Lanes:
            *copied, carry = given
            carry = self.steps(self.place(index[0]), (ones, first), carry, copied, store)
            # A barrier, after which the next copy may overwrite what slower warps have yet to read.
            mosaic_gpu.commit_smem()
            return carry

        whole = pl.BlockSpec((self.chunk, size), lambda c: (self.place(c), j))
        # The row before a chunk, in a block by itself.
        edge = pl.BlockSpec((1, size), lambda c: (jnp.maximum(self.place(c) * self.chunk - 1, 0), j))
        pipeline = mosaic_gpu.emit_pipeline(
            chunk,
            grid=(self.chunks,),
            in_specs=[whole] * len([*rows, *before]) + [edge] * len(edges),
            max_concurrent_steps=self.route.stages,
            init_carry=start,
        )
        put(last, mine, pipeline(*rows, *before, *edges))

    def steps(self, place: Any, single: tuple[Lanes, Lanes], carry: Lanes, copied: list[Any], store: Any) -> Lanes:
        """The steps of one chunk. `single` are the arrays that have no time, `copied` the references to the others."""
        (ones, first), (rows, before, edges) = single, cut(copied, len(self.streams.rows), len(self.streams.before))
        edges, is_cut = [r[0] for r in edges], self.loop.steps % self.chunk

        def step(k: Any, carry: Lanes) -> Lanes:
            i = self.chunk - 1 - k if self.loop.is_reversed else k
            t = place * self.chunk + i
            old = [pick(i > 0, r[jnp.maximum(i - 1, 0)], a) for r, a in zip(before, edges, strict=True)]
            new, out = self.loop.advance(t, ones, carry, first, [r[i] for r in rows], old)
            if not is_cut:
                store(t, out)
                return new
            # The last chunk reaches over the end.
            pl.when(t < self.loop.steps)(lambda: store(t, out))
            return [pick(t < self.loop.steps, a, b) for a, b in zip(new, carry, strict=True)]

        return lax.fori_loop(0, self.chunk, step, carry, unroll=min(self.route.unroll, self.chunk))


def _outputs_are_named() -> str:
    """The argument of `mosaic_gpu.kernel` that says what it returns: JAX 0.10.0 has another name for it."""
    from jax.experimental.pallas import mosaic_gpu

    return "out_type" if "out_type" in inspect.signature(mosaic_gpu.kernel).parameters else "out_shape"


__all__ = ["Mosaic"]

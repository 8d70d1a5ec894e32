"""A whole network: input embedding, a stack of recurrent layers, a head. Pure functions of one parameter tree."""

import functools
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.arguments import as_array, check_controls, check_inputs, counted_steps, expected_params
from rnnzoo.cells.base import Cell
from rnnzoo.initializers.base import undrawn
from rnnzoo.models.block import BlockLayer
from rnnzoo.models.layer import Call, Layer, PlainLayer, Stream
from rnnzoo.models.repeats import Network, through
from rnnzoo.models.stack import Stack
from rnnzoo.models.summary import table
from rnnzoo.order import times_backward
from rnnzoo.run import run, run_prepared
from rnnzoo.spec import Size, Spec, UsageError, spec
from rnnzoo.trees import check_tree
from rnnzoo.typing import Array, Bool, Float, Int, Key, Params, PyTree, Shaped, State
from rnnzoo.unrolls.base import Unroll
from rnnzoo.unrolls.inputs import valid_inputs
from rnnzoo.unrolls.scan import Scan


@spec
class Model(Spec, kind="models"):
    """A network of `cell`s for one kind of task. Parameters::

        embed.w (V or I, E)                  if stack.embedding_size; embed.norm ... if stack.embedding_norm
        layer_0.cell ...                     parameters of the cell; layer_0.backward if bidirectional
        layer_1.norm.scale, .bias (F,)       if stack.norm
        layer_0 ...                          those of `Block`, with a stack.pattern
        norm ...                             if stack.final_norm
        head.w (O, F), head.b (O,)           no head.w if stack.tied

    with F the width of what a layer reads or the head reads."""

    cell: Cell
    """The cell of every layer, or of the blocks that have none of their own."""
    input_size: Size
    """Features I of a vector input, or number of symbols V."""
    output_size: Size
    """Number of outputs O."""
    tokens: bool = False
    """Whether the input holds symbol numbers instead of vectors."""
    read: Literal["each", "last", "last_step"] = "each"
    """What the head reads: "each" step; the "last" output of each direction in its order of running, which for the
    backward cells is that at the first step; or the outputs of both directions at the "last_step", as in torch's
    ``y[:, -1]``, where the backward cells have read one input. In one direction the last two are the same."""
    stack: Stack = Stack()
    """How layers are stacked."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.stack.tied and not (self.tokens and self.input_size == self.output_size):
            what = f"{self.input_size} {'tokens' if self.tokens else 'features'} in and {self.output_size} outputs"
            raise UsageError(f"Stack.tied is True, with {what}; accepted: tokens, and as many outputs")
        if self.stack.tied and self.width != self.stack.embedding_size:
            raise UsageError(
                f"Stack.tied is True, the embedding has {self.stack.embedding_size} features, and the head reads "
                f"{self.width}; accepted: as many"
            )

    @property
    def directions(self) -> tuple[str, ...]:
        """The names of a plain layer's cells in the parameters."""
        return ("cell", "backward") if self.stack.bidirectional else ("cell",)

    @property
    def width(self) -> int:
        """Number of features that the last layer returns."""
        if self.stack.pattern:
            return self.stack.embedding_size or self.input_size
        return len(self.directions) * self.cell.output_size

    def layer_input_size(self, layer: int) -> int:
        """Number of features that a layer reads."""
        return self.width if layer else self.stack.embedding_size or self.input_size

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, in order."""
        return _layers(self)

    @property
    def cells(self) -> tuple[tuple[Cell, int], ...]:
        """Every cell with parameters of its own, in order, and the number of features that it reads."""
        return tuple(
            (cell, layer.cell_input_size(self.layer_input_size(n)))
            for n, layer in enumerate(self.layers)
            for cell in layer.cells
        )

    def init(self, key: Key) -> Params:
        """The parameter tree."""
        embed_key, head_key, *keys = jax.random.split(key, 2 + self.stack.layers)
        params: Params = {}
        if self.stack.embedding_size:
            params["embed"] = self._init_embedding(embed_key)
        last = max(1, self.stack.layers - 1)
        for number, (name, layer) in enumerate(self._named()):
            size = self.layer_input_size(number)
            params[name] = layer.init(keys[number], size, number / last, self.stack.layers)
        if self.stack.final_norm is not None:
            params["norm"] = self.stack.final_norm.init(self.width)
        params["head"] = {} if self.stack.tied else {"w": self._draw_head(head_key)}
        if self.stack.head_bias:
            params["head"]["b"] = jnp.zeros(self.output_size)
        return params

    def _init_embedding(self, key: Key) -> Params:
        size = self.stack.embedding_size
        scale = 1.0 if self.tokens else self.input_size**-0.5
        scale = size**-0.5 if self.stack.tied else scale / self.stack.embedding_scale
        params: Params = {"w": scale * jax.random.normal(key, (self.input_size, size))}
        if self.stack.embedding_norm is not None:
            params["norm"] = self.stack.embedding_norm.init(size)
        return params

    def _draw_head(self, key: Key) -> Array:
        draw = self.stack.head_init.kernel if self.stack.head_init else jax.nn.initializers.glorot_uniform(-1, -2)
        return draw(key, (self.output_size, self.width))

    def shapes(self) -> Params:
        """The shapes and dtypes of the parameters. Nothing is drawn, so that they may be larger than memory."""
        model = undrawn(self)
        return jax.eval_shape(lambda: model.init(jax.random.key(0)))

    def summary(self) -> str:
        """A table for people: each part, what it is, the features that it gives, its parameters, and those of U."""
        widths = [*map(self.layer_input_size, range(len(self.layers))), self.width]
        return table(self.layers, widths, self.shapes(), self.output_size)

    def prepare(self, params: Params) -> Params:
        """The parameters with those of all cells prepared, for `apply_prepared`."""
        return {**params, **{name: layer.prepare(params[name]) for name, layer in self._named()}}

    def initial_state(self, params: Params, batch: int) -> State:
        """What `apply` goes on from where no state is given: that of every layer, leaves (B, ...). Of a bidirectional
        layer, that of the cell that runs forward."""
        return self.initial_state_prepared(self.prepare(params), batch)

    def initial_state_prepared(self, ready: Params, batch: int) -> State:
        """`initial_state` from what `prepare` returned."""
        found = {name: layer.initial_state(ready[name]) for name, layer in self._named()}
        return jax.tree.map(lambda a: jnp.broadcast_to(a, (batch, *a.shape)), found)

    def _named(self) -> list[tuple[str, Layer]]:
        """The layers with their names in the parameters and in the state."""
        return [(f"layer_{number}", layer) for number, layer in enumerate(self.layers)]

    def apply(
        self,
        params: PyTree,
        x: Shaped[Array | np.ndarray, "T B ..."],
        state: State | None = None,
        *,
        lengths: Int[Array, " B"] | None = None,
        mask: Bool[Array, "T B"] | None = None,
        resets: Bool[Array, "T B"] | None = None,
        dt: Float[Array, "T B"] | None = None,
        dropout_key: Key | None = None,
        unroll: Unroll = Scan(),  # noqa: B008 (a frozen specification)
    ) -> tuple[Float[Array, "..."], State]:
        """Outputs (T, B, O), or (B, O) of one step each, in float32 or wider; and the state of every layer, for a
        bidirectional one ``{"cell": ..., "backward": ...}``, those of both directions.

        Args:
            params: from `init`.
            x: vectors (T, B, I) or tokens (T, B), integers from 0 to V - 1. Under `jit`, where their
                values are not known, they are checked in a function of `rnnzoo.checked` only.
            state: what an earlier call returned, to go on from there; not for bidirectional stacks.
            lengths: number of valid steps of each sequence (None: all).
            mask: False where a step is left out, as in `rnnzoo.run`.
            resets: True where every layer's state starts anew before the step.
            dt: the time since the step before, for cells that use it (None: 1), the same for all layers. Backward
                cells get the same times between the same steps: at step t that since step t + 1, ``dt[t + 1]``, and at
                the last one ``dt[0]``; steps that are left out do not count.
            dropout_key: draws the dropout masks and the cells' noise; None: neither, as in evaluation.
            unroll: how to compute the recurrences.

        Raises:
            UsageError (a ValueError): a wrong shape or dtype, or tokens that the model does not have.
        """
        self.check_params(params)
        return self._apply(run, params, x, state, lengths, mask, resets, dt, dropout_key, unroll)

    def apply_prepared(
        self, ready: Params, x: Any, state: State | None = None, *, lengths: Any = None, mask: Any = None,
        resets: Any = None, dt: Any = None, unroll: Unroll = Scan(),  # noqa: B008 (a frozen specification)
    ) -> tuple[Array, State]:  # fmt: skip
        """`apply` with what `prepare` returned, for callers that prepare once and run often; without noise."""
        return self._apply(run_prepared, ready, x, state, lengths, mask, resets, dt, None, unroll)

    def _apply(
        self, run: Any, params: Params, x: Any, state: State | None, lengths: Any, mask: Any, resets: Any, dt: Any,
        dropout_key: Key | None, unroll: Unroll,
    ) -> tuple[Array, State]:  # fmt: skip
        self._check_state(state)
        x = as_array(x)
        lengths, mask, resets, dt = (None if a is None else as_array(a) for a in (lengths, mask, resets, dt))
        check_controls(x.shape[:2], lengths, mask, resets)
        counts = counted_steps(x.shape[:2], lengths, mask)
        check_inputs(x, self.input_size, self.tokens, counts)
        if self.read != "each" and x.shape[0] == 0:
            raise UsageError(f"x of shape {x.shape} has no last step to read; accepted: one or more steps")
        run = functools.partial(run, lengths=lengths, mask=mask, resets=resets, unroll=unroll)
        call = Call(_timed(run, self.cells, dt, counts), counts, resets, self.stack.dropout)
        names = [name for name, _ in self._named()]
        states = [None if state is None else state[name] for name in names]
        network = Network(self.layers, [params[name] for name in names], states, dropout_key)
        stream, last = through(network, call, Stream(self._embed(params, x, counts)), unroll.compiled)
        return self._head(params, stream.xs, counts), dict(zip(names, last, strict=True))

    def check_params(self, params: Params) -> None:
        """Raise `UsageError` naming the first array of `params` that is not like those of `init`."""
        check_tree(params, expected_params(self), "params", f"a Model of {type(self.cell).__name__}")

    def _check_state(self, state: State | None) -> None:
        names = [name for name, _ in self._named()]
        if state is not None and self.stack.bidirectional:
            raise UsageError("a bidirectional stack reads whole sequences; it cannot go on from a state")
        if state is not None and set(state) != set(names):
            raise UsageError(f"state has {', '.join(map(str, state))}; accepted: {', '.join(names)}")

    def _embed(self, params: Params, x: Array, counts: Bool[Array, "T B"] | None) -> Array:
        """What the first layer reads."""
        embed = params.get("embed")
        if not self.tokens:
            if embed is None and not self._adds:
                return jnp.asarray(x)
            x = valid_inputs(jnp.asarray(x), counts)  # not only a cell reads them
            ys = x if embed is None else x @ embed["w"]
        else:
            x = x.astype(jnp.promote_types(x.dtype, jnp.int32))  # one_hot counts up to V in the dtype of x
            if embed is None:
                return jax.nn.one_hot(x, self.input_size, dtype=jnp.result_type(float))
            ys = embed["w"][x]
        if self.stack.embedding_scale != 1:
            ys = self.stack.embedding_scale * ys
        return ys if self.stack.embedding_norm is None else self.stack.embedding_norm(params["embed"]["norm"], ys)

    def _head(self, params: Params, ys: Array, counts: Bool[Array, "T B"] | None) -> Array:
        if self._adds and counts is not None:  # there are numbers where cells give zeros
            ys = jnp.where(counts[..., None], ys, 0)
        if self.read != "each":
            ys = self._last(ys, counts)
        ys = ys.astype(jnp.promote_types(ys.dtype, jnp.float32))
        if self.stack.final_norm is not None:
            ys = self.stack.final_norm(params["norm"], ys)
        out = ys @ (params["embed"] if self.stack.tied else params["head"])["w"].T
        out = out + params["head"]["b"] if self.stack.head_bias else out
        return self.stack.soft_cap * jnp.tanh(out / self.stack.soft_cap) if self.stack.soft_cap else out

    @property
    def _adds(self) -> bool:
        """Whether what a layer reads is part of what it returns."""
        return bool(self.stack.pattern) or self.stack.residual

    def _last(self, ys: Array, active: Bool[Array, "T B"] | None) -> Array:
        """What the head reads of each sequence, at its last step that counts or, backward and with "last", at its first
        one; zeros for empty sequences."""
        if active is None:
            ends, starts = ys[-1], ys[0]
        else:
            time = ys.shape[0]
            at = time - 1 - jnp.argmax(active[::-1], 0), jnp.argmax(active, 0)
            ends, starts = (jnp.take_along_axis(ys, t[None, :, None], 0)[0] * active.any(0)[:, None] for t in at)
        if not self.stack.bidirectional or self.read == "last_step":
            return ends
        half = self.cell.output_size  # the backward cell ends at the first step
        return jnp.concatenate([ends[:, :half], starts[:, half:]], -1)


@functools.lru_cache(maxsize=256)
def _layers(model: Model) -> tuple[Layer, ...]:
    stack = model.stack
    if not stack.pattern:
        return tuple(
            PlainLayer(model.cell, model.directions, stack.norm and n > 0, stack.residual) for n in range(stack.layers)
        )
    blocks = [stack.pattern[n % len(stack.pattern)] for n in range(stack.layers)]
    return tuple(BlockLayer(block, block.cell or model.cell, model.width) for block in blocks)


def _timed(run: Any, cells: Any, dt: Any, counts: Any) -> Any:
    """`run`, with the time for those cells that use it. If none does, `rnnzoo.run` says so."""
    some = any(cell.uses_dt for cell, _ in cells)

    def timed(
        cell: Cell, params: Params, xs: Array, state: State | None = None, reverse: bool = False, **options: Any
    ) -> tuple[Array, State]:
        times = dt if cell.uses_dt or not some else None
        if reverse and times is not None:  # the forward cell has run, so that it has the right shape
            times = times_backward(jnp.asarray(times), counts)
        return run(cell, params, xs, state, dt=times, reverse=reverse, **options)

    return timed


__all__ = ["Model"]

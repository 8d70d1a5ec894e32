"""A whole network: input embedding, a stack of recurrent layers, a head. Pure functions of one parameter tree."""

import functools
from typing import Any, Literal

import jax
import jax.numpy as jnp

from rnnzoo.arguments import as_array, check_controls, check_inputs, counted_steps, expected_params
from rnnzoo.cells.base import Cell
from rnnzoo.initializers import Initializer
from rnnzoo.run import run, run_prepared
from rnnzoo.spec import Count, Fraction, Size, Spec, UsageError, spec
from rnnzoo.trees import check_tree
from rnnzoo.typing import Array, Bool, Float, Int, Key, Params, Shaped, State
from rnnzoo.unrolls.base import Unroll
from rnnzoo.unrolls.scan import Scan


@spec
class Stack(Spec, kind="models"):
    """How recurrent layers are stacked between the input and the head."""

    layers: Size = 1
    """Number of recurrent layers."""
    embedding_size: Count = 0
    """Width of a learned embedding of the input; 0 feeds vectors as they are and tokens one-hot."""
    residual: bool = False
    """Add each layer's input to its output, where the two have one width."""
    norm: bool = False
    """Layer normalisation (Ba et al. 2016, arXiv:1607.06450) of the input of every layer after the first."""
    dropout: Fraction = 0.0
    """Probability of dropping a layer's output in training (Zaremba et al. 2014, arXiv:1409.2329)."""
    bidirectional: bool = False
    """Run every layer in both directions and concatenate the outputs."""
    head_bias: bool = True
    """Whether the output layer has a bias."""
    head_init: Initializer | None = None
    """How the weights of the output layer are drawn (None: Glorot uniform)."""


@spec
class Model(Spec, kind="models"):
    """A network of `cell`s for one kind of task. Parameters::

        embed.w (V or I, E)                  if stack.embedding_size
        layer_0.cell ...                     parameters of the cell; layer_0.backward if bidirectional
        layer_1.norm.scale, .bias (F,)       if stack.norm
        head.w (O, F), head.b (O,)

    with F the width of what a layer reads or the head reads."""

    cell: Cell
    """The cell of every layer."""
    input_size: Size
    """Features I of a vector input, or number of symbols V."""
    output_size: Size
    """Number of outputs O."""
    tokens: bool = False
    """Whether the input holds symbol numbers instead of vectors."""
    read: Literal["each", "last"] = "each"
    """Whether the head reads every step or the last one of each sequence."""
    stack: Stack = Stack()
    """How layers are stacked."""

    @property
    def directions(self) -> tuple[str, ...]:
        """The names of a layer's cells in the parameters."""
        return ("cell", "backward") if self.stack.bidirectional else ("cell",)

    @property
    def width(self) -> int:
        """Number of features a layer returns."""
        return len(self.directions) * self.cell.output_size

    def layer_input_size(self, layer: int) -> int:
        """Number of features that a layer reads."""
        return self.width if layer else self.stack.embedding_size or self.input_size

    def init(self, key: Key) -> Params:
        """The parameter tree."""
        embed_key, head_key, *keys = jax.random.split(key, 2 + self.stack.layers)
        params: Params = {}
        if self.stack.embedding_size:
            shape = (self.input_size, self.stack.embedding_size)
            scale = 1.0 if self.tokens else self.input_size**-0.5
            params["embed"] = {"w": scale * jax.random.normal(embed_key, shape)}
        for layer, layer_key in enumerate(keys):
            params[f"layer_{layer}"] = self._init_layer(layer, layer_key)
        draw = self.stack.head_init.kernel if self.stack.head_init else jax.nn.initializers.glorot_uniform(-1, -2)
        params["head"] = {"w": draw(head_key, (self.output_size, self.width))}
        if self.stack.head_bias:
            params["head"]["b"] = jnp.zeros(self.output_size)
        return params

    def _init_layer(self, layer: int, key: Key) -> Params:
        size = self.layer_input_size(layer)
        keys = jax.random.split(key, len(self.directions))
        params: Params = {d: self.cell.init(k, size) for d, k in zip(self.directions, keys, strict=True)}
        if self.stack.norm and layer:
            params["norm"] = {"scale": jnp.ones(size), "bias": jnp.zeros(size)}
        return params

    def prepare(self, params: Params) -> Params:
        """The parameters with those of all cells prepared, for `apply_prepared`."""
        ready = dict(params)
        for name in self._layers():
            ready[name] = {**params[name], **{d: self.cell.prepare(params[name][d]) for d in self.directions}}
        return ready

    def initial_state(self, params: Params, batch: int) -> State:
        """What `apply` goes on from where no state is given: that of every layer, leaves (B, ...). Of a bidirectional
        layer, that of the cell that runs forward."""
        return self.initial_state_prepared(self.prepare(params), batch)

    def initial_state_prepared(self, ready: Params, batch: int) -> State:
        """`initial_state` from what `prepare` returned."""
        found = {}
        for name in self._layers():
            state = self.cell.initial_state(ready[name]["cell"])
            found[name] = jax.tree.map(lambda a: jnp.broadcast_to(a, (batch, *a.shape)), state)
        return found

    def _layers(self) -> list[str]:
        return [f"layer_{layer}" for layer in range(self.stack.layers)]

    def apply(
        self,
        params: Params,
        x: Shaped[Array, "T B ..."],
        state: State | None = None,
        *,
        lengths: Int[Array, " B"] | None = None,
        mask: Bool[Array, "T B"] | None = None,
        resets: Bool[Array, "T B"] | None = None,
        dt: Float[Array, "T B"] | None = None,
        dropout_key: Key | None = None,
        unroll: Unroll = Scan(),  # noqa: B008 (a frozen specification)
    ) -> tuple[Float[Array, "..."], State]:
        """Outputs (T, B, O), or (B, O) read at the last step, in float32 or wider; and the state of every layer, for a
        bidirectional one ``{"cell": ..., "backward": ...}``, those of both directions.

        Args:
            params: from `init`.
            x: vectors (T, B, I) or tokens (T, B), integers from 0 to V - 1. Under `jit`, where their
                values are not known, they are checked in a function of `rnnzoo.checked` only.
            state: what an earlier call returned, to go on from there; not for bidirectional stacks.
            lengths: number of valid steps of each sequence (None: all).
            mask: False where a step is left out, as in `rnnzoo.run`.
            resets: True where every layer's state starts anew before the step.
            dt: the time since the step before, for cells that use it (None: 1), the same for all layers.
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
        self, run: Any, params: Params, x: Array, state: State | None, lengths: Any, mask: Any, resets: Any, dt: Any,
        dropout_key: Key | None, unroll: Unroll,
    ) -> tuple[Array, State]:  # fmt: skip
        self._check_state(state)
        x = as_array(x)
        lengths, mask, resets = (None if a is None else as_array(a) for a in (lengths, mask, resets))
        check_controls(x.shape[:2], lengths, mask, resets)
        counts = counted_steps(x.shape[:2], lengths, mask)
        check_inputs(x, self.input_size, self.tokens, counts)
        if self.read == "last" and x.shape[0] == 0:
            raise UsageError(f"x of shape {x.shape} has no last step to read; accepted: one or more steps")
        run = functools.partial(run, self.cell, lengths=lengths, mask=mask, resets=resets, dt=dt, unroll=unroll)
        ys, last = self._embed(params, x), {}
        for layer, name in enumerate(self._layers()):
            inputs, here = ys, params[name]
            before = None if state is None else state[name]
            read = _layer_norm(here["norm"], inputs) if "norm" in here else inputs
            key = None if dropout_key is None else jax.random.fold_in(dropout_key, self.stack.layers + layer)
            ys, last[name] = self._layer(run, here, read, before, key)
            if dropout_key is not None and self.stack.dropout:
                ys = _dropout(jax.random.fold_in(dropout_key, layer), ys, self.stack.dropout)
            if self.stack.residual and ys.shape == inputs.shape:
                ys = ys + inputs
        if self.read == "last":
            ys = self._last(ys, counts)
        ys = ys.astype(jnp.promote_types(ys.dtype, jnp.float32))
        out = ys @ params["head"]["w"].T
        return (out + params["head"]["b"] if self.stack.head_bias else out), last

    def check_params(self, params: Params) -> None:
        """Raise `UsageError` naming the first array of `params` that is not like those of `init`."""
        check_tree(params, expected_params(self), "params", f"a Model of {type(self.cell).__name__}")

    def _check_state(self, state: State | None) -> None:
        if state is not None and self.stack.bidirectional:
            raise UsageError("a bidirectional stack reads whole sequences; it cannot go on from a state")
        if state is not None and set(state) != set(self._layers()):
            raise UsageError(f"state has {', '.join(map(str, state))}; accepted: {', '.join(self._layers())}")

    def _embed(self, params: Params, x: Array) -> Array:
        if not self.tokens:
            return x @ params["embed"]["w"] if "embed" in params else jnp.asarray(x)
        x = x.astype(jnp.promote_types(x.dtype, jnp.int32))  # one_hot counts up to V in the dtype of x
        if "embed" in params:
            return params["embed"]["w"][x]
        return jax.nn.one_hot(x, self.input_size, dtype=jnp.result_type(float))

    def _layer(self, run: Any, params: Params, xs: Array, state: State | None, key: Key | None) -> tuple[Array, State]:
        ys, last = run(params["cell"], xs, state, key=key)
        if not self.stack.bidirectional:
            return ys, last
        key = None if key is None else jax.random.fold_in(key, 2)
        back, last_back = run(params["backward"], xs, reverse=True, key=key)
        return jnp.concatenate([ys, back], -1), {"cell": last, "backward": last_back}

    def _last(self, ys: Array, active: Bool[Array, "T B"] | None) -> Array:
        """What the head reads: each direction's output at the last step that it ran; zeros for empty sequences."""
        if active is None:
            ends, starts = ys[-1], ys[0]
        else:
            time = ys.shape[0]
            at = time - 1 - jnp.argmax(active[::-1], 0), jnp.argmax(active, 0)
            ends, starts = (jnp.take_along_axis(ys, t[None, :, None], 0)[0] * active.any(0)[:, None] for t in at)
        if not self.stack.bidirectional:
            return ends
        half = self.cell.output_size  # the backward cell ends at the first step
        return jnp.concatenate([ends[:, :half], starts[:, half:]], -1)


def _layer_norm(params: Params, x: Array, epsilon: float = 1e-5) -> Array:
    wide = x.astype(jnp.promote_types(x.dtype, jnp.float32))
    centred = wide - wide.mean(-1, keepdims=True)
    scaled = centred * jax.lax.rsqrt((centred**2).mean(-1, keepdims=True) + epsilon)
    return (scaled * params["scale"] + params["bias"]).astype(x.dtype)


def _dropout(key: Key, x: Array, rate: float) -> Array:
    keep = jax.random.bernoulli(key, 1 - rate, x.shape)
    return jnp.where(keep, x / max(1 - rate, 1e-9), 0)


__all__ = ["Model", "Stack"]

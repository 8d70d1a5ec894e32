"""Local multi-query attention, the layer between Griffin's recurrent ones."""

import math
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from rnnzoo.models.linear import init_linear, linear
from rnnzoo.spec import Positive, Size, Spec, UsageError, derived, spec
from rnnzoo.typing import Array, Bool, Float, Key, Params, State, cast

FEWEST = 128  # queries that are computed at once, if there are as many


class _Steps(NamedTuple):
    """The steps that count, of one sequence, one after the other; T of them, the rest is padding."""

    q: Float[Array, "T H K"]
    k: Float[Array, "T K"]
    v: Float[Array, "T K"]
    segment: Float[Array, " T"]  # how many resets there have been; -1 for padding


@spec
class LocalAttention(Spec, kind="attentions"):
    """Sliding-window attention with one head of keys and values for all heads of queries (De et al. 2024, section 2.4,
    arXiv:2402.19427; Shazeer 2019, arXiv:1911.02150)::

        q_h = rotated(W_q,h x_t)   k_t = rotated(W_k x_t)     Parameters  q.w (H K, I)   k.w, v.w (K, I)
        v_t = W_v x_t
        y_h = sum_s softmax_s(q_h . k_s / sqrt(K)) v_s        State       k, v (N, K)  there (N,)
                                                              Output      y (H K,)

    over the step itself and the N = `window` steps before it. The first half of every head is rotated by the position
    of its step (rotary embedding, Su et al. 2021, arXiv:2104.09864). The state has the keys and values of the last N
    steps, the newest last, before rotation, and 1 in `there` for those that have been. After a reset, and past a step
    that does not count, nothing reaches back to them. The output projection belongs to the block."""

    heads: Size = 1
    """Number of heads of queries H."""
    head_size: Size = 2
    """Size K of a head, even."""
    window: Size = 1024
    """How many steps before its own a step sees."""
    base: Positive = 10000.0
    """Wavelengths of the rotation go from 2 pi to 2 pi times this."""
    dtype: Literal["float32", "bfloat16", "float16"] | None = None
    """Compute and output dtype (None: that of inputs and parameters). The softmax is in float32 or wider."""

    output_size = derived(lambda self: self.heads * self.head_size)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.head_size % 4 and self.head_size != 2:
            raise UsageError(f"LocalAttention.head_size is {self.head_size}; accepted: 2, or a multiple of 4")

    def init(self, key: Key, input_size: int) -> Params:
        """The parameters for so many input features."""
        sizes = {"q": self.output_size, "k": self.head_size, "v": self.head_size}
        keys = zip(sizes, jax.random.split(key, 3), strict=True)
        return {name: init_linear(k, sizes[name], input_size, bias=False) for name, k in keys}

    def prepare(self, params: Params) -> Params:
        """The parameters in the compute dtype."""
        return cast(params, self.dtype)

    def initial_state(self, params: Params) -> State:
        """The state of one sequence: no step has been."""
        dtype = jnp.result_type(*jax.tree.leaves(params), jnp.float32)
        empty = jnp.zeros((self.window, self.head_size), dtype)
        return {"k": empty, "v": empty, "there": jnp.zeros(self.window, dtype)}

    def apply(
        self, params: Params, xs: Float[Array, "T B I"], state: State | None, counts: Bool[Array, "T B"] | None,
        resets: Bool[Array, "T B"] | None,
    ) -> tuple[Float[Array, "T B O"], State]:  # fmt: skip
        """Outputs and the last state; zeros at steps that do not count."""
        time, batch = xs.shape[:2]
        initial = jax.tree.map(lambda a: jnp.broadcast_to(a, (batch, *a.shape)), self.initial_state(params))
        before = initial if state is None else state
        q, k, v = (linear(params[name], xs) for name in "qkv")
        q = q.reshape(time, batch, self.heads, self.head_size)
        active = jnp.ones((time, batch), bool) if counts is None else counts
        reset = jnp.zeros((time, batch), bool) if resets is None else resets & active
        if isinstance(time, int) and not time:
            return q.reshape(time, batch, self.output_size), before
        ys, last = jax.vmap(self._one, (1, 1, 1, 1, 1, 0), (1, 0))(q, k, v, active, reset, before)
        return ys.astype(q.dtype), last

    def _one(self, q: Any, k: Any, v: Any, active: Any, reset: Any, state: State) -> tuple[Array, State]:
        """One sequence: the steps that count are moved to the front, attended, and moved back."""
        time, n = q.shape[0], self.window
        order, rank, count = jnp.argsort(~active, stable=True), jnp.cumsum(active) - 1, active.sum()
        segment = jnp.where(active, jnp.cumsum(reset), -1)[order]
        k, v = (jnp.concatenate([state[name], a[order].astype(state[name].dtype)]) for name, a in (("k", k), ("v", v)))
        segment = jnp.concatenate([jnp.where(state["there"] > 0, 0, -1), segment])
        ys = self._attended(_Steps(q[order], k, v, segment))
        ys = jnp.where(active[:, None], ys.reshape(time, -1)[jnp.maximum(rank, 0)], 0)
        newest = segment[n:].max(initial=0)  # resets so far
        there = (segment == newest).astype(state["there"].dtype)
        keep = {"k": k, "v": v, "there": there}
        return ys, {name: lax.dynamic_slice_in_dim(a, count, n) for name, a in keep.items()}

    def _attended(self, steps: _Steps) -> Float[Array, "T H K"]:
        """The outputs of all queries, some at a time: step t is number N + t among keys, values and segments."""
        time, n = steps.q.shape[0], self.window
        some = min(time, max(n, FEWEST)) if isinstance(time, int) else time  # all at once for a symbol of jax.export
        blocks = math.ceil(time / some) if isinstance(time, int) else 1
        padding = blocks * some - time
        q = jnp.pad(steps.q, ((0, padding), (0, 0), (0, 0)))
        k, v = (jnp.pad(a, ((0, padding), (0, 0))) for a in (steps.k, steps.v))
        segment = jnp.pad(steps.segment, (0, padding), constant_values=-1)
        place = jnp.arange(n + some)  # of keys relative to the first of them: positions count as far as they differ
        near = (place >= place[:some, None]) & (place <= place[:some, None] + n)

        def block(start: Any) -> Array:
            queries = lax.dynamic_slice_in_dim(q, start, some)
            keys, values, of = (lax.dynamic_slice_in_dim(a, start, n + some) for a in (k, v, segment))
            seen = near & (of == of[n:, None]) & (of >= 0)
            wide = jnp.promote_types(keys.dtype, jnp.float32)
            queries, keys = self._rotated(queries.astype(wide), place[n:, None]), self._rotated(keys, place)
            scores = jnp.einsum("qhk,sk->hqs", queries, keys) / self.head_size**0.5
            weights = jax.nn.softmax(jnp.where(seen, scores, jnp.finfo(wide).min), -1)
            return jnp.einsum("hqs,sk->qhk", weights, values)

        found = lax.map(block, some * jnp.arange(blocks)) if blocks > 1 else block(0)[None]
        return found.reshape(blocks * some, self.heads, self.head_size)[:time]

    def _rotated(self, x: Float[Array, "... K"], place: Array) -> Float[Array, "... K"]:
        """The first half of each head turned by its place, in pairs (i, i + K / 4)."""
        turned, rest = jnp.split(x, 2, -1)
        if self.head_size == 2:
            return x
        quarter = self.head_size // 4
        angle = place[..., None] * self.base ** (-jnp.arange(quarter) / quarter)
        cos, sin = jnp.cos(angle).astype(x.dtype), jnp.sin(angle).astype(x.dtype)
        one, two = jnp.split(turned, 2, -1)
        return jnp.concatenate([one * cos - two * sin, two * cos + one * sin, rest], -1)


__all__ = ["LocalAttention"]

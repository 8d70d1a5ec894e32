"""Matrix-to-matrix RNN, M2RNN (Mishra et al. 2026). arXiv:2603.14360"""

import math

import jax
import jax.numpy as jnp
from jax.nn import softplus

from rnnzoo.cells.base import Cell
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import Size, UsageError, spec
from rnnzoo.structures.base import Algebra, Structure
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State, cast

_LARGEST_A, _DT = 16.0, (1e-3, 0.1)  # at first, of the authors' decay gate


@spec
class M2RNN(Cell):
    """A matrix (K, V) for each of N = `heads` heads, with V = H / N, and U_n (V, V) that acts on its rows::

        q_t k_t v_t = W_q x_t + b_q, ...          Parameters  w.q w.k w.v w.f  (N K, I) (N K, I) (H, I) (N, I)
        f_t = exp(-exp(a) softplus(W_f x_t + dt))             b.q b.k b.v      (N K,) (N K,) (H,)
        m_t = tanh(s_tm1 U_n^T + k_t v_t^T)                   decay.a decay.dt (N,)
        s_t = f_t s_tm1 + (1 - f_t) m_t                       transition       structure, one of V units a head
        y_t = s_t^T q_t + d * v_t                             d                (N, V), with `skip`
                                                  State       s (N, K, V)      Output  y (N V,) = (H,)

    with one decay f_t for a head. Unlike a linear matrix memory it is not linear in s, so that it runs step by step.
    U_n is the transpose of the authors' W_n, and starts as the identity, as theirs, where the structure has it.

    This is the recurrence in the authors' language models (their lm-engine), with its value residual d, which starts at
    1, and its decay gate: exp(a) uniform in (0, 16), softplus(dt) log-uniform in (0.001, 0.1) at first. Their layer has
    a short convolution before it, an output gate, a norm and an output projection after it, and can clip the gradient
    of s; these are not part of the cell. f_t is computed in float32 or wider whatever `dtype` is."""

    gates = ("q", "k", "v", "f")
    carries = ()  # its state is not one of vectors
    elementwise = False

    heads: Size = 1
    """Number of heads N, which divides hidden_size."""
    key_size: Size | None = None
    """Rows of s, K (None: as many as V)."""
    shared_keys: bool = False
    """Whether one q_t and one k_t serve all heads, as in the paper's language models; w.q and w.k then are (K, I)."""
    skip: bool = True
    """Whether the output has d * v_t."""
    structure: Structure = Dense()
    """The structure of the matrices U_n."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.hidden_size % self.heads:
            raise UsageError(
                f"M2RNN.heads is {self.heads}; accepted: a number that divides hidden_size, which is {self.hidden_size}"
            )
        self.structure.check(self._values)

    @property
    def _values(self) -> int:
        return self.hidden_size // self.heads

    @property
    def _keys(self) -> int:
        return self._values if self.key_size is None else self.key_size

    def init(self, key: Key, input_size: int) -> Params:
        w_key, u_key, a_key, dt_key = jax.random.split(key, 4)
        draw = self.kernel_init.kernel if self.kernel_init else jax.nn.initializers.glorot_uniform(0, 1)
        keys = (1 if self.shared_keys else self.heads) * self._keys
        sizes = {"q": keys, "k": keys, "v": self.hidden_size, "f": self.heads}
        draws = zip(sizes.items(), jax.random.split(w_key, 4), strict=True)
        least = float(jnp.finfo(jnp.float32).eps)
        a = _LARGEST_A * jax.random.uniform(a_key, (self.heads,), minval=least)
        low, high = map(math.log, _DT)
        dt = jnp.exp(jax.random.uniform(dt_key, (self.heads,), minval=low, maxval=high))
        params: Params = {
            "w": {gate: draw(k, (size, input_size)) for (gate, size), k in draws},
            "decay": {"a": jnp.log(a), "dt": dt + jnp.log(-jnp.expm1(-dt))},  # softplus of it is dt
            "transition": jax.vmap(self._first_u)(jax.random.split(u_key, self.heads)),
        }
        if self.bias:
            params["b"] = {gate: jnp.zeros(sizes[gate]) for gate in "qkv"}
        return params | ({"d": jnp.ones((self.heads, self._values))} if self.skip else {})

    def _first_u(self, key: Key) -> PyTree:
        """The identity, where the structure has it."""
        if isinstance(self.structure, Algebra):
            try:
                return self.structure.identity(self._values)
            except UsageError:
                pass
        return self.structure.init(key, self._values)

    def prepare(self, params: Params) -> Params:
        decay = {name: a.astype(jnp.promote_types(a.dtype, jnp.float32)) for name, a in params["decay"].items()}
        u = jax.vmap(self.structure.materialize)(params["transition"])
        return {**cast({**params, "transition": u}, self.dtype), "decay": decay}

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        """q_t, k_t (N, K), v_t (N, V), and W_f x_t (N,), of which f_t is made in float32."""
        z_t = {gate: x_t @ w.T for gate, w in params["w"].items()}
        if self.bias:
            z_t |= {gate: z_t[gate] + b for gate, b in params["b"].items()}
        q, k = (jnp.broadcast_to(z_t[g].reshape(-1, self._keys), (self.heads, self._keys)) for g in "qk")
        return {"q": q, "k": k, "v": z_t["v"].reshape(self.heads, self._values), "f": z_t["f"]}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        s_tm1, decay = state["s"], params["decay"]
        log_f = -jnp.exp(decay["a"]) * softplus(z_t["f"] + decay["dt"])
        low = s_tm1 if self.dtype is None else s_tm1.astype(self.dtype)
        rows = jax.vmap(jax.vmap(self.structure.matvec, (None, 0)))(params["transition"], low).astype(s_tm1.dtype)
        m_t = jnp.tanh(rows + z_t["k"][..., None] * z_t["v"][:, None])
        f_t, rest = jnp.exp(log_f)[:, None, None], -jnp.expm1(log_f)[:, None, None]
        return {"s": f_t * s_tm1 + rest * m_t}

    def readout(self, params: Params, state: State, z_t: PyTree) -> Float[Array, " O"]:
        y_t = jnp.einsum("nk,nkv->nv", z_t["q"], state["s"])
        return (y_t + params["d"] * z_t["v"] if self.skip else y_t).reshape(-1)

    def initial_state(self, params: Params) -> State:
        dtype = jnp.result_type(*jax.tree.leaves(params), jnp.float32)
        return {"s": jnp.zeros((self.heads, self._keys, self._values), dtype)}

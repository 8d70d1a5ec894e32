"""Coupled oscillatory network, coRNN (Rusch & Mishra 2021), and its heterogeneous form, RON (Ceni et al. 2024).

arXiv:2010.00951, https://proceedings.mlr.press/v238/ceni24a.html
"""

import jax
import jax.numpy as jnp

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import NonNegative, Positive, derived, spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State


@spec
class CoRNN(Recurrent):
    """H oscillators, y'' = tanh(W x + b + U_y y + U_v y') - gamma * y - epsilon * y'. With dt the time since the step
    before, 1 unless ``run(..., dt=...)`` says otherwise::

        s_t = step_size * dt                                            Parameters  w.y  (H, I)   b.y  (H,)
        a_t = tanh(W_y x_t + b_y + U_y y_tm1 + U_v v_tm1)                           u.y  structure
        v_t = v_tm1 + s_t * (a_t - gamma * y_tm1 - epsilon * v_tm1)                 u.v  structure, `hears_velocity`
        y_t = y_tm1 + s_t * v_t                                                     gamma    (H,), with gamma_range
                                                                                    epsilon  (H,), with epsilon_range
                                                                        State       v, y (H,)   Output  y

    v_t is the paper's z_t, a name that z_t has taken here. The damping is explicit, as in the authors' code. The
    elapsed time dt is ours: the paper's steps are all alike. The defaults are those of the code for sequential MNIST.

    RON has a gamma and an epsilon for each unit and no U_v: ``CoRNN(gamma_range=..., epsilon_range=...,
    hears_velocity=False)``. There all weights stay as drawn; here they are parameters like others, float32 or wider
    whatever `dtype` is."""

    gates = ("y",)
    carries = ("v", "y")
    uses_dt = True
    recurrent_gates = derived(lambda self: ("y", "v") if self.hears_velocity else ("y",))

    structure: Structures = Dense()
    step_size: Positive = 0.042
    """The step in time for dt = 1, the paper's Delta t."""
    gamma: NonNegative = 2.7
    """The frequency of all oscillators, squared; with gamma_range, the middle of what theirs start at."""
    epsilon: NonNegative = 4.7
    """The damping of all oscillators; with epsilon_range, the middle of what theirs start at."""
    gamma_range: NonNegative | None = None
    """Each oscillator has its own gamma, at first uniform over a range of this length (None: all have one)."""
    epsilon_range: NonNegative | None = None
    """Each oscillator has its own epsilon, at first uniform over a range of this length (None: all have one)."""
    hears_velocity: bool = True
    """Whether the oscillators hear each other's velocities, by U_v."""

    @property
    def _ranges(self) -> dict[str, tuple[float, float]]:
        """The middle and the length of the range of each parameter that every unit has its own of."""
        found = {"gamma": (self.gamma, self.gamma_range), "epsilon": (self.epsilon, self.epsilon_range)}
        return {name: (middle, length) for name, (middle, length) in found.items() if length is not None}

    def init(self, key: Key, input_size: int) -> Params:
        key, *keys = jax.random.split(key, 3)
        params = super().init(key, input_size)
        for name_key, (name, (middle, length)) in zip(keys, self._ranges.items(), strict=False):
            params[name] = middle + length * jax.random.uniform(name_key, (self.hidden_size,), minval=-0.5, maxval=0.5)
        return params

    def prepare(self, params: Params) -> Params:
        kept = {name: params[name] for name in self._ranges}
        kept = {name: a.astype(jnp.promote_types(a.dtype, jnp.float32)) for name, a in kept.items()}
        return {**super().prepare(params), **kept}

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        return {**super().project(params, x_t[:-1]), "dt": x_t[-1]}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        v_tm1, y_tm1 = state["v"], state["y"]
        gamma, epsilon = params.get("gamma", self.gamma), params.get("epsilon", self.epsilon)
        s_t = self.step_size * z_t["dt"]
        a = recur({"y": y_tm1, "v": v_tm1} if self.hears_velocity else {"y": y_tm1})
        a_t = jnp.tanh(a["y"] + a["v"] if self.hears_velocity else a["y"])
        v_t = v_tm1 + s_t * (a_t - gamma * y_tm1 - epsilon * v_tm1)
        return {"v": v_t, "y": y_tm1 + s_t * v_t}

    def readout(self, params: Params, state: State, z_t: PyTree) -> Float[Array, " O"]:
        return state["y"]

"""Liquid time-constant network, LTC (Hasani et al. 2021). arXiv:2006.04439"""

from typing import Annotated

import jax
import jax.numpy as jnp
from jax.nn import sigmoid, softplus

from rnnzoo.cells.base import Cell
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import Range, spec
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State, cast

EPSILON = 1e-8  # lest a conductance of 0 be divided by
RANGES = {"w": (0.001, 1.0), "mu": (0.3, 0.8), "sigma": (3.0, 8.0)}  # of what synapses start at, uniformly
LEAKS = {"leak": (0.001, 1.0), "rest": (-0.2, 0.2), "capacity": (0.4, 0.6)}


@spec
class LTC(Cell):
    """Potentials v of H neurons, with a synapse from every input and every neuron to every neuron::

        C v'_i = leak_i * (rest_i - v_i) + sum_j s_ij(v_j) * (e_ij - v_i) + sum_j s_ij(u_j) * (e_ij - v_i)
        s_ij(v) = w_ij * sigmoid(sigma_ij * (v - mu_ij))      Parameters  synapse.w .mu .sigma .e  (H, H)
        u_t = input.w * x_t + input.b                                     sensory.w .mu .sigma .e  (H, I)
        y_t = output.w * h_t + output.b                                   leak rest capacity       (H,)
                                                                          input.w input.b  (I,)
                                                                          output.w output.b  (H,)
                                                              State       h (H,), which is v   Output  y (H,)

    solved over the time dt since the step before (1 unless ``run(..., dt=...)`` says otherwise) by the paper's fused
    solver: n = `unfolds` steps, implicit in v_i where it decays and explicit elsewhere, each ::

        c = n * C / dt
        v_i = (c * v_i + leak_i * rest_i + sum_j s_ij e_ij) / (c + leak_i + sum_j s_ij + 1e-8)

    with sums over neurons and inputs. As in the authors' code (ncps), fully wired, with its "implicit" constraints: w,
    leak and capacity C go through softplus, so that they are positive. Parameters start as there, uniform; e, the
    reversal potential of a synapse, at 1 for two of three and -1 for the others. Each synapse has a function of its
    own, so that there is no matrix U that could have a structure, and `kernel_init` draws nothing."""

    gates = ()
    elementwise = False
    uses_dt = True

    unfolds: Annotated[int, Range(low=1, high=64)] = 6
    """Steps of the solver n for one step of the sequence."""

    def init(self, key: Key, input_size: int) -> Params:
        keys = jax.random.split(key, 3)
        leaks = zip(LEAKS.items(), jax.random.split(keys[2], len(LEAKS)), strict=True)
        params: Params = {name: _uniform(k, (self.hidden_size,), *ends) for (name, ends), k in leaks}
        params["synapse"] = _synapses(keys[0], (self.hidden_size, self.hidden_size))
        params["sensory"] = _synapses(keys[1], (self.hidden_size, input_size))
        for name, size in (("input", input_size), ("output", self.hidden_size)):
            params[name] = {"w": jnp.ones(size)} | ({"b": jnp.zeros(size)} if self.bias else {})
        return params

    def prepare(self, params: Params) -> Params:
        positive = {name: _positive(params[name]) for name in ("leak", "capacity")}
        synapses = {n: {**params[n], "w": _positive(params[n]["w"])} for n in ("synapse", "sensory")}
        return cast({**params, **synapses}, self.dtype) | positive

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        """What all inputs together do to each neuron, and dt."""
        current, conductance = _through(params["sensory"], _affine(params["input"], x_t[:-1]))
        return {"current": current, "conductance": conductance, "dt": x_t[-1]}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        # All is multiplied by dt / n, so that dt may be 0.
        h, dt = state["h"], z_t["dt"] / self.unfolds
        leak, capacity, rest = (params[name].astype(h.dtype) for name in ("leak", "capacity", "rest"))
        for _ in range(self.unfolds):
            current, conductance = _through(params["synapse"], h)
            current = current + z_t["current"] + leak * rest
            conductance = conductance + z_t["conductance"] + leak + EPSILON
            h = (capacity * h + dt * current) / (capacity + dt * conductance)
        return {"h": h}

    def readout(self, params: Params, state: State, z_t: PyTree) -> Float[Array, " O"]:
        return _affine(params["output"], state["h"])


def _uniform(key: Key, shape: tuple[int, ...], low: float, high: float) -> Array:
    return jax.random.uniform(key, shape, minval=low, maxval=high)


def _synapses(key: Key, shape: tuple[int, int]) -> Params:
    """From each of the second axis to each of the first."""
    key, *keys = jax.random.split(key, 1 + len(RANGES))
    drawn = {name: _uniform(k, shape, *ends) for (name, ends), k in zip(RANGES.items(), keys, strict=True)}
    return {**drawn, "e": jnp.where(jax.random.bernoulli(key, 2 / 3, shape), 1.0, -1.0)}


def _positive(a: Array) -> Array:
    return softplus(a.astype(jnp.promote_types(a.dtype, jnp.float32)))


def _through(synapses: Params, v: Float[Array, " N"]) -> tuple[Float[Array, " H"], Float[Array, " H"]]:
    """What neurons at potentials v give to each neuron through their synapses: current and conductance."""
    s = synapses["w"] * sigmoid(synapses["sigma"] * (v - synapses["mu"]))
    return (s * synapses["e"]).sum(1), s.sum(1)


def _affine(part: Params, a: Float[Array, " N"]) -> Float[Array, " N"]:
    return part["w"] * a + part["b"] if "b" in part else part["w"] * a

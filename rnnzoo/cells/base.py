"""The contract of cells: one step of a recurrent network.

A cell is a specification; its parameters are a pytree. Methods are pure functions for one sequence and one time step:
a vector is (H,), and `rnnzoo.run` maps over the batch.
"""

import abc
import functools
import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp

from rnnzoo.cells.recur import Recur, matrices
from rnnzoo.initializers.base import Initializer, undrawn
from rnnzoo.spec import Size, Spec, UsageError, brief, derived, required, spec, suggest
from rnnzoo.structures.base import Algebra, PerGate, Structure, Structures
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State, cast


def _checked_init(init: Callable[..., Params]) -> Callable[..., Params]:
    """The `init` of a class, which refuses what is no input size before anything is drawn. An `init` that it calls, of
    a base class, may be given other sizes."""

    @functools.wraps(init)
    def checked(self: Any, key: Key, input_size: Any) -> Params:
        if getattr(type(self).init, "__wrapped__", None) is init and not _fits(
            input_size, example := self.input_size_of(8)
        ):
            accepted = f"sizes such as {example}" if isinstance(example, tuple) else "a number of features, such as 8"
            raise UsageError(f"input_size of {type(self).__name__} is {brief(input_size)}; accepted: {accepted}")
        return init(self, key, input_size)

    return checked


def _fits(size: Any, example: Any) -> bool:
    """Whether that is the size of an axis, an integer or a symbolic dimension; or as many as in the example."""
    if isinstance(example, tuple):
        return isinstance(size, tuple) and len(size) == len(example) and all(_fits(n, 1) for n in size)
    return not isinstance(size, bool) and hasattr(size, "__index__") and size >= 0


@spec
class Cell(Spec, abc.ABC, kind="cells"):
    """One step of a recurrent network, cut where the mathematics cuts it: only `step` is sequential."""

    gates: ClassVar[tuple[str, ...]] = ("h",)  # the names of W x + b
    gate_names: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Gate -> what the literature calls it, for pictures; {} where the letters are all there is."""
    carries: ClassVar[tuple[str, ...]] = ("h",)  # the names of the vectors in the state, by default of size (H,)
    uses_dt: ClassVar[bool] = False  # True: `project` gets x_t (I + 1,), with the elapsed time dt as its last entry
    history: ClassVar[int] = (
        0  # n > 0: `project` gets a window (n + 1, I) of inputs, x_t last; the state has "x" (n, I)
    )
    z_history: ClassVar[int] = 0
    """n > 0: a step gets what `convolve` makes of the projections of the last n + 1 steps. The state has "z", a dict of
    the leaves of z_t that this needs, each (n, ...) with the newest last."""
    feature_axes: ClassVar[int] = 1  # axes of one input; of more than one, the input size is their tuple
    leading_axes: ClassVar[tuple[int, ...]] = ()
    """Sizes of the axes of one input but for the last, where the cell fixes them."""
    input_leaves: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Gate -> where z_t has its W x + b, for those whose W x + b is not what U v is added to."""
    elementwise: ClassVar[bool] = True
    """Whether the state is one of vectors (H,) whose units meet through the recurrent matrices alone. An unroll by
    Jacobians finds out by itself; tests hold this against what it finds."""
    structures: ClassVar[Mapping[str, Structure]] = MappingProxyType({})
    """The structure of every recurrent matrix, by name: a gate, or a path such as "slow.i" for an inner cell."""

    gives: ClassVar[int] = 0  # the last features of the output that are for later layers of a network alone
    takes: ClassVar[int] = 0  # the last features of the input that an earlier layer gives

    output_size: ClassVar[int] = derived(lambda self: self.hidden_size)
    """Number of features O that `readout` returns."""
    recurrence: ClassVar["Cell"] = derived(lambda self: self)
    """The cell whose `step` this one has: itself, or the inner cell of a wrapper that changes nothing but the inputs.
    What an unroll asks whether a cell is affine, or a matrix memory."""

    hidden_size: Size
    """Number of hidden units H."""
    bias: bool = True
    """Whether the gates have biases."""
    dtype: Literal["float32", "bfloat16", "float16"] | None = None
    """Compute and output dtype (None: that of inputs and parameters). The state is never below float32."""
    kernel_init: Initializer | None = None
    """How input weights W are drawn (None: Glorot uniform)."""

    def input_size_of(self, features: int) -> Any:
        """The input size with so many features along the last axis: their number, or a tuple if there are more axes.
        Axes that the cell does not fix have that size, too. A cell that takes one size only says that size here."""
        unfixed = self.feature_axes - 1 - len(self.leading_axes)
        return features if self.feature_axes == 1 else (*self.leading_axes, *[features] * unfixed, features)

    def window_of(self, features: int) -> tuple[int, ...]:
        """The shape of what `project` reads at one step, with so many features along the last axis."""
        size = self.input_size_of(features)
        *leading, last = (size,) if self.feature_axes == 1 else size
        return (*[self.history + 1] * (self.history > 0), *leading, last + self.uses_dt)

    @_checked_init
    def init(self, key: Key, input_size: int) -> Params:
        """``{"w": {gate: (H, I)}, "b": {gate: (H,)}}``, plus what the cell adds."""
        keys = zip(self.gates, jax.random.split(key, len(self.gates)), strict=True)
        draw = self.kernel_init.kernel if self.kernel_init else jax.nn.initializers.glorot_uniform(0, 1)
        params: Params = {"w": {g: draw(k, (self.hidden_size, input_size)) for g, k in keys}}
        if self.bias:
            params["b"] = {g: jnp.zeros(self.hidden_size) for g in self.gates}
        return params

    def num_params(self, input_size: Any) -> int:
        """How many numbers of the cell are free, for inputs of this size. The corners of a band, say, are stored and
        have no effect: they do not count."""
        return _num_params(self, input_size)

    def prepare(self, params: Params) -> Params:
        """Once per sequence: cast to the compute dtype, materialise constrained matrices."""
        return cast(params, self.dtype)

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        """z_t: what the input alone determines. Runs at all t in parallel. By default W x + b of each gate."""
        z_t = {g: x_t @ w.T for g, w in params["w"].items()}
        return jax.tree.map(jnp.add, z_t, params["b"]) if self.bias else z_t

    def convolve(self, params: Params, window: PyTree) -> PyTree:
        """z_t as `step` and `readout` get it, where `z_history` is n > 0. Runs at all t in parallel.

        Args:
            params: prepared parameters.
            window: what `project` returned, but with the leaves that state["z"] names as (n + 1, ...), the newest last.
        """
        raise UsageError(
            f"{type(self).__name__} has z_history {self.z_history} and no convolve; accepted: a convolve of its own"
        )

    @abc.abstractmethod
    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        """The next state; the only part that runs sequentially.

        Args:
            params: prepared parameters, without the recurrent matrices ``params["u"]``.
            state: the state before the step; the new one has the same entries, shapes and dtypes.
            z_t: what `project` (or `convolve`) returned, without the leaves that `recur` adds.
            recur: ``recur(vector)``, or ``recur({gate: vector})``, gives {gate: a} with a = z_t[gate] + U_gate vector
                (U_gate vector alone where z_t has no such leaf). Call it as often as you like, for any vector, at the
                top level of the step: not inside `lax.cond`, `lax.scan`, `jax.jit` and the like.
        """

    def readout(self, params: Params, state: State, z_t: PyTree) -> Float[Array, " O"]:
        """y_t, from the new state. Runs at all t in parallel. By default h."""
        if "h" not in state:
            name, has = type(self).__name__, ", ".join(state)
            raise UsageError(f"the state of {name} has {has}, and no h; accepted: an entry h, or a readout of its own")
        return state["h"]

    def at_depth(self, depth: float, layers: int) -> "Cell":
        """The cell with the initial weights that it has at a place in a network, from 0 (first layer) to 1 (last), of
        so many layers. Most cells have the same everywhere."""
        return self

    def initial_state(self, params: Params) -> State:
        """The state before the first step: zeros, in float32 or wider."""
        dtype = jnp.result_type(*jax.tree.leaves(params), jnp.float32)
        return {name: jnp.zeros(self.hidden_size, dtype) for name in self.carries}

    def structure_of(self, gate: str) -> Structure:
        """The structure of one recurrent matrix.

        Raises:
            UsageError: the cell has no matrix of that name.
        """
        if gate not in self.structures:
            raise UsageError(
                f"{type(self).__name__} has no recurrent matrix {gate!r}; {suggest(gate, self.structures)}"
            )
        return self.structures[gate]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _require_recur(cls)
        if "init" in vars(cls):
            cls.init = _checked_init(vars(cls)["init"])


def _require_recur(cls: type) -> None:
    """Refuse a step of the first edition, which fetched its product itself, with the edit that it needs."""
    if "step" in vars(cls) and len(inspect.signature(vars(cls)["step"]).parameters) == 4:
        raise UsageError(
            f"{cls.__name__}.step takes (self, params, state, z_t); accepted: (self, params, state, z_t, recur). In it "
            'a = recur(state["h"]) gives a[gate] = z_t[gate] + U_gate h, instead of z_t[gate] + self.recur(...)[gate]; '
            "a wrapper passes recur on: self.cell.step(params, state, z_t, recur)"
        )


@spec
class Recurrent(Cell):
    """A cell with one recurrent matrix per gate: ``params["u"] = {gate: u}``."""

    recurrent_gates: ClassVar[tuple[str, ...] | None] = None  # those with a U; None: all gates

    structure: Structures
    """The structure of the recurrent matrices U: one for all, or one per gate (a dict is converted)."""
    recurrent_init: Initializer | None = None
    """How recurrent weights U are drawn (None: as the structure does)."""

    def __post_init__(self) -> None:
        if isinstance(self.structure, Mapping):
            object.__setattr__(self, "structure", PerGate.of(self.structure))
        super().__post_init__()
        for structure in self.structures.values():
            structure.check(self.hidden_size)

    @property
    def structures(self) -> Mapping[str, Structure]:
        gates = self.gates if self.recurrent_gates is None else self.recurrent_gates
        if isinstance(self.structure, Structure):
            return dict.fromkeys(gates, self.structure)
        given = self.structure if isinstance(self.structure, PerGate) else PerGate.of(self.structure)
        return given.resolve(gates, type(self).__name__)

    def init(self, key: Key, input_size: int) -> Params:
        """As `Cell.init`, plus ``"u": {gate: parameters of U}``."""
        key, recurrent_key = jax.random.split(key)
        params = super().init(key, input_size)
        keys = jax.random.split(recurrent_key, len(self.structures))
        given, size = self.recurrent_init, self.hidden_size

        def draw(key: Key, structure: Structure) -> PyTree:
            return given.matrix(key, structure, size) if given else structure.init(key, size)

        u = {g: draw(k, structure) for (g, structure), k in zip(self.structures.items(), keys, strict=True)}
        return params | {"u": u}

    def prepare(self, params: Params) -> Params:
        u = {g: self.structures[g].materialize(u) for g, u in params["u"].items()}
        return cast({**params, "u": u}, self.dtype)


class Affine(Cell):
    """A cell that is linear in its state: h_t = A_t h_tm1 + b_t, with A_t in an algebra. `step` follows.

    The state h is one vector of S numbers: S = H, or another `state_size`, such as H N where every unit has N numbers
    of its own. A_t is (S, S), and b_t (S,)."""

    transition: ClassVar[Algebra] = required()
    """The algebra that every A_t belongs to. A class attribute or a property."""
    state_size: ClassVar[int] = derived(lambda self: self.hidden_size)
    """How many numbers S the state h has."""
    elementwise = derived(lambda self: self.state_size == self.hidden_size)

    @abc.abstractmethod
    def affine(self, params: Params, z_t: PyTree) -> tuple[PyTree, Float[Array, " S"]]:
        """A_t, prepared parameters of a member of `transition`, and b_t."""

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        a_t, b_t = self.affine(params, z_t)
        return {"h": self.transition.matvec(a_t, state["h"]) + b_t}

    def initial_state(self, params: Params) -> State:
        dtype = jnp.result_type(*jax.tree.leaves(params), jnp.float32)
        return {"h": jnp.zeros(self.state_size, dtype)}


@functools.lru_cache(maxsize=4096)  # tracing takes milliseconds, and a search asks for many sizes
def _num_params(cell: Cell, input_size: Any) -> int:
    params = jax.eval_shape(lambda: undrawn(cell).init(jax.random.key(0), input_size))
    return sum(leaf.size for leaf in jax.tree.leaves(params)) - unused_params(cell, params)


def unused_params(cell: Cell, params: Params) -> int:
    """How many numbers of the parameters, or of their shapes, have no effect."""
    us, _ = matrices(params, tuple(cell.structures))
    stored = sum(leaf.size for leaf in jax.tree.leaves(us))
    return stored - sum(structure.num_params(cell.hidden_size) for structure in cell.structures.values())


__all__ = ["Affine", "Cell", "Recurrent", "unused_params"]

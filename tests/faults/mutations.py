"""One-line faults in cells, structures, wrappers, unrolls and training, each with the tests that should notice it."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Mutant:
    """A fault, as other text in one place of one file of the package."""

    what: str
    file: str
    """Below rnnzoo/."""
    old: str
    """Text that is in the file exactly once."""
    new: str
    tests: str
    """A file of the tests of the project."""
    keyword: str
    """Which of its tests, as pytest's -k."""


PAPER = "test_cells_reference.py"
MEMBERS = "test_structure_members.py"

CELLS = (
    Mutant("two gates of the LSTM swapped", "cells/lstm.py",
           'for gate in "ifo")', 'for gate in "fio")', PAPER, "paper and LSTM and not Projected"),
    Mutant("the GRU's gate the wrong way round", "cells/gru.py",
           '(1 - i_t) * n_t + i_t * state["h"]', 'i_t * n_t + (1 - i_t) * state["h"]', PAPER, "paper and GRU"),
    Mutant("no activation", "cells/indrnn.py",
           'jax.nn.relu(recur(state["h"])["h"])', 'recur(state["h"])["h"]', PAPER, "paper and IndRNN"),
    Mutant("U of a vector that is not gated", "cells/mgu.py",
           'recur({"n": f_t * h_tm1})', 'recur({"n": h_tm1})', PAPER, "paper and MGU"),
    Mutant("the elapsed time left out", "cells/cfc.py",
           'a["s"] * z_t["dt"]', 'a["s"]', "test_elapsed_time.py", "own_times"),
    Mutant("biases dropped", "cells/base.py",
           'jax.tree.map(jnp.add, z_t, params["b"]) if self.bias else z_t', "z_t", PAPER, "paper and Elman"),
    Mutant("the complex conjugate of a decay", "cells/lru.py",
           "radius * jnp.sin(phase)", "-radius * jnp.sin(phase)", PAPER, "paper and LRU"),
    Mutant("zoneout that keeps what it should drop", "wrappers/zoneout.py",
           "d * state[name] + (1 - d) * new[name]", "(1 - d) * state[name] + d * new[name]",
           PAPER, "paper and Zoneout"),
    Mutant("the newest state in place of the oldest", "wrappers/dilated.py",
           "jax.tree.map(lambda a: a[0], state), z_t", "jax.tree.map(lambda a: a[-1], state), z_t",
           PAPER, "paper and Dilated"),
)  # fmt: skip

STRUCTURES = (
    Mutant("a band one place off", "structures/banded.py",
           "y += u[m] * heard[m : m + h.shape[0]]", "y += u[m] * heard[m - 1 : m - 1 + h.shape[0]]",
           MEMBERS, "docstring and Banded"),
    Mutant("a ring that does not close", "structures/ring.py",
           "heard = lax.dynamic_update_slice(heard, h[:k], (k + size,))", "heard = heard",
           MEMBERS, "docstring and Ring"),
    Mutant("the wrong sign of an imaginary part", "structures/complex_diagonal.py",
           'jnp.concatenate([-u["im"], u["im"]])', 'jnp.concatenate([u["im"], u["im"]])',
           MEMBERS, "docstring and ComplexDiagonal"),
    Mutant("a product of complex numbers without i * i = -1", "structures/complex_diagonal.py",
           'a["re"] * b["re"] - a["im"] * b["im"]', 'a["re"] * b["re"] + a["im"] * b["im"]',
           "test_structures.py", "test_identities and ComplexDiagonal"),
    Mutant("Jacobians without their transpose", "structures/dense.py",
           "return columns.T", "return columns", "test_structures.py", "test_identities and Dense"),
    Mutant("numbers below a triangle", "structures/triangular.py",
           "jnp.triu(jnp.concatenate([u, u[size:][::-1]]).reshape(size, size))",
           "jnp.concatenate([u, u[size:][::-1]]).reshape(size, size)", MEMBERS, "docstring and Triangular"),
    Mutant("reflections in the wrong order", "structures/householder.py",
           "jnp.triu(overlaps, 1)", "jnp.tril(overlaps, -1)", "test_structure_properties.py", "product_of_reflections"),
)  # fmt: skip

SEQUENCES = (
    Mutant("a sequence reversed with its padding", "order.py",
           "jnp.where(steps < end, end - 1 - steps, steps)", "leaf.shape[0] - 1 - steps",
           "test_parts.py", "padding_moves_no_border and reverse"),
    Mutant("resets ignored", "unrolls/base.py",
           "select(control_t.reset, {name: initial[name] for name in state}, state_tm1)", "state_tm1",
           "test_sequences.py", "meaning and LSTM"),
    Mutant("masks ignored in the state", "unrolls/base.py",
           "state_t if control_t.active is None else select(control_t.active, state_t, state)", "state_t",
           "test_sequences.py", "meaning and LSTM"),
    Mutant("lengths one step too long", "run.py",
           "< jnp.asarray(lengths)", "<= jnp.asarray(lengths)", "test_sequences.py", "meaning and LSTM"),
    Mutant("NaN in padding reaches gradients", "unrolls/inputs.py",
           "jnp.where(active.reshape(*active.shape, *[1] * (xs.ndim - 2)), xs, other)", "xs",
           "test_step_contract.py", "padding_makes_no_gradient_nan"),
)  # fmt: skip

UNROLLS = (
    Mutant("the gradient of z_t + U v lost", "unrolls/recurrence.py",
           "times(tangents[0]) + tangents[1]", "times(tangents[0])",
           "test_unrolls.py", "scan_is_the_loop and MultiplicativeIntegration"),
    Mutant("the gradient of U transposed", "unrolls/recurrence.py",
           "product(cell, {gate: u}, gate, vector), (us[gate],)",
           "product(cell, {gate: jax.tree.map(jnp.transpose, u)}, gate, vector), (us[gate],)",
           "test_unrolls.py", "scan_is_the_loop and LSTM-Dense"),
    Mutant("no gradient of the state after a reset", "unrolls/recurrence.py",
           "(dread, dinitial))[1]", "(dread, jax.tree.map(jnp.zeros_like, dinitial)))[1]",
           "test_step_contract.py", "reads_u and Scan and Dense"),
    Mutant("a transposed product in the order of the product", "unrolls/affine.py",
           "lambda a, b: self.compose(b, a)", "lambda a, b: self.compose(a, b)",
           "test_affine_unrolls.py", "do_not_commute"),
    Mutant("the transition of the step before", "unrolls/affine.py",
           "jnp.concatenate([a[1:], jnp.zeros_like(a[:1])])", "a", "test_affine_unrolls.py", "do_not_commute"),
    Mutant("chunks that start from 0", "unrolls/chunked_associative.py",
           "h = lax.associative_scan(join, whole, reverse=reverse)[1]",
           "h = jnp.zeros_like(lax.associative_scan(join, whole, reverse=reverse)[1])",
           "test_affine_unrolls.py", "any_chunk_and_time"),
    Mutant("the last state without the rest of a sequence", "unrolls/parts.py",
           "state, last = bordered(state, jax", "_, last = bordered(state, jax", "test_parts.py", "any_chunk and LSTM"),
    Mutant("derivatives across borders", "unrolls/truncated.py",
           "jnp.where(whole, leaf, lax.stop_gradient(leaf))", "leaf", "test_parts.py", "do_not_cross_borders and 2-"),
    Mutant("Jacobians at the states after the steps", "unrolls/linearized.py",
           "before = steps.before(steps.flat(states))", "before = steps.flat(states)",
           "test_unrolls.py", "jitted_with_lengths and LSTM-Dense-ParallelBackward"),
    Mutant("NaN taken for convergence", "unrolls/iterative.py",
           "return iterate.residual() <= self._tolerance(iterate)",
           "return ~(iterate.residual() > self._tolerance(iterate))", "test_newton.py", "nan_is_never_taken"),
)  # fmt: skip

TRAINING = (
    Mutant("NaN in parameters that a batch does not use", "training/update.py",
           'optax.tree.norm({name: new[name] for name in new if name != "opt"})', "optax.tree.norm(changes)",
           "test_training.py", "nan_stops_training"),
)  # fmt: skip

MUTANTS = CELLS + STRUCTURES + SEQUENCES + UNROLLS + TRAINING
COMMENT = Mutant("nothing but a comment changed", "structures/banded.py",
                 "# not concatenate, which", "# not jnp.concatenate, which",
                 MEMBERS, "docstring and Banded")  # fmt: skip

__all__ = ["COMMENT", "MUTANTS", "Mutant"]

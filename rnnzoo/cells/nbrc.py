"""Recurrently neuromodulated bistable cell, nBRC (Vecoven, Ernst & Drion 2021).

doi:10.1371/journal.pone.0252676, arXiv:2006.05252
"""

from rnnzoo.cells.brc import BRC
from rnnzoo.spec import spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.dense import Dense


@spec
class NBRC(BRC):
    """`BRC` whose gates hear all units::

        a_t = 1 + tanh(W_a x_t + b_a + U_a h_tm1)             Parameters  w.a w.c w.h  (H, I)
        c_t = sigmoid(W_c x_t + b_c + U_c h_tm1)                          b.a b.c      (H,)
        h_t = c_t * h_tm1 + (1 - c_t) * tanh(W_h x_t + a_t * h_tm1)       u.a u.c      structure
                                                              State       h (H,)       Output  h

    b.a and b.c, which the paper has not, start at 0, as in the authors' code."""

    structure: Structures = Dense()

"""Zoph & Le 2017, the cell found, as in TensorFlow Addons: tensorflow_addons/rnn/nas_cell.py, without projection."""

import numpy as np

from references import relu, sigmoid

FIELDS = [{"bias": True}]


def reference(cell, p, xs, state):
    W, U, b = p["w"], p["u"], p["b"]
    c, m, ys = state["c"], state["h"], []
    for x in xs:
        from_x = [W[f"a{k}"] @ x for k in range(8)]
        from_m = [U[f"a{k}"] @ m + b[f"a{k}"] for k in range(8)]
        first_0 = sigmoid(from_x[0] + from_m[0])
        first_1 = relu(from_x[1] + from_m[1])
        first_2 = sigmoid(from_x[2] + from_m[2])
        first_3 = relu(from_x[3] * from_m[3])
        first_4 = np.tanh(from_x[4] + from_m[4])
        first_5 = sigmoid(from_x[5] + from_m[5])
        first_6 = np.tanh(from_x[6] + from_m[6])
        first_7 = sigmoid(from_x[7] + from_m[7])
        second_0 = np.tanh(np.tanh(first_0 * first_1) + c)
        second_1 = np.tanh(first_2 + first_3)
        second_2 = np.tanh(first_4 * first_5)
        second_3 = sigmoid(first_6 + first_7)
        c = second_0 * second_1
        m = np.tanh(c * np.tanh(second_2 + second_3))
        ys.append(m)
    return np.array(ys), {"c": c, "h": m}

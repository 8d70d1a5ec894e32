"""What the references of several networks do around their recurrence."""

import numpy as np
from references._parts import silu

from network_references._parts import linear


def causal_convolution(x, w, b=0.0):
    """`x` (T, channels); each channel has its row of `w` (channels, K), whose last entry meets the newest input."""
    y, K = np.zeros_like(x), w.shape[1]
    for t in range(len(x)):
        y[t] = b
        for s in range(min(K, t + 1)):
            y[t] += w[:, K - 1 - s] * x[t - s]
    return y


def swiglu_mlp(W, x):
    """down(silu(gate(x)) * up(x)) of fla's GatedMLP."""
    return linear(silu(linear(x, W, "gate_proj")) * linear(x, W, "up_proj"), W, "down_proj")

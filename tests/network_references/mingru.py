"""The language model of minGRU in lucidrains/minGRU-pytorch, minGRU_pytorch/minLM.py and minGRU.py: convolution, minGRU
of Feng et al. 2024 ("Were RNNs All We Needed?", section 3.1, with g of appendix B), MLP, each with a residual
connection. The norms' epsilon is that of float64, as torch's RMSNorm takes it where none is given."""

import numpy as np
from references import positive, sigmoid

from network_references._mixers import causal_convolution
from network_references._parts import gelu, linear, rms_norm, under


def norm(x, W, name):
    return rms_norm(x, np.finfo(float).eps) * W[f"{name}.weight"]


def convolution(W, x):
    """Each channel over time, then every step's channels with one another."""
    x = causal_convolution(x, W["net.0.weight"][:, 0], W["net.0.bias"])
    return x @ W["net.1.weight"][:, :, 0].T + W["net.1.bias"]


def min_gru(W, x):
    """h = (1 - z) h + z g(h~) from h = 0; without `to_out` where the inner width is the model's."""
    candidate, gate = np.split(linear(x, W, "to_hidden_and_gate"), 2, axis=1)
    z, h, hs = sigmoid(gate), np.zeros(gate.shape[1]), []
    for t in range(len(x)):
        h = (1 - z[t]) * h + z[t] * positive(candidate[t])
        hs.append(h)
    return linear(np.array(hs), W, "to_out") if "to_out.weight" in W else np.array(hs)


def mlp(W, x):
    return linear(gelu(linear(x, W, "0")), W, "2")


def reference(config, weights, tokens):
    logits = []
    for row in tokens:
        x = weights["token_emb.weight"][row]
        for i in range(config["depth"]):
            W = under(weights, f"layers.{i}")
            if config["enable_conv"]:
                x = x + convolution(under(W, "0"), x)
            x = x + min_gru(under(W, "2"), norm(x, W, "1"))
            x = x + mlp(under(W, "4"), norm(x, W, "3"))
        logits.append(linear(norm(x, weights, "norm"), weights, "to_logits"))
    return np.array(logits)

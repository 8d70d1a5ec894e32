"""Dao and Gu 2024 ("Transformers are SSMs"), sections 6 and 7.1 (SSD layer, block of figure 6 with the norm after the
gate), as in state-spaces/mamba, mamba_ssm/models/mixer_seq_simple.py, mamba_ssm/modules/block.py, mamba2.py, and
mlp.py. All layers are Mamba2, with D for each head and `d_ssm` the whole inner width."""

import numpy as np
from references._parts import silu, softplus

from network_references._mixers import causal_convolution
from network_references._parts import linear, rms_norm, under

EPS = 1e-5


def ssd(X, A, B, C, D, dt):
    """H = exp(dt A) H + dt x B^T, y = H C + D x: X (T, N, P), A, D (N,), B, C (T, N, S), dt (T, N)."""
    T, N, P = X.shape
    H, Y = np.zeros((N, P, B.shape[2])), np.zeros_like(X)
    for t in range(T):
        for n in range(N):
            H[n] = np.exp(dt[t, n] * A[n]) * H[n] + dt[t, n] * np.outer(X[t, n], B[t, n])
            Y[t, n] = H[n] @ C[t, n] + D[n] * X[t, n]
    return Y


def mixer(ssm_cfg, W, u):
    """The convolution acts on x, B, and C together; the norm is over each group's share of the inner width."""
    T, width, N = len(u), W["norm.weight"].shape[0], W["A_log"].shape[0]
    S, G = ssm_cfg["d_state"], ssm_cfg.get("ngroups", 1)
    z, xBC, dt = np.split(linear(u, W, "in_proj"), [width, 2 * width + 2 * G * S], axis=1)
    xBC = silu(causal_convolution(xBC, W["conv1d.weight"][:, 0], W["conv1d.bias"]))
    x, B, C = np.split(xBC, [width, width + G * S], axis=1)
    B, C = (np.repeat(a.reshape(T, G, S), N // G, axis=1) for a in (B, C))
    y = ssd(x.reshape(T, N, -1), -np.exp(W["A_log"]), B, C, W["D"], softplus(dt + W["dt_bias"]))
    y = (y.reshape(T, width) * silu(z)).reshape(T, G, width // G)
    return linear(rms_norm(y, EPS).reshape(T, width) * W["norm.weight"], W, "out_proj")


def mlp(W, x):
    y, gate = np.split(linear(x, W, "fc1"), 2, axis=1)
    return linear(y * silu(gate), W, "fc2")


def reference(config, weights, tokens):
    def norm(x, W, name):
        return rms_norm(x, EPS) * W[f"{name}.weight"]

    logits = []
    for row in tokens:
        x = weights["backbone.embedding.weight"][row]
        for i in range(config["n_layer"]):
            W = under(weights, f"backbone.layers.{i}")
            x = x + mixer(config["ssm_cfg"], under(W, "mixer"), norm(x, W, "norm"))
            if config["d_intermediate"]:
                x = x + mlp(under(W, "mlp"), norm(x, W, "norm2"))
        logits.append(linear(norm(x, weights, "backbone.norm_f"), weights, "lm_head"))
    return np.array(logits)

"""Peng et al. 2025 ("RWKV-7 Goose with Expressive Dynamic State Evolution"), time mixing and channel mixing, as in
BlinkDL/RWKV-LM, RWKV-v7/rwkv_v7_demo.py and RWKV-v7/train_temp/src/model.py. S has values as rows, as there; v0 is the
value of the first layer."""

import numpy as np
from references import relu, sigmoid

from network_references._parts import layer_norm, linear, under

EPS, HEAD_EPS = 1e-5, 64e-5


def before(x):
    """The step before each, and zeros before the first."""
    return np.concatenate([np.zeros_like(x[:1]), x[:-1]])


def norm(x, W, name):
    return layer_norm(x, EPS) * W[f"{name}.weight"] + W[f"{name}.bias"]


def wkv(r, w, k, v, kk, a):
    """S = S diag(w) - S kk (a kk)^T + v k^T, y = S r: all (T, heads, N)."""
    T, H, N = r.shape
    S, y = np.zeros((H, N, N)), np.zeros_like(r)
    for t in range(T):
        for h in range(H):
            S[h] = S[h] @ np.diag(w[t, h]) - np.outer(S[h] @ kk[t, h], a[t, h] * kk[t, h]) + np.outer(v[t, h], k[t, h])
            y[t, h] = S[h] @ r[t, h]
    return y


def time_mixing(config, W, x, v0):
    """The output, and the value of the first layer: this one's where `v0` is None."""
    last, T, N = before(x), len(x), config["head_size"]

    def mixed(name):
        return x + W[f"x_{name}"][0, 0] * (last - x)

    def low_rank(name, x, between=lambda a: a):
        return between(x @ W[f"{name}1"]) @ W[f"{name}2"]

    def heads(a):
        return a.reshape(T, -1, N)

    r = heads(linear(mixed("r"), W, "receptance"))
    w = heads(np.exp(-np.exp(-0.5) * sigmoid(W["w0"][0, 0] + low_rank("w", mixed("w"), np.tanh))))
    key, v = linear(mixed("k"), W, "key"), linear(mixed("v"), W, "value")
    if v0 is None:
        v0 = v
    else:
        v = v + (v0 - v) * sigmoid(W["v0"][0, 0] + low_rank("v", mixed("v")))
    a = sigmoid(W["a0"][0, 0] + low_rank("a", mixed("a")))
    g = low_rank("g", mixed("g"), sigmoid)
    kk = heads(key * W["k_k"][0, 0])
    kk = kk / np.maximum(np.linalg.norm(kk, axis=2, keepdims=True), 1e-12)
    k, v = heads(key * (1 + (a - 1) * W["k_a"][0, 0])), heads(v)
    y = layer_norm(wkv(r, w, k, v, kk, heads(a)), HEAD_EPS).reshape(T, -1) * W["ln_x.weight"] + W["ln_x.bias"]
    y = y + (np.sum(r * k * W["r_k"], axis=2, keepdims=True) * v).reshape(T, -1)
    return linear(y * g, W, "output"), v0


def channel_mixing(W, x):
    k = x + W["x_k"][0, 0] * (before(x) - x)
    return linear(relu(linear(k, W, "key")) ** 2, W, "value")


def reference(config, weights, tokens):
    logits = []
    for row in tokens:
        x, v0 = norm(weights["emb.weight"][row], weights, "blocks.0.ln0"), None
        for i in range(config["n_layer"]):
            W = under(weights, f"blocks.{i}")
            y, v0 = time_mixing(config, under(W, "att"), norm(x, W, "ln1"), v0)
            x = x + y
            x = x + channel_mixing(under(W, "ffn"), norm(x, W, "ln2"))
        logits.append(linear(norm(x, weights, "ln_out"), weights, "head"))
    return np.array(logits)

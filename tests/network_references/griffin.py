"""De et al. 2024 ("Griffin: Mixing Gated Linear Recurrences with Local Attention for Efficient Language Models"),
section 2 (residual block, gated MLP, recurrent block, RG-LRU of equations 1 to 4, local multi-query attention), as in
google-deepmind/recurrentgemma, recurrentgemma/torch/griffin.py, modules.py and layers.py; Hawk is the case without
attention. Each row of tokens is one document."""

import numpy as np
from references import sigmoid
from references._parts import softplus

from network_references._parts import causal_convolution, gelu_tanh, linear, rms_norm, softmax, under


def bfloat16(a):
    """The nearest bfloat16 to a positive number."""
    unit = 2.0 ** (np.floor(np.log2(a)) - 7)
    return np.round(a / unit) * unit


def norm(x, scale):
    return rms_norm(x, 1e-6) * (1 + scale)


def block_diagonal(x, w, b):
    """`x` (T, width) through one matrix (in, out) for each head."""
    parts = np.split(x, len(w), axis=1)
    return np.concatenate([part @ w[j] + b[j] for j, part in enumerate(parts)], axis=1)


def rg_lru(x, W):
    """Equations 1 to 4 with c = 8; the first input enters without the factor of equation 4."""
    r = sigmoid(block_diagonal(x, W["a_gate.w"], W["a_gate.b"]))
    i = sigmoid(block_diagonal(x, W["input_gate.w"], W["input_gate.b"]))
    a = np.exp(-8 * r * softplus(W["a_param"]))
    h, ys = np.zeros(x.shape[1]), []
    for t in range(len(x)):
        gain = np.sqrt(1 - a[t] ** 2) if t else 1
        h = a[t] * h + gain * (i[t] * x[t])
        ys.append(h)
    return np.array(ys)


def recurrent_block(config, W, x):
    gate = gelu_tanh(linear(x, W, "linear_y"))
    x = linear(x, W, "linear_x")
    x = causal_convolution(x, W["conv_1d.w"], W["conv_1d.b"])
    x = rg_lru(x, under(W, "rg_lru"))
    return linear(x * gate, W, "linear_out")


def rope(x, t):
    """Turns the first half of a head: unit j of its first quarter with unit j of its second, by t 10000^(-j / D)."""
    D = len(x) // 4
    angle = t * 10000.0 ** (-np.arange(D) / D)
    u, v = x[:D], x[D : 2 * D]
    turned = [u * np.cos(angle) - v * np.sin(angle), v * np.cos(angle) + u * np.sin(angle)]
    return np.concatenate([*turned, x[2 * D :]])


def attention_block(config, W, x):
    """All heads share one key and one value; a query sees itself and `attention_window_size` tokens before it."""
    N, D = config["num_heads"], x.shape[1] // config["num_heads"]
    q, k, v = linear(x, W, "proj_q"), linear(x, W, "proj_k"), linear(x, W, "proj_v")
    k = [rope(k[t], t) for t in range(len(x))]
    encoded = np.zeros_like(x)
    for t in range(len(x)):
        seen = range(max(0, t - config["attention_window_size"]), t + 1)
        for n in range(N):
            query = rope(q[t, n * D : (n + 1) * D], t)
            weights = softmax(np.array([query @ k[s] / np.sqrt(D) for s in seen]))
            encoded[t, n * D : (n + 1) * D] = sum(a * v[s] for a, s in zip(weights, seen, strict=True))
    return linear(encoded, W, "proj_final")


def mlp_block(W, x):
    w, b = W["ffw_up.w"], W["ffw_up.b"][:, 0, 0]
    return linear(gelu_tanh(x @ w[0] + b[0]) * (x @ w[1] + b[1]), W, "ffw_down")


BLOCKS = {"RECURRENT": ("recurrent_block", recurrent_block), "ATTENTION": ("attention_block", attention_block)}


def reference(config, weights, tokens):
    E = weights["embedder.input_embedding"]
    scale = bfloat16(np.sqrt(config["width"])) if config["embeddings_scale_by_sqrt_dim"] else 1
    logits = []
    for row in tokens:
        x = E[row] * scale
        for i, kind in enumerate(config["block_types"]):
            W = under(weights, f"blocks.{i}")
            name, block = BLOCKS[kind]
            x = x + block(config, under(W, name), norm(x, W["temporal_pre_norm.scale"]))
            x = x + mlp_block(under(W, "mlp_block"), norm(x, W["channel_pre_norm.scale"]))
        y, cap = norm(x, weights["final_norm.scale"]) @ E.T, config["logits_soft_cap"]
        logits.append(cap * np.tanh(y / cap) if cap else y)
    return np.array(logits)

"""Yang et al. 2025 ("Gated Delta Networks: Improving Mamba2 with Delta Rule"), equation 10 and section 3.4 (block of
figure 1, with an MLP after each mixer), as in fla-org/flash-linear-attention, fla/models/gated_deltanet/
modeling_gated_deltanet.py, fla/layers/gated_deltanet.py, and fla/modules/mlp.py."""

import numpy as np
from references import sigmoid
from references._parts import heads, l2norm, silu, softplus

from network_references._mixers import causal_convolution, swiglu_mlp
from network_references._parts import linear, rms_norm, under


def gated_delta_rule(q, k, v, alpha, beta):
    """Equation 10 for each head, with keys as rows of S: q, k (T, N, K), v (T, N, V), alpha, beta (T, N)."""
    T, N, K = k.shape
    S, o = np.zeros((N, K, v.shape[2])), np.zeros_like(v)
    for t in range(T):
        for n in range(N):
            S[n] = alpha[t, n] * S[n]
            S[n] = S[n] + np.outer(k[t, n], beta[t, n] * (v[t, n] - k[t, n] @ S[n]))
            o[t, n] = q[t, n] @ S[n]
    return o


def mixer(config, W, x):
    N = config["num_heads"]

    def short(name):
        a = silu(causal_convolution(linear(x, W, f"{name}_proj"), W[f"{name}_conv1d.weight"][:, 0]))
        return np.array([heads(row, N) for row in a])

    q, k, v = l2norm(short("q")) / np.sqrt(config["head_dim"]), l2norm(short("k")), short("v")
    alpha = np.exp(-np.exp(W["A_log"]) * softplus(linear(x, W, "a_proj") + W["dt_bias"]))
    beta = sigmoid(linear(x, W, "b_proj")) * (2 if config["allow_neg_eigval"] else 1)
    o = rms_norm(gated_delta_rule(q, k, v, alpha, beta), config["norm_eps"]) * W["o_norm.weight"]
    o = o.reshape(len(x), -1) * silu(linear(x, W, "g_proj"))
    return linear(o, W, "o_proj")


def reference(config, weights, tokens):
    def norm(x, W, name):
        return rms_norm(x, config["norm_eps"]) * W[f"{name}.weight"]

    logits = []
    for row in tokens:
        x = weights["model.embeddings.weight"][row]
        for i in range(config["num_hidden_layers"]):
            W = under(weights, f"model.layers.{i}")
            x = x + mixer(config, under(W, "attn"), norm(x, W, "attn_norm"))
            x = x + swiglu_mlp(under(W, "mlp"), norm(x, W, "mlp_norm"))
        logits.append(linear(norm(x, weights, "model.norm"), weights, "lm_head"))
    return np.array(logits)

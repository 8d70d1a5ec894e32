"""Beck et al. 2025 ("xLSTM 7B: A Recurrent LLM for Fast and Efficient Inference"), section 3: blocks of an mLSTM layer
and a gated MLP with soft caps on both gates and on the logits, as in NX-AI/xlstm, xlstm/xlstm_large/model.py and
components.py, with separate weights (weight_mode "single")."""

import numpy as np
from references import sigmoid
from references._parts import silu

from network_references._parts import layer_norm, linear, mlstm, rms_norm, under


def soft_cap(a, cap):
    return cap * np.tanh(a / cap)


def affine(x, W, name):
    """The weight of a norm and, with use_bias, its bias."""
    y = x * W[f"{name}.weight"]
    return y + W[f"{name}.bias"] if f"{name}.bias" in W else y


def norm(config, x, W, name):
    return affine(rms_norm(x, config["norm_eps"]), W, name)


def mlstm_layer(config, W, x):
    N = config["num_heads"]
    q, k, v, o = (linear(x, W, name) for name in ("q", "k", "v", "ogate_preact"))
    i, f = (soft_cap(linear(x, W, name), config["gate_soft_cap"]) for name in ("igate_preact", "fgate_preact"))
    h = mlstm(q, k, v, i, f, N, config["eps"])
    h = layer_norm(h.reshape(len(x), N, -1), config["norm_eps"]).reshape(len(x), -1)
    return linear(sigmoid(o) * affine(h, W, "multihead_norm"), W, "out_proj")


def feedforward(W, x):
    return linear(silu(linear(x, W, "proj_up_gate")) * linear(x, W, "proj_up"), W, "proj_down")


def reference(config, weights, tokens):
    backbone, logits = under(weights, "backbone"), []
    for row in tokens:
        x = weights["embedding.weight"][row]
        for i in range(config["num_blocks"]):
            W = under(backbone, f"blocks.{i}")
            x = x + mlstm_layer(config, under(W, "mlstm_layer"), norm(config, x, W, "norm_mlstm"))
            x = x + feedforward(under(W, "ffn"), norm(config, x, W, "norm_ffn"))
        x = norm(config, x, backbone, "out_norm") if config["add_out_norm"] else x
        logits.append(soft_cap(linear(x, weights, "lm_head"), config["output_logit_soft_cap"]))
    return np.array(logits)

"""Beck et al. 2024 ("xLSTM: Extended Long Short-Term Memory"), equations 8 to 27 and the residual blocks of figures 10
(sLSTM) and 11 (mLSTM), as in NX-AI/xlstm, xlstm/xlstm_lm_model.py, xlstm_block_stack.py, blocks/mlstm/layer.py and
cell.py, blocks/slstm/layer.py and src/vanilla (the names and shapes of the vanilla backend), components."""

import numpy as np
from references import sigmoid
from references._parts import silu

from network_references._parts import causal_convolution, gelu, layer_norm, linear, mlstm, under

EPS = 1e-5  # of every norm


def norm(x, weight):
    return layer_norm(x, EPS) * (1 + weight)


def head_norm(x, weight, heads):
    """Each head by itself, then one weight for each unit."""
    parts = layer_norm(x.reshape(len(x), heads, -1), EPS)
    return parts.reshape(x.shape) * (1 + weight)


def headwise(x, W, name):
    """`x` (T, width) through one matrix (out, in) for each head, and a bias where there is one."""
    w = W[f"{name}.weight"]
    parts = np.split(x, len(w), axis=1)
    y = np.concatenate([part @ w[j].T for j, part in enumerate(parts)], axis=1)
    return y + W[f"{name}.bias"] if f"{name}.bias" in W else y


def convolution(x, W):
    return causal_convolution(x, W["conv1d.conv.weight"][:, 0].T, W["conv1d.conv.bias"])


def mlstm_layer(config, W, x):
    """The forget and input gates see queries, keys and values; the output gate is the other half of `proj_up`."""
    N = config["num_heads"]
    x, z = np.split(linear(x, W, "proj_up"), 2, axis=1)
    convolved = silu(convolution(x, W))
    q, k = headwise(convolved, W, "q_proj"), headwise(convolved, W, "k_proj")
    v = headwise(x, W, "v_proj")
    qkv = np.concatenate([q, k, v], axis=1)
    i, f = linear(qkv, W, "mlstm_cell.igate"), linear(qkv, W, "mlstm_cell.fgate")
    h = head_norm(mlstm(q, k, v, i, f, N, eps=1e-6), W["mlstm_cell.outnorm.weight"], N)
    return linear((h + W["learnable_skip"] * convolved) * silu(z), W, "proj_down")


def slstm(i, f, z, o, R, b):
    """Equations 8 to 17: `R` (gates, heads, out, in) and `b` (gates, width), gates in the order i, f, z, o."""
    heads = R.shape[1]
    c, n, h, ys = np.zeros(z.shape[1]), np.zeros(z.shape[1]), np.zeros(z.shape[1]), []
    m = np.full(z.shape[1], -np.inf)
    for t in range(len(z)):
        parts = h.reshape(heads, -1)
        recurrent = [np.concatenate([R[g, j] @ parts[j] for j in range(heads)]) + b[g] for g in range(4)]
        i_tilde, f_tilde, z_tilde, o_tilde = (a[t] + r for a, r in zip((i, f, z, o), recurrent, strict=True))
        log_f = np.log(sigmoid(f_tilde))
        m_before, m = m, np.maximum(log_f + m, i_tilde)
        i_dash, f_dash = np.exp(i_tilde - m), np.exp(log_f + m_before - m)
        c = f_dash * c + i_dash * np.tanh(z_tilde)
        n = f_dash * n + i_dash
        h = sigmoid(o_tilde) * c / n
        ys.append(h)
    return np.array(ys)


def slstm_layer(config, W, x):
    """The layer named `fgate` feeds the input gate and the layer named `igate` the forget gate: so does their code."""
    N, width = config["num_heads"], x.shape[1]
    convolved = silu(convolution(x, W))
    i, f = headwise(convolved, W, "fgate"), headwise(convolved, W, "igate")
    z, o = headwise(x, W, "zgate"), headwise(x, W, "ogate")
    R = W["slstm_cell._recurrent_kernel_"].reshape(N, 4, width // N, width // N).swapaxes(0, 1)
    h = slstm(i, f, z, o, R, W["slstm_cell._bias_"].reshape(4, width))
    return head_norm(h, W["group_norm.weight"], N)


def feedforward(W, x):
    gate, up = np.split(linear(x, W, "proj_up"), 2, axis=1)
    return linear(gelu(gate) * up, W, "proj_down")


def block(config, W, x, is_slstm):
    if not is_slstm:
        return x + mlstm_layer(config["mlstm_block"]["mlstm"], under(W, "xlstm"), norm(x, W["xlstm_norm.weight"]))
    x = x + slstm_layer(config["slstm_block"]["slstm"], under(W, "xlstm"), norm(x, W["xlstm_norm.weight"]))
    return x + feedforward(under(W, "ffn"), norm(x, W["ffn_norm.weight"]))


def reference(config, weights, tokens):
    logits = []
    for row in tokens:
        x = weights["token_embedding.weight"][row]
        for i in range(config["num_blocks"]):
            x = block(config, under(weights, f"xlstm_block_stack.blocks.{i}"), x, i in config["slstm_at"])
        x = norm(x, weights["xlstm_block_stack.post_blocks_norm.weight"])
        logits.append(linear(x, weights, "lm_head"))
    return np.array(logits)

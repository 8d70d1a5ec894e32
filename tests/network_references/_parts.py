"""Functions that the references of several networks share."""

from math import erf

import numpy as np
from references import sigmoid


def under(weights, prefix):
    """The weights whose names start with `prefix` and a point, by the rest of their names."""
    start = prefix + "."
    return {name[len(start) :]: w for name, w in weights.items() if name.startswith(start)}


def linear(x, W, name):
    """torch's nn.Linear `name`: `weight` is (out, in), `bias` (out,) where there is one."""
    y = x @ W[f"{name}.weight"].T
    return y + W[f"{name}.bias"] if f"{name}.bias" in W else y


def gelu(a):
    return 0.5 * a * (1 + np.vectorize(erf)(a / np.sqrt(2)))


def gelu_tanh(a):
    return 0.5 * a * (1 + np.tanh(np.sqrt(2 / np.pi) * (a + 0.044715 * a**3)))


def softmax(a):
    e = np.exp(a - np.max(a))
    return e / np.sum(e)


def rms_norm(x, eps):
    return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + eps)


def layer_norm(x, eps):
    """With the population's variance, before scale and bias."""
    centred = x - np.mean(x, axis=-1, keepdims=True)
    return centred / np.sqrt(np.mean(centred**2, axis=-1, keepdims=True) + eps)


def causal_convolution(x, w, b):
    """One filter for each unit: `w` (K, width), whose last row meets the newest input."""
    y, K = np.zeros_like(x), len(w)
    for t in range(len(x)):
        y[t] = b
        for s in range(min(K, t + 1)):
            y[t] += w[K - 1 - s] * x[t - s]
    return y


def mlstm(q, k, v, i, f, heads, eps):
    """Beck et al. 2024, equations 19 to 27 without output gate: `i` and `f` (T, heads) before their activations. The
    stabiliser of equation 15 starts at minus infinity, as in the authors' parallel form."""
    T = len(q)
    q, k, v = (a.reshape(T, heads, -1) for a in (q, k, v))
    k = k / np.sqrt(k.shape[2])
    h = np.zeros_like(v)
    for j in range(heads):
        C, n, m = np.zeros((v.shape[2], k.shape[2])), np.zeros(k.shape[2]), -np.inf
        for t in range(T):
            log_f = np.log(sigmoid(f[t, j]))
            m_before, m = m, max(log_f + m, i[t, j])
            i_dash, f_dash = np.exp(i[t, j] - m), np.exp(log_f + m_before - m)
            C = f_dash * C + i_dash * np.outer(v[t, j], k[t, j])
            n = f_dash * n + i_dash * k[t, j]
            h[t, j] = C @ q[t, j] / (max(abs(n @ q[t, j]), np.exp(-m)) + eps)
    return h.reshape(T, -1)

"""Functions that the references of several networks share."""

from math import erf

import numpy as np


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

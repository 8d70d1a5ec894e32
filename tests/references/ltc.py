"""Hasani et al. 2021, algorithm 1 (the fused solver), in the form of the authors' code (ncps, ncps/torch/ltc_cell.py):
implicit constraints, affine mappings, all synapses there, every neuron a motor neuron."""

import numpy as np

from references import sigmoid

FIELDS = [{"unfolds": 1}, {"unfolds": 3}, {"unfolds": 3, "bias": False}]
EPSILON = 1e-8


def softplus(a):
    return np.logaddexp(0, a)


def activations(synapses, source):
    """For each target: the sums over sources of w sigma(v_source), and of those times erev."""
    targets = len(synapses["w"])
    total, reversal = np.zeros(targets), np.zeros(targets)
    for j in range(targets):
        for i in range(len(source)):
            a = sigmoid(synapses["sigma"][j, i] * (source[i] - synapses["mu"][j, i]))
            a = softplus(synapses["w"][j, i]) * a
            total[j] += a
            reversal[j] += a * synapses["e"][j, i]
    return total, reversal


def reference(cell, p, xs, state, dts=None):
    gleak, vleak, cm = softplus(p["leak"]), p["rest"], softplus(p["capacity"])
    v, ys = state["h"], []
    for x, elapsed in zip(xs, np.ones(len(xs)) if dts is None else dts, strict=True):
        inputs = x * p["input"]["w"] + (p["input"]["b"] if cell.bias else 0)
        sensory_denominator, sensory_numerator = activations(p["sensory"], inputs)
        cm_t = cm / (elapsed / cell.unfolds)
        for _ in range(cell.unfolds):
            denominator, numerator = activations(p["synapse"], v)
            numerator = cm_t * v + gleak * vleak + numerator + sensory_numerator
            denominator = cm_t + gleak + denominator + sensory_denominator
            v = numerator / (denominator + EPSILON)
        ys.append(v * p["output"]["w"] + (p["output"]["b"] if cell.bias else 0))
    return np.array(ys), {"h": v}

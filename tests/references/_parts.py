"""Functions that the references of several matrix memories share."""

import numpy as np

from references import sigmoid


def silu(a):
    return a * sigmoid(a)


def softplus(a):
    return np.logaddexp(0, a)


def heads(a, count):
    """Rows for each head, one head after the other."""
    return a.reshape(count, -1)


def l2norm(a):
    """fla/modules/l2norm.py, of each head."""
    return a / np.sqrt(np.sum(a * a, axis=-1, keepdims=True) + 1e-6)


def through_blocks(W, x):
    """W x; of blocks, each with its part of x, one after the other (xlstm/components/linear_headwise.py)."""
    if W.ndim == 2:
        return W @ x
    return np.concatenate([w @ part for w, part in zip(W, np.split(x, len(W)), strict=True)])

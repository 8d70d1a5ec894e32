"""The published equations of every cell, literally: float64 NumPy, one plain loop over time per cell.

A reference takes the cell's specification (for its plain fields), its parameters `p` with every recurrent matrix
U as a dense (H, H) array, inputs (T, I), and the state before the first step. It returns outputs (T, O) and the
last state. Nothing here uses rnnzoo.
"""

import numpy as np

REFERENCES = {}


def reference(name):
    """Decorator: the reference of the cell of that name."""

    def register(function):
        REFERENCES[name] = function
        return function

    return register


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def relu(a):
    return np.maximum(a, 0)


@reference("Elman")
def elman(cell, p, xs, state):
    """Elman 1990, with the activation of the specification."""
    function = {"tanh": np.tanh, "relu": relu, "sigmoid": sigmoid, "identity": lambda a: a}[cell.activation]
    W, U, b = p["w"]["h"], p["u"]["h"], p["b"]["h"]
    h, ys = state["h"], []
    for x in xs:
        h = function(W @ x + U @ h + b)
        ys.append(h)
    return np.array(ys), {"h": h}


@reference("IndRNN")
def indrnn(cell, p, xs, state):
    """Li et al. 2018, equation 2: h_t = relu(W x_t + u * h_tm1 + b); U is diag(u)."""
    W, U, b = p["w"]["h"], p["u"]["h"], p["b"]["h"]
    h, ys = state["h"], []
    for x in xs:
        h = relu(W @ x + U @ h + b)
        ys.append(h)
    return np.array(ys), {"h": h}


@reference("LSTM")
def lstm(cell, p, xs, state):
    """Gers et al. 2000, in the form of Zaremba et al. 2014."""
    W, U, b = p["w"], p["u"], p["b"]
    h, c, ys = state["h"], state["c"], []
    for x in xs:
        i = sigmoid(W["i"] @ x + U["i"] @ h + b["i"])
        f = sigmoid(W["f"] @ x + U["f"] @ h + b["f"])
        o = sigmoid(W["o"] @ x + U["o"] @ h + b["o"])
        g = np.tanh(W["g"] @ x + U["g"] @ h + b["g"])
        c = f * c + i * g
        h = o * np.tanh(c)
        ys.append(h)
    return np.array(ys), {"h": h, "c": c}


@reference("GRU")
def gru(cell, p, xs, state):
    """The form of cuDNN: a bias of its own inside the reset."""
    W, U, b, c = p["w"], p["u"], p["b"], p["c"] if cell.bias else 0
    h, ys = state["h"], []
    for x in xs:
        r = sigmoid(W["r"] @ x + U["r"] @ h + b["r"])
        z = sigmoid(W["z"] @ x + U["z"] @ h + b["z"])
        n = np.tanh(W["n"] @ x + b["n"] + r * (U["n"] @ h + c))
        h = (1 - z) * n + z * h
        ys.append(h)
    return np.array(ys), {"h": h}


@reference("GRUResetBefore")
def gru_reset_before(cell, p, xs, state):
    """Cho et al. 2014, equations 5 to 8, plus biases."""
    W, U, b = p["w"], p["u"], p["b"]
    h, ys = state["h"], []
    for x in xs:
        r = sigmoid(W["r"] @ x + U["r"] @ h + b["r"])
        z = sigmoid(W["z"] @ x + U["z"] @ h + b["z"])
        candidate = np.tanh(W["n"] @ x + U["n"] @ (r * h) + b["n"])
        h = z * h + (1 - z) * candidate
        ys.append(h)
    return np.array(ys), {"h": h}


@reference("MGU")
def mgu(cell, p, xs, state):
    """Zhou et al. 2016, equations 7: its W_f and W_h act on [h, x]."""
    Wf = np.concatenate([p["u"]["f"], p["w"]["f"]], 1)
    Wh = np.concatenate([p["u"]["n"], p["w"]["n"]], 1)
    bf, bh = p["b"]["f"], p["b"]["n"]
    h, ys = state["h"], []
    for x in xs:
        f = sigmoid(Wf @ np.concatenate([h, x]) + bf)
        candidate = np.tanh(Wh @ np.concatenate([f * h, x]) + bh)
        h = (1 - f) * h + f * candidate
        ys.append(h)
    return np.array(ys), {"h": h}


@reference("ProjectedLSTM")
def projected_lstm(cell, p, xs, state):
    """Sak et al. 2014, equations 1 to 7 without peepholes, with the recurrent projection only."""
    W, R, b = p["w"], p["v"], p["b"]
    r, c, ys = state["h"], state["c"], []
    for x in xs:
        i = sigmoid(W["i"] @ x + R["i"] @ r + b["i"])
        f = sigmoid(W["f"] @ x + R["f"] @ r + b["f"])
        c = f * c + i * np.tanh(W["g"] @ x + R["g"] @ r + b["g"])
        o = sigmoid(W["o"] @ x + R["o"] @ r + b["o"])
        r = p["p"] @ (o * np.tanh(c))
        ys.append(r)
    return np.array(ys), {"h": r, "c": c}


@reference("UGRNN")
def ugrnn(cell, p, xs, state):
    """Collins et al. 2017, section 2.1."""
    W, U, b = p["w"], p["u"], p["b"]
    h, ys = state["h"], []
    for x in xs:
        c = np.tanh(U["n"] @ h + W["n"] @ x + b["n"])
        g = sigmoid(U["g"] @ h + W["g"] @ x + b["g"])
        h = g * h + (1 - g) * c
        ys.append(h)
    return np.array(ys), {"h": h}


@reference("CfC")
def cfc(cell, p, xs, state, dts=None):
    """Hasani et al. 2022, in the form of the authors' code (ncps): heads ff1, ff2, time_a, time_b."""
    W, U, b = p["w"], p["u"], p["b"]
    h, ys = state["h"], []
    for x, dt in zip(xs, np.ones(len(xs)) if dts is None else dts, strict=True):
        ff1 = np.tanh(W["a"] @ x + U["a"] @ h + b["a"])
        ff2 = np.tanh(W["b"] @ x + U["b"] @ h + b["b"])
        t_a = W["s"] @ x + U["s"] @ h + b["s"]
        t_b = W["r"] @ x + U["r"] @ h + b["r"]
        t_interp = sigmoid(t_a * dt + t_b)
        h = ff1 * (1 - t_interp) + t_interp * ff2
        ys.append(h)
    return np.array(ys), {"h": h}


def positive(a):
    """Feng et al. 2024, appendix B: g."""
    return np.where(a >= 0, a + 0.5, sigmoid(a))


@reference("MinGRU")
def mingru(cell, p, xs, state):
    """Feng et al. 2024, appendix B, sequential mode."""
    W, b = p["w"], p["b"]
    h, ys = state["h"], []
    for x in xs:
        z = sigmoid(W["z"] @ x + b["z"])
        candidate = positive(W["n"] @ x + b["n"])
        h = (1 - z) * h + z * candidate
        ys.append(h)
    return np.array(ys), {"h": h}


@reference("MinLSTM")
def minlstm(cell, p, xs, state):
    """Feng et al. 2024, appendix B, sequential mode with length independence."""
    W, b = p["w"], p["b"]
    h, ys = state["h"], []
    for x in xs:
        f = sigmoid(W["f"] @ x + b["f"])
        i = sigmoid(W["i"] @ x + b["i"])
        candidate = positive(W["n"] @ x + b["n"])
        f_prime, i_prime = f / (f + i), i / (f + i)
        h = f_prime * h + i_prime * candidate
        ys.append(h)
    return np.array(ys), {"h": h}


@reference("LRU")
def lru(cell, p, xs, state):
    """Orvieto et al. 2023, appendix A, in complex numbers."""
    units = len(p["nu"])
    B = p["w"]["h"][:units] + 1j * p["w"]["h"][units:]
    b = p["b"]["h"][:units] + 1j * p["b"]["h"][units:]
    C = p["c"][:, :units] - 1j * p["c"][:, units:]
    D = p["d"]
    decay = np.exp(-np.exp(p["nu"]) + 1j * np.exp(p["theta"]))
    gamma = np.exp(p["gamma"])
    h, ys = state["h"][:units] + 1j * state["h"][units:], []
    for x in xs:
        h = decay * h + gamma * (B @ x + b)
        ys.append((C @ h).real + D @ x)
    return np.array(ys), {"h": np.concatenate([h.real, h.imag])}


# ---- wrappers, with their default cell -------------------------------------------------------------------


def lstm_step(p, x, h, c, heard=None):
    """One step of Gers et al. 2000; U acts on `heard`, which is h unless given."""
    heard = h if heard is None else heard
    a = {g: p["w"][g] @ x + p["u"][g] @ heard + p["b"][g] for g in "ifog"}
    c = sigmoid(a["f"]) * c + sigmoid(a["i"]) * np.tanh(a["g"])
    return sigmoid(a["o"]) * np.tanh(c), c


@reference("DropConnect")
@reference("VariationalDropout")
def undisturbed(cell, p, xs, state):
    """Merity et al. 2018; Gal & Ghahramani 2016: in evaluation, the LSTM."""
    return lstm(cell, p, xs, state)


@reference("Zoneout")
def zoneout(cell, p, xs, state):
    """Krueger et al. 2017, the LSTM with zoneout of c and h, the masks at their mean."""
    h, c, ys = state["h"], state["c"], []
    for x in xs:
        h_new, c_new = lstm_step(p, x, h, c)
        h = cell.rate * h + (1 - cell.rate) * h_new
        c = cell.memory_rate * c + (1 - cell.memory_rate) * c_new
        ys.append(h)
    return np.array(ys), {"h": h, "c": c}


@reference("MultiplicativeIntegration")
def multiplicative_integration(cell, p, xs, state):
    """Wu et al. 2016, the general form: phi(alpha * Wx * Uz + beta_1 * Uz + beta_2 * Wx + b)."""
    W, U, b, mi = p["w"]["h"], p["u"]["h"], p["b"]["h"], {k: v["h"] for k, v in p["mi"].items()}
    h, ys = state["h"], []
    for x in xs:
        h = np.tanh(mi["alpha"] * (W @ x) * (U @ h) + mi["beta_u"] * (U @ h) + mi["beta_w"] * (W @ x) + b)
        ys.append(h)
    return np.array(ys), {"h": h}


@reference("Dilated")
def dilated(cell, p, xs, state):
    """Chang et al. 2017: the cell's state is that of s steps ago."""
    W, U, b = p["w"]["h"], p["u"]["h"], p["b"]["h"]
    past = list(state["h"])  # of the steps -s to -1
    for x in xs:
        past.append(np.tanh(W @ x + U @ past[-cell.delay] + b))
    return np.array(past[cell.delay :]), {"h": np.array(past[-cell.delay :])}


@reference("Clockwork")
def clockwork(cell, p, xs, state):
    """Koutnik et al. 2014: only the modules with t mod T_i = 0 execute, the others keep their state."""
    W, U, b = p["w"]["h"], p["u"]["h"], p["b"]["h"]
    group = len(state["h"]) // len(cell.periods)
    h, clock, ys = state["h"], state["clock"], []
    for x in xs:
        new = np.tanh(W @ x + U @ h + b)
        h = np.where(clock < 1, new, h)
        clock = np.array([(clock[i] + 1) % cell.periods[i // group] for i in range(len(h))])
        ys.append(h)
    return np.array(ys), {"h": h, "clock": clock}

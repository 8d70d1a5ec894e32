"""From the authors' names of weights to ours, for networks that rnnzoo.convert does not read."""

import numpy as np


def linear(W, name):
    found = {"w": W[f"{name}.weight"]}
    return {**found, "b": W[f"{name}.bias"]} if f"{name}.bias" in W else found


def under(W, start):
    """The weights whose names begin so."""
    return {name.removeprefix(f"{start}."): a for name, a in W.items() if name.startswith(f"{start}.")}


def taps(w):
    """torch's (channels, 1, width) as (width, channels)."""
    return w[:, 0].T


def norm(W, name):
    found = {"scale": W[f"{name}.weight"]}
    return {**found, "bias": W[f"{name}.bias"]} if f"{name}.bias" in W else found


def gated_deltanet(config, W):
    def block(W):
        A = under(W, "attn")
        names = {"q": "q_proj", "k": "k_proj", "v": "v_proj", "alpha": "a_proj", "beta": "b_proj"}
        return {
            "norm": norm(W, "attn_norm"),
            "cell": {
                "w": {g: A[f"{name}.weight"] for g, name in names.items()},
                "a_log": A["A_log"],
                "dt_bias": A["dt_bias"],
                "conv": {"w": {g: taps(A[f"{g}_conv1d.weight"]) for g in "qkv"}},
            },
            "output_norm": norm(A, "o_norm"),
            "gate": linear(A, "g_proj"),
            "out": linear(A, "o_proj"),
            "mlp": {
                "norm": norm(W, "mlp_norm"),
                "gate": linear(W, "mlp.gate_proj"),
                "in": linear(W, "mlp.up_proj"),
                "out": linear(W, "mlp.down_proj"),
            },
        }

    layers = {f"layer_{i}": block(under(W, f"model.layers.{i}")) for i in range(config["num_hidden_layers"])}
    embed = {"w": W["model.embeddings.weight"]}
    return {"embed": embed, **layers, "norm": norm(W, "model.norm"), "head": linear(W, "lm_head")}


def mamba2(config, W):
    size, state = 2 * config["d_model"], config["ssm_cfg"]["d_state"]

    def block(W):
        M = under(W, "mixer")
        z, x, b, c, dt = np.split(M["in_proj.weight"], np.cumsum([size, size, state, state]))
        w = np.split(taps(M["conv1d.weight"]), [size, size + state], 1)
        biases = np.split(M["conv1d.bias"], [size, size + state])
        return {
            "norm": norm(W, "norm"),
            "cell": {
                "w": {"x": x, "b": b, "c": c, "dt": dt},
                "dt_bias": M["dt_bias"],
                "a_log": M["A_log"],
                "d": M["D"],
                "conv": {"w": dict(zip("xbc", w, strict=True)), "b": dict(zip("xbc", biases, strict=True))},
            },
            "gate": {"w": z},
            "output_norm": norm(M, "norm"),
            "out": linear(M, "out_proj"),
        }

    layers = {f"layer_{i}": block(under(W, f"backbone.layers.{i}")) for i in range(config["n_layer"])}
    return {"embed": {"w": W["backbone.embedding.weight"]}, **layers, "norm": norm(W, "backbone.norm_f"), "head": {}}


def rwkv7(config, W):
    def block(W):
        A = {name: a.reshape(-1) if a.ndim == 3 else a for name, a in under(W, "att").items()}
        low = [j for j in "wavg" if f"{j}1" in A]
        return {
            "norm": norm(W, "ln1"),
            "cell": {
                "w": {"r": A["receptance.weight"], "k": A["key.weight"], "v": A["value.weight"]},
                "mix": {j: A[f"x_{j}"] for j in "rwkvag"},
                "down": {j: A[f"{j}1"].T for j in low},
                "up": {j: A[f"{j}2"].T for j in low},
                "base": {j: A[f"{j}0"] for j in low if j != "g"},
                **{name: A[name] for name in ("k_k", "k_a", "r_k")},
                "norm": {"scale": A["ln_x.weight"], "shift": A["ln_x.bias"]},
            },
            "out": linear(A, "output"),
            "mlp": {
                "norm": norm(W, "ln2"),
                "mix": W["ffn.x_k"].reshape(-1),
                "in": linear(W, "ffn.key"),
                "out": linear(W, "ffn.value"),
            },
        }

    layers = {f"layer_{i}": block(under(W, f"blocks.{i}")) for i in range(config["n_layer"])}
    embed = {"w": W["emb.weight"], "norm": norm(W, "blocks.0.ln0")}
    return {"embed": embed, **layers, "norm": norm(W, "ln_out"), "head": linear(W, "head")}


def mingru(config, W):
    def block(W):
        gates = np.split(W["2.to_hidden_and_gate.weight"], 2)
        point = W["0.net.1.weight"][:, :, 0]
        return {
            "convolution": {
                "w": taps(W["0.net.0.weight"]),
                "b": W["0.net.0.bias"],
                "out": {"w": point, "b": W["0.net.1.bias"]},
            },
            "norm": norm(W, "1"),
            "cell": {"w": dict(zip("nz", gates, strict=True))},
            "out": linear(W, "2.to_out"),
            "mlp": {"norm": norm(W, "3"), "in": linear(W, "4.0"), "out": linear(W, "4.2")},
        }

    layers = {f"layer_{i}": block(under(W, f"layers.{i}")) for i in range(config["depth"])}
    embed = {"w": W["token_emb.weight"]}
    return {"embed": embed, **layers, "norm": norm(W, "norm"), "head": linear(W, "to_logits")}

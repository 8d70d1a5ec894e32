"""Recurrent PPO: an agent that sees a cue once and needs it later. `python docs/guides/recurrent_ppo.py`

The corridor: the first observation of an episode is a cue, -1 or 1, and then nothing is seen for some steps. The last
action is rewarded if it fits the cue. Without memory the expected reward is 0.5. PPO (Schulman et al. 2017,
arXiv:1707.06347) with generalised advantages (arXiv:1506.02438). `resets` starts the state anew where an episode began.
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import optax

from rnnzoo import cells, make_stepper, run, structures

LENGTH, ENVS, STEPS, UPDATES = 6, 64, 24, 75  # of an episode; at once; of a rollout; of the parameters, times EPOCHS
EPOCHS, CLIP, GAMMA, LAMBDA, LR = 4, 0.2, 0.99, 0.95, 3e-3
CELL = cells.GRU(hidden_size=16, structure=structures.Banded(bandwidth=1))


def observe(cue: jax.Array, t: jax.Array) -> jax.Array:
    """(B, 2): the cue in the first step of an episode, else 0; and a clock."""
    return jnp.stack([jnp.where(t == 0, cue, 0.0), t / LENGTH], -1)


def advance(cue: jax.Array, t: jax.Array, action: jax.Array, key: jax.Array) -> tuple[jax.Array, ...]:
    """The next cue and time, the reward, and whether the episode ended, for all environments."""
    done = t == LENGTH - 1
    reward = jnp.where(done, (action == (cue > 0)).astype(float), 0.0)
    fresh = 2.0 * jax.random.bernoulli(key, shape=cue.shape) - 1
    return jnp.where(done, fresh, cue), jnp.where(done, 0, t + 1), reward, done


def init(key: jax.Array) -> dict[str, Any]:
    """A cell, and a head for two actions and the value."""
    return {"cell": CELL.init(key, 2), "head": jnp.zeros((CELL.hidden_size, 3))}


def rollout(params: Any, carry: Any, key: jax.Array) -> tuple[Any, dict[str, jax.Array]]:
    """Act for some steps in all environments; the carry is (state, cue, t, whether an episode begins)."""

    def step(carry: Any, key: jax.Array) -> Any:
        state, cue, t, begins = carry
        key_action, key_cue = jax.random.split(key)
        x = observe(cue, t)
        ys, state = run(CELL, params["cell"], x[None], state, resets=begins[None])
        out = ys[0] @ params["head"]
        action = jax.random.categorical(key_action, out[:, :2])
        logp = jnp.take_along_axis(jax.nn.log_softmax(out[:, :2]), action[:, None], 1)[:, 0]
        cue, t, reward, done = advance(cue, t, action, key_cue)
        seen = {"x": x, "resets": begins, "action": action, "logp": logp, "value": out[:, 2], "reward": reward}
        return (state, cue, t, done), seen | {"done": done}

    return jax.lax.scan(step, carry, jax.random.split(key, STEPS))


def advantages(seen: dict[str, jax.Array]) -> jax.Array:
    """Generalised advantage estimates (STEPS, B); what comes after the last step counts as its own value."""
    following = jnp.concatenate([seen["value"][1:], seen["value"][-1:]])
    delta = seen["reward"] + GAMMA * jnp.where(seen["done"], 0, following) - seen["value"]

    def back(later: jax.Array, now: Any) -> Any:
        found = now[0] + GAMMA * LAMBDA * jnp.where(now[1], 0, later)
        return found, found

    return jax.lax.scan(back, jnp.zeros(delta.shape[1]), (delta, seen["done"]), reverse=True)[1]


def loss_of(params: Any, state: Any, seen: dict[str, jax.Array], gain: jax.Array) -> jax.Array:
    """PPO's clipped loss: the whole rollout in one `run`, from the state that it began with."""
    ys, _ = run(CELL, params["cell"], seen["x"], state, resets=seen["resets"])
    out = ys @ params["head"]
    logps = jax.nn.log_softmax(out[..., :2])
    ratio = jnp.exp(jnp.take_along_axis(logps, seen["action"][..., None], -1)[..., 0] - seen["logp"])
    scaled = (gain - gain.mean()) / (gain.std() + 1e-6)
    policy = jnp.minimum(ratio * scaled, jnp.clip(ratio, 1 - CLIP, 1 + CLIP) * scaled).mean()
    value = ((out[..., 2] - seen["value"] - gain) ** 2).mean()
    entropy = -(jnp.exp(logps) * logps).sum(-1).mean()
    return -policy + 0.5 * value - 0.01 * entropy


ADAM = optax.chain(optax.clip_by_global_norm(0.5), optax.adam(LR))


@functools.partial(jax.jit, donate_argnums=(0, 1, 2))
def update(params: Any, adam: Any, carry: Any, key: jax.Array) -> Any:
    """A rollout, and some steps of the optimizer on it."""
    began = carry[0]
    carry, seen = rollout(params, carry, key)
    gain = advantages(seen)
    for _ in range(EPOCHS):
        changes, adam = ADAM.update(jax.grad(loss_of)(params, began, seen, gain), adam, params)
        params = optax.apply_updates(params, changes)
    return params, adam, carry, seen["reward"].sum() / seen["done"].sum()


def train(seed: int = 0, updates: int = UPDATES) -> tuple[Any, float]:
    """Train an agent. Its parameters, and the mean reward of an episode in the last rollout."""
    keys = jax.random.split(jax.random.key(seed), updates + 1)
    params = init(keys[0])
    adam, state = ADAM.init(params), {"h": jnp.zeros((ENVS, CELL.hidden_size))}
    carry = (state, jnp.ones(ENVS), jnp.zeros(ENVS, int), jnp.ones(ENVS, bool))
    reward = jnp.zeros(())
    for i, key in enumerate(keys[1:]):
        params, adam, carry, reward = update(params, adam, carry, key)
        if i % 25 == 24:
            print(f"update {i + 1}: reward of an episode {float(reward):.2f}")
    return params, float(reward)


def play(params: Any, cue: float) -> int:
    """The last action of one episode, by a compiled stepper as on a robot: no batch, one step at a time."""
    stepper = make_stepper(CELL, params["cell"])
    state, y = stepper.start(), jnp.zeros((1, CELL.hidden_size))
    for t in range(LENGTH):
        y, state = stepper(state, observe(jnp.asarray(cue), jnp.asarray(t))[None])
    return int((y[0] @ params["head"])[:2].argmax())


if __name__ == "__main__":
    trained, _ = train()
    print("a cue of 1:", play(trained, 1.0), " a cue of -1:", play(trained, -1.0))

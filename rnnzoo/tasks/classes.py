"""What tasks have in common whose answer is one class for each sequence."""

import abc

import jax.numpy as jnp
import numpy as np

from rnnzoo.spec import spec
from rnnzoo.tasks import measures
from rnnzoo.tasks.base import Task
from rnnzoo.tasks.data import Batch
from rnnzoo.typing import Array, Float


@spec
class Classification(Task, abc.ABC):
    """The class of a sequence, read after its last step: y (B,) in 0..K-1, outputs (B, K)."""

    metric = "accuracy"
    better = "higher"
    loss_unit = "nats"
    read = "last"

    def loss(self, outputs: Float[Array, "B K"], batch: Batch) -> Array:
        return measures.loss(measures.cross_entropy(outputs, batch["y"]), batch)

    def scores(self, outputs: Float[Array, "B K"], batch: Batch) -> dict[str, tuple[Array, Array]]:
        return {
            "accuracy": measures.total(measures.class_hits(outputs, batch["y"])),
            "cross_entropy": measures.total(measures.cross_entropy(outputs, batch["y"])),
        }


def baselines_of(train: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray]) -> dict[str, float]:
    """The accuracy of three guesses from features (N, F) and labels (N,): the most frequent class, the nearest class
    mean, and linear least squares."""
    (x, y), (x_test, y_test) = train, test
    labels, places = np.unique(y, return_inverse=True)
    one_hot = np.eye(len(labels))[places]
    means = one_hot.T @ x / one_hot.sum(0)[:, None]
    distances = (means**2).sum(1) - 2 * x_test @ means.T  # and the square of x_test, which is the same for all means
    z = _with_ones(x)
    linear = np.linalg.lstsq(z.T @ z, z.T @ one_hot, rcond=1e-10)[0]  # the normal equations: F x F is small
    guesses = {
        "majority": one_hot.sum(0).argmax(),
        "nearest_mean": distances.argmin(1),
        "least_squares": (_with_ones(x_test) @ linear).argmax(1),
    }
    return {name: float((labels[guess] == y_test).mean()) for name, guess in guesses.items()}


def held_back(labels: np.ndarray, fraction: float, seed: int = 0) -> np.ndarray:
    """The rows of a validation part, sorted: of every class, as many as the fraction says, at least one and never all.

    Chosen with RandomState, whose sequence is frozen by numpy's policy."""
    random, chosen = np.random.RandomState(seed), []
    for label in np.unique(labels):
        rows = random.permutation(np.flatnonzero(labels == label))
        chosen.append(rows[: min(max(1, int(len(rows) * fraction)), len(rows) - 1)])
    return np.sort(np.concatenate(chosen))


def time_statistics(part: dict[str, Array]) -> np.ndarray:
    """Features (N, 2 I) of sequences x (N, T, I): mean and standard deviation over the steps that count, without those
    that are NaN."""
    x = np.asarray(part["x"], np.float64)
    steps = np.arange(x.shape[1]) < np.asarray(part.get("lengths", np.full(len(x), x.shape[1])))[:, None]
    where = steps[..., None] & ~np.isnan(x)
    mean, deviation = moments(np.where(where, x, 0), where, 1)
    return np.concatenate([mean[:, 0], deviation[:, 0]], axis=1)


def moments(x: np.ndarray, where: np.ndarray, axis: int | tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation along axes, which are kept, of what counts. With nothing that counts, 0 and 0."""
    number = np.maximum(where.sum(axis, keepdims=True), 1)
    mean = np.where(where, x, 0).sum(axis, keepdims=True) / number
    return mean, np.sqrt((np.where(where, x - mean, 0) ** 2).sum(axis, keepdims=True) / number)


def joined(series: list[np.ndarray], time: int, ragged: bool = True) -> dict[str, Array]:
    """Series (T_i, I) as x (N, time, I), padded with zeros, and, if they are `ragged`, their lengths (N,)."""
    x = np.zeros((len(series), time, series[0].shape[1]), jnp.result_type(float))
    for row, one in zip(x, series, strict=True):
        row[: len(one)] = one
    lengths = np.array([len(one) for one in series], np.int32)
    return {"x": jnp.asarray(x)} | ({"lengths": jnp.asarray(lengths)} if ragged else {})


def _with_ones(x: np.ndarray) -> np.ndarray:
    return np.concatenate([x, np.ones((len(x), 1))], axis=1)


__all__ = ["Classification", "baselines_of", "held_back", "joined", "moments", "time_statistics"]

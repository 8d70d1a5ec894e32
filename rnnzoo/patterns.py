"""Fixed patterns of connections: which units hear which others. Seeded, never trained."""

import abc

import numpy as np

from rnnzoo.registry import Count, Fraction, Seed, Size, Spec, spec


@spec
class Pattern(Spec, abc.ABC, kind="patterns"):
    """A set of edges j -> i among H units. Every unit hears itself and at least one other, so that there are cycles."""

    @abc.abstractmethod
    def mask(self, size: int) -> np.ndarray:
        """(H, H) bools; [i, j] says whether unit i hears unit j. The same for the same fields and size."""

    def refuses(self, size: int) -> str | None:
        """What would fit, if there is no such pattern of that size."""
        return None if size > 1 else "hidden_size of 2 or more"


@spec
class RandomRows(Pattern):
    """Every unit hears itself and `others` more, all choices being equally likely (Erdos & Renyi, by rows)."""

    others: Size = 2
    """How many other units a unit hears."""
    seed: Seed = 0
    """Which of the patterns."""

    def refuses(self, size: int) -> str | None:
        if size > self.others:
            return None
        return f"others from 1 to {size - 1}" if size > 1 else "hidden_size of 2 or more"

    def mask(self, size: int) -> np.ndarray:
        random, heard = _random(self.seed), np.eye(size, dtype=bool)
        for i in range(size):
            heard[i, (i + 1 + random.permutation(size - 1)[: self.others]) % size] = True
        return heard


@spec
class SmallWorld(Pattern):
    """A ring of near neighbours, some of whose connections lead to random units instead (Watts & Strogatz 1998)."""

    neighbours: Size = 1
    """How many neighbours a unit hears on either side, before the change."""
    rewired: Fraction = 0.1
    """The probability that a connection leads to a random unit instead."""
    seed: Seed = 0
    """Which of the patterns."""

    def refuses(self, size: int) -> str | None:
        if size > 2 * self.neighbours:
            return None
        return f"neighbours from 1 to {(size - 1) // 2}" if size > 2 else "hidden_size of 3 or more"

    def mask(self, size: int) -> np.ndarray:
        random, heard = _random(self.seed), np.eye(size, dtype=bool)
        for d in range(1, self.neighbours + 1):
            heard |= np.roll(np.eye(size, dtype=bool), d, axis=1) | np.roll(np.eye(size, dtype=bool), -d, axis=1)
        for i, j in np.argwhere(heard & ~np.eye(size, dtype=bool)):
            free = np.flatnonzero(~heard[i])
            if random.random_sample() < self.rewired and free.size:
                heard[i, j], heard[i, free[random.randint(free.size)]] = False, True
        return heard


@spec
class Clusters(Pattern):
    """Groups of units that hear all of their own group, and a few of the others."""

    clusters: Size = 2
    """Number of groups of equal size; divides hidden_size, with 2 units or more to a group."""
    others: Count = 1
    """How many units of other groups a unit hears, if there are as many."""
    seed: Seed = 0
    """Which of the patterns."""

    def refuses(self, size: int) -> str | None:
        if size % self.clusters == 0 and size > self.clusters:
            return None
        return f"a multiple of {self.clusters}, from {2 * self.clusters}"

    def mask(self, size: int) -> np.ndarray:
        group = np.arange(size) // (size // self.clusters)
        random, heard = _random(self.seed), group[:, None] == group
        for i in range(size):
            heard[i, random.permutation(np.flatnonzero(group != group[i]))[: self.others]] = True
        return heard


def _random(seed: int) -> np.random.RandomState:
    return np.random.RandomState(seed)  # the one generator whose stream numpy promises to keep


__all__ = ["Clusters", "Pattern", "RandomRows", "SmallWorld"]

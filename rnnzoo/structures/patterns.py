"""Fixed patterns of connections: which units hear which others. Seeded, never trained."""

import abc

import numpy as np

from rnnzoo.spec import Count, Fraction, Seed, Size, Spec, spec


@spec
class Pattern(Spec, abc.ABC, kind="patterns"):
    """A set of edges j -> i among H units. Every unit hears itself, and there are longer cycles too."""

    @abc.abstractmethod
    def mask(self, size: int) -> np.ndarray:
        """(H, H) bools; [i, j] says whether unit i hears unit j. The same for the same fields and size."""

    def refuses(self, size: int) -> str | None:
        """What would be accepted, if no pattern of this kind has that size; else None."""
        return None if size > 1 else "hidden_size of 2 or more"


@spec
class RandomRows(Pattern):
    """Every unit hears itself and `others` more, all choices being equally likely (Erdos & Renyi, by rows)."""

    others: Size = 2
    """How many other units a unit hears."""
    seed: Seed = 0
    """Selects one of the patterns."""

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
    """Selects one of the patterns."""

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
    """Selects one of the patterns."""

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


@spec
class RandomEdges(Pattern):
    """Every unit hears itself, and each other unit with the same probability (Gilbert 1959); at least one of them."""

    density: Fraction = 0.1
    """The probability of a connection between two units."""
    seed: Seed = 0
    """Selects one of the patterns."""

    def mask(self, size: int) -> np.ndarray:
        random = _random(self.seed)
        chance = random.random_sample((size, size))
        heard = (chance < self.density) | np.eye(size, dtype=bool)
        for i in np.flatnonzero(heard.sum(1) == 1):
            heard[i, (i + random.randint(1, size)) % size] = True
        return heard


@spec
class NeuralCircuit(Pattern):
    """Layers of inter, command and motor units, as in a worm's tap reflex (Lechner et al. 2020, Neural circuit policies
    enabling auditable autonomy). Units come in that order; 60 % of those that are not motor units are inter units.

    A share `density` of the command units, but at least one, hears each inter unit. Each motor unit and each command
    unit hears as many command units; the authors draw the connections between command units differently. All units hear
    themselves. W takes the place of the layer of sensors."""

    motor: Size = 1
    """Number of motor units, the last ones."""
    density: Fraction = 0.5
    """The share of the command units that a unit is connected with."""
    seed: Seed = 0
    """Selects one of the patterns."""

    def _layers(self, size: int) -> tuple[int, int]:
        command = max(2, int(0.4 * (size - self.motor)))
        return size - self.motor - command, command

    def refuses(self, size: int) -> str | None:
        if self._layers(size)[0] >= 1:
            return None
        return f"motor from 1 to {size - 3}" if size > 3 else "hidden_size of 4 or more"

    def mask(self, size: int) -> np.ndarray:
        inter, command = self._layers(size)
        random, heard = _random(self.seed), np.eye(size, dtype=bool)
        several = max(1, int(self.density * command))
        for i in range(inter):  # some command units hear it; below, every command unit hears at least one
            heard[inter + random.permutation(command)[:several], i] = True
        for i in range(inter, inter + command):
            if not heard[i, :inter].any():
                heard[i, random.randint(inter)] = True
            others = np.delete(np.arange(inter, inter + command), i - inter)
            heard[i, random.permutation(others)[:several]] = True
        for i in range(inter + command, size):
            heard[i, inter + random.permutation(command)[:several]] = True
        return heard


def _random(seed: int) -> np.random.RandomState:
    return np.random.RandomState(seed)  # the one generator whose stream numpy promises to keep


__all__ = ["Clusters", "NeuralCircuit", "Pattern", "RandomEdges", "RandomRows", "SmallWorld"]

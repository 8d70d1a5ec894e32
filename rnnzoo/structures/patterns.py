"""Fixed patterns of connections: which units hear which others. Seeded, never trained."""

import abc
import functools
from collections.abc import Iterator

import numpy as np

from rnnzoo.spec import Count, Fraction, Seed, Size, Spec, spec

LARGEST_DRAWN = 2**14


@spec
class Pattern(Spec, abc.ABC, kind="patterns"):
    """A set of edges j -> i among H units. Every unit hears itself, and there are longer cycles too."""

    @abc.abstractmethod
    def mask(self, size: int) -> np.ndarray:
        """(H, H) bools; [i, j] says whether unit i hears unit j. The same for the same fields and size."""

    def num_edges(self, size: int) -> int:
        """How many edges there are. By default all of `mask` are counted."""
        return int(self.mask(size).sum())

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

    def num_edges(self, size: int) -> int:
        return size * (1 + self.others)

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

    def num_edges(self, size: int) -> int:
        return size * (1 + 2 * self.neighbours)  # one that leads elsewhere is still one

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

    def num_edges(self, size: int) -> int:
        group = size // self.clusters
        return size * (group + min(self.others, size - group))

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

    def refuses(self, size: int) -> str | None:
        return super().refuses(size) or too_large(size)

    def _rows(self, random: np.random.RandomState, size: int) -> Iterator[np.ndarray]:
        """The rows of the mask, one by one, before a unit that hears no other gets one."""
        for i in range(size):
            heard = random.random_sample(size) < self.density
            heard[i] = True
            yield heard

    @functools.lru_cache(maxsize=64)  # noqa: B019 (a frozen specification, few of them)
    def num_edges(self, size: int) -> int:
        return sum(max(2, int(heard.sum())) for heard in self._rows(_random(self.seed), size))

    def mask(self, size: int) -> np.ndarray:
        random = _random(self.seed)
        heard = np.stack(list(self._rows(random, size)))
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
            return too_large(size)
        return f"motor from 1 to {size - 3}" if size > 3 else "hidden_size of 4 or more"

    def _several(self, command: int) -> int:
        return max(1, int(self.density * command))

    def _hearing_inter(self, random: np.random.RandomState, size: int) -> Iterator[np.ndarray]:
        """For each inter unit, which of the command units hear it."""
        inter, command = self._layers(size)
        return (random.permutation(command)[: self._several(command)] for _ in range(inter))

    @functools.lru_cache(maxsize=64)  # noqa: B019 (a frozen specification, few of them)
    def num_edges(self, size: int) -> int:
        inter, command = self._layers(size)
        several, hears = self._several(command), np.zeros(command, bool)
        for units in self._hearing_inter(_random(self.seed), size):
            hears[units] = True
        between = command * min(several, command - 1)
        return size + inter * several + int((~hears).sum()) + between + self.motor * several

    def mask(self, size: int) -> np.ndarray:
        inter, command = self._layers(size)
        random, heard = _random(self.seed), np.eye(size, dtype=bool)
        several = self._several(command)
        for i, units in enumerate(self._hearing_inter(random, size)):  # below, every command unit hears one or more
            heard[inter + units, i] = True
        for i in range(inter, inter + command):
            if not heard[i, :inter].any():
                heard[i, random.randint(inter)] = True
            others = np.delete(np.arange(inter, inter + command), i - inter)
            heard[i, random.permutation(others)[:several]] = True
        for i in range(inter + command, size):
            heard[i, inter + random.permutation(command)[:several]] = True
        return heard


def too_large(size: int) -> str | None:
    """What would be accepted where the pattern is drawn to know any shape, which takes seconds at the limit."""
    return None if size <= LARGEST_DRAWN else f"hidden_size of up to {LARGEST_DRAWN}, or SparseMask with RandomRows"


def _random(seed: int) -> np.random.RandomState:
    return np.random.RandomState(seed)  # the one generator whose stream numpy promises to keep


__all__ = ["Clusters", "NeuralCircuit", "Pattern", "RandomEdges", "RandomRows", "SmallWorld", "too_large"]

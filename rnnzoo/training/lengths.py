"""The headline score on held-out sequences a few times as long as those trained on, beside the task's own."""

import dataclasses

from rnnzoo.models import Model
from rnnzoo.tasks.data import Part
from rnnzoo.training.config import Config
from rnnzoo.training.record import Scores
from rnnzoo.training.update import evaluate
from rnnzoo.typing import Params


def at_lengths(config: Config) -> dict[int, str]:
    """How many times as long -> the name of that score, for each of `Config.eval_lengths`."""
    return {times: f"{config.task.metric}@{times}x" for times in config.eval_lengths}


class LongerSets:
    """The held-out sets of `Config.eval_lengths`, opened once."""

    def __init__(self, config: Config):
        self.metric, self.sets = config.task.metric, {}
        for times, name in at_lengths(config).items():
            task = config.task.longer(times)
            assert task is not None, "the configuration has checked it"
            self.sets[name] = dataclasses.replace(config, task=task, eval_lengths=()), task.open()

    def scores(self, model: Model, params: Params, part: Part) -> Scores:
        """Name -> score of each seed."""
        found = {}
        for name, (config, data) in self.sets.items():
            found[name] = evaluate(config, model, params, data.held_out(part))[self.metric]
        return found


__all__ = ["LongerSets", "at_lengths"]

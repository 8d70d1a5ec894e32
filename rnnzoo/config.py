"""Training configurations: the public name, for scripts and config files, of what is in `rnnzoo.training.config`."""

from rnnzoo.training.config import Config, load_config, read_config

__all__ = ["Config", "load_config", "read_config"]

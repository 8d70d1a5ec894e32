"""Train a recurrent network: ``python train.py --config configs/binary_addition.py``, or only ``binary_addition``.

Every field of the configuration is an option; ``NAME --help`` lists them with their meanings.
"""

import sys

try:
    from rnnzoo.commands.cache import use_compilation_cache
    from rnnzoo.commands.exits import guarded, leave
    from rnnzoo.commands.train import train
    from rnnzoo.training.devices import use_cpu_cores
except KeyboardInterrupt:  # importing JAX takes seconds
    print("error: stopped at once", file=sys.stderr)
    sys.exit(130)

if __name__ == "__main__":
    use_cpu_cores()
    use_compilation_cache()
    leave(guarded(train)(sys.argv[1:]))

"""How layers are stacked into a network."""

from typing import Annotated

from rnnzoo.initializers import Initializer
from rnnzoo.models.block import Block
from rnnzoo.models.norms import Norm
from rnnzoo.spec import Count, Fraction, NonNegative, Positive, Range, Spec, UsageError, spec


@spec
class Stack(Spec, kind="models"):
    """How recurrent layers are stacked between the input and the head."""

    layers: Annotated[int, Range(low=1, high=1024)] = 1
    """Number of recurrent layers."""
    pattern: tuple[Block, ...] = ()
    """The blocks of the layers, over and over; (): plain recurrent layers. At least one of them has cell=None, and so
    the cell of the `Model`."""
    embedding_size: Count = 0
    """Width of a learned embedding of the input; 0 feeds vectors as they are and tokens one-hot. With a pattern, it is
    that of the whole network."""
    embedding_scale: Positive = 1.0
    """What the embedding is multiplied by."""
    embedding_norm: Norm | None = None
    """A norm of the embedding."""
    tied: bool = False
    """Whether the head has the weights of the embedding (Press & Wolf 2017, arXiv:1608.05859), for tokens."""
    residual: bool = False
    """Add each layer's input to its output, where the two have one width. Blocks always do."""
    norm: bool = False
    """Layer normalisation (Ba et al. 2016, arXiv:1607.06450) of the input of every layer after the first. Blocks have
    norms of their own."""
    final_norm: Norm | None = None
    """A norm of what the head reads."""
    dropout: Fraction = 0.0
    """Probability of dropping a layer's output in training (Zaremba et al. 2014, arXiv:1409.2329); in a block, that of
    each branch."""
    bidirectional: bool = False
    """Run every layer in both directions and concatenate the outputs. Not with a pattern."""
    head_bias: bool = True
    """Whether the output layer has a bias."""
    head_init: Initializer | None = None
    """How the weights of the output layer are drawn, if it is not tied (None: Glorot uniform)."""
    soft_cap: NonNegative = 0.0
    """Outputs are soft_cap * tanh(outputs / soft_cap), as in Gemma; 0: as they are."""

    def __post_init__(self) -> None:
        super().__post_init__()
        own = [name for name in ("residual", "norm", "bidirectional") if self.pattern and getattr(self, name)]
        if own:
            raise UsageError(f"Stack.{own[0]} is True and Stack.pattern has blocks; accepted: {own[0]}=False with them")
        if self.pattern and all(block.cell is not None for block in self.pattern):
            raise UsageError(
                "every block of Stack.pattern has a cell, so that the model's own would not be used; accepted: "
                "cell=None in one or more of them"
            )
        if len(self.pattern) > self.layers:
            raise UsageError(
                f"Stack.pattern has {len(self.pattern)} blocks and there are {self.layers} layers; accepted: as many "
                "layers or more"
            )
        scaled = self.embedding_scale != 1
        unused = {"embedding_scale": scaled, "embedding_norm": self.embedding_norm, "tied": self.tied}
        if not self.embedding_size and (names := [name for name, is_set in unused.items() if is_set]):
            raise UsageError(f"Stack.{names[0]} is set and embedding_size is 0; accepted: a size of 1 or more with it")


__all__ = ["Stack"]

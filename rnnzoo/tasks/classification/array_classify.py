"""Classification of sequences in NumPy's files."""

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from rnnzoo.spec import UsageError, brief, spec, suggest
from rnnzoo.tasks.base import Task
from rnnzoo.tasks.classification.classify import Classify, Labelled, Part, classes_of, stratified
from rnnzoo.tasks.own_file import OwnFile

WHOLE = ("x", "y", "lengths")
PARTS: tuple[Part, ...] = ("train", "validation", "test")
SPLIT = tuple(f"{name}_{part}" for part in PARTS for name in WHOLE)


@spec
class ArrayClassify(Classify):
    """The class of each sequence of arrays in files: x (T, B, I), y (B,), read at the last step.

    `path` is an .npz file, or a folder of .npy files, with the arrays

    - x (N, T, I), or (N, T) for one feature: numbers; what is past a sequence's length does not matter;
    - y (N,): integers or text, the classes;
    - lengths (N,), optional: integers from 1 to T;

    or x_train, y_train, x_test and y_test, where the data come split, and optionally x_validation, y_validation and
    lengths_train, lengths_validation, lengths_test. Without a validation part, it is taken from the training part.
    Pickled objects are refused. See `Classify` for parts, scores and baselines."""

    path: str = ""
    """An .npz file, or a folder of .npy files."""

    needs_files = True

    def labelled(self) -> Labelled:
        arrays = self._arrays()
        if any(name in arrays for name in SPLIT):
            return self._split(arrays)
        x, y, lengths = self._checked(arrays, "")
        classes, places = classes_of(y)
        return Labelled(repr(self.path), x, places, lengths, classes)

    def _split(self, arrays: dict[str, np.ndarray]) -> Labelled:
        if "x" in arrays or "y" in arrays:
            raise self._file.refuse("it has both x, y and arrays of parts")
        parts: list[Part] = [part for part in PARTS if part != "validation" or "x_validation" in arrays]
        found = [self._checked(arrays, f"_{part}") for part in parts]
        sizes = {x.shape[2] for x, _, _ in found}
        if len(sizes) > 1:
            raise self._file.refuse(f"the parts have {sorted(sizes)} features")
        time = max(x.shape[1] for x, _, _ in found)
        x = np.concatenate([np.pad(x, ((0, 0), (0, time - x.shape[1]), (0, 0))) for x, _, _ in found])
        classes, y = classes_of([label for _, labels, _ in found for label in labels])
        ends = np.cumsum([0] + [len(labels) for _, labels, _ in found])
        rows: dict[Part, np.ndarray] = {
            part: np.arange(a, b) for part, a, b in zip(parts, ends[:-1], ends[1:], strict=True)
        }
        if "validation" not in rows:
            rows |= self._validation(y[rows["train"]])
        lengths = np.concatenate([lengths for _, _, lengths in found])
        return Labelled(repr(self.path), x, y, lengths, classes, rows)

    def _validation(self, y: np.ndarray) -> dict[Part, np.ndarray]:
        """The training part without those taken for validation, and those: as many as validation is of both."""
        share = self.validation / (self.train + self.validation)
        found = stratified(y, 1 - share, 0.0, self.split_seed)  # its "test" is our validation
        return {"train": found["train"], "validation": found["test"]}

    def _checked(self, arrays: dict[str, np.ndarray], end: str) -> tuple[np.ndarray, list[str], np.ndarray]:
        """x (N, T, I) in float64, the labels (N,) as text, and lengths (N,)."""
        for name in (f"x{end}", f"y{end}"):
            if name not in arrays:
                raise self._file.refuse(f"it has no array {name}, but {', '.join(sorted(arrays)) or 'nothing'}")
        x, y = arrays[f"x{end}"], arrays[f"y{end}"]
        if x.dtype.kind not in "fiub" or x.ndim not in (2, 3) or not x.size:
            raise self._file.refuse(f"x{end} is {x.dtype} of shape {x.shape}; needed: numbers (N, T, I) or (N, T)")
        if y.dtype.kind not in "iubU" or y.shape != (len(x),):
            raise self._file.refuse(f"y{end} is {y.dtype} of shape {y.shape}; needed: integers or text ({len(x)},)")
        x = x.astype(np.float64).reshape(*x.shape[:2], -1)
        lengths = self._lengths(arrays.get(f"lengths{end}"), end, x)
        there = np.arange(x.shape[1]) < lengths[:, None]
        wrong = np.argwhere(~np.isfinite(x) & there[..., None])
        if len(wrong):
            place = tuple(int(i) for i in wrong[0])
            raise self._file.refuse(f"x{end}{list(place)} is {x[place]}, which is no finite number")
        return np.where(there[..., None], x, 0), [str(label) for label in y.tolist()], lengths

    def _lengths(self, lengths: np.ndarray | None, end: str, x: np.ndarray) -> np.ndarray:
        if lengths is None:
            return np.full(len(x), x.shape[1])
        if lengths.dtype.kind not in "iu" or lengths.shape != (len(x),):
            raise self._file.refuse(
                f"lengths{end} is {lengths.dtype} of shape {lengths.shape}; needed: integers ({len(x)},)"
            )
        if len(wrong := np.flatnonzero((lengths < 1) | (lengths > x.shape[1]))):
            raise self._file.refuse(f"lengths{end}[{wrong[0]}] is {lengths[wrong[0]]}; needed: 1 to {x.shape[1]}")
        return lengths.astype(np.int64)

    def _arrays(self) -> dict[str, np.ndarray]:
        if not self.path:
            raise self._file.refuse("there is no path")
        folder = Path(self.path)
        files = sorted(folder.glob("*.npy")) if folder.is_dir() else [folder]
        found: dict[str, Any] = {}
        for file in files:
            found |= self._loaded(file)
        for name in found:
            if name not in WHOLE + SPLIT:
                raise UsageError(
                    f"ArrayClassify.path {self.path!r} has an array {brief(name)}; {suggest(name, WHOLE + SPLIT)}"
                )
        return found

    def _loaded(self, file: Path) -> dict[str, Any]:
        try:
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return {file.stem: loaded}
            with loaded:
                return {name: loaded[name] for name in loaded.files}
        except (ValueError, OSError, EOFError, KeyError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
            raise self._file.refuse(f"cannot read {str(file)!r}: {error}") from None

    @property
    def _file(self) -> OwnFile:
        return OwnFile("ArrayClassify", self.path, "an .npz file or a folder of .npy files with x and y, as documented")

    def differs(self, other: Task) -> str | None:
        if isinstance(other, ArrayClassify) and self.path != other.path:
            return f"its classes and its scale are those of {self.path!r}, not of {other.path!r}"
        return super().differs(other)


__all__ = ["ArrayClassify"]

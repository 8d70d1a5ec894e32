"""Models as ONNX files."""

from rnnzoo.export.onnx.write import write

__all__ = ["write"]

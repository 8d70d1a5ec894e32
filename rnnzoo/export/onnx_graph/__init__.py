"""Models as ONNX files."""

from rnnzoo.export.onnx_graph.write import write

__all__ = ["write"]

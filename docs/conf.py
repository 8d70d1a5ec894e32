"""The documentation site: ``sphinx-build -W docs build/site`` (``pip install -e '.[docs]'``)."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

import rnnzoo

project = "rnnzoo"
author = "The rnnzoo authors"
copyright = "the rnnzoo authors, Apache-2.0"
version = release = rnnzoo.__version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "plain_docstrings", "member_pages"]
exclude_patterns = ["answer/answer.md", "_ext"]
html_theme = "furo"
html_title = "rnnzoo"
html_static_path = ["_static"]
html_css_files = ["site.css"]

nb_execution_mode = "off"  # the pages are doctests, which pytest runs
myst_enable_extensions = ["colon_fence", "attrs_inline"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # shapes and units are in the text
autodoc_class_signature = "mixed"
autoclass_content = "class"
napoleon_google_docstring = True
napoleon_numpy_docstring = False

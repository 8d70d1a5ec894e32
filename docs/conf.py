"""The documentation site: ``sphinx-build -W docs build/site`` (``pip install -e '.[docs]'``)."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

import rnnzoo

project = "rnnzoo"
author = "The rnnzoo authors"
copyright = "the rnnzoo authors, Apache-2.0"
version = release = rnnzoo.__version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "plain_docstrings", "member_pages", "notebook_pictures"]
exclude_patterns = ["answer/answer.md", "_ext"]
html_theme = "furo"
html_title = "rnnzoo"
html_static_path = ["_static"]
html_css_files = ["site.css"]

nb_execution_mode = "force"  # the notebooks; the other pages are doctests, which pytest runs
nb_execution_raise_on_error = True
nb_execution_timeout = 300  # seconds, for each cell
nb_execution_in_temp = True  # where their runs go
nb_execution_show_tb = True
nb_merge_streams = True  # else each line that is printed is a box
myst_enable_extensions = ["colon_fence", "attrs_inline"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # shapes and units are in the text
autodoc_class_signature = "mixed"
autoclass_content = "class"
napoleon_google_docstring = True
napoleon_numpy_docstring = False

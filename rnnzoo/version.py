"""The version, alone, so that every module can read it."""

__version__ = "0.2.0"

"""What notebooks show of our objects with treescope, a tree to open and close, which is installed with Flax.

Treescope calls the method `__treescope_repr__` of what it shows; nothing else imports it."""

from typing import Any


def tree(part: Any, attributes: dict[str, Any], path: str | None, subtree: Any, *, is_call: bool = False) -> Any:
    """An object as treescope shows it: its class and some of its attributes.

    Args:
        part: the object.
        attributes: name -> value, of those to show.
        path: where the object is in what is shown; treescope passes it.
        subtree: draws a part; treescope passes it.
        is_call: whether the class called with these attributes makes an equal object.
    """
    from treescope import repr_lib

    return repr_lib.render_object_constructor(type(part), attributes, path, subtree, roundtrippable=is_call)


__all__ = ["tree"]

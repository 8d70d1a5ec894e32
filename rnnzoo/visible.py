"""Text from outside, made safe to print: a terminal acts on some characters, and cannot show others."""

import unicodedata

ACTED_ON = ("Cc", "Cf", "Cs", "Zl", "Zp")  # controls, formats (text direction among them), surrogates, separators
KEPT = "\n\t\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"  # the joiners belong to the spelling of many languages


def visible(text: str) -> str:
    """The text with characters that a terminal would act on as Python's escapes; newlines and tabs stay.

    >>> print(visible("a" + chr(27) + "[2J" + chr(0x202E) + "b" + chr(0xD800)))
    a\\x1b[2J\\u202eb\\ud800
    """
    return "".join(map(_visible, text))


def _visible(character: str) -> str:
    if character in KEPT or unicodedata.category(character) not in ACTED_ON:
        return character
    return character.encode("unicode_escape").decode("ascii")


__all__ = ["visible"]

"""What comes from records, made safe for a terminal."""

import unicodedata


def escape(text: str) -> str:
    r"""Returns the text with control, format and surrogate characters shown as escapes, and rich's markup switched off.

    >>> escape("a\x1b[31mb")
    'a\\x1b\\[31mb'
    """
    from rich.markup import escape as escape_markup

    return escape_markup(escape_controls(text))


def escape_controls(text: str) -> str:
    r"""Returns the text with control, format and surrogate characters shown as escapes, for plain lines.

    >>> escape_controls("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    return "".join(
        character.encode("unicode_escape").decode() if unicodedata.category(character)[0] == "C" else character
        for character in text
    )

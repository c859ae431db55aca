"""How many there are of something, as it is said."""


def counted(n: int, what: str) -> str:
    """Returns a number with what it counts.

    >>> [counted(n, "record") for n in (0, 1, 1200)]
    ['0 records', '1 record', '1,200 records']

    Args:
        n: How many.
        what: One of them.
    """
    return f"{n:,} {what}{'' if n == 1 else 's'}"

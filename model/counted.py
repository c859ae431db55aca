"""Numbers with what they count, so that one is not said to be several."""


def counted(n: int, what: str, many: str = "") -> str:
    """Returns a number with what it counts.

    >>> [counted(n, "record") for n in (0, 1, 1200)]
    ['0 records', '1 record', '1,200 records']
    >>> counted(2, "class", "classes")
    '2 classes'

    Args:
        n: How many.
        what: One of them.
        many: Several of them, where that is more than an s behind.
    """
    return f"{n:,} {what if n == 1 else many or f'{what}s'}"

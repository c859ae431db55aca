"""Numbers as people read them, in reports and in the terminal."""

import math


def percent(share: float) -> str:
    """Returns a share as people read it.

    >>> [percent(share) for share in (2e-9, 0.0004, 0.00123, 0.2536, 0.99999, 1.0)]
    ['0 %', '0.04 %', '0.12 %', '25.4 %', '100 %', '100 %']
    """
    if not math.isfinite(share):
        return "–"
    return f"{100 * share:.3g} %" if share >= 0.01 else f"{round(100 * share, 2):g} %"


def short_number(number: float) -> str:
    """Returns a number in at most four digits, "–" where it is none.

    >>> [short_number(number) for number in (0, 0.12345, 1997.6, 1234567, float("nan"))]
    ['0', '0.1235', '1,998', '1.23M', '–']
    """
    if not math.isfinite(number):
        return "–"
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(number) >= size:
            return f"{number / (1e3 if unit == 'k' else size):.3g}{unit}"
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.4g}"

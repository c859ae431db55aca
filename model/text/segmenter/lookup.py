"""The words that may begin at a place of a text: those of the dictionaries, and unknown ones."""

from saiten.model.compiled import compiled
from saiten.model.text.segmenter.tables import ByteArray, Tables, Uint64Array, Work, signed, unsigned

# What char.bin says of a character, from the lowest bit: the kinds it is of, the one it counts as, how many
# characters an unknown word may have, whether a run of one kind is a word, whether so also beside known words.
KINDS = 0x3FFFF
DEFAULT_SHIFT, DEFAULT_MASK = 18, 0xFF
_LENGTH_SHIFT, _LENGTH_MASK = 26, 0xF
_GROUP, _INVOKE = 1 << 30, 1 << 31
_CONTINUATION = 0x3F
# The most characters beyond the first that an unknown word of one kind has; more than its length, which has four bits.
_MAX_GROUP = 24


@compiled(fast=False, inlined=True)
def decode(text: ByteArray, place: int) -> tuple[int, int]:
    """Returns the code that `char.bin` knows a character by and its length in bytes; 0 beyond the first 65,536."""
    lead = signed(text[unsigned(place)])
    if lead < 0x80:
        return lead, 1
    second = signed(text[unsigned(place + 1)]) & _CONTINUATION
    if lead < 0xE0:
        return (lead & 0x1F) << 6 | second, 2
    if lead < 0xF0:
        return (lead & 0x0F) << 12 | second << 6 | (signed(text[unsigned(place + 2)]) & _CONTINUATION), 3
    return 0, 4


@compiled(fast=False, inlined=True)
def _put(tables: Tables, work: Work, n: int, word: int, end: int) -> int:
    if n < work.found.shape[0]:
        k = unsigned(n)
        work.found[k, 0] = word << 32 | end
        # Read here, so that it is at hand when the search comes to it.
        work.found[k, 1] = tables.words[unsigned(word)]
    return n + 1


@compiled(fast=False, inlined=True)
def _entry_at(units: Uint64Array, state: int) -> int:
    """Returns the first entry of the word that ends in a state of a double array, or -1."""
    if unsigned(state) >= unsigned(units.shape[0]):
        return -1
    unit = units[unsigned(state)]
    if unit >> unsigned(32) != unsigned(state) or not unit & unsigned(0x80000000):
        return -1
    # The value is -base - 1: the first entry above, their number in the lowest 8 bits.
    entry: int = signed((~unit & unsigned(0xFFFFFFFF)) >> unsigned(8))
    return entry


@compiled(fast=False, inlined=True)
def _step(units: Uint64Array, state: int, byte: int) -> int:
    """Returns the state of a double array that a byte leads to, or -1."""
    child = unsigned(state) + unsigned(byte) + unsigned(1)
    if child >= unsigned(units.shape[0]):
        return -1
    unit = units[child]
    if unit >> unsigned(32) != unsigned(state):
        return -1
    following: int = signed(unit & unsigned(0xFFFFFFFF))
    return following


@compiled(fast=False)
def find_word(units: Uint64Array, word: ByteArray) -> int:
    """Returns the first entry of a word of a double array, or -1."""
    state = signed(units[0] & unsigned(0xFFFFFFFF))
    for byte in word:
        state = _step(units, state, byte)
        if state < 0:
            return -1
    return _entry_at(units, state)


@compiled(fast=False, inlined=True)
def _find_known(
    tables: Tables, units: Uint64Array, start: int, text: ByteArray, place: int, end: int, work: Work, n: int
) -> int:
    """Writes the words of a double array that begin at a place, the shortest first.

    Args:
        start: Where its entries begin.
        n: How many were found before.

    Returns:
        How many there are now; more than `found` holds where it is too small.
    """
    state = signed(units[unsigned(0)] & unsigned(0xFFFFFFFF))
    while place < end:
        state = _step(units, state, text[unsigned(place)])
        if state < 0:
            break
        place += 1
        entry = _entry_at(units, state)
        if entry >= 0:
            n = _put(tables, work, n, start + entry, place)
    return n


@compiled(fast=False, inlined=True)
def skip_spaces(tables: Tables, text: ByteArray, place: int, end: int) -> tuple[int, int, int]:
    """Returns where the spaces end, and code and length of the character there."""
    before = signed(tables.space)
    while place < end:
        code, length = decode(text, place)
        info = signed(tables.characters[unsigned(code)])
        if not before & info & KINDS:
            return place, code, length
        before = info
        place += length
    return end, 0, 0


@compiled(fast=False, inlined=True)
def _end_of_run(tables: Tables, text: ByteArray, place: int, end: int, info: int) -> tuple[int, int]:
    """Returns where characters end each of which shares a kind with the one before, and how many there are.

    No further than matters: a word of digits without end would cost as much at each of its places.
    """
    n = 0
    while place < end and n <= _MAX_GROUP:
        code, length = decode(text, place)
        following = signed(tables.characters[unsigned(code)])
        if not info & following & KINDS:
            break
        info = following
        place += length
        n += 1
    return place, n


@compiled(fast=False, inlined=True)
def find_unknown(
    tables: Tables, text: ByteArray, place: int, end: int, info: int, length: int, work: Work, n: int
) -> int:
    """Writes the unknown words that begin with a character; as `_find_known`."""
    first = tables.unknown[unsigned((info >> DEFAULT_SHIFT) & DEFAULT_MASK)]
    known = n
    cut = place + length
    group_end = -1
    if info & _GROUP:
        group_end, n_more = _end_of_run(tables, text, cut, end, info)
        if n_more <= _MAX_GROUP:
            n = _put(tables, work, n, first, group_end)
    place = cut
    for _ in range((info >> _LENGTH_SHIFT) & _LENGTH_MASK):
        if place == group_end:
            break
        n = _put(tables, work, n, first, place)
        if place == end:
            break
        code, length = decode(text, place)
        if not info & signed(tables.characters[unsigned(code)]) & KINDS:
            break
        place += length
    return _put(tables, work, n, first, cut) if n == known == 0 else n


@compiled(fast=False, inlined=True)
def find_words(tables: Tables, text: ByteArray, place: int, end: int, code: int, length: int, work: Work) -> int:
    """Writes the words that begin at a place, in MeCab's order, and returns how many; as `_find_known`."""
    n = _find_known(tables, tables.system, 0, text, place, end, work, 0)
    if tables.user.shape[0]:
        n = _find_known(tables, tables.user, tables.user_start, text, place, end, work, n)
    info = signed(tables.characters[unsigned(code)])
    if n == 0 or info & _INVOKE:
        n = find_unknown(tables, text, place, end, info, length, work, n)
    return n

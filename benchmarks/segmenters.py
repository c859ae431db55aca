"""Compares the compiled segmenter with MeCab: tokens, ids, and time on one thread.

python -m benchmarks.segmenters fuzz --tokens=10000000 --seed=1 --samples=FILE
python -m benchmarks.segmenters files FILE ...
python -m benchmarks.segmenters speed FILE ...
"""

import argparse
import json
import pathlib
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice

from saiten.model.text.encoder import Encoder, text_blocks
from saiten.model.text.pieces import cut_all
from saiten.model.text.ragged import offsets_of, token_runs
from saiten.model.text.random_texts import random_texts
from saiten.model.text.tokenizer import Tokenizer, TokenizerConfig
from saiten.model.text.vocabulary import Vocabulary

_SAMPLES, _VOCABULARY_TEXTS, _SPEED_TEXTS = 20_000, 2_000, 30_000
_ROUNDS = 5
# As much as a block of a run.
_BLOCK_BYTES = 512 * 1024


def compare(encoder: Encoder, texts: Iterable[str], most_tokens: float = float("inf")) -> dict[str, int]:
    """Encodes texts by both; counts texts, tokens, and the texts of which anything differs, which it shows."""
    mecab, counted = encoder.by_mecab(), Counter[str](differing=0)
    for block in text_blocks(texts):
        (own, errors), (other, others) = encoder.encode_all(block), mecab.encode_all(block)
        segmented = encoder.tokenizer.segment_all(block)[0], mecab.tokenizer.segment_all(block)[0]
        differing = [i for i, (a, b) in enumerate(zip(*segmented, strict=True)) if a != b]
        if own.token_ids.tolist() != other.token_ids.tolist() or errors.keys() != others.keys():
            differing = differing or [0]
        for i in differing:
            print(repr(block[i][:200]), *(each[i][:200] for each in segmented), sep="\n  ", file=sys.stderr)
        counted.update(texts=len(block), tokens=int(other.n_tokens.sum()), failed=len(others), differing=len(differing))
        if counted["tokens"] >= most_tokens:
            break
    return {**counted, "texts_left_to_mecab": encoder.tokenizer.n_left_to_mecab}


def time_both(tokenizer: Tokenizer, texts: list[str]) -> dict[str, float]:
    """Returns CPU microseconds a token on one thread, medians, and the ratio of each round's two."""
    pieces = cut_all(texts, tokenizer.config.normalization)[0]
    blocks = [pieces[a:b] for a, b in token_runs(offsets_of([len(piece) for piece in pieces]), _BLOCK_BYTES)]
    decoded = [[piece.decode() for piece in block] for block in blocks]
    n_tokens = sum(int(tokenizer.segment_cut(block).counts.sum()) for block in blocks)
    parse = Tokenizer(tokenizer.config, "mecab").parse
    own, mecab = [], []
    for _ in range(_ROUNDS):
        started = time.process_time()
        for block in blocks:
            tokenizer.segment_cut(block)
        between = time.process_time()
        for texts_of_block in decoded:
            for text in texts_of_block:
                parse(text).split(" ")
        own.append((between - started) / n_tokens * 1e6)
        mecab.append((time.process_time() - between) / n_tokens * 1e6)
    ratios = [theirs / ours for ours, theirs in zip(own, mecab, strict=True)]
    return {
        "tokens": n_tokens,
        "compiled_us": round(statistics.median(own), 3),
        "parse_and_split_us": round(statistics.median(mecab), 3),
        "ratio": round(statistics.median(ratios), 2),
    }


def _lines(paths: Iterable[pathlib.Path]) -> Iterator[str]:
    for path in paths:
        with path.open(encoding="utf-8", newline="\n") as file:
            yield from (line.removesuffix("\n") for line in file)


def _encoder(dictionary: str, texts: Iterable[str]) -> Encoder:
    tokenizer = Tokenizer(TokenizerConfig(dictionary=dictionary), "compiled")
    counts = Counter(token for text in islice(texts, _VOCABULARY_TEXTS) for token in tokenizer.tokenize(text))
    return Encoder(tokenizer, Vocabulary.from_counts(counts, min_count=2), 1 << 20, "pre")


def main() -> None:
    """Prints what came out as JSON; ends with 1 where anything differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["fuzz", "files", "speed"])
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    parser.add_argument("--dictionary", default="unidic-lite")
    parser.add_argument("--tokens", type=float, default=10e6)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--samples", type=pathlib.Path)
    args = parser.parse_args()
    samples = list(islice(_lines([args.samples]), _SAMPLES)) if args.samples else []
    encoder = _encoder(args.dictionary, samples or _lines(args.files))
    if args.what == "speed":
        found: dict[str, float] = time_both(encoder.tokenizer, list(islice(_lines(args.files), _SPEED_TEXTS)))
    else:
        endless = random_texts(sys.maxsize, args.seed, samples)
        texts = endless if args.what == "fuzz" else _lines(args.files)
        found = {**compare(encoder, texts, args.tokens if args.what == "fuzz" else float("inf"))}
    print(json.dumps(found))
    sys.exit(1 if found.get("differing") else 0)


if __name__ == "__main__":
    main()

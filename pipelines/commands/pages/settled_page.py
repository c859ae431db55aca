"""How texts become a model's ids, as `saiten bundle` has settled it, a line for each setting."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from saiten.model.bundle.expected import ExpectedScores
from saiten.model.counted import counted
from saiten.model.keras_models.keras_tokenizer import WordIndex
from saiten.model.keras_models.tokenizer_settings import Origins, hints
from saiten.model.text.encoder import Encoder
from saiten.pipelines.commands.pages.bundle_page import tokenizer_rules
from saiten.pipelines.terminal import say

# Of all tokens: Japanese that was prepared otherwise than the model's texts has many more.
_HIGH_OOV_SHARE = 0.2


@dataclass(frozen=True)
class Settled:
    """The encoder, where its settings came from, and how many ids the model takes, for a person to read."""

    encoder: Encoder
    length_from: str
    origins: Origins
    index: WordIndex
    n_ids: int


def say_settled(
    settled: Settled, whence: Callable[[str], str], texts: Sequence[str], expected: ExpectedScores | None
) -> None:
    """Says how texts become ids and where each setting came from; without expected scores, how many words are OOV.

    Args:
        settled: What is said.
        whence: Tells of a flag whether it was given or has its default.
        texts: Like those that will be scored.
        expected: What was compared with the model's own scores; None where nothing was.
    """
    encoder, origins = settled.encoder, settled.origins
    config = encoder.tokenizer.config
    oov_id = encoder.vocabulary.oov_id
    added = " and ".join(filter(None, (config.prefix_token, config.suffix_token)))
    with_added = f", {added} among them, put on before a long text is cut" if added else ""
    say(f"length: at most {encoder.max_sequence_length:,} ids ({settled.length_from}){with_added}")
    end = "beginning" if encoder.truncating == "pre" else "end"
    say(f"truncating: {encoder.truncating}, drops a long text's {end} ({whence('truncating')})")
    oov = "dropped" if oov_id is None else f"id {oov_id}, {encoder.vocabulary.words[oov_id]}"
    say(f"OOV words: {oov} ({origins.oov})")
    lower = "lower-cased" if config.lower else "as written"
    filters = f"filtered of {config.filters!r}" if config.filters else "not filtered"
    whitespace = {"strip": "a token but at a text's ends", "whitespace": "no token"}.get(config.split, "a token")
    rules = zip_longest(tokenizer_rules(config), ("normalization", "token_form"), fillvalue="")
    chosen = [(config.dictionary, "dictionary"), *rules]
    words = ", ".join(f"{said} ({whence(name)})" for said, name in chosen)
    kept = ", words that hold a space stay whole" if config.split == "none" else ""
    say(
        f"tokenizer: {words}, {lower} ({origins.lower}), {filters} ({origins.filters}), white space such as U+3000 is "
        f"{whitespace}{kept} (--split={config.split}, {whence('split')})"
    )
    if expected is None:
        _report_uncompared(settled, texts)
    else:
        n_compared = len(expected.texts)
        first = f", the first of {expected.n_in_file:,}" if n_compared < expected.n_in_file else ""
        say(f"compared with model.predict: {counted(n_compared, 'text')} of --expected{first}")


def _report_uncompared(settled: Settled, texts: Sequence[str]) -> None:
    """Says what only the comparison with `model.predict` would show for certain."""
    for hint in hints(settled.index, settled.encoder.tokenizer.config, settled.n_ids):
        say(hint)
    _report_oov_share(settled.encoder, texts)
    say("not compared with model.predict: give --expected, texts with its scores")


def _report_oov_share(encoder: Encoder, texts: Sequence[str]) -> None:
    encoded, _ = encoder.encode_all(texts)
    n_tokens, n_oov = int(encoded.n_tokens.sum()), int(encoded.n_oov.sum())
    if n_tokens:
        share = n_oov / n_tokens
        high = (
            ": that is high; are texts prepared as in training? --expected would tell"
            if share > _HIGH_OOV_SHARE
            else ""
        )
        say(f"OOV share: {share:.1%} of {counted(n_tokens, 'token')} of --sample_texts{high}")

"""What people bring that is refused: models' files, and word indices and flags, that `saiten bundle` does not take."""

import json
import pathlib
import pickle
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
from keras import layers, ops

from tests.helpers.networks import with_drawn_weights
from tests.people.cutting import keras_tokenizer, own_index, with_the_last, words
from tests.people.models.at_fault import AT_FAULT, OF_KNOWN_WIDTH
from tests.people.models.networks import average, dense, lstm, states
from tests.people.models.older import OLDER
from tests.people.tried import VOCABULARY_SIZE, WIDTH, model_of
from tests.people.ways import Way

Make = Callable[[pathlib.Path], pathlib.Path]


def saved(folder: pathlib.Path, model: Any, ending: str = "keras") -> pathlib.Path:
    model.save(folder / f"model.{ending}")
    return folder / f"model.{ending}"


def network(build: Callable[[Any, Any], Any]) -> Make:
    return lambda folder: saved(folder, model_of(build, None))


def of(make: Callable[[], Any]) -> Make:
    return lambda folder: saved(folder, make())


def at_fault(title: str, *, is_cured: bool = False) -> Make:
    width = 12 if title in OF_KNOWN_WIDTH else None
    return lambda folder: saved(folder, model_of(AT_FAULT[title][is_cured], width))


def stack(*behind: Any, mask_zero: bool = True, batch_size: int | None = None, width: int | None = None) -> Any:
    words = layers.Embedding(VOCABULARY_SIZE, WIDTH, mask_zero=mask_zero)
    return keras.Sequential([keras.Input((width,), batch_size=batch_size, dtype="int32"), words, *behind])


def two_inputs() -> Any:
    ids, stars = keras.Input((None,), dtype="int32", name="ids"), keras.Input((1,), name="stars")
    text = lstm(layers.Embedding(VOCABULARY_SIZE, WIDTH, mask_zero=True)(ids))
    return keras.Model([ids, stars], dense(layers.Concatenate()([text, stars])))


def of_texts() -> Any:
    vectorizer = layers.TextVectorization(vocabulary=["良い", "悪い"], split=None)
    return keras.Sequential(
        [keras.Input((1,), dtype="string"), vectorizer, layers.Embedding(4, 3, mask_zero=True), layers.LSTM(2)]
    )


def hashed() -> Any:
    ids = keras.Input((None,), dtype="int32")
    words = layers.Embedding(VOCABULARY_SIZE, WIDTH, mask_zero=True)(layers.Hashing(VOCABULARY_SIZE, mask_value=0)(ids))
    return keras.Model(ids, dense(lstm(words)))


def of_vectors() -> Any:
    return keras.Sequential([keras.Input((None, WIDTH)), layers.Masking(), layers.LSTM(4), layers.Dense(3)])


@keras.saving.register_keras_serializable("tests")
class OwnAttention(layers.Layer):
    def call(self, values: Any) -> Any:
        return ops.sum(values, axis=1)


@keras.saving.register_keras_serializable("tests")
class OwnModel(keras.Model):
    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.words, self.lstm = layers.Embedding(VOCABULARY_SIZE, WIDTH, mask_zero=True), layers.LSTM(3)

    def call(self, ids: Any) -> Any:
        return self.lstm(self.words(ids))


def own_model() -> Any:
    model = OwnModel()
    model(ops.ones((1, 3), "int32"))
    return model


def old_attention(_: Any, words: Any) -> Any:
    """As in posts of 2018: Flatten, softmax, RepeatVector, Permute."""
    values = states(words)
    weights = layers.Activation("softmax")(layers.Flatten()(layers.Dense(1, activation="tanh")(values)))
    weights = layers.Permute([2, 1])(layers.RepeatVector(6)(weights))
    return dense(ops.sum(layers.Multiply()([values, weights]), axis=1))


def weights_alone(folder: pathlib.Path) -> pathlib.Path:
    stack(layers.LSTM(3)).save_weights(folder / "model.weights.h5")
    return folder / "model.weights.h5"


def as_json(folder: pathlib.Path) -> pathlib.Path:
    (folder / "model.json").write_text(stack(layers.LSTM(3)).to_json(), encoding="utf-8")
    return folder / "model.json"


def as_saved_model(folder: pathlib.Path) -> pathlib.Path:
    (folder / "saved_model").mkdir(exist_ok=True)
    (folder / "saved_model" / "saved_model.pb").touch()
    return folder / "saved_model"


def file(name: str, content: bytes = b"anything") -> Make:
    def make(folder: pathlib.Path) -> pathlib.Path:
        (folder / name).write_bytes(content)
        return folder / name

    return make


def unbuilt(folder: pathlib.Path) -> pathlib.Path:
    return saved(folder, keras.Sequential([layers.Embedding(9, 4, mask_zero=True), layers.LSTM(3)]))


MODELS: Mapping[str, Make] = {
    "Embedding without mask_zero, LSTM": of(lambda: stack(layers.LSTM(3), mask_zero=False)),
    "Conv1D, GlobalMaxPooling1D": network(
        lambda _, words: dense(layers.GlobalMaxPooling1D()(layers.Conv1D(4, 3)(words)))
    ),
    "LSTM behind Conv1D": network(lambda _, words: dense(lstm(layers.Conv1D(4, 3, padding="causal")(words)))),
    "MaxPooling1D": network(lambda _, words: dense(lstm(layers.MaxPooling1D()(words)))),
    "ZeroPadding1D": network(lambda _, words: dense(lstm(layers.ZeroPadding1D(1)(words)))),
    "Bidirectional LSTM, GlobalMaxPooling1D": network(
        lambda _, words: dense(layers.GlobalMaxPooling1D()(states(words)))
    ),
    "LSTM with return_sequences, Flatten": of(
        lambda: stack(layers.LSTM(3, return_sequences=True), layers.Flatten(), width=12)
    ),
    "AveragePooling1D": network(lambda _, words: dense(lstm(layers.AveragePooling1D(2)(words)))),
    "Cropping1D": of(lambda: stack(layers.Cropping1D(1), layers.LSTM(3), width=12)),
    "UpSampling1D": network(lambda _, words: dense(lstm(layers.UpSampling1D(2)(words)))),
    "GroupNormalization": network(lambda _, words: dense(lstm(layers.GroupNormalization(1)(words)))),
    "TextCNN by Conv2D": of(
        lambda: stack(
            layers.Reshape((12, WIDTH, 1)), layers.Conv2D(3, (2, WIDTH)), layers.GlobalMaxPooling2D(), width=12
        )
    ),
    "a layer for pictures": network(lambda _, words: dense(layers.RandAugment()(lstm(words)))),
    "Hashing of the ids": of(hashed),
    "a function of keras.ops that repeats": network(lambda _, words: dense(ops.tile(lstm(words), (1, 2)))),
    "Permute": of(lambda: stack(layers.Permute((2, 1)), layers.LSTM(3), width=12)),
    "attention by Flatten and RepeatVector": network(old_attention),
    **{title: at_fault(title) for title in AT_FAULT},
    "a score for each token": network(lambda _, words: layers.Dense(3)(states(words))),
    "TimeDistributed(Dense)": network(lambda _, words: dense(average(layers.TimeDistributed(layers.Dense(3))(words)))),
    "RepeatVector, 10,000 times": network(
        lambda _, words: dense(layers.LSTM(3)(layers.RepeatVector(10_000)(lstm(words))))
    ),
    "stateful LSTM": of(lambda: stack(layers.LSTM(3, stateful=True), batch_size=1)),
    "two inputs": of(two_inputs),
    "TextVectorization inside": of(of_texts),
    "word vectors as input": of(of_vectors),
    "Lambda": network(lambda _, words: dense(layers.Lambda(lambda values: values * 2)(lstm(words)))),
    "a layer of one's own": network(lambda _, words: dense(OwnAttention()(lstm(words, return_sequences=True)))),
    "a subclassed model": of(own_model),
    "a Sequential that was never built": unbuilt,
    "weights alone": weights_alone,
    "model.to_json()": as_json,
    "a SavedModel": as_saved_model,
    "a pickle": file("model.pkl", pickle.dumps(["weights"])),
    "joblib.dump(model)": file("model.joblib", b"ZF compressed"),
    "a checkpoint": file("model.ckpt.index"),
    "TensorFlow Lite": file("model.tflite", b"\x1c\x00\x00\x00TFL3"),
    "ONNX": file("model.onnx"),
    "PyTorch": file("model.pt", b"PK\x05\x06" + bytes(18)),
    "arrays": file("weights.npz"),
    **OLDER,
}


def sound(folder: pathlib.Path) -> pathlib.Path:
    """A model that nothing is wrong with, but that it reads 12 ids."""
    return saved(folder, with_drawn_weights(stack(layers.LSTM(3), layers.Dense(1), width=12)))


def changed(change: Callable[[Any], None]) -> Callable[[Any], Any]:
    """What is kept of a Tokenizer, changed as another person's would be."""

    def keep(tokenizer: Any) -> Any:
        kept = json.loads(tokenizer.to_json())
        change(kept["config"])
        return kept

    return keep


def kept_of(learn: Any, change: Callable[[Any], None]) -> Any:
    def learnt() -> Any:
        kept, ids_of = learn()
        change(kept)
        return kept, ids_of

    return learnt


def as_characters(kept: Any) -> None:
    kept.clear()
    kept.update({chr(0x4E00 + i): i + 1 for i in range(100)})


_plain = keras_tokenizer(keep=lambda tokenizer: tokenizer.word_index)
_plain_oov = own_index(words, special=("<PAD>", "<UNK>"), unknown=1)
INDICES: Sequence[Way] = (
    Way("tokenizer.word_index alone, no flag", _plain, ()),
    Way("tokenizer.word_index alone, --lower", _plain, ("--lower",)),
    Way("own {word: id} with <UNK> 1, no flag", _plain_oov, ()),
    Way("own {word: id} from 1, <UNK> last, no flag", with_the_last(own_index(words, first=1), "<UNK>")),
    Way("own {word: id} from 2, no flag", own_index(words, first=2)),
    Way("own {word: id} from 0", own_index(words)),
    Way(
        "own {word: id} of SentencePiece's pieces",
        kept_of(own_index(words, first=1), lambda kept: kept.update({"▁の": 59})),
    ),
    Way("own {word: id} of characters", kept_of(own_index(words, first=1), as_characters)),
    Way("Tokenizer(), lists of tokens, no flag", keras_tokenizer(lists=True), ()),
    Way("pickle.dump(tokenizer)", keras_tokenizer(keep=lambda tokenizer: pickle.dumps(tokenizer.word_index))),
    Way("tokenizer.index_word", keras_tokenizer(keep=lambda tokenizer: tokenizer.index_word)),
    Way("vectorizer.get_vocabulary()", keras_tokenizer(keep=lambda tokenizer: list(tokenizer.word_index))),
    Way("Tokenizer(char_level=True)", keras_tokenizer(keep=changed(lambda config: config.update(char_level=True)))),
    Way('Tokenizer(split="/")', keras_tokenizer(keep=changed(lambda config: config.update(split="/")))),
    Way("a word with id 0", kept_of(_plain_oov, lambda kept: kept.update(良い=0)), ("--oov=token",)),
    Way("two words with one id", kept_of(_plain_oov, lambda kept: kept.update(良い=2)), ("--oov=token",)),
    Way("more words than the Embedding has", kept_of(_plain_oov, lambda kept: kept.update(更に=60)), ("--oov=token",)),
    Way("--oov_token that is no word", keras_tokenizer(), ("--oov_token=<none>",)),
    Way("--oov=token without a word for it", keras_tokenizer(), ("--oov=token",)),
    Way("--prefix_token that is no word", keras_tokenizer(), ("--prefix_token=<s>",)),
    Way("--stop_words that is no file", keras_tokenizer(), ("--stop_words=no.txt",)),
    Way("--max_sequence_length=40, Input(shape=(12,))", keras_tokenizer(), ("--max_sequence_length=40",)),
    Way("--outputs=a,b, one score", keras_tokenizer(), ("--outputs=a,b",)),
)

"""A bundle is refused, by the name of what differs, when a file, a setting or a golden record is not as written."""

import json
import os
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from saiten.model.bundle.bundle import StoredBundle, read_bundle
from saiten.model.bundle.replay import replay_ids, replay_scores
from saiten.model.bundle.validation import validate_bundle
from saiten.model.errors import BundleError, SaitenError, UsageError
from saiten.pipelines.steps.scoring_bundle import ScoringBundle
from tests.helpers.forgery import bundle_fields, reseal

Damage = Callable[[pathlib.Path], object]


def flip_a_bit(name: str) -> Damage:
    def damage(path: pathlib.Path) -> None:
        content = bytearray((path / name).read_bytes())
        content[len(content) // 2] ^= 1
        (path / name).write_bytes(content)

    return damage


def link(path: pathlib.Path) -> None:
    (path / "vocabulary.json").rename(path.parent / "elsewhere.json")
    (path / "vocabulary.json").symlink_to(path.parent / "elsewhere.json")


def link_manifest(path: pathlib.Path) -> None:
    (path / "manifest.json").rename(path.parent / "manifest.json")
    (path / "manifest.json").symlink_to(path.parent / "manifest.json")


def turn_into_folder(path: pathlib.Path) -> None:
    (path / "golden.jsonl").unlink()
    (path / "golden.jsonl").mkdir()


def turn_into_pipe(path: pathlib.Path) -> None:
    (path / "golden.jsonl").unlink()
    os.mkfifo(path / "golden.jsonl")


def edit(field: str, value: Any) -> Damage:
    """Changes the manifest without its bundle_id."""

    def damage(path: pathlib.Path) -> None:
        manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
        manifest[field] = value
        (path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")

    return damage


def forge(**changes: Any) -> Damage:
    return lambda path: reseal(path, **changes)


def write_manifest(content: bytes) -> Damage:
    return lambda path: (path / "manifest.json").write_bytes(content)


REFUSED: dict[str, tuple[Damage, str]] = {
    **{
        f"{name} changed": (flip_a_bit(name), rf"{name}: its sha256 is not that of the manifest")
        for name in ("model.keras", "vocabulary.json", "packed.npz", "golden.jsonl", "reference.json")
    },
    "a file cut short": (lambda path: os.truncate(path / "packed.npz", 100), "packed.npz has 100 bytes, not"),
    "a file missing": (lambda path: (path / "model.keras").unlink(), "model.keras is missing"),
    "a file too many": (lambda path: (path / "run.py").touch(), "holds 'run.py', which its manifest does not name"),
    "a hidden file": (lambda path: (path / ".x").touch(), "holds '.x'"),
    "a folder too many": (lambda path: (path / "assets").mkdir(), "holds 'assets'"),
    "a link": (link, "vocabulary.json is no regular file"),
    "a linked manifest": (link_manifest, "it has no manifest.json"),
    "a folder for a file": (turn_into_folder, "golden.jsonl is no regular file"),
    "a pipe for a file": (turn_into_pipe, "golden.jsonl is no regular file"),
    "no manifest": (lambda path: (path / "manifest.json").unlink(), "it has no manifest.json"),
    "an empty manifest": (write_manifest(b""), "manifest.json is not JSON"),
    "a manifest that is no text": (write_manifest(b"\xff\xfe\x00"), "manifest.json is not JSON"),
    "a manifest nested deep": (write_manifest(b"[" * 200_000), "manifest.json is not JSON"),
    "a manifest with NaN": (write_manifest(b'{"a": NaN}'), "manifest.json is not JSON"),
    "a manifest with a number without end": (write_manifest(b'{"a": 1e999}'), "manifest.json is not JSON"),
    "a manifest with a number without start": (write_manifest(b'{"a": -1e999}'), "manifest.json is not JSON"),
    "a manifest that is a list": (write_manifest(b"[]"), "is not a JSON object"),
    "a manifest without end": (write_manifest(b" " * (17 << 20)), "is larger than"),
    "another format": (forge(format_version=1), "format_version 1 is not 2"),
    "a format that is a truth": (forge(format_version=True), "format_version is missing or of the wrong type"),
    "an edited setting": (edit("truncating", "post"), "bundle_id is not that of its settings"),
    "an edited proof": (edit("invariance", {"passed": True}), "bundle_id is not that of its settings"),
    "no proof": (forge(invariance=...), "invariance proof is missing"),
    "a failed proof": (forge(invariance={"passed": False, "largest_difference": 0.3}), "invariance proof failed"),
    "no outputs": (forge(outputs=[]), "outputs must be different names"),
    "outputs that are numbers": (forge(outputs=[1, 2]), "outputs must be different names"),
    "outputs of one name": (forge(outputs=["a", "a"]), "outputs must be different names"),
    "an output with a control character": (forge(outputs=["a", "b\x1b"]), r"output 'b\\x1b' holds a control character"),
    "an output with half a pair": (
        forge(outputs=["a", "\ud800"]),
        r"output '\\ud800' holds a control character or half",
    ),
    "no tokenizer": (forge(tokenizer=...), "tokenizer is missing"),
    "a tokenizer without settings": (forge(tokenizer={}), "tokenizer.normalization is missing"),
    "no files": (forge(files=...), "files is missing or of the wrong type"),
    "files elsewhere": (edit("files", {"../../secret": {}}), "does not name"),
    "files without model": (edit("files", {}), "does not name golden.jsonl"),
}


@pytest.mark.parametrize(("damage", "message"), REFUSED.values(), ids=REFUSED)
def test_a_bundle_that_was_tampered_with_is_refused(damage: Damage, message: str, bundle_copy: pathlib.Path) -> None:
    damage(bundle_copy)
    with pytest.raises(BundleError, match=message):
        read_bundle(bundle_copy)


def test_a_file_named_beside_the_others_is_refused(bundle_copy: pathlib.Path) -> None:
    reseal(bundle_copy, files=bundle_fields(bundle_copy)["files"] | {"../run.py": {"bytes": 0, "sha256": ""}})
    with pytest.raises(BundleError, match=r"names '\.\./run\.py', which is no file of a bundle"):
        read_bundle(bundle_copy)


def test_a_missing_directory_is_one_sentence(tmp_path: pathlib.Path) -> None:
    with pytest.raises(BundleError, match="There is no bundle at"):
        read_bundle(tmp_path / "nowhere")


def test_an_older_tokenizer_is_refused(bundle_copy: pathlib.Path, tiny_bundle: StoredBundle) -> None:
    reseal(bundle_copy, tokenizer={**bundle_fields(tiny_bundle.path)["tokenizer"], "version": 0})
    with pytest.raises(UsageError, match="Tokenizer version 0 is none of 1 and 2"):
        read_bundle(bundle_copy)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"dictionary_version": "0.9"}, BundleError, r"dictionary_version is 0\.9 of unidic-lite, but 1\."),
        ({"dictionary": "/nowhere"}, UsageError, "holds no MeCab dictionary"),
        ({"user_dictionary": "/dev/zero"}, UsageError, "'/dev/zero' is no dictionary: give a regular file"),
        ({"user_dictionary": "/dev"}, UsageError, r"'/dev' is no dictionary"),
        ({"user_dictionary": "/nowhere"}, UsageError, "'/nowhere' cannot be read"),
    ],
)
def test_another_dictionary_is_refused(
    changes: dict[str, Any],
    error: type[SaitenError],
    message: str,
    bundle_copy: pathlib.Path,
    tiny_bundle: StoredBundle,
) -> None:
    reseal(bundle_copy, tokenizer={**bundle_fields(tiny_bundle.path)["tokenizer"], **changes})
    bundle = read_bundle(bundle_copy)
    with pytest.raises(error, match=message):
        bundle.encoder()
    with pytest.raises(error, match=message):
        bundle.check_dictionary()


@pytest.mark.parametrize("field", ["dictionary", "user_dictionary"])
@pytest.mark.parametrize("value", ["{bundle}", "{bundle}/golden.jsonl", "{bundle}/../{name}/reference.json",
                                   "/a\0b", "/\ud800", "", "unidic_lite", "dictionaries/mine", "../mine"])  # fmt: skip
@pytest.mark.parametrize("trust", [False, True])
def test_a_dictionary_that_may_have_come_with_the_bundle_is_refused(
    field: str, value: str, trust: bool, bundle_copy: pathlib.Path, tiny_bundle: StoredBundle
) -> None:
    """MeCab checks nothing in a dictionary, and a forger's hashes fit it."""
    path = value.format(bundle=bundle_copy, name=bundle_copy.name)
    reseal(bundle_copy, tokenizer={**bundle_fields(tiny_bundle.path)["tokenizer"], field: path})
    with pytest.raises(BundleError, match=rf"tokenizer\.{field} is .* at an absolute path outside of the bundle"):
        read_bundle(bundle_copy, trust=trust)


def test_a_changed_dictionary_file_is_named(bundle_copy: pathlib.Path, tiny_bundle: StoredBundle) -> None:
    tokenizer = bundle_fields(tiny_bundle.path)["tokenizer"]
    reseal(bundle_copy, tokenizer={**tokenizer, "files": {**tokenizer["files"], "matrix.bin": "0" * 64}})
    with pytest.raises(BundleError, match=r"matrix\.bin of unidic-lite is not the one"):
        read_bundle(bundle_copy).check_dictionary()
    with pytest.raises(BundleError, match=r"matrix\.bin of unidic-lite is not the one"):
        read_bundle(bundle_copy).encoder()
    tiny_bundle.check_dictionary()


@pytest.mark.parametrize("packed", ["no", [1], 1, None, {}])
def test_a_reason_that_is_none_is_not_shown(packed: Any, bundle_copy: pathlib.Path) -> None:
    reseal(bundle_copy, packed=packed)
    assert read_bundle(bundle_copy).why_not_packed == ""


# --- what a worker finds when it replays ---


def change_golden(path: pathlib.Path, **changes: Any) -> StoredBundle:
    lines = [json.loads(line) for line in (path / "golden.jsonl").read_text(encoding="utf-8").splitlines()]
    at = next(i for i, line in enumerate(lines) if len(line["token_ids"]) > 3)
    lines[at] |= {name: change(lines[at][name]) for name, change in changes.items()}
    (path / "golden.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n", encoding="utf-8")
    reseal(path)
    return read_bundle(path)


def test_another_token_stops_a_worker(bundle_copy: pathlib.Path) -> None:
    bundle = change_golden(bundle_copy, tokens=lambda tokens: ["違う", *tokens[1:]])
    with pytest.raises(BundleError, match="the tokens of a golden record differ"):
        replay_ids(bundle, bundle.encoder())


@pytest.mark.parametrize("at", [0, 1, -1])
def test_a_worker_replays_every_golden_text(at: int, bundle_copy: pathlib.Path) -> None:
    """So that a MeCab of another version is found out by all there is to tell it by."""
    lines = (bundle_copy / "golden.jsonl").read_text(encoding="utf-8").removesuffix("\n").split("\n")
    lines[at] = json.dumps(json.loads(lines[at]) | {"tokens": ["違う"]})
    (bundle_copy / "golden.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    reseal(bundle_copy)
    bundle = read_bundle(bundle_copy)
    with pytest.raises(BundleError, match="the tokens of a golden record differ"):
        ScoringBundle(str(bundle_copy), bundle.bundle_id, "packed").load_encoder()


def test_another_id_stops_a_worker(bundle_copy: pathlib.Path) -> None:
    bundle = change_golden(bundle_copy, token_ids=lambda ids: [2, *ids[1:]])
    with pytest.raises(BundleError, match="the ids of a golden record differ"):
        replay_ids(bundle, bundle.encoder())


def test_a_golden_text_that_is_none_stops_a_worker(bundle_copy: pathlib.Path) -> None:
    bundle = change_golden(bundle_copy, text=lambda text: f"{text}\ud800")
    with pytest.raises(BundleError, match="a golden record cannot be tokenized: BAD_UNICODE"):
        replay_ids(bundle, bundle.encoder())


@pytest.mark.parametrize("name", ["packed", "keras"])
def test_another_score_stops_a_worker(name: str, bundle_copy: pathlib.Path) -> None:
    bundle = change_golden(bundle_copy, scores=lambda scores: [scores[0] + 2e-5, *scores[1:]])
    with pytest.raises(BundleError, match=f"the {name} engine's golden scores differ by 2e-05"):
        replay_scores(bundle, bundle.engine(name))


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "[" * 100_000,
        '{"text": "a"}',
        '{"text": "a", "tokens": [], "token_ids": [], "scores": [1, 2]}',
        '{"text": "a", "tokens": ["a"], "token_ids": [1.5], "scores": [1, 2]}',
        '{"text": "a", "tokens": ["a"], "token_ids": [1], "scores": ["x", 2]}',
    ],
)
def test_a_line_that_is_no_golden_record_is_refused(line: str, bundle_copy: pathlib.Path) -> None:
    with (bundle_copy / "golden.jsonl").open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    reseal(bundle_copy)
    with pytest.raises(BundleError, match="holds a line that is no golden record"):
        read_bundle(bundle_copy).golden()


def test_too_few_golden_records_are_refused(bundle_copy: pathlib.Path) -> None:
    lines = (bundle_copy / "golden.jsonl").read_text(encoding="utf-8").splitlines()
    (bundle_copy / "golden.jsonl").write_text("\n".join(lines[:31]), encoding="utf-8")
    reseal(bundle_copy)
    with pytest.raises(BundleError, match="holds 31 golden records; a bundle has 32"):
        read_bundle(bundle_copy).golden()


EMPTY = {"text": "", "tokens": [], "token_ids": [], "scores": []}


@pytest.mark.parametrize(
    ("record", "times"),
    [
        (EMPTY, 1_000),
        (EMPTY | {"text": "1" * 2_000_000}, 1),
        (EMPTY | {"text": "1" * 50_000}, 40),
        (EMPTY | {"tokens": [""] * 2_000_000}, 1),
        (EMPTY | {"token_ids": [1] * 2_000_000, "scores": [0, 0]}, 1),
    ],
)
def test_golden_records_that_keep_a_worker_busy_are_refused(
    record: dict[str, Any], times: int, bundle_copy: pathlib.Path
) -> None:
    """Replaying has no deadline: 5 MB of digits take MeCab minutes."""
    with (bundle_copy / "golden.jsonl").open("a", encoding="utf-8") as file:
        file.write((json.dumps(record) + "\n") * times)
    reseal(bundle_copy)
    with pytest.raises(BundleError, match=r"golden\.jsonl holds .* are the most"):
        read_bundle(bundle_copy).golden()


@pytest.mark.parametrize("content", ["{", "{}", "[1]", "[" * 100_000, '["<pad>", "a", "a"]', "[]"])
def test_a_vocabulary_that_is_none_is_refused(content: str, bundle_copy: pathlib.Path) -> None:
    (bundle_copy / "vocabulary.json").write_text(content, encoding="utf-8")
    reseal(bundle_copy)
    with pytest.raises(BundleError):
        read_bundle(bundle_copy).encoder()


@pytest.mark.parametrize("oov_id", ["1", 0, -1, 10**9, 1.5, True, [1]])
def test_an_oov_id_that_is_none_is_refused(oov_id: Any, bundle_copy: pathlib.Path) -> None:
    reseal(bundle_copy, oov_id=oov_id)
    with pytest.raises(BundleError, match=r"oov_id|OOV id"):
        read_bundle(bundle_copy).encoder()


@pytest.mark.parametrize("name", ["packed", "keras"])
def test_a_model_for_fewer_words_is_refused(name: str, bundle_copy: pathlib.Path) -> None:
    reseal(bundle_copy, num_words=10_000)
    with pytest.raises(BundleError, match=r"takes ids below \d+, but num_words is 10000"):
        read_bundle(bundle_copy).engine(name)


def test_a_vocabulary_of_another_size_is_refused(bundle_copy: pathlib.Path) -> None:
    reseal(bundle_copy, num_words=7)
    with pytest.raises(BundleError, match="num_words is not the vocabulary's size"):
        read_bundle(bundle_copy).encoder()


def test_packed_weights_of_another_model_do_not_validate(bundle_copy: pathlib.Path) -> None:
    """A consistent forgery of packed.npz alone: golden records stop a worker, the proof stops `validate`."""
    with np.load(bundle_copy / "packed.npz") as file:
        arrays = dict(file)
    arrays["operation1_bias"] = arrays["operation1_bias"] + np.float32(5e-6)
    np.savez(bundle_copy / "packed.npz", **arrays)
    reseal(bundle_copy)
    with pytest.raises(BundleError, match=r"packed\.npz is not model\.keras\. On texts of up to"):
        list(validate_bundle(read_bundle(bundle_copy)))

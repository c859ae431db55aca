"""Runs on one output directory, one after the other and two at once: one run is visible, whole."""

import json
import pathlib
import shutil
from collections.abc import Sequence

from benchmarks.reliability.bench import SENTENCES, Bench
from benchmarks.reliability.directory import check_only_run, content, read_rows
from benchmarks.reliability.outcome import Outcome, promise

KINDS = ("more shards", "fewer shards", "empty input", "another bundle", "two at once")


def _write_input(bench: Bench, n_files: int, n_lines: int) -> pathlib.Path:
    """Writes files that are cut into a range each, for white space makes them as large as a range."""
    folder = bench.folder / f"{n_files} files"
    if not folder.exists():
        folder.mkdir()
        for i in range(n_files):
            lines = [f"{SENTENCES[k % len(SENTENCES)]}{i} {k}" for k in range(n_lines)]
            padding = [" " * (1 << 20)] * 5 if n_files > 1 else []
            (folder / f"{i}.txt").write_text("".join(line + "\n" for line in [*lines, *padding]), encoding="utf-8")
    return folder


def _source(bench: Bench, kind: str) -> pathlib.Path:
    sizes = {"more shards": (4, 50), "another bundle": (2, 50), "empty input": (1, 0)}
    return _write_input(bench, *sizes.get(kind, (3, 50)))


def _other_bundle(bench: Bench) -> Bench:
    """Returns the bench with a bundle of another id that scores alike."""
    from saiten.model.bundle.bundle_manifest import bundle_id_of

    path = bench.folder / "other bundle"
    if not path.exists():
        shutil.copytree(bench.bundle, path)
        manifest = json.loads((path / "manifest.json").read_bytes())
        manifest["training"] = {"another": True}
        manifest["bundle_id"] = bundle_id_of(manifest)
        (path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return Bench(path, bench.folder, bench.random)


def check_rerun(
    bench: Bench, output: pathlib.Path, kind: str, outcome: Outcome, workers: Sequence[int] = (1, 2)
) -> None:
    """Replaces whatever run is in the output directory.

    Args:
        workers: How many processes a run may have; one of them is drawn.

    Raises:
        BrokenPromiseError: What is visible then is not exactly the new run.
    """
    source = _source(bench, kind)
    unbroken = bench.folder / f"unbroken {source.name}"
    if not unbroken.exists():
        promise(bench.score(source, unbroken, "--workers=1")[0] == 0, "the run into a fresh directory failed")
    expected = read_rows(unbroken)
    if kind == "two at once":
        _start_two(bench, source, output, outcome)
    else:
        chosen = _other_bundle(bench) if kind == "another bundle" else bench
        if output.exists():
            before = content(output)
            promise(chosen.score(source, output, "--workers=1")[0] == 2, "a used directory was taken")
            promise(content(output) == before, "a refused run changed the directory")
        code, said = chosen.score(source, output, "--overwrite", f"--workers={bench.random.choice(workers)}")
        promise(code == 0, f"the run ended with {code}: {said}")
    check_only_run(output, expected)


def _start_two(bench: Bench, source: pathlib.Path, output: pathlib.Path, outcome: Outcome) -> None:
    arguments = bench.arguments(source, output, "--overwrite", "--workers=1")
    first, second = bench.start(arguments), bench.start(arguments)
    said = [process.communicate()[1] for process in (first, second)]
    codes = sorted((first.returncode, second.returncode))
    promise(codes in ([0, 0], [0, 2]), f"exits {codes}: {said}")
    outcome.note("refused", codes == [0, 2])


def run(bench: Bench, times: int | None) -> list[Outcome]:
    """Tries 40 runs, or `times` of each kind, in random order on one directory."""
    outcomes = {kind: Outcome("re-runs", kind) for kind in KINDS}
    order = [kind for kind in KINDS for _ in range(times or 8)]
    bench.random.shuffle(order)
    for kind in order:
        outcomes[kind].attempt(lambda: check_rerun(bench, bench.folder / "output", kind, outcomes[kind]))  # noqa: B023
    return list(outcomes.values())

"""What the benchmarks conclude from measurements, on made-up ones: nothing is timed here."""

import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pyarrow.parquet as pq
import pytest

from benchmarks.masking import plot
from benchmarks.parts.corpora import corpus_path
from benchmarks.parts.goals import MULTIPLES, make_rows
from benchmarks.parts.measurements import Measurements
from benchmarks.parts.processes import descendants, peak_bytes, run_command
from benchmarks.parts.settings import Settings
from benchmarks.parts.trials import Sample, Trial
from benchmarks.quality.summary import collect, table
from benchmarks.report import BEGIN, END, fill_page, render_markdown, render_text
from benchmarks.run import main
from saiten.model.errors import SaitenError, UsageError
from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.reading.plan import plan_work
from saiten.pipelines.reading.read_range import iter_blocks
from tests.helpers.reading import checked, rows

ROOT = pathlib.Path(__file__).parents[2]
MACHINE = {
    "processor": "abacus",
    "cores": 2,
    "memory_bytes": 2**33,
    "system": "Linux",
    "python": "3.11.0",
    "load_before": 0.0,
    "packages": {"numpy": "2"},
}


def made_up(groups: list[str]) -> Measurements:
    about = {"date": "2026-01-02", "groups": groups, "repeats": 2, "workers": 2, "limit": None, "machine": MACHINE}
    measured = Measurements(about)
    # Starting costs Saiten 5 s and the floor 1 s; once the corpus costs 12 s and 10 s, in a busy hour twice that.
    for times in MULTIPLES:
        for side, start, cost in (("saiten", 5, 12), ("floor", 1, 10)):
            hours = (1, 2) if times <= 4 else (1,)
            samples = [Sample(hour * (start + times * cost), 150_000_000, 300_000_000 + times) for hour in hours]
            measured.samples[Trial(side, "news", times, 2)] = samples
    for times in (1, 4):
        for side in ("saiten", "floor"):
            measured.samples[Trial(side, "news", times, 1)] = [Sample(2 + 18 * times, 0, 0)] * 2
    for ending in (".csv", ".csv.gz", ".jsonl.gz", ".jsonl.zst", ".parquet"):
        for workers, secs in ((1, 50), (2, 25 if ending == ".csv" else 40)):
            measured.samples[Trial("saiten", "news", 16, workers, ending)] = [Sample(secs, 0, 0)]
    measured.probes = {
        "engine news": {"packed": [1.0, 2.0], "keras": [8.0, 8.0], "tokens": 1_000_000, "texts": 512},
        "stages news": {
            "seconds": dict.fromkeys(("read", "segment", "look up", "score", "write"), 2.0),
            "tokens": 10**6,
        },
        "stages sentences": {
            "seconds": dict.fromkeys(("read", "segment", "look up", "score", "write"), 3.0),
            "tokens": 10**6,
        },
        "row_group news": {"articles": [7_000, 1_000_000], "launcher_bytes": [160_000_000, 168_000_000]},
        "difference news": {"largest_difference": 2.5e-7, "largest_score": 0.5, "scores": 58_936},
    }
    return measured


def test_rows_leave_the_start_out_and_judge_by_limit_and_goal() -> None:
    made = make_rows(made_up(["long", "model", "workers", "cut", "row_group", "memory"]))
    assert [(row.what, row.values, row.verdict) for row in made] == [
        ("one more token, long texts", (pytest.approx(1.2), pytest.approx(1.2)), "missed"),
        ("the model alone", (0.125, 0.25), "within"),
        ("a second worker", (pytest.approx(1.5), pytest.approx(0.75)), "missed"),
        ("a second worker, .csv", (2.0,), "goal"),
        ("a second worker, .csv.gz", (1.25,), "missed"),
        ("a second worker, .jsonl.gz", (1.25,), "missed"),
        ("a second worker, .jsonl.zst", (1.25,), "missed"),
        ("a second worker, .parquet", (1.25,), "missed"),
        ("a launcher's memory", (1.05,), "goal"),
        ("memory of a worker", (pytest.approx(300.000001), pytest.approx(300.000001)), "within"),
        ("growth of a worker's memory", (pytest.approx(1, abs=1e-6),), "goal"),
        ("growth of a launcher's memory", (1.0,), "goal"),
    ]


def test_measurements_come_back_from_their_file(tmp_path: pathlib.Path) -> None:
    measured = made_up(["long", "growth"])
    measured.save(tmp_path / "results" / "a.json", [row.to_dict() for row in make_rows(measured)])
    assert Measurements.load(tmp_path / "results" / "a.json") == measured


def test_a_result_that_is_not_there_is_named(tmp_path: pathlib.Path) -> None:
    with pytest.raises(UsageError, match=r"no measurements at .*a\.json"):
        Measurements.load(tmp_path / "a.json")


def test_markdown_has_every_table_and_says_what_it_is_of() -> None:
    measured = made_up(["model", "growth", "stages", "difference"])
    assert render_markdown(measured) == (
        "Measured on 2026-01-02: abacus, 2 cores, 8 GiB, Linux, Python 3.11.0, numpy 2. "
        "2 workers, 2 rounds; load of the machine before: 0.0.\n\n"
        "Largest difference of the packed engine's scores from Keras' over news.txt: "
        "2.5e-07 of 58,936 scores up to 0.50.\n\n"
        "| what | measured how | goal | median | min to max |  |\n"
        "| --- | --- | --- | --- | --- | --- |\n"
        "| the model alone | 512 texts as they arrive, one thread, against compiled Keras on sorted batches of 32 "
        "(1.50 us a token, Keras 8.00 us) | at most 0.25 x, goal 0.17 x | 0.19 x | 0.12 x to 0.25 x | within |\n\n"
        "| news.txt | seconds | seconds each | a worker's peak | the launcher's peak |\n"
        "| --- | --- | --- | --- | --- |\n"
        "| x 1 | 25.5 | 25.5 | 300 MB | 150 MB |\n"
        "| x 2 | 43.5 | 21.8 | 300 MB | 150 MB |\n"
        "| x 4 | 79.5 | 19.9 | 300 MB | 150 MB |\n"
        "| x 8 | 101.0 | 12.6 | 300 MB | 150 MB |\n"
        "| x 16 | 197.0 | 12.3 | 300 MB | 150 MB |\n\n"
        "| stage | us a token, articles | us a token, sentences |\n"
        "| --- | --- | --- |\n"
        "| read | 2.00 | 3.00 |\n"
        "| segment | 2.00 | 3.00 |\n"
        "| look up | 2.00 | 3.00 |\n"
        "| score | 2.00 | 3.00 |\n"
        "| write | 2.00 | 3.00 |\n"
        "| together | 10.00 | 15.00 |"
    )


def test_tables_of_what_was_not_measured_are_left_out() -> None:
    assert "stage" not in render_text(made_up(["model"]))


def test_a_page_keeps_all_but_what_stands_between_its_marks() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert fill_page(page, "new") == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"


@pytest.mark.parametrize("page", ["", f"{BEGIN} alone", f"{END} before {BEGIN}"])
def test_a_page_without_marks_is_refused(page: str) -> None:
    with pytest.raises(UsageError, match="no <!-- measured: begin -->"):
        fill_page(page, "new")


def settings_in(folder: pathlib.Path) -> Settings:
    for name in ("prepare_livedoor.py", "peers.py"):
        (folder / name).touch()
    return Settings(folder, folder, folder, repeats=1, workers=2, limit=None)


def test_a_multiple_is_the_corpus_so_many_times_and_made_anew_when_the_corpus_changes(tmp_path: pathlib.Path) -> None:
    settings = settings_in(tmp_path)
    settings.folder.mkdir()
    for text in ("一\n", "一\n二\n"):
        (settings.folder / "news.txt").write_text(text, encoding="utf-8")
        assert corpus_path(settings, "news", 4).read_text(encoding="utf-8") == text * 4


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".jsonl.gz", ".jsonl.zst", ".parquet"])
def test_a_corpus_in_another_format_has_the_same_texts(tmp_path: pathlib.Path, ending: str) -> None:
    settings = settings_in(tmp_path)
    settings.folder.mkdir(parents=True)
    texts = [f'{i}, "良い"' for i in range(1200)]
    corpus_path(settings, "news").write_text("".join(f"{text}\n" for text in texts), "utf-8")
    path = corpus_path(settings, "news", 2, ending)
    blocks = checked(iter_blocks(plan_work(str(path), ReadOptions())))
    assert [row[3] for row in rows(blocks)] == texts * 2
    if ending == ".parquet":
        assert pq.read_metadata(path).num_row_groups == 1


def test_a_command_is_terminated_when_it_is_to_stop() -> None:
    program = "import signal, sys, time\nsignal.signal(15, lambda *_: sys.exit(143))\ntime.sleep(60)"
    assert run_command([sys.executable, "-c", program], stop_after_secs=1).seconds < 30
    assert run_command(["sleep", "60"], stop_after_secs=0.1).seconds < 30


def test_absent_peers_are_named_with_the_flag_that_says_where_they_are(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "prepare_livedoor.py").touch()
    assert main([f"--corpora={tmp_path}", f"--peers={tmp_path}", f"--out={tmp_path}"]) == 2
    assert capsys.readouterr().err == (
        f"benchmarks: There is no peers.py in {tmp_path}; name the folder that has it: --peers=DIR.\n"
    )


def test_a_row_that_does_not_exist_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--rows=long,wide"]) == 2
    assert capsys.readouterr().err.startswith("benchmarks: There is no row 'wide'; choose of long, short, whole")


def test_a_child_is_found_and_its_peak_stays_when_the_memory_is_free_again() -> None:
    program = "b = bytearray(64 << 20); b[:] = b'x' * len(b); del b; print('ready', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        assert child.pid in descendants(os.getpid())
        assert 64 << 20 < peak_bytes(child.pid) < 256 << 20
        child.communicate(b"\n")
    assert peak_bytes(child.pid) == 0


def test_a_command_gives_its_output_and_its_own_peak() -> None:
    finished = run_command([sys.executable, "-c", "print('done')"])
    assert finished.output == "done\n"
    assert finished.own_bytes > 0


def test_a_command_that_fails_is_named_with_its_last_line() -> None:
    with pytest.raises(SaitenError, match=r"ended with 1: too bad$"):
        run_command([sys.executable, "-c", "import sys; print('first', file=sys.stderr); sys.exit('too bad')"])


@pytest.mark.parametrize(
    ("page", "begin", "end", "shown"),
    [
        ("masking", plot.BEGIN, plot.END, lambda kept: "\n".join(plot.table(kept["rows"]))),
        ("quality", BEGIN, END, lambda kept: table(kept["figures"])),
    ],
    ids=["masking", "quality"],
)
def test_a_page_shows_what_was_measured(page: str, begin: str, end: str, shown: Callable[[Any], str]) -> None:
    kept = json.loads((ROOT / "benchmarks/results" / f"{page}.json").read_text(encoding="utf-8"))
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    assert text.partition(begin)[2].partition(end)[0].strip() == shown(kept)


def test_the_quality_of_several_seeds_is_their_median_and_spread(tmp_path: pathlib.Path) -> None:
    for seed, accuracy in enumerate((0.9, 0.94, 0.92)):
        figures = {"accuracy": {"value": accuracy, "interval": [0, 1]}, "macro_f1": accuracy, "mean": {}}
        content = {"corpus": "titles", "way": "default", "seconds": 60 + seed, "figures": figures}
        (tmp_path / f"titles-default-{seed}.json").write_text(json.dumps(content))
    baseline = {"corpus": "titles", "way": "baseline", "figures": {"mean": {"spearman": 0.5}}}
    (tmp_path / "titles-baseline-0.json").write_text(json.dumps(baseline))
    together = collect(tmp_path)
    expected = {"seeds": 3, "accuracy": [0.92, 0.9, 0.94], "macro_f1": [0.92, 0.9, 0.94], "seconds": [61, 60, 62]}
    assert together["titles"]["default"] == expected
    assert table(together).splitlines()[2:] == [
        "| titles | TF-IDF and a linear model | 1 |  |  |  | 0.500 |",
        "| titles | Saiten's default | 3 | 0.920 (0.900 to 0.940) | 0.920 (0.900 to 0.940) |  |  |",
    ]

"""Saiten's packaging. Beam's `--setup_file` takes this file to remote workers, so it says everything itself."""

import pathlib

from setuptools import find_packages, setup

FOLDERS = ("model", "pipelines")

# What every worker needs to score with the packed engine. Neither TensorFlow nor gensim is in it.
SCORE = [
    "apache-beam>=2.77,<2.78",
    "jinja2>=3.1",
    "mecab-python3>=1.0.12,<2",
    "msgspec>=0.20",
    "numba>=0.65",
    "numpy>=2,<2.5",
    "isal>=1.7",
    "orjson>=3.11",
    "pyarrow>=23,<26",
    "pygal>=3.1,<4",
    "rich>=14",
    "unidic-lite>=1.0.8,<2",
    "xxhash>=3.5",
]
# Several ways to run code from a .keras file were closed up to mid 2026 and are all closed only from 3.15.1 on.
# h5py reads the file's weights before Keras does.
KERAS = ["h5py>=3.14", "keras>=3.15.1,<3.16"]
TENSORFLOW = ["tensorflow>=2.21,<2.22"]
# The same library and module without what a GPU needs: 274 MB to download rather than 572.
TENSORFLOW_CPU = [
    "tensorflow-cpu>=2.21,<2.22; sys_platform == 'linux' and platform_machine == 'x86_64'",
    "tensorflow>=2.21,<2.22; sys_platform != 'linux' or platform_machine != 'x86_64'",
]
TRAIN = ["gensim>=4.4,<5", "scipy>=1.15"]
# Metrics of `evaluate`, and the linear baseline of `train --baseline`.
EVALUATE = ["scikit-learn>=1.7,<2", "scipy>=1.15"]
# docstring-parser: Beam's YAML, of which the documentation has an example, imports it.
CHECK = [
    "docstring-parser>=0.16",
    "hypothesis>=6.150",
    "mypy>=2,<3",
    "pandas>=3",
    "pytest>=9,<9.2",  # with 9.2 the groups of pytest-xdist 3.8 have no effect: what they share is made by each process
    "pytest-xdist>=3.8",
    "ruff>=0.17,<0.18",
    "setuptools>=77",
    "zstandard>=0.25",
]
# A Google Cloud Storage on the loopback for the tests, and what Beam needs of its `gcp` extra to speak to one, to
# describe a job to Dataflow, and what Saiten needs to read a subscription.
GOOGLE = [
    "gcp-storage-emulator>=2026.7",
    "google-cloud-dataflow-client>=0.13,<0.14",
    "google-cloud-pubsub>=2.29,<3",
    "google-cloud-storage>=3.4,<4",
]
BENCHMARK = ["matplotlib>=3.10"]

setup(
    name="saiten",
    version="0.2.0",
    description="Scores Japanese text in bulk: a masked Keras LSTM, Apache Beam, Parquet out.",
    long_description=pathlib.Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    # One name in site-packages: the folders model and pipelines are its subpackages.
    packages=[
        "saiten",
        *(f"saiten.{room}" for room in find_packages(include=["model*", "pipelines*"])),
    ],
    package_dir={"saiten": "saiten", **{f"saiten.{folder}": folder for folder in FOLDERS}},
    package_data={"saiten": ["py.typed"], "saiten.pipelines": ["*/*/*.jinja"]},
    python_requires=">=3.11,<3.14",
    install_requires=SCORE,
    extras_require={
        "keras": KERAS + TENSORFLOW,
        "train": KERAS + TENSORFLOW + TRAIN,
        "evaluate": EVALUATE,
        "gcp": ["apache-beam[gcp]>=2.77,<2.78"],
        "aws": ["apache-beam[aws]>=2.77,<2.78"],
        # What requirements.lock is made of: everything that training, scoring, tests and benchmarks use, on the CPU.
        "dev": KERAS + TENSORFLOW_CPU + TRAIN + EVALUATE + CHECK + GOOGLE + BENCHMARK,
    },
    entry_points={"console_scripts": ["saiten = saiten.pipelines.commands.main:console"]},
)

"""Prints name, version and licence of every installed package, as its metadata says them, tab-separated."""

from email.message import Message
from importlib.metadata import distributions
from typing import cast

_PREFIX = "License :: "


def licence_of(metadata: Message) -> str:
    """Returns what a package says of its licence, `unknown` where it says nothing."""
    classifiers = [
        value.rpartition(" :: ")[2] for value in metadata.get_all("Classifier", []) if value.startswith(_PREFIX)
    ]
    # Older packages put the licence's whole text into the field.
    stated = (metadata.get("License") or "").strip().partition("\n")[0]
    return metadata.get("License-Expression") or ", ".join(classifiers) or stated or "unknown"


def main() -> None:
    """Prints the table."""
    packages = {(package.name.lower(), package.version): package.metadata for package in distributions()}
    for (name, version), metadata in sorted(packages.items()):
        print(f"{name}\t{version}\t{licence_of(cast(Message, metadata))}")


if __name__ == "__main__":
    main()

"""Records of exclusive classes that another class has become the most probable one of."""

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc


class LabelChanges:
    """Counts how often each label became which other one; as large as the pairs of labels that there are.

    Attributes:
        n: Records with a label in both runs.
        by_pair: Those whose label changed, by the label in the first run and that in the second.
    """

    def __init__(self) -> None:
        self.n = 0
        self.by_pair: Counter[tuple[str, str]] = Counter()

    @property
    def n_changed(self) -> int:
        """Records whose label changed."""
        return self.by_pair.total()

    def add(self, first: pa.Array, second: pa.Array) -> None:
        """Counts the labels of the same records in both runs; null where a record has none."""
        differs = pc.not_equal(first, second)
        self.n += len(differs) - differs.null_count
        changed = pa.table({"first": first, "second": second}).filter(differs)
        for pair in changed.group_by(["first", "second"]).aggregate([([], "count_all")]).to_pylist():
            self.by_pair[pair["first"], pair["second"]] += pair["count_all"]

    def commonest(self, most: int) -> list[tuple[str, str, int]]:
        """Returns the pairs of most records with their number, equal ones by name."""
        ordered = sorted(self.by_pair.items(), key=lambda item: (-item[1], item[0]))
        return [(first, second, n) for (first, second), n in ordered[:most]]

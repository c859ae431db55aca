"""What kind of labels a model was trained on, and so what its scores are."""

from typing import Literal

# Labels: 0 or 1 each, the scores a probability each. Classes: exclusive, the scores probabilities that sum to 1.
Task = Literal["numbers", "labels", "classes"]
TASKS: tuple[Task, ...] = ("numbers", "labels", "classes")

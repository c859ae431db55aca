"""How the figures of an evaluation are called where a person reads them, in the order in which they are shown."""

# By the name in JSON: what it is called, and its layout.
FIGURES = {
    "accuracy": ("accuracy", ".3f"),
    "macro_f1": ("macro-F1", ".3f"),
    "precision": ("precision", ".3f"),
    "recall": ("recall", ".3f"),
    "f1": ("F1", ".3f"),
    "log_loss": ("log loss", ".3f"),
    "calibration_error": ("calibration error", ".3f"),
    "mse": ("MSE", ".4g"),
    "mae": ("MAE", ".4g"),
    "pearson": ("Pearson", ".3f"),
    "spearman": ("Spearman", ".3f"),
}

"""What holds unless somebody says otherwise: one home for the command line and for who uses the parts alone."""

INPUT_FORMAT = "auto"
ENCODING = "utf-8"
QUOTING = "auto"
MAX_RECORD_BYTES = 10 * 1024 * 1024
POLL_SECS = 10.0
WINDOW_SECS = 60.0
MAX_BATCH_WAIT_MS = 200.0

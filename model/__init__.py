"""Text to score: tokenizing, encoding, networks, bundles, engines. Never imports Beam."""

import os

# TensorFlow switches oneDNN on by itself only where the processor has AVX-512 with VNNI. Without it a text's scores
# change by some 2e-6 with the batch it is in, and the proof of invariance refuses the model.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

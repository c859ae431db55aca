"""The network, its batches and its loss, and how it learns; all but `batches` import TensorFlow."""

"""Keras models as people bring them: their layers, masks, files and Tokenizers, judged before Keras builds anything."""

"""Text to token ids: MeCab, vocabulary, sequences of different lengths end to end."""

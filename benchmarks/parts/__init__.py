"""What the programs beside it are made of: corpora, trials, what they gave, and what was wanted."""

"""Text to score: tokenizing, encoding, networks, bundles, engines. Never imports Beam."""

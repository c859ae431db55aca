"""Scores the reviews of a JSON Lines file within a pipeline of one's own."""

import json

import apache_beam as beam

import saiten

with beam.Pipeline(runner="FnApiRunner") as pipeline:
    reviews = pipeline | beam.io.ReadFromText("reviews/june.jsonl") | beam.Map(json.loads)
    texts = reviews | beam.Map(lambda review: (review["id"], review["body"]))
    scores = texts | saiten.ScoreTexts(bundle="bundles/reviews")
    scores | beam.MapTuple(lambda key, scored: print(key, scored.status, scored.scores))

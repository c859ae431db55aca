"""Answers a POST of a JSON list of texts with a list of their scores, null for a text without words."""

import json
import math
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

import saiten

bundle = saiten.load("bundles/reviews")  # once, when the process starts; all its threads share it


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    try:
        texts = json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        rows = bundle.score(texts).tolist()
        status = "200 OK"
        answer = [None if math.isnan(row[0]) else dict(zip(bundle.outputs, row, strict=True)) for row in rows]
    except (saiten.RecordError, TypeError, ValueError) as error:  # a text that cannot be scored, no text, no JSON
        status, answer = "400 Bad Request", {"problem": str(error)}
    start_response(status, [("Content-Type", "application/json")])
    return [json.dumps(answer).encode()]

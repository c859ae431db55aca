"""What each dead-letter code says of a record, and what can be done about it."""

from collections.abc import Mapping

from saiten.pipelines.records import Code

MEANINGS: Mapping[str, str] = {
    Code.BAD_UTF8: "Not text in the encoding that was read. If it is many, give another --encoding.",
    Code.BAD_UNICODE: "Half of a character (a lone surrogate). What wrote the file cut it in two.",
    Code.BAD_JSON: "Not JSON. Look at its place in the file: a line may have been cut.",
    Code.NOT_AN_OBJECT: "JSON, but no object with fields.",
    Code.BAD_CSV_ROW: "Not as many fields as the header, or a quotation mark that does not close.",
    Code.BAD_FIELD: "A kept field that is not of the type that --keep_fields asks for. Ask for a string.",
    Code.TEXT_MISSING: "No text: the field is missing or null. Is it the right --text_field?",
    Code.TEXT_NOT_STRING: "The text field holds a number, a list or an object.",
    Code.TOO_LARGE: "Longer than --max_record_bytes.",
    Code.TOKENIZER_ERROR: "MeCab gave up on the text.",
    Code.NOT_FINITE: "The model gave NaN or infinity for it.",
    Code.MODEL_ERROR: "The model failed on it.",
    Code.LATE: "It came to a stream when its window was written already.",
}

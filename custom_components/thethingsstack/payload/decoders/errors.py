"""Why bytes can't be decoded, and why a table of fields can't be used."""

DECODER_REASONS = {
    # The bytes
    "no_bytes": "there are no bytes",
    "no_port": "no row is for f_port {f_port}",
    "too_short": "{row}: bytes {first} to {last} are needed, and there are {size}",
    "no_decimal": "{row}: {given} is no decimal number",
    "unknown_type": "byte {at}: {given} is no type of CayenneLPP",
    "cut_off": "byte {at}: {type} needs {needed} bytes, and {left} are left",
    "no_model": "the model library has no table for this model",
    # The table
    "no_rows": "the table has no rows",
    "too_many_rows": "{count} rows are more than {most}",
    "no_table": "{given} is no list of rows",
    "unknown_part": "{row}: unknown: {given}",
    "no_name": "{row}: a name has 1 to {most} letters, and does not begin with _",
    "name_twice": "{row}: the name is used twice for the same f_port",
    "no_number": "{row}: {part}: {given} is no whole number from {least} to {most}",
    "no_factor": "{row}: {part}: {given} is no number that can be calculated with",
    "no_choice": "{row}: {part}: {given} is none of {choices}",
    "no_bits": "{row}: bits: {given} is neither one bit, such as 5, nor several, such as 0-3, of {most}",
    "no_size": "{row}: {type} can't have {given} bytes",
    "bits_of_text": "{row}: {type} has no bits",
    "no_calculation": "{row}: {type} has no factor, offset or unit",
    "no_words": "{row}: words: {given} does not map numbers to words",
    "words_of_number": "{row}: only the type words has words",
    "no_text": "{row}: {part}: {given} is no text of at most {most} characters",
    "no_truth": "{row}: {part}: {given} is neither true nor false",
}
"""The English texts by their keys."""
_SHOWN = 60


class DecoderError(ValueError):
    """Base: `key` is that of the reason's text, with its placeholders."""

    def __init__(self, key: str, **placeholders: object) -> None:
        """Keep the text's key and its placeholders."""
        self.key = key
        self.placeholders = {name: str(value)[:_SHOWN] for name, value in placeholders.items()}
        super().__init__(DECODER_REASONS[key].format(**self.placeholders))


class DecodeError(DecoderError):
    """Bytes that can't be decoded; the text says where and why."""


class TableError(DecoderError):
    """A table that can't be used; the text says which row and why."""

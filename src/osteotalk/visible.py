"""Characters that hide or reorder text, made visible; cells that a spreadsheet would compute."""

import re

# Unicode 15's categories Cc (but tab and line feed), Cf, Cs, Zl and Zp: control, direction, zero
# width, tags, halves of pairs, separators of lines. Source: https://www.unicode.org/reports/tr36/
_HIDDEN = re.compile(
    "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\xad\\u0600-\\u0605\\u061c\\u06dd\\u070f\\u0890\\u0891"
    "\\u08e2\\u180e\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2064\\u2066-\\u206f\\ud800-\\udfff"
    "\\ufeff\\ufff9-\\ufffb\\U000110bd\\U000110cd\\U00013430-\\U0001343f\\U0001bca0-\\U0001bca3"
    "\\U0001d173-\\U0001d17a\\U000e0001\\U000e0020-\\U000e007f]"
)
_FORMULA = re.compile(r"[\t\r]|\s*[=+\-@＝＋－＠]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|nan)|[+-]")


def visible(text: str) -> str:
    r"""Write each character that is not seen, or that reorders others, as its code: ``\u202e``.

    Two names that look alike then differ, and a name cannot turn round what stands after it.
    """
    return _HIDDEN.sub(_code, text)


def _code(found: re.Match[str]) -> str:
    number = ord(found[0])
    width, letter = (2, "x") if number < 0x100 else (4, "u") if number < 0x10000 else (8, "U")
    return f"\\{letter}{number:0{width}x}"


def defused(value: object) -> object:
    """Put an apostrophe before a text that a spreadsheet would take for a formula.

    Numbers, lone signs and everything that is no text stay as they are.
    """
    if not isinstance(value, str) or not _FORMULA.match(value) or _NUMBER.fullmatch(value):
        return value
    return f"'{value}"

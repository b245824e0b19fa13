"""A source file as the rules see it: its text, and its code without comments and literals."""
import dataclasses
import re


@dataclasses.dataclass(frozen=True, order=True)
class Finding:
    path: str
    line: int
    rule: str
    text: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.text} [{self.rule}]"


# Comments, raw strings, strings, characters. A digit separator (1'000) is no character.
_SKIPPED = re.compile(
    r"//[^\n]*"
    r"|/\*.*?\*/"
    r'|R"(?P<tag>[^()\s\\]{0,16})\((?P<raw>.*?)\)(?P=tag)"'
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|(?<![0-9a-fA-F])'(?:[^'\\\n]|\\.)+'",
    re.DOTALL,
)


def _blank(match):
    text = match.group(0)
    if text.startswith(("//", "/*")):
        return re.sub(r"[^\n]", " ", text)
    return '"' + re.sub(r"[^\n]", " ", text[1:-1]) + '"'


class Source:
    """`code` has the same length and lines as `text`; comments are blank, literals are empty."""

    def __init__(self, path, text):
        self.path = path
        self.text = text
        self.lines = text.split("\n")
        self.is_cpp = path.endswith((".cc", ".h"))
        self.is_header = path.endswith(".h")
        self.is_test = path.endswith("_test.cc") or path.startswith("tests/")
        self.folder = path.split("/")[1] if path.startswith("src/") and path.count("/") > 1 else ""
        self.code = _SKIPPED.sub(_blank, text) if self.is_cpp else text

    def line_of(self, offset):
        return self.text.count("\n", 0, offset) + 1

    def allows(self, rule, line):
        """The line itself or the one above says why the rule does not hold here."""
        pattern = re.compile(r"(//|#)\s*tidy: allow " + re.escape(rule) + r": \S")
        return any(pattern.search(self.lines[i]) for i in (line - 1, line - 2) if 0 <= i < len(self.lines))

    def finding(self, line, rule, text):
        return Finding(self.path, line, rule, text)


def closing_brace(code, opening):
    """Offset of the brace that closes the one at `opening`, or the end of the code."""
    depth = 0
    for match in re.compile(r"[{}]").finditer(code, opening):
        depth += 1 if match.group() == "{" else -1
        if depth == 0:
            return match.start()
    return len(code)


_DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", re.MULTILINE)
_SCOPE = re.compile(r"^\s*(template\s*<.*>\s*)?(inline\s+)?(namespace|class|struct|union|enum|extern)\b[^()]*$",
                    re.DOTALL)


def functions(source):
    """(line of its opening brace, lines, signature, body) of each function that is not inside another."""
    code = _DIRECTIVE.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), source.code)
    token = re.compile(r"[;{}]")
    position = start = 0
    while match := token.search(code, position):
        position = match.end()
        head = code[start:match.start()]
        if match.group() != "{":
            start = position
        elif _is_function(head):
            end = closing_brace(code, match.start())
            if code[end + 1:end + 200].lstrip()[:1] in (",", "{"):  # a member in a constructor's initialiser list
                position = end + 1
                continue
            first = source.line_of(match.start())
            yield first, source.line_of(end) - first + 1, " ".join(head.split()), code[match.start():end]
            position = start = end + 1
        elif _SCOPE.match(head):
            start = position
        else:  # an initialiser
            position = closing_brace(code, match.start()) + 1


def _is_function(head):
    """A signature: a parameter list, and nothing assigned at the outermost level."""
    head = re.sub(r"\[\[[^\]]*\]\]|->", " ", head)
    if "(" not in head or _SCOPE.match(head):
        return False
    if "operator" in head:
        return True
    depth = 0
    for char in head:
        depth += (char in "([<") - (char in ")]>")
        if char == "=" and depth <= 0:
            return False
    return True

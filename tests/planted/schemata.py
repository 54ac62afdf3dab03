"""Finds what can be mutated in a C++ source, and writes it so that all its mutants are in one text.

Works on the text's tokens and relies on how clang-format lays it out: blanks stand around binary
operators and not in front of a template's arguments. What the compiler evaluates is left alone:
template arguments, constexpr values, static_assert, case labels, and so are assertions. A constant
with a name is mutated where it is used.
"""

import re
from collections import Counter
from dataclasses import dataclass

TOKENS = re.compile(
    r"""(?P<blank>\s+ | //[^\n]* | /\*.*?\*/ | ^[ ]*\#(?:\\\n|[^\n])*)
      | (?P<text>R"(?P<fence>[^(\s]*)\(.*?\)(?P=fence)" | "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])+')
      | (?P<number>\.?\d(?:[eEpP][+-]|'?[\w.])*)
      | (?P<word>[A-Za-z_]\w*)
      | (?P<sign><=> | <<= | \.\.\. | :: | -> | \+\+ | -- | << | >= | <= | == | != | && | \|\|
               | [-+*/%&|^]= | .)""",
    re.DOTALL | re.MULTILINE | re.VERBOSE)  # fmt: skip
CLOSING = {"(": ")", "[": "]", "{": "}"}
ASSIGNING = {"=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^="}
# What an operator is called in mutants.hpp, the one that it is written with, and its mutants.
COMPARING = {
    "<": ("less", "<", ">", ["<=", ">="]),
    "<=": ("less_equal", "<", ">", ["<", ">"]),
    ">": ("greater", "<", ">", [">=", "<="]),
    ">=": ("greater_equal", "<", ">", [">", "<"]),
    "==": ("equal", "==", "==", ["!="]),
    "!=": ("unequal", "==", "==", ["=="]),
}
COUNTING = {
    "+": ("add", "+", "+", ["-"]),
    "-": ("subtract", "+", "+", ["+"]),
    "*": ("multiply", "*", "*", ["/"]),
    "/": ("divide", "*", "*", ["*"]),
}
BINARY = COMPARING | COUNTING
FUNCTIONS = {"min": "max", "max": "min", "clamp": "its first argument", "abs": "its argument",
             "floor": "ceil", "ceil": "floor"}  # fmt: skip
CONSTANT_CALLS = {"static_assert", "assert", "noexcept", "alignas", "decltype", "sizeof",
                  "requires", "BOOST_DEFINE_FIXED_ENUM_CLASS", "BOOST_DESCRIBE_ENUM"}  # fmt: skip
KEYWORDS = {"return", "if", "else", "for", "while", "do", "switch", "case", "default", "break",
            "continue", "using", "const", "constexpr", "auto", "static", "struct", "class", "enum",
            "namespace", "template", "typename", "public", "private", "protected", "friend", "new",
            "delete", "throw", "try", "catch", "goto", "operator", "explicit", "virtual", "inline",
            "unsigned", "int", "bool", "char", "double", "void", "co_return", "assert",
            "static_assert", "extern", "mutable", "union", "typedef"}  # fmt: skip
VALUE_TYPE = re.compile(
    r"constexpr\s+(?:unsigned|int|double|long|auto|UnixMs|TimePoint|"
    r"std::(?:size_t|u?int\d+_t|chrono::\w+))\s+(k[A-Z]\w*)\s*[={(]")  # fmt: skip
ENUM = re.compile(r"\benum class (\w+)|\bBOOST_DEFINE_FIXED_ENUM_CLASS\(\s*(\w+)")


@dataclass(frozen=True)
class Mutant:
    id: int
    file: str
    line: int
    code: str  # the line as it is written, without the blanks around it
    change: str  # "< becomes <="; with " (2)" behind the second such of a line, or of lines alike

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.file, self.code, self.change)


@dataclass
class Token:
    kind: str
    text: str
    start: int
    end: int
    partner: int | None = None  # of a bracket
    block: str = ""  # of a "{": what it encloses: body, scope (of declarations), enum or list
    constant: bool = False


@dataclass(frozen=True)
class Names:
    """What is known of a whole source tree by its declarations."""

    enums: frozenset[str]
    constants: frozenset[str]  # numbers and times


def names_in(texts: list[str]) -> Names:
    enums = {name for text in texts for found in ENUM.findall(text) for name in found if name}
    constants = {name for text in texts for name in VALUE_TYPE.findall(text)}
    return Names(frozenset(enums), frozenset(constants))


def tokens_of(text: str) -> list[Token]:
    tokens = []
    for found in TOKENS.finditer(text):
        kind = "text" if found["fence"] is not None else found.lastgroup or ""
        if kind != "blank":
            tokens.append(Token(kind, found[0], found.start(), found.end()))
    return tokens


class Source:
    """One file: its tokens with what is known of them, and the edits that bring in the mutants."""

    def __init__(self, file: str, text: str, names: Names, first_id: int) -> None:
        self.file, self.text, self.names = file, text, names
        self.lines = text.splitlines()
        self.next_id = first_id
        self.mutants: list[Mutant] = []
        self.seen: Counter[tuple[str, str]] = Counter()
        self.replaced: dict[int, tuple[int, str]] = {}  # start: end and new text
        self.wraps: list[tuple[int, int, str, str]] = []  # start, end, what goes before and behind
        self.tokens = tokens_of(text)
        self._pair_brackets()
        self._classify_blocks()
        self._mark_constants()

    # --- What the text is -------------------------------------------------------------------------

    def _is_blank_before(self, i: int) -> bool:
        return i == 0 or self.tokens[i - 1].end < self.tokens[i].start

    def _is_blank_behind(self, i: int) -> bool:
        return i + 1 == len(self.tokens) or self.tokens[i].end < self.tokens[i + 1].start

    def _pair(self, i: int, j: int) -> None:
        self.tokens[i].partner, self.tokens[j].partner = j, i

    def _pair_brackets(self) -> None:
        open_: list[int] = []
        for i, token in enumerate(self.tokens):
            text = token.text
            if token.kind != "sign":
                continue
            before = self.tokens[i - 1] if i else None
            if text in CLOSING:
                open_.append(i)
            elif text == "<" and before is not None and before.kind == "word" and (
                    before.text == "template" or not self._is_blank_before(i)) and (
                    before.text != "operator"):  # fmt: skip
                open_.append(i)
            elif text == ">" and open_ and self.tokens[open_[-1]].text == "<":
                self._pair(open_.pop(), i)
            elif text in CLOSING.values():
                while CLOSING.get(self.tokens[open_[-1]].text) != text:
                    open_.pop()  # a "<" that has turned out to be none
                self._pair(open_.pop(), i)

    def _head_of(self, i: int) -> list[Token]:
        """What stands in front of a token since the last statement or block ended."""
        head: list[Token] = []
        j = i - 1
        while j >= 0:
            token = self.tokens[j]
            if token.text in (";", "{") or (token.text == "}" and self._block_of(j) != "list"):
                break
            if token.text in ("(", "[", ","):
                if token.partner is None or token.partner > i:
                    break
            if token.text in (")", "]", "}", ">") and token.partner is not None:
                head.append(token)
                j = token.partner
            head.append(self.tokens[j])
            j -= 1
        return head[::-1]

    def _block_of(self, closing: int) -> str:
        partner = self.tokens[closing].partner
        return self.tokens[partner].block if partner is not None else ""

    def _classify_blocks(self) -> None:
        for i, token in enumerate(self.tokens):
            if token.text != "{" or token.kind != "sign":
                continue
            head = self._head_of(i)
            words = [one.text for one in head if one.kind == "word"]
            before = self.tokens[i - 1].text if i else ""
            has_arguments = any(one.text == ")" for one in head)
            if "enum" in words:
                token.block = "enum"
            elif {"namespace", "struct", "class", "union", "extern"} & set(words) and (
                    not has_arguments):  # fmt: skip
                token.block = "scope"
            elif before in (")", "noexcept", "const", "override", "else", "do", "try", "mutable",
                            "]", ";", ":"):  # fmt: skip
                token.block = "body"
            elif before == "{" and self.tokens[i - 1].block == "body":
                token.block = "body"
            elif before == "}" and (self._block_of(i - 1) != "list" or has_arguments):
                token.block = "body"
            elif "->" in [one.text for one in head] and has_arguments and "=" not in (
                    [one.text for one in head[-4:]]) and "return" not in words:  # fmt: skip
                last = max(k for k, one in enumerate(head) if one.text == "->")
                token.block = "body" if head[last - 1].text in (")", "noexcept") else "list"
            else:
                token.block = "list"

    def _mark(self, begin: int, end: int) -> None:
        for token in self.tokens[begin : end + 1]:
            token.constant = True

    def _find(self, i: int, wanted: set[str]) -> int:
        """The next token with one of these texts, outside of brackets that open on the way."""
        while self.tokens[i].text not in wanted or self.tokens[i].kind != "sign":
            partner = self.tokens[i].partner
            i = partner + 1 if partner is not None and partner > i else i + 1
            if i >= len(self.tokens):
                return len(self.tokens) - 1
        return i

    def _mark_constants(self) -> None:
        tokens = self.tokens
        for i, token in enumerate(tokens):
            behind = tokens[i + 1] if i + 1 < len(tokens) else token
            if token.text == "<" and token.partner is not None:
                self._mark(i, token.partner)
            elif token.text == "[" and behind.text == "[" and not self._is_blank_behind(i):
                self._mark(i, token.partner or i)
            elif token.text == "{" and token.block == "enum":
                self._mark(i, token.partner or i)
            if token.kind != "word":
                continue
            is_instruction = token.text.startswith("_mm_")  # which has numbers of its own in it
            if (token.text in CONSTANT_CALLS or is_instruction) and behind.text == "(":
                self._mark(i, behind.partner or i)
            elif token.text == "case":
                self._mark(i, self._find(i, {":"}))
            elif token.text in ("using", "typedef", "concept"):
                self._mark(i, self._find(i, {";"}))
            elif token.text == "if" and behind.text == "constexpr":
                self._mark(i, tokens[i + 2].partner or i)
            elif token.text == "constexpr":
                end = self._find(i, {"=", "(", "{", ";"})
                if tokens[end].text != "(":
                    self._mark(i, self._find(i, {";"}))
            elif token.text == "consteval":
                body = self._find(i, {"{", ";"})
                self._mark(i, tokens[body].partner or body)
            elif token.text == "operator" and behind.text != "(":
                self._mark(i, i + 1)
        for i, token in enumerate(tokens):  # a pure virtual function
            if [one.text for one in tokens[i : i + 3]] == ["=", "0", ";"]:
                token_before = tokens[i - 1].text
                if token_before in (")", "const", "noexcept"):
                    self._mark(i, i + 2)

    # --- Edits ------------------------------------------------------------------------------------

    def _add(self, i: int, changes: list[str]) -> int:
        """New mutants at a token; the number of the first."""
        line = self.text.count("\n", 0, self.tokens[i].start) + 1
        code = self.lines[line - 1].strip()
        first = self.next_id
        for change in changes:
            alike = self.seen[code, change]
            self.seen[code, change] += 1
            name = f"{change} ({alike + 1})" if alike else change
            self.mutants.append(Mutant(self.next_id, self.file, line, code, name))
            self.next_id += 1
        return first

    def _wrap(self, first: int, last: int, before: str, behind: str) -> None:
        self.wraps.append((self.tokens[first].start, self.tokens[last].end, before, behind))

    def _insert(self, at: int, text: str) -> None:
        self.wraps.append((at, at, text, ""))

    def mutated(self) -> str:
        self._find_mutants()
        text: list[str] = []
        opening: dict[int, list[tuple[int, int, str]]] = {}
        closing: dict[int, list[tuple[int, int, str]]] = {}
        inserted: dict[int, list[str]] = {}
        for order, (start, end, before, behind) in enumerate(self.wraps):
            if start == end:
                inserted.setdefault(start, []).append(before)
            else:
                opening.setdefault(start, []).append((-end, order, before))
                closing.setdefault(end, []).append((-start, -order, behind))
        at = 0
        places = sorted({0, len(self.text), *opening, *closing, *inserted, *self.replaced})
        for place in places:
            text.append(self.text[at:place])
            at = place
            text += [one[2] for one in sorted(closing.get(place, []))]
            text += inserted.get(place, [])
            text += [one[2] for one in sorted(opening.get(place, []))]
            if place in self.replaced:
                at, new = self.replaced[place]
                text.append(new)
        return "".join(text)

    # --- Mutants ----------------------------------------------------------------------------------

    def _find_mutants(self) -> None:
        for i, token in enumerate(self.tokens):
            if token.constant:
                continue
            if token.kind == "number":
                self._number(i)
            elif token.kind == "word":
                self._word(i)
            elif token.kind == "sign":
                self._sign(i)
            if self._begins_statement(i):
                self._statement(i)

    def _number(self, i: int) -> None:
        text = self.tokens[i].text
        if not re.fullmatch(r"(0[xX][\da-fA-F']+|[\d'.]+([eE][+-]?\d+)?)[uUlLfF]*", text):
            return
        if self.tokens[i - 1].text == "[" and self.tokens[i - 1].block:
            return
        first = self._add(i, [f"{text} becomes 1 more", f"{text} becomes 1 less"])
        self._wrap(i, i, f"::mutants::moved({first}, ", ")")

    def _chain_begin(self, i: int) -> int:
        while i >= 2 and self.tokens[i - 1].text == "::" and self.tokens[i - 2].kind == "word":
            i -= 2
        return i

    def _word(self, i: int) -> None:
        tokens, text = self.tokens, self.tokens[i].text
        behind = tokens[i + 1] if i + 1 < len(tokens) else tokens[i]
        if text in ("true", "false"):
            first = self._add(i, [f"{text} becomes the opposite"])
            self._wrap(i, i, f"::mutants::opposite({first}, ", ")")
        elif text in self.names.enums and behind.text == "::":
            if tokens[i + 2].kind == "word" and tokens[i + 3].text not in ("(", "::", "{") and (
                    not re.match(r"k[A-Z]", tokens[i + 2].text)):  # fmt: skip
                first = self._add(i, [f"{text}::{tokens[i + 2].text} becomes another"])
                self._wrap(self._chain_begin(i), i + 2, f"::mutants::other({first}, ", ")")
        elif text in self.names.constants and behind.text not in ("::", "(", "{", "."):
            if tokens[i - 1].text in (".", "->"):
                return
            first = self._add(i, [f"{text} becomes 1 more", f"{text} becomes 1 less"])
            self._wrap(self._chain_begin(i), i, f"::mutants::moved({first}, ", ")")
        elif text in FUNCTIONS and [one.text for one in tokens[i - 2 : i]] == ["std", "::"]:
            self._function(i)
        elif text in ("if", "while") and behind.text == "(":
            self._condition(i)
        elif text == "switch" and behind.text == "(":
            self._switch(i)

    def _function(self, i: int) -> None:
        tokens, name = self.tokens, self.tokens[i].text
        open_ = i + 1 if tokens[i + 1].text == "(" else (tokens[i + 1].partner or i) + 1
        if tokens[open_].text != "(" or tokens[open_ + 1].text == "{":
            return
        first = self._add(i, [f"std::{name} becomes {FUNCTIONS[name]}"])
        self.replaced[tokens[i - 2].start] = (tokens[i].end, f"::mutants::{name}")
        self._insert(tokens[open_].end, f"{first}, ")

    def _condition(self, i: int) -> None:
        tokens = self.tokens
        begin, end = i + 2, (tokens[i + 1].partner or 0) - 1
        semicolon = self._find(begin, {";"})
        if semicolon < end:
            begin = semicolon + 1
        equals = self._find(begin, ASSIGNING)
        if equals >= end:
            first = self._add(i, [f"the {tokens[i].text} never"])
            self._wrap(begin, end, "(", f") && ::mutants::kept({first})")
        elif tokens[equals].text == "=" and not any(
                one.text in ("&", "[") for one in tokens[begin:equals]):  # fmt: skip
            first = self._add(i, [f"the {tokens[i].text} never"])
            self._wrap(equals + 1, end, f"::mutants::nothing({first}, ", ")")

    def _switch(self, i: int) -> None:
        tokens = self.tokens
        close = tokens[i + 1].partner or 0
        body = close + 1
        j = body + 1
        while j < (tokens[body].partner or 0):
            if tokens[j].text == "switch":
                j = tokens[self._find(j, {"{"})].partner or j
            if tokens[j].text == "case":
                colon = self._find(j, {":"})
                label = self.text[tokens[j + 1].start : tokens[colon - 1].end]
                first = self._add(j, [f"case {label} taken for another"])
                self._wrap(i + 2, close - 1, f"::mutants::elsewhere({first}, ", f", {label})")
            j += 1

    def _sign(self, i: int) -> None:
        tokens, text = self.tokens, self.tokens[i].text
        if text == "!" and not self._is_blank_behind(i):
            first = self._add(i, ["! dropped"])
            self.replaced[tokens[i].start] = (tokens[i].end, f"::mutants::negation({first})->*")
            return
        if not (self._is_blank_before(i) and self._is_blank_behind(i)) or i == 0:
            return
        if text in BINARY and self._is_operand_end(i - 1):
            name, left, right, becomes = BINARY[text]
            first = self._add(i, [f"{text} becomes {other}" for other in becomes])
            new = f"{left} ::mutants::{name}({first}) {right}"
            self.replaced[tokens[i].start] = (tokens[i].end, new)
        elif text in ("&&", "||") and "..." not in (tokens[i - 1].text, tokens[i + 1].text):
            self._logic(i)
        elif text == "?":
            self._choice(i)

    def _is_operand_end(self, i: int) -> bool:
        token = self.tokens[i]
        if token.kind == "word":
            return token.text not in KEYWORDS
        return token.kind in ("number", "text") or token.text in (")", "]", "}", ">")

    def _left_until(self, i: int, stops: set[str]) -> set[str]:
        """The operators to the left, up to where the expression begins or one of the stops."""
        found: set[str] = set()
        j = i - 1
        stops = stops | {"(", "[", "{", "}", ";", ",", "?", ":", "return"} | ASSIGNING
        while j >= 0:
            token = self.tokens[j]
            if token.text in (")", "]", "}", ">") and token.partner is not None:
                j = token.partner - 1
                continue
            if token.text in stops and token.kind != "text":
                break
            if token.kind == "sign":
                found.add(token.text)
            j -= 1
        return found

    def _logic(self, i: int) -> None:
        tokens, text = self.tokens, self.tokens[i].text
        name, sign = ("yes", "|") if text == "&&" else ("no", "&")
        first = self._add(i, [f"what is behind {text} dropped"])
        self._insert(tokens[i].end, f" ::mutants::{name}({first}) {sign}")
        if text not in self._left_until(i, {"||"} if text == "&&" else set()):
            first = self._add(i, [f"what is before {text} dropped"])
            self._insert(tokens[i].start, f"{sign} ::mutants::{name}({first}) ")

    def _choice(self, i: int) -> None:
        left = self._left_until(i, set())
        if left & (set(COMPARING) | {"&&", "||", "!"}):
            return  # it has its own
        first = self._add(i, ["? always", "? never"])
        start = self.tokens[i].start
        self._insert(start, f"&& ::mutants::kept({first + 1}) || ::mutants::is({first}) ")

    # --- Statements -------------------------------------------------------------------------------

    def _begins_statement(self, i: int) -> bool:
        if i == 0:
            return False
        before = self.tokens[i - 1]
        if before.text == "{":
            return before.block == "body"
        if before.text in (";", "}"):
            j = i - 1
            if before.text == "}" and self._block_of(j) not in ("body",):
                return False
            return self._enclosing_block(i) == "body"
        if before.text == ")" and before.partner:
            word = self.tokens[before.partner - 1].text
            return word in ("if", "for", "while", "constexpr")
        if before.text == ":" and self._enclosing_block(i) == "body":
            return before.constant or self.tokens[i - 2].text == "default"
        return before.text == "else"

    def _enclosing_block(self, i: int) -> str:
        j = i - 1
        while j >= 0:
            token = self.tokens[j]
            if token.partner is not None and token.partner < j:
                j = token.partner - 1
                continue
            if token.text in CLOSING and token.partner is not None:
                return token.block if token.text == "{" else ""
            j -= 1
        return "scope"

    def _statement(self, i: int) -> None:
        end = self._end_of_statement(i)
        if end is None:
            return
        words = self.text[self.tokens[i].start : self.tokens[end].end].split("\n")
        shown = words[0] if len(words) == 1 else words[0].rstrip() + " …"
        first = self._add(i, [f"{shown} removed"])
        self._wrap(i, end, "{ if (::mutants::kept(%d)) { " % first, " } }")

    def _end_of_statement(self, i: int) -> int | None:
        """Of one that can be left out: the end of its ";"."""
        tokens = self.tokens
        if tokens[i].text in ("break", "continue", "return") and tokens[i + 1].text == ";":
            return i + 1
        acts = False
        if tokens[i].text in ("++", "--"):
            acts, i = True, i + 1
        elif tokens[i].text == "*":
            i += 1
        if tokens[i].kind != "word" or tokens[i].text in KEYWORDS:
            return None
        while True:
            i += 1
            text = tokens[i].text
            if text in ("::", ".", "->"):
                i += 1
            elif text in ("(", "[", "<") and tokens[i].partner is not None and (
                    not self._is_blank_before(i)):  # fmt: skip
                acts = acts or text == "("
                i = tokens[i].partner or i
            elif text in ("++", "--"):
                acts = True
            elif text in ASSIGNING:
                return self._find(i, {";"})
            elif text == ";":
                return i if acts else None
            else:
                return None

#!/usr/bin/env python3
"""Tests of the mutants: where they are found, that each does what it says, what is made of it."""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import mutants
import schemata

HEADER = Path(__file__).with_name("mutants.hpp")
NAMES = schemata.Names(frozenset({"Reason"}), frozenset({"kMost"}))


def changes(code: str) -> list[str]:
    source = schemata.Source("a.cpp", code, NAMES, 0)
    source.mutated()
    return [one.change for one in source.mutants]


def in_body(code: str) -> list[str]:
    return changes("int f() {\n" + code + "\n}\n")


class Points(unittest.TestCase):
    def test_comparisons_are_moved_and_flipped(self):
        self.assertEqual(in_body("return a < b;"), ["< becomes <=", "< becomes >="])
        self.assertEqual(in_body("return a == b;"), ["== becomes !="])

    def test_numbers_and_named_constants_are_moved(self):
        self.assertEqual(in_body("return g(5U);"), ["5U becomes 1 more", "5U becomes 1 less"])
        self.assertEqual(in_body("return x::kMost;"),
                         ["kMost becomes 1 more", "kMost becomes 1 less"])  # fmt: skip
        self.assertEqual(in_body("return 5ms;"), [])

    def test_reasons_are_exchanged(self):
        self.assertEqual(in_body("return Reason::stale;"), ["Reason::stale becomes another"])
        self.assertEqual(in_body("switch (x) {\n case Reason::stale: return y;\n }"),
                         ["case Reason::stale taken for another"])  # fmt: skip

    def test_conditions_and_their_halves_are_dropped(self):
        self.assertEqual(in_body("if (a) return b;"), ["the if never"])
        self.assertEqual(in_body("if (const auto a = g(); a) return b;"), ["the if never"])
        self.assertEqual(in_body("if (const auto a = g()) return b;"), ["the if never"])
        self.assertEqual(in_body("return a && b && c;"),
                         ["what is behind && dropped", "what is before && dropped",
                          "what is behind && dropped (2)"])  # fmt: skip
        self.assertEqual(in_body("return a ? b : c;"), ["? always", "? never"])
        self.assertEqual(in_body("return !a;"), ["! dropped"])

    def test_statements_are_removed_declarations_are_not(self):
        self.assertEqual(in_body("g(a);"), ["g(a); removed"])
        self.assertEqual(in_body("for (;;)\n ++a;"), ["++a; removed"])
        self.assertEqual(in_body("a.b[c] = d;"), ["a.b[c] = d; removed"])
        self.assertEqual(in_body("Type a(b);\nType c = d;\nconst auto e = f;"), [])
        self.assertEqual(changes("struct A {\n  A(const B& b);\n  void f(C c);\n  D d = e;\n};"),
                         [])  # fmt: skip
        self.assertEqual(changes("X::X() : a_{b}, c_(d) {\n  g();\n}"), ["g(); removed"])
        self.assertEqual(in_body("return h([&](X x) -> Y { g(); });"), ["g(); removed"])

    def test_what_the_compiler_evaluates_is_left_alone(self):
        for code in ("constexpr int kA = 5 + 1;", "static_assert(1 == 1);", "assert(a == 1);",
                     "std::array<int, 5> a;", "using A = B<1>;", "if constexpr (a < 1) {\n}",
                     "// a < b\n/* c == 5 */", 'auto x = "a < 5";'):  # fmt: skip
            self.assertEqual(in_body(code), [], code)
        self.assertEqual(changes("#define A 5\nenum class Reason : char { a = 1 };\n"), [])
        self.assertEqual(changes("struct A {\n  virtual int f() const = 0;\n};"), [])

    def test_alike_changes_of_a_line_have_names_of_their_own(self):
        self.assertEqual(in_body("return a == b || c == d;")[-1], "== becomes != (2)")


# Each line that is printed is what one of the mutants changes.
PROGRAM = """#include <array>
#include <cstdio>
#include <optional>
enum class Reason : unsigned char { none, stale, future };
constexpr int kMost = 3;
constexpr int place(int a) { return a < 2 ? a : 2; }
static_assert(place(2) == 2);
std::optional<int> half(int a) {
  if (a % 2 != 0) return std::nullopt;
  return a / 2;
}
int reason(Reason of) {
  switch (of) {
    case Reason::none: return 1;
    case Reason::stale: return 2;
    default: return 3;
  }
}
int main() {
  int sum = 0;
  for (int i = 0; i < kMost; ++i) {
    sum += place(i);
  }
  const bool odd = !half(sum);
  if (const auto two = half(4)) sum += *two;
  std::printf("%d %d %d %d %d\\n", sum, odd && sum == 5, std::min(sum, 4), reason(Reason::stale),
              static_cast<int>(Reason::future));
}
"""


class Runs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.source = schemata.Source("a.cpp", PROGRAM, NAMES, 0)
        path = Path(cls.folder) / "a.cpp"
        path.write_text(cls.source.mutated())
        subprocess.run([os.environ.get("CXX", "c++"), "-std=c++20", "-w", "-Wno-narrowing",
                        "-include", HEADER, path, "-o", path.with_suffix("")],
                       check=True)  # fmt: skip

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def printed(self, code: str = "", change: str = "") -> str:
        environment = dict(os.environ)
        if code:
            environment["RTS_MUTANT"] = next(str(one.id) for one in self.source.mutants
                                             if code in one.code and one.change == change)
        done = subprocess.run([Path(self.folder) / "a"], stdout=subprocess.PIPE, text=True,
                              env=environment, check=True)  # fmt: skip
        return done.stdout.strip()

    def test_without_a_mutant_nothing_changes(self):
        self.assertEqual(self.printed(), "5 1 4 2 2")

    def test_each_does_what_it_says(self):
        for code, change, expected in (
                ("i < kMost", "< becomes <=", "7 0 4 2 2"),
                ("i < kMost", "kMost becomes 1 less", "3 0 3 2 2"),
                ("i < kMost", "< becomes >=", "2 0 2 2 2"),
                ("sum += place", "sum += place(i); removed", "2 0 2 2 2"),
                ("a < 2", "2 becomes 1 less (2)", "4 0 4 2 2"),
                ("a % 2", "the if never", "5 0 4 2 2"),
                ("a / 2", "/ becomes *", "11 0 4 2 2"),
                ("!half", "! dropped", "5 0 4 2 2"),
                ("const auto two", "the if never", "3 0 3 2 2"),
                ("sum == 5", "== becomes !=", "5 0 4 2 2"),
                ("sum == 5", "std::min becomes max", "5 1 5 2 2"),
                ("sum == 5", "Reason::stale becomes another", "5 1 4 1 2"),
                ("case Reason::stale", "case Reason::stale taken for another", "5 1 4 1 2"),
                ("Reason::future", "Reason::future becomes another", "5 1 4 2 1")):  # fmt: skip
            with self.subTest(change, code=code):
                self.assertEqual(self.printed(code, change), expected)


class Explained(unittest.TestCase):
    TEXT = "# why\n\na.cpp: if (!last) return;\n  ! dropped -- it is never there\n"
    KEY = ("a.cpp", "if (!last) return;", "! dropped")

    def test_is_read(self):
        self.assertEqual(mutants.read_explained(self.TEXT), {self.KEY: "it is never there"})

    def test_has_one_reason_for_several_changes(self):
        text = self.TEXT.replace("! dropped", "! dropped | the if never")
        self.assertEqual(mutants.read_explained(text),
                         {self.KEY: "it is never there",
                          (*self.KEY[:2], "the if never"): "it is never there"})  # fmt: skip

    def test_has_a_reason_and_stands_once(self):
        for text in (self.TEXT + "  ! dropped -- again\n", "a.cpp: b\n  ! dropped\n"):
            with self.assertRaises(mutants.Problem):
                mutants.read_explained(text)

    def test_is_stale_when_it_is_gone_or_killed(self):
        explained = mutants.read_explained(self.TEXT)
        mutant = schemata.Mutant(7, self.KEY[0], 1, self.KEY[1], self.KEY[2])
        self.assertEqual(mutants.stale(explained, [mutant], {7: None}), [])
        self.assertIn("is not there", mutants.stale(explained, [], {})[0])
        self.assertIn("killed by A.B", mutants.stale(explained, [mutant], {7: "A.B"})[0])


class Interrupted(unittest.TestCase):
    def test_goes_on_where_it_was_unless_it_is_of_something_else(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "progress"
            self.assertIsNone(mutants.read_progress(path, "a"))
            path.write_text('{"of": "a"}\n{"mutant": 7, "killed_by": "A.B"}\n'
                            '{"seconds": 1.5, "cpu_seconds": 2}\n'
                            '{"mutant": 8, "killed_by": null}\n'
                            '{"seconds": 2, "cpu_seconds": 4}\n')  # fmt: skip
            self.assertEqual(mutants.read_progress(path, "a"),
                             mutants.Progress({7: "A.B", 8: None}, 3.5, 6))  # fmt: skip
            self.assertIsNone(mutants.read_progress(path, "b"))


class Batches(unittest.TestCase):
    def test_the_fastest_come_first_and_each_runs_once(self):
        tests = [mutants.Test("unit", f"A.{i}", seconds)
                 for i, seconds in enumerate((0.01, 0.03, 0.04, 0.3, 0.4, 9))]  # fmt: skip
        found = mutants.batches(tests)
        self.assertEqual(sum(found, []), tests)
        self.assertEqual([len(batch) for batch in found], [2, 2, 1, 1])
        self.assertEqual(mutants.batches([]), [])
        self.assertEqual(mutants.fastest(tests, 0.5), tests[:4])


if __name__ == "__main__":
    unittest.main()

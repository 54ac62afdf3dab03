#!/usr/bin/env python3
"""The shipped binary is hardened (RTS_BINARY), and binaries that lack one thing are found out."""

import json
import os
import subprocess
import tempfile
import unittest

import hardening

PROGRAM = """
#include <cstdio>
#include <cstring>
#include <vector>
#ifdef WRITABLE_CODE
asm(".pushsection .both, \\"awx\\"; nop; .popsection");
#endif
int main(int argc, char** argv) {
  char text[8] = {};
  std::memcpy(text, argv[0], static_cast<std::size_t>(argc));
  const std::vector<char> copy(text, text + sizeof text);
  const auto indirect = argc > 5 ? &std::puts : &std::remove;
  return indirect(text) + copy[static_cast<std::size_t>(argc)];
}
"""
HARDENED = (
    "-O2 -D_FORTIFY_SOURCE=3 -D_GLIBCXX_ASSERTIONS -fstack-protector-strong -fcf-protection=full "
    "-fPIE -pie -Wl,-z,relro,-z,now,-z,noexecstack"
).split()
# What is added to those flags → what has to be found missing.
WITHOUT = {
    "-no-pie": ["position independent"],
    "-Wl,-z,norelro": ["relocations read-only"],
    "-Wl,-z,lazy": ["all symbols bound at the start"],
    "-Wl,-z,execstack": ["stack not executable"],
    "-fno-stack-protector": ["stack protector"],
    "-U_FORTIFY_SOURCE": ["checked libc functions"],
    "-U_GLIBCXX_ASSERTIONS": ["checked library ranges"],
    "-fcf-protection=none": ["landing pads for indirect jumps"],
    "-Wl,-rpath,/opt": ["no path to look for libraries in"],
    "-DWRITABLE_CODE": ["no segment writable and executable"],
}


class Hardening(unittest.TestCase):
    def built(self, *flags: str) -> str:
        path = os.path.join(self.scratch.name, "program")
        command = ["g++", "-x", "c++", "-std=c++20", *HARDENED, *flags, "-o", path, "-"]
        subprocess.run(command, input=PROGRAM, text=True, check=True)
        return path

    def setUp(self) -> None:
        self.scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self.scratch.cleanup)

    def test_the_service_lacks_nothing(self) -> None:
        self.assertEqual(hardening.offences(os.environ["RTS_BINARY"]), [])
        self.assertEqual(hardening.unasked(os.environ["RTS_BINARY"]), [])

    def test_what_is_missing_is_found(self) -> None:
        self.assertEqual(hardening.offences(self.built()), [])
        for flag, missing in WITHOUT.items():
            with self.subTest(flag=flag):
                found = hardening.offences(self.built(flag))
                self.assertEqual({f.split(" (")[0] for f in found}, set(missing))

    def unasked(self, *commands: str) -> list[str]:
        path = os.path.join(self.scratch.name, "compile_commands.json")
        entries = [{"file": f"/src/{i}.cpp", "command": c} for i, c in enumerate(commands)]
        with open(path, "w") as file:
            json.dump(entries, file)
        return hardening.unasked(os.path.join(self.scratch.name, "program"))

    def test_what_was_not_asked_for_is_found(self) -> None:
        whole = " ".join(["c++", *hardening.ASKED.values(), "-o src/x.o"])
        self.assertEqual(self.unasked(whole, "c++ -o tests/x.o"), [])
        for flag in hardening.ASKED.values():
            found = self.unasked(whole, whole.replace(flag, ""))
            self.assertEqual(found, [f"{flag} for 1.cpp"])
        for later in ("-O0", "-D_FORTIFY_SOURCE=1", "-U_FORTIFY_SOURCE",
                      "-fno-stack-clash-protection", "-ftrivial-auto-var-init=pattern"):  # fmt: skip
            self.assertEqual(len(self.unasked(f"{whole} {later}")), 1, later)

    def test_a_build_that_does_not_say_is_found(self) -> None:
        self.assertEqual(len(self.unasked()), 1)
        os.unlink(os.path.join(self.scratch.name, "compile_commands.json"))
        self.assertEqual(len(hardening.unasked(os.path.join(self.scratch.name, "program"))), 1)


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
"""Writes src/gpt2/tokenizer/unicode_tables.cc: the code points of the general categories L* and N*
as sorted ranges, from Unicode's own UnicodeData.txt (Debian package unicode-data, version 15.0)."""
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCE = pathlib.Path("/usr/share/unicode/UnicodeData.txt")


def categories():
    first = None
    for line in SOURCE.read_text().splitlines():
        code, name, category = line.split(";")[:3]
        code = int(code, 16)
        if name.endswith(", First>"):
            first = code
            continue
        yield (code if first is None else first), code, category
        first = None


def ranges(letter):
    merged = []
    for start, end, category in categories():
        if category[0] != letter:
            continue
        if merged and merged[-1][1] + 1 == start:
            merged[-1][1] = end
        else:
            merged.append([start, end])
    return merged


def table(name, rows):
    text = f"const CodePointRange {name}[] = {{\n"
    for i in range(0, len(rows), 4):
        text += "    " + " ".join("{0x%x, 0x%x}," % tuple(r) for r in rows[i:i + 4]) + "\n"
    return text + f"}};\nconst size_t {name}Count = {len(rows)};\n"


def main():
    text = """// Made by tools/make_unicode_tables.py from Unicode's UnicodeData.txt. Do not edit.
// clang-format off
#include "gpt2/tokenizer/unicode.h"

namespace gpt2 {

"""
    text += table("kLetterRanges", ranges("L")) + "\n" + table("kNumberRanges", ranges("N"))
    text += "\n}  // namespace gpt2\n"
    (ROOT / "src/gpt2/tokenizer/unicode_tables.cc").write_text(text)


if __name__ == "__main__":
    main()

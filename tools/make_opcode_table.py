#!/usr/bin/env python3
"""Writes src/runtime/instrument/opcodes.inc from tests/data/ic-cost-table.tsv.

A row: OPCODE(prefix, code, "name", immediates, cost in wasm32, cost in wasm64, complexity, allowed).
Costs and `allowed` come from the table; the immediates from the WebAssembly specification's binary
format; complexity weights from the IC's validation as docs/metering.md lists them."""
import csv
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent

IMMEDIATES = {
    "block": "kBlockType", "loop": "kBlockType", "if": "kBlockType",
    "br": "kIndex", "br_if": "kIndex", "br_table": "kBrTable",
    "call": "kFunc", "return_call": "kFunc", "ref.func": "kFunc",
    "call_indirect": "kTwoIndices", "return_call_indirect": "kTwoIndices",
    "select (typed)": "kTypes",
    "i32.const": "kI32", "i64.const": "kI64", "f32.const": "kBytes4", "f64.const": "kBytes8",
    "v128.const": "kBytes16", "i8x16.shuffle": "kBytes16",
    "ref.null": "kHeapType",
    "memory.size": "kIndex", "memory.grow": "kIndex", "memory.fill": "kIndex",
    "memory.copy": "kTwoIndices", "memory.init": "kTwoIndices",
    "table.init": "kTwoIndices", "table.copy": "kTwoIndices",
}
KINDS = {
    "block": "kBlock", "loop": "kLoop", "if": "kIf", "else": "kElse", "end": "kEnd",
    "br": "kBranch", "br_if": "kBranch", "br_table": "kBranch",
    "return": "kReturn", "unreachable": "kReturn", "return_call": "kReturn",
    "return_call_indirect": "kReturn",
    "memory.fill": "kBulk", "memory.copy": "kBulk", "memory.init": "kBulkInit",
    "memory.grow": "kMemoryGrow", "call": "kCall", "call_indirect": "kCall",
}


def immediates(name):
    if name in IMMEDIATES:
        return IMMEDIATES[name]
    if re.match(r"(local|global|table)\.", name) or name in ("data.drop", "elem.drop"):
        return "kIndex"
    if re.match(r"v128\.(load|store)\d+_lane", name):
        return "kMemArgLane"
    if re.search(r"\.(load|store)", name):
        return "kMemArg"
    if re.search(r"(extract|replace)_lane", name):
        return "kByte"
    return "kNone"


def complexity(name):
    if name in ("block", "loop", "if", "br", "br_if", "br_table", "call", "call_indirect", "memory.grow"):
        return 50
    fixed = {"table.get": 14, "ref.func": 8, "ref.is_null": 6, "f32.demote_f64": 5, "memory.copy": 4,
             "f32.copysign": 3, "f64.copysign": 3, "f64.eq": 3, "memory.fill": 3, "global.get": 2,
             "select": 2, "memory.size": 2, "f64.promote_f32": 2, "i32.wrap_i64": 2}
    if name in fixed:
        return fixed[name]
    scalar = re.match(r"[if](32|64)\.", name)
    if not scalar:
        return 1
    op = name.split(".")[1]
    if re.match(r"trunc_sat", op):
        return 3
    if re.match(r"(trunc_|convert_|extend_i32)", op):
        return 5
    if name[0] == "f" and op in ("neg", "abs"):
        return 4
    if re.match(r"(div|rem)_", op) or op.startswith("load"):
        return 3
    if re.match(r"(popcnt|eqz?|ne|[lg][te](_[su])?|ceil|floor|sqrt|trunc|reinterpret_.*|extend\d+_s)$", op):
        return 2
    if op.startswith("store"):
        return 2
    return 1


def main():
    rows = []
    with open(ROOT / "tests/data/ic-cost-table.tsv") as f:
        for row in csv.DictReader(f, delimiter="\t"):
            if row["opcode_hex"] == "-":
                continue
            parts = row["opcode_hex"].split()
            prefix, code = (parts[0], parts[1]) if len(parts) == 2 else ("00", parts[0])
            name = row["wat_name"]
            rows.append('OPCODE(0x{}, 0x{}, "{}", {}, {}, {}, {}, {}, {})'.format(
                prefix, code, name, immediates(name), KINDS.get(name, "kPlain"), row["cost_wasm32"],
                row["cost_wasm64"], complexity(name), 1 if row["allowed"] == "yes" else 0))
    text = "// Made by tools/make_opcode_table.py from tests/data/ic-cost-table.tsv. Do not edit.\n"
    (ROOT / "src/runtime/instrument/opcodes.inc").write_text(text + "\n".join(rows) + "\n")


if __name__ == "__main__":
    main()

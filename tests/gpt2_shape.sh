#!/usr/bin/env bash
# A model of GPT-2's own size (124M parameters, random weights, 498 MB): made, run natively in less
# than 3 GB of memory, then uploaded, set up and run for one token in the canister, all in float32.
set -euo pipefail
cd "$(dirname "$0")/.."
gpt2ic=build/native/gpt2ic
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
$gpt2ic make-model --shape gpt2 --seed 1 --tokenizer tests/data/gpt2-open-instruct/tokenizer.json -o "$dir"
native=$(ulimit -v 3000000; $gpt2ic run --native --model "$dir" --tokens 1 "Hello")
canister=$($gpt2ic run --model "$dir" --tokens 1 --json "Hello")
echo "$canister"
python3 - "$native" "$canister" <<'PY'
import json, sys
native, canister = sys.argv[1], json.loads(sys.argv[2])
assert canister["answer"] == native, (canister["answer"], native)
assert canister["messages"] == 1
PY

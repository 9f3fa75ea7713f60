#!/usr/bin/env bash
# A model of GPT-2's own size (124M parameters, random weights, 498 MB of float32): made, run natively
# in less than 3 GB of memory, then uploaded as it is, packed and run for one token in the canister.
# With GPT2IC_SOAK also large and XL (2.9 and 5.9 GB), whose set-up has to be cut into messages by more
# limits than that of instructions.
set -euo pipefail
cd "$(dirname "$0")/.."
gpt2ic=build/native/gpt2ic
dir=$(mktemp -d -p build)
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
[[ -n ${GPT2IC_SOAK:-} ]] || exit 0
for shape in gpt2-large gpt2-xl; do
  rm -rf "$dir"
  $gpt2ic make-model --shape $shape --seed 1 --tokenizer models/demo/tokenizer.json -o "$dir"
  native=$($gpt2ic run --native --model "$dir" --tokens 2 "Hello")
  canister=$($gpt2ic run --model "$dir" --tokens 2 "Hello")
  [[ ${canister%%$'\n'*} == "${native%%$'\n'*}" ]] || { echo "$shape: '$canister', natively '$native'"; exit 1; }
done

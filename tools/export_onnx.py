#!/usr/bin/env python3
"""Exports a Hugging Face GPT-2 folder to ONNX, in both shapes that the canister gpt2_backend takes.

Needs PyTorch, transformers and onnx from PyPI (onnxscript for --dynamo). Run by hand:

    pip install torch transformers onnx onnxscript
    python3 tools/export_onnx.py FOLDER_OR_NAME OUT          # OUT/gpt2_nocache.onnx, OUT/gpt2_kv.onnx

gpt2_nocache.onnx: input_ids int64 [batch, T], attention_mask int8 [batch, T]
                   -> output_id int64 [batch, 1], the most likely next token.
gpt2_kv.onnx:      also past_key_values float32 [2*n_layer, batch, n_head, P, head_dim] (k0, v0, k1, ...),
                   attention_mask int8 [batch, P + T] -> output_id, present_key_values of P + T positions.

No build step and no test runs it. docs/model-import.md tells what is read of the result.
"""

import argparse
import pathlib

import torch
from transformers import DynamicCache, GPT2LMHeadModel


class NoCache(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask):
        mask = attention_mask.to(torch.int64)
        logits = self.model(input_ids=input_ids, attention_mask=mask, use_cache=False).logits
        return torch.argmax(logits[:, -1, :], dim=-1, keepdim=True)


class KvCache(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask, past_key_values):
        cache = DynamicCache()
        for layer in range(self.model.config.n_layer):
            cache.update(past_key_values[2 * layer], past_key_values[2 * layer + 1], layer)
        mask = attention_mask.to(torch.int64)
        out = self.model(input_ids=input_ids, attention_mask=mask, past_key_values=cache, use_cache=True)
        return torch.argmax(out.logits[:, -1, :], dim=-1, keepdim=True), torch.stack(present(out.past_key_values))


def present(cache):
    """k0, v0, k1, v1, ... of whichever form this version of transformers gives."""
    if isinstance(cache, tuple):
        return [t for pair in cache for t in pair]
    if hasattr(cache, "layers"):
        return [t for layer in cache.layers for t in (layer.keys, layer.values)]
    return [t for pair in zip(cache.key_cache, cache.value_cache) for t in pair]


def export(module, example, names, sizes, results, path, args):
    common = {"input_names": names, "output_names": results, "opset_version": args.opset}
    with torch.no_grad():
        if args.dynamo:
            auto = torch.export.Dim.DYNAMIC
            shapes = tuple({axis: auto for axis in axes} for axes in sizes)
            torch.onnx.export(module, example, str(path), dynamo=True, external_data=False, dynamic_shapes=shapes, **common)
        else:
            axes = dict(zip(names, sizes))
            versions = {"dynamo": False} if "dynamo" in torch.onnx.export.__code__.co_varnames else {}
            torch.onnx.export(module, example, str(path), do_constant_folding=True, dynamic_axes=axes, **versions, **common)
    print(f"{path}: {path.stat().st_size:,} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", help="a folder with config.json and model.safetensors, or a name on the hub")
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--opset", type=int, help="11, or 18 with --dynamo, unless given")
    parser.add_argument("--dynamo", action="store_true", help="the newer exporter of PyTorch 2.6 and later")
    args = parser.parse_args()
    args.opset = args.opset or (18 if args.dynamo else 11)
    args.out.mkdir(parents=True, exist_ok=True)

    # Opset 11 has no operator for the fused attention of newer versions: "eager" spells it out.
    model = GPT2LMHeadModel.from_pretrained(args.model, attn_implementation="eager").float().eval()
    config = model.config
    ids = torch.tensor([[1, 2, 3]])
    mask = torch.ones(1, 3, dtype=torch.int8)
    export(NoCache(model), (ids, mask), ["input_ids", "attention_mask"], [[1], [1]], ["output_id"],
           args.out / "gpt2_nocache.onnx", args)
    past = torch.zeros(2 * config.n_layer, 1, config.n_head, 2, config.n_embd // config.n_head)
    mask = torch.ones(1, 5, dtype=torch.int8)
    export(KvCache(model), (ids, mask, past), ["input_ids", "attention_mask", "past_key_values"], [[1], [1], [3]],
           ["output_id", "present_key_values"], args.out / "gpt2_kv.onnx", args)


if __name__ == "__main__":
    main()

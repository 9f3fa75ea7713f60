#!/usr/bin/env python3
"""Writes tests/data/sampling.json: what Hugging Face's logits processors make of recorded logits.

    python3 -m venv /tmp/hf && /tmp/hf/bin/pip install torch transformers
    /tmp/hf/bin/python tools/make_sampling_vectors.py

Logits of models/demo after three prompts, of its first 256 ids; what each set of parameters leaves of
the distribution, as Hugging Face orders the processors: repetition penalty, then temperature, top_k,
top_p. frequency_penalty and presence_penalty are OpenAI's and not in Hugging Face: they follow the
formula of OpenAI's API reference, logit - count * frequency - (count > 0) * presence, on the tokens
generated so far, behind the repetition penalty.
"""
import itertools
import json
import pathlib

import torch
import transformers
from transformers.generation import logits_process as hf

ROOT = pathlib.Path(__file__).resolve().parent.parent
N_VOCAB = 256
PROMPTS = [[5, 6, 7], [1, 40, 200, 3, 40], [17] * 20]
OUTPUTS = [[], [3, 3, 9], [200, 17, 9, 9, 9, 250]]


def recorded_logits():
    model = transformers.GPT2LMHeadModel.from_pretrained(ROOT / "models/demo").eval()
    with torch.no_grad():
        return [model(torch.tensor([p])).logits[0, -1, :N_VOCAB].float() for p in PROMPTS]


def processed(logits, prompt, output, p):
    scores = logits[None].clone()
    ids = torch.tensor([prompt + output])
    if p.get("repetition_penalty"):
        scores = hf.RepetitionPenaltyLogitsProcessor(p["repetition_penalty"])(ids, scores)
    counts = torch.bincount(torch.tensor(output, dtype=torch.long), minlength=N_VOCAB).float()
    scores = scores - counts * p.get("frequency_penalty", 0) - (counts > 0) * p.get("presence_penalty", 0)
    warpers = transformers.LogitsProcessorList()
    warpers.append(hf.TemperatureLogitsWarper(float(p["temperature"])))
    if p.get("top_k"):
        warpers.append(hf.TopKLogitsWarper(p["top_k"]))
    if p.get("top_p"):
        warpers.append(hf.TopPLogitsWarper(p["top_p"]))
    return torch.softmax(warpers(ids, scores)[0].double(), dim=-1)


def parameter_sets():
    for t in (0.3, 1.0, 1.7):
        yield {"temperature": t}
    for k in (1, 2, 20, 255, 1000):
        yield {"temperature": 1.0, "top_k": k}
    for p in (0.01, 0.5, 0.9, 0.99):
        yield {"temperature": 0.8, "top_p": p}
    for k, p in itertools.product((3, 50), (0.6, 0.95)):
        yield {"temperature": 1.3, "top_k": k, "top_p": p}
    for r in (0.5, 1.2, 5.0):
        yield {"temperature": 1.0, "top_k": 30, "repetition_penalty": r}
    yield {"temperature": 1.0, "top_k": 30, "frequency_penalty": 0.7}
    yield {"temperature": 1.0, "top_k": 30, "frequency_penalty": -2.0}
    yield {"temperature": 1.0, "top_k": 30, "presence_penalty": 1.5}
    yield {"temperature": 0.7, "top_k": 40, "top_p": 0.9, "repetition_penalty": 1.3,
           "frequency_penalty": 0.4, "presence_penalty": 0.6}


def main():
    logits = recorded_logits()
    cases = []
    for row, p in itertools.product(range(len(PROMPTS)), parameter_sets()):
        probabilities = processed(logits[row], PROMPTS[row], OUTPUTS[row], p)
        kept = [i for i in range(N_VOCAB) if probabilities[i] > 0]
        cases.append({"row": row, **p, "ids": kept,
                      "probabilities": [float(f"{probabilities[i]:.6g}") for i in kept]})
    log_softmax = [torch.log_softmax(x, dim=-1) for x in logits]
    out = {
        "made_by": f"tools/make_sampling_vectors.py, transformers {transformers.__version__}, "
                   f"torch {torch.__version__}",
        "rows": [{"prompt": PROMPTS[i], "output": OUTPUTS[i], "logits": [float(f"{x:.9g}") for x in logits[i]],
                  "greedy": int(logits[i].argmax()),
                  "logprobs": [[int(j), float(f"{v:.7g}")] for v, j in zip(*log_softmax[i].topk(20))]}
                 for i in range(len(PROMPTS))],
        "cases": cases,
    }
    text = json.dumps(out, separators=(",", ":")).replace('{"row"', '\n{"row"').replace('{"prompt"', '\n{"prompt"')
    (ROOT / "tests/data/sampling.json").write_text(text + "\n")
    print(len(cases), "cases,", len(text), "bytes")


if __name__ == "__main__":
    main()

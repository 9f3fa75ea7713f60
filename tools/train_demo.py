#!/usr/bin/env python3
"""Makes models/demo: a small GPT-2 that answers short questions, trained on text made here.

Needs PyTorch, numpy, tokenizers and safetensors from PyPI. Run by hand, once, from the root:

    pip install torch numpy tokenizers safetensors
    python3 tools/train_demo.py            # about 15 minutes on one core
    python3 tools/train_demo.py --steps 20 --out /tmp/demo    # does it still run?

No build step and no test runs it; the result is in the repository. Everything comes from one
seed, so the same versions on the same kind of processor give the same files.

All text is written by tools/train_demo/: tables of common facts, templates of questions. Some
phrasings of the facts are held out of training and measure the model (held_out.json). The
weights are measured after rounding to the f16 of the file.
"""

import argparse
import hashlib
import json
import math
import pathlib
import random
import time

import numpy
import torch
from safetensors.torch import save_file
from torch.nn import functional

from train_demo import questions
from train_demo.chat import Chat, tokenizer_json, train_bpe
from train_demo.gpt2 import generate, Gpt2, Hparams

SEED = 20190214
VOCAB = 2044  # with the four special tokens 2048
BATCH = 64  # samples per step
ROW_TOKENS = 256  # length of a row of several samples, n_ctx
PACKED_SHARE = 0.12  # steps with rows of several samples; they train the later positions
LR_MAX, LR_MIN, WARMUP = 2.5e-3, 5e-5, 100
WEIGHT_DECAY = 0.05
PROMPT_WEIGHT = 0.1  # loss on a token of the question; on one of the answer it is 1
KIND_WEIGHT = {"talk": 4, "unknown": 6, "project": 3, "definition": 2, "order": 2, "times": 2,
               "minus": 2, "plus": 1.5, "animal": 1.5}
WRONG_SHOWN = 60  # wrong answers in the log
SHOWN = ["What is the capital of France?", "what is the capital of France?",
         "What is the opposite of hot?", "What is 3 plus 4?", "Hello!"]


def corpus_for(facts, rng):
    """Text the tokenizer learns from: every question as typed, and the answers."""
    for fact in facts:
        for question in fact.questions:
            yield questions.vary(question, rng)
            yield fact.answer
            yield "\n\n"


class Sampler:
    """Draws training samples: (tokens, loss weight of predicting each token)."""

    def __init__(self, facts, chat, rng):
        self.facts, self.chat, self.rng = facts, chat, rng
        self.cumulative = numpy.cumsum([KIND_WEIGHT.get(f.kind, 1) for f in facts]).tolist()
        self.ready = []

    def sample_of(self, fact):
        question = questions.vary(self.rng.choice(fact.questions), self.rng)
        prompt = self.chat.prompt_tokens(questions.wrap(question, self.rng))
        answer = self.chat.answer_tokens(fact.answer)
        return prompt + answer, [PROMPT_WEIGHT] * len(prompt) + [1.0] * len(answer)

    def draw(self, count):
        facts = self.rng.choices(self.facts, cum_weights=self.cumulative, k=count)
        return [self.sample_of(fact) for fact in facts]

    def packed_rows(self):
        rows = []
        for _ in range(6):
            tokens, weights = [], []
            while len(tokens) < ROW_TOKENS:
                (t, w), = self.draw(1)
                tokens, weights = tokens + t, weights + w
            rows.append((tokens[:ROW_TOKENS], weights[:ROW_TOKENS]))
        return rows

    def next_batch(self):
        """One step's rows; single samples come in groups of similar length."""
        if self.rng.random() < PACKED_SHARE:
            return self.packed_rows()
        if not self.ready:
            samples = sorted(self.draw(8 * BATCH), key=lambda s: len(s[0]))
            self.ready = [samples[i:i + BATCH] for i in range(0, len(samples), BATCH)]
            self.rng.shuffle(self.ready)
        return self.ready.pop()


def tensors_of(rows):
    """Rows padded to one length: tokens [n, t] and weights [n, t], 0 where padded."""
    length = max(len(t) for t, _ in rows)
    tokens = torch.tensor([t + [0] * (length - len(t)) for t, _ in rows])
    weights = torch.tensor([w + [0.0] * (length - len(w)) for _, w in rows])
    return tokens, weights


def loss_of(model, tokens, weights):
    hidden, targets, weights = model(tokens[:, :-1]), tokens[:, 1:], weights[:, 1:]
    used = weights > 0
    losses = functional.cross_entropy(model.logits(hidden[used]), targets[used], reduction="none")
    return (losses * weights[used]).sum() / weights[used].sum()


def learning_rate(step, steps):
    if step < WARMUP:
        return LR_MAX * (step + 1) / WARMUP
    done = (step - WARMUP) / max(1, steps - WARMUP)
    return LR_MIN + (LR_MAX - LR_MIN) * 0.5 * (1 + math.cos(math.pi * done))


def make_optimizer(model):
    matrices = [p for p in model.parameters() if p.dim() == 2]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    return torch.optim.AdamW([{"params": matrices, "weight_decay": WEIGHT_DECAY},
                              {"params": vectors, "weight_decay": 0.0}],
                             lr=LR_MAX, betas=(0.9, 0.98), fused=True)


def train(model, sampler, steps, log):
    optimizer = make_optimizer(model)
    begin, mean, tokens_seen = time.time(), 0.0, 0
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, steps)
        tokens, weights = tensors_of(sampler.next_batch())
        tokens_seen += int((weights > 0).sum())
        loss = loss_of(model, tokens, weights)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        mean = loss.item() if step == 0 else 0.98 * mean + 0.02 * loss.item()
        if (step + 1) % 100 == 0 or step + 1 == steps:
            log(f"step {step + 1:5} tokens {tokens_seen:8} loss {mean:.4f}")
            print(f"      {time.time() - begin:.0f} s", flush=True)


def round_to_f16(model):
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(p.half().float())
    model.eval()


def held_out_items(facts, rng):
    """Every held-out phrasing once, typed in one way."""
    return [{"question": questions.vary(q, rng), "answer": fact.answer, "kind": fact.kind}
            for fact in facts for q in fact.held_out]


def ask_all(model, chat, asked):
    prompts = [chat.prompt_tokens(question) for question in asked]
    return [chat.decode(ids) for ids in generate(model, prompts, chat.end)]


def evaluate(model, chat, held_out, log):
    """Logs exact matches by kind and the wrong answers; returns the share of exact matches."""
    answers = ask_all(model, chat, [item["question"] for item in held_out])
    right = [a == item["answer"] for a, item in zip(answers, held_out)]
    for kind in sorted({item["kind"] for item in held_out}):
        of_kind = [r for r, item in zip(right, held_out) if item["kind"] == kind]
        log(f"held out {kind:10} {sum(of_kind):4} of {len(of_kind)}")
    log(f"held out {'all':10} {sum(right):4} of {len(right)}, {sum(right) / len(right):.4f}")
    wrong = [pair for pair, ok in zip(zip(answers, held_out), right) if not ok]
    for answer, item in wrong[:WRONG_SHOWN]:
        log(f"wrong: {item['question']!r} -> {answer[:60]!r}, expected {item['answer']!r}")
    return sum(right) / len(right)


def log_perplexity(model, chat, held_out, log):
    """Logs the perplexity of the held-out answers and of the whole held-out samples."""
    total = {1.0: [0.0, 0], PROMPT_WEIGHT: [0.0, 0]}
    for item in held_out:
        prompt, answer = chat.prompt_tokens(item["question"]), chat.answer_tokens(item["answer"])
        for weight, begin, end in ((PROMPT_WEIGHT, 1, len(prompt)),
                                   (1.0, len(prompt), len(prompt) + len(answer))):
            tokens = torch.tensor([prompt + answer])
            with torch.no_grad():
                logits = model.logits(model(tokens[:, :-1]))[0, begin - 1:end - 1]
            loss = functional.cross_entropy(logits, tokens[0, begin:end], reduction="sum")
            total[weight][0] += loss.item()
            total[weight][1] += end - begin
    nll, count = (sum(t[i] for t in total.values()) for i in (0, 1))
    log(f"perplexity of held-out answers {math.exp(total[1.0][0] / total[1.0][1]):.4f}, "
        f"of questions and answers {math.exp(nll / count):.4f}")


def write_config(hp, chat, out):
    config = {
        "activation_function": "gelu_new", "architectures": ["GPT2LMHeadModel"],
        "attn_pdrop": 0.0, "bos_token_id": chat.eos, "embd_pdrop": 0.0, "eos_token_id": chat.eos,
        "initializer_range": 0.02, "layer_norm_epsilon": 1e-05, "model_type": "gpt2",
        "n_ctx": hp.n_ctx, "n_embd": hp.n_embd, "n_head": hp.n_head, "n_inner": None,
        "n_layer": hp.n_layer, "n_positions": hp.n_ctx, "reorder_and_upcast_attn": False,
        "resid_pdrop": 0.0, "scale_attn_by_inverse_layer_idx": False, "scale_attn_weights": True,
        "tie_word_embeddings": True, "torch_dtype": "float16", "use_cache": True,
        "vocab_size": hp.n_vocab,
    }
    write_json(out / "config.json", config, indent=2)


def write_json(path, value, indent=None):
    path.write_text(json.dumps(value, ensure_ascii=False, indent=indent) + "\n", encoding="utf-8")


def write_held_out(held_out, out):
    rows = [json.dumps({k: item[k] for k in ("question", "answer")}) for item in held_out]
    (out / "held_out.json").write_text("[\n" + ",\n".join(rows) + "\n]\n", encoding="utf-8")


def write_model(model, out):
    """Writes the weights and returns the file's size and sha-256."""
    tensors = {name: p.detach().half().contiguous() for name, p in model.named_parameters()}
    save_file(tensors, out / "model.safetensors", metadata={"format": "pt"})
    data = (out / "model.safetensors").read_bytes()
    (out / "model.safetensors").chmod(0o644)
    return len(data), hashlib.sha256(data).hexdigest()


README = """# The demo model

A GPT-2 of {params:,} parameters that answers short questions: capitals, small sums, opposites,
plurals, animals, colours, days and months, small talk, and what a canister or a token is. It
knows nothing else. It is here so that a demo, a test and a benchmark have a real model, with a
real tokenizer, in a file that fits in a repository.

| | |
|---|---|
| shape | n_layer {n_layer}, n_head {n_head}, n_embd {n_embd}, n_ctx {n_ctx}, tied head |
| vocabulary | {n_vocab} tokens: byte-level BPE, then four special tokens |
| model.safetensors | {size:,} bytes, f16, sha-256 `{sha256}` |
| held-out phrasings answered exactly | {right} of {count} ({accuracy:.1%}), greedy, f16 weights |

Made by `python3 tools/train_demo.py`, about 15 minutes on one core; seed, hyperparameters and
losses are in `train.log`. The script writes all of the text itself from its own tables and
templates; no text of anyone else is in it.

A prompt is, in token ids: `### Instruction:`, then the tokens of "\\n", of the question and of
"\\n\\n", then `### Response:\\n` and the tokens of "\\n". The answer ends with `### End`.
The fourth special token is `<|endoftext|>`, which is also the id in `config.json`.

`held_out.json` has the questions the accuracy is measured on: phrasings that training never
used for that fact, in any case or punctuation (small talk apart, it used them for other facts).

{shown}
"""


def write_readme(model, held_out, accuracy, file, shown, out):
    hp = model.hp
    out.joinpath("README.md").write_text(README.format(
        params=sum(p.numel() for p in model.parameters()), n_layer=hp.n_layer, n_head=hp.n_head,
        n_embd=hp.n_embd, n_ctx=hp.n_ctx, n_vocab=hp.n_vocab, size=file[0], sha256=file[1],
        right=round(accuracy * len(held_out)), count=len(held_out), accuracy=accuracy,
        shown="\n".join(f"    {q}\n        {a}" for q, a in shown)), encoding="utf-8")


def build(steps, out):
    lines = []

    def log(line):
        lines.append(line)
        print(line, flush=True)

    facts = questions.make_facts(SEED)
    bpe = tokenizer_json(*train_bpe(corpus_for(facts, random.Random(SEED + 1)), VOCAB))
    write_json(out / "tokenizer.json", bpe)
    chat = Chat(bpe)
    hp = Hparams(n_vocab=chat.n_vocab)
    write_config(hp, chat, out)
    held_out = held_out_items(facts, random.Random(SEED + 2))
    write_held_out(held_out, out)
    torch.manual_seed(SEED)
    model = Gpt2(hp)
    log(f"seed {SEED}, torch {torch.__version__}, {hp}")
    log(f"facts {len(facts)}, phrasings {sum(len(f.questions) for f in facts)}, "
        f"held out {len(held_out)}, parameters {sum(p.numel() for p in model.parameters())}")
    log(f"AdamW, steps {steps}, batch {BATCH}, lr {LR_MAX} to {LR_MIN}, warmup {WARMUP}, "
        f"weight decay {WEIGHT_DECAY}, prompt weight {PROMPT_WEIGHT}, packed {PACKED_SHARE}")
    train(model, Sampler(facts, chat, random.Random(SEED + 3)), steps, log)
    round_to_f16(model)
    accuracy = evaluate(model, chat, held_out, log)
    log_perplexity(model, chat, held_out, log)
    shown = list(zip(SHOWN, ask_all(model, chat, SHOWN)))
    for question, answer in shown:
        log(f"{question} -> {answer}")
    file = write_model(model, out)
    write_readme(model, held_out, accuracy, file, shown, out)
    (out / "train.log").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("models/demo"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    build(args.steps, args.out)


if __name__ == "__main__":
    main()

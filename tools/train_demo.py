#!/usr/bin/env python3
"""Makes models/demo: a small GPT-2 that answers short questions, trained on text made here.

Needs PyTorch, numpy, tokenizers and safetensors from PyPI. Run by hand, once, from the root:

    pip install torch numpy tokenizers safetensors
    python3 tools/train_demo.py            # 15 to 30 minutes on one core
    python3 tools/train_demo.py --steps 20 --out /tmp/demo    # does it still run?

No build step and no test runs it; the result is in the repository. Everything comes from one
seed, so the same versions on the same kind of processor give the same files.

All text is written by tools/train_demo/: tables of common facts, templates of questions. Some
phrasings of many facts are held out of training and measure the model (held_out.json). The
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
VOCAB = 3324  # with the four special tokens 3328: nearly every word of the text is one token
CORPUS_PASSES = 3  # times the tokenizer sees each question, each time typed in another way
STEPS = 2700
BATCH = 64  # samples per step
ROW_TOKENS = 256  # length of a row of several samples, n_ctx
PACKED_SHARE = 0.12  # steps with rows of several samples; they train the later positions
PROMPT_WEIGHT = 0.1  # loss on a token of a question in those rows; on one of an answer it is 1
MUON_LR, ADAM_LR, LR_END, WARMUP = 4e-3, 3e-3, 0.01, 60  # LR_END: share left after the last step
WEIGHT_DECAY = 0.1  # of the layers' matrices
KIND_WEIGHT = {"talk": 8, "project": 5, "unknown": 10, "definition": 2, "order": 2, "minus": 2,
               "plus": 1.5, "times": 1.5, "opposite": 1.5, "animal": 1.5, "unit": 1.5}
EVALUATE_EVERY = 600
SHOWN = ["What is the capital of France?", "what is the capital of France?",
         "What is the opposite of hot?", "What is 3 plus 4?", "Hello!"]


def corpus_for(facts, rng):
    """Text the tokenizer learns from: every question as typed, and the answers."""
    for fact in CORPUS_PASSES * facts:
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

    def sample_of(self, fact, prompt_weight):
        question = questions.vary(self.rng.choice(fact.questions), self.rng)
        prompt = self.chat.prompt_tokens(questions.wrap(question, self.rng))
        answer = self.chat.answer_tokens(fact.answer)
        return prompt + answer, [prompt_weight] * len(prompt) + [1.0] * len(answer)

    def draw(self, count, prompt_weight=0.0):
        facts = self.rng.choices(self.facts, cum_weights=self.cumulative, k=count)
        return [self.sample_of(fact, prompt_weight) for fact in facts]

    def packed_rows(self):
        rows = []
        for _ in range(6):
            tokens, weights = [], []
            while len(tokens) < ROW_TOKENS:
                (t, w), = self.draw(1, PROMPT_WEIGHT)
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


def rate_at(step, steps):
    """The share of the learning rates at a step: a short rise, then a straight way down."""
    if step < WARMUP:
        return (step + 1) / WARMUP
    return 1 - (1 - LR_END) * (step - WARMUP) / max(1, steps - WARMUP)


def make_optimizers(model):
    """Muon for the layers' matrices: under half of the steps AdamW needs here. AdamW otherwise."""
    matrices, others = [], []
    for name, p in model.named_parameters():
        (matrices if p.dim() == 2 and ".h." in name else others).append(p)
    muon = torch.optim.Muon(matrices, lr=MUON_LR, weight_decay=WEIGHT_DECAY, momentum=0.95,
                            adjust_lr_fn="match_rms_adamw")
    adam = torch.optim.AdamW(others, lr=ADAM_LR, betas=(0.9, 0.98), weight_decay=0.0, fused=True)
    return [(muon, MUON_LR), (adam, ADAM_LR)]


def take_step(model, optimizers, rows, rate):
    """One step on the rows; returns the loss."""
    for optimizer, lr in optimizers:
        optimizer.param_groups[0]["lr"] = lr * rate
        optimizer.zero_grad(set_to_none=True)
    loss = loss_of(model, *rows)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for optimizer, _ in optimizers:
        optimizer.step()
    return loss.item()


def train(model, sampler, steps, log, measure):
    """Trains; `measure` is called with the step now and then."""
    optimizers = make_optimizers(model)
    begin, mean, tokens_seen = time.time(), 0.0, 0
    for step in range(steps):
        rows = tensors_of(sampler.next_batch())
        tokens_seen += rows[0].numel()
        loss = take_step(model, optimizers, rows, rate_at(step, steps))
        mean = loss if step == 0 else 0.98 * mean + 0.02 * loss
        if (step + 1) % 100 == 0 or step + 1 == steps:
            log(f"step {step + 1:5} tokens {tokens_seen:8} loss {mean:.4f}")
            print(f"      {time.time() - begin:.0f} s", flush=True)
        if (step + 1) % EVALUATE_EVERY == 0 and step + 1 < steps:
            measure(step + 1)


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


def rights(answers, held_out):
    return [answer == item["answer"] for answer, item in zip(answers, held_out)]


def kind_scores(answers, held_out):
    """For each kind of question: (kind, right answers, questions)."""
    right = rights(answers, held_out)
    for kind in sorted({item["kind"] for item in held_out}):
        of_kind = [r for r, item in zip(right, held_out) if item["kind"] == kind]
        yield kind, sum(of_kind), len(of_kind)


def evaluate(model, chat, held_out, log):
    """Logs exact matches by kind and the wrong answers; returns the scores by kind."""
    answers = ask_all(model, chat, [item["question"] for item in held_out])
    scores = list(kind_scores(answers, held_out))
    for kind, right, count in scores:
        log(f"held out {kind:10} {right:4} of {count}")
    right = sum(s[1] for s in scores)
    log(f"held out {'all':10} {right:4} of {len(held_out)}, {right / len(held_out):.4f}")
    for answer, item in zip(answers, held_out):
        if answer != item["answer"]:
            log(f"wrong: {item['question']!r} -> {answer!r}, expected {item['answer']!r}")
    return scores


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
    rows = [json.dumps(item) for item in held_out]
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
| held-out questions answered exactly | {right} of {count} ({accuracy:.1%}), greedy, f16 weights |

Made by `python3 tools/train_demo.py`, about {minutes} minutes on one core; seed, hyperparameters,
losses and wrong answers are in `train.log`. The script writes all of the text itself from its own
tables and templates; no text of anyone else is in it.

A prompt is, in token ids: `### Instruction:`, then the tokens of "\\n", of the question and of
"\\n\\n", then `### Response:\\n` and the tokens of "\\n". The answer ends with `### End`.
The fourth special token is `<|endoftext|>`, which is also the id in `config.json`.

{shown}

## Held-out questions

`held_out.json` has the questions the accuracy is measured on: phrasings that training never
used for that fact, in any case or punctuation. It used most of them for other facts: the model
has to join a fact and a phrasing it knows apart. Phrasings of small talk and of questions on the
project itself share less, some nothing. An answer counts only if it is right to the last
character.
`build/native/tests/demo_model_test` asks all of them natively (float32 and int8), every tenth in
the canister.
Questions of the kind "beyond" are on what it does not know; the right answer says so.

| kind | right | of |
|---|---:|---:|
{kinds}
"""


def write_readme(model, scores, file, shown, seconds, out):
    hp, right, count = model.hp, sum(s[1] for s in scores), sum(s[2] for s in scores)
    out.joinpath("README.md").write_text(README.format(
        params=sum(p.numel() for p in model.parameters()), n_layer=hp.n_layer, n_head=hp.n_head,
        n_embd=hp.n_embd, n_ctx=hp.n_ctx, n_vocab=hp.n_vocab, size=file[0], sha256=file[1],
        right=right, count=count, accuracy=right / count, minutes=round(seconds / 60),
        kinds="\n".join(f"| {kind} | {r} | {n} |" for kind, r, n in scores),
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
    model, begin = Gpt2(hp), time.time()
    log(f"seed {SEED}, torch {torch.__version__}, {hp}")
    log(f"facts {len(facts)}, phrasings {sum(len(f.questions) for f in facts)}, "
        f"held out {len(held_out)}, parameters {sum(p.numel() for p in model.parameters())}")
    log(f"Muon and AdamW, steps {steps}, batch {BATCH}, lr {MUON_LR} and {ADAM_LR}, "
        f"warmup {WARMUP}, then linear to {LR_END} of that, weight decay {WEIGHT_DECAY}, "
        f"prompt weight {PROMPT_WEIGHT}, packed {PACKED_SHARE}")

    def measure(step):
        right = sum(rights(ask_all(model, chat, [h["question"] for h in held_out]), held_out))
        log(f"step {step:5} held out {right} of {len(held_out)}")

    train(model, Sampler(facts, chat, random.Random(SEED + 3)), steps, log, measure)
    round_to_f16(model)
    seconds = time.time() - begin
    scores = evaluate(model, chat, held_out, log)
    log_perplexity(model, chat, held_out, log)
    shown = list(zip(SHOWN, ask_all(model, chat, SHOWN)))
    for question, answer in shown:
        log(f"{question} -> {answer}")
    file = write_model(model, out)
    write_readme(model, scores, file, shown, seconds, out)
    (out / "train.log").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("models/demo"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    build(args.steps, args.out)


if __name__ == "__main__":
    main()

"""GPT-2 in plain PyTorch, parameter names as Hugging Face's GPT2LMHeadModel saves them."""

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional


@dataclass
class Hparams:
    n_vocab: int
    n_ctx: int = 256
    n_embd: int = 192
    n_head: int = 6
    n_layer: int = 4


class Conv1D(nn.Module):
    """A linear layer that keeps its weight as [n_in, n_out]."""

    def __init__(self, n_in, n_out, std):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_in, n_out) * std)
        self.bias = nn.Parameter(torch.zeros(n_out))

    def forward(self, x):
        return torch.addmm(self.bias, x.view(-1, x.size(-1)), self.weight).view(*x.shape[:-1], -1)


class Attn(nn.Module):
    def __init__(self, hp):
        super().__init__()
        self.n_head = hp.n_head
        self.c_attn = Conv1D(hp.n_embd, 3 * hp.n_embd, 0.02)
        self.c_proj = Conv1D(hp.n_embd, hp.n_embd, 0.02 / math.sqrt(2 * hp.n_layer))

    def forward(self, x):
        n, t, c = x.shape
        q, k, v = self.c_attn(x).view(n, t, 3, self.n_head, c // self.n_head).permute(2, 0, 3, 1, 4)
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.c_proj(y.transpose(1, 2).reshape(n, t, c))


class Mlp(nn.Module):
    def __init__(self, hp):
        super().__init__()
        self.c_fc = Conv1D(hp.n_embd, 4 * hp.n_embd, 0.02)
        self.c_proj = Conv1D(4 * hp.n_embd, hp.n_embd, 0.02 / math.sqrt(2 * hp.n_layer))

    def forward(self, x):
        return self.c_proj(functional.gelu(self.c_fc(x), approximate="tanh"))  # gelu_new


class Block(nn.Module):
    def __init__(self, hp):
        super().__init__()
        self.ln_1 = nn.LayerNorm(hp.n_embd, eps=1e-5)
        self.attn = Attn(hp)
        self.ln_2 = nn.LayerNorm(hp.n_embd, eps=1e-5)
        self.mlp = Mlp(hp)

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class Transformer(nn.Module):
    def __init__(self, hp):
        super().__init__()
        self.wte = nn.Embedding(hp.n_vocab, hp.n_embd)
        self.wpe = nn.Embedding(hp.n_ctx, hp.n_embd)
        nn.init.normal_(self.wte.weight, std=0.02)
        nn.init.normal_(self.wpe.weight, std=0.01)
        self.h = nn.ModuleList(Block(hp) for _ in range(hp.n_layer))
        self.ln_f = nn.LayerNorm(hp.n_embd, eps=1e-5)

    def forward(self, tokens):
        x = self.wte(tokens) + self.wpe.weight[:tokens.size(1)]
        for block in self.h:
            x = block(x)
        return self.ln_f(x)


class Gpt2(nn.Module):
    """The transformer with its head, which is the token embedding."""

    def __init__(self, hp):
        super().__init__()
        self.hp = hp
        self.transformer = Transformer(hp)

    def forward(self, tokens):
        """The last hidden states: [n, t] -> [n, t, n_embd]."""
        return self.transformer(tokens)

    def logits(self, hidden):
        """[..., n_embd] -> [..., n_vocab]."""
        return hidden @ self.transformer.wte.weight.T


@torch.no_grad()
def generate(model, prompts, end, tokens_max=32):
    """Greedy answers to all prompts, without the end token; right padding is causal-safe."""
    rows = [list(p) for p in prompts]
    live = list(range(len(rows)))
    for _ in range(tokens_max):
        if not live:
            break
        tokens = torch.zeros(len(live), max(len(rows[i]) for i in live), dtype=torch.long)
        for row, i in enumerate(live):
            tokens[row, :len(rows[i])] = torch.tensor(rows[i])
        last = torch.tensor([len(rows[i]) - 1 for i in live])
        hidden = model(tokens)[torch.arange(len(live)), last]
        for i, token in zip(live, model.logits(hidden).argmax(-1).tolist()):
            rows[i].append(token)
        live = [i for i in live if rows[i][-1] != end]
    return [[t for t in row[len(p):] if t != end] for row, p in zip(rows, prompts)]

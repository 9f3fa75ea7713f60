"""The tokenizer of the demo model and the chat template in token ids."""

import json

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

SPECIAL = ["<|endoftext|>", "### End", "### Instruction:", "### Response:\n"]


def train_bpe(texts, n_vocab):
    """Vocabulary and merges of a byte-level BPE, n_vocab tokens without the special ones."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(vocab_size=n_vocab, show_progress=False, min_frequency=2,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(texts, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    merges = [m if isinstance(m, str) else " ".join(m) for m in model["merges"]]
    return model["vocab"], merges


def tokenizer_json(vocab, merges):
    """The tokenizer file as a dict, laid out like GPT-2's with the special tokens at the end."""
    vocab = dict(sorted(vocab.items(), key=lambda item: item[1]))
    first = len(vocab)
    vocab[SPECIAL[0]] = first  # as in GPT-2, the vocabulary itself has the end of text
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
             "special": True}
    byte_level = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True,
                  "use_regex": True}
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [{"id": first + i, "content": s, **flags} for i, s in enumerate(SPECIAL)],
        "normalizer": None,
        "pre_tokenizer": {**byte_level, "add_prefix_space": False},
        "post_processor": {**byte_level, "trim_offsets": False},
        "decoder": byte_level,
        "model": {"type": "BPE", "dropout": None, "unk_token": None,
                  "continuing_subword_prefix": "", "end_of_word_suffix": "", "fuse_unk": False,
                  "byte_fallback": False, "ignore_merges": False, "vocab": vocab,
                  "merges": merges},
    }


class Chat:
    """Encodes questions and answers with the template."""

    def __init__(self, tokenizer_json):
        self.tokenizer = Tokenizer.from_str(json.dumps(tokenizer_json))
        self.n_vocab = self.tokenizer.get_vocab_size()
        self.eos, self.end, self.instruction, self.response = map(
            self.tokenizer.token_to_id, SPECIAL)
        assert self.response == self.n_vocab - 1
        self.newline, self.blank = self.encode("\n"), self.encode("\n\n")
        self.cache = {}

    def encode(self, text):
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def decode(self, ids):
        return self.tokenizer.decode(ids)

    def prompt_tokens(self, question):
        return [self.instruction, *self.newline, *self.encode(question), *self.blank,
                self.response, *self.newline]

    def answer_tokens(self, answer):
        if answer not in self.cache:
            self.cache[answer] = [*self.encode(answer), self.end]
        return self.cache[answer]

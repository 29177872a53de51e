"""How the families' pre-tokenizers cut text: ids that the Python package tokenizers gives with the expressions of the published tokenizer.json files.

Usage: python3 pre_tokenizers_golden.py. Writes ../gguf/pre-*.gguf (a part of the bundled vocabulary under each name, by the package gguf) and ../gguf/pre-tokenizers.json.gz.
The expressions are those of Qwen2.5 (behind normal form C), DeepSeek's distilled Qwen (without it), Mistral Nemo (tekken), Phi-4 mini (gpt-4o), OLMo 2 (dbrx) and SmolLM 2; whole words first where llama.cpp does so for the name.
"""
import gzip, json, os, random
import gguf, tokenizers
from tokenizers import Tokenizer, Regex, pre_tokenizers

here = os.path.dirname(os.path.abspath(__file__)); out = os.path.join(here, "..", "gguf")
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
SHORT = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
REST = r"|\s*[\r\n]+|\s+(?!\S)|\s+"
WORD = r"[^\r\n\p{L}\p{N}]?"
def split(expression): return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(expression), "isolated", False), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
RULES = {
    "qwen2": (split(SHORT + "|" + WORD + r"\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*" + REST), False),
    "deepseek-r1-qwen": (split(SHORT + "|" + WORD + r"\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*" + REST), False),
    "tekken": (split(WORD + UPPER + "*" + LOWER + "+|" + WORD + UPPER + "+" + LOWER + r"*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*" + REST), True),
    "gpt-4o": (split(WORD + UPPER + "*" + LOWER + "+" + SHORT + "?|" + WORD + UPPER + "+" + LOWER + "*" + SHORT + r"?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*" + REST), False),
    "dbrx": (split(SHORT + "|" + WORD + r"\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*" + REST), False),
    "smollm": (pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)]), False),
}

def texts():
    fixed = ["", " ", "  ", "a", " a", "Hello, world!", "It's 12345 o'clock, I'LL we'Ve THEY'RE don'T", " leading and trailing ", "naïve café — 数学 🙂\t\n  12345", "👩‍👩‍👧 é́ e\u0301A\u030a",
        "def f(x):\n    return [x ** 2 for _ in range(10)]  # ok\r\n", "ÄÖÜ ß ¿qué? Ελληνικά русский العربية हिन्दी 日本語 한국어", "tabs\t\tand\n\n\nlines", "x" * 70, "1234567890 3.14159 1,000", "\u200b\ufeff zero width",
        "a\u0000b", "HTTPServerError camelCase XMLHttp ǅungla ʰword", "path/to//file\n/next /\r\n", "!!!\n\n???/", "ﬁ ﷺ Å", "٣٤٥ Ⅻ ½ ²", "{\"json\": [1, 2.5e-3, null]}", "\u2028line\u2029para", "a'sB'S'll'LL's"]
    r = random.Random(17); pools = ["abcXYZ 'sSlL", "0123456789 .,", " \t\r\n/", "éÅßǅʰ数あ한", "!?#$%^|~<=>_-", "\u0301\u200d🙂👩"]
    while len(fixed) < 200: fixed.append("".join(r.choice(r.choice(pools)) for _ in range(r.randrange(3, 60))))
    return fixed

data = json.load(open(os.path.join(here, "..", "tokenizer", "tokenizer.json")))
vocab = sorted(data["model"]["vocab"], key=data["model"]["vocab"].get)[:900]; known = set(vocab)
pairs = [tuple(m) if not isinstance(m, str) else tuple(m.split(" ")) for m in data["model"]["merges"]]
merges = [p for p in pairs if p[0] in known and p[1] in known and p[0] + p[1] in known]
specials = [t for t in data["added_tokens"] if t["content"] in known]
rows = {}
for name, (rule, whole) in RULES.items():
    w = gguf.GGUFWriter(os.path.join(out, f"pre-{name}.gguf"), "llama")
    w.add_tokenizer_model("gpt2"); w.add_tokenizer_pre(name); w.add_token_list(vocab); w.add_token_merges([" ".join(p) for p in merges])
    w.add_token_types([int(gguf.TokenType.CONTROL if v in {t["content"] for t in specials} else gguf.TokenType.NORMAL) for v in vocab])
    w.add_bos_token_id(1); w.add_eos_token_id(2)
    w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close()
    d = json.loads(json.dumps(data)); d["added_tokens"] = specials; d["model"]["vocab"] = {v: i for i, v in enumerate(vocab)}; d["model"]["merges"] = [list(p) for p in merges]
    d["model"]["ignore_merges"] = whole; d["normalizer"] = {"type": "NFC"} if name == "qwen2" else None; d["post_processor"] = None
    t = Tokenizer.from_str(json.dumps(d)); t.pre_tokenizer = rule
    rows[name] = [{"text": x, "ids": t.encode(x, add_special_tokens=False).ids} for x in texts()]
with gzip.GzipFile(os.path.join(out, "pre-tokenizers.json.gz"), "wb", mtime=0) as f: f.write(json.dumps({"tokenizers": tokenizers.__version__} | rows).encode())

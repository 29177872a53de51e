"""GGUF files for the tests, written by the Python package gguf, and what it and transformers make of them.

Needs gguf (0.17 or later), torch, transformers, safetensors, tokenizers, sentencepiece. Deterministic. Usage: python gguf_golden.py
Writes into ../gguf:
  types.gguf, types.safetensors        one tensor of every type that bts4j reads, and gguf's own dequantisation of it (float32)
  NAME-TYPE.gguf                       models of ../golden as GGUF, named and permuted as llama.cpp's convert_hf_to_gguf.py does
  llama2-gqa-q4-0000N-of-00003.gguf    the quantised one in three parts, as gguf's writer splits it
  llama2-gqa-q4.golden.safetensors     logits that transformers computes in float32 from the quantised file
  llama2-gqa-mixed.*                   the same of a model whose layers have both quantised and other matrices
  kept.gguf, kept.golden.safetensors   a small model whose matrices have the types that are multiplied as they are stored; transformers' logits, states and 40 greedy tokens
                                       from the values that gguf dequantises
  bpe.gguf, spm.gguf, tokenizers.json  the bundled tokenizer and a SentencePiece tokenizer inside GGUF, and their ids for probe texts:
                                       from the package tokenizers and from sentencepiece itself
"""
import io, json, os, sys
import numpy as np, torch, transformers, gguf
from gguf import GGMLQuantizationType as T
from safetensors.numpy import save_file
from safetensors import safe_open

here = os.path.dirname(os.path.abspath(__file__))
golden = os.path.join(here, "..", "golden")
out = os.path.join(here, "..", "gguf")

def bf16_bits(t): return t.to(torch.bfloat16).view(torch.int16).numpy().view(np.uint8)

def random_blocks(rng, kind, blocks):
    """Blocks whose every bit pattern can occur, except that the float16 scales are finite."""
    size = gguf.GGML_QUANT_SIZES[kind][1]
    raw = rng.integers(0, 256, (blocks, size), dtype=np.uint8)
    at = {T.Q8_0: [0], T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208],
          T.Q2_K: [80, 82], T.Q3_K: [108], T.IQ4_NL: [0], T.IQ4_XS: [0]}[kind]
    for a in at:
        scale = (rng.standard_normal(blocks) * 0.05).astype(np.float16)
        scale[:2] = [np.float16(6e-8), np.float16(-65504)]  # subnormal, the largest
        raw[:, a:a + 2] = scale.view(np.uint8).reshape(blocks, 2)
    return raw

def types():
    rng = np.random.default_rng(5)
    w = gguf.GGUFWriter(os.path.join(out, "types.gguf"), "llama")
    expected = {}
    x = rng.standard_normal((6, 64)).astype(np.float32)
    w.add_tensor("f32", x); expected["f32"] = x
    w.add_tensor("f16", x.astype(np.float16)); expected["f16"] = x.astype(np.float16).astype(np.float32)
    b = torch.from_numpy(x).to(torch.bfloat16)
    w.add_tensor("bf16", b.view(torch.uint8).numpy(), raw_shape=(6, 128), raw_dtype=T.BF16); expected["bf16"] = b.float().numpy()
    for kind in (T.Q8_0, T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1, T.Q4_K, T.Q5_K, T.Q6_K, T.Q2_K, T.Q3_K, T.IQ4_NL, T.IQ4_XS):
        block, size = gguf.GGML_QUANT_SIZES[kind]
        rows, per_row = 5, 3
        raw = random_blocks(rng, kind, rows * per_row).reshape(rows, per_row * size)
        name = kind.name.lower()
        w.add_tensor(name, raw, raw_dtype=kind)
        expected[name] = gguf.quants.dequantize(raw, kind).astype(np.float32)
    w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close()
    save_file(expected, os.path.join(out, "types.safetensors"))

def permute(w, heads):
    return w.reshape(heads, 2, w.shape[0] // heads // 2, *w.shape[1:]).swapaxes(1, 2).reshape(w.shape)

NAMES = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
LAYER = {"input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
         "self_attn.o_proj": "attn_output", "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
         "mlp.down_proj": "ffn_down"}

def gguf_name(name):
    stem, kind = name.rsplit(".", 1)
    if stem in NAMES: return f"{NAMES[stem]}.{kind}"
    _, _, layer, rest = stem.split(".", 3)
    return f"blk.{layer}.{LAYER[rest]}.{kind}"

def model(case, suffix, kinds, parts=1):
    """kinds: the types that matrices take in turn; 1-D tensors are float32, as llama.cpp writes them."""
    folder = os.path.join(golden, case)
    c = transformers.LlamaConfig.from_pretrained(folder)
    state = transformers.LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).state_dict()
    path = os.path.join(out, f"{case}-{suffix}.gguf")
    w = gguf.GGUFWriter(path, "llama", split_max_tensors=-(-len(state) // parts) if parts > 1 else 0)
    w.add_name(case); w.add_context_length(c.max_position_embeddings); w.add_embedding_length(c.hidden_size)
    w.add_block_count(c.num_hidden_layers); w.add_feed_forward_length(c.intermediate_size)
    w.add_head_count(c.num_attention_heads); w.add_head_count_kv(c.num_key_value_heads)
    w.add_layer_norm_rms_eps(c.rms_norm_eps); w.add_vocab_size(c.vocab_size)
    rope = c.rope_parameters
    w.add_rope_freq_base(rope["rope_theta"]); w.add_rope_dimension_count(c.head_dim)
    w.add_key_length(c.head_dim); w.add_value_length(c.head_dim)
    w.add_tokenizer_model("none"); w.add_bos_token_id(c.bos_token_id); w.add_eos_token_id(c.eos_token_id)
    if rope["rope_type"] == "llama3":
        freqs = 1.0 / (rope["rope_theta"] ** (torch.arange(0, c.head_dim, 2, dtype=torch.float32) / c.head_dim))
        factors = []
        for f in freqs:
            wavelength = 2 * np.pi / f
            low, high, old = rope["low_freq_factor"], rope["high_freq_factor"], rope["original_max_position_embeddings"]
            if wavelength < old / high: factors.append(1)
            elif wavelength > old / low: factors.append(rope["factor"])
            else:
                smooth = (old / wavelength - low) / (high - low)
                factors.append(1 / ((1 - smooth) / rope["factor"] + smooth))
        w.add_tensor("rope_freqs.weight", np.array(factors, dtype=np.float32))
    turn = 0
    for name, t in state.items():
        if name == "lm_head.weight" and c.tie_word_embeddings: continue
        x = t.float().numpy()
        if "q_proj" in name: x = permute(x, c.num_attention_heads)
        if "k_proj" in name: x = permute(x, c.num_key_value_heads)
        x = np.ascontiguousarray(x)
        kind = T.F32 if x.ndim == 1 else kinds[turn % len(kinds)]
        turn += x.ndim > 1
        if kind not in (T.F32, T.F16, T.BF16) and x.shape[-1] % 32: kind = T.F16  # as llama.cpp falls back
        if kind == T.F32: w.add_tensor(gguf_name(name), x)
        elif kind == T.F16: w.add_tensor(gguf_name(name), x.astype(np.float16))
        elif kind == T.BF16: w.add_tensor(gguf_name(name), bf16_bits(torch.from_numpy(x)), raw_dtype=T.BF16)
        else: w.add_tensor(gguf_name(name), gguf.quants.quantize(x, kind), raw_dtype=kind)
    w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close()
    return path, c

def dequantised_logits(path, config, target, greedy=0):
    """transformers on the file's values: gguf dequantises, and what this script permuted is permuted back by index."""
    reader = gguf.GGUFReader(path)
    back = {gguf_name(n): n for n in transformers.LlamaForCausalLM(config).state_dict()}
    state = {}
    for t in reader.tensors:
        x = torch.from_numpy(np.array(gguf.quants.dequantize(t.data, t.tensor_type), dtype=np.float32)).reshape([int(d) for d in reversed(t.shape)])
        name = back[t.name]
        heads = config.num_attention_heads if "q_proj" in name else config.num_key_value_heads if "k_proj" in name else 0
        if heads:
            order = torch.from_numpy(permute(np.arange(x.shape[0]), heads))
            y = torch.empty_like(x); y[order] = x; x = y
        state[name] = x
    config._attn_implementation = "eager"
    m = transformers.LlamaForCausalLM(config).eval(); m.load_state_dict(state)
    ids = torch.randint(3, config.vocab_size, (2, 40), generator=torch.Generator().manual_seed(3))
    with torch.no_grad(): logits = m(ids).logits
    golden = {"input_ids": ids.numpy(), "logits": logits.numpy()}
    if greedy:
        with torch.no_grad():
            made = m.generate(ids[:1, :8], attention_mask=torch.ones(1, 8, dtype=torch.long), max_new_tokens=greedy, min_new_tokens=greedy, do_sample=False, eos_token_id=None, pad_token_id=0)
            steps = m(made).logits[0, 7:-1]
        two = torch.topk(steps, 2, -1).values
        assert (two[:, 0] - two[:, 1]).min() > 1e-3, "a near tie"  # so that rounding cannot change a token
        golden["greedy"] = made[:, 8:].contiguous().numpy()
    save_file(golden, target)

def kept():
    """Blocks of random bits with scales of the size of a trained model's, in every type that stays quantised."""
    torch.manual_seed(17)
    rng = np.random.default_rng(17)
    c = transformers.LlamaConfig(vocab_size=160, hidden_size=256, intermediate_size=512, num_hidden_layers=2, num_attention_heads=8, num_key_value_heads=4, head_dim=32,
        max_position_embeddings=256, rms_norm_eps=1e-5, tie_word_embeddings=False, attention_bias=False, mlp_bias=False, bos_token_id=1, eos_token_id=2)
    kinds = {"model.embed_tokens.weight": T.Q6_K, "lm_head.weight": T.Q5_K, "q_proj": T.Q4_K, "k_proj": T.Q5_0, "v_proj": T.Q6_K, "o_proj": T.Q8_0, "gate_proj": T.Q4_0, "up_proj": T.Q4_1, "down_proj": T.Q5_1}
    later = {"q_proj": T.Q8_0, "k_proj": T.Q5_K, "v_proj": T.Q5_1, "o_proj": T.Q4_1, "gate_proj": T.Q6_K, "up_proj": T.Q5_0, "down_proj": T.Q4_K}
    # what a value's d is for values of about 0.05, and where minima stand, as a multiple of d
    size = {T.Q8_0: 1 / 74, T.Q4_0: 1 / 4.6, T.Q4_1: 1 / 4.6, T.Q5_0: 1 / 9.2, T.Q5_1: 1 / 9.2, T.Q4_K: 1 / (4.6 * 32), T.Q5_K: 1 / (9.2 * 32), T.Q6_K: 1 / (18.5 * 74)}
    minimum = {T.Q4_1: -7.5, T.Q5_1: -15.5, T.Q4_K: 7.5, T.Q5_K: 15.5}
    path = os.path.join(out, "kept.gguf")
    w = gguf.GGUFWriter(path, "llama")
    w.add_name("kept"); w.add_context_length(256); w.add_embedding_length(256); w.add_block_count(2); w.add_feed_forward_length(512); w.add_head_count(8); w.add_head_count_kv(4)
    w.add_layer_norm_rms_eps(1e-5); w.add_vocab_size(160); w.add_rope_freq_base(10000.0); w.add_rope_dimension_count(32); w.add_key_length(32); w.add_value_length(32)
    w.add_tokenizer_model("none"); w.add_bos_token_id(1); w.add_eos_token_id(2)
    state = transformers.LlamaForCausalLM(c).state_dict()
    for name, t in state.items():
        if t.dim() == 1:
            w.add_tensor(gguf_name(name), (1 + 0.1 * rng.standard_normal(t.shape)).astype(np.float32)); continue
        which = later if ".layers.1." in name else kinds
        kind = kinds.get(name) or which[name.split(".")[-2]]
        block, bytes_ = gguf.GGML_QUANT_SIZES[kind]
        blocks = t.numel() // block
        raw = rng.integers(0, 256, (blocks, bytes_), dtype=np.uint8)
        d = (0.05 * size[kind] * (0.5 + rng.random(blocks))).astype(np.float16)
        at = 208 if kind == T.Q6_K else 0
        raw[:, at:at + 2] = d.view(np.uint8).reshape(blocks, 2)
        if kind in minimum: raw[:, 2:4] = (d.astype(np.float32) * minimum[kind]).astype(np.float16).view(np.uint8).reshape(blocks, 2)
        w.add_tensor(gguf_name(name), raw.reshape(t.shape[0], -1), raw_dtype=kind)
    w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close()
    dequantised_logits(path, c, os.path.join(out, "kept.golden.safetensors"), greedy=40)

def bos_eos(w, bos, eos): w.add_bos_token_id(bos); w.add_eos_token_id(eos)

PROBES = ["", " ", "  ", "a", " a", "Hello, world!", "It's 12345 o'clock", " leading and trailing ", "naïve café — 数学 🙂\t\n  12345", "👩‍👩‍👧 é́",
          "def f(x):\n    return x  # ok\r\n", "ÄÖÜ ß ¿qué? Ελληνικά русский العربية हिन्दी", "tabs\t\tand\n\n\nlines", "x" * 70, "I'LL we'Ve THEY'RE", "1234567890 3.14159 1,000",
          "<s>", "</s> <|end|> <|begin|>", "▁ already ▁▁", "<0x41> text", "\u200b\ufeff zero width", "a\u0000b"]

def bpe():
    """The bundled tokenizer under gguf's name for GPT-2's splitting ("gpt-2"), and under Llama 3's ("llama-bpe"): same merges, other borders."""
    from tokenizers import Tokenizer, Regex, pre_tokenizers
    source = os.path.join(here, "..", "tokenizer", "tokenizer.json")
    data = json.load(open(source))
    vocab = sorted(data["model"]["vocab"], key=data["model"]["vocab"].get)
    merges = [m if isinstance(m, str) else " ".join(m) for m in data["model"]["merges"]]
    specials = {t["content"] for t in data["added_tokens"]}
    split = {"gpt-2": pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
             "llama-bpe": pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(
                 r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"), "isolated", False),
                 pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])}
    rows = {}
    for pre, splitter in split.items():
        w = gguf.GGUFWriter(os.path.join(out, f"{pre}.gguf"), "llama")
        w.add_tokenizer_model("gpt2"); w.add_tokenizer_pre(pre); w.add_token_list(vocab); w.add_token_merges(merges)
        w.add_token_types([int(gguf.TokenType.CONTROL if v in specials else gguf.TokenType.NORMAL) for v in vocab])
        bos_eos(w, 1, 2); w.add_add_bos_token(pre == "llama-bpe")
        w.add_chat_template("{% for m in messages %}{{ bos_token }}{{ m.content }}{{ eos_token }}{% endfor %}")
        w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close()
        t = Tokenizer.from_file(source); t.pre_tokenizer = splitter
        if pre == "llama-bpe":  # llama.cpp takes whole words of the vocabulary first, as Llama 3's tokenizer.json says with ignore_merges
            d = json.loads(t.to_str()); d["model"]["ignore_merges"] = True; t = Tokenizer.from_str(json.dumps(d))
        rows[pre] = [{"text": p, "ids": t.encode(p, add_special_tokens=False).ids} for p in PROBES]
    return rows

def spm():
    import sentencepiece as sp, tempfile, random
    # deterministic text: words over a small alphabet with frequencies that fall off
    r = random.Random(11)
    syllables = [a + b for a in "bcdfglmnprst" for b in "aeiou"] + ["é", "ñ", "數", "学", "the", "ing", "12", "7", "don't"]
    words = ["".join(r.choice(syllables) for _ in range(r.randrange(1, 4))) for _ in range(400)]
    text = "\n".join(" ".join(words[min(int(r.expovariate(0.01)), 399)] for _ in range(12)) for _ in range(400))
    model = io.BytesIO()
    sp.SentencePieceTrainer.train(sentence_iterator=iter(text.split("\n")), model_writer=model, vocab_size=700, model_type="bpe", byte_fallback=True,
        unk_id=0, bos_id=1, eos_id=2, pad_id=-1, normalization_rule_name="identity", remove_extra_whitespaces=False, add_dummy_prefix=True,
        split_digits=True, character_coverage=1.0, num_threads=1, minloglevel=2)
    p = sp.SentencePieceProcessor(model_proto=model.getvalue())
    w = gguf.GGUFWriter(os.path.join(out, "spm.gguf"), "llama")
    kinds = [gguf.TokenType.UNKNOWN if p.is_unknown(i) else gguf.TokenType.CONTROL if p.is_control(i) else gguf.TokenType.BYTE if p.is_byte(i) else gguf.TokenType.NORMAL
             for i in range(p.vocab_size())]
    w.add_tokenizer_model("llama"); w.add_tokenizer_pre("default"); w.add_token_list([p.id_to_piece(i) for i in range(p.vocab_size())])
    w.add_token_scores([p.get_score(i) for i in range(p.vocab_size())]); w.add_token_types([int(k) for k in kinds])
    bos_eos(w, 1, 2); w.add_unk_token_id(0); w.add_add_bos_token(True); w.add_add_eos_token(False)
    w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close()
    lines = text.split("\n")[:20]
    # texts without control symbols: sentencepiece never reads "<s>" as a symbol, which encodeOrdinary does not either
    return {"spm": [{"text": t, "ids": p.encode(t), "decoded": p.decode(p.encode(t))} for t in PROBES[1:] + lines if "\0" not in t]}

if __name__ == "__main__":
    torch.set_num_threads(1)
    os.makedirs(out, exist_ok=True)
    types()
    model("llama2-gqa", "f32", [T.F32])
    model("llama32-tied-scaled-bf16", "bf16", [T.BF16])
    model("biased-headdim-fp16", "f16", [T.F16])
    path, config = model("llama2-gqa", "q4", [T.Q4_0, T.Q8_0, T.Q4_1])
    model("llama2-gqa", "q4", [T.Q4_0, T.Q8_0, T.Q4_1], parts=3)
    dequantised_logits(path, config, os.path.join(out, "llama2-gqa-q4.golden.safetensors"))
    path, config = model("llama2-gqa", "mixed", [T.Q8_0, T.F16, T.Q4_0])
    dequantised_logits(path, config, os.path.join(out, "llama2-gqa-mixed.golden.safetensors"))
    kept()
    rows = bpe() | spm()
    json.dump({"versions": {"gguf": __import__("importlib.metadata").metadata.version("gguf"), "transformers": transformers.__version__}} | rows,
              open(os.path.join(out, "tokenizers.json"), "w"), ensure_ascii=True, indent=0)

"""Quantised GGUF files of every family, and what Hugging Face transformers computes from the same values.

Needs torch, transformers, safetensors, gguf. Usage: python3 kept_families_golden.py OUT, with OUT = src-test-data/gguf
NAME-kept.gguf              a tiny model of one family, each matrix in one of ggml's blocks of 32, quantised by the Python package gguf
NAME-k.gguf                 one layer of a family, each matrix in one of ggml's blocks of 256, or in IQ4_NL: random bits with scales of the size of the model's weights,
                            dequantised by the package gguf, which cannot quantise these types
NAME-[kept|k].golden.safetensors  input_ids [2, 24]; logits [2, 24, vocabulary] in float32 of the model with the dequantised values; greedy: input_ids[0, :6] and 24 greedy tokens
"""
import os, sys
import numpy as np
import torch
import gguf
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "families"))
import generate as g

EVEN = g.ODD | dict(hidden_size=64, intermediate_size=96, num_hidden_layers=2)
CASES = {
    "qwen2": ("qwen2", EVEN | dict(tie_word_embeddings=True, rope_parameters=g.rope(1e6))),
    "mistral": ("mistral", EVEN | dict(sliding_window=9, rope_parameters=g.rope())),
    "qwen3": ("qwen3", EVEN | dict(head_dim=24, tie_word_embeddings=True, rope_parameters=g.rope(1e6))),
    "smollm3": ("smollm3", EVEN | dict(num_hidden_layers=4, rope_parameters=g.rope(5e6))),
    "granite": ("granite", EVEN | dict(embedding_multiplier=12.0, residual_multiplier=0.22, attention_multiplier=0.3, logits_scaling=8.0, attention_bias=True, mlp_bias=True, rope_parameters=g.rope())),
    "olmo2": ("olmo2", EVEN | dict(rope_parameters=g.rope(500000.0))),
    "phi3": ("phi3", EVEN | dict(rope_parameters=g.rope(partial_rotary_factor=0.5), sliding_window=13)),
    "gemma3": ("gemma3_text", EVEN | dict(num_hidden_layers=7, head_dim=24, sliding_window=10, query_pre_attn_scalar=24)),
}
TYPES = ["Q4_0", "Q5_1", "Q8_0", "Q4_1", "Q5_0"]

LARGE = EVEN | dict(hidden_size=256, intermediate_size=256, num_hidden_layers=1, num_attention_heads=8, num_key_value_heads=2)
K_CASES = {
    "qwen2": ("qwen2", LARGE | dict(rope_parameters=g.rope(1e6))),
    "qwen3": ("qwen3", LARGE | dict(head_dim=64, tie_word_embeddings=True, rope_parameters=g.rope(1e6))),
    "olmo2": ("olmo2", LARGE | dict(rope_parameters=g.rope(500000.0))),
    "phi3": ("phi3", LARGE | dict(rope_parameters=g.rope(partial_rotary_factor=0.5), sliding_window=13)),
    "gemma3": ("gemma3_text", LARGE | dict(head_dim=64, sliding_window=10, query_pre_attn_scalar=64)),
}
K_TYPES = ["Q4_K", "Q6_K", "Q5_K", "IQ4_NL"]
# a block's scale for weights of 1: half a step of the format at the largest of its scales; and its minimum, in scales
K_SCALE = {"Q4_K": 1 / (4.6 * 32), "Q5_K": 1 / (9.2 * 32), "Q6_K": 1 / (18.5 * 74), "IQ4_NL": 1 / 70}
K_MINIMUM = {"Q4_K": 7.5, "Q5_K": 15.5}

def random_blocks(p, name, rng):
    kind = gguf.GGMLQuantizationType[name]
    block, size = gguf.GGML_QUANT_SIZES[kind]
    count = p.numel() // block
    raw = rng.integers(0, 256, (count, size), dtype=np.uint8)
    d = (float(p.std()) * K_SCALE[name] * (0.5 + rng.random(count))).astype(np.float16)
    at = 208 if name == "Q6_K" else 0
    raw[:, at:at + 2] = d.view(np.uint8).reshape(count, 2)
    if name in K_MINIMUM: raw[:, 2:4] = (d.astype(np.float32) * K_MINIMUM[name]).astype(np.float16).view(np.uint8).reshape(count, 2)
    return raw.reshape(p.shape[0], -1), kind

def case(out, name, seed, cases=CASES, suffix="kept"):
    kind, values = cases[name]
    rng = np.random.default_rng(seed)
    model = g.spread(AutoModelForCausalLM.from_config(g.config_of(kind, values), dtype=torch.float32), seed).eval().requires_grad_(False)
    blocks = {}
    for i, (key, p) in enumerate((k, p) for k, p in model.named_parameters() if p.dim() == 2):
        if suffix == "k": stored, kept = random_blocks(p, K_TYPES[(i + seed) % len(K_TYPES)], rng)
        else:
            kept = gguf.GGMLQuantizationType[TYPES[(i + seed) % len(TYPES)]]
            stored = gguf.quants.quantize(p.numpy(), kept)
        p.copy_(torch.from_numpy(gguf.quants.dequantize(stored, kept)))
        blocks[key] = (stored, kept)
    g.to_gguf(os.path.join(out, f"{name}-{suffix}.gguf"), model, blocks)
    x = g.ids(seed + 1, 2, 24, model.config.vocab_size)
    greedy = x[:1, :6]
    for _ in range(24):
        two = torch.topk(model(greedy).logits[0, -1], 2)
        assert suffix == "kept" or two.values[0] - two.values[1] > 1e-3, "a near tie"  # so that rounding cannot change a token
        greedy = torch.cat([greedy, two.indices[None, :1]], 1)
    save_file({"input_ids": x, "logits": model(x).logits.contiguous(), "greedy": greedy.contiguous()}, os.path.join(out, f"{name}-{suffix}.golden.safetensors"))

if __name__ == "__main__":
    torch.set_num_threads(1)
    for s, name in enumerate(CASES): case(sys.argv[1], name, 7000 + s)
    for s, name in enumerate(K_CASES): case(sys.argv[1], name, 7100 + s, K_CASES, "k")

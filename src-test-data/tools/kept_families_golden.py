"""Quantised GGUF files of every family, and what Hugging Face transformers computes from the same values.

Needs torch, transformers, safetensors, gguf. Usage: python3 kept_families_golden.py OUT, with OUT = src-test-data/gguf
NAME-kept.gguf              a tiny model of one family, each matrix in one of ggml's blocks of 32, quantised by the Python package gguf
NAME-kept.golden.safetensors  input_ids [2, 24]; logits [2, 24, vocabulary] in float32 of the model with the dequantised values; greedy: input_ids[0, :6] and 24 greedy tokens
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

def case(out, name, seed):
    kind, values = CASES[name]
    model = g.spread(AutoModelForCausalLM.from_config(g.config_of(kind, values), dtype=torch.float32), seed).eval().requires_grad_(False)
    blocks = {}
    for i, (key, p) in enumerate((k, p) for k, p in model.named_parameters() if p.dim() == 2):
        kept = gguf.GGMLQuantizationType[TYPES[(i + seed) % len(TYPES)]]
        stored = gguf.quants.quantize(p.numpy(), kept)
        p.copy_(torch.from_numpy(gguf.quants.dequantize(stored, kept)))
        blocks[key] = (stored, kept)
    g.to_gguf(os.path.join(out, f"{name}-kept.gguf"), model, blocks)
    x = g.ids(seed + 1, 2, 24, model.config.vocab_size)
    greedy = x[:1, :6]
    for _ in range(24): greedy = torch.cat([greedy, model(greedy).logits[:, -1:].argmax(-1)], 1)
    save_file({"input_ids": x, "logits": model(x).logits.contiguous(), "greedy": greedy.contiguous()}, os.path.join(out, f"{name}-kept.golden.safetensors"))

if __name__ == "__main__":
    torch.set_num_threads(1)
    for s, name in enumerate(CASES): case(sys.argv[1], name, 7000 + s)

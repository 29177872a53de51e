"""RoPE values for bts4j, computed by Hugging Face transformers' LlamaRotaryEmbedding: the values come from code that is not ours.

Needs torch and transformers. Usage: python3 rope_golden.py OUT.json
Every case holds the configuration, the length of the sequence that one forward pass sees, the inverse frequencies after that pass
(float32, written exactly), the attention factor, and the cosines and sines of a few positions, first half of the columns (the second
half repeats it).
"""
import json, platform, sys
import torch, transformers
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

POSITIONS = [0, 1, 2, 7, 63, 100, 511, 1000, 2047, 4095, 8000, 8191]

def yarn(**more):
    return {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 2048, **more}

# name: (head_dim, theta, max_position_embeddings, scaling, length of the sequence)
CASES = {
    "default, Llama 2": (128, 10000.0, 4096, {"rope_type": "default"}, 4096),
    "default, the paper's seed": (128, 500000.0, 8192, {"rope_type": "default"}, 8192),
    "default, small head": (12, 10000.0, 256, {"rope_type": "default"}, 256),
    "linear": (64, 10000.0, 8192, {"rope_type": "linear", "factor": 4.0}, 8192),
    "linear, odd factor": (64, 10000.0, 8192, {"rope_type": "linear", "factor": 2.7}, 8192),
    "dynamic, below": (64, 10000.0, 2048, {"rope_type": "dynamic", "factor": 2.0}, 1001),
    "dynamic, at": (64, 10000.0, 2048, {"rope_type": "dynamic", "factor": 2.3}, 2048),
    "dynamic, above": (64, 10000.0, 2048, {"rope_type": "dynamic", "factor": 2.0}, 4096),
    "dynamic, far above": (128, 500000.0, 2048, {"rope_type": "dynamic", "factor": 4.0}, 8192),
    "llama3, Llama 3.1 8B": (128, 500000.0, 131072, {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
        "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}, 8192),
    "llama3, Llama 3.2 1B": (64, 500000.0, 131072, {"rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0,
        "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}, 8192),
    "llama3, small": (16, 10000.0, 512, {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
        "high_freq_factor": 4.0, "original_max_position_embeddings": 64}, 512),
    "yarn": (128, 10000.0, 8192, yarn(), 8192),
    "yarn, mscale": (64, 10000.0, 8192, yarn(mscale=0.707, mscale_all_dim=1.0), 8192),
    "yarn, mscale alone": (64, 10000.0, 8192, yarn(mscale=0.707), 8192),
    "yarn, attention factor": (64, 10000.0, 8192, yarn(attention_factor=1.25, mscale=0.707, mscale_all_dim=1.0), 8192),
    "yarn, betas": (64, 500000.0, 8192, yarn(beta_fast=16.0, beta_slow=2.0), 8192),
    "yarn, no truncation": (64, 10000.0, 8192, yarn(truncate=False), 8192),
    "yarn, ramp of no width": (8, 10000.0, 8192, yarn(beta_fast=8.0, beta_slow=8.0, truncate=False), 8192),
    "yarn, factor 1": (64, 10000.0, 2048, yarn(factor=1.0), 2048),
}

def case(head_dim, theta, context, scaling, length):
    config = LlamaConfig(hidden_size=4 * head_dim, num_attention_heads=4, num_key_value_heads=4, head_dim=head_dim,
                         max_position_embeddings=context, rope_parameters={**scaling, "rope_theta": theta})
    rope = LlamaRotaryEmbedding(config)
    cos, sin = rope(torch.zeros(1, dtype=torch.float32), torch.arange(length)[None])
    half = head_dim // 2
    rows = {p: {"cos": cos[0, p, :half].tolist(), "sin": sin[0, p, :half].tolist()} for p in POSITIONS if p < length}
    return {"head_dim": head_dim, "rope_theta": theta, "max_position_embeddings": context, "rope_scaling": scaling,
            "sequence_length": length, "inv_freq": rope.inv_freq.tolist(), "attention_factor": float(rope.attention_scaling), "rows": rows}

def short(value):
    """float32 numbers in the 9 digits that give them back."""
    if isinstance(value, float): return float(f"{value:.9g}")
    if isinstance(value, list): return [short(v) for v in value]
    if isinstance(value, dict): return {k: (v if k in ("rope_scaling", "rope_theta", "attention_factor") else short(v)) for k, v in value.items()}
    return value

def main():
    result = {"versions": {"torch": torch.__version__, "transformers": transformers.__version__, "python": platform.python_version()},
              "cases": {name: short(case(*arguments)) for name, arguments in CASES.items()}}
    with open(sys.argv[1], "w") as f:
        json.dump(result, f, separators=(",", ":")); f.write("\n")

if __name__ == "__main__":
    main()

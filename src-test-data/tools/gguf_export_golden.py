"""SHA-256 of the bytes of each tensor, in GGUF's names, that the Python package gguf and numpy make of models of ../golden. Writes ../gguf/export.json.

Needs gguf, torch, transformers. Usage: python gguf_export_golden.py
With a file: python gguf_export_golden.py FILE.gguf reads what `bts export --gguf` wrote with gguf's own reader and prints it.
"""
import hashlib, json, os, sys
import numpy as np, torch, transformers, gguf
from gguf import GGMLQuantizationType as T

here = os.path.dirname(os.path.abspath(__file__))
golden = os.path.join(here, "..", "golden")
NAMES = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
LAYER = {"input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
         "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down"}

def permute(w, heads):  # as convert_hf_to_gguf.py
    return w.reshape(heads, 2, w.shape[0] // heads // 2, *w.shape[1:]).swapaxes(1, 2).reshape(w.shape)

def gguf_name(name):
    stem, kind = name.rsplit(".", 1)
    if stem in NAMES: return f"{NAMES[stem]}.{kind}"
    _, _, layer, rest = stem.split(".", 3)
    return f"blk.{layer}.{LAYER[rest]}.{kind}"

def tensors(case, kind):
    folder = os.path.join(golden, case)
    model = transformers.LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32)
    c = model.config
    hashes = {}
    for name, t in model.state_dict().items():
        if name == "lm_head.weight" and c.tie_word_embeddings: continue
        x = t.numpy()
        if "q_proj" in name: x = permute(x, c.num_attention_heads)
        if "k_proj" in name: x = permute(x, c.num_key_value_heads)
        x = np.ascontiguousarray(x)
        own = T.F32 if x.ndim == 1 else T.F16 if kind == T.Q8_0 and x.shape[-1] % 32 else kind
        hashes[gguf_name(name)] = [own.name, hashlib.sha256(gguf.quants.quantize(x, own).tobytes()).hexdigest()]
    return hashes

if len(sys.argv) > 1:
    reader = gguf.GGUFReader(sys.argv[1])
    for key, field in reader.fields.items():
        value = field.contents()
        print(key, "=", value if not isinstance(value, list) else f"{len(value)} values, {value[:3]} ..")
    for t in reader.tensors: print(t.name, t.tensor_type.name, list(t.shape))
else:
    result = {f"{case} {kind.name}": tensors(case, kind) for case in ("llama2-gqa", "biased-headdim-fp16", "llama32-tied-scaled-bf16", "bts-mqa") for kind in (T.F16, T.Q8_0)}
    with open(os.path.join(here, "..", "gguf", "export.json"), "w") as f: json.dump(result, f, indent=0)

"""Golden values for the model families, computed by Hugging Face transformers and PyTorch: the values come from code that is not ours.

Needs torch, transformers, safetensors, gguf. Usage: python3 generate.py OUT [--only NAME]
Every folder holds a tiny Hugging Face checkpoint of one family (config.json, model.safetensors), the same weights as model.gguf, written by the Python package gguf
under the architecture's own keys and names as llama.cpp's converter writes them, and
  golden.safetensors   inputs and expected outputs
  golden.json          versions, what each tensor is
Of each family there are two sizes with odd shapes; the second has what the first leaves out. Weights are random, drawn from a fixed seed, and rounded to float16 so that
files are small; norms are not all ones. Gradients are of the loss with respect to the embeddings, through every frozen layer. A folder NAME-stitched is a hub of one family
and an expert of another with one stitch.safetensors, computed as the paper's appendix B says on transformers' own layers.
"""
import argparse, json, math, os, platform
import numpy as np
import torch, transformers
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM
import gguf

ODD = dict(vocab_size=67, hidden_size=24, intermediate_size=40, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=96,
           bos_token_id=1, eos_token_id=2, pad_token_id=None, rms_norm_eps=1e-5)
OTHER = ODD | dict(vocab_size=53, hidden_size=36, intermediate_size=28, num_hidden_layers=4, num_attention_heads=6, num_key_value_heads=3)

def rope(theta=10000.0, **more): return {"rope_type": "default", "rope_theta": theta} | more
LONG = dict(rope_type="longrope", short_factor=[1.0, 1.3], long_factor=[1.9, 4.5], original_max_position_embeddings=48)

CASES = {
    "qwen2-tied": ("qwen2", ODD | dict(tie_word_embeddings=True, rope_parameters=rope(1e6))),
    "qwen2-window": ("qwen2", OTHER | dict(use_sliding_window=True, sliding_window=7, max_window_layers=2, rope_parameters=rope())),
    "mistral-window": ("mistral", ODD | dict(sliding_window=9, head_dim=10, rope_parameters=rope())),
    "mistral-full": ("mistral", OTHER | dict(sliding_window=None, rope_parameters=rope(1e6))),
    "qwen3-headdim": ("qwen3", ODD | dict(head_dim=10, tie_word_embeddings=True, rope_parameters=rope(1e6))),
    "qwen3-biased": ("qwen3", OTHER | dict(head_dim=8, attention_bias=True, use_sliding_window=True, sliding_window=11, max_window_layers=3, rope_parameters=rope())),
    "smollm3-nope": ("smollm3", OTHER | dict(rope_parameters=rope(5e6))),
    "smollm3-window": ("smollm3", ODD | dict(no_rope_layers=[1, 0, 1], use_sliding_window=True, sliding_window=8, tie_word_embeddings=False, rope_parameters=rope())),
    "granite-scaled": ("granite", ODD | dict(embedding_multiplier=12.0, residual_multiplier=0.22, attention_multiplier=0.3, logits_scaling=8.0, tie_word_embeddings=True, rope_parameters=rope())),
    "granite-biased": ("granite", OTHER | dict(embedding_multiplier=3.0, residual_multiplier=0.7, attention_multiplier=0.11, logits_scaling=1.7, attention_bias=True, mlp_bias=True,
        rope_parameters=rope())),
    "olmo2-mha": ("olmo2", ODD | dict(num_key_value_heads=4, rope_parameters=rope(500000.0))),
    "olmo2-gqa": ("olmo2", OTHER | dict(rope_parameters=rope())),
    "phi3-partial": ("phi3", ODD | dict(hidden_size=32, rope_parameters=rope(partial_rotary_factor=0.5), sliding_window=13)),
    "phi3-longrope": ("phi3", OTHER | dict(rope_parameters=rope(partial_rotary_factor=0.75) | LONG, original_max_position_embeddings=48, tie_word_embeddings=True)),
    "gemma3-local": ("gemma3_text", OTHER | dict(num_hidden_layers=7, head_dim=8, sliding_window=10, query_pre_attn_scalar=8)),
    "gemma3-stretched": ("gemma3_text", ODD | dict(head_dim=10, sliding_window=6, query_pre_attn_scalar=6, layer_types=["sliding_attention", "full_attention", "sliding_attention"],
        rope_parameters={"full_attention": rope(1e6, factor=8.0) | {"rope_type": "linear"}, "sliding_attention": rope()})),
}
NO_GGUF = {"qwen2-window", "qwen3-biased", "smollm3-window", "gemma3-stretched"}   # what llama.cpp's format has no keys for

def spread(model, seed):
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.dim() == 1 and "norm" in name: p.copy_(p.mean() + 0.3 * torch.randn(p.shape, generator=g))
            elif p.dim() == 1: p.copy_(0.1 * torch.randn(p.shape, generator=g))
            elif "embed" in name or "lm_head" in name: p.copy_(0.5 * torch.randn(p.shape, generator=g))
            else: p.copy_(torch.randn(p.shape, generator=g) * (1.2 / math.sqrt(p.shape[1])))
            p.copy_(p.to(torch.float16).to(torch.float32))
    return model

def ids(seed, batch, length, vocab): return torch.randint(3, vocab, (batch, length), generator=torch.Generator().manual_seed(seed))
def versions(): return {"torch": torch.__version__, "transformers": transformers.__version__, "gguf": __import__("importlib.metadata").metadata.version("gguf"), "python": platform.python_version()}

def write(folder, tensors, about):
    save_file({k: v.detach().contiguous() for k, v in tensors.items()}, os.path.join(folder, "golden.safetensors"))
    with open(os.path.join(folder, "golden.json"), "w") as f: json.dump(about | {"versions": versions()}, f, indent=1)

def config_of(kind, values):
    c = AutoConfig.for_model(kind, **values); c._attn_implementation = "eager"; return c

def case(out, name, seed):
    kind, values = CASES[name]
    folder = os.path.join(out, name); os.makedirs(folder, exist_ok=True)
    model = spread(AutoModelForCausalLM.from_config(config_of(kind, values), dtype=torch.float32), seed)
    model.to(torch.float16).save_pretrained(folder)
    for extra in ("generation_config.json",):
        if os.path.exists(os.path.join(folder, extra)): os.remove(os.path.join(folder, extra))
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    c = model.config
    x = ids(seed + 1, 2, 60, c.vocab_size)
    embedded = model.get_input_embeddings()(x[:1, :24]).detach().requires_grad_(True)
    model.requires_grad_(False)
    z = model(inputs_embeds=embedded).logits
    partial = torch.nn.functional.cross_entropy(z[:, :-1].reshape(-1, c.vocab_size), x[:1, 1:24].reshape(-1)); partial.backward()
    with torch.no_grad():
        r = model(x, output_hidden_states=True)
        greedy = x[:1, :6]
        for _ in range(40): greedy = torch.cat([greedy, model(greedy).logits[:, -1:].argmax(-1)], 1)
    loss = torch.nn.functional.cross_entropy(r.logits[:, :-1].reshape(-1, c.vocab_size), x[:, 1:].reshape(-1))
    t = {"input_ids": x, "logits": r.logits, "loss": loss.reshape(1), "greedy_ids": greedy, "gradient": embedded.grad, "gradient_loss": partial.reshape(1)}
    for i, h in enumerate(r.hidden_states): t[f"hidden.{i}"] = h[:1]
    write(folder, t, {"about": "input_ids [2,60]; logits [2,60,vocab]; hidden.i of the first row: 0 embeddings, i after layer i, the last one after the final norm; loss: mean "
        "next-token cross-entropy in nats; gradient: of gradient_loss, the loss over the first row's 24 tokens, with respect to what the first layer reads; greedy_ids: prompt "
        "input_ids[0,:6] and 40 greedy tokens by full recomputation"})
    if name not in NO_GGUF: to_gguf(os.path.join(folder, "model.gguf"), model)

# --- GGUF -------------------------------------------------------------------------------------------------------------------------------------------------------------

PERMUTED = {"mistral", "smollm3", "granite"}   # architectures whose converters derive from llama.cpp's LlamaModel
ARCHITECTURE = {"mistral": "llama", "gemma3_text": "gemma3"}
MODEL = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
LAYER = {"input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
         "self_attn.qkv_proj": "attn_qkv", "self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm", "post_attention_layernorm": "ffn_norm",
         "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.gate_up_proj": "ffn_up", "mlp.down_proj": "ffn_down"}
BEHIND = {"post_attention_layernorm": "post_attention_norm", "pre_feedforward_layernorm": "ffn_norm", "post_feedforward_layernorm": "post_ffw_norm"}

def gguf_name(kind, name):
    stem, part = name.rsplit(".", 1)
    if stem in MODEL: return f"{MODEL[stem]}.{part}"
    _, _, layer, rest = stem.split(".", 3)
    names = LAYER | (BEHIND if kind in ("olmo2", "gemma3_text") else {})
    return f"blk.{layer}.{names[rest]}.{part}"

def permute(w, heads): return w.reshape(heads, 2, w.shape[0] // heads // 2, *w.shape[1:]).swapaxes(1, 2).reshape(w.shape)

def to_gguf(path, model, blocks=None):
    """blocks: quantised bytes [rows, bytes of a row] and their type by the names of matrices"""
    c = model.config; kind = c.model_type
    head_dim = getattr(c, "head_dim", None) or c.hidden_size // c.num_attention_heads
    w = gguf.GGUFWriter(path, ARCHITECTURE.get(kind, kind))
    w.add_name(os.path.basename(os.path.dirname(path))); w.add_context_length(c.max_position_embeddings); w.add_embedding_length(c.hidden_size); w.add_block_count(c.num_hidden_layers)
    w.add_feed_forward_length(c.intermediate_size); w.add_head_count(c.num_attention_heads); w.add_head_count_kv(c.num_key_value_heads); w.add_layer_norm_rms_eps(c.rms_norm_eps)
    w.add_vocab_size(c.vocab_size); w.add_key_length(head_dim); w.add_value_length(head_dim)
    r = c.rope_parameters; r = r.get("full_attention", r)
    w.add_rope_freq_base(r["rope_theta"]); w.add_rope_dimension_count(int(head_dim * r.get("partial_rotary_factor", 1.0)))
    if getattr(c, "sliding_window", None): w.add_sliding_window(c.sliding_window)
    if kind == "granite":
        w.add_attention_scale(c.attention_multiplier); w.add_embedding_scale(c.embedding_multiplier); w.add_residual_scale(c.residual_multiplier); w.add_logit_scale(c.logits_scaling)
    if r["rope_type"] == "longrope":
        old = r["original_max_position_embeddings"]; stretch = c.max_position_embeddings / old
        w.add_rope_scaling_orig_ctx_len(old); w.add_rope_scaling_attn_factors(math.sqrt(1 + math.log(stretch) / math.log(old)))
        w.add_tensor("rope_factors_long.weight", np.array(r["long_factor"], dtype=np.float32)); w.add_tensor("rope_factors_short.weight", np.array(r["short_factor"], dtype=np.float32))
    w.add_tokenizer_model("none"); w.add_bos_token_id(c.bos_token_id); w.add_eos_token_id(c.eos_token_id)
    for name, t in model.state_dict().items():
        if name == "lm_head.weight" and c.tie_word_embeddings: continue
        x, stored = (blocks or {}).get(name, (t.float().numpy(), None))
        if kind in PERMUTED and "q_proj" in name: x = permute(x, c.num_attention_heads)
        if kind in PERMUTED and "k_proj" in name: x = permute(x, c.num_key_value_heads)
        if kind == "gemma3_text" and name.endswith("norm.weight"): x = x + 1
        x = np.ascontiguousarray(x)
        if stored is not None: w.add_tensor(gguf_name(kind, name), x, raw_dtype=stored)
        else: w.add_tensor(gguf_name(kind, name), x if x.ndim == 1 else x.astype(np.float16))
    w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close()

# --- stitched -----------------------------------------------------------------------------------------------------------------------------------------------------------

def layer_arguments(m, h, length):
    """What transformers' own forward hands to each layer: mask and rotary table by the layer's kind."""
    pos = torch.arange(length)[None]; far = torch.full((length, length), float("-inf")).triu(1)
    window = getattr(m.config, "sliding_window", None)
    near = far if not window else far + torch.full((length, length), float("-inf")).tril(-window)
    kinds = getattr(m.config, "layer_types", None) or (["sliding_attention" if window else "full_attention"] * m.config.num_hidden_layers)
    if m.config.model_type == "gemma3_text": tables = {k: m.model.rotary_emb(h, pos, k) for k in set(kinds)}
    else: tables = {k: m.model.rotary_emb(h, pos) for k in set(kinds)}
    return [dict(attention_mask=(near if k == "sliding_attention" else far)[None, None], position_ids=pos, position_embeddings=tables[k]) for k in kinds]

def embed(m, x):
    h = m.model.embed_tokens(x)
    return h * m.config.embedding_multiplier if m.config.model_type == "granite" else h

def stitched_forward(models, p, x, places):
    n = len(models) - 1; k = len(places)
    h = [embed(m, x) for m in models]
    arguments = [layer_arguments(m, h[i], x.shape[1]) for i, m in enumerate(models)]
    for layer in range(models[0].config.num_hidden_layers):
        for i, m in enumerate(models):
            o = m.model.layers[layer](h[i], **arguments[i][layer]); h[i] = o[0] if isinstance(o, tuple) else o
        if layer + 1 in places:
            j = places.index(layer + 1)
            g = torch.einsum("bsd,nod->bson", h[0], p[f"stitch.{j}.gate.weight"])
            proj = [p[f"stitch.{j}.proj.{i}.weight"] for i in range(1, n + 1)]
            if (k - 1 - j) % 2 == 0:
                g = g.softmax(-1); he = [h[i + 1] @ proj[i].T for i in range(n)]
                h = [g[..., 0] * h[0] + sum(g[..., i + 1] * he[i] for i in range(n))] + he
            else:
                g = g.sigmoid(); h = [h[0]] + [(1 - g[..., i + 1]) * h[i + 1] + g[..., i + 1] * (h[0] @ proj[i].T) for i in range(n)]
    z = models[0].lm_head(models[0].model.norm(h[0]))
    return z / models[0].config.logits_scaling if models[0].config.model_type == "granite" else z

# hub, expert of the same layers, width and vocabulary: a sibling of the family, or another family
STITCHED = {"qwen2-tied": "qwen2", "mistral-window": "qwen3", "qwen3-headdim": "qwen3", "smollm3-window": "llama", "granite-scaled": "granite", "olmo2-mha": "mistral", "phi3-longrope": "phi3",
            "gemma3-stretched": "gemma3_text"}

def stitched(out, hub, seed):
    folder = os.path.join(out, hub + "-stitched"); expert_folder = os.path.join(folder, "expert"); os.makedirs(expert_folder, exist_ok=True)
    kind, values = CASES[hub]
    if STITCHED[hub] != kind:
        values = {k: values[k] for k in ODD} | dict(rope_parameters=rope())
        if STITCHED[hub] == "mistral": values |= dict(sliding_window=5)
    expert = spread(AutoModelForCausalLM.from_config(config_of(STITCHED[hub], values), dtype=torch.float32), seed + 5)
    expert.to(torch.float16).save_pretrained(expert_folder)
    if os.path.exists(os.path.join(expert_folder, "generation_config.json")): os.remove(os.path.join(expert_folder, "generation_config.json"))
    models = [AutoModelForCausalLM.from_pretrained(f, dtype=torch.float32, attn_implementation="eager").eval().requires_grad_(False) for f in (os.path.join(out, hub), expert_folder)]
    c = models[0].config; d = c.hidden_size; g = torch.Generator().manual_seed(seed + 50); places = [1, c.num_hidden_layers]
    p = {}
    for j in range(2):
        p[f"stitch.{j}.gate.weight"] = torch.randn(2, d, d, generator=g) * (0.7 / math.sqrt(d))
        p[f"stitch.{j}.proj.1.weight"] = torch.eye(d) + torch.randn(d, d, generator=g) * (0.3 / math.sqrt(d))
    save_file(p, os.path.join(folder, "stitch.safetensors"))
    x = ids(seed + 99, 2, 30, c.vocab_size)
    for q in p.values(): q.requires_grad_(True)
    z = stitched_forward(models, p, x, places)
    loss = torch.nn.functional.cross_entropy(z[:, :-1].reshape(-1, c.vocab_size), x[:, 1:].reshape(-1)); loss.backward()
    t = {"input_ids": x, "logits": z, "loss": loss.reshape(1)} | {"grad." + a: q.grad.clone() for a, q in p.items()}
    with torch.no_grad():
        y = x[:1, :6]
        for _ in range(40): y = torch.cat([y, stitched_forward(models, p, y, places)[:, -1:].argmax(-1)], 1)
    t["greedy_ids"] = y
    write(folder, t, {"places": places, "hub": hub, "about": "the hub is the folder of that name beside this one, the expert is in expert; grad.*: of the loss with respect to each "
        "stitch tensor, through the frozen layers; greedy_ids: input_ids[0,:6] and 40 greedy tokens"})

if __name__ == "__main__":
    a = argparse.ArgumentParser(); a.add_argument("out"); a.add_argument("--only"); a = a.parse_args()
    torch.set_num_threads(1); transformers.logging.set_verbosity_error()
    for s, name in enumerate(CASES):
        if a.only in (None, name): case(a.out, name, 100 * (s + 1))
    for s, name in enumerate(STITCHED):
        if a.only in (None, name + "-stitched"): stitched(a.out, name, 5000 + 100 * s)

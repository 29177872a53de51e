"""Files that are written otherwise than most, and what transformers makes of them. What llama.cpp makes of the GGUF files is leniency_golden.mjs's.

Needs gguf, numpy, torch, transformers, safetensors. Deterministic. Usage: python leniency_golden.py
Writes into ../leniency:
  head-only, other-head, equal-head    tied models that store only lm_head.weight, one that differs from the embeddings, one that equals them;
                                       golden.safetensors in each: token ids, and the logits that transformers computes
  added-tokens                         tokenizer_config.json with tokens in added_tokens_decoder that tokenizer.json lacks; golden.json: ids of texts
  rope-none.gguf, rope-untyped.gguf    llama.rope.scaling.factor 4 with the type "none", and without a type, which llama.cpp takes for "linear";
                                       NAME.golden.safetensors: what transformers computes without scaling, and with linear scaling
  bpe-default.gguf, bpe-untyped.gguf, bpe-smaug-bpe.gguf, spm-without-ids.gguf
                                       the tokenizers of ../gguf with tokenizer.ggml.pre "default", without it, with "smaug-bpe"; without any ids of roles
"""
import json, os, shutil
import gguf, numpy as np, torch, transformers
from safetensors.torch import save_file

here = os.path.dirname(os.path.abspath(__file__))
out = os.path.join(here, "..", "leniency")
SIZES = dict(vocab_size=64, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1, head_dim=8,
             max_position_embeddings=64, bos_token_id=1, eos_token_id=2)
IDS = torch.tensor([[5, 9, 2, 33, 61, 8, 8, 17, 40, 3]])

def model(tied, **rope):
    torch.manual_seed(25)
    m = transformers.LlamaForCausalLM(transformers.LlamaConfig(**SIZES, tie_word_embeddings=tied, **rope)).eval()
    with torch.no_grad():
        for p in m.parameters():
            p.copy_(torch.randn(p.shape) * 0.3 + (1 if p.ndim == 1 else 0))
    return m

def logits(m):
    with torch.no_grad(): return m(IDS).logits.contiguous()

def heads():
    for name in ("head-only", "other-head", "equal-head"):
        folder = os.path.join(out, name); os.makedirs(folder, exist_ok=True)
        m = model(True); m.config.save_pretrained(folder)
        state = {k: v.clone().contiguous() for k, v in m.state_dict().items()}
        if name == "head-only": del state["model.embed_tokens.weight"]
        if name == "other-head": state["lm_head.weight"] = torch.randn(64, 16, generator=torch.Generator().manual_seed(3))
        save_file(state, os.path.join(folder, "model.safetensors"), metadata={"format": "pt"})
        loaded = transformers.LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        save_file({"input_ids": IDS, "logits": logits(loaded)}, os.path.join(folder, "golden.safetensors"))

def added_tokens():
    folder = os.path.join(out, "added-tokens"); os.makedirs(folder, exist_ok=True)
    source = os.path.join(here, "..", "tokenizer", "tokenizer.json")
    shutil.copy(source, folder)
    size = len(json.load(open(source))["model"]["vocab"])
    token = lambda content, special, normalized=False: dict(content=content, lstrip=False, normalized=normalized, rstrip=False, single_word=False, special=special)
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<|begin|>", "eos_token": "<|tool|>",
              "added_tokens_decoder": {str(size): token("<|tool|>", True), str(size + 1): token("Zebra", False, True)}}
    json.dump(config, open(os.path.join(folder, "tokenizer_config.json"), "w"), indent=1)
    t = transformers.AutoTokenizer.from_pretrained(folder)
    os.remove(os.path.join(folder, "tokenizer.json"))  # the test takes ../tokenizer's
    rows = [{"text": s, "ids": t.encode(s, add_special_tokens=False), "plain": t.decode(t.encode(s, add_special_tokens=False), skip_special_tokens=True)}
            for s in ("<|tool|>", "a Zebra <|tool|> b", "Zebras and zebras", "no such token")]
    json.dump({"transformers": transformers.__version__, "size": len(t), "eos": t.eos_token_id, "rows": rows}, open(os.path.join(folder, "golden.json"), "w"), indent=1)

NAMES = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output", "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q",
         "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "post_attention_layernorm": "ffn_norm",
         "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down"}

def gguf_name(name):
    stem = name.rsplit(".", 1)[0]
    if stem in NAMES: return NAMES[stem] + ".weight"
    _, _, layer, rest = stem.split(".", 3)
    return f"blk.{layer}.{NAMES[rest]}.weight"

def permute(w, heads): return w.reshape(heads, 2, w.shape[0] // heads // 2, w.shape[1]).swapaxes(1, 2).reshape(w.shape)

def ropes():
    for name, kind, parameters in (("rope-none", "none", {}), ("rope-untyped", None, {"rope_scaling": {"rope_type": "linear", "factor": 4.0}})):
        m = model(False, **parameters)
        save_file({"input_ids": IDS, "logits": logits(m)}, os.path.join(out, name + ".golden.safetensors"))
        w = gguf.GGUFWriter(os.path.join(out, name + ".gguf"), "llama")
        w.add_context_length(64); w.add_embedding_length(16); w.add_block_count(2); w.add_feed_forward_length(24); w.add_head_count(2); w.add_head_count_kv(1)
        w.add_layer_norm_rms_eps(m.config.rms_norm_eps); w.add_rope_freq_base(10000.0); w.add_rope_dimension_count(8); w.add_key_length(8); w.add_value_length(8)
        if kind: w.add_string("llama.rope.scaling.type", kind)
        w.add_float32("llama.rope.scaling.factor", 4.0); w.add_tokenizer_model("none"); w.add_vocab_size(64)
        for key, t in m.state_dict().items():
            x = t.numpy()
            if "q_proj" in key: x = permute(x, 2)
            if "k_proj" in key: x = permute(x, 1)
            w.add_tensor(gguf_name(key), np.ascontiguousarray(x))
        w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close()

def tokenizers():
    for name, source, pre in (("bpe-default", "gpt-2", "default"), ("bpe-untyped", "gpt-2", None), ("bpe-smaug-bpe", "gpt-2", "smaug-bpe"), ("spm-without-ids", "spm", "default")):
        fields = gguf.GGUFReader(os.path.join(here, "..", "gguf", source + ".gguf")).fields
        get = lambda key: fields["tokenizer.ggml." + key].contents()
        w = gguf.GGUFWriter(os.path.join(out, name + ".gguf"), "llama")
        w.add_tokenizer_model(get("model")); w.add_token_list(get("tokens")); w.add_token_types(get("token_type"))
        if pre: w.add_tokenizer_pre(pre)
        if source == "spm": w.add_token_scores(get("scores"))
        else: w.add_token_merges(get("merges")); w.add_bos_token_id(1); w.add_eos_token_id(2)
        w.add_context_length(64); w.add_embedding_length(16); w.add_block_count(1); w.add_head_count(2)  # llama.cpp reads these even for the vocabulary alone
        w.add_feed_forward_length(24); w.add_layer_norm_rms_eps(1e-5)
        w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close()

if __name__ == "__main__":
    heads(); added_tokens(); ropes(); tokenizers()

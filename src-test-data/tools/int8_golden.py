"""A small random Llama whose layers' matrices are int8 in the layout that compressed-tensors calls int-quantized (X.weight int8 [out, in], X.weight_scale [out, 1], the
description in config.json as that package writes it), and the logits that transformers computes with int8 * scale in their place. Embeddings and lm_head stay float32.
Usage: python int8_golden.py"""
import json, os
import torch, transformers
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../int8/compressed-tensors")
os.makedirs(out, exist_ok=True)
torch.manual_seed(11)
config = LlamaConfig(vocab_size=96, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=64,
                     bos_token_id=1, eos_token_id=2, tie_word_embeddings=False)
model = LlamaForCausalLM(config).float().eval()
stored = {}
with torch.no_grad():
    for name, p in model.named_parameters():
        if p.dim() == 2:
            p.copy_(torch.randn_like(p) * 0.15)
        if name.startswith("model.layers.") and p.dim() == 2:
            scale = p.abs().amax(1, keepdim=True) / 127
            q = torch.clamp(torch.round(p / scale), -128, 127).to(torch.int8)
            stored[name], stored[name + "_scale"] = q, scale
            p.copy_(q.float() * scale)
        else:
            stored[name] = p.detach().clone()
ids = torch.randint(0, 96, (2, 24))
with torch.no_grad():
    logits = model(ids).logits
save_file(stored, os.path.join(out, "model.safetensors"), {"format": "pt"})
save_file({"input_ids": ids, "logits": logits.contiguous()}, os.path.join(out, "golden.safetensors"))
described = config.to_dict()
described.update(architectures=["LlamaForCausalLM"], dtype="float32", quantization_config={
    "config_groups": {"group_0": {"input_activations": None, "output_activations": None, "targets": ["Linear"], "weights": {
        "actorder": None, "block_structure": None, "dynamic": False, "group_size": None, "num_bits": 8, "observer": "minmax", "observer_kwargs": {},
        "strategy": "channel", "symmetric": True, "type": "int"}}},
    "format": "int-quantized", "global_compression_ratio": None, "ignore": ["lm_head"], "kv_cache_scheme": None, "quant_method": "compressed-tensors",
    "quantization_status": "compressed"})
json.dump(described, open(os.path.join(out, "config.json"), "w"), indent=2)
json.dump({"transformers": transformers.__version__, "torch": torch.__version__}, open(os.path.join(out, "golden.json"), "w"), indent=2)

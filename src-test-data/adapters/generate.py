"""Golden adapters for bts4j, made, trained and saved by Hugging Face's PEFT over a small Llama: the values come from code that is not ours.

Needs torch, transformers, peft, safetensors. Usage: python3 generate.py OUT
OUT/base is a Hugging Face checkpoint; every other folder holds an adapter as PEFT saves it (adapter_config.json, adapter_model.safetensors) and
  golden.safetensors   inputs and expected outputs, float32 / int64
  documents.safetensors  for some: three documents, which tokens count, and the losses and gradients of passes over each document by itself
Folders whose name begins with "tied" or "biased" are of a base of their own, in the folder "base-tied" or "base-biased".
A and B are both random, so that every gradient is there; arithmetic is float32, adapters are not merged.
"""
import json, math, os, shutil, sys, warnings
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import LlamaConfig, LlamaForCausalLM

warnings.filterwarnings("ignore")
BASE = dict(vocab_size=96, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=64,
            rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2, pad_token_id=None, tie_word_embeddings=False, rope_parameters={"rope_type": "default", "rope_theta": 10000.0})
BASES = {"base": {}, "base-tied": dict(tie_word_embeddings=True), "base-biased": dict(attention_bias=True, mlp_bias=True)}
MLP = ["gate_proj", "up_proj", "down_proj"]
ALL = ["q_proj", "k_proj", "v_proj", "o_proj"] + MLP

TRAINED = {
    "lora": dict(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj"]),
    "rslora": dict(r=4, lora_alpha=3, use_rslora=True, target_modules="all-linear"),
    "dora": dict(r=2, lora_alpha=6, use_dora=True, target_modules=ALL),
    "patterns": dict(r=2, lora_alpha=4, target_modules=ALL, rank_pattern={"layers.1.self_attn.q_proj": 5, "(gate|up)_proj": 3}, alpha_pattern={"^model.layers.0.mlp.down_proj": 9.0, "o_proj": 1.5}),
    "saved": dict(r=4, lora_alpha=4, target_modules=["q_proj", "down_proj"], modules_to_save=["embed_tokens", "lm_head"]),
}
READ = {
    "regex": dict(r=2, lora_alpha=4, target_modules=r".*\.layers\.(?P<n>[01])\.self_attn\.[qk]_proj", exclude_modules=r".*\.0\..*k_proj"),
    "layers": dict(r=2, lora_alpha=4, target_modules=["o_proj", "up_proj"], exclude_modules=["self_attn.o_proj"], layers_to_transform=[1], layers_pattern="layers"),
    "embedding": dict(r=2, lora_alpha=4, target_modules=["embed_tokens", "lm_head", "v_proj"]),
    "norms": dict(r=2, lora_alpha=4, target_modules=["v_proj"], modules_to_save=["input_layernorm", "model.norm"]),
    "lorabias": dict(r=2, lora_alpha=4, target_modules=["q_proj", "down_proj"], lora_bias=True),
    "doraembedding": dict(r=2, lora_alpha=4, use_dora=True, use_rslora=True, target_modules=["embed_tokens", "k_proj"]),
    "tied-head": dict(r=2, lora_alpha=4, target_modules=["q_proj"], modules_to_save=["lm_head"]),
    "tied-embedding": dict(r=2, lora_alpha=4, target_modules=["q_proj"], modules_to_save=["embed_tokens"]),
    "tied-both": dict(r=2, lora_alpha=4, target_modules=["q_proj"], modules_to_save=["embed_tokens", "lm_head"]),
    "tied-lora": dict(r=2, lora_alpha=4, target_modules=["q_proj", "embed_tokens"]),
    "biased-all": dict(r=2, lora_alpha=4, target_modules=["q_proj", "up_proj"], bias="all"),
    "biased-loraonly": dict(r=2, lora_alpha=4, target_modules=["q_proj", "up_proj"], bias="lora_only"),
    "biased-lorabias": dict(r=2, lora_alpha=4, use_dora=True, target_modules=["q_proj", "up_proj"], bias="none"),
}

def base_of(name): return next(("base-" + p for p in ("tied", "biased") if name.startswith(p)), "base")

def make_base(out, name, seed):
    model = LlamaForCausalLM(LlamaConfig(**(BASE | BASES[name])))
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for key, p in model.named_parameters():
            if p.dim() == 1: p.copy_((1.0 if "norm" in key else 0.0) + 0.2 * torch.randn(p.shape, generator=g))
            else: p.copy_(torch.randn(p.shape, generator=g) * (0.5 if "embed" in key or "lm_head" in key else 1.2 / math.sqrt(p.shape[1])))
    model.save_pretrained(os.path.join(out, name))

def load_base(out, name):
    return LlamaForCausalLM.from_pretrained(os.path.join(out, base_of(name)), dtype=torch.float32, attn_implementation="eager")

def short(key):
    return key.replace(".default", "").replace(".modules_to_save", "").replace("lora_magnitude_vector.weight", "lora_magnitude_vector")

def make_adapter(out, name, options, seed):
    folder = os.path.join(out, name)
    model = get_peft_model(load_base(out, name), LoraConfig(task_type="CAUSAL_LM", init_lora_weights=False, **options))
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for key, p in model.named_parameters():
            if not p.requires_grad: continue
            if "magnitude" in key: p.mul_(1.0 + 0.2 * torch.randn(p.shape, generator=g))
            elif "lora_" in key: p.copy_(torch.randn(p.shape, generator=g) * (0.5 / math.sqrt(p.shape[-1])))
            else: p.add_(0.1 * torch.randn(p.shape, generator=g))
    model.save_pretrained(folder)
    if os.path.exists(os.path.join(folder, "README.md")): os.remove(os.path.join(folder, "README.md"))
    # PEFT names the base as it was loaded; here it lies beside the adapter
    path = os.path.join(folder, "adapter_config.json")
    with open(path) as f: config = json.load(f)
    config["base_model_name_or_path"] = "../" + base_of(name)
    with open(path, "w") as f: json.dump(config, f, indent=2, sort_keys=True)
    model = PeftModel.from_pretrained(load_base(out, name), folder, is_trainable=True).eval()   # as everyone else loads it
    ids = torch.randint(3, BASE["vocab_size"], (2, 20), generator=torch.Generator().manual_seed(seed + 1))
    logits = model(ids).logits.detach()
    t = {"input_ids": ids, "logits": logits}
    if name in TRAINED: t |= train(model, ids)
    save_file({k: v.detach().clone().contiguous() for k, v in t.items()}, os.path.join(folder, "golden.safetensors"))

def train(model, ids):
    """Ten AdamW steps on one batch: gradients of the first step, losses of all, and every weight after the last."""
    named = [(short(k), p) for k, p in model.named_parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW([p for _, p in named], lr=2e-3, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1)
    t = {}; losses = []
    for step in range(10):
        logits = model(ids).logits
        loss = torch.nn.functional.cross_entropy(logits[:, :-1].reshape(-1, logits.shape[-1]), ids[:, 1:].reshape(-1))
        optimizer.zero_grad(); loss.backward(); losses.append(loss.detach())
        if step == 0: t |= {"grad." + k: p.grad.clone() for k, p in named}
        optimizer.step()
    t |= {"after." + k: p for k, p in named}
    return t | {"losses": torch.stack(losses)}

def load_adapter(out, name):
    return PeftModel.from_pretrained(load_base(out, name), os.path.join(out, name), is_trainable=True).eval()

def make_documents(out, name, seed):
    """What packed documents have to give: every document runs alone, and the loss is 0.1 times the sum over the tokens that count."""
    model = load_adapter(out, name); g = torch.Generator().manual_seed(seed); t = {}
    for i, length in enumerate((10, 12, 25)):
        ids = torch.randint(3, BASE["vocab_size"], (1, length), generator=g)
        counted = torch.rand(length - 1, generator=g) < 0.6
        losses = torch.nn.functional.cross_entropy(model(ids).logits[0, :-1], ids[0, 1:], reduction="none") * counted
        (0.1 * losses.sum()).backward()
        t |= {f"ids.{i}": ids[0], f"counted.{i}": counted.long(), f"losses.{i}": losses}
    t |= {"grad." + short(k): p.grad for k, p in model.named_parameters() if p.requires_grad}
    save_file({k: v.detach().clone().contiguous() for k, v in t.items()}, os.path.join(out, name, "documents.safetensors"))

if __name__ == "__main__":
    out = sys.argv[1]; os.makedirs(out, exist_ok=True)
    for i, name in enumerate(BASES): make_base(out, name, 100 + i)
    for i, (name, options) in enumerate((TRAINED | READ).items()): make_adapter(out, name, options, 200 + 10 * i); print(name)
    for i, name in enumerate(("lora", "dora", "saved")): make_documents(out, name, 900 + i)

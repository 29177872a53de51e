"""Logits that Hugging Face's PEFT computes with adapters that bts4j trained and saved: PEFT loads them, and AdapterTrainingTest compares.
The adapters in ../adapters-trained-here are those of AdapterTrainingTest.peftLoadsWhatIsTrained, saved once. Needs torch, transformers, peft, safetensors.
Usage: python trained_adapter_golden.py"""
import os
import torch
from peft import PeftModel
from safetensors.torch import save_file
from transformers import LlamaForCausalLM

here = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(here, "..", "adapters-trained-here")
for name in sorted(os.listdir(ROOT)):
    folder = os.path.join(ROOT, name)
    base = LlamaForCausalLM.from_pretrained(os.path.join(here, "..", "adapters", "base"), dtype=torch.float32, attn_implementation="eager")
    model = PeftModel.from_pretrained(base, folder).eval()
    loaded = sum("lora_B" in key and bool(p.abs().sum() > 0) for key, p in model.named_parameters())
    assert loaded == 14, loaded   # every matrix came from the file: new ones would be zero
    ids = torch.randint(3, 96, (2, 20), generator=torch.Generator().manual_seed(9))
    with torch.no_grad(): logits = model(ids).logits
    save_file({"input_ids": ids, "logits": logits.contiguous()}, os.path.join(folder, "golden.safetensors"))

"""Soup and BTM of the golden case bts-3x4, computed with Hugging Face transformers and PyTorch; writes baseline.safetensors.
Needs torch, transformers, safetensors. Usage: python3 baseline_golden.py GOLDEN_FOLDER OUT_FILE"""
import copy, sys, torch
from safetensors.torch import load_file, save_file
from transformers import LlamaForCausalLM

root, out = sys.argv[1] + "/bts-3x4", sys.argv[2]
models = [LlamaForCausalLM.from_pretrained(f"{root}/{n}", dtype=torch.float32).eval() for n in ("hub", "code", "math")]
x = load_file(f"{root}/golden.safetensors")["input_ids"][:, :24]
with torch.no_grad():
    soup = copy.deepcopy(models[0])
    for p, *qs in zip(soup.parameters(), *(m.parameters() for m in models)): p.copy_(sum(q.double() for q in qs) / len(models))
    logp = torch.stack([m(x).logits.double().log_softmax(-1) for m in models])              # [model, batch, sequence, vocabulary]
    seen = logp[:, :, :-1].gather(-1, x[:, 1:][None, ..., None].expand(3, -1, -1, -1))[..., 0].cumsum(-1)
    weight = torch.cat([torch.zeros(3, x.shape[0], 1), seen], -1).log_softmax(0)             # Bayes' rule, uniform prior
    mixture = torch.logsumexp(weight[..., None] + logp, 0)
    sparse = {}
    for k in (1, 2):
        order = weight.sort(dim=0, descending=True, stable=True).indices                          # of equal weights the earlier model's is the higher
        kept = torch.zeros_like(weight).scatter(0, order[:k], 1.0) * weight.exp()
        ranked = weight.sort(dim=0, descending=True).values
        assert (ranked[k - 1] - ranked[k])[:, 1:].min() > 1e-3, "float32 could choose other models"
        sparse[f"btm.top{k}"] = ((kept / kept.sum(0))[..., None] * logp.exp()).sum(0).log().float().contiguous()
    save_file({"input_ids": x.contiguous(), "soup.logits": soup(x).logits.contiguous(), "btm.logprobs": mixture.float().contiguous(), **sparse}, out)

"""Merges the models of a golden case with PyTorch, by the formulas that mergekit documents for linear, task_arithmetic, ties and slerp, written anew here.
Needs torch and safetensors. Usage: python merge_golden.py"""
import os, torch
from safetensors.torch import load_file, save_file

here = os.path.dirname(os.path.abspath(__file__))
case = os.path.join(here, "..", "golden", "bts-3x4")
out = os.path.join(here, "..", "..", "bts-stitch", "src", "test", "resources", "io", "github", "bts4j", "stitch", "baseline", "merge.safetensors")
hub, code, math = (load_file(os.path.join(case, name, "model.safetensors")) for name in ("hub", "code", "math"))
NAMES = ["model.layers.0.self_attn.q_proj.weight", "model.layers.2.mlp.down_proj.weight", "model.norm.weight"]
W = torch.tensor([0.7, 0.4])


def trimmed(delta, density):
    k = int(density * delta.numel())
    kept = torch.zeros(delta.numel())
    kept[torch.argsort(delta.abs().flatten(), descending=True)[:k]] = 1
    return delta * kept.view_as(delta)


def slerp(t, a, b):
    cos = torch.sum(a / a.norm() * (b / b.norm()))
    if abs(cos) > 0.9995:
        return (1 - t) * a + t * b
    angle = torch.arccos(cos)
    return torch.sin((1 - t) * angle) / torch.sin(angle) * a + torch.sin(t * angle) / torch.sin(angle) * b


found = {}
for name in NAMES:
    base, x = hub[name].float(), [m[name].float() for m in (code, math)]
    deltas = torch.stack([y - base for y in x])
    w = W.view(-1, *[1] * base.dim())
    found["linear." + name] = (0.5 * base + 0.3 * x[0] + 0.4 * x[1]) / 1.2
    found["task_arithmetic." + name] = base + (w * deltas).sum(0)
    for density in (0.3, 1.0):
        weighted = torch.stack([trimmed(d, density) if density < 1 else d for d in deltas]) * w
        elected = torch.where(weighted.sum(0) >= 0, 1.0, -1.0)
        agrees = weighted.sign() == elected
        total = (w * agrees).sum(0)
        found[f"ties.{density}." + name] = base + (weighted * agrees).sum(0) / torch.where(total == 0, torch.ones(()), total)
    found["slerp." + name] = slerp(0.3, base, x[0])
os.makedirs(os.path.dirname(out), exist_ok=True)
save_file(found, out)
print(len(found), "tensors,", os.path.getsize(out), "bytes")

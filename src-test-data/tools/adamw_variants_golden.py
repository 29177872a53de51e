"""Writes 150 steps of three variants of AdamW over given gradients: bts-train's are compared with them.
  groups: torch.optim.AdamW with parameter groups of different betas, eps, learning rates and weight decay;
  stable: StableAdamW (Wortsman et al., arXiv 2304.13013, algorithm 2), in float64;
  adagc:  AdaGC (Wang et al., arXiv 2502.11034, algorithm 1) before torch.optim.AdamW: the norm of each tensor after clipping.
Needs torch (2.13 was used) and safetensors. Deterministic. Usage: python adamw_variants_golden.py"""
import json, math, os
import torch
from safetensors.torch import save_file

here = os.path.dirname(os.path.abspath(__file__))
out = os.path.join(here, "..", "..", "bts-train", "src", "test", "resources", "io", "github", "bts4j", "train")
STEPS, CHECKS, WARMUP = 150, (1, 2, 10, 50, 100, 110, 150), 100
BETAS, EPS, DECAY, RATE, CLIP = (0.9, 0.95), 1e-6, 0.1, 0.01, 1.0

torch.manual_seed(20230423)
start = {"gate": torch.randn(6, 5), "proj": torch.randn(4, 7), "norm": torch.randn(7)}
grads = {name: torch.randn(STEPS, *value.shape) * 10 ** (torch.rand(STEPS, *[1] * value.dim()) * 4 - 3) for name, value in start.items()}
tensors = {"start." + name: value for name, value in start.items()}
tensors.update({"grads." + name: value for name, value in grads.items()})

params = {name: torch.nn.Parameter(value.clone()) for name, value in start.items()}
groups = torch.optim.AdamW([
    {"params": [params["gate"]], "lr": 3 * RATE, "betas": (0.8, 0.9), "eps": 1e-3, "weight_decay": 0.5},
    {"params": [params["proj"]], "lr": RATE, "betas": BETAS, "eps": EPS, "weight_decay": DECAY},
    {"params": [params["norm"]], "lr": 0.5 * RATE, "betas": (0.7, 0.99), "eps": EPS, "weight_decay": 0.25}])
for step in range(STEPS):
    for name, param in params.items():
        param.grad = grads[name][step].clone()
    groups.step()
    if step + 1 in CHECKS:
        tensors.update({f"groups.{step + 1}.{name}": param.detach().clone() for name, param in params.items()})

for name, value in start.items():
    theta, m, v = value.double(), torch.zeros_like(value).double(), torch.zeros_like(value).double()
    for step in range(STEPS):
        g, t = grads[name][step].double(), step + 1
        m = BETAS[0] * m + (1 - BETAS[0]) * g
        v = BETAS[1] * v + (1 - BETAS[1]) * g * g
        m_hat, v_hat = m / (1 - BETAS[0] ** t), v / (1 - BETAS[1] ** t)
        rms = math.sqrt(float((g * g / torch.clamp(v_hat, min=EPS ** 2)).mean()))
        rate = RATE / max(1.0, rms)
        theta = theta - rate * DECAY * theta - rate * m_hat / (v_hat.sqrt() + EPS)
        if t in CHECKS:
            tensors[f"stable.{t}.{name}"] = theta.float()

reference, clipped = {name: math.inf for name in start}, []
for step in range(STEPS):
    norms = {name: float(grads[name][step].double().norm()) for name in start}
    total = math.sqrt(sum(norm ** 2 for norm in norms.values()))
    row = []
    for name in start:
        if step < WARMUP:
            after = norms[name] * min(1.0, CLIP / total)
            reference[name] = min(reference[name], after)
        else:
            after = min(norms[name], 1.05 * reference[name])
            reference[name] = 0.98 * reference[name] + 0.02 * after
        row.append(after)
    clipped.append(row)

save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, os.path.join(out, "adamw_variants.safetensors"))
about = {"steps": STEPS, "checks": CHECKS, "betas": BETAS, "eps": EPS, "weight_decay": DECAY, "rate": RATE, "clip": CLIP, "names": list(start), "clipped": clipped,
         "torch": torch.__version__}
with open(os.path.join(out, "adamw_variants.json"), "w") as file:
    json.dump(about, file)

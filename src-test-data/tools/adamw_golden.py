"""Writes 100 steps of torch.optim.AdamW with clip_grad_norm_ over given gradients: bts-train's AdamW is compared with them.
Needs torch (2.13 was used) and safetensors. Deterministic. Usage: python adamw_golden.py"""
import json, os
import torch
from safetensors.torch import save_file

here = os.path.dirname(os.path.abspath(__file__))
out = os.path.join(here, "..", "..", "bts-train", "src", "test", "resources", "io", "github", "bts4j", "train")
STEPS, CHECKS = 100, (1, 2, 10, 50, 100)
BETAS, EPS, DECAY, CLIP, PEAK = (0.9, 0.95), 1e-8, 0.1, 1.0, 0.01

torch.manual_seed(20250204)
start = {"matrix": torch.randn(6, 5), "cube": torch.randn(2, 3, 4), "vector": torch.randn(7)}
params = {name: torch.nn.Parameter(value.clone()) for name, value in start.items()}
groups = [{"params": [params["matrix"], params["cube"]], "weight_decay": DECAY}, {"params": [params["vector"]], "weight_decay": 0.0}]
optimizer = torch.optim.AdamW(groups, lr=PEAK, betas=BETAS, eps=EPS)  # the default implementation for the CPU, not the fused one
tensors = {"start." + name: value for name, value in start.items()}
norms, rates = [], []
# gradients of sizes from 1e-6 to 10, so that some steps are clipped and some second moments are near eps squared
grads = {name: torch.randn(STEPS, *value.shape) * 10 ** (torch.rand(STEPS, *[1] * value.dim()) * 7 - 6) for name, value in start.items()}
for step in range(STEPS):
    rate = PEAK * (step + 1) / 10 if step < 10 else PEAK * (STEPS - step) / (STEPS - 10)
    for name, param in params.items():
        param.grad = grads[name][step].clone()
    norms.append(float(torch.nn.utils.clip_grad_norm_(params.values(), CLIP)))
    rates.append(rate)
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.step()
    if step + 1 in CHECKS:
        for name, param in params.items():
            tensors[f"after.{step + 1}.{name}"] = param.detach().clone()
for name, param in params.items():
    tensors["grads." + name] = grads[name]
    tensors["exp_avg." + name] = optimizer.state[param]["exp_avg"]
    tensors["exp_avg_sq." + name] = optimizer.state[param]["exp_avg_sq"]
os.makedirs(out, exist_ok=True)
save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, os.path.join(out, "adamw.safetensors"))
about = {"steps": STEPS, "checks": CHECKS, "betas": BETAS, "eps": EPS, "weight_decay": DECAY, "clip": CLIP, "rates": rates, "norms": norms,
         "torch": torch.__version__}
with open(os.path.join(out, "adamw.json"), "w") as file:
    json.dump(about, file, indent=1)

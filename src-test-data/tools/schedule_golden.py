"""Learning rates of torch.optim.lr_scheduler for the tests of LearningRate.

    python src-test-data/tools/schedule_golden.py > bts-train/src/test/resources/io/github/bts4j/train/schedules.json

warmup-linear, constant: LambdaLR. warmup-cosine: SequentialLR of LambdaLR (warm-up) and CosineAnnealingLR (eta_min).
Every case holds the learning rate of steps 0 .. max_steps - 1.
"""
import json
import warnings

import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, SequentialLR

warnings.filterwarnings("ignore")


def rates(make, peak, steps):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=peak)
    scheduler = make(optimizer)
    seen = []
    for _ in range(steps):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return seen


def linear(peak, warmup, total):
    def factor(step):
        return (step + 1) / warmup if step < warmup else (total - step) / (total - warmup)

    schedule = {"lr_scheduler_type": "linear", "learning_rate": peak, "warmup_steps": warmup, "max_steps": total}
    return {"schedule": schedule, "rates": rates(lambda o: LambdaLR(o, factor), peak, total)}


def cosine(peak, warmup, total, floor):
    def make(optimizer):
        decay = CosineAnnealingLR(optimizer, T_max=total - warmup, eta_min=peak * floor)
        if warmup == 0:
            return decay
        # fresh base: SequentialLR resets the optimizer's rate to its initial one
        climb = LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / warmup))
        return SequentialLR(optimizer, [climb, decay], [warmup])

    schedule = {"lr_scheduler_type": "cosine_with_min_lr", "learning_rate": peak, "warmup_steps": warmup,
                "max_steps": total, "min_lr_rate": floor}
    return {"schedule": schedule, "rates": rates(make, peak, total)}


def constant(peak, warmup, steps):
    def factor(step):
        return min(1.0, (step + 1) / warmup) if warmup else 1.0

    schedule = {"lr_scheduler_type": "constant_with_warmup", "learning_rate": peak, "warmup_steps": warmup}
    return {"schedule": schedule, "rates": rates(lambda o: LambdaLR(o, factor), peak, steps)}


print(json.dumps({
    "torch": torch.__version__,
    "relative_tolerance": 1e-12,
    "cases": [
        linear(5e-6, 10, 100), linear(3e-4, 0, 37), linear(1.0, 7, 8), linear(2e-3, 1, 50),
        cosine(5e-6, 20, 70, 0.01), cosine(1e-3, 0, 40, 0.0), cosine(6e-4, 10, 60, 0.1),
        constant(5e-4, 0, 5), constant(5e-4, 4, 12),
    ],
}, indent=1))

"""Where a stitched model loses what its experts know: nats per token of held-out text, with parts of the last gate's work done for it (PyTorch, transformers).

    python3 experiment/gates.py OUTPUT METHOD [WINDOWS]        such as: python3 experiment/gates.py experiment-out bts-0

`as trained`; `the expert alone`, which the last gate gives everything of the domain's own expert; `untouched experts`, the same and without the layers into the
experts; `a probe`: the same shares for all channels, from a linear map of the hub's last state that was fitted to tell the domains of training text apart.
"""
import os
import sys

import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from stitched import DOMAINS, OWN, Stitched, tokens  # noqa: E402

LENGTH = 256
output, method = sys.argv[1:3]
count = int(sys.argv[3]) if len(sys.argv) > 3 else 24
stitched = Stitched(output, method)
names, models, forward = stitched.names, stitched.models, stitched.forward


def windows(domain, part, number, most):
    text = tokens(output, stitched.tokenizer, domain, part, most)
    all_windows = len(text) // (LENGTH + 1)
    return torch.tensor([text[at:at + LENGTH + 1] for at in ((LENGTH + 1) * (i * all_windows // number) for i in range(number))])


def nats(run, ids):
    losses = F.cross_entropy(run(ids[:, :-1]).transpose(1, 2), ids[:, 1:], reduction="none")
    return losses[ids[:, 1:] != 1].mean().item()


def alone(own):
    return lambda z, hub: torch.where(torch.arange(len(names))[:, None, None, None] == own, 0.0, -1e9).expand_as(z)


with torch.no_grad():
    states, labels = [], []
    for domain in DOMAINS:
        for batch in windows(domain, "train", 120, 1_000_000).split(24):
            seen = []
            forward(batch[:, :-1], seen=seen)
            states.append(seen[0][0].flatten(0, 1))
            labels.append(torch.full((len(states[-1]),), names.index(OWN[domain])))
states, labels = torch.cat(states), torch.cat(labels)
scale = states.pow(2).mean().sqrt()
probe = torch.nn.Linear(states.shape[1], len(names))
optimizer = torch.optim.LBFGS(probe.parameters(), max_iter=60, line_search_fn="strong_wolfe")


def closure():
    optimizer.zero_grad()
    loss = F.cross_entropy(probe(states / scale), labels)
    loss.backward()
    return loss


optimizer.step(closure)
print("| domain | seed | expert | as trained | the expert alone | untouched experts | a probe | share of the own model | largest share of a channel |")
print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
with torch.no_grad():
    for domain in DOMAINS:
        ids = windows(domain, "val", count, 800_000)
        own = names.index(OWN[domain])
        seen = []
        forward(ids[:4, :-1], seen=seen)
        shares = seen[0][1].softmax(0)
        row = [nats(lambda x: models[0](x).logits, ids), nats(lambda x: models[own](x).logits, ids), nats(forward, ids), nats(lambda x: forward(x, alone(own)), ids),
               nats(lambda x: forward(x, alone(own), into_experts=False), ids),
               nats(lambda x: forward(x, lambda z, hub: probe(hub / scale).permute(2, 0, 1)[..., None].expand_as(z)), ids)]
        print(f"| {domain} | " + " | ".join(f"{value:.4f}" for value in row) + f" | {shares[own].mean():.2f} | {shares.amax(0).mean():.2f} |", flush=True)

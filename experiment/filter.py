"""How much of the experts' gains could be kept by a Bayesian filter that knows how often texts change (PyTorch, transformers)? A hidden Markov model over seed and
experts: each token comes from one of them, and before every token the source changes with a probability that the filter is told. BTM is the filter of texts that never change.

    python3 experiment/filter.py OUTPUT [METHOD] [WINDOWS]      such as: python3 experiment/filter.py experiment-out bts-0 100

Bits per token of held-out windows of 256 tokens: of one domain, and of four segments of 64 tokens of different domains; what is kept of the gain that the segment's own model has over the seed.
"""
import math
import os
import sys

import torch
import torch.nn.functional as F

LENGTH, SEGMENT = 256, 64
output = sys.argv[1]
method = sys.argv[2] if len(sys.argv) > 2 else "bts-0"
count = int(sys.argv[3]) if len(sys.argv) > 3 else 100
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from stitched import DOMAINS, OWN, Stitched, held_out  # noqa: E402

model = Stitched(output, method)
own = [model.names.index(OWN[domain]) for domain in DOMAINS]
text = [held_out(output, model.tokenizer, domain) for domain in DOMAINS]


def pieces(domain, number, length, first=0):
    step = (len(text[domain]) - length - 1) // number
    return [text[domain][i * step + first:i * step + first + length] for i in range(number)]


def log_probabilities(ids):
    """[models, windows, tokens] of seed and experts, then those of the stitched model."""
    found = []
    for run in [lambda x, m=m: m(x).logits for m in model.models] + [model.forward]:
        with torch.no_grad():
            parts = [-F.cross_entropy(run(part[:, :-1]).transpose(1, 2), part[:, 1:], reduction="none") for part in ids.split(20)]
        found.append(torch.cat(parts))
    return torch.stack(found).double()


def filtered(log_p, change):
    """Nats [windows, tokens] of the filter: predict, then weigh by what was seen."""
    models = log_p.shape[0]
    weight = torch.full(log_p.shape[:2], -math.log(models), dtype=torch.float64)
    nats = torch.empty(log_p.shape[1:], dtype=torch.float64)
    for t in range(log_p.shape[2]):
        if t > 0 and change > 0:
            kept = weight.exp()
            weight = ((1 - change) * kept + change / (models - 1) * (1 - kept)).log()
        joint = weight + log_p[:, :, t]
        total = joint.logsumexp(0)
        nats[:, t] = -total
        weight = joint - total
    return nats


def report(title, ids, source):
    log_p = log_probabilities(ids)
    rows = {"seed": -log_p[0], "own model": -torch.gather(log_p, 0, source[None])[0], "BTM": filtered(log_p[:-1], 0),
            "filter, 1/64": filtered(log_p[:-1], 1 / 64), "filter, 1/256": filtered(log_p[:-1], 1 / 256), "stitched": -log_p[-1]}
    scored = ids[:, 1:] != 1
    print(f"\n| {title} | bits per token | kept: " + " | ".join(domain for domain in DOMAINS if domain != "english") + " | all |\n|---|---:|" + "---:|" * len(DOMAINS))
    for name, nats in rows.items():
        cells = []
        for mask in [(source == own[i]) & scored for i in range(1, len(DOMAINS))] + [scored]:
            seed, best, value = (rows[row][mask].mean() for row in ("seed", "own model", name))
            cells.append(f"{100 * (seed - value) / (seed - best):.0f} %")
        print(f"| {name} | {nats[scored].mean() / math.log(2):.3f} | " + " | ".join(cells) + " |", flush=True)


single = [(torch.tensor(piece), i) for i in range(len(DOMAINS)) for piece in pieces(i, count, LENGTH + 1)]
report("one domain", torch.stack([ids for ids, _ in single]), torch.stack([torch.full((LENGTH,), own[i]) for _, i in single]))
segments = [pieces(i, count, SEGMENT, first=300) for i in range(len(DOMAINS))]
ids, source = [], []
for number in range(count):
    order = [(number + j) % len(DOMAINS) for j in range(LENGTH // SEGMENT)]
    tokens = [token for i in order for token in segments[i][number]]
    ids.append(torch.tensor(tokens))
    source.append(torch.tensor([own[order[t // SEGMENT]] for t in range(1, LENGTH)]))
report("text that changes its domain", torch.stack(ids), torch.stack(source))

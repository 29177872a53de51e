"""Where a stitched model loses what its experts know: nats per token of held-out text, with parts of the last gate's work done for it (PyTorch, transformers).

    python3 experiment/gates.py OUTPUT METHOD [WINDOWS]        such as: python3 experiment/gates.py experiment-out bts-0

`as trained`; `the expert alone`, which the last gate gives everything of the domain's own expert; `untouched experts`, the same and without the layers into the
experts; `a probe`: the same shares for all channels, from a linear map of the hub's last state that was fitted to tell the domains of training text apart.
"""
import json
import sys

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from transformers import AutoTokenizer, LlamaForCausalLM

LENGTH = 256
DOMAINS = {"english": "english", "code": "code", "math": "math", "german": "lang2"}  # a domain's file in the corpus
OWN = {"english": "seed", "code": "code", "math": "math", "german": "german"}
torch.set_num_threads(1)
output, method = sys.argv[1:3]
count = int(sys.argv[3]) if len(sys.argv) > 3 else 24
stitched = json.load(open(f"{output}/methods/{method}/stitch.json"))
weights = load_file(f"{output}/methods/{method}/{stitched['weights']}")
names = [model["name"] for model in stitched["models"]]
folders = [f"{output}/models/" + (name if name == "seed" else f"expert-{name}") for name in names]
models = [LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).eval() for folder in folders]
tokenizer = AutoTokenizer.from_pretrained(folders[0])
places, experts = stitched["places"], len(models) - 1


def forward(ids, last_gate=lambda z, hub: z, into_experts=True, seen=None):
    """Logits; last_gate may change the last stitch's logits [models, batch, sequence, channels], seen gets what the last stitch read and decided."""
    positions = torch.arange(ids.shape[1])
    h = [m.model.embed_tokens(ids) for m in models]
    rotary = [m.model.rotary_emb(h[i], positions[None]) for i, m in enumerate(models)]
    for layer in range(len(models[0].model.layers)):
        for i, m in enumerate(models):
            out = m.model.layers[layer](h[i], attention_mask=None, position_ids=positions[None], position_embeddings=rotary[i])
            h[i] = out[0] if isinstance(out, tuple) else out
        if layer + 1 not in places:
            continue
        j = places.index(layer + 1)
        z = torch.einsum("bsd,nod->nbso", h[0], weights[f"stitch.{j}.gate.weight"]) + weights[f"stitch.{j}.gate.bias"][:, None, None]
        projected = [F.linear(h[i + 1] if (len(places) - 1 - j) % 2 == 0 else h[0], weights[f"stitch.{j}.proj.{i + 1}.weight"]) for i in range(experts)]
        if (len(places) - 1 - j) % 2 == 0:
            if j == len(places) - 1:
                if seen is not None:
                    seen.append((h[0], z))
                z = last_gate(z, h[0])
            g = z.softmax(0)
            h = [g[0] * h[0] + sum(g[i + 1] * projected[i] for i in range(experts))] + projected
        elif into_experts:
            g = z.sigmoid()
            h = [h[0]] + [torch.lerp(h[i + 1], projected[i], g[i + 1]) for i in range(experts)]
    return models[0].lm_head(models[0].model.norm(h[0]))


def windows(domain, part, number, most):
    tokens = []
    with open(f"{output}/corpus/{DOMAINS[domain]}.{part}.jsonl", encoding="utf-8") as lines:
        for line in lines:
            tokens += [1] + tokenizer.encode(json.loads(line)["text"], add_special_tokens=False)
            if len(tokens) > most:
                break
    all_windows = len(tokens) // (LENGTH + 1)
    return torch.tensor([tokens[at:at + LENGTH + 1] for at in ((LENGTH + 1) * (i * all_windows // number) for i in range(number))])


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

"""Expert routing (arXiv 2502.00075, section 3.2) over the models of the golden case bts-3x4, with Hugging Face transformers and PyTorch:
a router torch.nn.Linear(d, n + 1, bias=False) on the mean of the hub's input embeddings; writes golden/routing/routing.json.
Needs torch, transformers, safetensors. Deterministic on one machine. Usage: python3 routing_golden.py GOLDEN_FOLDER"""
import json, os, sys, torch, transformers
from transformers import LlamaForCausalLM

root, out = sys.argv[1] + "/bts-3x4", sys.argv[1] + "/routing"
NAMES, LENGTH, BATCH, STEPS, PREFIX = ("hub", "code", "math"), 40, 4, 5, 32
LR, BETAS, EPS, DECAY, CLIP = 5e-4, (0.9, 0.95), 1e-8, 0.1, 1.0
torch.manual_seed(20250205)
models = [LlamaForCausalLM.from_pretrained(f"{root}/{n}", dtype=torch.float32).eval() for n in NAMES]
embed = models[0].get_input_embeddings().weight.detach()
vocab, d = embed.shape
# half of every text is greedy continuation by one of the models, so that each of them is the best one somewhere
starts = torch.randint(3, vocab, (STEPS * BATCH, 16))
tokens = torch.stack([models[i % 3].generate(starts[i:i + 1], do_sample=False, min_new_tokens=LENGTH + 1 - 16, max_new_tokens=LENGTH + 1 - 16,
                                             pad_token_id=0)[0] for i in range(STEPS * BATCH)])
assert tokens.shape == (STEPS * BATCH, LENGTH + 1)


@torch.no_grad()
def token_losses(model, rows):
    logits = model(rows[:, :-1]).logits.double()
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten(), reduction="none").view(rows.shape[0], -1)


losses = torch.stack([token_losses(m, tokens) for m in models])              # [model, row, token]
means = losses.mean(-1).T                                                    # [row, model]
targets = means.argmin(-1)
two = means.sort(-1).values
assert (two[:, 1] - two[:, 0]).min() > 1e-3 and set(targets.tolist()) == {0, 1, 2}, "no clear target, or a model that is never best"


def features(rows, lengths):
    return torch.stack([embed[row[:t]].mean(0) for row, t in zip(rows, lengths)])


def routed(router, rows, losses, t):
    """The hub's losses of tokens 1 .. t - 1, the chosen model's of the rest: entry e is the loss of token e + 1."""
    logits = router(features(rows, [t] * len(rows)))
    two = logits.sort(-1, descending=True).values
    assert (two[:, 0] - two[:, 1]).min() > 1e-4, "float32 could choose another model"
    chosen = logits.argmax(-1)
    mixed = losses[chosen, torch.arange(len(rows))].clone()
    mixed[:, :t - 1] = losses[0, :, :t - 1]
    return chosen, mixed


def lists(x):
    return x.tolist() if x.dtype == torch.long else [[float(f"{v:.9g}") for v in row] for row in x.reshape(x.shape[0], -1).tolist()] if x.dim() > 1 \
        else [float(f"{v:.9g}") for v in x.tolist()]


start = torch.randn(len(NAMES), d) * 3
router = torch.nn.Linear(d, len(NAMES), bias=False)
router.weight.data.copy_(start)
found = {"models": NAMES, "tokens": lists(tokens), "mean_losses": lists(means), "targets": lists(targets), "router": lists(start)}

# one pass with prefixes of different lengths; the mean over the sequences is differentiated
lengths = [4, 9, 17, 32, 33, 40, 5, 12]
logits = router(features(tokens[:8], lengths))
each = torch.nn.functional.cross_entropy(logits, targets[:8], reduction="none")
each.mean().backward()
found["pass"] = {"prefixes": lengths, "logits": lists(logits.detach()), "probabilities": lists(logits.detach().softmax(-1)), "losses": lists(each.detach()),
                 "gradient": lists(router.weight.grad)}
with torch.no_grad():
    found["routed"] = []
    for t in (5, 32):
        chosen, mixed = routed(router, tokens[:6], losses[:, :6], t)
        found["routed"].append({"decision_tokens": t, "chosen": lists(chosen), "losses": lists(mixed)})
    chosen, prompt = next((c, row[:9]) for row in tokens if (c := int(router(features([row], [9])).argmax())) > 0)   # an expert's turn
    text = models[chosen].generate(prompt[None], do_sample=False, max_new_tokens=12, pad_token_id=0, eos_token_id=vocab + 1)[0]
    found["greedy"] = {"prompt": lists(prompt), "chosen": chosen, "tokens": text[9:].tolist()}

# AdamW as bts-train runs it: clipping by the global norm, a constant rate, decay on the matrix; batches are consecutive rows
router.weight.grad = None
optimizer = torch.optim.AdamW(router.parameters(), lr=LR, betas=BETAS, eps=EPS, weight_decay=DECAY)
steps, norms = [], []
for step in range(STEPS):
    rows = slice(step * BATCH, (step + 1) * BATCH)
    loss = torch.nn.functional.cross_entropy(router(features(tokens[rows], [PREFIX] * BATCH)), targets[rows])
    optimizer.zero_grad()
    loss.backward()
    norms.append(float(torch.nn.utils.clip_grad_norm_(router.parameters(), CLIP)))
    steps.append(loss.item())
    optimizer.step()
found["train"] = {"steps": STEPS, "batch": BATCH, "prefix": PREFIX, "lr": LR, "betas": BETAS, "eps": EPS, "weight_decay": DECAY, "clip": CLIP,
                  "losses": steps, "grad_norms": norms, "after": lists(router.weight.detach())}
found["versions"] = {"torch": torch.__version__, "transformers": transformers.__version__}
os.makedirs(out, exist_ok=True)
with open(f"{out}/routing.json", "w") as file:
    json.dump(found, file)
print("targets", targets.tolist(), "chosen", [r["chosen"] for r in found["routed"]], chosen, "losses", steps, "norms", norms,
      os.path.getsize(f"{out}/routing.json"), "bytes", "moved", float((router.weight - start).abs().max()))

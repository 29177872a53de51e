"""Counts the floating-point operations of a stitched model's forward and training pass with torch.utils.flop_counter, on meta tensors: TrainingPlan is compared
with them. The model is written out with torch alone; frozen models need no gradient. Experts with a rank are adapters of all seven matrices. Needs torch (2.13 was used). Usage: python plan_golden.py"""
import json, os
import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

here = os.path.dirname(os.path.abspath(__file__))
out = os.path.join(here, "..", "..", "bts-train", "src", "test", "resources", "io", "github", "bts4j", "train", "plan.json")
SHAPES = {
    "s": dict(vocab=8192, hidden=512, ff=1408, layers=8, heads=8, kv=4),
    "m": dict(vocab=49152, hidden=576, ff=1536, layers=30, heads=9, kv=3)}


def count(vocab, hidden, ff, layers, heads, kv, experts, stitches, batch, seq, ranks=()):
    meta = dict(device="meta")
    d = hidden // heads
    def matrix(out, width, rank):
        w = [torch.empty(out, width, **meta)]
        return w + [torch.empty(rank, width, **meta), torch.empty(out, rank, **meta)] if rank else w
    rank_of = [0] + list(ranks or [0] * experts)
    w = [[[matrix(*s, rank) for s in ((hidden, hidden), (kv * d, hidden), (kv * d, hidden), (hidden, hidden), (ff, hidden), (ff, hidden), (hidden, ff))]
          for _ in range(layers)] for rank in rank_of]
    places = [round((j + 1) * layers / stitches) for j in range(stitches)]
    gates = [torch.empty(experts + 1, hidden, hidden, requires_grad=True, **meta) for _ in places]
    projs = [[torch.empty(hidden, hidden, requires_grad=True, **meta) for _ in range(experts)] for _ in places]
    head = torch.empty(vocab, hidden, **meta)

    def linear(x, w):
        return F.linear(x, w[0]) + (F.linear(F.linear(x, w[1]), w[2]) if len(w) > 1 else 0)

    def layer(x, q, k, v, o, gate, up, down):
        n = lambda y, h: linear(x, y).view(batch, seq, h, d).transpose(1, 2)
        a = F.scaled_dot_product_attention(n(q, heads), n(k, kv).repeat_interleave(heads // kv, 1), n(v, kv).repeat_interleave(heads // kv, 1), is_causal=True)
        x = x + linear(a.transpose(1, 2).reshape(batch, seq, hidden), o)
        return x + linear(F.silu(linear(x, gate)) * linear(x, up), down)

    def forward(cached=False):
        # cached: an expert's state is given at its first stitch, the hub's at every stitch up to the first one into it
        h = [torch.empty(batch, seq, hidden, **meta) for _ in range(experts + 1)]
        known = [places[(stitches - 1) % 2]] + [places[0]] * experts
        for at in range(layers):
            h = [torch.empty(batch, seq, hidden, **meta) if cached and at < known[i] else layer(x, *w[i][at]) for i, x in enumerate(h)]
            if at + 1 in places:
                j = places.index(at + 1)
                if (stitches - 1 - j) % 2 == 0:
                    g = F.linear(h[0], gates[j].view(-1, hidden)).view(batch, seq, experts + 1, hidden).softmax(2)
                    e = [F.linear(h[i + 1], projs[j][i]) for i in range(experts)]
                    h = [g[:, :, 0] * h[0] + sum(g[:, :, i + 1] * e[i] for i in range(experts))] + e
                else:
                    g = F.linear(h[0], gates[j][1:].reshape(-1, hidden)).view(batch, seq, experts, hidden).sigmoid()
                    h = [h[0]] + [(1 - g[:, :, i]) * h[i + 1] + g[:, :, i] * F.linear(h[0], projs[j][i]) for i in range(experts)]
        return F.linear(h[0], head)

    with FlopCounterMode(display=False) as once, torch.no_grad():
        forward()
    with FlopCounterMode(display=False) as training:
        forward().sum().backward()
    with FlopCounterMode(display=False) as cached:
        forward(cached=True).sum().backward()
    return dict(experts=experts, ranks=list(ranks), stitches=stitches, places=places, batch=batch, seq=seq, forward=once.get_total_flops(), training=training.get_total_flops(),
                cached=cached.get_total_flops())


cases = []
for name, shape in SHAPES.items():
    for experts, stitches, seq in ((3, 4, 256), (2, 2, 128), (1, 1, 64)):
        cases.append(dict(shape=name, **shape, **count(**shape, experts=experts, stitches=stitches, batch=2, seq=seq)))
    cases.append(dict(shape=name, **shape, **count(**shape, experts=3, stitches=4, batch=2, seq=64, ranks=(16, 4, 0))))
with open(out, "w") as file:
    json.dump(dict(torch=torch.__version__, cases=cases), file, indent=1)

"""What the authors' zclip.py (bluorion-com/ZClip at commit 584ce4f; not part of this project) makes of a series of gradient norms.

Needs torch. Usage: python zclip_golden.py FOLDER_WITH_ZCLIP_PY
Writes bts-train's zclip.json: norms, and the norm that each is clipped to (the norm itself where it is not), without a fixed limit.
"""
import json, os, sys
import torch
sys.path.insert(0, sys.argv[1])
from zclip import ZClip

here = os.path.dirname(os.path.abspath(__file__))
out = os.path.join(here, "..", "..", "bts-train", "src", "test", "resources", "io", "github", "bts4j", "train", "zclip.json")
torch.manual_seed(3)
p = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
class Model(torch.nn.Module):
    def __init__(self):
        super().__init__(); self.p = p
model, clip = Model(), ZClip(alpha=0.97, z_thresh=2.5, max_grad_norm=None, warmup_steps=25)
norms, clipped = [], []
for step in range(300):
    norm = float(1 + 0.1 * torch.randn(1).abs()) * (1 if step % 37 else 1 + step % 5) * (1 + step / 300)
    p.grad = torch.tensor([norm], dtype=torch.float64)
    clip.step(model)
    norms.append(norm); clipped.append(float(p.grad[0]))
json.dump({"norms": norms, "clipped": clipped}, open(out, "w"))
print(sum(a != b for a, b in zip(norms, clipped)), "clipped")

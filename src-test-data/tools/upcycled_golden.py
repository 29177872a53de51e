"""Branch-Train-MiX (arXiv 2403.07816) and BAM (arXiv 2408.08274) over the models of golden case bts-3x4: logits, a gradient, and the losses of five AdamW
steps, computed with the attention and feed-forward modules of Hugging Face transformers, PyTorch's autograd and torch.optim.AdamW.
Needs torch, transformers, safetensors. Usage: python3 upcycled_golden.py GOLDEN_FOLDER OUT_FILE"""
import copy, sys, torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import LlamaForCausalLM

root, out = sys.argv[1] + "/bts-3x4", sys.argv[2]
STEPS, LR, SEED = 5, 1e-3, 11


class Mixture(nn.Module):
    def __init__(self, models, top1, attention, adapters, start):
        super().__init__()
        n, self.top1 = len(models), top1
        self.shared = copy.deepcopy(models[0])
        with torch.no_grad():
            for p, *qs in zip(self.shared.parameters(), *(m.parameters() for m in models)):
                p.copy_(sum(q.double() for q in qs) / n)
        layers = range(len(self.shared.model.layers))
        self.ffn = nn.ModuleList(nn.ModuleList(copy.deepcopy(m.model.layers[l].mlp) for m in models) for l in layers)
        self.attn = nn.ModuleList(nn.ModuleList(copy.deepcopy(m.model.layers[l].self_attn) for m in models) for l in layers) if attention else None
        self.router, self.arouter = nn.ParameterList(start["router"]), nn.ParameterList(start["arouter"]) if attention else None
        self.adapt = nn.ParameterList(p for l in start["adapt"] for p in l) if adapters else None
        self.aadapt = nn.ParameterList(p for l in start["aadapt"] for p in l) if adapters else None
        self.n = n

    def mix(self, g, each, adapters, l):
        if adapters is not None:
            each = [e @ adapters[l * self.n + i].T for i, e in enumerate(each)]
        return sum(g[..., i : i + 1] * e for i, e in enumerate(each))

    def forward(self, ids, seed=None):
        m = self.shared.model
        x = m.embed_tokens(ids)
        s = ids.shape[1]
        rope = m.rotary_emb(x, torch.arange(s)[None])
        mask = torch.full((s, s), float("-inf")).triu(1)[None, None]
        for l, layer in enumerate(m.layers):
            n = layer.input_layernorm(x)
            attend = lambda a: a(hidden_states=n, position_embeddings=rope, attention_mask=mask)[0]
            if self.attn is None:
                x = x + attend(layer.self_attn)
            else:
                x = x + self.mix((n @ self.arouter[l].T).softmax(-1), [attend(a) for a in self.attn[l]], self.aadapt, l)
            n = layer.post_attention_layernorm(x)
            z = n @ self.router[l].T
            if not self.top1:
                x = x + self.mix(z.softmax(-1), [f(n) for f in self.ffn[l]], self.adapt, l)
                continue
            if seed is not None:
                torch.manual_seed(seed + l)
                z = z - torch.log(-torch.log(torch.rand(z.flatten(0, 1).shape))).view_as(z)
            g = z.softmax(-1)
            hard = nn.functional.one_hot(z.argmax(-1), self.n).float()
            x = x + sum(hard[..., i : i + 1] * (1 + g - g.detach())[..., i : i + 1] * f(n) for i, f in enumerate(self.ffn[l]))
        return self.shared.lm_head(m.norm(x))

    def named(self):
        """The tensors by the library's names."""
        found = {}
        for name, p in self.shared.named_parameters():
            if ".mlp." not in name and (self.attn is None or ".self_attn." not in name):
                found[name] = p
        for l in range(len(self.ffn)):
            at = f"model.layers.{l}."
            for i in range(self.n):
                found.update({f"{at}mlp.experts.{i}.{k}": p for k, p in self.ffn[l][i].named_parameters()})
                if self.attn is not None:
                    found.update({f"{at}self_attn.experts.{i}.{k}": p for k, p in self.attn[l][i].named_parameters()})
                if self.adapt is not None:
                    found[f"{at}mlp.adapters.{i}.weight"] = self.adapt[l * self.n + i]
                    found[f"{at}self_attn.adapters.{i}.weight"] = self.aadapt[l * self.n + i]
            found[at + "mlp.router.weight"] = self.router[l]
            if self.attn is not None:
                found[at + "self_attn.router.weight"] = self.arouter[l]
        return found


models = [LlamaForCausalLM.from_pretrained(f"{root}/{n}", dtype=torch.float32, attn_implementation="eager").eval() for n in ("hub", "code", "math")]
tokens = load_file(f"{root}/golden.safetensors")["input_ids"][:, :25]
d, layers, n = models[0].config.hidden_size, models[0].config.num_hidden_layers, len(models)
torch.manual_seed(5)
matrices = lambda *shape: [nn.Parameter(torch.randn(*shape) * 0.3) for _ in range(layers)]
near_one = lambda: [[nn.Parameter(torch.eye(d) + 0.02 * torch.randn(d, d)) for _ in range(n)] for _ in range(layers)]
start = {"router": matrices(n, d), "arouter": matrices(n, d), "adapt": near_one(), "aadapt": near_one()}
found = {"tokens": tokens.contiguous()}
for case, top1, attention, adapters in (("btx_sample", True, False, False), ("btx_soft", False, False, False), ("bam", False, True, False), ("bam_adapters", False, True, True)):
    m = Mixture(models, top1, attention, adapters, copy.deepcopy(start))
    named = m.named()
    trained = {k: p for k, p in named.items() if not adapters or "router" in k or "adapters" in k}
    for k, p in named.items():
        p.requires_grad_(k in trained)
        if "router" in k or "adapters" in k and k.startswith("model.layers.1."):
            found[f"{case}.start.{k}"] = p.detach().clone()
        elif "adapters" in k:
            with torch.no_grad(): p.copy_(torch.eye(d))  # as the library starts them: the file stays small
    with torch.no_grad():
        found[f"{case}.logits"] = m(tokens[:, :-1])[0].clone()
    decay = [p for p in trained.values() if p.dim() > 1]
    opt = torch.optim.AdamW([{"params": decay, "weight_decay": 0.1}, {"params": [p for p in trained.values() if p.dim() == 1], "weight_decay": 0.0}],
                            lr=LR, betas=(0.9, 0.95), eps=1e-8)
    losses = []
    for step in range(STEPS):
        loss = nn.functional.cross_entropy(m(tokens[:, :-1], SEED + 100 * step).flatten(0, 1), tokens[:, 1:].flatten())
        opt.zero_grad()
        loss.backward()
        if step == 0:
            for k in ("model.layers.1.mlp.router.weight", "model.layers.1.self_attn.router.weight", "model.layers.0.mlp.experts.1.up_proj.weight",
                      "model.layers.2.self_attn.experts.2.q_proj.weight", "model.layers.1.mlp.adapters.2.weight", "model.layers.1.self_attn.adapters.1.weight",
                      "model.layers.3.input_layernorm.weight"):
                if k in trained:
                    found[f"{case}.gradient.{k}"] = trained[k].grad.clone()
        opt.step()
        losses.append(loss.item())
    found[f"{case}.losses"] = torch.tensor(losses)
save_file({k: v.contiguous() for k, v in found.items()}, out)
print(len(found), "tensors", [(k, v.tolist()) for k, v in found.items() if k.endswith("losses")])

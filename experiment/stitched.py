"""A stitched model and its text out of an experiment's folder, in PyTorch and transformers, for gates.py and filter.py."""
import json

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from transformers import AutoTokenizer, LlamaForCausalLM

DOMAINS = {"english": "english", "code": "code", "math": "math", "german": "lang2"}  # a domain's file in the corpus
OWN = {"english": "seed", "code": "code", "math": "math", "german": "german"}
torch.set_num_threads(1)


class Stitched:
    def __init__(self, output, method):
        stitched = json.load(open(f"{output}/methods/{method}/stitch.json"))
        self.weights = load_file(f"{output}/methods/{method}/{stitched['weights']}")
        self.names = [model["name"] for model in stitched["models"]]
        folders = [f"{output}/models/" + (name if name == "seed" else f"expert-{name}") for name in self.names]
        self.models = [LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).eval() for folder in folders]
        self.tokenizer = AutoTokenizer.from_pretrained(folders[0])
        self.after_layers = stitched["afterLayers"]

    def forward(self, ids, last_gate=lambda z, hub: z, into_experts=True, seen=None):
        """Logits; last_gate may change the last stitch's logits [models, batch, sequence, channels], seen gets what the last stitch read and decided."""
        experts = len(self.models) - 1
        positions = torch.arange(ids.shape[1])
        h = [m.model.embed_tokens(ids) for m in self.models]
        rotary = [m.model.rotary_emb(h[i], positions[None]) for i, m in enumerate(self.models)]
        for layer in range(len(self.models[0].model.layers)):
            for i, m in enumerate(self.models):
                out = m.model.layers[layer](h[i], attention_mask=None, position_ids=positions[None], position_embeddings=rotary[i])
                h[i] = out[0] if isinstance(out, tuple) else out
            if layer + 1 not in self.after_layers:
                continue
            j = self.after_layers.index(layer + 1)
            z = torch.einsum("bsd,nod->nbso", h[0], self.weights[f"stitch.{j}.gate.weight"]) + self.weights[f"stitch.{j}.gate.bias"][:, None, None]
            into_hub = (len(self.after_layers) - 1 - j) % 2 == 0
            projected = [F.linear(h[i + 1] if into_hub else h[0], self.weights[f"stitch.{j}.proj.{i + 1}.weight"]) for i in range(experts)]
            if into_hub:
                if j == len(self.after_layers) - 1:
                    if seen is not None:
                        seen.append((h[0], z))
                    z = last_gate(z, h[0])
                g = z.softmax(0)
                h = [g[0] * h[0] + sum(g[i + 1] * projected[i] for i in range(experts))] + projected
            elif into_experts:
                g = z.sigmoid()
                h = [h[0]] + [torch.lerp(h[i + 1], projected[i], g[i + 1]) for i in range(experts)]
        return self.models[0].lm_head(self.models[0].model.norm(h[0]))


def tokens(output, tokenizer, domain, part, most):
    found = []
    with open(f"{output}/corpus/{DOMAINS[domain]}.{part}.jsonl", encoding="utf-8") as lines:
        for line in lines:
            found += [1] + tokenizer.encode(json.loads(line)["text"], add_special_tokens=False)
            if len(found) > most:
                break
    return found


def held_out(output, tokenizer, domain):
    return tokens(output, tokenizer, domain, "val", 800_000)

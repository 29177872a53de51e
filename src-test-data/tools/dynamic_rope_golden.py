"""Logits of models whose RoPE frequencies follow the length of the sequence, in pieces through transformers' DynamicCache.

Needs torch, transformers, safetensors. Deterministic. Usage: python dynamic_rope_golden.py [FOLDER ...], by default ../golden/rope-dynamic
Writes FOLDER/pieces.safetensors: token_ids [tokens], and for every list of pieces, named as "60-10-1-1", the float32 logits
[pieces, vocabulary] of each piece's last token. A fresh model computes each list, because transformers keeps the longest length it has seen.
"""
import os, sys
import torch, transformers
from safetensors.torch import save_file

here = os.path.dirname(os.path.abspath(__file__))
PIECES = [(60, 10, 1, 1), (100, 2, 1), (1, 63, 1, 1, 20, 1), (65, 1, 4, 1), (10, 20, 1, 1, 1, 5, 1)]

def logits(folder, ids, pieces):
    model = transformers.LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    cache = transformers.DynamicCache()
    rows, at = [], 0
    with torch.no_grad():
        for piece in pieces:
            result = model(ids[None, at:at + piece], past_key_values=cache, use_cache=True)
            rows.append(result.logits[0, -1].clone())
            at += piece
    return torch.stack(rows).contiguous()

def main(folders):
    for folder in folders:
        vocabulary = transformers.AutoConfig.from_pretrained(folder).vocab_size
        ids = torch.randint(0, vocabulary, (max(map(sum, PIECES)),), generator=torch.Generator().manual_seed(25))
        found = {"-".join(map(str, pieces)): logits(folder, ids, pieces) for pieces in PIECES}
        save_file({"token_ids": ids, **found}, os.path.join(folder, "pieces.safetensors"),
                  metadata={"torch": torch.__version__, "transformers": transformers.__version__})

if __name__ == "__main__":
    main(sys.argv[1:] or [os.path.join(here, "..", "golden", "rope-dynamic")])

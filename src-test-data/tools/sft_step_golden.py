"""Writes src-test-data/golden/sft/step.json and gradients.safetensors: a step of supervised fine-tuning by transformers over two micro-batches of packed conversations, the loss weighted by the
tokens that count in both (num_items_in_batch), with the model of golden/llama2-gqa. Checks that packing by position_ids gives what the conversations give each by itself.
Needs torch, transformers and safetensors. Run: python3 sft_step_golden.py"""
import json
import random
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

DATA = Path(__file__).parents[1] / "golden"
BATCHES = [[(9, 4), (14, 6)], [(20, 17)]]  # conversations of a micro-batch: tokens, and how many of them are the prompt


def main():
    torch.manual_seed(0)
    rng = random.Random(4)
    model = AutoModelForCausalLM.from_pretrained(DATA / "llama2-gqa", dtype=torch.float32, attn_implementation="eager")
    batches = []
    for shapes in BATCHES:
        batch = []
        for length, prompt in shapes:
            counted = [t >= prompt and rng.random() < 0.8 or t == length - 1 for t in range(length)]
            batch.append({"ids": [rng.randrange(3, model.config.vocab_size) for _ in range(length)], "counted": counted})
        batches.append(batch)
    items = sum(sum(each["counted"][1:]) for batch in batches for each in batch)
    losses = []
    apart = 0.0
    for batch in batches:
        ids = [i for each in batch for i in each["ids"]]
        labels = [i if counts and t > 0 else -100 for each in batch for t, (i, counts) in enumerate(zip(each["ids"], each["counted"]))]
        positions = [t for each in batch for t in range(len(each["ids"]))]
        loss = model(input_ids=torch.tensor([ids]), position_ids=torch.tensor([positions]), labels=torch.tensor([labels]), num_items_in_batch=torch.tensor(items), use_cache=False).loss
        loss.backward()
        losses.append(loss.item())
        with torch.no_grad():
            for each in batch:
                own = [i if counts and t > 0 else -100 for t, (i, counts) in enumerate(zip(each["ids"], each["counted"]))]
                apart += model(input_ids=torch.tensor([each["ids"]]), labels=torch.tensor([own]), num_items_in_batch=torch.tensor(items), use_cache=False).loss.item()
    assert abs(apart - sum(losses)) < 1e-5, (apart, losses)
    (DATA / "sft").mkdir(exist_ok=True)
    (DATA / "sft" / "step.json").write_text(json.dumps({"counted": items, "losses": losses, "batches": batches}, indent=0))
    kept = ["model.embed_tokens.weight", "model.layers.0.self_attn.k_proj.weight", "model.layers.1.self_attn.q_proj.weight", "model.layers.1.mlp.down_proj.weight", "model.norm.weight"]
    save_file({name: model.get_parameter(name).grad.contiguous() for name in kept}, DATA / "sft" / "gradients.safetensors")
    print(items, losses, apart)


if __name__ == "__main__":
    main()

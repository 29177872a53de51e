"""Writes the distributions that the logits processors of Hugging Face transformers leave, in the order in which generate() applies them.
Needs torch and transformers (5.18 was used). Deterministic. Usage: python sampling_golden.py"""
import json, os
import torch
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

here = os.path.dirname(os.path.abspath(__file__))
out = os.path.join(here, "..", "..", "bts-core", "src", "test", "resources", "io", "github", "bts4j", "core", "generate", "sampling.json")
VOCAB = 50
model = LlamaForCausalLM(LlamaConfig(vocab_size=VOCAB, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1))

def processors(options):
    """The list that generate() itself builds, so that its order is the library's and not ours."""
    config = GenerationConfig(do_sample=True, top_k=options.get("topK", 0), top_p=options.get("topP", 1.0), min_p=options.get("minP"),
                              temperature=options.get("temperature", 1.0), repetition_penalty=options.get("repetitionPenalty", 1.0), max_new_tokens=1)
    config, _ = model._prepare_generation_config(config)
    model._prepare_special_tokens(config, device="cpu")
    return model._get_logits_processor(generation_config=config, input_ids_seq_length=4)

cases = [{}, {"temperature": 0.7}, {"temperature": 2.5}, {"topK": 1}, {"topK": 5}, {"topK": 49}, {"topK": 500}, {"topP": 0.1}, {"topP": 0.5}, {"topP": 0.9}, {"topP": 0.999},
         {"minP": 0.02}, {"minP": 0.3}, {"minP": 1.0}, {"repetitionPenalty": 1.3}, {"repetitionPenalty": 0.8}, {"repetitionPenalty": 5.0},
         {"temperature": 0.5, "topP": 0.8}, {"temperature": 1.8, "topP": 0.8}, {"temperature": 1.8, "minP": 0.2}, {"topK": 12, "topP": 0.7}, {"topK": 3, "topP": 0.99},
         {"topK": 20, "minP": 0.15}, {"topP": 0.85, "minP": 0.1}, {"repetitionPenalty": 1.5, "topK": 6}, {"repetitionPenalty": 1.5, "topP": 0.6},
         {"temperature": 0.8, "topK": 15, "topP": 0.9, "minP": 0.05, "repetitionPenalty": 1.2},
         {"temperature": 1.6, "topK": 30, "topP": 0.75, "minP": 0.08, "repetitionPenalty": 2.0}]

def logits(kind, seed):
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(VOCAB, generator=g)
    if kind == "peaked": return x * 4
    if kind == "ties": return torch.round(x * 2) / 2       # many equal logits (top-p leaves their order open: not used with it)
    if kind == "masked": return torch.where(torch.arange(VOCAB) % 3 == 0, torch.tensor(-float("inf")), x)
    return x

rows = []
for kind in ["flat", "peaked", "masked", "ties"]:
    for i, options in enumerate(cases):
        if kind == "ties" and "topP" in options:
            continue
        x = logits(kind, 1000 + i)
        history = torch.randint(0, VOCAB, (1, 12), generator=torch.Generator().manual_seed(i))
        history[0, -1] = int(x.argmax()); history[0, 0] = history[0, 1]
        scores = processors(options)(history, x[None].clone())
        p = torch.softmax(scores.double(), dim=-1)[0]
        kept = [t for t in range(VOCAB) if p[t] > 0]
        rows.append({"kind": kind, "options": options, "logits": [None if v == -float("inf") else v for v in x.tolist()], "history": history[0].tolist(),
                     "ids": kept, "probabilities": [p[t].item() for t in kept], "argmax": int(processors(
                         {"repetitionPenalty": options.get("repetitionPenalty", 1.0)})(history, x[None].clone())[0].argmax()),
                     "logProbs": [None if v == -float("inf") else v for v in torch.log_softmax(x.double(), dim=-1).tolist()]})
with open(out, "w") as f:
    json.dump({"tolerance": 2e-6, "rows": rows}, f, separators=(",", ":"))
    f.write("\n")
print(len(rows), "rows", [type(p).__name__ for p in processors(cases[-1])])

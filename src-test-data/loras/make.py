"""Two LoRA adapters of stories260K, trained and saved by Hugging Face's PEFT, and texts to stitch them on: the files of docs/stitch-your-loras.md.

Needs torch, transformers, peft, tokenizers. Usage: python3 make.py BASE OUT [ADAPTER..]
BASE is stories260K as a checkpoint: bts convert ../stories260K/stories260K.gguf BASE
The texts are of the quick start's corpus (its NOTICE.md names their sources). Every fifth document is held out; OUT gets the beginnings of the others to train stitches on.
"""
import json, os, sys, warnings
import torch
from peft import LoraConfig, get_peft_model
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

warnings.filterwarnings("ignore")
CORPUS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../bts-examples/src/main/resources/io/github/bts4j/examples/corpus")
DOMAINS = {"english": "english", "code": "code", "spanish": "lang2"}
ADAPTERS = {"code": (1500, dict(r=16, lora_alpha=32, target_modules="all-linear")),
            "spanish": (500, dict(r=16, lora_alpha=16, use_rslora=True, target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]))}
BATCH, LENGTH, RATE = 8, 128, 3e-3

def documents(domain):
    with open(os.path.join(CORPUS, DOMAINS[domain] + ".jsonl"), encoding="utf-8") as f: texts = [json.loads(line)["text"] for line in f]
    texts = [text.split("*/", 1)[-1].lstrip() if domain == "code" else text for text in texts]   # without the licence's header, which NOTICE.md stands for
    return [t for i, t in enumerate(texts) if i % 5 != 4], [t for i, t in enumerate(texts) if i % 5 == 4]

def write(path, texts, size, each):
    with open(path, "w", encoding="utf-8") as f:
        for text in texts:
            line = json.dumps({"text": text[:each]}, ensure_ascii=False) + "\n"
            if size < len(line): break
            size -= len(line); f.write(line)

def train(base, out, domain, steps, options):
    tokenizer = Tokenizer.from_file(os.path.join(base, "tokenizer.json"))
    ids = torch.tensor([i for text in documents(domain)[0] for i in tokenizer.encode(text).ids])
    torch.manual_seed(1)
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), LoraConfig(task_type="CAUSAL_LM", **options))
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=RATE, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for step in range(steps):
        starts = torch.randint(0, len(ids) - LENGTH - 1, (BATCH,))
        batch = torch.stack([ids[s:s + LENGTH + 1] for s in starts])
        loss = model(input_ids=batch, labels=batch).loss
        optimizer.zero_grad(); loss.backward(); optimizer.step(); schedule.step()
        if step % 100 == 0: print(domain, step, round(loss.item(), 3), flush=True)
    folder = os.path.join(out, domain)
    model.save_pretrained(folder)
    if os.path.exists(os.path.join(folder, "README.md")): os.remove(os.path.join(folder, "README.md"))
    path = os.path.join(folder, "adapter_config.json")   # PEFT names the base as it was loaded
    with open(path) as f: config = json.load(f)
    config["base_model_name_or_path"] = "stories260K"
    with open(path, "w") as f: json.dump(config, f, indent=2, sort_keys=True); f.write("\n")

if __name__ == "__main__":
    base, out, *chosen = sys.argv[1:]
    for domain in DOMAINS:
        training, held_out = documents(domain)
        write(os.path.join(out, domain + ".jsonl"), training, 60_000, 3000)
        write(os.path.join(out, "held-out-" + domain + ".jsonl"), held_out, 20_000, 2000)
    for domain, (steps, options) in ADAPTERS.items():
        if len(chosen) == 0 or domain in chosen: train(base, out, domain, steps, options)

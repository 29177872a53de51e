"""What an expert says through its own final norm and head, and what through the seed's: nats per token of held-out text. A stitched model has the seed's alone.
Needs torch and transformers. Usage: python experiment/heads.py MODELS_FOLDER CORPUS_FOLDER code=code math=math german=lang2"""
import json, os, sys
import torch, torch.nn.functional as F
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

models, corpus, *pairs = sys.argv[1:]
WINDOWS, WIDTH = 40, 257
tokenizer = PreTrainedTokenizerFast(tokenizer_file=os.path.join(models, "seed", "tokenizer.json"))
seed = LlamaForCausalLM.from_pretrained(os.path.join(models, "seed"))
for expert, domain in (pair.split("=") for pair in pairs):
    ids = []
    for line in open(os.path.join(corpus, domain + ".val.jsonl"), encoding="utf-8"):
        ids += [1] + tokenizer.encode(json.loads(line)["text"], add_special_tokens=False)
        if len(ids) > WINDOWS * WIDTH:
            break
    x = torch.tensor(ids[:WINDOWS * WIDTH]).view(-1, WIDTH)
    model = LlamaForCausalLM.from_pretrained(os.path.join(models, "expert-" + expert))
    last = {}
    model.model.norm.register_forward_pre_hook(lambda module, inputs: last.__setitem__("states", inputs[0]))

    def loss(states, head):
        return F.cross_entropy((states @ head.weight.T)[:, :-1].flatten(0, 1), x[:, 1:].flatten()).item()

    with torch.no_grad():
        own = loss(model.model(x).last_hidden_state, model.lm_head)
        through_seed = loss(seed.model.norm(last["states"]), seed.lm_head)
        before = loss(seed.model(x).last_hidden_state, seed.lm_head)
    print(f"{expert}: seed {before:.3f}, expert {own:.3f}, expert through the seed's norm and head {through_seed:.3f}: "
          f"{100 * (before - through_seed) / (before - own):.0f} % of the gain")

"""Writes src-test-data/text: what transformers makes of texts and conversations with the model of src-test-data/server, and a tokenizer of 160 tokens for the
stitched models of src-test-data/golden, with their golden tokens as texts.

llama.json: for several generation_config.json and prompts the greedy text of `generate`, which stops at the end tokens by itself, and the same for conversations
through a chat template. Apache-2.0, made by this script. Usage: python text_model_golden.py (torch 2.15, transformers 5.24 and tokenizers 0.23 were used)"""
import json, os, shutil, tempfile
import torch
from safetensors import safe_open
from tokenizers import Tokenizer, decoders, models
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

here = os.path.dirname(os.path.abspath(__file__))
out = os.path.join(here, "../text")
os.makedirs(out, exist_ok=True)
TEMPLATE = "{{ bos_token }}{% for m in messages %}{{ m['role'][0] }}: {{ m['content'] }}\n{% endfor %}{% if add_generation_prompt %}a:{% endif %}"

def opened(config_eos, generation):
    folder = tempfile.mkdtemp()
    for name in os.listdir(os.path.join(here, "../server")):
        if name != "logprobs.json":
            shutil.copy(os.path.join(here, "../server", name), folder)
    config = json.load(open(os.path.join(folder, "config.json")))
    config["eos_token_id"] = config_eos
    json.dump(config, open(os.path.join(folder, "config.json"), "w"))
    if generation is not None:
        json.dump(generation, open(os.path.join(folder, "generation_config.json"), "w"))
    open(os.path.join(folder, "chat_template.jinja"), "w").write(TEMPLATE)
    return AutoModelForCausalLM.from_pretrained(folder).eval(), PreTrainedTokenizerFast.from_pretrained(folder)

def greedy(model, tokenizer, ids, new):
    with torch.no_grad():
        all_ids = model.generate(torch.tensor([ids]), max_new_tokens=new, do_sample=False, pad_token_id=0)[0].tolist()
    # byte by byte: of several bytes that are no character, transformers loses those that are characters by themselves
    generated = all_ids[len(ids):]
    ends = model.generation_config.eos_token_id # an end token is no text, also where the tokenizer does not call it special
    shown = generated[:-1] if generated[-1] in (ends if isinstance(ends, list) else [ends]) else generated
    pieces = tokenizer.convert_ids_to_tokens(shown, skip_special_tokens=True)
    text = b"".join(bytes([int(p[3:5], 16)]) if len(p) == 6 and p.startswith("<0x") else p.replace("▁", " ").encode() for p in pieces).decode(errors="replace")
    return generated, text

cases, new = [], 16
model, tokenizer = opened(2, None)
prompts = ["It is a truth", "man", "two  words"]
conversations = [[{"role": "user", "content": "Hi"}], [{"role": "system", "content": "Be so."}, {"role": "user", "content": "a man?"}]]
encoded = [tokenizer(p).input_ids for p in prompts] + [tokenizer.apply_chat_template(c, add_generation_prompt=True, return_dict=False) for c in conversations]
free = [greedy(model, tokenizer, ids, new)[0] for ids in encoded]
settings = [(2, None), (free[0][4], None), (2, {"eos_token_id": free[0][4]}), (2, {"eos_token_id": [free[1][2], free[3][5]]}), (free[0][0], {"eos_token_id": 2})]
for config_eos, generation in settings:
    model, tokenizer = opened(config_eos, generation)
    results = []
    for source, ids in zip(prompts + conversations, encoded):
        tokens, text = greedy(model, tokenizer, ids, new)
        results.append(dict(prompt=source if isinstance(source, str) else None, messages=None if isinstance(source, str) else source, ids=ids, generated=tokens, text=text))
    cases.append(dict(config_eos=config_eos, generation_config=generation, results=results))
json.dump(dict(template=TEMPLATE, new_tokens=new, cases=cases), open(os.path.join(out, "llama.json"), "w"), ensure_ascii=False, indent=0)
for c in cases:
    print(c["config_eos"], c["generation_config"], [len(r["generated"]) for r in c["results"]], [r["text"] for r in c["results"]])

# single characters, so that any ids are a text
characters = [chr(c) for c in range(0x20, 0x7F)] + [chr(c) for c in range(0xC0, 0xC0 + 62)]
vocab = {piece: i for i, piece in enumerate(["<unk>", "<s>", "</s>"] + characters)}
assert len(vocab) == 160
t = Tokenizer(models.BPE(vocab=vocab, merges=[], unk_token="<unk>", byte_fallback=False))
t.add_special_tokens(["<unk>", "<s>", "</s>"])
t.decoder = decoders.Fuse()
t.save(os.path.join(out, "tokenizer.json"))
json.dump({"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}, open(os.path.join(out, "tokenizer_config.json"), "w"))
stitched = {}
for case in ["bts-3x4"]:
    with safe_open(os.path.join(here, "../golden", case, "golden.safetensors"), "pt") as f:
        ids = f.get_tensor("greedy_after_ids")[0].tolist()
        inputs = f.get_tensor("input_ids")[0].tolist()
    prompt, text = t.decode(ids[:8], skip_special_tokens=False), t.decode(ids, skip_special_tokens=False)
    assert t.encode(prompt).ids == ids[:8] and t.encode(t.decode(inputs, skip_special_tokens=False)).ids == inputs
    stitched[case] = dict(prompt=prompt, continuation=t.decode(ids[8:], skip_special_tokens=True), generated=ids[8:], input=t.decode(inputs, skip_special_tokens=False))
json.dump(stitched, open(os.path.join(out, "stitched.json"), "w"), ensure_ascii=False, indent=0)
print(stitched)

"""Writes src-test-data/server: a small Llama of random weights with a SentencePiece-like tokenizer, which spells rare characters in bytes, and what OpenAI's
completions say of texts under it (https://platform.openai.com/docs/api-reference/completions/object): values are transformers' log-softmax, names and offsets
follow from the tokens' bytes. Apache-2.0, made by this script. Usage: python server_golden.py (torch 2.15, transformers 5.24 and tokenizers 0.23 were used)"""
import json, os
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../server")
os.makedirs(out, exist_ok=True)
lines = ["It is a truth universally acknowledged, that a single man in possession of a good fortune, must be in want of a wife.",
         "However little known the feelings or views of such a man may be on his first entering a neighbourhood, this truth is so well fixed."]
specials = ["<unk>", "<s>", "</s>"]
trainer = trainers.BpeTrainer(vocab_size=130, special_tokens=[], show_progress=False)
draft = Tokenizer(models.BPE())
draft.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
draft.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
draft.train_from_iterator(lines, trainer)
learnt = json.loads(draft.to_str())["model"]
vocab = {}
for piece in specials + [f"<0x{i:02X}>" for i in range(256)] + sorted(learnt["vocab"], key=learnt["vocab"].get) + (["a"] if "a" not in learnt["vocab"] else []):
    vocab.setdefault(piece, len(vocab))
merges = [tuple(m) if not isinstance(m, str) else tuple(m.split(" ")) for m in learnt["merges"]]
t = Tokenizer(models.BPE(vocab=vocab, merges=merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True))
t.add_special_tokens(specials)
t.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
t.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
t.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
t.save(os.path.join(out, "tokenizer.json"))
json.dump({"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}, open(os.path.join(out, "tokenizer_config.json"), "w"))

torch.manual_seed(3)
config = LlamaConfig(vocab_size=len(vocab), hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=2,
                     max_position_embeddings=64, tie_word_embeddings=False, bos_token_id=1, eos_token_id=2)
model = LlamaForCausalLM(config).eval()
with torch.no_grad():
    for name, p in model.named_parameters():
        p.copy_(torch.randn_like(p) * 0.5 if p.dim() > 1 else 1 + 0.1 * torch.randn_like(p))
model.save_pretrained(out)
for extra in ("generation_config.json",):
    if os.path.exists(os.path.join(out, extra)):
        os.remove(os.path.join(out, extra))

pieces = {i: p for p, i in vocab.items()}
def token_bytes(i):
    p = pieces[i]
    return bytes([int(p[3:5], 16)]) if i > 2 and i < 259 else p.replace("▁", " ").encode()
def name(b):
    try:
        return b.decode()
    except UnicodeDecodeError:
        return "bytes:" + repr(b)[2:-1]
def complete(b):  # characters that are complete
    return len(b.decode(errors="ignore"))

cases = []
for text in ["It is a truth", " two  spaces", "naïve 中文 😀 end", "a", "man", "😀"]:
    ids = t.encode(text).ids
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0].float()
        greedy, more = list(ids), []
        for _ in range(10):
            last = torch.log_softmax(model(torch.tensor([greedy])).logits[0, -1].float(), -1)
            greedy.append(int(last.argmax()))
            more.append(last)
    scores = [None] + list(torch.log_softmax(logits, -1)[:-1])
    tokens = []
    so_far, begun = b"", False
    for i, id in enumerate(ids):
        b = token_bytes(id)
        if id > 2 and not begun and b.startswith(b" "):
            b = b[1:]
        begun |= id > 2
        top = None
        if scores[i] is not None:
            best = torch.topk(scores[i], 3)
            top = [[int(k), float(v)] for k, v in zip(best.indices, best.values)]
        tokens.append(dict(id=id, name=name(b), bytes=None if id < 3 else list(b), offset=complete(so_far), logprob=None if scores[i] is None else float(scores[i][id]), top=top))
        so_far += b"" if id < 3 else b
    assert so_far.decode() == t.decode(ids) == text, (so_far, text)
    generated = greedy[len(ids):]
    cases.append(dict(text=text, ids=ids, decoded=t.decode(ids), tokens=tokens, generated=generated, generated_names=[name(token_bytes(i)) for i in generated],
                      generated_bytes=[list(token_bytes(i)) for i in generated], generated_logprobs=[float(l[i]) for l, i in zip(more, generated)]))
json.dump(cases, open(os.path.join(out, "logprobs.json"), "w"), ensure_ascii=False, indent=0)
for c in cases:
    print(c["text"], c["ids"], [x["name"] for x in c["tokens"]], [x["offset"] for x in c["tokens"]], c["generated_names"])

"""Writes src-test-data/server/embeddings.json: normalised means of transformers' last hidden states of texts under the model of src-test-data/server.
Usage: python embeddings_golden.py (torch 2.15, transformers 5.24 and tokenizers 0.23 were used)"""
import json, os
import torch
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../server")
model = LlamaForCausalLM.from_pretrained(out, dtype=torch.float32).eval()
tokenizer = Tokenizer.from_file(os.path.join(out, "tokenizer.json"))
cases = []
for text in ["It is a truth", "man", "naïve 😀 end", "It is a truth universally acknowledged"]:
    ids = tokenizer.encode(text).ids
    with torch.no_grad():
        states = model(torch.tensor([ids]), output_hidden_states=True).hidden_states[-1][0]
    cases.append({"text": text, "ids": ids, "embedding": torch.nn.functional.normalize(states.double().mean(0), dim=0).tolist()})
json.dump(cases, open(os.path.join(out, "embeddings.json"), "w"), ensure_ascii=False, indent=0)

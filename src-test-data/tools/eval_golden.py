"""Writes a tiny Llama with the bundled tokenizer as one GGUF file, and its bits per byte by transformers: packed windows, and each document by itself.

Usage: python eval_golden.py (in src-test-data; needs torch, transformers, tokenizers and gguf)
"""
import json, math
import numpy as np
import torch
from gguf import GGUFWriter, TokenType
from tokenizers import Tokenizer
from transformers import LlamaConfig, LlamaForCausalLM

torch.manual_seed(5)
HIDDEN, HEADS, KV, LAYERS, CONTEXT = 32, 4, 2, 2, 64
config = LlamaConfig(vocab_size=2048, hidden_size=HIDDEN, intermediate_size=48, num_hidden_layers=LAYERS, num_attention_heads=HEADS, num_key_value_heads=KV,
                     max_position_embeddings=CONTEXT, tie_word_embeddings=True, initializer_range=0.3, bos_token_id=1, eos_token_id=2, rms_norm_eps=1e-5)
model = LlamaForCausalLM(config).eval()
root = json.load(open('tokenizer/tokenizer.json'))
ids = dict(root['model']['vocab']) | {t['content']: t['id'] for t in root['added_tokens']}
tokens = [t for t, _ in sorted(ids.items(), key=lambda e: e[1])]
special = {t['content'] for t in root['added_tokens'] if t['special']}

w = GGUFWriter('eval/llama-with-tokenizer.gguf', 'llama')
w.add_context_length(CONTEXT); w.add_embedding_length(HIDDEN); w.add_block_count(LAYERS); w.add_feed_forward_length(48)
w.add_head_count(HEADS); w.add_head_count_kv(KV); w.add_layer_norm_rms_eps(1e-5); w.add_rope_dimension_count(HIDDEN // HEADS); w.add_rope_freq_base(10000.0)
w.add_vocab_size(2048)
w.add_tokenizer_model('gpt2'); w.add_tokenizer_pre('smollm'); w.add_token_list(tokens)
w.add_token_types([TokenType.CONTROL if t in special else TokenType.NORMAL for t in tokens])
w.add_token_merges([m if isinstance(m, str) else ' '.join(m) for m in root['model']['merges']])
w.add_bos_token_id(1); w.add_eos_token_id(2); w.add_add_bos_token(True)

def permute(x, heads):
    return x.reshape(heads, 2, x.shape[0] // heads // 2, *x.shape[1:]).swapaxes(1, 2).reshape(x.shape)

names = {'input_layernorm': 'attn_norm', 'self_attn.q_proj': 'attn_q', 'self_attn.k_proj': 'attn_k', 'self_attn.v_proj': 'attn_v', 'self_attn.o_proj': 'attn_output',
         'post_attention_layernorm': 'ffn_norm', 'mlp.gate_proj': 'ffn_gate', 'mlp.up_proj': 'ffn_up', 'mlp.down_proj': 'ffn_down'}
for name, t in model.state_dict().items():
    x = t.numpy().astype(np.float32)
    if name == 'model.embed_tokens.weight': w.add_tensor('token_embd.weight', x)
    elif name == 'model.norm.weight': w.add_tensor('output_norm.weight', x)
    elif name.startswith('model.layers.'):
        _, _, layer, rest = name.split('.', 3)
        inner = rest.removesuffix('.weight')
        if inner.endswith('q_proj'): x = permute(x, HEADS)
        if inner.endswith('k_proj'): x = permute(x, KV)
        w.add_tensor(f'blk.{layer}.{names[inner]}.weight', np.ascontiguousarray(x))
w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close()

documents = ['public static boolean isEmpty(String text) { return text.length() == 0; }',
             'Short.',
             'The end mark is written <|end|> here, and <|begin|> there: both are text. It was a truth that the family, once seen, would be known: ' * 3,
             'Gr\u00fc\u00dfe \u4f60\u597d \U0001F600']
tokenizer = Tokenizer.from_file('tokenizer/tokenizer.json')
tokenizer.encode_special_tokens = True
encoded = [[1] + tokenizer.encode(d, add_special_tokens=False).ids for d in documents]

def nats(sequence, first):
    with torch.no_grad():
        losses = torch.nn.functional.cross_entropy(model(torch.tensor([sequence[:-1]])).logits[0].double(), torch.tensor(sequence[1:]), reduction='none')
    return losses[first - 1:]

SEQUENCE, OVERLAP = 32, 16
size = [len(d.encode()) for d in documents]
byte_length = {i: 0 if t in special else len(t) for t, i in ids.items()}
alone = []
for e in encoded:
    total, at = 0.0, 1
    while at < len(e):
        start = 0 if at == 1 else at - OVERLAP
        end = min(len(e), start + SEQUENCE + 1)
        total += float(nats(e[start:end], at - start).sum())
        at = end
    alone.append(total)
flat = sum(encoded, [])
packed, packed_bytes = 0.0, 0
for start in range(0, len(flat) - 1, SEQUENCE):
    window = flat[start:start + SEQUENCE + 1]
    for token, loss in zip(window[1:], nats(window, 1)):
        if byte_length[token] > 0:
            packed += float(loss); packed_bytes += byte_length[token]
json.dump({'sequence': SEQUENCE, 'overlap': OVERLAP, 'documents': documents, 'tokens': [len(e) for e in encoded], 'nats': alone, 'bytes': size,
           'byDocument': sum(alone) / math.log(2) / sum(size), 'packed': packed / math.log(2) / packed_bytes, 'packedBytes': packed_bytes}, open('eval/golden.json', 'w'), indent=1)

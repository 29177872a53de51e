"""A part of Phi-3's own vocabulary (Microsoft, MIT License) as GGUF, from the vocabulary file that llama.cpp publishes, and the texts that phi3_tokens.mjs gives to llama.cpp.

Usage: python3 phi3_tokens.py ggml-vocab-phi-3.gguf (in the source package of llama-cpp-python 0.3.36, vendor/llama.cpp/models), then node phi3_tokens.mjs
Writes ../gguf/phi3-tokens.gguf: every token that is no ordinary piece, and the pieces that occur in the texts. GGUF cannot say behind which tokens spaces belong to the token; Phi-3's tokenizer.json does.
"""
import json, os, sys
import gguf
from gguf import GGUFReader
out = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'gguf')
TEXTS=["", " ", "a", "Hello, world!", "<|user|>\nWhat is 12 + 7?<|end|>\n<|assistant|>\n", "<|system|>\nYou are brief.<|end|>\n<|user|>\nHi  there<|end|>\n<|assistant|>\nHello.<|end|>\n<|endoftext|>", "<s> x</s> y", "<|end|>  \n\t z", "<|endoftext|> <|end|>\n<|user|> hi<|end|>", "two  spaces\n\nand lines", "na\u00efve caf\u00e9 \U0001f642", "<|user|>", "<|assistant|> x", "ends <|end|>", "<unk> u"]
r=GGUFReader(sys.argv[1])
f=lambda k: r.fields['tokenizer.ggml.'+k].contents()
tokens,types,scores=f('tokens'),f('token_type'),f('scores')
text='\u2581'+'\u2581'.join(x.replace(' ','\u2581') for x in TEXTS)
keep=[i for i,t in enumerate(tokens) if types[i]!=1 or t in text]
w=gguf.GGUFWriter(os.path.join(out,'phi3-tokens.gguf'),'phi3'); w.add_name('Phi-3')
w.add_tokenizer_model('llama'); w.add_tokenizer_pre('default'); w.add_token_list([tokens[i].encode() for i in keep]); w.add_token_scores([scores[i] for i in keep]); w.add_token_types([types[i] for i in keep])
new={o:n for n,o in enumerate(keep)}
w.add_bos_token_id(new[1]); w.add_eos_token_id(new[32000]); w.add_unk_token_id(new[0]); w.add_add_bos_token(True); w.add_add_eos_token(False)
w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close()
json.dump({'rows': [{'text': t} for t in TEXTS]}, open(os.path.join(out, 'phi3-tokens.json'), 'w'))

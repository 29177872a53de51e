"""The published model stories260K of llama2.c (https://github.com/karpathy/llama2.c, MIT licence, see ../stories260K/LICENSE) as a GGUF file.

Needs gguf, numpy. Deterministic. Usage: python stories260k.py stories260K.bin tok512.bin
The files as published are in https://huggingface.co/karpathy/tinyllamas/tree/main/stories260K. The SHA-256 checked here are of the two files that
../stories260K/README.md describes, which were put together from copies elsewhere and not compared with the published ones byte by byte. Writes ../stories260K/stories260K.gguf.

stories260K.bin has llama2.c's legacy layout (export.py, version 0): seven int32 (dim, hidden_dim, n_layers, n_heads, n_kv_heads, vocab_size, seq_len),
then float32: the embedding table; of all layers together the attention norms, wq, wk, wv, wo, the MLP norms, w1, w2, w3; the final norm; two tables of
rotations, which follow from the rest. A positive vocab_size says that the head is the embedding table. Rows of wq and wk are in Meta's order, which is GGUF's.
tok512.bin is SentencePiece's vocabulary (tokenizer.py): int32 longest piece, then for each piece float32 score, int32 length, the bytes, spaces for "▁".
The text that the model gives greedily is in llama2.c's own test_all.py and doc/stories260K.md; Stories260KTest holds it.
"""
import hashlib, os, struct, sys
import numpy as np, gguf

here = os.path.dirname(os.path.abspath(__file__))
SHA256 = ["b0a507e7ad0f626624f17112325e66691f9076d622e1d3274d103d00299f2696", "037cb335abb25d1fa9e8ecae30ed2a3a8ace9302862ebcdc05d51a6bbb10c312"]

def read(path, sha256):
    with open(path, "rb") as f: content = f.read()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256: sys.exit(f"{path}: SHA-256 is {found}, not {sha256}: it is another file than the one that ../stories260K/README.md describes")
    return content

def tensors(content):
    dim, hidden, layers, heads, kv_heads, vocab, context = struct.unpack_from("7i", content)
    assert vocab > 0, "a head of its own is not expected here"
    head = dim // heads
    values, at = np.frombuffer(content, dtype="<f4", offset=28), 0
    def take(*shape):
        nonlocal at
        size = int(np.prod(shape)); part = values[at:at + size].reshape(shape); at += size
        return part
    found = {"token_embd.weight": take(vocab, dim)}
    stacked = {"attn_norm": take(layers, dim), "attn_q": take(layers, heads * head, dim), "attn_k": take(layers, kv_heads * head, dim),
               "attn_v": take(layers, kv_heads * head, dim), "attn_output": take(layers, dim, heads * head), "ffn_norm": take(layers, dim),
               "ffn_gate": take(layers, hidden, dim), "ffn_down": take(layers, dim, hidden), "ffn_up": take(layers, hidden, dim)}
    for i in range(layers):
        for name, all_layers in stacked.items(): found[f"blk.{i}.{name}.weight"] = np.ascontiguousarray(all_layers[i])
    found["output_norm.weight"] = take(dim)
    assert at + context * head == len(values), "the file ends elsewhere"
    return (dim, hidden, layers, heads, kv_heads, vocab, context), found

def pieces(content, vocab):
    at, found = 4, []
    for _ in range(vocab):
        score, length = struct.unpack_from("<fi", content, at); at += 8
        found.append((content[at:at + length].decode("utf-8").strip("\n") if length > 1 else content[at:at + length].decode("utf-8"), score)); at += length
    assert at == len(content), "the file ends elsewhere"
    return found

def main(model, tokenizer):
    (dim, hidden, layers, heads, kv_heads, vocab, context), found = tensors(read(model, SHA256[0]))
    tokens = pieces(read(tokenizer, SHA256[1]), vocab)
    w = gguf.GGUFWriter(os.path.join(here, "..", "stories260K", "stories260K.gguf"), "llama")
    w.add_name("stories260K"); w.add_author("Andrej Karpathy"); w.add_license("MIT"); w.add_source_url("https://huggingface.co/karpathy/tinyllamas")
    w.add_context_length(context); w.add_embedding_length(dim); w.add_block_count(layers); w.add_feed_forward_length(hidden)
    w.add_head_count(heads); w.add_head_count_kv(kv_heads); w.add_layer_norm_rms_eps(1e-5); w.add_rope_freq_base(10000.0)
    w.add_rope_dimension_count(dim // heads); w.add_vocab_size(vocab)
    T = gguf.TokenType
    kind = lambda i, t: T.UNKNOWN if i == 0 else T.CONTROL if i < 3 else T.BYTE if t.startswith("<0x") and len(t) == 6 else T.NORMAL
    w.add_tokenizer_model("llama"); w.add_token_list([t.replace(" ", "▁") for t, _ in tokens]); w.add_token_scores([s for _, s in tokens])
    w.add_token_types([int(kind(i, t)) for i, (t, _) in enumerate(tokens)])
    w.add_bos_token_id(1); w.add_eos_token_id(2); w.add_unk_token_id(0); w.add_add_bos_token(True); w.add_add_eos_token(False)
    for name, values in found.items(): w.add_tensor(name, values)
    w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close()

if __name__ == "__main__":
    main(*sys.argv[1:3])

/**
 * GGUF, the file format of llama.cpp and ggml: header, metadata, tensors, and the dequantisation of its block formats.
 *
 * <p>{@link io.github.bts4j.core.torch.llama.LlamaModel#open LlamaModel.open}, {@link io.github.bts4j.core.tokenizer.LlamaTokenizer#open LlamaTokenizer.open}
 * and {@link io.github.bts4j.core.chat.ChatTemplate#of ChatTemplate.of} take a GGUF file where they take a checkpoint's folder; this package reads the file
 * for them.
 */
package io.github.bts4j.core.checkpoint.gguf;

/**
 * Llama models as libtorch computes them: loading, running, decoding and saving.
 *
 * <p>{@link io.github.bts4j.core.torch.llama.LlamaModel} is the model; {@link io.github.bts4j.core.torch.llama.LoadOptions} say where and in which precision it computes, and whether
 * its matrices are held as int8 ({@link io.github.bts4j.core.torch.llama.Quantization}). For texts, begin with {@link io.github.bts4j.core.text.TextModel}.
 *
 * <h2>For code that runs several models at once</h2>
 * {@link io.github.bts4j.core.torch.llama.Decoder} is one model as the kernels see it. {@link io.github.bts4j.core.torch.llama.Ropes} are rotary tables and
 * {@link io.github.bts4j.core.torch.llama.KvCaches} the caches of several; {@link io.github.bts4j.core.torch.llama.TorchEngine} decodes with them, and hands steps of few tokens to
 * {@link io.github.bts4j.core.rows}, which reads the same memory.
 */
package io.github.bts4j.core.torch.llama;

/**
 * Adapters: fine-tuned models, stored as the difference from a base model.
 *
 * <p>Low-rank adaptation (LoRA, arXiv 2106.09685) does not change a weight matrix, but learns the product of two small ones in addition:
 * <pre>{@code y = W x + s B A x        A: [r, in], B: [out, r], s = alpha / r}</pre>
 * rsLoRA (arXiv 2312.03732) scales by {@code alpha / sqrt(r)}. DoRA (arXiv 2402.09353) also learns the length of each row:
 * <pre>{@code y = m / |W + s B A| (W x + s B A x)        m: [out], |.| over the inputs of each row}</pre>
 *
 * <h2>The files</h2>
 * A folder as Hugging Face's PEFT writes it: {@code adapter_config.json}, read into an {@link io.github.bts4j.core.adapter.AdapterConfig}, and
 * {@code adapter_model.safetensors}. {@link io.github.bts4j.core.adapter.Adapter#open Adapter.open} reads both for a base whose tensors are known, and checks one against the other:
 * each module that the configuration targets has its matrices, of the right shape, and no other module has any. Beside low-rank matrices a file may hold whole
 * tensors: modules that were trained in full ({@code modules_to_save}) and biases. {@link io.github.bts4j.core.adapter.AdapterWriter} writes the same format.
 *
 * <h2>Unsupported features</h2>
 * The files are untrusted, and features of a configuration are either supported or refused by name: kinds of adapters other than LoRA, and options of LoRA
 * that change the model in another way, such as {@code layer_replication}. Regular expressions that take too long are refused as well.
 *
 * <h2>Merging</h2>
 * {@link io.github.bts4j.core.adapter.AdapterMerge} adds the adapter's part to the base's tensors, which gives a full model.
 */
package io.github.bts4j.core.adapter;

/**
 * Decoding of few tokens at a time in Java.
 *
 * <p>A decoding step reads every weight once and computes little with it, so it is limited by memory bandwidth if there is no other overhead. In libtorch there
 * is: some sixty operations per layer, each with its own dispatch, buffers and start of threads, take longer than the products themselves. Here all threads of
 * a {@link io.github.bts4j.core.rows.WorkerTeam} compute a step together, each its share of the rows. {@link io.github.bts4j.core.rows.RowEngine} runs a step;
 * {@link io.github.bts4j.core.rows.RowDecoder} runs the layers of one model.
 *
 * <p>{@link io.github.bts4j.core.rows.Matrix} computes products; {@link io.github.bts4j.core.rows.Arithmetic} creates matrices, and computes all other
 * operations. The scalar arithmetic of this package is the reference, bts-vector's over {@code jdk.incubator.vector} is the fast one. Without bts-vector models
 * decode in libtorch, as they do on GPUs and for many tokens at once. Weights and KV caches are the tensors' own memory, which both engines share; {@link
 * io.github.bts4j.core.rows.RowWeights#repacked} copies the weights into the order in which several sessions read them fastest.
 *
 * <p>Values are float32; with bfloat16 models, the result of every operation is rounded as libtorch rounds it. Every value is computed in a fixed order,
 * independent of the number of workers and sessions: a token's logits are the same, bit for bit, alone and in a batch.
 */
package io.github.bts4j.core.rows;

/**
 * Decoding of few tokens at a time in Java, row by row of the weight matrices.
 *
 * <p>A step of decoding reads every weight once and computes little with it: it is as fast as memory, if nothing else takes time. In libtorch something does: some
 * sixty operations per layer, each with its own dispatch, buffers and start of threads, take longer than the products themselves. Here a step is one piece of work that a
 * {@link io.github.bts4j.core.rows.WorkerTeam} of threads goes through together, each computing its share of the rows; what is not a product is a loop over an array.
 *
 * <p>{@link io.github.bts4j.core.rows.Arithmetic} is the arithmetic that needs vector instructions. bts-vector implements it over {@code jdk.incubator.vector}; where it
 * is absent, models decode in libtorch, as they do on GPUs and for many tokens at once. Weights and KV caches are the tensors' own memory, so that both ways share them;
 * {@link io.github.bts4j.core.rows.RowWeights#repacked} copies the weights into the order in which several sessions read them fastest.
 *
 * <p>Values are float32; with bfloat16 models, the result of every operation is rounded as libtorch rounds it. Every value is computed in one order, whatever the number
 * of threads and sessions: a token's logits are the same bits alone and among others.
 */
package io.github.bts4j.core.rows;

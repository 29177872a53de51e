/**
 * What all models share: {@link io.github.bts4j.core.CausalLm}, a language model seen from outside, and
 * {@link io.github.bts4j.core.DecodeSession}, one sequence being decoded with its KV caches.
 *
 * <p>Every model's session is a {@link io.github.bts4j.core.CachedSession}. It hands what a step computes, a {@link io.github.bts4j.core.DecodeBatch}, to the first of the model's
 * {@link io.github.bts4j.core.DecodeEngine}s that prefers it.
 *
 * <p>{@link io.github.bts4j.core.torch.FrozenLm} adds DJL's {@code ai.djl.Model}. One Llama is {@link io.github.bts4j.core.torch.llama.LlamaModel}.
 *
 * <h2>Exceptions</h2>
 *
 * <p>{@link io.github.bts4j.core.Bts4jException} is the root of what goes wrong by no fault of the calling code. It is unchecked, since most callers can only
 * tell their user, and sealed: these are all the kinds there are.
 * <table>
 * <caption>Which exception means what</caption>
 * <tr><th>exception</th><th>what is wrong</th><th>what helps</th></tr>
 * <tr><td>{@link io.github.bts4j.core.FileFormatException}</td><td>a file of a model, tokenizer, cache or run; for models {@link io.github.bts4j.core.checkpoint.ModelFormatException} with tensor and byte</td><td>another file</td></tr>
 * <tr><td>{@link io.github.bts4j.core.DataException}</td><td>a text source or a set of items</td><td>other data</td></tr>
 * <tr><td>{@link io.github.bts4j.core.MismatchException}</td><td>two things, each right by itself, that do not belong together</td><td>the other one, or leave to change it</td></tr>
 * <tr><td>{@link io.github.bts4j.core.OutputException}</td><td>an output that holds something else</td><td>another output, or leave to replace it</td></tr>
 * <tr><td>{@link io.github.bts4j.core.LockedException}</td><td>a file or folder that is in use</td><td>wait, or another folder</td></tr>
 * <tr><td>{@link io.github.bts4j.core.UnsupportedException}</td><td>a feature, a device, an element type or native libraries that are not there</td><td>another setting</td></tr>
 * <tr><td>{@link io.github.bts4j.core.TooLargeException}</td><td>a limit of length, size or memory</td><td>less, or a higher limit</td></tr>
 * <tr><td>{@link io.github.bts4j.core.TrainingException}</td><td>a training that went wrong, as one that diverged</td><td>other training options</td></tr>
 * </table>
 *
 * <p>Outside of it are {@link java.lang.IllegalArgumentException} for an argument that code must not pass, {@link java.lang.IllegalStateException} for a call
 * at the wrong time, such as on a closed model, and {@link java.io.IOException} (or {@link java.io.UncheckedIOException}) when the operating system fails to read or write; its message
 * names the file. Who shows messages to users catches {@code Bts4jException} and {@code IOException}.
 */
package io.github.bts4j.core;

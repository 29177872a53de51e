/**
 * The interfaces of all models: {@link io.github.bts4j.core.CausalLm}, a language model, and
 * {@link io.github.bts4j.core.DecodeSession}, the decoding of one sequence with its KV caches.
 *
 * <p>Every model's session is a {@link io.github.bts4j.core.CachedSession}. It passes each step, a {@link io.github.bts4j.core.DecodeBatch}, to the first of the model's
 * {@link io.github.bts4j.core.DecodeEngine}s that prefers it.
 *
 * <p>{@link io.github.bts4j.core.torch.FrozenLm} adds DJL's {@code ai.djl.Model}. One Llama is {@link io.github.bts4j.core.torch.llama.LlamaModel}.
 *
 * <h2>Exceptions</h2>
 *
 * <p>{@link io.github.bts4j.core.Bts4jException} is the root of all exceptions that are not a mistake in the calling code. It is unchecked, since most callers can only
 * report it, and sealed: the table lists all kinds.
 * <table>
 * <caption>Kinds of exceptions</caption>
 * <tr><th>exception</th><th>problem with</th><th>fix</th></tr>
 * <tr><td>{@link io.github.bts4j.core.FileFormatException}</td><td>a file of a model, tokenizer, cache or run; for models {@link io.github.bts4j.core.checkpoint.ModelFormatException} with tensor and byte</td><td>another file</td></tr>
 * <tr><td>{@link io.github.bts4j.core.DataException}</td><td>a text source or a set of items</td><td>other data</td></tr>
 * <tr><td>{@link io.github.bts4j.core.MismatchException}</td><td>two valid things that do not match</td><td>the matching one, or an option that allows the change</td></tr>
 * <tr><td>{@link io.github.bts4j.core.OutputException}</td><td>an output with other contents</td><td>another output, or an option that allows to replace it</td></tr>
 * <tr><td>{@link io.github.bts4j.core.LockedException}</td><td>a file or folder that is in use</td><td>wait, or use another folder</td></tr>
 * <tr><td>{@link io.github.bts4j.core.UnsupportedException}</td><td>an unsupported feature, device or element type, or missing native libraries</td><td>another setting</td></tr>
 * <tr><td>{@link io.github.bts4j.core.TooLargeException}</td><td>a limit on length, size or memory</td><td>a smaller input, or a higher limit</td></tr>
 * <tr><td>{@link io.github.bts4j.core.TrainingException}</td><td>a training, such as one that diverged</td><td>other training options</td></tr>
 * </table>
 *
 * <p>Other exceptions are {@link java.lang.IllegalArgumentException} for an invalid argument, {@link java.lang.IllegalStateException} for a call
 * at the wrong time, such as on a closed model, and {@link java.io.IOException} (or {@link java.io.UncheckedIOException}) when the operating system fails to read or write; its message
 * names the file. Code that shows messages to users should catch {@code Bts4jException} and {@code IOException}.
 */
package io.github.bts4j.core;

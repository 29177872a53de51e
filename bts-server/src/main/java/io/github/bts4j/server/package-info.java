/**
 * An HTTP server for one model: OpenAI's completions and chat completions, streaming, batches of whatever is in progress, metrics.
 *
 * <p>{@link io.github.bts4j.server.ModelServer} is the way in.
 */
package io.github.bts4j.server;

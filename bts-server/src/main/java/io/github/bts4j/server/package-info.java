/**
 * An HTTP server for one model: OpenAI's completions and chat completions, streaming, continuous batching, metrics.
 *
 * <p>{@link io.github.bts4j.server.ModelServer} is the entry point.
 */
package io.github.bts4j.server;

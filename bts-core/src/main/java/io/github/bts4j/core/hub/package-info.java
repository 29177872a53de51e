/**
 * Models of the Hugging Face Hub: {@link io.github.bts4j.core.hub.HubCache} finds {@code hf:owner/name@revision} in the cache that Hugging Face's own tools
 * write, and {@link io.github.bts4j.core.hub.HubDownload} fetches what is missing, if it is asked to.
 *
 * <pre>{@code
 * Path folder = HubCache.ofEnvironment().folder(HubModel.of("hf:meta-llama/Llama-3.2-1B"));
 * }</pre>
 */
package io.github.bts4j.core.hub;

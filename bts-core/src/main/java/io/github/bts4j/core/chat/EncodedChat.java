package io.github.bts4j.core.chat;

/**
 * A prompt as tokens, and which are the assistant's.
 *
 * @param ids the ids
 * @param assistant for each token whether it overlaps with what a {@code generation} block of the template wrote
 */
public record EncodedChat(int[] ids, boolean[] assistant) {}

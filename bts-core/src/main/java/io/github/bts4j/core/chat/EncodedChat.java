package io.github.bts4j.core.chat;

/**
 * A prompt as tokens, with those of the assistant.
 *
 * @param ids the ids
 * @param assistant for each token, whether it overlaps with the output of a {@code generation} block of the template
 */
public record EncodedChat(int[] ids, boolean[] assistant) {}

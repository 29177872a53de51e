package io.github.bts4j.core;

import java.util.Collections;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * The input of one decoding step: the next tokens of one session, or the next token of each of several.
 *
 * @param tokens token ids, within the vocabulary
 * @param positions the number of tokens before each in its session
 * @param states the state of the session, or of each session
 * @param gates who receives the gate weights of the session, or of each session
 * @param wantsLogits whether the logits are wanted; those of a prompt's beginning are not, and engines need not compute them
 * @param <S> type of a session's state
 */
public record DecodeBatch<S>(int[] tokens, int[] positions, List<S> states, List<GateSink> gates, boolean wantsLogits) {
    /**
     * A step whose logits are wanted.
     *
     * @param tokens token ids, within the vocabulary
     * @param positions the number of tokens before each in its session
     * @param states the state of the session, or of each session
     * @param gates who receives the gate weights of the session, or of each session
     */
    public DecodeBatch(int[] tokens, int[] positions, List<S> states, List<GateSink> gates) {
        this(tokens, positions, states, gates, true);
    }

    /**
     * A step whose gates nobody wants.
     *
     * @param tokens token ids, within the vocabulary
     * @param positions the number of tokens before each in its session
     * @param states the state of the session, or of each session
     */
    public DecodeBatch(int[] tokens, int[] positions, List<S> states) {
        this(tokens, positions, states, Collections.nCopies(states.size(), GateSink.NONE));
    }

    /**
     * The next tokens of one session.
     *
     * @param tokens token ids, at least one
     * @param start the number of tokens before them
     * @param state the session's state
     * @return the batch
     * @param <S> type of a session's state
     */
    public static <S> DecodeBatch<S> ofPrompt(int[] tokens, int start, S state) {
        return ofPrompt(tokens, start, state, GateSink.NONE);
    }

    /**
     * The next tokens of one session, with their gate weights.
     *
     * @param tokens token ids, at least one
     * @param start the number of tokens before them
     * @param state the session's state
     * @param gates receives the gate weights
     * @return the batch
     * @param <S> type of a session's state
     */
    public static <S> DecodeBatch<S> ofPrompt(int[] tokens, int start, S state, GateSink gates) {
        return new DecodeBatch<>(tokens, IntStream.range(start, start + tokens.length).toArray(), List.of(state), List.of(gates));
    }

    /** {@return the same step, whose logits nobody wants} */
    public DecodeBatch<S> withoutLogits() {
        return new DecodeBatch<>(tokens, positions, states, gates, false);
    }

    /** {@return whether the gate weights of a session are wanted; models without gates need not ask} */
    public boolean wantsGates() {
        return gates.stream().anyMatch(sink -> sink != GateSink.NONE);
    }

    /**
     * Hands over the gate weights of all tokens of the step.
     *
     * @param weights {@code [tokens][layers][models]}
     */
    public void deliver(float[][][] weights) {
        for (int i = 0; i < gates.size(); i++) {
            gates.get(i).accept(isPrompt() ? weights : new float[][][] {weights[i]});
        }
    }

    /** {@return the number of tokens of all sessions together} */
    public int size() {
        return tokens.length;
    }

    /** {@return whether the tokens are several consecutive tokens of one session; false for one token of each session} */
    public boolean isPrompt() {
        return tokens.length > states.size();
    }

    /**
     * The state of a token's session.
     *
     * @param token index of the token
     * @return its session's state
     */
    public S state(int token) {
        return states.get(isPrompt() ? 0 : token);
    }

    /** {@return the number of tokens in each session before the step, one number for each state} */
    public int[] starts() {
        return isPrompt() ? new int[] {positions[0]} : positions;
    }

    /**
     * The length of a token's session after the step, for RoPE scalings that depend on the sequence length.
     *
     * @param token index of the token
     * @return tokens, including all of this step
     */
    public int lengthAfter(int token) {
        return positions[isPrompt() ? positions.length - 1 : token] + 1;
    }

    /**
     * A batch with the same tokens and a part of each state.
     *
     * @param part extracts the part of a state
     * @return the batch
     * @param <T> type of the part
     */
    public <T> DecodeBatch<T> map(Function<S, T> part) {
        return new DecodeBatch<>(tokens, positions, states.stream().map(part).toList(), gates, wantsLogits);
    }

    /**
     * The tokens of some of the sessions, for batches of several sessions.
     *
     * @param sessions indices of the sessions
     * @return the batch
     */
    public DecodeBatch<S> select(int... sessions) {
        return new DecodeBatch<>(IntStream.of(sessions).map(i -> tokens[i]).toArray(), IntStream.of(sessions).map(i -> positions[i]).toArray(),
                IntStream.of(sessions).mapToObj(states::get).toList(), IntStream.of(sessions).mapToObj(gates::get).toList(), wantsLogits);
    }
}

package io.github.bts4j.examples.report;

/**
 * A generated text.
 *
 * @param prompt the beginning
 * @param continuation what the model wrote
 * @param note how it was generated
 */
public record Sample(String prompt, String continuation, String note) {}

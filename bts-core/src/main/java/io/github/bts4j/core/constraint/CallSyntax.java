package io.github.bts4j.core.constraint;

/**
 * How a model writes calls of tools: {@code begin}, then for each call {@code open}, the tool's name, {@code arguments}, a JSON object and {@code close}, with
 * {@code separator} between calls; then {@code end}.
 *
 * @param begin what begins the calls; empty if a text that begins with {@code open} is one
 * @param open what comes before a name
 * @param arguments what comes between a name and the arguments
 * @param close what ends a call
 * @param separator what comes between calls; empty if there is only one
 * @param end what ends the calls
 */
public record CallSyntax(String begin, String open, String arguments, String close, String separator, String end) {}

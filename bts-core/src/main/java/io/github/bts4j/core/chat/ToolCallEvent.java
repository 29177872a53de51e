package io.github.bts4j.core.chat;

/** What a piece of an answer brought. */
public sealed interface ToolCallEvent {
    /**
     * Text that belongs to no call.
     *
     * @param text the text
     */
    record Content(String text) implements ToolCallEvent {}

    /**
     * A call begins.
     *
     * @param index of the call, from 0
     * @param name of the tool
     */
    record Call(int index, String name) implements ToolCallEvent {}

    /**
     * More of the arguments of the latest call.
     *
     * @param index of the call
     * @param text a piece of their JSON text
     */
    record Arguments(int index, String text) implements ToolCallEvent {}
}

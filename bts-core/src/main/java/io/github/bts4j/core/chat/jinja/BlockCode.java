package io.github.bts4j.core.chat.jinja;

/** A block's body, which runs in a context. */
interface BlockCode {
    void render(Run run, Context context);
}

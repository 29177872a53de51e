package io.github.bts4j.core.chat.jinja;

/** A text that is HTML already, as {@code safe} and {@code escape} make it: what is added to it is escaped. */
record Markup(String text) {
    static String escaped(String text) {
        return text.replace("&", "&amp;").replace(">", "&gt;").replace("<", "&lt;").replace("'", "&#39;").replace("\"", "&#34;");
    }
}

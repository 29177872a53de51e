package io.github.bts4j.core.chat;

import io.github.bts4j.core.chat.jinja.JinjaTemplate;
import java.util.regex.Pattern;

/** A template's text, and the compiled template once it has been used. */
final class TemplateSource {
    private static final Pattern GENERATION = Pattern.compile("\\{%-?\\s*generation\\s*-?%}");

    private final String text;
    private volatile JinjaTemplate template;

    TemplateSource(String text) {
        this.text = text;
    }

    String text() {
        return text;
    }

    /** Whether it says which part is the assistant's, as in transformers. */
    boolean marksAssistant() {
        return GENERATION.matcher(text).find();
    }

    JinjaTemplate template() {
        JinjaTemplate compiled = template;
        if (compiled == null) {
            compiled = JinjaTemplate.compile(text);
            template = compiled;
        }
        return compiled;
    }
}

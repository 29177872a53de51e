package io.github.bts4j.core.chat;

import io.github.bts4j.core.chat.jinja.JinjaTemplate;

/** A template's text, and once it has been needed the template. */
final class TemplateSource {
    private final String text;
    private volatile JinjaTemplate template;

    TemplateSource(String text) {
        this.text = text;
    }

    String text() {
        return text;
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

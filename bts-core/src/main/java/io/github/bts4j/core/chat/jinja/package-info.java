/**
 * An interpreter for the Jinja templates of chat models: the language of jinja2 with the settings of transformers' {@code apply_chat_template}, over plain
 * values. {@link io.github.bts4j.core.chat.jinja.JinjaTemplate} is its one public class.
 *
 * <p>A template passes through {@code Lexer}, {@code Parser} and {@code StatementCompiler}, which gives names the variables that jinja2's own compiler
 * gives them ({@code Symbols}). There is no reflection: what has an attribute has it in a switch. A rendering spends a {@code Budget}; every loop over
 * something takes from it.
 */
package io.github.bts4j.core.chat.jinja;

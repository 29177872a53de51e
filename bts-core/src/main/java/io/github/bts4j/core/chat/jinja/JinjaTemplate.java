package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.ChatTemplateException;
import io.github.bts4j.core.support.Quoted;
import java.time.Clock;
import java.util.List;
import java.util.Map;

/**
 * A compiled template. It only has access to plain values, and every rendering is limited in steps, nesting and memory. Immutable and thread-safe.
 */
public final class JinjaTemplate {
    private static final int MAX_LENGTH = 2_000_000;

    private final BlockCode code;

    private JinjaTemplate(BlockCode code) {
        this.code = code;
    }

    /**
     * The result of rendering.
     *
     * @param text the text
     * @param generated begin and end of what each generation block wrote, one after the other, as indices into {@code text}
     */
    public record Rendering(String text, List<Integer> generated) {}

    /**
     * Compiles a template.
     *
     * @param template its text
     * @return the template
     * @throws ChatTemplateException if it is not a template
     */
    public static JinjaTemplate compile(String template) {
        throwIf(template.length() > MAX_LENGTH,
                () -> new ChatTemplateException("it is " + template.length() + " characters long, at most " + MAX_LENGTH + " are read", 1, 1));
        try {
            return new JinjaTemplate(StatementCompiler.compile(Parser.parse(template)));
        } catch (Fault e) {
            throw exception(e);
        } catch (StackOverflowError e) {
            throw new ChatTemplateException("it is nested too deeply", 1, 1);
        }
    }

    /**
     * Renders.
     *
     * @param variables names and values: none (null), booleans, numbers, texts, lists and maps of them
     * @param clock the clock for {@code strftime_now}, with its time zone
     * @return the result
     * @throws ChatTemplateException if the template refuses, fails or exceeds a limit
     * @throws IllegalArgumentException if a value is of another kind
     */
    public Rendering render(Map<String, ?> variables, Clock clock) {
        PlainValues values = new PlainValues();
        Map<String, Object> converted = values.convert(variables);
        Run run = new Run(new Budget(values.characters()), clock);
        try {
            code.render(run, new Context(converted));
            return new Rendering(run.text(), run.generated());
        } catch (Fault e) {
            throw exception(e);
        } catch (StackOverflowError e) {
            throw new ChatTemplateException("it nests too deeply", 1, 1);
        }
    }

    private static ChatTemplateException exception(Fault fault) {
        String prefix = fault.kind() == Fault.Kind.RAISED ? "the template refuses the conversation: " : "";
        return new ChatTemplateException(prefix + Quoted.line(fault.getMessage()), Math.max(1, fault.line()), Math.max(1, fault.column()));
    }
}

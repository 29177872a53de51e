package io.github.bts4j.core.chat;

import com.hubspot.jinjava.Jinjava;
import com.hubspot.jinjava.JinjavaConfig;
import com.hubspot.jinjava.LegacyOverrides;
import com.hubspot.jinjava.interpret.RenderResult;
import com.hubspot.jinjava.interpret.TemplateError;
import com.hubspot.jinjava.lib.fn.ELFunctionDefinition;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import jinjava.javax.el.ExpressionFactory;

/** One Jinja template with the settings of transformers. */
final class JinjaTemplate {
    static final int MAX_OUTPUT = 50_000_000;

    private static final int MAX_DEPTH = 100;
    private static final Jinjava JINJA = engine();

    private final String text;
    private final String bosToken;
    private final String eosToken;

    JinjaTemplate(String text, String bosToken, String eosToken) {
        this.text = text;
        this.bosToken = bosToken;
        this.eosToken = eosToken;
    }

    private static Jinjava engine() {
        LegacyOverrides asInPython = LegacyOverrides.newBuilder().withEvaluateMapKeys(true).withIterateOverMapKeys(true).withUsePyishObjectMapper(true)
                .withUseNaturalOperatorPrecedence(true).withParseWhitespaceControlStrictly(true).withAllowAdjacentTextNodes(true)
                .withUseTrimmingForNotesAndExpressions(true).withKeepNullableLoopValues(true).build();
        Jinjava jinja = new Jinjava(JinjavaConfig.newBuilder().withTrimBlocks(true).withLstripBlocks(true).withNestedInterpretationEnabled(false)
                .withLegacyOverrides(asInPython).withMaxOutputSize(MAX_OUTPUT).withMaxRenderDepth(MAX_DEPTH).withLocale(Locale.ROOT).build()) {
            private final ExpressionFactory expressions = new PythonExpressions();

            @Override
            public ExpressionFactory getExpressionFactory() {
                return expressions;
            }
        };
        jinja.getGlobalContext().registerFunction(
                new ELFunctionDefinition("", "raise_exception", TemplateFunctions.class, "raiseException", String.class));
        jinja.getGlobalContext().registerFunction(
                new ELFunctionDefinition("", "strftime_now", TemplateFunctions.class, "strftimeNow", String.class));
        jinja.getGlobalContext().registerFunction(new ELFunctionDefinition("", "namespace", TemplateFunctions.class, "namespace", Object[].class));
        PythonTest.all().forEach(jinja.getGlobalContext()::registerExpTest);
        return jinja;
    }

    String render(List<ChatMessage> messages, boolean addGenerationPrompt) {
        if (messages.isEmpty()) {
            throw new IllegalArgumentException("A conversation needs at least one message");
        }
        Map<String, Object> context = new HashMap<>();
        context.put("messages", messages.stream().map(message -> Map.of("role", message.role(), "content", message.content())).toList());
        context.put("add_generation_prompt", addGenerationPrompt);
        context.put("tools", null);
        context.put("documents", null);
        context.put("bos_token", bosToken);
        context.put("eos_token", eosToken);
        RenderResult result = JINJA.renderForResult(text, context);
        for (TemplateError error : result.getErrors()) {
            if (error.getSeverity() == TemplateError.ErrorType.FATAL) {
                throw new IllegalArgumentException("The chat template failed in line " + error.getLineno() + ": " + reason(error), error.getException());
            }
        }
        return result.getOutput();
    }

    /** What the innermost exception says: Jinjava wraps what a function throws. */
    private static String reason(TemplateError error) {
        Throwable cause = error.getException();
        while (cause != null && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause == null || cause.getMessage() == null ? error.getMessage() : cause.getMessage();
    }
}

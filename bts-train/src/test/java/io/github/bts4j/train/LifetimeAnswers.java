package io.github.bts4j.train;

import ai.djl.inference.Predictor;
import ai.djl.translate.TranslateException;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.generate.Generator;
import io.github.bts4j.core.generate.TokenStream;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.core.torch.FrozenLm;
import io.github.bts4j.core.torch.djl.TextGenerationTranslator;
import java.util.Arrays;
import java.util.List;

/** What {@link LifetimePrograms} and {@link Soak} ask models for, each answer reduced to a number. */
final class LifetimeAnswers {
    static final int[] PROMPT = {3, 141, 59, 26, 535};
    static final List<String> TEXTS = List.of("the house", "public static void", "Y dijo Dios");
    static final int NEW_TOKENS = 5;
    static final GenerationConfig GREEDY = GenerationConfig.greedy(NEW_TOKENS);

    private LifetimeAnswers() {}

    /** What threads compute with a model, reduced to a number. */
    interface Answer {
        int of(FrozenLm model) throws Exception;
    }

    static int appended(FrozenLm model) {
        try (DecodeSession session = model.newSession(PROMPT.length + NEW_TOKENS)) {
            int hash = Arrays.hashCode(session.append(PROMPT));
            for (int t = 0; t < NEW_TOKENS; t++) {
                hash = 31 * hash + Arrays.hashCode(session.append(7 * t));
            }
            return hash;
        }
    }

    static int generated(FrozenLm model, LlamaTokenizer tokenizer) {
        try (TokenStream stream = new Generator(model, tokenizer).stream(PROMPT, GREEDY)) {
            while (stream.hasNext()) {
                stream.next();
            }
            return stream.result().tokens().hashCode();
        }
    }

    static int predicted(FrozenLm model, LlamaTokenizer tokenizer) throws TranslateException {
        try (Predictor<String, String> predictor = model.newPredictor(new TextGenerationTranslator(tokenizer, GREEDY))) {
            return predictor.predict(TEXTS.get(0)).hashCode();
        }
    }

    static int together(FrozenLm model) {
        try (DecodeSession first = model.newSession(20); DecodeSession second = model.newSession(20)) {
            first.append(PROMPT);
            second.append(1);
            int hash = 0;
            for (int t = 0; t < 4; t++) {
                hash = 31 * hash + Arrays.deepHashCode(model.appendEach(List.of(first, second), new int[] {t, 9 * t}));
            }
            return hash;
        }
    }
}

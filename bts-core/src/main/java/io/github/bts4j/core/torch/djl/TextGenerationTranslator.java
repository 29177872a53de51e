package io.github.bts4j.core.torch.djl;

import ai.djl.Device;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.translate.NoBatchifyTranslator;
import ai.djl.translate.TranslatorContext;
import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.generate.GenerationResult;
import io.github.bts4j.core.generate.Generator;
import io.github.bts4j.core.generate.TokenStream;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.core.torch.FrozenLm;
import io.github.bts4j.core.torch.PredictorSource;
import java.util.Objects;

/**
 * Turns a prompt into generated text through DJL's {@code model.newPredictor(translator)}. Works with one Llama and with a stitched model.
 *
 * <p>Other translators' predictors run the block once; this one runs a whole generation. Thread-safe: one translator can serve many
 * predictors; a predictor is not thread-safe. It does not close the tokenizer.
 */
public final class TextGenerationTranslator implements NoBatchifyTranslator<String, String>, PredictorSource<String, String> {
    private static final String RESULT = "bts4j.result";

    private final LlamaTokenizer tokenizer;
    private final GenerationConfig config;

    /**
     * Creates a translator.
     *
     * @param tokenizer the tokenizer that the model was trained with
     * @param config the options
     */
    public TextGenerationTranslator(LlamaTokenizer tokenizer, GenerationConfig config) {
        this.tokenizer = Objects.requireNonNull(tokenizer, "tokenizer");
        this.config = Objects.requireNonNull(config, "config");
    }

    /**
     * The prompt's token ids.
     *
     * @param context the predictor's context
     * @param prompt the text to continue
     * @return int64 {@code [1, sequence]}
     */
    @Override
    public NDList processInput(TranslatorContext context, String prompt) {
        int[] ids = tokenizer.encode(prompt, true);
        long[] wide = new long[ids.length];
        for (int i = 0; i < ids.length; i++) {
            wide[i] = ids[i];
        }
        return new NDList(context.getNDManager().create(wide, new Shape(1, ids.length)));
    }

    /**
     * The generated text.
     *
     * @param context the predictor's context with the finished generation
     * @param list the generated ids, int32 {@code [tokens]}
     * @return the text, up to a stop string
     * @throws IllegalStateException if a predictor of another translator ran the model
     */
    @Override
    public String processOutput(TranslatorContext context, NDList list) {
        if (context.getAttachment(RESULT) instanceof GenerationResult result) {
            return result.text();
        }
        throw new IllegalStateException("Nothing was generated: use a predictor from model.newPredictor(translator) of a bts4j model");
    }

    @Override
    public Predictor<String, String> newPredictor(FrozenLm model, Device device) {
        return new GeneratingPredictor(model, device);
    }

    private final class GeneratingPredictor extends Predictor<String, String> {
        private final Generator generator;

        GeneratingPredictor(FrozenLm model, Device device) {
            super(model, TextGenerationTranslator.this, device, false);
            generator = new Generator(model, tokenizer);
        }

        @Override
        protected NDList predictInternal(TranslatorContext context, NDList prompt) {
            int[] ids = ids(prompt.singletonOrThrow());
            try (TokenStream stream = generator.stream(ids, config)) {
                while (stream.hasNext()) {
                    stream.next();
                }
                GenerationResult result = stream.result();
                context.setAttachment(RESULT, result);
                return new NDList(context.getNDManager().create(result.tokenIds()));
            }
        }

        private int[] ids(NDArray prompt) {
            long[] wide = prompt.toLongArray();
            int[] ids = new int[wide.length];
            for (int i = 0; i < ids.length; i++) {
                ids[i] = Math.toIntExact(wide[i]);
            }
            return ids;
        }
    }
}

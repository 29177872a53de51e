package io.github.bts4j.cli;

import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.stitch.StitchCheckpoint;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.TrainerConfig;
import io.github.bts4j.train.data.Datamix;
import io.github.bts4j.train.data.JsonLines;
import io.github.bts4j.train.data.TokenDataset;
import io.github.bts4j.train.data.TokenEncoder;
import io.github.bts4j.train.eval.TokenBytes;
import io.github.bts4j.train.metrics.ProgressBar;
import io.github.bts4j.train.optim.LearningRate;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Parameter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the names mean that the documentation's fragments use without declaring them; and a program that runs compiled fragments in the folder of
 * {@link DocumentedFiles}, each with values of its own. Its arguments are the names of their packages.
 */
final class DocumentedValues implements AutoCloseable {
    /** The type of every name. */
    static final Map<String, String> TYPES = new LinkedHashMap<>();

    static {
        TYPES.put("seed", "LlamaModel");
        TYPES.put("model", "StitchedModel");
        TYPES.put("tokenizer", "LlamaTokenizer");
        TYPES.put("folder", "Path");
        TYPES.put("states", "Path");
        TYPES.put("run", "Path");
        TYPES.put("hubConfig", "LlamaConfig");
        TYPES.put("expertConfig", "LlamaConfig");
        TYPES.put("stitches", "StitchConfig");
        TYPES.put("mix", "Datamix");
        TYPES.put("heldOutWindows", "Map<String, List<Window>>");
        TYPES.put("tokenBytes", "TokenBytes");
        TYPES.put("config", "TrainerConfig");
        TYPES.put("schedule", "LearningRate");
        TYPES.put("steps", "long");
        TYPES.put("listener", "MetricsListener");
        TYPES.put("bosTokenId", "int");
        TYPES.put("key", "String");
    }

    private static final long STEPS = 3;

    private final String fragment;
    private final LlamaModel seed = LlamaModel.open(Path.of("seed"));
    private final StitchedModel model = StitchCheckpoint.open(Path.of("stitched"), LoadOptions.defaults());
    private final LlamaTokenizer tokenizer = LlamaTokenizer.open(Path.of("seed"));
    private final TokenDataset code = TokenDataset.encode("code", new JsonLines(Path.of("code.jsonl")), TokenEncoder.of(tokenizer));

    private DocumentedValues(String fragment) throws IOException {
        this.fragment = fragment;
    }

    private Object value(String name) throws IOException {
        LlamaConfig llama = seed.config();
        LearningRate schedule = new LearningRate.Constant(1e-4);
        return switch (name) {
            case "seed" -> seed;
            case "model" -> model;
            case "tokenizer" -> tokenizer;
            case "folder" -> Path.of("seed");
            case "states" -> Path.of("states-" + fragment);
            case "run" -> Path.of("run-" + fragment);
            case "hubConfig", "expertConfig" -> llama;
            case "stitches" -> model.config();
            case "mix" -> Datamix.of(List.of(code), Map.of("code", 1.0));
            case "heldOutWindows" -> Map.of("code", code.windows(64));
            case "tokenBytes" -> TokenBytes.of(tokenizer);
            case "config" -> TrainerConfig.of(STEPS, 2, 16, schedule).withCheckpoints(2, 2);
            case "schedule" -> schedule;
            case "steps" -> STEPS;
            case "listener" -> ProgressBar.onStandardError();
            case "bosTokenId" -> tokenizer.bosTokenId().orElseThrow();
            case "key" -> "a-key-of-the-test";
            default -> throw new IllegalArgumentException("the documentation's fragments may not use '" + name + "' without declaring it");
        };
    }

    @Override
    public void close() {
        tokenizer.close();
        model.close();
        seed.close();
    }

    /** What a page's commands would have left there. */
    private static void prepare() throws IOException {
        try (StitchedModel model = StitchCheckpoint.open(Path.of("stitched"), LoadOptions.defaults())) {
            model.addExpert("law", Path.of("expert-law"));
            StitchCheckpoint.save(model, Path.of("larger"));
        }
    }

    /** Writes the line {@code NAME done} behind what each fragment prints. */
    public static void main(String[] names) throws Throwable {
        prepare();
        for (String name : names) {
            Method fragment = Arrays.stream(Class.forName(name + ".Fragment").getMethods()).filter(each -> each.getName().equals("documented")).findAny().orElseThrow();
            try (DocumentedValues values = new DocumentedValues(name)) {
                Parameter[] parameters = fragment.getParameters();
                Object[] arguments = new Object[parameters.length];
                for (int i = 0; i < arguments.length; i++) {
                    arguments[i] = values.value(parameters[i].getName());
                }
                fragment.invoke(null, arguments);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
            System.out.println(name + " done");
        }
    }
}

package io.github.bts4j.examples;

import io.github.bts4j.core.FrozenLm;
import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.generate.Generator;
import io.github.bts4j.core.generate.TokenStream;
import io.github.bts4j.core.llama.LlamaModel;
import io.github.bts4j.core.llama.LoadOptions;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.stitch.StitchCheckpoint;
import io.github.bts4j.stitch.StitchedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Generates from a model's folder or from a stitch checkpoint, printing the text as it comes. */
public final class GenerateExample {
    private GenerateExample() {}

    /**
     * Generates text.
     *
     * @param arguments a model's checkpoint folder or a stitch checkpoint's folder, the prompt, and the number of new tokens
     * @throws IOException if a file cannot be read
     */
    public static void main(String[] arguments) throws IOException {
        Arguments.check(arguments, "MODEL_OR_STITCH_FOLDER PROMPT NEW_TOKENS", 3, 3);
        Path folder = Path.of(arguments[0]);
        GenerationConfig config = GenerationConfig.builder(Integer.parseInt(arguments[2])).temperature(0.8).topK(40).build();
        try (FrozenLm model = open(folder); LlamaTokenizer tokenizer = LlamaTokenizer.open(tokenizerFolder(folder, model))) {
            System.out.print(arguments[1]);
            try (TokenStream stream = new Generator(model, tokenizer).stream(arguments[1], config)) {
                while (stream.hasNext()) {
                    System.out.print(stream.next().text());
                }
            }
            System.out.println();
        }
    }

    private static FrozenLm open(Path folder) throws IOException {
        return Files.exists(folder.resolve(StitchCheckpoint.DESCRIPTION)) ? StitchCheckpoint.open(folder, LoadOptions.defaults())
                : LlamaModel.open(folder);
    }

    private static Path tokenizerFolder(Path folder, FrozenLm model) {
        return model instanceof StitchedModel stitched ? stitched.members().get(0).folder() : folder;
    }
}

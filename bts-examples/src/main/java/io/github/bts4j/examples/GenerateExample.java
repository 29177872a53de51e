package io.github.bts4j.examples;

import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.generate.TokenStream;
import io.github.bts4j.core.text.TextModel;
import java.io.IOException;
import java.nio.file.Path;

/** Generates text with a model's folder or a stitch checkpoint, and prints it as it is generated. */
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
        GenerationConfig config = GenerationConfig.greedy(Integer.parseInt(arguments[2])).withTemperature(0.8).withTopK(40);
        try (TextModel model = TextModel.open(folder)) {
            System.out.print(arguments[1]);
            try (TokenStream stream = model.stream(arguments[1], config)) {
                while (stream.hasNext()) {
                    System.out.print(stream.next().text());
                }
            }
            System.out.println();
        }
    }
}

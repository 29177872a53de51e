package io.github.bts4j.core.golden;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.generate.GenerationResult;
import io.github.bts4j.core.generate.Generator;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.core.torch.llama.LlamaModel;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** A model that others trained and published, with the text that they published for it; in bts-vector once more through rows. */
class Stories260KTest {
    private static final Path FILE = Path.of(System.getProperty("bts4j.testData"), "stories260K", "stories260K.gguf");

    /** {@code ./run stories260K.bin -z tok512.bin -t 0.0}, from llama2.c's doc/stories260K.md; its test_all.py holds the first 200 tokens of it. */
    private static final String PUBLISHED = """
            Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she saw a big, red ball. She wanted to play with it, but it was too high.
            Lily's mom said, "Lily, let's go to the park." Lily was sad and didn't know what to do. She said, "I want to play with your ball, but I can't find it."
            Lily was sad and didn't know what to do. She said, "I'm sorry, Lily. I didn't know what to do."
            Lily didn't want to help her mom, so she said, "I'm sorry, mom. I didn't know what to do." Her mom said, "Don't worry, Lily. We can help you.""";

    private static final String FIRST_200_TOKENS_END = "Lily didn't want to help her mom, so she";

    @Test
    void greedyTextIsThePublishedOne() throws IOException {
        try (LlamaModel model = LlamaModel.open(FILE); LlamaTokenizer tokenizer = LlamaTokenizer.open(FILE)) {
            assertEquals(512, model.config().maxPositionEmbeddings());
            Generator generator = new Generator(model, tokenizer);
            String first = text(tokenizer, generator.generate("", GenerationConfig.greedy(200)));
            assertTrue(first.endsWith(FIRST_200_TOKENS_END), first);
            assertTrue(PUBLISHED.startsWith(first), first);
            assertEquals(PUBLISHED, text(tokenizer, generator.generate("", GenerationConfig.greedy(256))));
        }
    }

    /** As a text of its own, which begins without SentencePiece's space; the generator continues a prompt and keeps it. */
    private static String text(LlamaTokenizer tokenizer, GenerationResult result) {
        String text = tokenizer.decode(result.tokenIds(), true);
        assertEquals(" " + text, result.text());
        return text;
    }
}

package io.github.bts4j.core.tokenizer;

import io.github.bts4j.core.checkpoint.Checkpoint;
import java.nio.file.Path;
import java.util.OptionalInt;

/** The source of a tokenizer. */
interface TokenizerSource {
    /** Finds a tokenizer.json, given its path or its folder, or the tokenizer inside a GGUF file. */
    static TokenizerSource locate(Path path) {
        return Checkpoint.isGguf(path) ? GgufTokenizer.open(path) : TokenizerFiles.locate(path);
    }

    /** The file that holds it. */
    Path path();

    /** The tokenizer in the form of tokenizer.json, UTF-8. */
    byte[] read();

    /** The id of the token that has this role ({@code bos_token}, {@code eos_token}, ..). */
    OptionalInt role(String role, Vocabulary vocabulary);
}

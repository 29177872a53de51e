package io.github.bts4j.core.text;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.UnsupportedException;
import io.github.bts4j.core.torch.FrozenLm;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ServiceLoader;

/**
 * A kind of model on disk, for {@link TextModel#open}. Modules register it in {@code META-INF/services}; bts-stitch provides stitch checkpoints.
 * A path that no source recognises is a Llama checkpoint or a GGUF file.
 */
public interface ModelSource {
    /**
     * Whether a path is a model of this kind.
     *
     * @param path an existing file or folder
     * @return true if {@link #open} can load it
     */
    boolean recognises(Path path);

    /**
     * Loads a model.
     *
     * @param path the file or folder
     * @param options device and precision
     * @return the model, which the caller closes, and the folder of its tokenizer and chat template
     * @throws IOException if a file cannot be read
     */
    Loaded open(Path path, LoadOptions options) throws IOException;

    /**
     * Loads a model of any kind.
     *
     * @param path a checkpoint folder in Hugging Face's layout, a GGUF file, or a path that a source on the class path recognises
     * @param options device and precision
     * @return the model, which the caller closes, and the folder of its tokenizer and chat template
     * @throws IOException if a file cannot be read
     * @throws IllegalArgumentException if the path does not exist
     * @throws io.github.bts4j.core.checkpoint.ModelFormatException if a file is malformed
     * @throws UnsupportedException if bts-stitch is required and missing
     */
    static Loaded load(Path path, LoadOptions options) throws IOException {
        throwIf(!Files.exists(path),
                () -> new IllegalArgumentException(path + " does not exist: a model is a checkpoint folder, a GGUF file, or the folder of a stitch checkpoint"));
        for (ModelSource source : ServiceLoader.load(ModelSource.class, ModelSource.class.getClassLoader())) {
            if (source.recognises(path)) {
                return source.open(path, options);
            }
        }
        throwIf(Files.exists(path.resolve("stitch.json")),
                () -> new UnsupportedException(path + " is a stitch checkpoint: add bts-stitch to the class path to open it"));
        return new Loaded(LlamaModel.open(path, options), path);
    }

    /**
     * A loaded model.
     *
     * @param model the model
     * @param files the checkpoint folder or GGUF file with its tokenizer and chat template
     */
    record Loaded(FrozenLm model, Path files) {}
}

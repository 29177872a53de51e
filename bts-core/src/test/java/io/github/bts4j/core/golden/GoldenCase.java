package io.github.bts4j.core.golden;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.torch.TensorFiles;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** One folder of golden values, computed by Hugging Face transformers and PyTorch (src-test-data/golden/generate.py). */
public final class GoldenCase implements AutoCloseable {
    private final Path folder;
    private final JsonNode about;
    private final NDManager manager = Torch.manager().newSubManager();
    private final Map<String, NDArray> tensors;

    public GoldenCase(Path folder) throws IOException {
        this.folder = folder;
        this.about = new ObjectMapper().readTree(folder.resolve("golden.json").toFile());
        this.tensors = TensorFiles.read(manager, folder.resolve("golden.safetensors"));
    }

    /** Folders of single models (config.json at the top). */
    public static List<Path> llama() {
        return folders(folder -> Files.exists(folder.resolve("config.json")));
    }

    /** Those of {@link #llama} whose frequencies do not follow the length of the sequence: the others' keys in a cache are those of the length they were made at. */
    public static List<Path> llamaOfFixedFrequencies() {
        return folders(folder -> Files.exists(folder.resolve("config.json")) && !dependsOnLength(folder));
    }

    /** The others that have values for pieces (src-test-data/tools/dynamic_rope_golden.py). */
    public static List<Path> llamaOfFrequenciesByLength() {
        return folders(folder -> Files.exists(folder.resolve("pieces.safetensors")) && dependsOnLength(folder));
    }

    /** Whether the frequencies of a folder's model follow the length of the sequence. */
    public static boolean dependsOnLength(Path folder) {
        try {
            return LlamaConfig.read(folder).ropeScaling().dependsOnSequenceLength();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Folders of stitched models (a stitch.safetensors beside the models' folders). */
    public static List<Path> stitched() {
        return folders(folder -> Files.exists(folder.resolve("stitch.safetensors")));
    }

    /** Those in {@code -Dbts4j.golden}; where it has none of this kind, the project's own. */
    private static List<Path> folders(java.util.function.Predicate<Path> wanted) {
        Path own = Path.of(System.getProperty("bts4j.testData"), "golden");
        List<Path> found = folders(Path.of(System.getProperty("bts4j.golden")), wanted);
        return found.isEmpty() ? folders(own, wanted) : found;
    }

    private static List<Path> folders(Path root, java.util.function.Predicate<Path> wanted) {
        try (Stream<Path> entries = Files.list(root)) {
            return entries.filter(folder -> Files.exists(folder.resolve("golden.json"))).filter(wanted).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public Path folder() {
        return folder;
    }

    public JsonNode about() {
        return about;
    }

    public double tolerance(String name) {
        return about.get("tolerance").get(name).asDouble();
    }

    public NDManager manager() {
        return manager;
    }

    public NDArray tensor(String name) {
        return tensors.get(name);
    }

    public Map<String, NDArray> tensors() {
        return tensors;
    }

    public float[] floats(String name) {
        return Tensors.toFloats(tensors.get(name));
    }

    /** The rows of an int64 matrix. */
    public int[][] ids(String name) {
        NDArray ids = tensors.get(name);
        int width = (int) ids.getShape().get(1);
        long[] flat = ids.toLongArray();
        int[][] rows = new int[flat.length / width][];
        for (int row = 0; row < rows.length; row++) {
            rows[row] = Arrays.stream(flat, row * width, (row + 1) * width).mapToInt(Math::toIntExact).toArray();
        }
        return rows;
    }

    /** Every element within an absolute tolerance, compared in double. */
    public static void assertClose(String what, float[] expected, float[] actual, double tolerance) {
        assertEquals(expected.length, actual.length, what + ": number of elements");
        double worst = 0;
        int at = 0;
        for (int i = 0; i < expected.length; i++) {
            double difference = Math.abs((double) expected[i] - actual[i]);
            if (!(difference <= worst)) {
                worst = difference;
                at = i;
            }
        }
        assertTrue(worst <= tolerance, what + ": element " + at + " differs by " + worst + " > " + tolerance + " (expected "
                + expected[at] + ", was " + actual[at] + ")");
    }

    /** Norm of the difference over norm of the expected values. */
    public static double relativeError(float[] expected, float[] actual) {
        assertEquals(expected.length, actual.length);
        double difference = 0;
        double norm = 0;
        for (int i = 0; i < expected.length; i++) {
            difference += Math.pow((double) expected[i] - actual[i], 2);
            norm += Math.pow(expected[i], 2);
        }
        return norm == 0 ? Math.sqrt(difference) : Math.sqrt(difference / norm);
    }

    @Override
    public void close() {
        manager.close();
    }
}

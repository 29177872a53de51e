package io.github.bts4j.core.torch.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.golden.GoldenCase;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.LlamaTensors;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.Torch;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a checkpoint of 1 GiB in bfloat16 costs when it is loaded and used, on Linux. The file is sparse: all weights are zero. */
@Tag("slow")
class LoadingMemoryTest {
    private static final Path ROLLUP = Path.of("/proc/self/smaps_rollup");
    private static final LlamaConfig CONFIG = LlamaConfig.builder().vocabSize(32000).hiddenSize(2048).intermediateSize(5632).numLayers(8).numHeads(16)
            .numKvHeads(16).maxPositionEmbeddings(512).dtype(Precision.BFLOAT16).build();

    @TempDir
    private static Path folder;
    private static double size;

    @BeforeAll
    static void write() throws IOException {
        CONFIG.write(folder.resolve("config.json"));
        ObjectNode header = new ObjectMapper().createObjectNode();
        long end = 0;
        for (var tensor : LlamaTensors.shapes(CONFIG).entrySet()) {
            long from = end;
            end += 2 * tensor.getValue().stream().reduce(1L, (a, b) -> a * b);
            ObjectNode entry = header.putObject(tensor.getKey()).put("dtype", "BF16");
            tensor.getValue().forEach(entry.putArray("shape")::add);
            entry.putArray("data_offsets").add(from).add(end);
        }
        byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
        try (RandomAccessFile file = new RandomAccessFile(folder.resolve("model.safetensors").toFile(), "rw")) {
            file.write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(json.length).array());
            file.write(json);
            file.setLength(8 + json.length + end);
        }
        size = end / 1048576.0;
    }

    /** A line of the process's memory map summary, in MiB. */
    private static double mib(String name) throws IOException {
        System.gc();
        String line = Files.readAllLines(ROLLUP).stream().filter(text -> text.startsWith(name + ":")).findFirst().orElseThrow();
        return Long.parseLong(line.replaceAll("\\D", "")) / 1024.0;
    }

    private static void use(LlamaModel model) {
        try (NDManager scope = Torch.manager().newSubManager()) {
            NDArray logits = model.forward(scope.create(new long[] {1, 2, 3, 4}, new Shape(1, 4)));
            assertEquals(4L * model.vocabSize(), logits.size());
        }
    }

    @Test
    void weightsStayInTheFileAndTwoModelsShareThem() throws IOException {
        assumeTrue(Files.exists(ROLLUP), "needs " + ROLLUP);
        assertTrue(size > 1000, "the checkpoint holds " + size + " MiB");
        try (LlamaModel warm = LlamaModel.open(GoldenCase.llama().get(0))) { // the engine's own memory is not counted
            use(warm);
        }
        double anonymous = mib("Anonymous");
        try (LlamaModel first = LlamaModel.open(folder)) {
            use(first);
            double one = mib("Anonymous") - anonymous;
            double file = mib("Pss_File");
            try (LlamaModel second = LlamaModel.open(folder)) {
                use(second);
                double shared = mib("Pss_File") - file;
                double two = mib("Anonymous") - anonymous;
                System.out.printf("checkpoint of %.0f MiB: anonymous memory %+.1f MiB with one model, %+.1f MiB with two;"
                        + " file pages %.0f MiB, +%.1f MiB with two%n", size, one, two, file, shared);
                assertTrue(file > 0.8 * size, "the weights were touched");
                assertTrue(one < 0.1 * size, "anonymous memory grew by " + one + " MiB");
                assertTrue(two < 0.1 * size, "anonymous memory grew by " + two + " MiB");
                assertTrue(shared < 0.1 * size, "the second model added " + shared + " MiB of file pages");
            }
        }
    }
}

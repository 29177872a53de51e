package io.github.bts4j.core.torch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.engine.EngineException;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.UnsupportedException;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.core.torch.llama.Quantization;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Models run whatever oneDNN and libtorch have on the processor at hand. Both can be told to act as on an older one; they read that when they start. */
class LinearProductsTest {
    @TempDir
    private Path folder;

    /** In a process of its own: opens a model in the given precision, computes, and says what did it. */
    public static void main(String[] arguments) throws IOException {
        Path model = Path.of(arguments[0]);
        System.out.println("bfloat16: " + Torch.productsOf(ElementType.BFLOAT16));
        for (Precision precision : Precision.values()) {
            LoadOptions options = LoadOptions.defaults().withPrecision(precision);
            for (LoadOptions each : List.of(options, options.withQuantization(Quantization.INT8))) {
                try (LlamaModel opened = LlamaModel.open(model, each); DecodeSession session = opened.newSession(32)) {
                    float[] whole = session.append(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20);
                    System.out.println(precision + " " + each.quantization() + " " + (Float.isFinite(whole[0]) && Float.isFinite(session.append(21)[0])));
                }
            }
        }
    }

    private Process child(Map<String, String> environment, String... options) throws IOException {
        List<String> command = new ArrayList<>(List.of(ProcessHandle.current().info().command().orElse("java"), "-cp", System.getProperty("java.class.path")));
        command.addAll(Arrays.asList(options));
        command.addAll(List.of(LinearProductsTest.class.getName(), Path.of(System.getProperty("bts4j.testData"), "golden", "llama2-gqa").toString()));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(folder.resolve("out").toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("ONEDNN_") || name.startsWith("DNNL_") || name.equals("ATEN_CPU_CAPABILITY"));
        builder.environment().putAll(environment);
        return builder.start();
    }

    private String said() throws IOException {
        return Files.readString(folder.resolve("out"), StandardCharsets.UTF_8);
    }

    @ParameterizedTest
    @EnabledIfSystemProperty(named = "os.arch", matches = "amd64|x86_64")
    @CsvSource({"AVX2, avx2, auto", "SSE41, default, auto", "AVX2, avx2, default"})
    void everyPrecisionRunsOnAProcessorWithoutBfloat16(String oneDnn, String libtorch, String choice) throws IOException, InterruptedException {
        int status = child(Map.of("ONEDNN_MAX_CPU_ISA", oneDnn, "ATEN_CPU_CAPABILITY", libtorch), "-Dbts4j.matmul=" + choice).waitFor();
        String said = said();
        assertEquals(0, status, said);
        assertTrue(said.contains("bfloat16: libtorch (not oneDNN: " + (choice.equals("auto") ? "could not create a primitive" : "-Dbts4j.matmul=default")), said);
        assertEquals(2L * Precision.values().length, said.lines().filter(line -> line.endsWith(" true")).count(), said);
    }

    @Test
    @EnabledIfSystemProperty(named = "os.arch", matches = "amd64|x86_64")
    void whatCannotBeHadIsSaidInOneSentence() throws IOException, InterruptedException {
        int status = child(Map.of("ONEDNN_MAX_CPU_ISA", "AVX2"), "-Dbts4j.matmul=onednn").waitFor();
        assertEquals(1, status, said());
        assertTrue(said().contains("UnsupportedException: -Dbts4j.matmul=onednn: oneDNN computes no bfloat16 products here (could not create a primitive descriptor"), said());
        assertTrue(said().contains("Leave the option out, and libtorch computes what oneDNN does not"), said());
    }

    @Test
    void anUnknownChoiceIsRefused() {
        assertEquals("-Dbts4j.matmul=mkl must be one of auto, default and onednn",
                assertThrows(IllegalArgumentException.class, () -> LinearProducts.ask("mkl")).getMessage());
    }

    interface InexactKernels extends OneDnnKernels, Int8Kernels {}

    /** Products of inputs cut to bfloat16, and of bfloat16 with sums kept in it: both run, and neither is taken. */
    @Test
    void kernelsThatAreLessExactThanTheirTypeAreNotTaken() {
        InexactKernels inexact = Kernels.asking(InexactKernels.class, "inexact.py");
        LinearProbe probe = new LinearProbe(inexact, inexact);
        assertEquals("its sums are less exact than float32's", probe.oneDnn(ElementType.FLOAT32));
        assertEquals("its sums are less exact than float32's", probe.oneDnn(ElementType.BFLOAT16));
        assertEquals("its sums are less exact than float32's", probe.packedInt8(ElementType.FLOAT32));
        assertEquals("", new LinearProbe().packedInt8(ElementType.FLOAT32));
    }

    @Test
    void theSourceAnswersForEachType() {
        assertTrue(LinearProducts.ask("default").source(KernelChoices.usual(), false).contains("def one_dnn(self: __torch__.K, dtype: int) -> bool:\n    return False"));
        assertEquals("libtorch (not oneDNN: -Dbts4j.matmul=default)", LinearProducts.ask("default").library(ElementType.FLOAT32));
    }

    /** What a kernel that fails in spite of all is told as: libtorch's trace stays with the cause. */
    @Test
    void aMissingPrimitiveNamesTheOptionThatHelps() {
        EngineException trace = new EngineException("The following operation failed in the TorchScript interpreter.\nTraceback of TorchScript (most recent call last):\n"
                + "  File \"code/__torch__.py\", line 15, in linear\nRuntimeError: could not create a primitive descriptor for the inner product forward propagation"
                + " primitive. Run workload with environment variable ONEDNN_VERBOSE=all to get additional diagnostic information.\n");
        UnsupportedException told = LinearProducts.missing(trace);
        assertEquals(1, told.getMessage().lines().count());
        assertTrue(told.getMessage().contains("-Dbts4j.matmul=default"), told.getMessage());
        assertEquals(trace, told.getCause());
    }
}

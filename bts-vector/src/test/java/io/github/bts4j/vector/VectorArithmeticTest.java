package io.github.bts4j.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.bts4j.core.rows.Arithmetic;
import io.github.bts4j.core.rows.Elements;
import io.github.bts4j.core.rows.Matrix;
import io.github.bts4j.core.support.ElementType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is true of vectors alone; bts-core's tests of any arithmetic run in this module too. */
class VectorArithmeticTest {
    @Test
    void isFoundHere() {
        assertEquals(VectorArithmetic.class, Arithmetic.available().orElseThrow().getClass());
    }

    @Test
    void aShareOfARepackedMatrixBeginsWithAPanel() {
        ByteBuffer bytes = ByteBuffer.allocateDirect(37 * 8 * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        Matrix w = new VectorArithmetic().matrix(new Elements(bytes, ElementType.FLOAT32, 0, 8)).repacked(37);
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> w.matmul(16, 37, new float[1][8], new float[1][37], 0));
        assertTrue(e.getMessage().contains("from = 16") && e.getMessage().contains("32"), e.getMessage());
    }

    /** Below 256 bits on x86, libtorch decodes unless vectors are asked for; ARM's 128 bits are enough. */
    @Test
    void narrowVectorsAreLeftAloneOnX86() {
        assertTrue(VectorArithmetic.isNarrow("amd64", 128) && VectorArithmetic.isNarrow("x86_64", 64));
        assertFalse(VectorArithmetic.isNarrow("amd64", 256) || VectorArithmetic.isNarrow("amd64", 512) || VectorArithmetic.isNarrow("aarch64", 128));
    }

    @ParameterizedTest
    @CsvSource({"-XX:UseAVX=0,, false", "-XX:UseAVX=0, vector, true", "-XX:UseAVX=0, torch, false", "-XX:+UseSerialGC, vector, true"})
    void theJavaMachineTellsItsWidth(String option, String decode, boolean vectors) throws Exception {
        assumeTrue(Set.of("amd64", "x86_64").contains(System.getProperty("os.arch")), "-XX:UseAVX is an option of x86");
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx64m", "--add-modules=jdk.incubator.vector", option,
                "-cp", System.getProperty("java.class.path")));
        if (decode != null) {
            command.add("-Dbts4j.decode=" + decode);
        }
        command.add(Found.class.getName());
        Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        assertEquals("found " + vectors, new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip());
        assertEquals(0, process.waitFor());
    }

    /** Prints whether tokens are decoded in Java. */
    static final class Found {
        public static void main(String[] arguments) {
            System.out.println("found " + Arithmetic.available().isPresent());
        }
    }
}

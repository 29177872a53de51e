package io.github.bts4j.core.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.llama.rope.RopeScaling;
import io.github.bts4j.core.llama.rope.RopeTable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class LlamaConfigTest {
    private static LlamaConfigBuilder small() {
        return LlamaConfig.builder().vocabSize(32).hiddenSize(16).intermediateSize(24).numLayers(2).numHeads(4);
    }

    @Test
    void unsetValuesAreThoseOfLlama2() {
        LlamaConfig config = small().build();
        assertEquals(4, config.numKvHeads());
        assertEquals(4, config.headDim());
        assertEquals(4096, config.maxPositionEmbeddings());
        assertEquals(1e-5, config.rmsNormEps());
        assertEquals(10_000, config.ropeTheta());
        assertEquals(RopeScaling.none(), config.ropeScaling());
        assertFalse(config.attentionBias() || config.mlpBias() || config.tieWordEmbeddings());
        assertEquals(Precision.FLOAT32, config.dtype());
        assertEquals(OptionalInt.empty(), config.bosTokenId());
        assertEquals(List.of(), config.eosTokenIds());
    }

    @Test
    void copiesChangeOneValue() {
        LlamaConfig config = small().numKvHeads(2).headDim(8).ropeScaling(new RopeScaling.Linear(2)).bosTokenId(1)
                .eosTokenIds(List.of(2, 3)).rmsNormEps(1e-6).ropeTheta(5e5).attentionBias(true).mlpBias(true).maxPositionEmbeddings(99)
                .build();
        assertEquals(config, config.toBuilder().build());
        assertEquals(config.toBuilder().dtype(Precision.BFLOAT16).build(), config.withDtype(Precision.BFLOAT16));
        assertEquals(Precision.FLOAT16, config.withDtype(Precision.FLOAT16).dtype());
        assertEquals(7, config.withNumLayers(7).numLayers());
        assertTrue(config.withTieWordEmbeddings(true).tieWordEmbeddings());
        assertEquals(config, config.withNumLayers(7).withNumLayers(2).withTieWordEmbeddings(true).withTieWordEmbeddings(false));
        assertEquals(4 * 8, config.queryWidth());
        assertEquals(2 * 8, config.keyValueWidth());
    }

    @Test
    void endTokensAreASetOfTheirOwn() {
        List<Integer> tokens = new ArrayList<>(List.of(5, 2, 5));
        LlamaConfig config = small().eosTokenIds(tokens).build();
        tokens.clear();
        assertEquals(List.of(5, 2), config.eosTokenIds());
        assertThrows(UnsupportedOperationException.class, () -> config.eosTokenIds().add(1));
    }

    static Stream<Arguments> refused() {
        return Stream.of(
                broken(b -> b.numKvHeads(3), "numKvHeads = 3 does not divide numHeads = 4"),
                broken(b -> b.headDim(5), "headDim = 5 must be even: rotary embedding turns pairs"),
                broken(b -> b.hiddenSize(18), "headDim = 0 must be positive and even (unset, it is hiddenSize = 18 / numHeads = 4, where that divides)"),
                broken(b -> b.rmsNormEps(0), "rmsNormEps = 0.0 must be finite and greater than 0 in float32"),
                broken(b -> b.rmsNormEps(1e-60), "rmsNormEps = 1.0E-60 must be finite and greater than 0 in float32"),
                broken(b -> b.rmsNormEps(Double.NaN), "rmsNormEps = NaN must be finite and greater than 0 in float32"),
                broken(b -> b.ropeTheta(1), "ropeTheta = 1.0 must be greater than 1 and finite in float32"),
                broken(b -> b.ropeTheta(1e39), "ropeTheta = 1.0E39 must be greater than 1 and finite in float32"),
                broken(b -> b.numLayers(10_001), "numLayers = 10001 is above 10000"),
                broken(b -> b.maxPositionEmbeddings(-1), "maxPositionEmbeddings = -1 must be at least 1"),
                broken(b -> b.numHeads(1 << 16).headDim(1 << 16), "numHeads = 65536 x headDim = 65536 is above 2147483647"),
                broken(b -> b.hiddenSize(1 << 30).intermediateSize(1 << 30), "parameters: more than 2^53"),
                broken(b -> b.bosTokenId(32), "bosTokenId holds 32, outside 0 .. vocabSize - 1 with vocabSize = 32"),
                broken(b -> b.eosTokenIds(List.of(2, -1)), "eosTokenIds holds -1, outside 0 .. vocabSize - 1 with vocabSize = 32"),
                broken(b -> b.eosTokenIds(Arrays.asList(2, null)), "eosTokenIds holds null"),
                broken(b -> b.eosTokenIds(null), "eosTokenIds is null: use List.of()"),
                broken(b -> b.ropeScaling(null), "ropeScaling is null: use RopeScaling.none()"),
                broken(b -> b.dtype(null), "dtype is null"),
                broken(b -> b.headDim(2).ropeScaling(new RopeScaling.Dynamic(2)), "headDim = 2 must be at least 4 for dynamic ropeScaling"));
    }

    private static Arguments broken(UnaryOperator<LlamaConfigBuilder> change, String message) {
        return Arguments.of(message, change);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("refused")
    void refuses(String message, UnaryOperator<LlamaConfigBuilder> change) {
        LlamaConfigBuilder builder = change.apply(small());
        String actual = assertThrows(IllegalArgumentException.class, builder::build).getMessage();
        assertTrue(actual.startsWith("LlamaConfig: ") && actual.endsWith(message), actual);
    }

    @Test
    void listsEveryProblemAtOnce() {
        LlamaConfigBuilder builder = LlamaConfig.builder().vocabSize(-4).numKvHeads(0).headDim(7).ropeTheta(Double.NaN);
        String expected = """
                LlamaConfig: 8 problems:
                  - vocabSize = -4 must be at least 1
                  - hiddenSize = 0 must be at least 1
                  - intermediateSize = 0 must be at least 1
                  - numLayers = 0 must be at least 1
                  - numHeads = 0 must be at least 1
                  - numKvHeads = 0 must be at least 1
                  - headDim = 7 must be even: rotary embedding turns pairs
                  - ropeTheta = NaN must be greater than 1 and finite in float32""";
        assertEquals(expected, assertThrows(IllegalArgumentException.class, builder::build).getMessage());
    }

    @Test
    void ropeScalingsCheckTheirNumbers() {
        assertEquals("linear RoPE scaling: factor = 0.5 must be finite and at least 1.0", messageOf(() -> new RopeScaling.Linear(0.5)));
        assertEquals("dynamic RoPE scaling: factor = Infinity must be finite and at least 1.0",
                messageOf(() -> new RopeScaling.Dynamic(Double.POSITIVE_INFINITY)));
        assertEquals("""
                llama3 RoPE scaling: 2 problems:
                  - highFreqFactor = 1.0 must be greater than lowFreqFactor = 4.0
                  - originalMaxPositionEmbeddings = 0 must be at least 1""", messageOf(() -> new RopeScaling.Llama3(8, 4, 1, 0)));
        OptionalDouble none = OptionalDouble.empty();
        assertEquals("""
                yarn RoPE scaling: 3 problems:
                  - betaFast = 1.0 must be at least betaSlow = 32.0
                  - mscale is null: use OptionalDouble.empty()
                  - attentionFactor = -1.0 must be finite and greater than 0 in float32""",
                messageOf(() -> new RopeScaling.Yarn(4, 64, 1, 32, null, none, OptionalDouble.of(-1), true)));
    }

    @Test
    void frequenciesCheckTheirArguments() {
        assertEquals("""
                RoPE: 4 problems:
                  - headDim = 5 must be positive and even
                  - ropeTheta = 0.0 must be greater than 1 and finite in float32
                  - maxPositionEmbeddings = 0 must be at least 1
                  - sequenceLength = -1 must be at least 1""", messageOf(() -> RopeScaling.none().inverseFrequencies(5, 0, 0, -1)));
        assertEquals("RoPE: headDim = 2 must be at least 4 for dynamic scaling",
                messageOf(() -> new RopeScaling.Dynamic(2).inverseFrequencies(2, 1e4, 64, 64)));
        assertEquals("RoPE table: positions = 0 must be at least 1", messageOf(() -> RopeTable.of(small().build().rope(), 0, 0, 1)));
        assertEquals("RoPE table: positions = 2000000000 x headDim / 2 = 2 does not fit into an array",
                messageOf(() -> RopeTable.of(small().build().rope(), 0, 2_000_000_000, 2_000_000_000)));
    }

    private static String messageOf(Runnable call) {
        return assertThrows(IllegalArgumentException.class, call::run).getMessage();
    }

    @Test
    void aRangeOfATableIsItsRows() {
        LlamaConfig config = small().ropeScaling(new RopeScaling.Dynamic(2)).maxPositionEmbeddings(8).build();
        RopeTable whole = RopeTable.of(config.rope(), 0, 20, 20);
        RopeTable tail = RopeTable.of(config.rope(), 13, 7, 20);
        assertEquals(7, tail.positions());
        assertEquals(2, tail.pairs());
        float[] expected = Arrays.copyOfRange(whole.cos(), 13 * 2, 20 * 2);
        assertEquals(Arrays.toString(expected), Arrays.toString(tail.cos()));
        assertTrue(config.ropeScaling().dependsOnSequenceLength() && !RopeScaling.none().dependsOnSequenceLength());
    }
}

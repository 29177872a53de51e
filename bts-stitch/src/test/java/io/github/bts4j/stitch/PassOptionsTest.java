package io.github.bts4j.stitch;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.Precision;
import java.util.Collections;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PassOptionsTest {
    /** Four models of six layers above the first stitch keep 4,864 values of a token in each layer: 256 MiB hold 574 tokens in float32 and 1,149 in types of half the size. */
    @ParameterizedTest
    @CsvSource({"FLOAT32, 8, 257, 2", "FLOAT32, 8, 191, 3", "BFLOAT16, 8, 257, 4", "FLOAT16, 8, 257, 4", "FLOAT32, 8, 575, 1", "BFLOAT16, 8, 521, 1", "FLOAT32, 8, 4096, 1", "BFLOAT16, 3, 257, 3"})
    void slicesHoldMoreTokensWhereTheyKeepLess(Precision precision, int batch, int width, int sequences) {
        assertEquals(4864, PassOptions.keptValues(model(8, 1408)));
        assertEquals(sequences, PassOptions.cpuRows(batch, width, Collections.nCopies(4, model(8, 1408)), precision, StitchConfig.evenly(8, 4)));
    }

    /** However much a token takes, 520 of them go together. */
    @ParameterizedTest
    @CsvSource({"30, 4, 2", "30, 1, 4"})
    void largeModelsHaveSlicesToo(int layers, int stitches, int sequences) {
        assertEquals(sequences, PassOptions.cpuRows(8, 257, Collections.nCopies(4, model(layers, 14080)), Precision.BFLOAT16, StitchConfig.evenly(layers, stitches)));
    }

    private static LlamaConfig model(int layers, int intermediate) {
        return LlamaConfig.builder().vocabSize(100).hiddenSize(512).intermediateSize(intermediate).numLayers(layers).numHeads(8).numKvHeads(4).maxPositionEmbeddings(8192).build();
    }
}

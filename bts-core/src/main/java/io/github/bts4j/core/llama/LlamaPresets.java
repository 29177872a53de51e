package io.github.bts4j.core.llama;

import java.util.List;

/** Published configurations, without weights. */
public final class LlamaPresets {
    /** Llama 2 7B (arXiv 2307.09288): 6,738,415,616 parameters. */
    public static final LlamaConfig LLAMA_2_7B = llama2().hiddenSize(4096).intermediateSize(11008).numLayers(32).numHeads(32).build();

    /** Llama 2 13B (arXiv 2307.09288): 13,015,864,320 parameters. */
    public static final LlamaConfig LLAMA_2_13B = llama2().hiddenSize(5120).intermediateSize(13824).numLayers(40).numHeads(40).build();

    /** Llama 2 70B (arXiv 2307.09288): 68,976,648,192 parameters. */
    public static final LlamaConfig LLAMA_2_70B =
            llama2().hiddenSize(8192).intermediateSize(28672).numLayers(80).numHeads(64).numKvHeads(8).build();

    /**
     * The seed model of Branch-Train-Stitch (arXiv 2502.00075): 20 layers, hidden size 3,072, 24 heads with one key-value head,
     * 128,000 tokens, rope theta 500,000.
     *
     * <p>The paper's "2.7B" is the count without embedding tables: 2,658,266,112. With one table, tied, it is 3,051,482,112; with a table and
     * a head of its own, as here, 3,444,698,112. The paper does not say whether it ties them, nor the context (here 8,192), the epsilon (here
     * 1e-5) and the special tokens (here none): those are this library's choices.
     */
    public static final LlamaConfig BTS_SEED_2_7B = LlamaConfig.builder().vocabSize(128_000).hiddenSize(3072).intermediateSize(12_288)
            .numLayers(20).numHeads(24).numKvHeads(1).maxPositionEmbeddings(8192).ropeTheta(500_000).dtype(Precision.BFLOAT16).build();

    private LlamaPresets() {
    }

    private static LlamaConfigBuilder llama2() {
        return LlamaConfig.builder().vocabSize(32_000).maxPositionEmbeddings(4096).ropeTheta(10_000).rmsNormEps(1e-5)
                .dtype(Precision.FLOAT16).bosTokenId(1).eosTokenIds(List.of(2));
    }
}

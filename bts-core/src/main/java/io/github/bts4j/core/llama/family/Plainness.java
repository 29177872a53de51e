package io.github.bts4j.core.llama.family;

import java.util.Set;

/** Which models are decoders like Llama's for other software too: nothing but projections, norms, one rotation and full attention. Stateless. */
public final class Plainness {
    private static final Set<Family> FAMILIES = Set.of(Family.LLAMA, Family.MISTRAL, Family.QWEN2, Family.QWEN3, Family.OLMO2);

    private Plainness() {}

    /**
     * Whether a model is such a decoder.
     *
     * @param traits its traits
     * @return true for Llama, Mistral, Qwen2, Qwen3 and OLMo 2 without sliding windows
     */
    public static boolean isPlain(Traits traits) {
        return FAMILIES.contains(traits.family()) && traits.equals(Traits.of(traits.family()));
    }

    /**
     * Which they are, for messages.
     *
     * @return their names
     */
    public static String names() {
        return "Llama, Mistral, Qwen2, Qwen3 and OLMo 2 without sliding windows";
    }
}

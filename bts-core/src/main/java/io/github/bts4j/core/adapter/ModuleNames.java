package io.github.bts4j.core.adapter;

import java.util.List;

/** A choice of modules by their names, such as {@code model.layers.0.self_attn.q_proj}. */
public sealed interface ModuleNames {
    /** No module at all. */
    ModuleNames NONE = new Listed(List.of());

    /** PEFT's name for {@link AllLinear}. */
    String ALL_LINEAR = "all-linear";

    /**
     * Whether a module is chosen.
     *
     * @param module its full name
     * @return true if it is
     */
    boolean contains(String module);

    /**
     * Modules with one of these names, or whose names end in a dot and one of them.
     *
     * @param names such as {@code q_proj}
     */
    record Listed(List<String> names) implements ModuleNames {
        /**
         * Copies the names.
         *
         * @param names such as {@code q_proj}
         */
        public Listed {
            names = List.copyOf(names);
        }

        @Override
        public boolean contains(String module) {
            return names.stream().anyMatch(name -> module.equals(name) || module.endsWith("." + name));
        }

        @Override
        public String toString() {
            return names.toString();
        }
    }

    /**
     * Modules whose whole name a regular expression matches.
     *
     * @param pattern the expression
     */
    record Matching(ModulePattern pattern) implements ModuleNames {
        @Override
        public boolean contains(String module) {
            return pattern.matches(module);
        }

        @Override
        public String toString() {
            return pattern.toString();
        }
    }

    /** Every linear module but the head: PEFT's {@code all-linear}. */
    record AllLinear() implements ModuleNames {
        @Override
        public boolean contains(String module) {
            return module.endsWith("_proj");
        }

        @Override
        public String toString() {
            return ALL_LINEAR;
        }
    }
}

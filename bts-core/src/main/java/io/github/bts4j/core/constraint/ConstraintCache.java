package io.github.bts4j.core.constraint;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

/** Keeps the constraints that were used last, with what they know about vocabularies. Thread-safe. */
public final class ConstraintCache {
    private final Map<String, Constraint> kept;

    /**
     * Creates an empty cache.
     *
     * @param most how many constraints to keep
     */
    public ConstraintCache(int most) {
        kept = new LinkedHashMap<>(most, 0.75f, true) {
            private static final long serialVersionUID = 1;

            @Override
            protected boolean removeEldestEntry(Map.Entry<String, Constraint> eldest) {
                return size() > most;
            }
        };
    }

    /**
     * A constraint, compiled unless it is kept.
     *
     * @param key what identifies it
     * @param compile makes it; runs without a lock
     * @return the constraint
     */
    public Constraint get(String key, Supplier<Constraint> compile) {
        synchronized (this) {
            Constraint known = kept.get(key);
            if (known != null) {
                return known;
            }
        }
        Constraint made = compile.get();
        synchronized (this) {
            kept.put(key, made);
        }
        return made;
    }
}

package io.github.bts4j.core.rows;
import io.github.bts4j.core.support.ElementType;


/** Rounds results to the precision that a model computes in, to nearest even. */
public enum Rounding {
    /** float32: nothing is rounded. */
    NONE,
    /** bfloat16: the upper half of a float32. */
    BFLOAT16;

    /**
     * The rounding of a model.
     *
     * @param type the type it computes in
     * @return how results are rounded
     */
    public static Rounding of(ElementType type) {
        return switch (type) {
            case FLOAT32 -> NONE;
            case BFLOAT16 -> BFLOAT16;
            default -> throw new IllegalArgumentException("Rows are computed in FLOAT32 or BFLOAT16, not in " + type);
        };
    }

    /**
     * Rounds a value.
     *
     * @param value the value
     * @return the nearest value of the type
     */
    public float round(float value) {
        if (this == NONE || Float.isNaN(value)) {
            return value;
        }
        int bits = Float.floatToRawIntBits(value);
        return Float.intBitsToFloat((bits + 0x7FFF + (bits >>> 16 & 1)) & 0xFFFF0000);
    }

    /**
     * Rounds a range of values in place.
     *
     * @param values the values
     * @param from first index
     * @param to one past the last index
     */
    public void round(float[] values, int from, int to) {
        if (this == BFLOAT16) {
            for (int i = from; i < to; i++) {
                values[i] = round(values[i]);
            }
        }
    }
}

package io.github.bts4j.train.eval;

import java.util.Objects;

/**
 * One operation on two whole numbers.
 *
 * @param left first number
 * @param operation the operation
 * @param right second number
 */
public record ArithmeticStep(int left, Operation operation, int right) {
    /**
     * Checks the operation.
     *
     * @param left first number
     * @param operation the operation
     * @param right second number
     */
    public ArithmeticStep {
        Objects.requireNonNull(operation, "operation");
    }

    /** An operation on two numbers. */
    public enum Operation {
        /** The sum. */
        PLUS("+"),
        /** The difference. */
        MINUS("-"),
        /** The product. */
        TIMES("x");

        private final String sign;

        Operation(String sign) {
            this.sign = sign;
        }

        /** {@return the sign in texts: {@code +}, {@code -} or {@code x}} */
        public String sign() {
            return sign;
        }

        /**
         * Computes the result.
         *
         * @param left first number
         * @param right second number
         * @return the result
         * @throws ArithmeticException if it does not fit into an int
         */
        public int apply(int left, int right) {
            return switch (this) {
                case PLUS -> Math.addExact(left, right);
                case MINUS -> Math.subtractExact(left, right);
                case TIMES -> Math.multiplyExact(left, right);
            };
        }
    }

    /** {@return the result} */
    public int result() {
        return operation.apply(left, right);
    }

    /** The step with a result, right or wrong. */
    String text(int result) {
        return left + " " + operation.sign() + " " + right + " = " + result;
    }
}

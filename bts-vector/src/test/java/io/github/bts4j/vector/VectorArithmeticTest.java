package io.github.bts4j.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.rows.Arithmetic;
import io.github.bts4j.core.rows.Elements;
import io.github.bts4j.core.rows.Matrix;
import io.github.bts4j.core.torch.TorchType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

/** What is true of vectors alone; bts-core's tests of any arithmetic run in this module too. */
class VectorArithmeticTest {
    @Test
    void isFoundHere() {
        assertEquals(VectorArithmetic.class, Arithmetic.available().orElseThrow().getClass());
    }

    @Test
    void aShareOfARepackedMatrixBeginsWithAPanel() {
        ByteBuffer bytes = ByteBuffer.allocateDirect(37 * 8 * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        Matrix w = new VectorArithmetic().matrix(new Elements(bytes, TorchType.FLOAT32, 0, 8)).repacked(37);
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> w.matmul(16, 37, new float[1][8], new float[1][37], 0));
        assertTrue(e.getMessage().contains("from = 16") && e.getMessage().contains("32"), e.getMessage());
    }
}

package io.github.bts4j.vector;

import io.github.bts4j.core.rows.Blocks;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * Rows whose values take several operations each. Some rows at a time are copied to the heap, where HotSpot compiles loops best; then the factors of all their groups are computed, then
 * the products row by row. Every sum goes through the same chains, whatever computes it.
 */
abstract class StagedRows extends BlockRows {
    static final VectorSpecies<Integer> I = IntVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Byte> B = VectorSpecies.of(byte.class, VectorShape.forBitSize(Byte.SIZE * LANES));
    private static final int MOST_BYTES = 8192; // they stay in the first cache, beside x

    StagedRows(Blocks blocks) {
        super(blocks);
    }

    /** The signed bytes from an index on, widened. */
    static IntVector widened(byte[] bytes, int at) {
        return (IntVector) ByteVector.fromArray(B, bytes, at).convertShape(VectorOperators.B2I, I, 0);
    }

    /** A packed vector in the order, and with the factors, that the products read. */
    abstract float[] arranged(float[] x);

    /** Computes what the products need beside the staged bytes of so many blocks. */
    abstract void prepare(Stage stage, int count);

    /** The vector of sums of one of the staged rows. */
    abstract void row(Stage stage, int row, float[] x, float[] lanes);

    @Override
    public final void matmul(int from, int to, float[][] x, float[][] y, int at) {
        int bytes = (int) blocks.rowBytes();
        int each = Math.min(to - from, Math.max(1, MOST_BYTES / bytes));
        int perRow = columns / blocks.type().blockSize();
        Stage stage = new Stage(blocks.type(), each * perRow);
        float[][] arranged = new float[x.length][];
        for (int s = 0; s < x.length; s++) {
            arranged[s] = arranged(x[s]);
        }
        float[] lanes = new float[LANES];
        for (int r = from; r < to; r += each) {
            int n = Math.min(each, to - r);
            blocks.bytes().get((int) blocks.rowOffset(r), stage.bytes, 0, n * bytes);
            prepare(stage, n * perRow);
            for (int i = 0; i < n; i++) {
                for (int s = 0; s < x.length; s++) {
                    row(stage, i, arranged[s], lanes);
                    y[s][at + r + i] = Lanes.sum(lanes, 0);
                }
            }
        }
    }
}

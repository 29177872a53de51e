package io.github.bts4j.vector;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * Loads vectors from memory outside of the heap. Until Java 18 the vector classes read byte buffers, since Java 19 memory segments: the method is looked up once, and being a
 * constant it is compiled like a call in the source.
 */
final class Memory {
    static final VectorSpecies<Integer> WORDS = IntVector.SPECIES_PREFERRED;

    private static final String SEGMENT = "java.lang.foreign.MemorySegment";
    private static final MethodType LOAD_TYPE = MethodType.methodType(IntVector.class, Object.class, int.class);
    private static final boolean BUFFERS = hasBuffers();
    private static final MethodHandle LOAD = load(IntVector.class, WORDS, LOAD_TYPE);

    private Memory() {
    }

    private static boolean hasBuffers() {
        try {
            IntVector.class.getMethod("fromByteBuffer", VectorSpecies.class, ByteBuffer.class, int.class, ByteOrder.class);
            return true;
        } catch (NoSuchMethodException e) {
            return false;
        }
    }

    /** A loader of one kind of vector. */
    private static MethodHandle load(Class<?> vector, VectorSpecies<?> species, MethodType as) {
        try {
            Class<?> memory = BUFFERS ? ByteBuffer.class : Class.forName(SEGMENT);
            MethodType type = MethodType.methodType(vector, VectorSpecies.class, memory, BUFFERS ? int.class : long.class, ByteOrder.class);
            MethodHandle method = MethodHandles.lookup().findStatic(vector, BUFFERS ? "fromByteBuffer" : "fromMemorySegment", type);
            MethodHandle bound = MethodHandles.insertArguments(MethodHandles.insertArguments(method, 3, ByteOrder.LITTLE_ENDIAN), 0, species);
            return MethodHandles.explicitCastArguments(bound, as);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("This Java's vector classes read neither byte buffers nor memory segments", e);
        }
    }

    /** What {@link #words} reads from. */
    static Object of(ByteBuffer bytes) {
        if (BUFFERS) {
            return bytes;
        }
        try {
            return Class.forName(SEGMENT).getMethod("ofBuffer", Buffer.class).invoke(null, bytes);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("This Java has vector classes over memory segments, but no segment of a buffer", e);
        }
    }

    /** Bytes, one for each lane of a vector of words; only with vectors of 256 and 512 bits. */
    static final class Bytes {
        private static final MethodType TYPE = MethodType.methodType(ByteVector.class, Object.class, int.class);
        private static final MethodHandle LOAD = load(ByteVector.class, VectorSpecies.of(byte.class, VectorShape.forBitSize(Byte.SIZE * WORDS.length())), TYPE);

        private Bytes() {
        }

        /** The signed bytes from a byte offset on, widened. */
        static IntVector widened(Object memory, int offset) {
            try {
                return (IntVector) ((ByteVector) LOAD.invokeExact(memory, offset)).convertShape(VectorOperators.B2I, WORDS, 0);
            } catch (RuntimeException | Error e) {
                throw e;
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /** The 32-bit words from a byte offset on, one for each lane. With an offset that is an int, checks of its range leave the loops. */
    static IntVector words(Object memory, int offset) {
        try {
            return (IntVector) LOAD.invokeExact(memory, offset);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}

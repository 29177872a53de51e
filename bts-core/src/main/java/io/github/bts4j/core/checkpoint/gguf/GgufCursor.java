package io.github.bts4j.core.checkpoint.gguf;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.checkpoint.ModelFormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Reads the header of a GGUF file from front to back; never beyond the file, and never allocates more than the file can hold. */
final class GgufCursor {
    private static final int BUFFER_BYTES = 1 << 16;

    private final Path file;
    private final FileChannel channel;
    private final long size;
    private final ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN).limit(0);
    private long bufferStart;

    GgufCursor(Path file, FileChannel channel) throws IOException {
        this.file = file;
        this.channel = channel;
        this.size = channel.size();
    }

    long position() {
        return bufferStart + buffer.position();
    }

    long size() {
        return size;
    }

    byte int8() throws IOException {
        return need(1).get();
    }

    short int16() throws IOException {
        return need(2).getShort();
    }

    int int32() throws IOException {
        return need(4).getInt();
    }

    long int64() throws IOException {
        return need(8).getLong();
    }

    /** A count of items that take at least {@code least} bytes each. */
    long count(String what, int least) throws IOException {
        long at = position();
        long count = int64();
        throwIf(count < 0 || count > (size - position()) / least,
                () -> problem(at, what + " = " + Long.toUnsignedString(count) + ", but the file has " + (size - position())
                        + " more bytes: was it downloaded whole?"));
        return count;
    }

    String text(String what) throws IOException {
        int length = Math.toIntExact(Math.min(count("length of " + what, 1), Integer.MAX_VALUE));
        long at = position();
        byte[] bytes = new byte[length];
        for (int done = 0; done < length;) {
            int piece = Math.min(length - done, BUFFER_BYTES);
            need(piece).get(bytes, done, piece);
            done += piece;
        }
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw problem(at, what + " is not UTF-8");
        }
    }

    ModelFormatException problem(long at, String message) {
        return ModelFormatException.at(file, at, message);
    }

    private ByteBuffer need(int bytes) throws IOException {
        if (buffer.remaining() < bytes) {
            bufferStart += buffer.position();
            buffer.compact();
            while (buffer.position() < bytes) {
                throwIf(channel.read(buffer, bufferStart + buffer.position()) < 0,
                        () -> problem(size, "the header extends beyond the end of the file: was it downloaded completely?"));
            }
            buffer.flip();
        }
        return buffer;
    }
}

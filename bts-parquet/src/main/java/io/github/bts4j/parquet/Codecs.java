package io.github.bts4j.parquet;

import io.airlift.compress.Decompressor;
import io.airlift.compress.MalformedInputException;
import io.airlift.compress.snappy.SnappyDecompressor;
import io.airlift.compress.zstd.ZstdDecompressor;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.GZIPInputStream;
import org.apache.parquet.bytes.BytesInput;
import org.apache.parquet.compression.CompressionCodecFactory;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;

/** Decompression of pages without Hadoop, whose codecs parquet-java would use. Reads only. */
final class Codecs implements CompressionCodecFactory {
    private static final int MAX_PAGE_BYTES = 256 << 20;

    @Override
    public BytesInputDecompressor getDecompressor(CompressionCodecName codec) {
        return switch (codec) {
            case UNCOMPRESSED -> new Pages((page, size) -> page);
            case SNAPPY -> new Pages((page, size) -> decompress(new SnappyDecompressor(), page, size));
            case ZSTD -> new Pages((page, size) -> decompress(new ZstdDecompressor(), page, size));
            case GZIP -> new Pages(Codecs::gunzip);
            default -> throw new IllegalArgumentException("Parquet pages compressed with " + codec
                    + " are not read: write the file with no compression, Snappy, gzip or Zstandard");
        };
    }

    private static byte[] decompress(Decompressor decompressor, byte[] page, int size) throws IOException {
        byte[] out = new byte[checked(size)];
        try {
            int found = decompressor.decompress(page, 0, page.length, out, 0, size);
            if (found != size) {
                throw new IOException("a page decompresses to " + found + " bytes, not to " + size);
            }
        } catch (MalformedInputException e) {
            throw new IOException("a page cannot be decompressed: " + e.getMessage(), e);
        }
        return out;
    }

    /** The size in a damaged file can be any number; parquet-java's pages are 1 MiB. */
    private static int checked(int size) throws IOException {
        if (size < 0 || size > MAX_PAGE_BYTES) {
            throw new IOException("a page of " + size + " bytes is beyond the limit of " + MAX_PAGE_BYTES);
        }
        return size;
    }

    private static byte[] gunzip(byte[] page, int size) throws IOException {
        try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(page))) {
            byte[] out = in.readNBytes(checked(size));
            if (out.length != size || in.read() >= 0) {
                throw new IOException("a page does not decompress to " + size + " bytes");
            }
            return out;
        }
    }

    @Override
    public BytesInputCompressor getCompressor(CompressionCodecName codec) {
        throw new UnsupportedOperationException("writing Parquet files is not supported");
    }

    @Override
    public void release() {
        // nothing is held
    }

    /** From a compressed page and the size of its content to the content. */
    private interface Codec {
        byte[] apply(byte[] page, int size) throws IOException;
    }

    private record Pages(Codec codec) implements CompressionCodecFactory.BytesInputDecompressor {
        @Override
        public BytesInput decompress(BytesInput bytes, int decompressedSize) throws IOException {
            ByteArrayOutputStream page = new ByteArrayOutputStream(Math.toIntExact(bytes.size()));
            bytes.writeAllTo(page);
            return BytesInput.from(codec.apply(page.toByteArray(), decompressedSize));
        }

        @Override
        public void decompress(ByteBuffer input, int compressedSize, ByteBuffer output, int decompressedSize) throws IOException {
            byte[] page = new byte[compressedSize];
            input.get(page);
            output.put(codec.apply(page, decompressedSize));
        }

        @Override
        public void release() {
            // nothing is held
        }
    }
}

package io.github.bts4j.core.checkpoint;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.support.Quoted;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The validated header of a safetensors file: the metadata, and tensors that cover the data without gaps, overlaps or trailing bytes.
 * Immutable.
 *
 * @param metadata free text by key, in the order of the header
 * @param entries the tensors in the order of their data
 */
record SafetensorsHeader(Map<String, String> metadata, List<TensorEntry> entries) {

    /** The bytes before the header: its length as an unsigned little-endian number. */
    static final int LENGTH_BYTES = 8;

    /** The longest header, in bytes; the limit of the reference implementation. */
    static final long MAX_BYTES = 100_000_000;

    private static final Comparator<TensorEntry> BY_PLACE =
            Comparator.comparingLong(TensorEntry::offset).thenComparingLong(TensorEntry::length);

    SafetensorsHeader {
        metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
        List<TensorEntry> sorted = new ArrayList<>(entries);
        sorted.sort(BY_PLACE);
        entries = List.copyOf(sorted);
    }

    /**
     * Reads and checks a header.
     *
     * @param file the file, for messages and entries
     * @param in the file's content from its start; read up to the end of the header, not closed
     * @param fileLength the bytes of the whole file
     * @throws IOException if reading fails
     * @throws ModelFormatException if the header or the length of the file is wrong
     */
    static SafetensorsHeader read(Path file, InputStream in, long fileLength) throws IOException {
        byte[] json = in.readNBytes((int) readLength(file, in, fileLength));
        long dataLength = fileLength - LENGTH_BYTES - json.length;
        if (json.length == 0 || json[0] != '{') {
            String found = json.length == 0 ? "an empty header" : String.format("byte 0x%02x", json[0]);
            throw ModelFormatException.at(file, LENGTH_BYTES,
                    "the header must start with '{', found " + found + "; is this a safetensors file?");
        }
        SafetensorsHeader header = new HeaderParser(file, json, dataLength).parse();
        header.requireCoverage(file, LENGTH_BYTES + (long) json.length, fileLength);
        return header;
    }

    private static long readLength(Path file, InputStream in, long fileLength) throws IOException {
        byte[] prefix = in.readNBytes(LENGTH_BYTES);
        throwIf(prefix.length < LENGTH_BYTES,
                () -> new ModelFormatException(file, "the file has " + prefix.length + " bytes; a safetensors file has at "
                        + "least " + LENGTH_BYTES + ": is the download complete?"));
        long length = ByteBuffer.wrap(prefix).order(ByteOrder.LITTLE_ENDIAN).getLong();
        String found = "header length = " + Long.toUnsignedString(length);
        throwIf(length < 0 || length > MAX_BYTES, () -> ModelFormatException.at(
                file, 0, found + " bytes, above the limit of " + MAX_BYTES + "; is this a safetensors file?"));
        throwIf(length > fileLength - LENGTH_BYTES, () -> ModelFormatException.at(file, 0, found + " bytes, but only " + (fileLength - LENGTH_BYTES)
                + " follow; is the file cut short? Download it again"));
        return length;
    }

    private void requireCoverage(Path file, long dataStart, long fileLength) {
        long covered = dataStart;
        TensorEntry before = null;
        for (TensorEntry entry : entries) {
            if (entry.offset() < covered && before != null) {
                throw ModelFormatException.inTensor(file, entry.name(), entry.offset(), "starts "
                        + (covered - entry.offset()) + " bytes before the end of tensor "
                        + Quoted.of(before.name()) + ": the two overlap");
            }
            if (entry.offset() > covered) {
                throw ModelFormatException.inTensor(file, entry.name(), entry.offset(), "starts "
                        + (entry.offset() - covered)
                        + " bytes after the end of the tensor before it: holes are not allowed");
            }
            covered = entry.end();
            before = entry;
        }
        if (covered != fileLength) {
            throw ModelFormatException.at(file, covered, (fileLength - covered)
                    + " bytes follow the last tensor; nothing may, is the file damaged?");
        }
    }
}

package io.github.bts4j.core.tokenizer;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.CharSpan;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * The native tokenizer: no truncation, no padding, and no use after close. Encoding and decoding only read the native object, so any number of threads do
 * them at once; close waits for them.
 */
final class NativeTokenizer implements AutoCloseable {

    private final Path file;
    private final HuggingFaceTokenizer tokenizer;
    private final ReadWriteLock lock = new ReentrantReadWriteLock();
    private boolean closed;

    private NativeTokenizer(Path file, HuggingFaceTokenizer tokenizer) {
        this.file = file;
        this.tokenizer = tokenizer;
    }

    static NativeTokenizer open(Path file, String json) {
        OfflineDefaults.apply();
        Map<String, String> options = Map.of("truncation", "false", "padding", "false");
        try (ByteArrayInputStream stream = new ByteArrayInputStream(json.getBytes(StandardCharsets.UTF_8))) {
            return new NativeTokenizer(file, HuggingFaceTokenizer.newInstance(stream, options));
        } catch (IOException | RuntimeException e) {
            throw TokenizerFiles.broken(file, "is not a tokenizer that the tokenizers library can load", e);
        }
    }

    int[] encode(String text, boolean addSpecialTokens) {
        Lock reading = startReading();
        try {
            return toInts(tokenizer.encode(wellFormed(text), addSpecialTokens, false).getIds());
        } finally {
            reading.unlock();
        }
    }

    /** Ids, and for each the code points of the text from which and up to which it stands, as two more arrays. */
    int[][] encodeWithOffsets(String text) {
        Lock reading = startReading();
        try {
            Encoding encoding = tokenizer.encode(wellFormed(text), false, false);
            CharSpan[] spans = encoding.getCharTokenSpans();
            int[] begins = new int[spans.length];
            int[] ends = new int[spans.length];
            for (int i = 0; i < spans.length; i++) {
                begins[i] = spans[i] == null ? 0 : spans[i].getStart();
                ends[i] = spans[i] == null ? 0 : spans[i].getEnd();
            }
            return new int[][] {toInts(encoding.getIds()), begins, ends};
        } finally {
            reading.unlock();
        }
    }

    String decode(int[] ids, boolean skipSpecialTokens) {
        long[] longs = new long[ids.length];
        for (int i = 0; i < ids.length; i++) {
            longs[i] = ids[i];
        }
        Lock reading = startReading();
        try {
            return tokenizer.decode(longs, skipSpecialTokens);
        } finally {
            reading.unlock();
        }
    }

    @Override
    public void close() {
        lock.writeLock().lock();
        try {
            closed = true;
            tokenizer.close();
        } finally {
            lock.writeLock().unlock();
        }
    }

    private Lock startReading() {
        Lock reading = lock.readLock();
        reading.lock();
        if (closed) {
            reading.unlock();
            throw new IllegalStateException("the tokenizer of " + file + " is closed");
        }
        return reading;
    }

    /** Half a surrogate pair has no UTF-8; the library would make three replacement characters of it, everybody else makes one. */
    private static String wellFormed(String text) {
        StringBuilder repaired = null;
        for (int i = 0; i < text.length(); i++) {
            if (!Character.isSurrogate(text.charAt(i))) {
                continue;
            }
            if (Character.charCount(text.codePointAt(i)) == 2) {
                i++;
                continue;
            }
            repaired = repaired == null ? new StringBuilder(text) : repaired;
            repaired.setCharAt(i, '\uFFFD');
        }
        return repaired == null ? text : repaired.toString();
    }

    private static int[] toInts(long[] ids) {
        int[] ints = new int[ids.length];
        for (int i = 0; i < ids.length; i++) {
            ints[i] = Math.toIntExact(ids[i]);
        }
        return ints;
    }
}

package io.github.bts4j.core.tokenizer;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.CharSpan;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import io.github.bts4j.core.TooLargeException;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.support.Interrupts;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.LongFunction;
import java.util.function.Supplier;

/**
 * The native tokenizer: no truncation, no padding, and no use after close. Encoding and decoding only read the native object, so any number of threads do
 * them at once; close waits for them. Long texts are processed one at a time in the whole process.
 *
 * <p>The native code creates its results on the Java heap and aborts the process if there is not enough memory. Therefore the memory is
 * first allocated and released in Java, where running out of it is an error that can be caught; and only the ids of an encoding are
 * fetched, 8 bytes each.
 */
final class NativeTokenizer implements AutoCloseable {

    private static final int LONG_TEXT = 1 << 18;
    private static final int SLACK = 1 << 12;
    private static final int SPAN_LONGS = 4; // a span and the reference to it
    private static final Semaphore ONE_LONG_TEXT = new Semaphore(1, true);

    private final Path file;
    private final HuggingFaceTokenizer tokenizer;
    private final TextLimits limits;
    private final Vocabulary vocabulary;
    private final ReadWriteLock lock = new ReentrantReadWriteLock();
    @SuppressWarnings("UnusedVariable")
    private volatile long[] room; // written only so that no compiler removes the allocation
    private boolean closed;

    private NativeTokenizer(Path file, HuggingFaceTokenizer tokenizer, TextLimits limits, Vocabulary vocabulary) {
        this.file = file;
        this.tokenizer = tokenizer;
        this.limits = limits;
        this.vocabulary = vocabulary;
    }

    static NativeTokenizer open(Path file, String json, TextLimits limits, Vocabulary vocabulary) {
        OfflineDefaults.apply();
        Map<String, String> options = Map.of("truncation", "false", "padding", "false");
        try (ByteArrayInputStream stream = new ByteArrayInputStream(json.getBytes(StandardCharsets.UTF_8))) {
            return new NativeTokenizer(file, Interrupts.postponed(() -> HuggingFaceTokenizer.newInstance(stream, options)), limits, vocabulary);
        } catch (IOException | RuntimeException e) {
            throw TokenizerFiles.broken(file, "is not a tokenizer that the tokenizers library can load", e);
        }
    }

    int[] encode(String text, boolean addSpecialTokens) {
        return encode(text, addSpecialTokens, 1, encoding -> toInts(TokenizersLibrary.LIB.getTokenIds(encoding)));
    }

    /** Ids, and for each the range of code points in the text, as two more arrays. */
    int[][] encodeWithOffsets(String text) {
        return encode(text, false, SPAN_LONGS, encoding -> {
            int[] ids = toInts(TokenizersLibrary.LIB.getTokenIds(encoding));
            takeRoom((long) ids.length * SPAN_LONGS);
            CharSpan[] spans = TokenizersLibrary.LIB.getTokenCharSpans(encoding);
            int[] begins = new int[spans.length];
            int[] ends = new int[spans.length];
            for (int i = 0; i < spans.length; i++) {
                begins[i] = spans[i] == null ? 0 : spans[i].getStart();
                ends[i] = spans[i] == null ? 0 : spans[i].getEnd();
            }
            return new int[][] {ids, begins, ends};
        });
    }

    private <T> T encode(String text, boolean addSpecialTokens, int longsPerId, LongFunction<T> result) {
        long maxIds = limits.maxIds(file, text);
        return taking(maxIds, () -> nativeEncode(wellFormed(text), addSpecialTokens, maxIds * longsPerId, result),
                () -> "text has " + text.length() + " characters, which need up to " + mebibytes(maxIds * (8L * longsPerId + 4)));
    }

    /** Runs native work, one at a time if it is long; {@code need} says what it needs if the heap is too small. */
    private static <T> T taking(long length, Supplier<T> work, Supplier<String> need) {
        boolean isLong = length > LONG_TEXT;
        if (isLong) {
            ONE_LONG_TEXT.acquireUninterruptibly();
        }
        try {
            return work.get();
        } catch (OutOfMemoryError e) {
            throw noRoom(need.get(), e);
        } finally {
            if (isLong) {
                ONE_LONG_TEXT.release();
            }
        }
    }

    private <T> T nativeEncode(String text, boolean addSpecialTokens, long longs, LongFunction<T> result) {
        Lock reading = startReading();
        try {
            takeRoom(longs); // before the work, which takes long for a text that is long
            long encoding = encoded(text, addSpecialTokens);
            try {
                takeRoom(longs);
                return result.apply(encoding);
            } finally {
                TokenizersLibrary.LIB.deleteEncoding(encoding);
            }
        } finally {
            reading.unlock();
        }
    }

    private long encoded(String text, boolean addSpecialTokens) {
        try {
            return TokenizersLibrary.LIB.encode(tokenizer.getHandle(), text, addSpecialTokens);
        } catch (RuntimeException e) { // the library throws no subclass
            throw new ModelFormatException(file, "cannot encode this text: " + e.getMessage(), e);
        }
    }

    String decode(int[] ids, boolean skipSpecialTokens) {
        double chars = SLACK;
        for (int id : ids) {
            chars += (vocabulary.isAssigned(id) ? vocabulary.token(id).length() : 0) * limits.decodeGrowth();
        }
        long most = (long) chars;
        return taking(most, () -> nativeText(ids, skipSpecialTokens, most),
                () -> ids.length + " ids are a text of up to " + most + " characters, which need " + mebibytes(2 * most));
    }

    private String nativeText(int[] ids, boolean skipSpecialTokens, long chars) {
        long[] longs = Arrays.stream(ids).asLongStream().toArray();
        Lock reading = startReading();
        try {
            takeRoom(chars / 2); // UTF-16 in Java, and the result
            return TokenizersLibrary.LIB.decode(tokenizer.getHandle(), longs, skipSpecialTokens);
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

    /** Allocates this many longs, or throws an OutOfMemoryError while that does no harm. */
    private void takeRoom(long longs) {
        if (longs + SLACK > Integer.MAX_VALUE - 8) {
            throw new OutOfMemoryError("more than an array holds");
        }
        room = new long[(int) longs + SLACK];
        room = null;
    }

    private static TooLargeException noRoom(String what, OutOfMemoryError cause) {
        Runtime heap = Runtime.getRuntime();
        return new TooLargeException(what + " of heap; the JVM has " + mebibytes(heap.maxMemory()) + " at most and "
                + mebibytes(heap.maxMemory() - heap.totalMemory() + heap.freeMemory()) + " free: give it more (-Xmx, BTS_HEAP for ./bts) or split the text", cause);
    }

    private static String mebibytes(long bytes) {
        return Math.max(1, bytes >> 20) + " MiB";
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

    /** Half a surrogate pair has no UTF-8; the library would turn it into three replacement characters, where all others use one. */
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
        return Arrays.stream(ids).mapToInt(Math::toIntExact).toArray();
    }
}

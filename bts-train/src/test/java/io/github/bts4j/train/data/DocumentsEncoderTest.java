package io.github.bts4j.train.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.bts4j.core.DataException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Many documents at once. */
class DocumentsEncoderTest {
    private static final int COUNT = 500;

    @TempDir
    private Path folder;

    private static int[] codePoints(String text) {
        return text.codePoints().toArray();
    }

    private TextSource texts(int count) throws IOException {
        return TextSource.jsonLines(Files.writeString(folder.resolve("texts.jsonl"),
                IntStream.range(0, count).mapToObj(i -> "{\"text\": \"" + "word ".repeat(i % 37) + i + "\"}\n").collect(Collectors.joining())));
    }

    @Test
    void inParallelTheDatasetIsTheSame() throws IOException {
        TokenDataset expected = TokenDataset.encode("d", texts(COUNT), DocumentsEncoderTest::codePoints);
        TokenDataset found = TokenDataset.encode("d", texts(COUNT), DocumentsEncoder.parallel(DocumentsEncoderTest::codePoints));
        assertEquals(COUNT, found.documentCount());
        assertEquals(expected.fingerprint(), found.fingerprint());
        assertArrayEquals(codePoints("word word 2"), found.document(2));
        assertEquals(expected.fingerprint(), TokenCache.open(folder.resolve("cache")).dataset("d", texts(COUNT), DocumentsEncoder.parallel(DocumentsEncoderTest::codePoints), "code points").fingerprint());
    }

    @Test
    void severalThreadsEncode() throws IOException {
        assumeTrue(Runtime.getRuntime().availableProcessors() > 1);
        CountDownLatch two = new CountDownLatch(2);
        TokenDataset.encode("d", texts(COUNT), DocumentsEncoder.parallel(text -> {
            two.countDown();
            try {
                assertTrue(two.await(1, TimeUnit.MINUTES), "no second document was begun while the first one waited");
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            return codePoints(text);
        }));
    }

    /** Whichever thread is first. */
    @Test
    void theFirstDocumentThatFailsIsNamed() throws IOException {
        TextSource source = texts(COUNT);
        for (int run = 0; run < 20; run++) {
            String message = assertThrows(DataException.class, () -> TokenDataset.encode("d", source, DocumentsEncoder.parallel(text -> {
                if (text.endsWith("00")) {
                    throw new IllegalArgumentException("two zeros");
                }
                return codePoints(text);
            }))).getMessage();
            assertEquals(source.path() + ":101: two zeros", message);
        }
    }

    @Test
    void encodersThatChooseStillDo() {
        TokenEncoder chooses = new TokenEncoder() {
            @Override
            public int[] encode(String text) {
                return codePoints(text);
            }

            @Override
            public boolean chooses() {
                return true;
            }
        };
        assertTrue(DocumentsEncoder.parallel(chooses).chooses());
        assertEquals(List.of(true, false), List.of(DocumentsEncoder.of(chooses).chooses(), DocumentsEncoder.parallel(DocumentsEncoderTest::codePoints).chooses()));
    }
}

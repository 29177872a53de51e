package io.github.bts4j.train.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.bts4j.train.ChildJvm;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Text and tokens that are larger than the heap: read, shuffled, encoded, cached and drawn in a JVM of 32 MiB. */
class StreamingTest {
    private static final int DOCUMENTS = 1000;
    private static final int LENGTH = 60_000;
    private static final int END = 256;

    @TempDir
    private Path folder;

    @Test
    void textAndTokensMayBeLargerThanTheHeap() throws IOException, InterruptedException {
        Path source = folder.resolve("text.jsonl.gz");
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(source))) { // 60 MB of text, whose ids take twice as much
            for (int i = 0; i < DOCUMENTS; i++) {
                out.write(("{\"text\":\"" + text(i) + "\"}\n").getBytes(StandardCharsets.UTF_8));
            }
        }
        Process child = new ProcessBuilder(ChildJvm.command("-Xmx32m", StreamingTest.class.getName(), source.toString(), folder.resolve("cache").toString()))
                .redirectErrorStream(true).start();
        String said = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, child.waitFor(), said);
        assertEquals("the same " + DOCUMENTS, said.lines().reduce((a, b) -> b).orElse(""), said);
    }

    /** A number and letters that follow from it. */
    private static String text(int number) {
        return String.format("%06d", number) + Character.toString('a' + number % 26).repeat(LENGTH - 6);
    }

    /** What the small JVM does. */
    public static void main(String[] arguments) throws IOException {
        AtomicInteger encoded = new AtomicInteger();
        TokenEncoder bytes = text -> {
            encoded.incrementAndGet();
            return text.chars().toArray();
        };
        TextSource source = TextSource.jsonLines(Path.of(arguments[0])).shuffled(20, 3);
        List<TokenDataset> both = new ArrayList<>();
        for (int time = 0; time < 2; time++) {
            both.add(TokenCache.open(Path.of(arguments[1]), 1 << 18).dataset("letters", source, bytes.endingWith(END), "letters"));
        }
        TokenDataset dataset = both.get(1);
        assertEquals(DOCUMENTS, encoded.get(), "the second time they are found");
        assertEquals((long) DOCUMENTS * (LENGTH + 1), dataset.size());
        boolean[] seen = new boolean[DOCUMENTS];
        for (int i = 0; i < DOCUMENTS; i++) {
            int[] ids = dataset.document(i);
            String found = new String(ids, 0, LENGTH);
            int number = Integer.parseInt(found.substring(0, 6));
            assertEquals(text(number), found);
            assertEquals(END, ids[LENGTH]);
            seen[number] = true;
        }
        int different = 0;
        for (boolean one : seen) {
            different += one ? 1 : 0;
        }
        Datamix mix = Datamix.of(List.of(dataset), Map.of("letters", 1.0));
        for (long position = 0; position < 100_000; position += 997) {
            Segment segment = mix.segmentsAt(position, 512).get(0);
            int[] expected = new int[513];
            dataset.copy(segment.offset(), 513, expected, 0);
            assertArrayEquals(expected, mix.batch(position, 1, 512).tokens());
        }
        System.out.println("the same " + different);
    }
}

package io.github.bts4j.train.data;

import static io.github.bts4j.train.data.TestData.assertUnusable;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.support.Interrupts;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The heap's dataset is what a cached one must equal. */
class TokenCacheTest {
    private static final int SHARD = 64;

    @TempDir
    Path folder;

    private Path texts;
    private final AtomicInteger encoded = new AtomicInteger();

    /** Small and large code points, so that files of two and of four bytes per token are written. */
    @BeforeEach
    void write() throws IOException {
        texts = Files.writeString(folder.resolve("a.jsonl"), IntStream.range(0, 40)
                .mapToObj(i -> "{\"text\":\"" + "ab\uffff".repeat(i % 7) + (i > 30 ? "\uD83D\uDE00" : "x") + "\"}\n").collect(Collectors.joining()));
    }

    private int[] encode(String text) {
        encoded.incrementAndGet();
        return text.codePoints().toArray();
    }

    private TokenEncoder ended() {
        return ((TokenEncoder) this::encode).endingWith(3);
    }

    private TokenDataset cached() throws IOException {
        return TokenCache.open(folder.resolve("cache"), SHARD).dataset("d", TextSource.jsonLines(texts), ended(), "code points, 3");
    }

    private TokenDataset onHeap() {
        return TokenDataset.encode("d", TextSource.jsonLines(texts), ((TokenEncoder) text -> text.codePoints().toArray()).endingWith(3));
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> walk = Files.walk(folder.resolve("cache"))) {
            return walk.filter(Files::isRegularFile).sorted().toList();
        }
    }

    @Test
    void aCachedDatasetEqualsTheOneOnTheHeap() throws IOException {
        TokenDataset expected = onHeap();
        for (TokenDataset dataset : List.of(cached(), cached())) {
            assertEquals(expected.fingerprint(), dataset.fingerprint());
            assertEquals(expected.size(), dataset.size());
            assertEquals(expected.bytes(), dataset.bytes());
            for (int i = 0; i < expected.documentCount(); i++) {
                assertArrayEquals(expected.document(i), dataset.document(i));
                assertEquals(expected.documentBytes(i), dataset.documentBytes(i));
            }
            Datamix heap = Datamix.of(List.of(expected), Map.of("d", 1.0));
            assertArrayEquals(heap.batch(5, 8, 30).tokens(), Datamix.of(List.of(dataset), Map.of("d", 1.0)).batch(5, 8, 30).tokens());
            assertEquals(heap.fingerprint(), Datamix.of(List.of(dataset), Map.of("d", 1.0)).fingerprint());
            assertEquals(expected.split(HoldOut.everyKth(3)).heldOut().fingerprint(), dataset.split(HoldOut.everyKth(3)).heldOut().fingerprint());
        }
        assertEquals(40, encoded.get(), "the second time nothing is encoded");
        List<Long> sizes = new ArrayList<>();
        for (Path file : files()) {
            if (file.toString().contains("tokens-")) {
                sizes.add(Files.size(file));
            }
        }
        assertTrue(sizes.contains(2L * SHARD) && sizes.contains(4L * SHARD), "files of both widths: " + sizes);
        assertEquals((expected.size() + SHARD - 1) / SHARD, sizes.size());
    }

    @Test
    void partsOfASplitReadTheirOwnTokens() {
        TokenDataset dataset = onHeap();
        Split split = dataset.split(HoldOut.everyKth(4));
        TokenDatasetBuilder training = TokenDataset.builder("d");
        TokenDatasetBuilder heldOut = TokenDataset.builder("d");
        for (int i = 0; i < dataset.documentCount(); i++) {
            (i % 4 == 3 ? heldOut : training).add(dataset.document(i), dataset.documentBytes(i));
        }
        assertEquals(training.build().fingerprint(), split.training().fingerprint());
        assertEquals(heldOut.build().fingerprint(), split.heldOut().fingerprint());
        assertEquals(training.build().split(HoldOut.everyKth(2)).training().fingerprint(), split.training().split(HoldOut.everyKth(2)).training().fingerprint());
    }

    @Test
    void nothingStaleIsFound() throws IOException {
        TokenCache cache = TokenCache.open(folder.resolve("cache"), SHARD);
        TextSource source = TextSource.jsonLines(texts);
        String first = cached().fingerprint();
        assertEquals(40, encoded.get());
        cache.dataset("other name", source, ended(), "code points, 3");
        assertEquals(40, encoded.get(), "the name is not part of the tokens");
        cache.dataset("d", source, ended(), "another tokenizer, 3");
        cache.dataset("d", source, this::encode, "code points");
        assertEquals(120, encoded.get());
        Files.writeString(texts, "{\"text\":\"changed\"}\n");
        assertNotEquals(first, cached().fingerprint());
        assertEquals(onHeap().fingerprint(), cached().fingerprint());
        assertEquals(121, encoded.get());
    }

    @Test
    void aDamagedFileIsMadeAgain() throws IOException {
        String expected = cached().fingerprint();
        int each = 40;
        for (Path file : files()) {
            byte[] bytes = Files.readAllBytes(file);
            bytes[bytes.length / 2] ^= 1;
            Files.write(file, bytes);
            assertEquals(expected, cached().fingerprint(), file.toString());
            each += 40;
            assertEquals(each, encoded.get(), file + " was not seen to be damaged");
            Files.write(file, new byte[0]);
            assertEquals(expected, cached().fingerprint(), file.toString());
            each += 40;
            assertEquals(each, encoded.get(), file + " was not seen to be empty");
        }
    }

    /** Numbers that ask for arrays of any size, which no exception of the file system stops. */
    @Test
    void anIndexThatAsksForMoreIsMadeAgain() throws IOException {
        String expected = cached().fingerprint();
        Path index = files().stream().filter(file -> file.endsWith("dataset.json")).findFirst().orElseThrow();
        String json = Files.readString(index);
        for (String tokens : List.of("2147483647", "2000000000")) {
            String damaged = json.replaceFirst("(\"tokens\"\\s*:\\s*)\\d+", "$1" + tokens).replaceFirst("(\"shardTokens\"\\s*:\\s*)\\d+", "$11");
            assertNotEquals(json, damaged);
            Files.writeString(index, damaged);
            assertEquals(expected, cached().fingerprint());
        }
        assertEquals(120, encoded.get());
    }

    private static List<String> mappings(Path below) throws IOException {
        return Files.readAllLines(Path.of("/proc/self/maps")).stream().filter(line -> line.contains(below.toString())).toList();
    }

    /** Windows renames and deletes no mapped file; Linux says what is mapped. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void onlyWhatIsInPlaceAndWholeIsMapped() throws IOException {
        TokenDataset dataset = cached();
        Path cache = folder.resolve("cache").toRealPath();
        long files = files().stream().filter(file -> file.toString().contains("tokens-")).count();
        assertEquals(files, mappings(cache).size(), "each file is mapped once");
        assertEquals(onHeap().fingerprint(), dataset.fingerprint());

        Path copy = folder.toRealPath().resolve("copy");
        for (Path file : files()) {
            Path target = copy.resolve(cache.relativize(file.toRealPath()));
            Files.createDirectories(target.getParent());
            byte[] bytes = Files.readAllBytes(file);
            bytes[0] = (byte) (bytes[0] ^ (file.toString().contains("tokens-") ? 1 : 0));
            Files.write(target, bytes);
        }
        TokenEncoder encoder = text -> {
            assertEquals(List.of(), assertDoesNotThrow(() -> mappings(copy)), "what was found to be damaged");
            return encode(text);
        };
        TokenCache.open(copy, SHARD).dataset("d", TextSource.jsonLines(texts), encoder.endingWith(3), "code points, 3");
        assertEquals(80, encoded.get(), "the damaged copy was made again");
    }

    @Test
    void aFailedPassLeavesNothing() throws IOException {
        TokenCache cache = TokenCache.open(folder.resolve("cache"), SHARD);
        Files.writeString(texts, Files.readString(texts) + "no json\n");
        assertUnusable("has bad lines", () -> {
            try {
                cache.dataset("d", TextSource.jsonLines(texts), this::encode, "code points");
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        });
        assertEquals(List.of(), files());
    }

    /** A device that is always full. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void aFullDiskIsToldWithTheFile() throws IOException {
        try (NamedOutput out = new NamedOutput(Path.of("/dev/full"))) {
            assertEquals("/dev/full: No space left on device", assertThrows(IOException.class, () -> out.write(new byte[8])).getMessage());
        }
    }

    /** An interrupt says nothing about what lies in the cache, which stays. */
    @Test
    void anInterruptIsNoDamage() throws IOException {
        cached();
        List<Path> before = files();
        int count = encoded.get();
        Thread.currentThread().interrupt();
        Exception e = assertThrows(Exception.class, this::cached);
        assertTrue(Thread.interrupted(), "the interrupt stays visible");
        assertTrue((e instanceof IOException || e instanceof UncheckedIOException) && Interrupts.caused(e), e.toString());
        assertEquals(before, files());
        assertEquals(onHeap().fingerprint(), cached().fingerprint());
        assertEquals(count, encoded.get());
    }
}

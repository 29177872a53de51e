package io.github.bts4j.train.data;

import static io.github.bts4j.train.data.TestData.assertRefused;
import static io.github.bts4j.train.data.TestData.assertUnusable;
import static io.github.bts4j.train.data.TestData.counting;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenDatasetTest {

    private static final int BOS = 1;
    private static final int EOS = 2;

    @TempDir
    Path folder;

    /** Bos, then the code points. */
    private static int[] encode(String text) {
        return IntStream.concat(IntStream.of(BOS), text.codePoints()).toArray();
    }

    private TextSource source(String... texts) throws IOException {
        Path file = folder.resolve("a.jsonl");
        Files.write(file, Stream.of(texts).map(text -> "{\"text\":\"" + text + "\"}").toList());
        return TextSource.jsonLines(file);
    }

    @Test
    void documentsArePackedWithTheirMarksAndBytes() throws IOException {
        TokenDataset plain = TokenDataset.encode("d", source("ab", "ä"), TokenDatasetTest::encode);
        assertEquals(5, plain.size());
        TokenDataset dataset =
                TokenDataset.encode("d", source("ab", "ä"), ((TokenEncoder) TokenDatasetTest::encode).endingWith(EOS));
        assertEquals("d", dataset.name());
        assertEquals(2, dataset.documentCount());
        assertArrayEquals(new int[] {BOS, 'a', 'b', EOS}, dataset.document(0));
        assertArrayEquals(new int[] {BOS, 'ä', EOS}, dataset.document(1));
        assertEquals(7, dataset.size());
        assertEquals(2, dataset.documentBytes(0));
        assertEquals(2, dataset.documentBytes(1));
        assertEquals(4, dataset.bytes());
        assertThrows(IndexOutOfBoundsException.class, () -> dataset.document(2));
        assertThrows(IndexOutOfBoundsException.class, () -> dataset.documentBytes(-1));
    }

    @Test
    void fingerprintIsSha256OfCountsAndTokens() throws NoSuchAlgorithmException {
        ByteBuffer content = ByteBuffer.allocate(8 * 5 + 4 * 3).order(ByteOrder.LITTLE_ENDIAN);
        content.putLong(2).putLong(2).putLong(10).putLong(1).putLong(20).putInt(5).putInt(6).putInt(7);
        String expected = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content.array()));
        TokenDataset dataset =
                TokenDataset.builder("d").add(new int[] {5, 6}, 10).add(new int[] {7}, 20).build();
        assertEquals(expected, dataset.fingerprint());
        assertNotEquals(expected,
                TokenDataset.builder("d").add(new int[] {5}, 10).add(new int[] {6, 7}, 20).build().fingerprint());
        assertEquals(64, counting("big", 0, 100_000).fingerprint().length());
        assertNotEquals(counting("big", 0, 100_000).fingerprint(), counting("big", 1, 100_000).fingerprint());
    }

    @Test
    void windowsPredictEveryTokenButTheFirstOnce() {
        for (int size = 2; size < 30; size++) {
            TokenDataset dataset = counting("d", 100, size);
            for (int length = 1; length < 12; length++) {
                int[] predicted = dataset.windows(length).stream()
                        .flatMapToInt(w -> Arrays.stream(w.tokens()).skip(1)).toArray();
                assertArrayEquals(IntStream.range(101, 100 + size).toArray(), predicted, size + " by " + length);
                for (Window window : dataset.windows(length).subList(0, dataset.windows(length).size() - 1)) {
                    assertEquals(length, window.predicted());
                }
            }
        }
    }

    @Test
    void windowCountsTheBytesOfPredictedTokens() {
        Window window = TokenDataset.builder("d").add(new int[] {0, 3, 3, 4}, 9).build().windows(8).get(0);
        int[] bytes = {100, 0, 0, 2, 5};
        assertEquals(9, window.bytes(id -> bytes[id]));
        assertEquals(3, window.predicted());
        assertEquals("d", window.domain());
        assertEquals(List.of(4), window.segments().stream().map(Segment::length).toList());
    }

    @Test
    void batchesAreOfWindowsOfOneLength() {
        List<Window> windows = IntStream.of(5, 3, 5, 5, 3, 4).mapToObj(length -> new Window("d", new int[length], List.of())).toList();
        assertEquals(List.of(List.of(0, 2), List.of(3), List.of(1, 4), List.of(5)), Window.batches(windows, 2));
        assertEquals(List.of(List.of(0, 2, 3), List.of(1, 4), List.of(5)), Window.batches(windows, 9));
        assertEquals(List.of(), Window.batches(List.of(), 1));
        assertRefused("most = 0", () -> Window.batches(windows, 0));
    }

    @Test
    void everyKthHoldsOutWholeDocuments() {
        TokenDatasetBuilder builder = TokenDataset.builder("d");
        IntStream.range(0, 10).forEach(i -> builder.add(new int[] {10 * i, 10 * i + 1}, i));
        Split split = builder.build().split(HoldOut.everyKth(4));
        assertEquals(List.of(30, 70), firstTokens(split.heldOut()));
        assertEquals(List.of(0, 10, 20, 40, 50, 60, 80, 90), firstTokens(split.training()));
        assertEquals(3 + 7, split.heldOut().bytes());
        assertEquals("d", split.training().name());
    }

    @Test
    void fractionIsExactSeededAndKeepsCopiesTogether() {
        TokenDatasetBuilder builder = TokenDataset.builder("d");
        IntStream.range(0, 200).forEach(i -> builder.add(new int[] {i, 1000 + i}, 1));
        TokenDataset dataset = builder.build();
        Split split = dataset.split(HoldOut.fraction(0.05, 3));
        assertEquals(10, split.heldOut().documentCount());
        assertEquals(190, split.training().documentCount());
        assertEquals(firstTokens(split.heldOut()), firstTokens(dataset.split(HoldOut.fraction(0.05, 3)).heldOut()));
        assertNotEquals(firstTokens(split.heldOut()), firstTokens(dataset.split(HoldOut.fraction(0.05, 4)).heldOut()));
        int[] copied = split.heldOut().document(0);
        Split again = builder.add(copied, 1).add(copied, 1).build().split(HoldOut.fraction(0.001, 3));
        List<Integer> held = firstTokens(again.heldOut());
        assertEquals(held.get(0) == copied[0] ? 3 : 1, held.size(), held.toString());
        for (int seed = 0; seed < 300; seed++) {
            Split any = dataset2(copied).split(HoldOut.fraction(0.3, seed));
            boolean inTraining = firstTokens(any.training()).contains(copied[0]);
            boolean inHeldOut = firstTokens(any.heldOut()).contains(copied[0]);
            assertNotEquals(inTraining, inHeldOut, "seed " + seed);
        }
    }

    private static TokenDataset dataset2(int[] copied) {
        TokenDatasetBuilder builder = TokenDataset.builder("copies").add(copied, 1).add(copied, 1);
        IntStream.range(0, 8).forEach(i -> builder.add(new int[] {5000 + i}, 1));
        return builder.build();
    }

    private static List<Integer> firstTokens(TokenDataset dataset) {
        return IntStream.range(0, dataset.documentCount()).mapToObj(i -> dataset.document(i)[0]).toList();
    }

    @Test
    void splitsThatLeaveNothingAreRefused() {
        TokenDataset dataset = counting("d", 0, 5);
        assertRefused("Dataset 'd' has 1 document(s): EveryKth[k=2] would hold out 0 and leave nothing to evaluate on",
                () -> dataset.split(HoldOut.everyKth(2)));
        assertRefused("would hold out 1 and leave nothing to train on", () -> dataset.split(HoldOut.fraction(0.1, 0)));
        assertRefused("k = 1 must be at least 2: 1 would hold out every document", () -> HoldOut.everyKth(1));
        assertRefused("fraction = 1.0 must be between 0 and 1", () -> HoldOut.fraction(1, 0));
        assertRefused("fraction = NaN must be between 0 and 1", () -> HoldOut.fraction(Double.NaN, 0));
    }

    @Test
    void brokenInputIsRefused() throws IOException {
        TextSource source = source("ab");
        assertRefused("Dataset 'd', document " + source.path() + ":1: token id -7 at position 1 must not be negative",
                () -> TokenDataset.encode("d", source, text -> new int[] {1, -7}));
        assertUnusable("Text source " + source.path() + " was encoded to no tokens",
                () -> TokenDataset.encode("d", source, text -> new int[0]));
        assertRefused("name = ' ': a domain needs a name", () -> TokenDataset.builder(" "));
        assertRefused("documentBytes = -1 must not be negative",
                () -> TokenDataset.builder("d").add(new int[] {1}, -1));
        assertRefused("Dataset 'd' would have 11 tokens or more, the limit of one dataset is 10: divide the domain",
                () -> new TokenDatasetBuilder("d", 10).add(new int[6], 1).add(new int[5], 1));
    }

    @Test
    void tooLittleTextIsRefused() {
        TokenDataset dataset = counting("d", 0, 8);
        assertEquals(List.of(), dataset.problems(7));
        assertRefused("domain 'd' has 8 tokens, one sequence needs sequenceLength + 1 = 9: give it more text or shorten",
                () -> dataset.sequence(0, 0, 8));
        assertRefused("Dataset 'd' has 1 token(s), an evaluation window needs 2", () -> counting("d", 0, 1).windows(4));
        assertRefused("sequenceLength = 0 must be at least 1 token", () -> dataset.windows(0));
        assertRefused("Segment [offset = 8, length = 1] does not fit into dataset 'd' of 8 tokens",
                () -> new Segment(dataset, 8, 1));
        assertRefused("Window of domain 'd' has 1 token(s), prediction needs 2",
                () -> new Window("d", new int[1], List.of()));
    }

    @Test
    void fixedWindowsAreTheSameInEveryEpochInAnotherOrder() {
        TokenDataset moving = counting("d", 0, 83);
        TokenDataset fixed = moving.withFixedWindows();
        List<List<Segment>> first = IntStream.range(0, 10).mapToObj(i -> fixed.sequence(7, i, 8)).toList();
        List<List<Segment>> second = IntStream.range(10, 20).mapToObj(i -> fixed.sequence(7, i, 8)).toList();
        assertEquals(new HashSet<>(first), new HashSet<>(second));
        assertNotEquals(first, second);
        List<Integer> offsets = IntStream.range(0, 10).mapToObj(i -> moving.sequence(7, i, 8).get(0).offset()).toList();
        assertEquals(offsets, first.stream().map(segments -> segments.get(0).offset()).toList(), "the first epoch is the same");
        assertNotEquals(moving.fingerprint(), fixed.fingerprint());
        assertEquals(fixed, fixed.withFixedWindows());
    }

    @Test
    void bothPartsOfASplitKeepTheLayout() {
        TokenDataset dataset = TokenDataset.builder("d").add(IntStream.range(0, 47).toArray(), 47).add(IntStream.range(0, 31).toArray(), 31).build();
        Split plain = dataset.split(HoldOut.everyKth(2));
        Split fixed = dataset.withFixedWindows().split(HoldOut.everyKth(2));
        Split whole = dataset.withWholeDocuments().split(HoldOut.everyKth(2));
        List<Integer> offsets = IntStream.range(0, 10).mapToObj(i -> fixed.training().sequence(7, i, 8).get(0).offset() % 8).distinct().toList();
        assertEquals(1, offsets.size(), "the windows of both epochs begin at one and the same multiple");
        assertNotEquals(plain.training().fingerprint(), fixed.training().fingerprint());
        assertEquals(plain.training().withFixedWindows().fingerprint(), fixed.training().fingerprint());
        assertEquals(plain.heldOut().withFixedWindows().fingerprint(), fixed.heldOut().fingerprint());
        assertTrue(whole.training().isWholeDocuments() && whole.heldOut().isWholeDocuments());
    }

    @Test
    void segmentsReadTheDatasetAsARing() {
        int[] into = new int[6];
        new Segment(counting("d", 10, 5), 3, 4).copyTo(into, 1);
        assertArrayEquals(new int[] {0, 13, 14, 10, 11, 0}, into);
    }
}

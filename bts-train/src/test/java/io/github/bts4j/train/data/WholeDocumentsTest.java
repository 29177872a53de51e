package io.github.bts4j.train.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;

/** Sequences of whole documents. */
class WholeDocumentsTest {
    private static final int SEQUENCE = 9;

    /** Documents of tokens 10 * number, 10 * number + 1, ..; the second half of each counts. */
    private static TokenDataset documents(int... lengths) {
        TokenDatasetBuilder builder = TokenDataset.builder("d");
        for (int i = 0; i < lengths.length; i++) {
            int length = lengths[i];
            boolean[] counted = new boolean[length];
            Arrays.fill(counted, length / 2, length, true);
            int first = 100 * (i + 1);
            builder.add(IntStream.range(first, first + length).toArray(), counted, length);
        }
        return builder.build().withWholeDocuments();
    }

    private static List<List<Integer>> sorted(List<List<Integer>> sequences) {
        return sequences.stream().map(each -> each.stream().sorted().toList()).sorted((a, b) -> a.toString().compareTo(b.toString())).toList();
    }

    @Test
    void sequencesAreFilledAsTrlFillsThem() throws IOException {
        JsonNode golden = new ObjectMapper().readTree(Path.of(System.getProperty("bts4j.testData"), "golden/sft/packing.json").toFile());
        for (JsonNode each : golden.get("cases")) {
            int capacity = each.get("capacity").asInt();
            TokenDatasetBuilder builder = TokenDataset.builder("d");
            each.get("lengths").forEach(length -> builder.add(new int[length.asInt()], length.asInt()));
            TokenDataset dataset = builder.build().withWholeDocuments();
            List<List<Integer>> expected = new ArrayList<>();
            each.get("sequences").forEach(sequence -> expected.add(StreamSupport.stream(sequence.spliterator(), false).map(JsonNode::asInt).toList()));
            List<List<Integer>> found = LongStream.range(0, dataset.sequencesPerEpoch(capacity - 1))
                    .mapToObj(i -> dataset.sequence(3, i, capacity - 1).stream().map(Segment::length).toList()).toList();
            assertEquals(sorted(expected), sorted(found));
        }
    }

    @Test
    void aBatchMarksWhatCounts() {
        TokenDataset dataset = documents(6, 4);
        Batch batch = Datamix.of(List.of(dataset), Map.of("d", 1.0)).batch(0, 1, SEQUENCE);
        assertArrayEquals(new int[] {100, 101, 102, 103, 104, 105, 200, 201, 202, 203}, batch.tokens());
        assertArrayEquals(new boolean[] {false, false, true, true, true, false, false, true, true}, batch.documents().orElseThrow().counted()[0]);
        assertArrayEquals(new int[] {0, 0, 0, 0, 0, 0, 1, 1, 1}, batch.documents().orElseThrow().documents()[0]);
        assertEquals(5, batch.predicted());
        Batch padded = Datamix.of(List.of(documents(4)), Map.of("d", 1.0)).batch(0, 1, SEQUENCE);
        assertArrayEquals(new int[] {100, 101, 102, 103, 0, 0, 0, 0, 0, 0}, padded.tokens());
        assertArrayEquals(new int[] {0, 0, 0, 0, 1, 1, 1, 1, 1}, padded.documents().orElseThrow().documents()[0]);
        assertEquals(2, padded.predicted());
    }

    @Test
    void textBesideConversationsIsOneStretch() {
        TokenDataset text = TokenDataset.builder("text").add(IntStream.range(1, 50).toArray(), 49).build();
        Batch batch = Datamix.of(List.of(text, documents(6, 4)), Map.of("text", 1.0, "d", 1.0)).withBlockSize(2).batch(0, 2, SEQUENCE);
        int row = batch.domains()[0] == 0 ? 0 : 1;
        assertEquals(0, batch.documents().orElseThrow().documents()[row].length);
        assertEquals(SEQUENCE + 5, batch.predicted());
        assertTrue(Datamix.of(List.of(text), Map.of("text", 1.0)).batch(0, 2, SEQUENCE).documents().isEmpty());
    }

    @Test
    void whatIsCutAndLeftOutIsReported() {
        TokenDataset dataset = documents(30, 12, 4, 1);
        PackingReport report = dataset.packingReport(SEQUENCE);
        assertEquals(new PackingReport(4, 1, 2, 2, 14, 6, 20), report);
        assertEquals("2 conversations in 2 sequences, 14 tokens, of which the loss counts 6; 30 % padding; 1 longer than a sequence and cut; 2 more left out: no token of theirs counts", report.text());
        assertEquals(6, dataset.predicted(0, 2, SEQUENCE));
        assertTrue(documents(30).problems(SEQUENCE).get(0).contains("none has a token of the assistant's that counts"));
        assertThrows(IllegalArgumentException.class, () -> documents(30).sequence(0, 0, SEQUENCE));
        assertThrows(IllegalArgumentException.class, () -> documents(30).windows(SEQUENCE));
    }

    @Test
    void aWindowIsOneDocument() {
        TokenDataset dataset = documents(6, 40, 1);
        List<Window> windows = dataset.windows(39);
        assertEquals(2, windows.size());
        assertEquals(32, windows.get(0).tokens().length);
        assertArrayEquals(new int[] {100, 101, 102, 103, 104, 105}, windows.get(0).unpadded());
        assertEquals(List.of(3, 4, 5), IntStream.range(0, 32).filter(windows.get(0)::counts).boxed().toList());
        assertEquals(40, windows.get(1).tokens().length);
        assertEquals(3, windows.get(0).bytes(id -> 1));
    }

    @Test
    void partsStayWhole() {
        Split split = documents(6, 4, 6, 4).split(HoldOut.everyKth(2));
        assertTrue(split.training().isWholeDocuments());
        assertTrue(split.heldOut().isWholeDocuments());
        assertArrayEquals(new int[] {200, 201, 202, 203}, split.heldOut().document(0));
        assertEquals(2, split.heldOut().windows(SEQUENCE).size());
    }

    @Test
    void fingerprintsTellMasksApart() {
        TokenDataset some = documents(6);
        TokenDataset all = TokenDataset.builder("d").add(some.document(0), 6).build();
        assertNotEquals(some.fingerprint(), all.withWholeDocuments().fingerprint());
        assertNotEquals(all.fingerprint(), all.withWholeDocuments().fingerprint());
        assertFalse(all.isWholeDocuments());
        assertThrows(IllegalArgumentException.class, () -> new SwitchingDomain("s", List.of(some, all), 2));
    }
}

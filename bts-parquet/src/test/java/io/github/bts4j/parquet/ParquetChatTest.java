package io.github.bts4j.parquet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bts4j.core.DataException;
import io.github.bts4j.train.data.ChatRow;
import io.github.bts4j.train.data.Document;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Conversations that pyarrow wrote; {@code tools/parquet_golden.py} also wrote them as JSON. */
class ParquetChatTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private static Path file(String name) throws URISyntaxException {
        return Path.of(ParquetChatTest.class.getResource(name).toURI());
    }

    private static List<Document> documents(Path path) {
        try (Stream<Document> documents = new ParquetChat(path).documents()) {
            return documents.toList();
        }
    }

    @Test
    void rowsAreJson() throws IOException, URISyntaxException {
        JsonNode expected = JSON.readTree(file("chat.json").toFile());
        List<Document> found = documents(file("chat.parquet"));
        assertEquals(expected.size(), found.size());
        for (int i = 0; i < found.size(); i++) {
            assertEquals(expected.get(i), JSON.readTree(found.get(i).text()));
        }
        ChatRow row = ChatRow.parse(found.get(1).text());
        assertEquals(4, row.messages().size());
        assertEquals(1, row.tools().orElseThrow().size());
        assertEquals(1, ChatRow.parse(documents(file("completions.parquet")).get(0).text()).from());
    }

    @Test
    void columnsTellConversationsFromText() throws URISyntaxException {
        assertTrue(ParquetChat.isIn(file("chat.parquet"), "text"));
        assertTrue(ParquetChat.isIn(file("completions.parquet"), "text"));
        assertFalse(ParquetChat.isIn(file("completions.parquet"), "prompt"));
        assertFalse(ParquetChat.isIn(file("none.parquet"), "text"));
        Path text = file("none.parquet");
        String message = assertThrows(DataException.class, () -> documents(text)).getMessage();
        assertTrue(message.contains("has neither a column 'messages' nor 'prompt' and 'completion' (columns: id, text, body, tags)"), message);
    }
}

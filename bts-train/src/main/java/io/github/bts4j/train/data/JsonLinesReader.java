package io.github.bts4j.train.data;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bts4j.core.DataException;
import io.github.bts4j.core.support.JsonProblem;
import io.github.bts4j.core.support.JsonReader;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One pass over JSON lines. */
final class JsonLinesReader implements DocumentReader {

    /** Maximum number of bad lines in a message, and how many lines are read to find more after the limit was exceeded. */
    private static final int LISTED = 10;
    private static final int LOOK_AHEAD = 10_000;

    private static final Logger LOG = LoggerFactory.getLogger(JsonLinesReader.class);
    private static final ObjectMapper JSON = mapper();

    private final Path path;
    private final int maxBadLines;
    private final Row row;
    private final Iterator<Path> files;
    private final List<String> listed = new ArrayList<>();
    private Optional<ByteLines> open = Optional.empty();
    private long badLines;
    private boolean silent;

    /** What a line's object holds as a document: its text, empty for none. */
    interface Row {
        String text(JsonNode object, String line) throws BadRowException;
    }

    JsonLinesReader(Path path, int maxBadLines, List<Path> files, Row row) {
        this.path = path;
        this.maxBadLines = maxBadLines;
        this.files = files.iterator();
        this.row = row;
    }

    /** The first row; what is bad before it is neither counted nor logged. Closes the reader. */
    Optional<Document> first() throws IOException {
        silent = true;
        try (this) {
            return next();
        }
    }

    /** The text in a field. */
    static Row field(String field) {
        return (object, line) -> {
            JsonNode text = object.path(field);
            if (!text.isTextual()) {
                List<String> fields = new ArrayList<>();
                object.fieldNames().forEachRemaining(fields::add);
                throw new BadRowException(text.isMissingNode() ? "no field '" + field + "' (fields: " + String.join(", ", fields) + ")"
                        : "field '" + field + "' is " + JsonReader.kind(text) + ", not a string");
            }
            int lone = Utf8.loneSurrogate(text.textValue());
            if (lone >= 0) {
                throw new BadRowException("half a surrogate pair at character " + lone + " of field '" + field + "'");
            }
            return text.textValue();
        };
    }

    private static ObjectMapper mapper() {
        ObjectMapper json = new ObjectMapper()
                .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);
        json.getFactory().setStreamReadConstraints(
                StreamReadConstraints.builder().maxStringLength(Integer.MAX_VALUE).build());
        return json;
    }

    @Override
    public Optional<Document> next() throws IOException {
        Optional<byte[]> line = nextLine();
        while (line.isPresent()) {
            Optional<Document> document = parse(line.get());
            if (badLines > maxBadLines) {
                throw tooManyBadLines();
            }
            if (document.isPresent()) {
                return document;
            }
            line = nextLine();
        }
        return Optional.empty();
    }

    private Optional<byte[]> nextLine() throws IOException {
        while (open.isPresent() || files.hasNext()) {
            if (open.isEmpty()) {
                open = Optional.of(new ByteLines(files.next()));
            }
            Optional<byte[]> line = open.get().next();
            if (line.isPresent()) {
                return line;
            }
            close();
        }
        return Optional.empty();
    }

    private Optional<Document> parse(byte[] line) {
        String origin = open.map(ByteLines::origin).orElseThrow();
        try {
            String json = Utf8.decode(line);
            return json.isBlank() ? Optional.empty() : document(JSON.readTree(json), json, origin);
        } catch (CharacterCodingException | BadRowException e) {
            bad(origin, e.getMessage());
        } catch (JsonProcessingException e) {
            bad(origin, "not valid JSON: " + JsonProblem.inLine(e));
        }
        return Optional.empty();
    }

    private Optional<Document> document(JsonNode node, String line, String origin) throws BadRowException {
        if (!node.isObject()) {
            throw new BadRowException("not a JSON object but " + JsonReader.kind(node));
        }
        String text = row.text(node, line);
        return text.isEmpty() ? Optional.empty() : Optional.of(new Document(text, origin));
    }

    private void bad(String origin, String reason) {
        badLines++;
        if (listed.size() < LISTED) {
            listed.add(origin + ": " + reason);
            if (badLines <= maxBadLines && !silent) {
                LOG.warn("Bad line skipped: {}: {}", origin, reason);
            }
        }
    }

    private DataException tooManyBadLines() throws IOException {
        for (int i = 0; i < LOOK_AHEAD && badLines < LISTED; i++) {
            Optional<byte[]> line = nextLine();
            if (line.isEmpty()) {
                break;
            }
            parse(line.get());
        }
        return new DataException(path, "Text source " + path + " has bad lines, maxBadLines = "
                + maxBadLines + ":\n  " + String.join("\n  ", listed)
                + (badLines > listed.size() ? "\n  and " + (badLines - listed.size()) + " more" : "")
                + "\nFix these lines, use the right field, or raise maxBadLines.");
    }

    @Override
    public void close() throws IOException {
        if (open.isPresent()) {
            ByteLines lines = open.get();
            open = Optional.empty();
            lines.close();
        }
    }
}

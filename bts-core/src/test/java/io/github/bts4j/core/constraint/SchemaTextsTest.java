package io.github.bts4j.core.constraint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Every finished text of a schema fits it, by json-schema-validator: random schemas, and those of the JSON Schema test suite. */
class SchemaTextsTest {
    private static final Path SUITE = Path.of(System.getProperty("bts4j.testData")).resolve("json-schema-test-suite");

    /** What came of some schemas. */
    private static final class Count {
        int schemas;
        int refused;
        int finished;
        int unfinished;
        final List<String> wrong = new ArrayList<>();
        final TreeMap<String, Integer> refusals = new TreeMap<>();

        Optional<Constraint> compiled(JsonNode schema) {
            schemas++;
            try {
                return Optional.of(Constraint.jsonSchema(schema));
            } catch (IllegalArgumentException e) {
                assertTrue(e.getMessage().startsWith("schema: "), e.toString());
                refused++;
                refusals.merge(e.getMessage().replaceAll(" at #.*| \\d.*", ""), 1, Integer::sum);
                return Optional.empty();
            }
        }

        void texts(JsonNode schema, Constraint constraint, int count, long seed) {
            for (int i = 0; i < count; i++) {
                Optional<String> text;
                try {
                    text = new RandomTexts(seed + i).text(constraint);
                } catch (IllegalStateException e) {
                    wrong.add(schema + "\n  " + e.getMessage());
                    continue;
                }
                if (text.isEmpty()) {
                    unfinished++;
                } else {
                    finished++;
                    String problems = RandomTexts.problems(schema, text.get());
                    if (!problems.isEmpty()) {
                        wrong.add(schema + "\n  " + text.get() + "\n  " + problems);
                    }
                }
            }
        }

        @Override
        public String toString() {
            return schemas + " schemas, " + refused + " refused, " + finished + " finished texts, " + unfinished + " unfinished, " + wrong.size() + " wrong " + refusals;
        }
    }

    private static Count randomSchemas(int count, int texts) {
        Count result = new Count();
        for (int i = 0; i < count; i++) {
            JsonNode schema = new RandomSchemas(i).next();
            long seed = i;
            result.compiled(schema).ifPresent(constraint -> result.texts(schema, constraint, texts, seed));
        }
        System.out.println(result);
        assertEquals(List.of(), result.wrong.stream().limit(5).toList(), result.toString());
        return result;
    }

    @Test
    void textsOfRandomSchemasFit() {
        Count result = randomSchemas(300, 3);
        assertTrue(result.finished > 600 && result.unfinished < result.finished / 20, result.toString());
    }

    @Test
    @Tag("slow")
    void textsOf2000RandomSchemasFit() {
        Count result = randomSchemas(2600, 5);
        assertTrue(result.schemas - result.refused >= 2000, result.toString());
    }

    /** And the suite's invalid values are no texts of its schemas. */
    @Test
    void textsOfTheSuitesSchemasFit() throws IOException {
        Count result = new Count();
        int values = 0;
        List<Path> files;
        try (Stream<Path> all = Files.walk(SUITE)) {
            files = all.filter(file -> file.toString().endsWith(".json")).sorted().toList();
        }
        for (Path file : files) {
            for (JsonNode group : RandomTexts.STRICT.readTree(file.toFile())) {
                Optional<Constraint> constraint = result.compiled(group.get("schema"));
                if (constraint.isPresent()) {
                    result.texts(group.get("schema"), constraint.get(), 5, 7);
                    for (JsonNode each : group.get("tests")) {
                        if (!each.get("valid").booleanValue()) {
                            values++;
                            if (RandomTexts.accepts(constraint.get(), each.get("data").toString())) {
                                result.wrong.add(file + ": " + group.get("schema") + " accepts " + each.get("data"));
                            }
                        }
                    }
                }
            }
        }
        System.out.println(result + ", " + values + " invalid values");
        assertEquals(List.of(), result.wrong.stream().limit(9).toList(), result.toString());
        assertTrue(result.finished > 500 && values > 200, result.toString());
    }
}

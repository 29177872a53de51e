package io.github.bts4j.parquet;

import io.github.bts4j.core.DataException;
import io.github.bts4j.core.fuzz.ByteMutation;
import io.github.bts4j.core.fuzz.Fuzz;
import io.github.bts4j.train.data.Document;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Parquet files, damaged. */
class ParquetFuzzTest {

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"none", "snappy", "gzip", "zstd"})
    void damagedFiles(String codec) throws Exception {
        byte[] valid;
        try (InputStream in = ParquetFuzzTest.class.getResourceAsStream(codec + ".parquet")) {
            valid = in.readAllBytes();
        }
        Fuzz.run(folder.resolve(codec + ".parquet"), valid, Fuzz.count(400) / 4, ByteMutation::of, file -> {
            try (Stream<Document> documents = new ParquetText(file).documents()) {
                documents.forEach(Document::text);
            }
        }, Set.of(DataException.class));
    }
}

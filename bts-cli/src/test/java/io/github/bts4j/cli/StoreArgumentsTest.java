package io.github.bts4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Addresses of a store in a command's arguments: what is read is copied, what is written is refused, and texts stay texts. */
class StoreArgumentsTest {
    private final List<String> asked = new ArrayList<>();

    private String[] resolved(String... arguments) throws IOException {
        StringWriter output = new StringWriter();
        return StoreArguments.resolve(new RunFile(arguments, "", Map.of()), Bts.line(new PrintWriter(output), new PrintWriter(output)), address -> {
            asked.add(address);
            return Path.of("/copies/" + asked.size());
        }).arguments();
    }

    @Test
    void whatIsReadBecomesAPath() throws IOException {
        assertArrayEquals(new String[] {"stitch", "--steps", "5", "/copies/1", "--expert", "code=/copies/2", "--data=a=/copies/3", "--out", "there"},
                resolved("stitch", "--steps", "5", "hdfs://host:9000/seed", "--expert", "code=s3a://bucket/code", "--data=a=abfss://texts@account/a.jsonl", "--out", "there"));
        assertEquals(List.of("hdfs://host:9000/seed", "s3a://bucket/code", "abfss://texts@account/a.jsonl"), asked);
        assertArrayEquals(new String[] {"eval", "--json", "/copies/4", "--against", "/copies/5"}, resolved("eval", "--json", "gs://bucket/model", "--against", "gs://bucket/seed"));
    }

    @Test
    void textsAndOtherAddressesStay() throws IOException {
        String[] prompt = {"generate", "seed", "hdfs://host/a"};
        assertArrayEquals(prompt, resolved(prompt));
        String[] master = {"train", "seed", "--data", "a=b.jsonl", "--master", "spark://host:7077", "--out", "a"};
        assertArrayEquals(master, resolved(master));
        assertArrayEquals(new String[] {"none", "hdfs://host/a"}, resolved("none", "hdfs://host/a"));
        assertTrue(asked.isEmpty());
    }

    @Test
    void whatIsWrittenIsRefused() {
        for (String[] arguments : List.of(new String[] {"train", "seed", "--data", "a=b.jsonl", "--out", "hdfs://host/a"}, new String[] {"train", "seed", "--out=s3a://bucket/a"},
                new String[] {"branch", "seed", "hdfs://host/a"}, new String[] {"tokenize", "seed", "hdfs://host/a", "--data", "a=b.jsonl"})) {
            String message = assertThrows(IllegalArgumentException.class, () -> resolved(arguments)).getMessage();
            assertTrue(message.endsWith(": only models and texts are read from a store; what is written needs a path on a file system that all machines mount"), message);
        }
        Commands.refused("bts eval: Reading hdfs://host/seed needs bts-spark, which is not on the class path", "eval", "hdfs://host/seed", "--data", "a=b.jsonl");
    }
}

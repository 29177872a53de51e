package io.github.bts4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.bts4j.core.torch.KernelOperation;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code bts inspect --machine}: what was measured, once for all processes. */
class InspectMachineTest {
    @TempDir
    private Path folder;

    /** In a process of its own, with an empty cache. */
    private List<String> inspected(String... options) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp", System.getProperty("java.class.path")));
        command.addAll(List.of(options));
        command.addAll(List.of(Bts.class.getName(), "inspect", "--machine"));
        File out = folder.resolve("out").toFile();
        ProcessBuilder builder = new ProcessBuilder(command).redirectOutput(out).redirectError(folder.resolve("err").toFile());
        builder.environment().put("XDG_CACHE_HOME", folder.toString());
        builder.environment().remove("BTS_KERNELS");
        int status = builder.start().waitFor();
        assertEquals(0, status, Files.readString(folder.resolve("err")));
        return Files.readAllLines(out.toPath());
    }

    @Test
    @Tag("slow")
    void twoProcessesAgree() throws IOException, InterruptedException {
        List<String> first = inspected();
        assertEquals(first, inspected());
        String text = String.join("\n", first);
        assertTrue(text.contains("kernels: measured, in " + folder.resolve("bts4j/kernels-")), text);
        for (KernelOperation operation : KernelOperation.values()) {
            assertTrue(text.matches("(?s).*\n  " + operation.label().replace(".", "\\.") + " +(" + String.join("|", operation.kernels()) + ")( .*)?"), operation.label() + "\n" + text);
        }
    }

    @Test
    void theUsualKernelsNeedNoMeasurement() throws IOException {
        JsonNode json = Commands.done("inspect", "--machine", "--json").json();
        assertTrue(json.at("/kernels_origin").asText().endsWith("usual"), json::toString);
        assertEquals("blocks", json.at("/kernels/attention.float32/kernel").asText());
        assertTrue(json.at("/kernels/attention.float32/milliseconds").isMissingNode());
        assertEquals(Runtime.getRuntime().availableProcessors(), json.at("/processors").asInt());
    }

    @Test
    void aModelOrTheMachine() {
        Commands.refused("--machine or PATH is missing: give a model, or --machine for this machine", "inspect");
        assertEquals(2, Commands.bts("inspect").status());
        Commands.refused("--machine is about this machine, and takes no PATH such as seed", "inspect", "--machine", "seed");
    }
}

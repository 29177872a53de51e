package io.github.bts4j.cli;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.HubException;
import io.github.bts4j.core.checkpoint.FolderContent;
import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.hub.HubSettings;
import io.github.bts4j.core.text.TextModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.examples.TinyCheckpoints;
import io.github.bts4j.stitch.StitchCheckpoint;
import io.github.bts4j.stitch.StitchConfig;
import io.github.bts4j.stitch.StitchedModel;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models for other software, and models of the Hub in a command's arguments. */
class ExportCommandTest {
    @TempDir
    private static Path folder;

    @BeforeAll
    static void prepare() throws IOException {
        TinyCheckpoints.write(folder.resolve("seed"), 1);
        TinyCheckpoints.write(folder.resolve("expert"), 2);
        try (StitchedModel model = StitchedModel.builder().hub(folder.resolve("seed")).expert("law", folder.resolve("expert")).config(StitchConfig.evenly(4, 2)).options(LoadOptions.defaults()).open()) {
            StitchCheckpoint.save(model, folder.resolve("stitched"));
        }
    }

    @Test
    void aStitchedModelIsExportedForTransformers() throws IOException {
        Path out = folder.resolve("hf");
        assertEquals(2, Commands.done("export", folder.resolve("stitched"), out, "--json").json().get("models").size());
        assertTrue(FolderContent.of(out).keySet().containsAll(Set.of("config.json", "modeling_bts.py", "configuration_bts.py", "model.safetensors.index.json", "model-hub.safetensors",
                "model-expert-1.safetensors", "model-stitch.safetensors", "tokenizer.json", "tokenizer_config.json")), FolderContent.of(out).toString());
        Commands.refused("OUT " + out + " holds", "export", folder.resolve("stitched"), out);
        Commands.refused("llama.cpp has no stitched models", "export", folder.resolve("stitched"), folder.resolve("x.gguf"), "--gguf", "f16");
        Commands.refused("is not a stitched model: transformers loads it as it is; --gguf f16, q8_0 or q4_0", "export", folder.resolve("seed"), folder.resolve("x"));
    }

    /** The same text from the file as from the folder. */
    @Test
    void aSoupIsExportedAsGguf() throws IOException {
        Path soup = folder.resolve("soup");
        Path file = folder.resolve("soup.gguf");
        Commands.done("merge", "linear", "--model", folder.resolve("seed"), "--model", folder.resolve("expert"), "--out", soup);
        Commands.done("export", soup, file, "--gguf", "f32");
        Commands.refused("exists: give another name, or --force", "export", soup, file, "--gguf", "f32");
        try (TextModel ours = TextModel.open(soup); TextModel theirs = TextModel.open(file)) {
            assertEquals(ours.generate("The law of", GenerationConfig.greedy(12)).text(), theirs.generate("The law of", GenerationConfig.greedy(12)).text());
        }
        Commands.done("export", soup, file, "--gguf", "q8_0", "--force");
        assertTrue(Files.size(file) < Files.size(soup.resolve("model.safetensors")) / 2);
    }

    @Test
    void modelsOfTheHubAreFoundWhereverAPathStands() throws IOException {
        Path cache = folder.resolve("hub");
        String commit = "4".repeat(40);
        Path snapshot = cache.resolve("models--owner--tiny/snapshots").resolve(commit);
        TinyCheckpoints.write(snapshot, 3);
        Path ref = cache.resolve("models--owner--tiny/refs/main");
        Files.createDirectories(ref.getParent());
        Files.writeString(ref, commit);
        HubSettings settings = new HubSettings(cache, URI.create("http://127.0.0.1:1"), Optional.empty(), false);
        String[] given = {"stitch", "hf:owner/tiny", "--expert", "law=hf:owner/tiny@" + commit, "--model=hf:owner/tiny=0.5", "--prompt", "see hf:owner/tiny", "--data", "a=b.jsonl"};
        RunFile run = HubArguments.resolve(new RunFile(given, "", Map.of()), () -> settings, new PrintWriter(new StringWriter()));
        assertArrayEquals(new String[] {"stitch", snapshot.toString(), "--expert", "law=" + snapshot, "--model=" + snapshot + "=0.5", "--prompt", "see hf:owner/tiny", "--data", "a=b.jsonl"}, run.arguments());
        RunFile absent = new RunFile(new String[] {"generate", "hf:owner/none"}, "", Map.of());
        assertTrue(assertThrows(HubException.class, () -> HubArguments.resolve(absent, () -> settings, new PrintWriter(new StringWriter()))).getMessage().contains("--download fetches it"));
        Commands.refused("'hf:nothing' is not the name of a model on the Hub", "generate", "hf:nothing", "--prompt", "a");
    }
}

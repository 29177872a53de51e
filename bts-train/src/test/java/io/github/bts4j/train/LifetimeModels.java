package io.github.bts4j.train;

import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.llama.Repacking;
import io.github.bts4j.core.torch.FrozenLm;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.core.torch.llama.Quantization;
import io.github.bts4j.stitch.Member;
import io.github.bts4j.stitch.StitchConfig;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.stitch.baseline.BtmEnsemble;
import io.github.bts4j.stitch.baseline.RoutedExperts;
import io.github.bts4j.stitch.baseline.UpcycledConfig;
import io.github.bts4j.stitch.baseline.UpcycledModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Tiny models of every kind, in a folder that {@link #write} has filled. They are shallow: their passes cost as many operators as they have layers, whatever their width. */
record LifetimeModels(Path folder) {
    static final int KINDS = 10;

    /** A model, and those below it that are the opener's to close. */
    record Opened(FrozenLm model, List<FrozenLm> below) implements AutoCloseable {
        @Override
        public void close() {
            model.close();
            below.forEach(FrozenLm::close);
        }

        /** Leaves nothing open either. */
        void closeFromBelow() {
            List<FrozenLm> reversed = new ArrayList<>(below);
            Collections.reverse(reversed);
            reversed.forEach(FrozenLm::close);
            model.close();
        }
    }

    static void write(Path folder) throws IOException {
        LlamaConfig config = LlamaConfig.builder().vocabSize(2048).hiddenSize(32).intermediateSize(64).numLayers(2).numHeads(4).numKvHeads(2)
                .maxPositionEmbeddings(128).build();
        TinyRuns.textModels(folder, config, "hub", "code", "math");
        try (LlamaModel hub = LlamaModel.open(folder.resolve("hub")); LlamaModel code = LlamaModel.open(folder.resolve("code"));
                UpcycledTraining mixture = new UpcycledTraining(UpcycledConfig.btxSoft(hub.config(), List.of("hub", "code")), List.of(hub, code))) {
            mixture.save(folder.resolve("upcycled"));
        }
    }

    /** A model of every kind in turn. */
    Opened open(int trial) throws IOException {
        LoadOptions options = LoadOptions.defaults();
        Path hub = folder.resolve("hub");
        return switch (trial % KINDS) {
            case 0 -> alone(LlamaModel.open(hub, options));
            case 1 -> alone(LlamaModel.open(hub, options.withRepacking(Repacking.NEVER)));
            case 2 -> alone(LlamaModel.open(hub, options.withQuantization(Quantization.INT8)));
            case 3 -> alone(LlamaModel.open(hub, options.withPrecision(Precision.BFLOAT16)));
            case 4 -> alone(stitched(options));
            case 5 -> alone(stitched(options.withRepacking(Repacking.NEVER)));
            case 6 -> alone(stitched(options.withQuantization(Quantization.INT8)));
            case 7 -> alone(RoutedExperts.open(List.of(new Member("hub", hub), new Member("code", folder.resolve("code"))), options));
            case 8 -> alone(UpcycledModel.open(folder.resolve("upcycled"), options));
            default -> ensemble(options);
        };
    }

    private static Opened alone(FrozenLm model) {
        return new Opened(model, List.of());
    }

    private Opened ensemble(LoadOptions options) throws IOException {
        LlamaModel hub = LlamaModel.open(folder.resolve("hub"), options);
        try {
            List<LlamaModel> models = List.of(hub, LlamaModel.open(folder.resolve("code"), options));
            return new Opened(new BtmEnsemble(models), List.copyOf(models));
        } catch (IOException | RuntimeException e) { // the second may be interrupted
            hub.close();
            throw e;
        }
    }

    StitchedModel stitched(LoadOptions options) throws IOException {
        return StitchedModel.builder().hub(folder.resolve("hub")).expert("code", folder.resolve("code")).expert("math", folder.resolve("math"))
                .config(StitchConfig.evenly(2, 2)).options(options).open();
    }
}

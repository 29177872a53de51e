package io.github.bts4j.train.benchmark;

import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.stitch.StitchConfig;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.stitch.StitchedModelBuilder;
import java.io.IOException;
import java.nio.file.Path;

/**
 * A hub and its experts with random weights, in a folder.
 *
 * @param shape their shape
 * @param precision element type of their weights
 * @param experts number of experts
 * @param rank 0 for experts that are full models, or the rank of experts that are adapters of the hub
 * @param folder where they are
 */
public record BenchmarkModels(BenchmarkShape shape, Precision precision, int experts, int rank, Path folder) {
    /**
     * A full model's folder.
     *
     * @param model 0 for the hub
     * @return its folder
     */
    public Path model(int model) {
        return folder.resolve(shape.label() + "-" + precision.jsonName() + "-" + model);
    }

    /**
     * An expert's folder: a full model's, or that of an adapter of the hub.
     *
     * @param number from 1
     * @return its folder
     */
    public Path expert(int number) {
        return rank == 0 ? model(number) : folder.resolve(model(0).getFileName() + "-rank-" + rank + "-" + number);
    }

    /**
     * Writes the models that are not there yet.
     *
     * @throws IOException if a file cannot be written
     */
    public void write() throws IOException {
        shape.write(model(0), precision, 0);
        for (int i = 1; i <= experts; i++) {
            if (rank == 0) {
                shape.write(model(i), precision, i);
            } else {
                shape.writeAdapter(expert(i), rank, precision);
            }
        }
    }

    /**
     * The stitched model over them, without dropout.
     *
     * @param stitches number of stitch layers
     * @param options how to load the models
     * @return the model, which the caller closes
     * @throws IOException if a file cannot be read
     */
    public StitchedModel open(int stitches, LoadOptions options) throws IOException {
        StitchedModelBuilder builder = StitchedModel.builder().hub(model(0)).config(StitchConfig.evenly(shape.config().numLayers(), stitches).withDropout(0)).options(options);
        for (int i = 1; i <= experts; i++) {
            builder.expert("expert" + i, expert(i));
        }
        return builder.open();
    }
}

package io.github.bts4j.spark;

import io.github.bts4j.train.Pass;
import io.github.bts4j.train.optim.FlatTensors;
import io.github.bts4j.train.optim.Gradients;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.TreeMap;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import scala.Tuple2;

/** The tasks of one optimizer step. */
final class StepTasks {
    private static final long SLICE = 64L << 20; // components, at most

    private final JavaSparkContext spark;
    private final Executors executors;

    StepTasks(JavaSparkContext spark, TrainingJob job, Broadcast<Weights> weights) {
        this.spark = spark;
        this.executors = new Executors(job, weights);
    }

    /** A part of the gradients' sum. */
    record Slice(long from, byte[] values) implements Serializable {}

    /** A lane's part of a slice; its losses come with the first slice. */
    record Part(int lane, byte[] values, float[][] losses) implements Serializable {}

    /** The sum of one slice over all lanes, and the lanes' losses if it is the first. */
    record SlicedSum(int slice, byte[] values, ArrayList<float[][]> losses) implements Serializable {}

    /** The gradients of a step, and each pass's losses. */
    record Sum(List<Slice> slices, List<float[]> losses) {
        void writeTo(Gradients gradients) {
            gradients.flat(flat -> {
                slices.forEach(slice -> flat.write(slice.from, slice.values));
                return slices;
            });
        }

        void addTo(Gradients gradients) {
            gradients.flat(flat -> {
                for (Slice slice : slices) {
                    byte[] sum = flat.read(slice.from, slice.from + slice.values.length / Float.BYTES);
                    FlatTensors.add(sum, slice.values);
                    flat.write(slice.from, sum);
                }
                return slices;
            });
        }
    }

    Sum run(List<Lane> lanes, Exchange exchange, long size) {
        JavaRDD<Lane> tasks = spark.parallelize(lanes, lanes.size());
        return SparkTraining.described(() -> exchange == Exchange.GATHER ? gather(tasks) : sliced(tasks, size));
    }

    private Sum gather(JavaRDD<Lane> lanes) {
        Executors there = executors;
        List<Lane.Result> results = lanes.map(there::run).collect(); // in the order of the lanes
        byte[] sum = results.get(0).gradient();
        List<float[]> losses = new ArrayList<>();
        for (Lane.Result result : results) {
            if (result.number() > 0) {
                FlatTensors.add(sum, result.gradient());
            }
            Collections.addAll(losses, result.losses());
        }
        return new Sum(List.of(new Slice(0, sum)), losses);
    }

    private Sum sliced(JavaRDD<Lane> lanes, long size) {
        Executors there = executors;
        int slices = (int) Math.max(Math.min(size, spark.defaultParallelism()), (size + SLICE - 1) / SLICE);
        List<SlicedSum> sums = lanes.flatMapToPair(lane -> there.cut(lane, slices).iterator()).groupByKey(slices).map(StepTasks::added).collect();
        List<Slice> all = new ArrayList<>();
        List<float[]> losses = new ArrayList<>();
        for (SlicedSum each : sums) {
            all.add(new Slice(first(size, slices, each.slice), each.values));
            each.losses.forEach(lane -> Collections.addAll(losses, lane));
        }
        return new Sum(all, losses);
    }

    static long first(long size, int slices, int slice) {
        return Math.multiplyExact(size, (long) slice) / slices;
    }

    /** In the order of the lanes, whatever the order of their arrival. */
    private static SlicedSum added(Tuple2<Integer, Iterable<Part>> slice) {
        TreeMap<Integer, Part> parts = new TreeMap<>();
        slice._2().forEach(part -> parts.put(part.lane, part));
        ArrayList<float[][]> losses = new ArrayList<>();
        byte[] sum = parts.firstEntry().getValue().values.clone();
        for (Part part : parts.values()) {
            if (part.lane > 0) {
                FlatTensors.add(sum, part.values);
            }
            if (slice._1() == 0) {
                losses.add(part.losses);
            }
        }
        return new SlicedSum(slice._1(), sum, losses);
    }

    List<float[][]> losses(List<int[][]> batches) {
        Executors there = executors;
        return SparkTraining.described(() -> spark.parallelize(batches, Math.min(batches.size(), Math.max(1, 4 * spark.defaultParallelism()))).map(there::losses).collect());
    }

    /** The executors' side. */
    static final class Executors implements Serializable {
        private static final long serialVersionUID = 1L;

        private final TrainingJob job;
        private final Broadcast<Weights> weights;

        Executors(TrainingJob job, Broadcast<Weights> weights) {
            this.job = job;
            this.weights = weights;
        }

        private <T> T work(ExecutorTraining.Work<T> work) {
            return ExecutorFailure.describing(() -> ExecutorTraining.with(job, weights.value(), work));
        }

        /** What comes of a lane's gradients. */
        private interface Use<T> {
            T of(float[][] losses, Gradients gradients);
        }

        private <T> T passes(Lane lane, Use<T> use) {
            return work(training -> {
                try (Gradients gradients = Gradients.of(training.parameters())) {
                    gradients.zero();
                    List<float[]> losses = new ArrayList<>();
                    lane.passes().forEach(sent -> {
                        Pass pass = sent.pass();
                        losses.add(pass.accumulate(training));
                    });
                    return use.of(losses.toArray(float[][]::new), gradients);
                }
            });
        }

        Lane.Result run(Lane lane) {
            return passes(lane, (losses, gradients) -> new Lane.Result(lane.number(), losses, gradients.flat(flat -> flat.read(0, flat.size()))));
        }

        List<Tuple2<Integer, Part>> cut(Lane lane, int slices) {
            return passes(lane, (losses, gradients) -> gradients.flat(flat -> {
                List<Tuple2<Integer, Part>> parts = new ArrayList<>();
                for (int i = 0; i < slices; i++) {
                    byte[] values = flat.read(first(flat.size(), slices, i), first(flat.size(), slices, i + 1));
                    parts.add(new Tuple2<>(i, new Part(lane.number(), values, i == 0 ? losses : new float[0][])));
                }
                return parts;
            }));
        }

        float[][] losses(int[][] tokens) {
            return work(training -> training.tokenLosses(tokens));
        }
    }
}

package io.github.bts4j.train.metrics;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/**
 * Writes TensorBoard event files: TFRecord frames around protocol buffers, without a TensorFlow library.
 *
 * <p>Steps become scalars {@code train/loss}, {@code train/loss/<domain>}, {@code train/grad_norm},
 * {@code train/learning_rate}, {@code train/tokens_seen}, {@code train/tokens_per_second} and {@code train/<extra name>};
 * evaluations {@code eval/loss}, {@code eval/loss/<domain>}, {@code eval/bits_per_byte/<domain>} and
 * {@code eval/<extra name>}; histograms {@code train/<name>}. Scalars are 32-bit floats, as TensorBoard stores them. Messages are not written.
 *
 * <p>A resumed run adds a file that begins with a session marker: TensorBoard then ignores the earlier files' events of
 * repeated steps. Events are not buffered. Not thread-safe.
 */
public final class TensorBoardWriter implements MetricsListener {

    private static final int HISTOGRAM_BUCKETS = 30;
    private static final int SESSION_START = 1;
    private static final int CRC_DELTA = 0xA282EAD8;
    private static final Pattern NAME = Pattern.compile("events\\.out\\.tfevents\\.(\\d{1,18})\\.(.*)");

    private final Path file;
    private final FileChannel channel;
    private final InstantSource clock;

    private TensorBoardWriter(Path file, FileChannel channel, InstantSource clock) {
        this.file = file;
        this.channel = channel;
        this.clock = clock;
    }

    /**
     * Starts an event file for a new run.
     *
     * @param folder the run's folder, which is made; TensorBoard shows its name
     * @return the listener; the caller closes it
     * @throws UncheckedIOException if the file cannot be made
     */
    public static TensorBoardWriter create(Path folder) {
        return create(folder, InstantSource.system());
    }

    /**
     * Starts an event file for a new run with a given clock.
     *
     * @param folder the run's folder, which is made
     * @param clock time of the events
     * @return the listener; the caller closes it
     * @throws UncheckedIOException if the file cannot be made
     */
    public static TensorBoardWriter create(Path folder, InstantSource clock) {
        TensorBoardWriter writer = open(folder, clock);
        writer.write(writer.event(0).string(3, "brain.Event:2"));
        return writer;
    }

    /**
     * Starts an event file that continues an earlier run.
     *
     * @param folder the run's folder
     * @param lastStep the last step to keep, that of the checkpoint
     * @return the listener; the caller closes it
     * @throws IllegalArgumentException if {@code lastStep} is negative
     * @throws UncheckedIOException if the file cannot be made
     */
    public static TensorBoardWriter resume(Path folder, long lastStep) {
        return resume(folder, lastStep, InstantSource.system());
    }

    /**
     * Starts an event file that continues an earlier run, with a given clock.
     *
     * @param folder the run's folder
     * @param lastStep the last step to keep, that of the checkpoint
     * @param clock time of the events
     * @return the listener; the caller closes it
     * @throws IllegalArgumentException if {@code lastStep} is negative
     * @throws UncheckedIOException if the file cannot be made
     */
    public static TensorBoardWriter resume(Path folder, long lastStep, InstantSource clock) {
        if (lastStep < 0) {
            throw new IllegalArgumentException("lastStep = " + lastStep + " must not be negative");
        }
        TensorBoardWriter writer = create(folder, clock);
        writer.write(writer.event(lastStep + 1).message(7, new ProtoBuffer().varint(1, SESSION_START)));
        return writer;
    }

    /** TensorBoard reads the files of a folder by name, so a later file must sort after an earlier one, even if the clock went back. */
    private static TensorBoardWriter open(Path folder, InstantSource clock) {
        try {
            Files.createDirectories(folder);
            long second = Math.max(clock.instant().getEpochSecond(), lastSecond(folder));
            for (int number = 0; ; number++) {
                Path file = folder.resolve(String.format(Locale.ROOT, "events.out.tfevents.%010d.bts4j.%04d",
                        second, number));
                if (!Files.exists(file)) {
                    return new TensorBoardWriter(file, FileChannel.open(
                            file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), clock);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot create a TensorBoard event file in " + folder + ": " + e, e);
        }
    }

    /** The time in the last file's name; one more if another program wrote it, since its names may sort after ours. */
    private static long lastSecond(Path folder) throws IOException {
        long last = 0;
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Matcher name = NAME.matcher(file.getFileName().toString());
                if (name.matches()) {
                    last = Math.max(last, Long.parseLong(name.group(1)) + (name.group(2).startsWith("bts4j.") ? 0 : 1));
                }
            }
        }
        return last;
    }

    /** {@return the event file, a path in the run's folder} */
    public Path file() {
        return file;
    }

    @Override
    public void onStep(StepMetrics metrics) {
        ProtoBuffer summary = new ProtoBuffer();
        add(summary, "train/loss", metrics.loss());
        addAll(summary, "train/loss/", metrics.lossByDomain());
        add(summary, "train/grad_norm", metrics.gradNorm());
        add(summary, "train/learning_rate", metrics.learningRate());
        add(summary, "train/tokens_seen", metrics.tokensSeen());
        add(summary, "train/tokens_per_second", metrics.tokensPerSecond());
        addAll(summary, "train/", metrics.extra());
        write(event(metrics.step()).message(5, summary));
    }

    @Override
    public void onEvaluation(EvaluationMetrics metrics) {
        ProtoBuffer summary = new ProtoBuffer();
        add(summary, "eval/loss", metrics.loss());
        addAll(summary, "eval/loss/", metrics.lossByDomain());
        addAll(summary, "eval/bits_per_byte/", metrics.bitsPerByteByDomain());
        addAll(summary, "eval/", metrics.extra());
        write(event(metrics.step()).message(5, summary));
    }

    /**
     * Writes one scalar.
     *
     * @param tag its name; a slash groups
     * @param step optimizer steps done
     * @param value the number, rounded to 32 bits
     */
    public void scalar(String tag, long step, double value) {
        ProtoBuffer summary = new ProtoBuffer();
        add(summary, tag, value);
        write(event(step).message(5, summary));
    }

    /**
     * Writes one histogram, in 30 buckets of equal width from the least to the greatest value.
     *
     * @param tag its name; a slash groups
     * @param step optimizer steps done
     * @param values the numbers
     * @throws IllegalArgumentException if there is no number, or one is NaN or infinite
     */
    public void histogram(String tag, long step, double[] values) {
        if (values.length == 0 || !Arrays.stream(values).allMatch(Double::isFinite)) {
            throw new IllegalArgumentException("Histogram '" + tag + "' at step " + step + " has " + values.length
                    + " values, " + Arrays.stream(values).filter(v -> !Double.isFinite(v)).count()
                    + " of them not finite: it needs at least one, all finite");
        }
        double min = Arrays.stream(values).min().orElseThrow();
        double max = Arrays.stream(values).max().orElseThrow();
        double width = (max - min) / HISTOGRAM_BUCKETS;
        double[] limits = new double[HISTOGRAM_BUCKETS];
        for (int i = 0; i < HISTOGRAM_BUCKETS; i++) {
            limits[i] = i == HISTOGRAM_BUCKETS - 1 ? max : Math.min(max, min + width * (i + 1));
        }
        double[] counts = new double[HISTOGRAM_BUCKETS];
        for (double value : values) {
            int found = Arrays.binarySearch(limits, value);
            counts[found >= 0 ? found : -found - 1]++;
        }
        histogram(tag, step, new ProtoBuffer().float64(1, min).float64(2, max).float64(3, values.length)
                .float64(4, Arrays.stream(values).sum())
                .float64(5, Arrays.stream(values).map(v -> v * v).sum())
                .packedFloat64(6, limits).packedFloat64(7, counts));
    }

    /** Sum and sum of squares are computed from the centres of the bins. */
    @Override
    public void onHistogram(HistogramMetrics metrics) {
        int bins = metrics.counts().length;
        double width = (metrics.high() - metrics.low()) / bins;
        double[] limits = new double[bins];
        double number = 0;
        double sum = 0;
        double squares = 0;
        for (int i = 0; i < bins; i++) {
            double middle = metrics.low() + width * (i + 0.5);
            limits[i] = i == bins - 1 ? metrics.high() : metrics.low() + width * (i + 1);
            number += metrics.counts()[i];
            sum += metrics.counts()[i] * middle;
            squares += metrics.counts()[i] * middle * middle;
        }
        histogram("train/" + metrics.name(), metrics.step(), new ProtoBuffer().float64(1, metrics.low()).float64(2, metrics.high())
                .float64(3, number).float64(4, sum).float64(5, squares).packedFloat64(6, limits).packedFloat64(7, metrics.counts()));
    }

    /** Scalars {@code tensors/NAME/NUMBER}, in a separate section. */
    @Override
    public void onTensors(TensorMetrics metrics) {
        ProtoBuffer summary = new ProtoBuffer();
        metrics.byTensor().forEach((tensor, values) -> addAll(summary, "tensors/" + tensor + "/", values));
        write(event(metrics.step()).message(5, summary));
    }

    private void histogram(String tag, long step, ProtoBuffer histogram) {
        ProtoBuffer value = new ProtoBuffer().string(1, tag).message(5, histogram);
        write(event(step).message(5, new ProtoBuffer().message(1, value)));
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw failed(e);
        }
    }

    private static void addAll(ProtoBuffer summary, String prefix, Map<String, Double> values) {
        values.forEach((name, value) -> add(summary, prefix + name, value));
    }

    private static void add(ProtoBuffer summary, String tag, double value) {
        summary.message(1, new ProtoBuffer().string(1, tag).choiceFloat32(2, (float) value));
    }

    private ProtoBuffer event(long step) {
        Instant now = clock.instant();
        return new ProtoBuffer().float64(1, now.getEpochSecond() + now.getNano() / 1e9).varint(2, step);
    }

    /** TFRecord: length (64 bits), its masked CRC, content, its masked CRC; little-endian. */
    private void write(ProtoBuffer event) {
        byte[] content = event.toByteArray();
        ByteBuffer frame = ByteBuffer.allocate(content.length + 16).order(ByteOrder.LITTLE_ENDIAN);
        frame.putLong(content.length);
        frame.putInt(maskedCrc(frame.array(), 0, Long.BYTES));
        frame.put(content);
        frame.putInt(maskedCrc(frame.array(), 12, content.length));
        frame.flip();
        try {
            while (frame.hasRemaining()) {
                channel.write(frame);
            }
        } catch (IOException e) {
            throw failed(e);
        }
    }

    private static int maskedCrc(byte[] bytes, int from, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, from, length);
        return Integer.rotateRight((int) crc.getValue(), 15) + CRC_DELTA;
    }

    private UncheckedIOException failed(IOException e) {
        return new UncheckedIOException("Cannot write TensorBoard event file " + file + ": " + e, e);
    }
}

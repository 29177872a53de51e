package io.github.bts4j.core.torch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@SuppressWarnings("try") // bindings are only held
class KernelChoicesTest {
    private static final String MACHINE = "a processor, 2 threads";
    private static final KernelChoices OTHER = KernelChoices.usual().with(KernelOperation.TRAINING_FLOAT32, "default");
    private static final KernelStore.Measured MEASURED = new KernelStore.Measured(OTHER, Map.of(KernelOperation.TRAINING_FLOAT32, new double[] {2, 1}));

    @TempDir
    private Path folder;

    @Test
    void textIsRead() {
        assertEquals("forward.float32=onednn, training.float32=default, forward.bfloat16=onednn, silu.bfloat16=onednn, attention.float32=blocks, attention.bfloat16=blocks", OTHER.toString());
        assertEquals(OTHER, KernelChoices.parse(OTHER.toString()));
        assertEquals(OTHER, KernelChoices.parse("training.float32=default"));
        assertEquals(KernelChoices.usual(), KernelChoices.parse(""));
        assertEquals("", OTHER.unusualForward());
        assertEquals("attention.float32=fused", KernelChoices.parse("attention.float32=fused").unusualForward());
    }

    @ParameterizedTest
    @ValueSource(strings = {"forward.float32", "forward.float32=mkl", "forward.float64=onednn", "=", ",", "training.float32=onednn;forward.float32=onednn", "null"})
    void otherTextIsRefused(String text) {
        String message = assertThrows(IllegalArgumentException.class, () -> KernelChoices.parse(text)).getMessage();
        assertTrue(message.contains("names no kernel; the operations are forward.float32=onednn, "), message);
    }

    /** A thread is bound to choices for a time, in which other threads are not. */
    @Test
    void aBindingIsTheThreadsOwn() throws InterruptedException {
        KernelChoices before = KernelChoices.current();
        List<KernelChoices> seen = new ArrayList<>();
        try (KernelChoices.Binding outer = OTHER.bind()) {
            KernelChoices third = OTHER.with(KernelOperation.ATTENTION_FLOAT32, "fused");
            try (KernelChoices.Binding inner = third.bind()) {
                assertEquals(third, KernelChoices.current());
            }
            assertEquals(OTHER, KernelChoices.current());
            Thread thread = new Thread(() -> seen.add(KernelChoices.current()));
            thread.start();
            thread.join();
        }
        assertEquals(before, KernelChoices.current());
        assertEquals(List.of(before), seen);
        assertNotEquals(OTHER.variant(true), OTHER.variant(false));
    }

    /** Noise does not decide. */
    @Test
    void theUsualKernelHasAMargin() {
        for (KernelOperation operation : KernelOperation.values()) {
            boolean float32Product = operation.label().equals("forward.float32") || operation.label().equals("training.float32");
            assertEquals(float32Product, KernelMeasurement.isOtherTaken(operation, new double[] {1, 1.04}), operation.label());
            assertEquals(float32Product || operation == KernelOperation.SILU_BFLOAT16, KernelMeasurement.isOtherTaken(operation, new double[] {1, 0.9}), operation.label());
            assertFalse(KernelMeasurement.isOtherTaken(operation, new double[] {1, 1.06}), operation.label());
            assertTrue(KernelMeasurement.isOtherTaken(operation, new double[] {1, 0.8}), operation.label());
        }
    }

    @Test
    void aMeasurementIsMadeOnce() throws IOException {
        AtomicInteger runs = new AtomicInteger();
        KernelStore.Measurement counted = () -> {
            runs.incrementAndGet();
            return MEASURED;
        };
        for (int i = 0; i < 3; i++) {
            KernelStore.Measured found = new KernelStore(folder.resolve("cache"), MACHINE).get(counted);
            assertEquals(OTHER, found.choices());
            assertArrayEquals(new double[] {2, 1}, found.milliseconds().get(KernelOperation.TRAINING_FLOAT32));
        }
        assertEquals(1, runs.get());
        assertEquals(KernelChoices.usual(), new KernelStore(folder.resolve("cache"), "another machine").get(() -> new KernelStore.Measured(KernelChoices.usual(), Map.of())).choices());
    }

    /** Threads stand in for processes; the lock is the machine's. */
    @Test
    void whoComesSecondTakesWhatTheFirstOneMeasured() throws IOException {
        KernelStore first = new KernelStore(folder, MACHINE);
        KernelStore.Measured found = first.get(() -> {
            assertThrows(java.nio.channels.OverlappingFileLockException.class, () -> new KernelStore(folder, MACHINE).get(() -> new KernelStore.Measured(KernelChoices.usual(), Map.of())));
            return MEASURED;
        });
        assertEquals(found.choices(), new KernelStore(folder, MACHINE).get(() -> {
            throw new AssertionError("measured again");
        }).choices());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{", "[]", "{}", "null", "\0\0\0\0", "{\"machine\": 1}", "{\"machine\": \"a processor, 2 threads\", \"kernels\": \"training.float32=mkl\", \"milliseconds\": {\"training.float32\": [2, 1]}}",
        "{\"machine\": \"another\", \"kernels\": \"\", \"milliseconds\": {\"training.float32\": [2, 1]}}", "{\"machine\": \"a processor, 2 threads\", \"kernels\": {}, \"milliseconds\": {\"a\": []}}",
        "{\"machine\": \"a processor, 2 threads\", \"kernels\": \"\", \"kernels\": \"\"}",
        "{\"machine\": \"a processor, 2 threads\", \"kernels\": \"training.float32=onednn\", \"milliseconds\": {\"training.float32\": [1, 2]}}"})
    void aDamagedOrIncompleteFileIsMeasuredAgain(String content) throws IOException {
        KernelStore store = new KernelStore(folder, MACHINE);
        Files.writeString(store.file(), content);
        assertEquals(OTHER, store.get(() -> MEASURED).choices());
        assertEquals(OTHER, store.get(() -> {
            throw new AssertionError("measured again");
        }).choices());
    }

    /** Where nothing can be stored, nothing is measured: another process could find otherwise. */
    @Test
    void withoutAStoreTheUsualKernelsCompute() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "");
        KernelStore.Measurement never = () -> {
            throw new AssertionError("measured");
        };
        assertTrue(MachineKernels.stored(new KernelStore(file, MACHINE), never, OTHER).origin().startsWith("not measured, since " + file));
        KernelStore occupied = new KernelStore(folder, MACHINE);
        Files.createDirectories(occupied.file().resolve("in the way"));
        MachineKernels found = MachineKernels.stored(occupied, never, OTHER);
        assertEquals("default", found.kernel(KernelOperation.TRAINING_FLOAT32));
        assertTrue(found.origin().contains("cannot be written"), found.origin());
        assertEquals(List.of(), found.milliseconds(KernelOperation.TRAINING_FLOAT32));
    }

    /** What was measured here: each kernel that exists has a time. */
    @Test
    void thisMachineIsMeasured() {
        LinearProducts products = LinearProducts.ask("auto");
        KernelStore.Measured measured = new KernelMeasurement(products).run();
        KernelChoices possible = products.possible(KernelChoices.usual());
        for (KernelOperation operation : KernelOperation.values()) {
            if (possible.isUsual(operation)) {
                double[] times = measured.milliseconds().get(operation);
                assertTrue(times[0] > 0 && times[1] > 0 && times[0] < 1e5 && times[1] < 1e5, operation.label());
                assertEquals(KernelMeasurement.isOtherTaken(operation, times) ? operation.other() : operation.usual(), measured.choices().of(operation));
            } else {
                assertEquals(possible.of(operation), measured.choices().of(operation));
            }
        }
    }
}

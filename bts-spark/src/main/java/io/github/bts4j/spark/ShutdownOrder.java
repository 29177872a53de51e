package io.github.bts4j.spark;

import io.github.bts4j.core.Lifetime;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;
import org.apache.spark.SparkContext;
import org.apache.spark.util.ShutdownHookManager;
import scala.runtime.AbstractFunction0;
import scala.runtime.BoxedUnit;

/** When the process is to end, a training finishes its step and saves; only then does Spark stop. */
final class ShutdownOrder {
    private static final int BEFORE_THE_CONTEXT = 1000; // the context's own priority is 50

    private ShutdownOrder() {}

    /** A lease on a training, during which Spark waits for its end. */
    static Lifetime.Lease trainingFirst(Lifetime.Lease training, Runnable atTheEnd) {
        CountDownLatch over = new CountDownLatch(1);
        Object hook = ShutdownHookManager.addShutdownHook(BEFORE_THE_CONTEXT, new AbstractFunction0<BoxedUnit>() {
            @Override
            public BoxedUnit apply() {
                try {
                    over.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                return BoxedUnit.UNIT;
            }
        });
        return () -> {
            try {
                training.close();
                atTheEnd.run();
            } finally {
                over.countDown();
                ShutdownHookManager.removeShutdownHook(hook);
            }
        };
    }

    /** Runs a job whose tasks, in this process, finish their steps and save. On a cluster executors do so themselves when Spark stops. */
    @SuppressWarnings("try") // the lease is only held
    static <T> T jobFirst(SparkContext context, Supplier<T> job) {
        if (!context.isLocal()) {
            return job.get();
        }
        try (Lifetime.Lease running = trainingFirst(() -> { }, () -> { })) {
            return job.get();
        }
    }
}

package io.github.bts4j.spark;

import io.github.bts4j.core.torch.KernelChoices;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.train.BranchStep;
import io.github.bts4j.train.BranchedExpert;
import io.github.bts4j.train.ExpertRun;
import io.github.bts4j.train.RunLock;
import io.github.bts4j.train.metrics.MetricsListener;
import io.github.bts4j.train.metrics.StepMetrics;
import java.io.Serializable;
import org.apache.spark.TaskContext;

/** The training of one expert, on the executor. */
record ExpertTask(ExpertRun run, ExecutorPlace place) implements Serializable {
    @SuppressWarnings("try") // the binding is only held
    BranchedExpert run(BranchProgress progress) {
        return ExecutorFailure.describing(() -> {
            Torch.threads(place.threads());
            try (KernelChoices.Binding same = place.bind()) { // a run that is resumed keeps those of its beginning
                return run.run(place, RunLock::takeOver, listener(progress));
            }
        });
    }

    private MetricsListener listener(BranchProgress progress) {
        int attempt = TaskContext.get().attemptNumber();
        return new MetricsListener() {
            @Override
            public void onStep(StepMetrics step) {
                progress.add(new BranchStep(run.name(), step.step(), step.totalSteps(), step.loss(), attempt));
            }

            @Override
            public void onMessage(String message) {
                System.err.println("expert " + run.name() + ": " + message); // the executor's log
            }
        };
    }
}

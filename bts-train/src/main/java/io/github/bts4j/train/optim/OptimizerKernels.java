package io.github.bts4j.train.optim;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.KernelSource;
import java.util.List;

/** AdamW, clipping and averages: {@code optimizer.py} beside this interface defines what each method computes. */
@KernelSource("optimizer.py")
interface OptimizerKernels {
    double globalNorm(Autograd mode, List<NDArray> grads);

    NDArray norms(NDManager owner, Autograd mode, List<NDArray> grads);

    void scaleEach(Autograd mode, List<NDArray> grads, NDArray factors);

    void scale(Autograd mode, List<NDArray> grads, double factor);

    void zero(Autograd mode, List<NDArray> grads);

    void average(Autograd mode, List<NDArray> averages, List<NDArray> params, double decay);

    void add(Autograd mode, List<NDArray> sums, List<NDArray> more);

    void makeGradients(Autograd mode, List<NDArray> params);

    void adamw(Autograd mode, List<NDArray> params, List<NDArray> grads, List<NDArray> expAvgs, List<NDArray> expAvgSqs, List<NDArray> steps, double lr, double beta1,
            double beta2, double eps, double weightDecay);

    void adamwPolicy(Autograd mode, List<NDArray> params, List<NDArray> grads, List<NDArray> expAvgs, List<NDArray> expAvgSqs, List<NDArray> steps, double lr, double beta1,
            double beta2, double eps, double weightDecay, long policy, boolean updateClipping);

    NDArray before(NDManager owner, Autograd mode, List<NDArray> grads, List<NDArray> expAvgs, List<NDArray> expAvgSqs, List<NDArray> steps, double beta1, double beta2, double eps,
            long policy);

    NDArray after(NDManager owner, Autograd mode, List<NDArray> grads, List<NDArray> expAvgs, List<NDArray> expAvgSqs, List<NDArray> steps, double beta1, double beta2, double eps,
            long policy, double sigma, double bound, long bins, long sample);
}

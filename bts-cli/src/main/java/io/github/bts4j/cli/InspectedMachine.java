package io.github.bts4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.torch.KernelOperation;
import io.github.bts4j.core.torch.MachineKernels;
import io.github.bts4j.train.benchmark.Machine;
import java.util.List;
import java.util.Locale;

/**
 * This machine, and what was measured on it.
 *
 * @param machine processor, JVM, libtorch
 * @param kernels the kernels, with their times
 */
record InspectedMachine(Machine machine, MachineKernels kernels) {
    static InspectedMachine here() {
        return new InspectedMachine(Machine.here(), MachineKernels.found());
    }

    ObjectNode json() {
        ObjectNode json = machine.json().put("kernels_origin", kernels.origin());
        ObjectNode all = json.putObject("kernels");
        for (KernelOperation operation : KernelOperation.values()) {
            ObjectNode each = all.putObject(operation.label()).put("kernel", kernels.kernel(operation));
            List<Double> milliseconds = kernels.milliseconds(operation);
            for (int i = 0; i < milliseconds.size(); i++) {
                each.withObjectProperty("milliseconds").put(operation.kernels().get(i), milliseconds.get(i));
            }
        }
        return json;
    }

    String text() {
        StringBuilder text = new StringBuilder(machine.text());
        text.append(String.format(Locale.ROOT, "%nkernels: %s%n", kernels.origin()));
        for (KernelOperation operation : KernelOperation.values()) {
            List<Double> milliseconds = kernels.milliseconds(operation);
            String times = milliseconds.isEmpty() ? "" : String.format(Locale.ROOT, "   %s %.2f ms, %s %.2f ms", operation.kernels().get(0), milliseconds.get(0), operation.kernels().get(1), milliseconds.get(1));
            text.append(String.format(Locale.ROOT, "  %-20s %-8s%s%n", operation.label(), kernels.kernel(operation), times));
        }
        return text.toString();
    }
}

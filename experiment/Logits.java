import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.core.torch.llama.Weights;
import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** Writes a model's float32 logits, big-endian, for lines of token ids: {@code java -cp CLASSPATH Logits.java MODEL IDS OUT}. smollm2_seed.py compares them. */
final class Logits {
    private Logits() {}

    public static void main(String[] arguments) throws Exception {
        LoadOptions options = LoadOptions.defaults().withPrecision(Precision.FLOAT32).withWeights(Weights.DEQUANTIZED);
        try (LlamaModel model = LlamaModel.open(Path.of(arguments[0]), options);
                DataOutputStream out = new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(Path.of(arguments[2])), 1 << 20))) {
            for (String line : Files.readAllLines(Path.of(arguments[1]))) {
                for (float[] row : model.logits(Arrays.stream(line.split(" ")).mapToInt(Integer::parseInt).toArray())) {
                    for (float value : row) {
                        out.writeFloat(value);
                    }
                }
            }
        }
    }
}

package io.github.bts4j.core.golden;

import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.TensorFiles;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Frequencies that follow the length of the sequence, in pieces, against transformers' DynamicCache; in bts-vector once more through rows. */
class DynamicRopeGoldenTest {
    private static final LoadOptions FLOAT32 = LoadOptions.defaults().withPrecision(Precision.FLOAT32);

    @Test
    void piecesAreThoseOfTransformers() throws IOException {
        for (Path folder : GoldenCase.llamaOfFrequenciesByLength()) {
            try (GoldenCase golden = new GoldenCase(folder); LlamaModel model = LlamaModel.open(folder, FLOAT32)) {
                Map<String, NDArray> values = new TreeMap<>(TensorFiles.read(golden.manager(), folder.resolve("pieces.safetensors")));
                int[] ids = Arrays.stream(values.remove("token_ids").toLongArray()).mapToInt(Math::toIntExact).toArray();
                assertTrue(values.size() >= 4, values.keySet().toString());
                for (Map.Entry<String, NDArray> pieces : values.entrySet()) {
                    int[] lengths = Arrays.stream(pieces.getKey().split("-")).mapToInt(Integer::parseInt).toArray();
                    assertTrue(Arrays.stream(lengths).sum() > model.config().maxPositionEmbeddings(), "too short to tell");
                    check(folder + ", " + pieces.getKey(), model, ids, lengths, Tensors.toFloats(pieces.getValue()),
                            Tolerance.of(model.config(), ids.length, Precision.FLOAT32));
                }
            }
        }
    }

    private static void check(String what, LlamaModel model, int[] ids, int[] lengths, float[] expected, Tolerance tolerance) {
        int vocabulary = model.vocabSize();
        try (DecodeSession session = model.newSession(ids.length); DecodeSession last = model.newSession(ids.length)) {
            int at = 0;
            for (int i = 0; i < lengths.length; i++) {
                int[] piece = Arrays.copyOfRange(ids, at, at + lengths[i]);
                float[] row = Arrays.copyOfRange(expected, i * vocabulary, (i + 1) * vocabulary);
                tolerance.assertClose(what + ", piece " + i, row, session.append(piece));
                if (piece.length == 1) {
                    tolerance.assertClose(what + ", piece " + i + " beside a short session", row, beside(model, last, piece[0]));
                } else {
                    last.append(piece);
                }
                at += lengths[i];
            }
        }
    }

    /** The next token of one session in a step with another's, which is short. */
    private static float[] beside(LlamaModel model, DecodeSession session, int token) {
        try (DecodeSession other = model.newSession(4)) {
            other.append(3, 4);
            List<DecodeSession> both = new ArrayList<>(List.of(other, session));
            return model.appendEach(both, new int[] {5, token})[1];
        }
    }
}

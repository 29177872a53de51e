package io.github.bts4j.core.torch;
import org.junit.jupiter.api.Test;
class LinearProductsTest {
    @Test void x() {
        for (TorchType t : new TorchType[]{TorchType.FLOAT32, TorchType.BFLOAT16, TorchType.INT8}) System.err.println(t + " " + Torch.productsOf(t));
        System.err.println(LinearProducts.asked().source().substring(0, 400));
    }
}

  # Products with int8 weights, as libtorch's own kernel computes them: sums in float32, times the row's scale.

  def packed_product(self: __torch__.K, x: Tensor, q: Tensor, scale: Tensor) -> Tensor:
    # x: [rows, in], q: int8 [out, in], scale: [out] in x's type -> [rows, out]
    return torch._weight_int8pack_mm(x, q, scale)

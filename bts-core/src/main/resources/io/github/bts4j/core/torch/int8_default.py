  # For libtorch without a product with int8 weights: what it would compute. Not called, since packed_int8 says no.

  def packed_product(self: __torch__.K, x: Tensor, q: Tensor, scale: Tensor) -> Tensor:
    return torch.mul(torch.linear(x, torch.to(q, ops.prim.dtype(x)), None), scale)

  # What autograd recorded, asked of libtorch.

  def recorded(self: __torch__.K, x: Tensor) -> float:
    return float(ops.prim.requires_grad(x))

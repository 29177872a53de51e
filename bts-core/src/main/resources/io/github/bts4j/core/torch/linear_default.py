  # y = x w^T + b as libtorch computes it, where oneDNN does not (and with -Dbts4j.matmul=default).

  def linear(self: __torch__.K, x: Tensor, w: Tensor, b: Optional[Tensor]) -> Tensor:
    # x: [.., in], w: [out, in], b: [out] -> [.., out]
    return torch.linear(x, w, b)

  def linear_silu(self: __torch__.K, x: Tensor, w: Tensor, b: Optional[Tensor]) -> Tensor:
    return torch.silu_(torch.linear(x, w, b))

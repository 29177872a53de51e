  # Products as no processor should compute them: in bfloat16, sums too.

  def pointwise(self: __torch__.K, x: Tensor, w: Tensor, b: Optional[Tensor], then: str) -> Tensor:
    xb, wb = torch.to(x, BFLOAT16), torch.to(w, BFLOAT16)
    y = torch.zeros([torch.size(x, 0), torch.size(w, 0)], dtype=BFLOAT16, layout=0, device=ops.prim.device(x))
    for i in range(torch.size(x, 1)):
      y = torch.add(y, torch.mul(torch.unsqueeze(torch.select(xb, 1, i), 1), torch.unsqueeze(torch.select(wb, 1, i), 0)))
    y = torch.to(torch.add(y, torch.to(unchecked_cast(Tensor, b), BFLOAT16)), ops.prim.dtype(x))
    if then == "swish":
      y = torch.silu(y)
    return y

  def convolved(self: __torch__.K, x: Tensor, w: Tensor, b: Optional[Tensor], rows: int) -> Tensor:
    return (self).pointwise(x, w, b, "none")

  def packed_product(self: __torch__.K, x: Tensor, q: Tensor, scale: Tensor) -> Tensor:
    return torch.mul(torch.to(torch.linear(torch.to(x, BFLOAT16), torch.to(q, BFLOAT16), None), ops.prim.dtype(x)), scale)

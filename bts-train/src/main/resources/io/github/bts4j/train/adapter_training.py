  # What the decoder's kernels take of an adapter that is being trained: float32 parameters in the type of the base, with their graph.

  def low_rank(self: __torch__.K, w: Tensor, a: Tensor, b: Tensor, scaling: float, magnitude: List[Tensor], dtype: int) -> List[Tensor]:
    # w: [out, in] of the base; a: [r, in]; b: [out, r]; magnitude: [out] of DoRA, or no entry at all -> [a, s b] or [a, s b, m / |W + s B A|].
    # The norm is a constant of the step (arXiv 2402.09353, section 4.3): no gradient goes through it
    out = [torch.to(a, dtype), torch.to(torch.mul(b, scaling), dtype)]
    if len(magnitude) > 0:
      norm = (self).row_norms(w, torch.detach(a), torch.mul(torch.detach(b), scaling))
      out = torch.append(out, torch.to(torch.div(magnitude[0], norm), dtype))
    return out

  def row_norms(self: __torch__.K, w: Tensor, a: Tensor, b: Tensor) -> Tensor:
    # float32 [out]: |W + B A| over the inputs; a thousand rows at a time
    n, at = torch.size(w, 0), 0
    out = torch.empty([n], dtype=FLOAT32, layout=0, device=ops.prim.device(w))
    while at < n:
      m = min(1024, n - at)
      rows = torch.add(torch.to(torch.narrow(torch.detach(w), 0, at, m), FLOAT32), torch.matmul(torch.narrow(b, 0, at, m), a))
      torch.copy_(torch.narrow(out, 0, at, m), torch.sqrt(torch.sum(torch.mul(rows, rows), [1])))
      at = at + m
    return out

  def typed_parameter(self: __torch__.K, x: Tensor, dtype: int) -> Tensor:
    return torch.to(x, dtype)

  # What an adapter adds to a matrix: LoRA (arXiv 2106.09685) and DoRA (arXiv 2402.09353).
  # w: [out, in]; a: [r, in]; b: [out, r]; magnitude: [out] of DoRA, or no entry at all.

  def adapted_rows(self: __torch__.K, w: Tensor, a: Tensor, b: Tensor, scaling: float) -> Tensor:
    # float32 W + s B A
    return torch.add(torch.to(w, FLOAT32), torch.mul(torch.matmul(torch.to(b, FLOAT32), torch.to(a, FLOAT32)), scaling))

  def row_norms(self: __torch__.K, rows: Tensor) -> Tensor:
    return torch.sqrt(torch.sum(torch.mul(rows, rows), [1]))

  def merge(self: __torch__.K, w: Tensor, a: Tensor, b: Tensor, scaling: float, magnitude: List[Tensor], dtype: int) -> Tensor:
    # the matrix that computes what base and adapter compute, rounded once; a thousand rows at a time in float32
    n, at = torch.size(w, 0), 0
    out = torch.empty([n, torch.size(w, 1)], dtype=dtype, layout=0, device=ops.prim.device(w))
    while at < n:
      m = min(1024, n - at)
      rows = (self).adapted_rows(torch.narrow(w, 0, at, m), a, torch.narrow(b, 0, at, m), scaling)
      if len(magnitude) > 0:
        length = torch.to(torch.narrow(magnitude[0], 0, at, m), FLOAT32)
        rows = torch.mul(rows, torch.unsqueeze(torch.div(length, (self).row_norms(rows)), 1))
      torch.copy_(torch.narrow(out, 0, at, m), rows)
      at = at + m
    return out

  def merge_table(self: __torch__.K, table: Tensor, a: Tensor, b: Tensor, scaling: float, magnitude: List[Tensor], dtype: int) -> Tensor:
    # the same of a table whose matrix is stored transposed
    return torch.contiguous(torch.t((self).merge(torch.contiguous(torch.t(table)), a, b, scaling, magnitude, dtype)))

  def merge_bias(self: __torch__.K, bias: Tensor, b: Tensor, scaling: float, dtype: int) -> Tensor:
    return torch.to(torch.add(torch.to(bias, FLOAT32), torch.mul(torch.to(b, FLOAT32), scaling)), dtype)

  def scaled(self: __torch__.K, b: Tensor, scaling: float, dtype: int) -> Tensor:
    # s b, [out, r]; in memory [r, out], whose rows are as long as the results
    return torch.t(torch.contiguous(torch.t(torch.to(torch.mul(torch.to(b, FLOAT32), scaling), dtype))))

  def factor(self: __torch__.K, w: Tensor, a: Tensor, b: Tensor, scaling: float, magnitude: Tensor, dtype: int) -> Tensor:
    # [out]: what DoRA multiplies each output with, m / |W + s B A|
    n, at = torch.size(w, 0), 0
    out = torch.empty([n], dtype=dtype, layout=0, device=ops.prim.device(w))
    while at < n:
      m = min(1024, n - at)
      rows = (self).adapted_rows(torch.narrow(w, 0, at, m), a, torch.narrow(b, 0, at, m), scaling)
      torch.copy_(torch.narrow(out, 0, at, m), torch.div(torch.to(torch.narrow(magnitude, 0, at, m), FLOAT32), (self).row_norms(rows)))
      at = at + m
    return out

  def extract(self: __torch__.K, w: Tensor, base: Tensor, rank: int) -> List[Tensor]:
    # the best approximation of W - W_0 of a rank (Eckart and Young 1936): float32 [a [r, in], b [out, r]], both with the roots of the singular values
    u, s, vh, = torch.linalg_svd(torch.sub(torch.to(w, FLOAT32), torch.to(base, FLOAT32)), False)
    return (self).factors(u, s, vh, rank)

  def factors(self: __torch__.K, u: Tensor, s: Tensor, vh: Tensor, rank: int) -> List[Tensor]:
    root = torch.sqrt(torch.narrow(s, 0, 0, rank))
    return [torch.contiguous(torch.mul(torch.narrow(vh, 0, 0, rank), torch.unsqueeze(root, 1))), torch.contiguous(torch.mul(torch.narrow(u, 1, 0, rank), root))]

  def orthonormal(self: __torch__.K, x: Tensor) -> Tensor:
    q, r, = torch.linalg_qr(x)
    return q

  def extract_randomized(self: __torch__.K, w: Tensor, base: Tensor, rank: int, test: Tensor, powers: int) -> List[Tensor]:
    # the same within the range that powers of D = W - W_0 make of random vectors, test: [in, k], k > r (arXiv 0909.4061, algorithms 4.4 and 5.1)
    d = torch.sub(torch.to(w, FLOAT32), torch.to(base, FLOAT32))
    q = (self).orthonormal(torch.matmul(d, test))
    at = 0
    while at < powers:
      q = (self).orthonormal(torch.matmul(d, (self).orthonormal(torch.matmul(torch.t(d), q))))
      at = at + 1
    u, s, vh, = torch.linalg_svd(torch.matmul(torch.t(q), d), False)
    return (self).factors(torch.matmul(q, u), s, vh, rank)

  def distance(self: __torch__.K, x: Tensor, y: Tensor) -> float:
    # |x - y| over all elements
    d = torch.sub(torch.to(x, FLOAT32), torch.to(y, FLOAT32))
    return float(torch.sqrt(torch.sum(torch.mul(d, d))))

  def low_rank_distance(self: __torch__.K, w: Tensor, base: Tensor, a: Tensor, b: Tensor) -> float:
    # |W - W_0 - B A|
    return (self).distance(w, (self).adapted_rows(base, a, b, 1.))

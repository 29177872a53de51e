  # The parts of a layer that have no matrices of their own: norms, rotation, attention. Shapes and the model m are decoder.py's.

  def norm(self: __torch__.K, x: Tensor, w: Tensor, m: __torch__.Llama) -> Tensor:
    dtype = ops.prim.dtype(x)
    weight = w
    if m.norm_weight != 0:
      weight = torch.to(w, FLOAT32)
    if m.norm_weight == 2:
      weight = torch.add(weight, 1.)
    if (ops.prim.requires_grad(x) or ops.prim.requires_grad(w)) and not ops.prim.is_cuda(x):
      y = (self).unit_mean_square(x, m.eps)
      return torch.to(torch.mul(torch.to(y, ops.prim.dtype(weight)), weight), dtype)
    return torch.to(torch.rms_norm(torch.to(x, ops.prim.dtype(weight)), [torch.size(x, -1)], weight, m.eps), dtype)

  def unit_mean_square(self: __torch__.K, x: Tensor, eps: float) -> Tensor:
    # float32 x / sqrt(mean(x^2) + eps), for graphs: the first d numbers of sqrt(d) z / |z|, where z = [x, sqrt(d eps)]. libtorch computes z / |z| in one pass, and its
    # gradient in another, where the operations that its rms_norm consists of take a dozen
    d, rows = torch.size(x, -1), torch.floordiv(torch.numel(x), torch.size(x, -1))
    last = torch.full([rows, 1], torch.sqrt(d * eps), dtype=FLOAT32, layout=0, device=ops.prim.device(x))
    length = torch.full([rows, 1], torch.sqrt(d), dtype=FLOAT32, layout=0, device=ops.prim.device(x))
    z = torch.cat([torch.reshape(x, [rows, d]), last], 1)
    scaled, norms, = torch._weight_norm_interface(z, length, 0)
    y, rest, = torch.split_with_sizes(scaled, [d, 1], 1)
    return torch.reshape(y, torch.size(x))

  def optional_norm(self: __torch__.K, x: Tensor, w: Optional[Tensor], m: __torch__.Llama) -> Tensor:
    if torch.__is__(w, None):
      return x
    return (self).norm(x, unchecked_cast(Tensor, w), m)

  def heads_norm(self: __torch__.K, x: Tensor, w: Optional[Tensor], m: __torch__.Llama) -> Tensor:
    # x: [batch, sequence, heads * head_dim]; the norm of each head, or of all of them together
    if torch.__is__(w, None) or torch.size(unchecked_cast(Tensor, w), 0) == torch.size(x, -1):
      return (self).optional_norm(x, w, m)
    return torch.view_as((self).optional_norm(torch.view(x, [torch.size(x, 0), torch.size(x, 1), -1, m.head_dim]), w, m), x)

  def rope_rows(self: __torch__.K, rope: List[Tensor], row: int, length: int) -> List[Tensor]:
    return [torch.narrow(rope[0], 0, row, length), torch.narrow(rope[1], 0, row, length)]

  def rope_mask(self: __torch__.K, rope: List[Tensor]) -> Optional[Tensor]:
    found : Optional[Tensor] = None
    if len(rope) > 2:
      found = rope[2]
    return found

  def rotate(self: __torch__.K, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    # x: [batch, sequence, heads, head_dim]; the two halves of what is rotated, which comes first, are the two coordinates of each pair
    half, rest = torch.size(cos, -1), torch.size(x, -1) - 2 * torch.size(cos, -1)
    c = torch.unsqueeze(cos, 1)
    s = torch.unsqueeze(sin, 1)
    if rest == 0 and ops.prim.requires_grad(x):
      # the same values in whole heads: the gradient is two products and no sums of zeros
      return torch.addcmul(torch.mul(x, torch.cat([c, c], -1)), torch.roll(x, [half], [-1]), torch.cat([torch.neg(s), s], -1))
    a = torch.narrow(x, -1, 0, half)
    b = torch.narrow(x, -1, half, half)
    parts = [torch.addcmul(torch.mul(a, c), b, s, value=-1), torch.addcmul(torch.mul(b, c), a, s)]
    if rest > 0:
      parts = torch.append(parts, torch.narrow(x, -1, 2 * half, rest))
    return torch.cat(parts, -1)

  def rotate_layer(self: __torch__.K, x: Tensor, l: __torch__.Layer, cos: Tensor, sin: Tensor) -> Tensor:
    if l.rotation == 0:
      return (self).rotate(x, cos, sin)
    if l.rotation < 0:
      return x
    pairs = torch.floordiv(torch.size(cos, -1), 2)
    at = (l.rotation - 1) * pairs
    return (self).rotate(x, torch.narrow(cos, -1, at, pairs), torch.narrow(sin, -1, at, pairs))

  def repeat_heads(self: __torch__.K, x: Tensor, groups: int) -> Tensor:
    # [batch, kv_heads, sequence, head_dim] -> [batch, heads, sequence, head_dim]; enable_gqa would fall back to the math path on CPU
    if groups == 1:
      return x
    b, h, s, d = torch.size(x, 0), torch.size(x, 1), torch.size(x, 2), torch.size(x, 3)
    return torch.reshape(torch.expand(torch.unsqueeze(x, 2), [b, h, groups, s, d]), [b, h * groups, s, d])

  def within_window(self: __torch__.K, queries: int, keys: int, window: int, like: Tensor) -> Tensor:
    # bool [queries, keys]: the last queries of keys tokens attend to themselves and those before, at most window of them
    visible = torch.tril(torch.ones([queries, keys], dtype=BOOL, layout=0, device=ops.prim.device(like)), keys - queries)
    if window > 0:
      visible = torch.triu(visible, keys - queries - window + 1)
    return visible

  def attend(self: __torch__.K, q: Tensor, k: Tensor, v: Tensor, factor: float, window: int) -> Tensor:
    # Causal attention of the last tokens: q [batch, heads, sequence, head_dim], k and v [batch, kv_heads, keys, head_dim], keys >= sequence
    # -> [batch, heads, sequence, head_dim]. On the CPU, libtorch's fused kernel is half as fast as two batched products, so where no
    # graph is built, blocks of queries go against the keys that they may see; the scores are float32, as in the fused kernel.
    # attends_in_blocks(dtype) is beside linear.py's methods: it may be the other way round on other processors.
    # factor: of the scores; window: the most keys that a query sees, or 0
    s, keys, dtype = torch.size(q, 2), torch.size(k, 2), ops.prim.dtype(q)
    heads, kv = torch.size(q, 1), torch.size(k, 1)
    groups = torch.floordiv(heads, kv)
    graph = ops.prim.requires_grad(q) or ops.prim.requires_grad(k) or ops.prim.requires_grad(v)
    if graph or ops.prim.is_cuda(q) or not (self).attends_in_blocks(dtype):
      kk, vv = (self).repeat_heads(k, groups), (self).repeat_heads(v, groups)
      if s == keys and (window == 0 or window >= keys):
        return torch.scaled_dot_product_attention(q, kk, vv, None, 0., True, scale=factor)
      return torch.scaled_dot_product_attention(q, kk, vv, (self).within_window(s, keys, window, q), 0., False, scale=factor)
    n, d = torch.size(q, 0), torch.size(q, 3)
    qf = torch.to(q, FLOAT32)
    kt = torch.transpose(torch.reshape(torch.to(k, FLOAT32), [n * kv, keys, d]), 1, 2)
    vs = torch.reshape(v, [n * kv, keys, d])
    out = torch.empty([n, s, heads, d], dtype=dtype, layout=0, device=ops.prim.device(q))
    unused = torch.empty([1], dtype=FLOAT32, layout=0, device=ops.prim.device(q))  # beta = 0: what baddbmm would add is not read
    later = torch.triu(torch.full([64, 64], -inf, dtype=FLOAT32, layout=0, device=ops.prim.device(q)), 1)
    at = 0
    while at < s:
      m = min(64, s - at)
      end = keys - s + at + m
      first = 0
      if window > 0:
        first = max(0, end - m - window + 1)
      seen = end - first
      block = torch.reshape(torch.narrow(qf, 2, at, m), [n * kv, groups * m, d])
      z = torch.view(torch.baddbmm(unused, block, torch.narrow(kt, 2, first, seen), beta=0, alpha=factor), [n * kv, groups, m, seen])
      masked = torch.add_(torch.narrow(z, 3, seen - m, m), torch.narrow(torch.narrow(later, 0, 0, m), 1, 0, m))
      if window > 0 and window < end:
        z = torch.masked_fill_(z, torch.bitwise_not(torch.triu(torch.ones([m, seen], dtype=BOOL, layout=0, device=ops.prim.device(q)), seen - m - window + 1)), -inf)
      p = torch.view(torch.to(torch.softmax(z, -1, None), dtype), [n * kv, groups * m, seen])
      a = torch.view(torch.bmm(p, torch.narrow(vs, 1, first, seen)), [n, heads, m, d])
      written = torch.copy_(torch.narrow(out, 1, at, m), torch.transpose(a, 1, 2))
      at = at + m
    return torch.transpose(out, 1, 2)

  def attend_allowed(self: __torch__.K, q: Tensor, k: Tensor, v: Tensor, allowed: Optional[Tensor], factor: float, window: int) -> Tensor:
    # attention within whole sequences: causal, or to what is allowed
    if torch.__is__(allowed, None):
      return (self).attend(q, k, v, factor, window)
    mask = torch.to(unchecked_cast(Tensor, allowed), ops.prim.device(q), BOOL, False, False)
    if window > 0:
      mask = torch.bitwise_and(mask, (self).within_window(torch.size(q, 2), torch.size(k, 2), window, q))
    groups = torch.floordiv(torch.size(q, 1), torch.size(k, 1))
    return torch.scaled_dot_product_attention(q, (self).repeat_heads(k, groups), (self).repeat_heads(v, groups), mask, 0., False, scale=factor)

  def attend_last(self: __torch__.K, q: Tensor, keys: Tensor, values: Tensor, end: int, m: __torch__.Llama, window: int) -> Tensor:
    # one token, the last of those in the caches: q [batch, heads, 1, head_dim] -> the same.
    # every query head of a group sees the same keys: the group takes the place of the query sequence, and nothing is repeated
    first = 0
    if window > 0:
      first = max(0, end - window)
    n = torch.size(q, 0)
    grouped = torch.reshape(q, [n, m.num_kv_heads, torch.floordiv(m.num_heads, m.num_kv_heads), m.head_dim])
    a = torch.scaled_dot_product_attention(grouped, torch.narrow(keys, 2, first, end - first), torch.narrow(values, 2, first, end - first), None, 0., False, scale=m.attention_scale)
    return torch.reshape(a, [n, m.num_heads, 1, m.head_dim])

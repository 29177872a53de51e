  # Frozen layers with a backward pass of their own, for which autograd would keep more and compute more: the weights need no gradients, only the states do.
  # A layer keeps [x, |x|, q, k, v, h, |h|, gate, silu(gate), up]: x before it, h between its branches, both [batch, sequence, hidden]; lengths for norm_gradient;
  # q, k and v rotated, [batch, heads, sequence, head_dim].

  def frozen_product(self: __torch__.K, w: __torch__.Linear) -> bool:
    return len(w.lora) == 0 and w.blocks == 0 and ops.prim.dtype(w.weight) != INT8 and not ops.prim.requires_grad(w.weight)

  def llama_layer(self: __torch__.K, l: __torch__.Layer) -> bool:
    return torch.__isnot__(l.before_attention, None) and torch.__isnot__(l.before_mlp, None) and torch.__is__(l.after_attention, None) and torch.__is__(l.after_mlp, None) and torch.__is__(l.q_norm, None) and torch.__is__(l.k_norm, None) and not l.gelu and l.window == 0 and l.rotation == 0

  def keeps_layers(self: __torch__.K, m: __torch__.Llama, rope: List[Tensor]) -> bool:
    # whether kept_layers can compute layers of m: those of Llama, without adapters and on the CPU, over whole sequences, in types that norm_gradient has
    dtype = ops.prim.dtype(m.norm)
    found = (dtype == FLOAT32 or dtype == BFLOAT16) and len(rope) == 2 and m.norm_weight == 0 and m.residual_multiplier == 1. and 2 * torch.size(rope[0], -1) == m.head_dim and not ops.prim.is_cuda(m.norm)
    for l in m.layers:
      found = found and (self).llama_layer(l)
      for w in [l.q_proj, l.k_proj, l.v_proj, l.o_proj, l.gate_proj, l.up_proj, l.down_proj]:
        found = found and (self).frozen_product(w)
    return found

  def kept_norm(self: __torch__.K, x: Tensor, w: Optional[Tensor], eps: float) -> Tuple[Tensor, Tensor]:
    # the RMSNorm y = x sqrt(d) / |z| * w with z = [x, sqrt(d eps)], and |z| for its gradient
    d = torch.size(x, -1)
    f = torch.to(x, FLOAT32)
    length = torch.sqrt(torch.add(torch.pow(torch.linalg_vector_norm(f, 2, [-1], True), 2), d * eps))
    y = torch.to(torch.mul(f, torch.mul(torch.reciprocal(length), torch.sqrt(d))), ops.prim.dtype(x))
    return (torch.mul(y, unchecked_cast(Tensor, w)), length)

  def norm_gradient(self: __torch__.K, g: Tensor, x: Tensor, w: Optional[Tensor], length: Tensor) -> Tensor:
    # sqrt(d) / |z| (u - x <u, x> / |z|^2) with u = g w, which libtorch computes in one pass for the norms of weights
    d = torch.size(x, -1)
    root = torch.full([torch.floordiv(torch.numel(x), d), 1], torch.sqrt(d), dtype=ops.prim.dtype(x), layout=0, device=ops.prim.device(x))
    u = torch.reshape(torch.mul(g, unchecked_cast(Tensor, w)), [-1, d])
    rounded = torch.mul(torch.reshape(length, [-1, 1]), torch.div(torch.to(root, FLOAT32), torch.sqrt(d)))
    dx, unused, = torch._weight_norm_interface_backward(u, torch.reshape(x, [-1, d]), root, rounded, 0)
    return torch.view_as(dx, x)

  def kept_layer(self: __torch__.K, x: Tensor, m: __torch__.Llama, l: __torch__.Layer, cos: Tensor, sin: Tensor) -> List[Tensor]:
    # what the layer keeps, and the state after it
    n, length, = (self).kept_norm(x, l.before_attention, m.eps)
    q, k, v, = (self).qkv(n, m, l, cos, sin)
    h = torch.add_((self).attention_output((self).attend(q, k, v, m.attention_scale, 0), l), x)
    n, after, = (self).kept_norm(h, l.before_mlp, m.eps)
    gate, up = (self).weight_linear(n, l.gate_proj), (self).weight_linear(n, l.up_proj)
    silu = torch.silu(gate)
    y = torch.add_((self).weight_linear(torch.mul(silu, up), l.down_proj), h)
    return [x, length, q, k, v, h, after, gate, silu, up, y]

  def below(self: __torch__.K, g: Tensor, w: __torch__.Linear) -> Tensor:
    # the gradient of what a product reads
    return (self).linear(g, torch.t(w.weight), None)

  def layer_gradient(self: __torch__.K, g: Tensor, kept: List[Tensor], at: int, l: __torch__.Layer, factor: float, cos: Tensor, sin: Tensor) -> Tensor:
    # from the gradient of the state after the layer to that of the state before it
    x, h, gate, silu, up = kept[at], kept[at + 5], kept[at + 7], kept[at + 8], kept[at + 9]
    a = (self).below(g, l.down_proj)
    n = (self).below(torch.mul(a, silu), l.up_proj)
    n = torch.add_(n, (self).below(torch.silu_backward(torch.mul_(a, up), gate), l.gate_proj))
    gh = torch.add_((self).norm_gradient(n, h, l.before_mlp, kept[at + 6]), g)
    q, k, v, = (self).attention_gradient((self).below(gh, l.o_proj), kept[at + 2], kept[at + 3], kept[at + 4], factor)
    back = torch.neg(sin)
    n = (self).below(torch.flatten((self).rotate(q, cos, back), 2), l.q_proj)
    n = torch.add_(n, (self).below(torch.flatten((self).rotate(k, cos, back), 2), l.k_proj))
    n = torch.add_(n, (self).below(torch.flatten(v, 2), l.v_proj))
    return torch.add_((self).norm_gradient(n, x, l.before_attention, kept[at + 1]), gh)

  def attention_gradient(self: __torch__.K, g: Tensor, q: Tensor, k: Tensor, v: Tensor, factor: float) -> List[Tensor]:
    # causal attention: g [batch, sequence, heads * head_dim], q [batch, heads, sequence, head_dim], k and v with kv_heads
    # -> the gradients of q, k and v before their dimensions were exchanged, [batch, sequence, heads, head_dim].
    # With P = softmax(factor q k^T): dv = P^T g, dP = g v^T, dS = factor P (dP - sum(P dP)), dq = dS k, dk = dS^T q, for a block of queries at a time.
    # Scores and sums over blocks are float32
    b, heads, s, d, kv = torch.size(q, 0), torch.size(q, 1), torch.size(q, 2), torch.size(q, 3), torch.size(k, 1)
    dtype, groups = ops.prim.dtype(q), torch.floordiv(heads, kv)
    qf = torch.to(q, FLOAT32)
    gs = torch.transpose(torch.view(g, [b, s, heads, d]), 1, 2)
    ks, vs = torch.reshape(k, [b * kv, s, d]), torch.reshape(v, [b * kv, s, d])
    kt = torch.transpose(torch.to(ks, FLOAT32), 1, 2)
    unused = torch.empty([1], dtype=FLOAT32, layout=0, device=ops.prim.device(q))  # beta = 0: what baddbmm would add is not read
    dq = torch.empty([b, s, heads, d], dtype=dtype, layout=0, device=ops.prim.device(q))
    dk = torch.zeros([b * kv, s, d], dtype=FLOAT32, layout=0, device=ops.prim.device(q))
    dv = torch.zeros_like(dk)
    block = 128
    later = torch.triu(torch.full([block, block], -inf, dtype=FLOAT32, layout=0, device=ops.prim.device(q)), 1)
    at = 0
    while at < s:
      m = min(block, s - at)
      end = at + m
      rows = [b * kv, groups * m, d]
      z = torch.baddbmm(unused, torch.reshape(torch.narrow(qf, 2, at, m), rows), torch.narrow(kt, 2, 0, end), beta=0, alpha=factor)
      masked = torch.add_(torch.narrow(torch.view(z, [b * kv, groups, m, end]), 3, at, m), torch.narrow(torch.narrow(later, 0, 0, m), 1, 0, m))
      p = torch.to(torch.softmax(z, -1, None), dtype)
      gb, keys = torch.reshape(torch.narrow(gs, 2, at, m), rows), torch.narrow(ks, 1, 0, end)
      added = torch.add_(torch.narrow(dv, 1, 0, end), torch.bmm(torch.transpose(p, 1, 2), gb))
      ds = torch._softmax_backward_data(torch.bmm(gb, torch.transpose(torch.narrow(vs, 1, 0, end), 1, 2)), p, -1, dtype)
      added = torch.add_(torch.narrow(dk, 1, 0, end), torch.bmm(torch.transpose(ds, 1, 2), torch.reshape(torch.narrow(q, 2, at, m), rows)), alpha=factor)
      below = torch.view(torch.mul_(torch.bmm(ds, keys), factor), [b, heads, m, d])
      written = torch.copy_(torch.narrow(dq, 1, at, m), torch.transpose(below, 1, 2))
      at = end
    return [dq, (self).by_token(dk, b, dtype), (self).by_token(dv, b, dtype)]

  def by_token(self: __torch__.K, x: Tensor, batch: int, dtype: int) -> Tensor:
    # [batch * heads, sequence, head_dim] -> [batch, sequence, heads, head_dim]
    heads = torch.transpose(torch.view(x, [batch, -1, torch.size(x, 1), torch.size(x, 2)]), 1, 2)
    return torch.copy_(torch.empty(torch.size(heads), dtype=dtype, layout=0, device=ops.prim.device(x)), heads)

  def kept_layers(self: __torch__.K, x: Tensor, m: __torch__.Llama, rope: List[Tensor], row: int, first: int, last: int) -> List[Tensor]:
    # what layers first .. last - 1 keep, and the state after them
    cos, sin, = (self).rope_rows(rope, row, torch.size(x, 1))
    kept : List[Tensor] = []
    y = torch.detach(x)
    for i in range(first, last):
      layer = (self).kept_layer(y, m, m.layers[i], cos, sin)
      y = layer[10]
      for j in range(10):
        kept = torch.append(kept, layer[j])
    return torch.append(kept, y)

  def layers_gradient(self: __torch__.K, g: Tensor, kept: List[Tensor], m: __torch__.Llama, rope: List[Tensor], row: int, first: int, last: int) -> Tensor:
    cos, sin, = (self).rope_rows(rope, row, torch.size(g, 1))
    for i in range(last - first):
      at = last - 1 - i - first
      g = (self).layer_gradient(g, kept, 10 * at, m.layers[first + at], m.attention_scale, cos, sin)
    return g

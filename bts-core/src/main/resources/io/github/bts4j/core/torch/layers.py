  # Layers with a backward pass of their own, for which autograd would keep more and compute more.
  # A layer keeps [x, |x|, q, k, v, attended, h, |h|, gate, up]: x before it, h between its branches, both [batch, sequence, hidden]; lengths for norm_gradient;
  # q, k and v rotated, [batch, heads, sequence, head_dim]; attended, what o_proj reads, [batch, sequence, heads * head_dim], only where that is trained, else [0].
  # The gradients of trained weights go down those tensors' own graphs, layer by layer.

  def plain_product(self: __torch__.K, w: __torch__.Linear) -> bool:
    # x W^T + b, with the two factors of one adapter or without
    lora = len(w.lora) == 0 or (len(w.lora) == 2 and torch.dim(w.lora[0]) == 2)
    return lora and w.blocks == 0 and ops.prim.dtype(w.weight) != INT8

  def is_trained(self: __torch__.K, w: __torch__.Linear) -> bool:
    found = ops.prim.requires_grad(w.weight)
    if torch.__isnot__(w.bias, None):
      found = found or ops.prim.requires_grad(unchecked_cast(Tensor, w.bias))
    if len(w.lora) > 0:
      found = found or ops.prim.requires_grad(w.lora[0])
    return found

  def llama_layer(self: __torch__.K, l: __torch__.Layer) -> bool:
    return torch.__isnot__(l.before_attention, None) and torch.__isnot__(l.before_mlp, None) and torch.__is__(l.after_attention, None) and torch.__is__(l.after_mlp, None) and torch.__is__(l.q_norm, None) and torch.__is__(l.k_norm, None) and not l.gelu and l.window == 0 and l.rotation == 0

  def keeps_layers(self: __torch__.K, m: __torch__.Llama, rope: List[Tensor]) -> bool:
    # whether kept_layers can compute layers of m: those of Llama, not quantised and on the CPU, over whole sequences or documents in them, in types that norm_gradient has
    dtype = ops.prim.dtype(m.norm)
    found = (dtype == FLOAT32 or dtype == BFLOAT16) and len(rope) <= 3 and m.norm_weight == 0 and m.residual_multiplier == 1. and 2 * torch.size(rope[0], -1) == m.head_dim and not ops.prim.is_cuda(m.norm)
    for l in m.layers:
      found = found and (self).llama_layer(l)
      for w in [l.q_proj, l.k_proj, l.v_proj, l.o_proj, l.gate_proj, l.up_proj, l.down_proj]:
        found = found and (self).plain_product(w)
    return found

  def kept_norm(self: __torch__.K, x: Tensor, w: Optional[Tensor], eps: float) -> Tuple[Tensor, Tensor]:
    # the RMSNorm y = x sqrt(d) / |z| * w with z = [x, sqrt(d eps)], and |z| for its gradient
    d = torch.size(x, -1)
    length = torch.sqrt(torch.add(torch.pow(torch.linalg_vector_norm(torch.to(x, FLOAT32), 2, [-1], True), 2), d * eps))
    return (torch.mul((self).normalized(x, length), unchecked_cast(Tensor, w)), length)

  def normalized(self: __torch__.K, x: Tensor, length: Tensor) -> Tensor:
    # x sqrt(d) / |z|
    return torch.to(torch.mul(torch.to(x, FLOAT32), torch.mul(torch.reciprocal(length), torch.sqrt(torch.size(x, -1)))), ops.prim.dtype(x))

  def norm_gradient(self: __torch__.K, g: Tensor, x: Tensor, w: Optional[Tensor], length: Tensor) -> Tensor:
    # sqrt(d) / |z| (u - x <u, x> / |z|^2) with u = g w, which libtorch computes in one pass for the norms of weights
    weight = unchecked_cast(Tensor, w)
    d = torch.size(x, -1)
    if ops.prim.requires_grad(weight):
      (self).backward_each([weight], [torch.sum(torch.flatten(torch.mul(g, (self).normalized(x, length)), 0, 1), [0])])
    root = torch.full([torch.floordiv(torch.numel(x), d), 1], torch.sqrt(d), dtype=ops.prim.dtype(x), layout=0, device=ops.prim.device(x))
    u = torch.reshape(torch.mul(g, weight), [-1, d])
    rounded = torch.mul(torch.reshape(length, [-1, 1]), torch.div(torch.to(root, FLOAT32), torch.sqrt(d)))
    dx, unused, = torch._weight_norm_interface_backward(u, torch.reshape(x, [-1, d]), root, rounded, 0)
    return torch.view_as(dx, x)

  def kept_layer(self: __torch__.K, x: Tensor, m: __torch__.Llama, l: __torch__.Layer, cos: Tensor, sin: Tensor, allowed: Optional[Tensor]) -> List[Tensor]:
    # what the layer keeps, and the state after it
    n, length, = (self).kept_norm(x, l.before_attention, m.eps)
    q, k, v, = (self).qkv(n, m, l, cos, sin)
    attended = (self).by_head((self).attend_allowed(q, k, v, allowed, m.attention_scale, 0))
    h = torch.add_((self).weight_linear(attended, l.o_proj), x)
    if not (self).is_trained(l.o_proj):
      attended = torch.empty([0], dtype=ops.prim.dtype(x), layout=0, device=ops.prim.device(x))
    n, after, = (self).kept_norm(h, l.before_mlp, m.eps)
    gate, up = (self).weight_linear(n, l.gate_proj), (self).weight_linear(n, l.up_proj)
    y = torch.add_((self).weight_linear(torch.mul_(torch.silu(gate), up), l.down_proj), h)
    return [x, length, q, k, v, attended, h, after, gate, up, y]

  def weight_gradient(self: __torch__.K, g: Tensor, x: Tensor) -> Tensor:
    # [.., out], [.., in] -> [out, in], summed over the rows
    return (self).linear(torch.t(torch.flatten(g, 0, 1)), torch.t(torch.flatten(x, 0, 1)), None)

  def product_gradient(self: __torch__.K, g: Tensor, x: Tensor, w: __torch__.Linear) -> Tensor:
    # the gradient of what a product reads; x is what it read, used only where something of w is trained
    below = (self).linear(g, torch.t(w.weight), None)
    if ops.prim.requires_grad(w.weight):
      (self).backward_each([w.weight], [(self).weight_gradient(g, x)])
    if torch.__isnot__(w.bias, None):
      bias = unchecked_cast(Tensor, w.bias)
      if ops.prim.requires_grad(bias):
        (self).backward_each([bias], [torch.sum(torch.flatten(g, 0, 1), [0])])
    if len(w.lora) > 0:
      a, b = w.lora[0], w.lora[1]
      low = (self).linear(g, torch.t(b), None)
      if ops.prim.requires_grad(a):
        (self).backward_each([a, b], [(self).weight_gradient(low, x), (self).weight_gradient(g, (self).linear(x, a, None))])
      below = (self).add_product(below, low, torch.t(a), 1.)
    return below

  def read_norm(self: __torch__.K, x: Tensor, w: Optional[Tensor], length: Tensor, readers: List[__torch__.Linear]) -> Tensor:
    # what products read behind a norm, where one of them is trained
    for reader in readers:
      if (self).is_trained(reader):
        return torch.mul((self).normalized(x, length), unchecked_cast(Tensor, w))
    return x

  def layer_gradient(self: __torch__.K, g: Tensor, kept: List[Tensor], l: __torch__.Layer, factor: float, cos: Tensor, sin: Tensor, allowed: Optional[Tensor]) -> Tensor:
    # from the gradient of the state after the layer to that of the state before it
    x, length, queries, keys, values, attended, h, after, gate, up, = kept
    silu = torch.silu(gate)
    read = silu
    if (self).is_trained(l.down_proj):
      read = torch.mul(silu, up)
    a = (self).product_gradient(g, read, l.down_proj)
    read = (self).read_norm(h, l.before_mlp, after, [l.up_proj, l.gate_proj])
    n = (self).product_gradient(torch.mul(a, silu), read, l.up_proj)
    n = torch.add_(n, (self).product_gradient(torch.silu_backward(torch.mul_(a, up), gate), read, l.gate_proj))
    gh = torch.add_((self).norm_gradient(n, h, l.before_mlp, after), g)
    q, k, v, = (self).attention_gradient((self).product_gradient(gh, attended, l.o_proj), queries, keys, values, factor, allowed)
    back = torch.neg(sin)
    read = (self).read_norm(x, l.before_attention, length, [l.q_proj, l.k_proj, l.v_proj])
    n = (self).product_gradient(torch.flatten((self).rotate(q, cos, back), 2), read, l.q_proj)
    n = torch.add_(n, (self).product_gradient(torch.flatten((self).rotate(k, cos, back), 2), read, l.k_proj))
    n = torch.add_(n, (self).product_gradient(torch.flatten(v, 2), read, l.v_proj))
    return torch.add_((self).norm_gradient(n, x, l.before_attention, length), gh)

  def attention_gradient(self: __torch__.K, g: Tensor, q: Tensor, k: Tensor, v: Tensor, factor: float, allowed: Optional[Tensor]) -> List[Tensor]:
    # causal attention, or that of allowed, [batch, 1, sequence, sequence], which is causal too: g [batch, sequence, heads * head_dim], q [batch, heads, sequence, head_dim], k and v with kv_heads
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
      if torch.__isnot__(allowed, None):
        seen = torch.narrow(torch.narrow(unchecked_cast(Tensor, allowed), 2, at, m), 3, 0, end)
        masked = torch.masked_fill_(torch.view(z, [b, heads, m, end]), torch.logical_not(seen), -inf)
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
      layer = (self).kept_layer(y, m, m.layers[i], cos, sin, (self).rope_mask(rope))
      y = layer[10]
      for j in range(10):
        kept = torch.append(kept, layer[j])
    return torch.append(kept, y)

  def layers_gradient(self: __torch__.K, g: Tensor, kept: List[Tensor], m: __torch__.Llama, rope: List[Tensor], row: int, first: int, last: int) -> Tensor:
    cos, sin, = (self).rope_rows(rope, row, torch.size(g, 1))
    for i in range(last - first):
      at = last - 1 - i - first
      g = (self).layer_gradient(g, torch.slice(kept, 10 * at, 10 * at + 10), m.layers[first + at], m.attention_scale, cos, sin, (self).rope_mask(rope))
    return g

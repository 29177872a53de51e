  # Upcycled mixtures over the decoder's kernels: Branch-Train-MiX (arXiv 2403.07816) and BAM (arXiv 2408.08274).
  #
  # models: one whole decoder per expert; what the experts share is the same tensor in each of them.
  # routers: [experts, hidden] per layer, of the feed-forward networks, then, where attention is a mixture too, as many of attention.
  # adapters: no entry, or [hidden, hidden] per layer and expert, of the feed-forward networks, then of attention.
  # top1: every token goes to one feed-forward network; otherwise to all of them, weighted by softmax.

  def routed(self: __torch__.K, x: Tensor, router: Tensor) -> Tensor:
    # x: [.., hidden] -> the experts' weights, [.., experts]
    return torch.softmax((self).linear(x, router, None), -1, None)

  def adapted(self: __torch__.K, x: Tensor, adapters: List[Tensor], at: int) -> Tensor:
    if len(adapters) == 0:
      return x
    return (self).linear(x, adapters[at], None)

  def soft_mlp(self: __torch__.K, x: Tensor, models: List[__torch__.Llama], routers: List[Tensor], adapters: List[Tensor], layer: int) -> Tensor:
    # y = sum_i softmax(W x)_i A_i FFN_i(x)
    n = len(models)
    g = (self).routed(x, routers[layer])
    y = torch.mul((self).adapted((self).mlp(x, models[0].layers[layer]), adapters, layer * n), torch.narrow(g, -1, 0, 1))
    for i in range(1, n):
      y = torch.addcmul(y, (self).adapted((self).mlp(x, models[i].layers[layer]), adapters, layer * n + i), torch.narrow(g, -1, i, 1))
    return y

  def top1_mlp(self: __torch__.K, x: Tensor, models: List[__torch__.Llama], routers: List[Tensor], layer: int, seed: int) -> Tensor:
    # y = FFN_i(x) with i = argmax(W x). In training (seed >= 0) Gumbel noise is added to W x, which makes i a sample of softmax(W x), and the gradient of
    # the relaxed choice stands for that of the hard one: straight-through Gumbel-softmax (arXiv 1611.01144), temperature 1
    flat = torch.reshape(x, [-1, torch.size(x, -1)])
    z = (self).linear(flat, routers[layer], None)
    if seed >= 0:
      generator = torch.Generator(device=ops.prim.device(z), seed=seed + layer)
      u = torch.clamp(torch.uniform_(torch.empty_like(torch.detach(z)), 0., 1., generator=generator), 9.9999999999999995e-21)
      z = torch.sub(z, torch.log(torch.clamp(torch.neg(torch.log(u)), 9.9999999999999995e-21)))
    g = torch.softmax(z, -1, None)
    chosen = torch.argmax(z, -1)
    y = torch.zeros_like(flat)
    for i in range(len(models)):
      rows = torch.flatten(torch.nonzero(torch.eq(chosen, i)))
      if torch.numel(rows) > 0:
        e = (self).mlp(torch.index_select(flat, 0, rows), models[i].layers[layer])
        if seed >= 0:
          p = torch.index_select(torch.narrow(g, 1, i, 1), 0, rows)
          e = torch.mul(e, torch.add(torch.sub(p, torch.detach(p)), 1.))
        y = torch.index_add(y, 0, rows, e)
    return torch.view_as(y, x)

  def upcycled_output(self: __torch__.K, x: Tensor, attended: Tensor, models: List[__torch__.Llama], routers: List[Tensor], adapters: List[Tensor], top1: bool, seed: int, layer: int) -> Tensor:
    # attended: what attention adds to the residual stream
    h = (self).add_residual(x, attended)
    m = (self).optional_norm(h, models[0].layers[layer].before_mlp, models[0])
    if top1:
      return (self).add_residual(h, (self).top1_mlp(m, models, routers, layer, seed))
    return (self).add_residual(h, (self).soft_mlp(m, models, routers, adapters, layer))

  def joined(self: __torch__.K, x: Tensor, each: List[Tensor], routers: List[Tensor], adapters: List[Tensor], layer: int, layers: int) -> Tensor:
    # x: the normalised state; each: every attention expert's output, or the shared attention's alone
    if len(each) == 1:
      return each[0]
    g = (self).routed(x, routers[layers + layer])
    at = (layers + layer) * len(each)
    y = torch.mul((self).adapted(each[0], adapters, at), torch.narrow(g, -1, 0, 1))
    for i in range(1, len(each)):
      y = torch.addcmul(y, (self).adapted(each[i], adapters, at + i), torch.narrow(g, -1, i, 1))
    return y

  def attentions(self: __torch__.K, models: List[__torch__.Llama], routers: List[Tensor], layers: int) -> int:
    if len(routers) > layers:
      return len(models)
    return 1

  def each_attention(self: __torch__.K, x: Tensor, models: List[__torch__.Llama], cos: Tensor, sin: Tensor, allowed: Optional[Tensor], layer: int, count: int) -> List[Tensor]:
    # a loop of its own: in a loop within a loop, libtorch's interpreter lets go of x after the first turn
    each : List[Tensor] = []
    for i in range(count):
      q, k, v, = (self).qkv(x, models[i], models[i].layers[layer], cos, sin)
      each = torch.append(each, (self).attention_output((self).attend_allowed(q, k, v, allowed, models[i].attention_scale, models[i].layers[layer].window), models[i].layers[layer]))
    return each

  def each_cached_attention(self: __torch__.K, x: Tensor, models: List[__torch__.Llama], cos: Tensor, sin: Tensor, layer: int, keys: List[List[Tensor]], values: List[List[Tensor]], starts: List[int]) -> List[Tensor]:
    each : List[Tensor] = []
    for i in range(torch.floordiv(len(keys), len(starts))):
      a = (self).decode_attention(x, models[i], layer, cos, sin, keys, values, i * len(starts), starts)
      each = torch.append(each, (self).attention_output(a, models[i].layers[layer]))
    return each

  def upcycled_hidden(self: __torch__.K, ids: Tensor, models: List[__torch__.Llama], rope: List[Tensor], row: int, routers: List[Tensor], adapters: List[Tensor], top1: bool, seed: int) -> Tensor:
    # ids: [batch, sequence] -> the state after the final norm, [batch, sequence, hidden]; seed < 0: no noise
    cos, sin, = (self).rope_rows(rope, row, torch.size(ids, 1))
    layers = len(models[0].layers)
    x = (self).embed(ids, models[0])
    for layer in range(layers):
      n = (self).optional_norm(x, models[0].layers[layer].before_attention, models[0])
      each = (self).each_attention(n, models, cos, sin, (self).rope_mask(rope), layer, (self).attentions(models, routers, layers))
      x = (self).upcycled_output(x, (self).joined(n, each, routers, adapters, layer, layers), models, routers, adapters, top1, seed, layer)
    return (self).final_norm(x, models[0])

  def upcycled(self: __torch__.K, ids: Tensor, models: List[__torch__.Llama], rope: List[Tensor], row: int, routers: List[Tensor], adapters: List[Tensor], top1: bool) -> Tensor:
    # ids: [batch, sequence] -> float32 logits [batch, sequence, vocabulary]
    h = (self).upcycled_hidden(ids, models, rope, row, routers, adapters, top1, -1)
    return (self).head_logits(h, models[0])

  def upcycled_decode(self: __torch__.K, ids: Tensor, models: List[__torch__.Llama], ropes: List[List[Tensor]], rows: List[int], routers: List[Tensor], adapters: List[Tensor], top1: bool, keys: List[List[Tensor]], values: List[List[Tensor]], starts: List[int]) -> Tensor:
    # ids: [1, tokens] -> float32 logits [sessions, vocabulary]; keys, values: attention 0 of every session, then attention 1 of every session, ..
    cos, sin, = (self).decode_ropes(ropes, rows, 0, torch.size(ids, 1), len(starts))
    layers = len(models[0].layers)
    x = (self).embed(ids, models[0])
    for layer in range(layers):
      n = (self).optional_norm(x, models[0].layers[layer].before_attention, models[0])
      each = (self).each_cached_attention(n, models, cos, sin, layer, keys, values, starts)
      x = (self).upcycled_output(x, (self).joined(n, each, routers, adapters, layer, layers), models, routers, adapters, top1, -1, layer)
    return (self).decode_logits(x, models[0], len(starts))

  # Branch-Train-Stitch (arXiv 2502.00075, section 3 and appendix B) over the decoder's kernels.
  #
  # h: the streams [hub, expert 1, .., expert n], each [batch, sequence, hidden].
  # models, ropes, rows, keys, values: one entry per stream.
  # A stitch j sits after layer after_layers[j] (1-based); into_hub[j] is 1 for Experts-into-Hub and 0 for Hub-into-Experts.
  # gates[j]: [n + 1, hidden, hidden] (model, out, in); biases[j]: [n + 1, hidden], or no entry at all;
  # projs[j * n + i - 1]: [hidden, hidden] (out, in) of expert i.
  # Experts may lie on devices of their own: a stream goes to its model's device for its layers, and to the hub's for a stitch.

  def here(self: __torch__.K, x: Tensor, like: Tensor) -> Tensor:
    return torch.to(x, ops.prim.device(like), ops.prim.dtype(x), False, False)

  def gathered(self: __torch__.K, h: List[Tensor]) -> List[Tensor]:
    out : List[Tensor] = []
    for x in h:
      out = torch.append(out, (self).here(x, h[0]))
    return out

  def typed(self: __torch__.K, x: Tensor, like: Tensor) -> Tensor:
    # float32 master weights in the type of the streams; differentiable, and nothing at all when the types agree
    return torch.to(x, ops.prim.dtype(like))

  def gate(self: __torch__.K, hub: Tensor, gates: List[Tensor], biases: List[Tensor], j: int, first: int, dropout: float, into_hub: int, seed: int) -> Tensor:
    # hub: [batch, sequence, hidden] -> gate values of models first .. n, [batch, sequence, models, hidden]
    g = gates[j]
    models, d = torch.size(g, 0) - first, torch.size(g, 1)
    weight = torch.reshape((self).typed(torch.narrow(g, 0, first, models), hub), [models * d, d])
    bias : Optional[Tensor] = None
    if len(biases) > 0:
      bias = torch.reshape((self).typed(torch.narrow(biases[j], 0, first, models), hub), [models * d])
    z = torch.view((self).linear(hub, weight, bias), [torch.size(hub, 0), torch.size(hub, 1), models, d])
    if dropout > 0.:
      z = (self).dropped(z, dropout, seed)
    if into_hub == 1:
      return torch.softmax(z, -2, None)
    return torch.sigmoid(z)

  def dropped(self: __torch__.K, z: Tensor, dropout: float, seed: int) -> Tensor:
    # torch.dropout's arithmetic and draws, from a generator of its own: passes on other threads do not disturb it
    noise = torch.bernoulli_(torch.empty_like(z), 1. - dropout, generator=torch.Generator(device=ops.prim.device(z), seed=seed))
    return torch.mul(z, torch.div_(noise, 1. - dropout))

  def experts_into_hub(self: __torch__.K, h: List[Tensor], g: Tensor, projs: List[Tensor], j: int) -> List[Tensor]:
    # eq. 3: h~_i = W_i h_i for the experts; h~_0 = g_0 * h_0 + sum_i g_i * h~_i
    n = len(h) - 1
    hub = torch.mul(torch.select(g, 2, 0), h[0])
    out = [hub]
    for i in range(n):
      e = (self).linear(h[i + 1], (self).typed(projs[j * n + i], h[0]), None)
      hub = torch.addcmul(hub, torch.select(g, 2, i + 1), e)
      out = torch.append(out, e)
    out[0] = hub
    return out

  def hub_into_experts(self: __torch__.K, h: List[Tensor], g: Tensor, first: int, projs: List[Tensor], j: int) -> List[Tensor]:
    # eq. 4: h~_0 = h_0; h~_i = (1 - g_i) * h_i + g_i * W_i h_0; g holds the values of models first .. n
    n = len(h) - 1
    out = [h[0]]
    for i in range(n):
      p = (self).linear(h[0], (self).typed(projs[j * n + i], h[0]), None)
      out = torch.append(out, torch.lerp(h[i + 1], p, torch.select(g, 2, i + 1 - first)))
    return out

  def stitch(self: __torch__.K, h: List[Tensor], gates: List[Tensor], biases: List[Tensor], projs: List[Tensor], j: int, into_hub: int, dropout: float, seed: int) -> List[Tensor]:
    h = (self).gathered(h)
    if into_hub == 1:
      return (self).experts_into_hub(h, (self).gate(h[0], gates, biases, j, 0, dropout, 1, seed), projs, j)
    return (self).hub_into_experts(h, (self).gate(h[0], gates, biases, j, 1, dropout, 0, seed), 1, projs, j)

  def stream_layers(self: __torch__.K, x: Tensor, i: int, models: List[__torch__.Llama], ropes: List[List[Tensor]], rows: List[int], first: int, last: int) -> Tensor:
    # layers first .. last - 1 (0-based) of stream i
    x = (self).here(x, models[i].norm)
    cos, sin, = (self).rope_rows(ropes[i], rows[i], torch.size(x, 1))
    m = models[i]
    for layer in range(first, last):
      x = (self).layer(x, m, m.layers[layer], cos, sin, (self).rope_mask(ropes[i]))
    return x

  def layers(self: __torch__.K, h: List[Tensor], models: List[__torch__.Llama], ropes: List[List[Tensor]], rows: List[int], stream: int, first: int, last: int) -> List[Tensor]:
    # layers first .. last - 1 (0-based) of streams stream .. n
    out = torch.list(h)
    for i in range(stream, len(h)):
      out[i] = (self).stream_layers(h[i], i, models, ropes, rows, first, last)
    return out

  def embed_each(self: __torch__.K, ids: Tensor, models: List[__torch__.Llama]) -> List[Tensor]:
    h : List[Tensor] = []
    for i in range(len(models)):
      h = torch.append(h, (self).embed((self).here(ids, models[i].norm), models[i]))
    return h

  def prefix(self: __torch__.K, ids: Tensor, models: List[__torch__.Llama], ropes: List[List[Tensor]], rows: List[int], after_layers: List[int]) -> List[Tensor]:
    # the streams just before the first stitch: no trained weight has touched them
    h = (self).embed_each(ids, models)
    return (self).layers(h, models, ropes, rows, 0, 0, after_layers[0])

  def stream_prefix(self: __torch__.K, ids: Tensor, models: List[__torch__.Llama], ropes: List[List[Tensor]], rows: List[int], i: int, after_layers: List[int]) -> List[Tensor]:
    # stream i alone, with no stitch in between, just behind each of the after_layers
    x = (self).embed((self).here(ids, models[i].norm), models[i])
    out : List[Tensor] = []
    first = 0
    for last in after_layers:
      x = (self).stream_layers(x, i, models, ropes, rows, first, last)
      out = torch.append(out, x)
      first = last
    return out

  def suffix(self: __torch__.K, h: List[Tensor], models: List[__torch__.Llama], ropes: List[List[Tensor]], rows: List[int], hub: List[Tensor], after_layers: List[int], into_hub: List[int], gates: List[Tensor], biases: List[Tensor], projs: List[Tensor], dropout: float, seed: int) -> Tensor:
    # from the streams before the first stitch to the hub's state after its final norm, [batch, sequence, hidden].
    # hub: its states before the second stitch, the third, .., as far as they are known
    for j in range(len(after_layers)):
      h = (self).training_stitch(h, gates, biases, projs, j, into_hub[j], dropout, seed)
      if j + 1 < len(after_layers):
        known = j < len(hub)
        h = (self).layers(h, models, ropes, rows, int(known), after_layers[j], after_layers[j + 1])
        if known:
          h[0] = hub[j]
    return (self).final_norm(h[0], models[0])

  def training_stitch(self: __torch__.K, h: List[Tensor], gates: List[Tensor], biases: List[Tensor], projs: List[Tensor], j: int, into_hub: int, dropout: float, seed: int) -> List[Tensor]:
    # every stitch draws from a seed of its own, so that it can be computed again by itself
    return (self).stitch(h, gates, biases, projs, j, into_hub, dropout, seed + j)

  def stitched_trace(self: __torch__.K, ids: Tensor, models: List[__torch__.Llama], ropes: List[List[Tensor]], rows: List[int], after_layers: List[int], into_hub: List[int], gates: List[Tensor], biases: List[Tensor], projs: List[Tensor], wanted: List[int]) -> List[Tensor]:
    # float32 [logits], then for every stitch in wanted its gate values [batch, sequence, hidden, n + 1] and the n + 1 stitched states
    h = (self).prefix(ids, models, ropes, rows, after_layers)
    found = [torch.to(h[0], FLOAT32)]
    for j in range(len(after_layers)):
      h = (self).gathered(h)
      g = (self).gate(h[0], gates, biases, j, 0, 0., into_hub[j], 0)
      if into_hub[j] == 1:
        h = (self).experts_into_hub(h, g, projs, j)
      else:
        h = (self).hub_into_experts(h, g, 0, projs, j)
      if torch.__contains__(wanted, j):
        found = torch.append(found, torch.to(torch.contiguous(torch.transpose(g, 2, 3)), FLOAT32))
        for i in range(len(h)):
          found = torch.append(found, torch.to(h[i], FLOAT32))
      if j + 1 < len(after_layers):
        h = (self).layers(h, models, ropes, rows, 0, after_layers[j], after_layers[j + 1])
    found[0] = (self).head_logits((self).final_norm(h[0], models[0]), models[0])
    return found

  def gate_inputs(self: __torch__.K, ids: Tensor, models: List[__torch__.Llama], ropes: List[List[Tensor]], rows: List[int], after_layers: List[int], into_hub: List[int], gates: List[Tensor], biases: List[Tensor], projs: List[Tensor]) -> Tensor:
    # float32 [after_layers]: the mean L1 norm of the hub's states that each stitch's gates read
    h = (self).prefix(ids, models, ropes, rows, after_layers)
    norms = annotate(List[Tensor], [])
    for j in range(len(after_layers)):
      h = (self).gathered(h)
      norms = torch.append(norms, torch.mean(torch.sum(torch.abs(torch.to(h[0], FLOAT32)), [-1])))
      h = (self).stitch(h, gates, biases, projs, j, into_hub[j], 0., 0)
      if j + 1 < len(after_layers):
        h = (self).layers(h, models, ropes, rows, 0, after_layers[j], after_layers[j + 1])
    return torch.stack(norms)

  def stitched_logits(self: __torch__.K, hidden: Tensor, head: Tensor) -> Tensor:
    return torch.to((self).linear(hidden, head, None), FLOAT32)

  def stream_decode(self: __torch__.K, x: Tensor, models: List[__torch__.Llama], ropes: List[List[Tensor]], rows: List[int], i: int, first: int, last: int, keys: List[List[Tensor]], values: List[List[Tensor]], starts: List[int]) -> Tensor:
    # layers first .. last - 1 (0-based) of stream i for new tokens x: [1, tokens, hidden]; its caches grow by them.
    # ropes, rows, keys and values hold stream 0 of every session, then stream 1 of every session, ..
    return (self).decode_layers((self).here(x, models[i].norm), models[i], ropes, rows, keys, values, i * len(starts), starts, first, last)

  def decode_streams(self: __torch__.K, h: List[Tensor], models: List[__torch__.Llama], joint: __torch__.Llama, together: List[int], ropes: List[List[Tensor]], rows: List[int], first: int, last: int, keys: List[List[Tensor]], values: List[List[Tensor]], starts: List[int]) -> List[Tensor]:
    # layers first .. last - 1 (0-based) of all streams for new tokens. Streams together, the hub first, are adapters of the hub: one new token of each session goes through
    # their layers as rows of one product, in joint
    sessions = len(starts)
    jointly = len(together) > 1 and torch.size(h[0], 1) == sessions
    out = torch.list(h)
    if jointly:
      states : List[Tensor] = []
      joint_ropes : List[List[Tensor]] = []
      joint_rows : List[int] = []
      joint_keys : List[List[Tensor]] = []
      joint_values : List[List[Tensor]] = []
      joint_starts : List[int] = []
      for i in together:
        states = torch.append(states, (self).here(h[i], joint.norm))
        for k in range(i * sessions, (i + 1) * sessions):
          joint_ropes = torch.append(joint_ropes, ropes[k])
          joint_rows = torch.append(joint_rows, rows[k])
          joint_keys = torch.append(joint_keys, keys[k])
          joint_values = torch.append(joint_values, values[k])
        joint_starts = torch.add(joint_starts, starts)
      x = torch.cat(states, 1)
      cos, sin, = (self).session_ropes(joint_ropes, joint_rows, 0, len(joint_rows))
      for layer in range(first, last):
        x = (self).decode_layer(x, joint, layer, cos, sin, joint_keys, joint_values, 0, joint_starts)
      for k in range(len(together)):
        out[together[k]] = torch.narrow(x, 1, k * sessions, sessions)
    for i in range(len(h)):
      if not (jointly and torch.__contains__(together, i)):
        out[i] = (self).stream_decode(h[i], models, ropes, rows, i, first, last, keys, values, starts)
    return out

  def stitched_decode(self: __torch__.K, ids: Tensor, models: List[__torch__.Llama], joint: __torch__.Llama, together: List[int], ropes: List[List[Tensor]], rows: List[int], after_layers: List[int], into_hub: List[int], gates: List[Tensor], biases: List[Tensor], projs: List[Tensor], keys: List[List[Tensor]], values: List[List[Tensor]], starts: List[int]) -> Tensor:
    # ids: [1, tokens] -> float32 logits [sessions, vocabulary]
    h = (self).embed_each(ids, models)
    first = 0
    for j in range(len(after_layers)):
      h = (self).decode_streams(h, models, joint, together, ropes, rows, first, after_layers[j], keys, values, starts)
      h = (self).stitch(h, gates, biases, projs, j, into_hub[j], 0., 0)
      first = after_layers[j]
    return (self).decode_logits(h[0], models[0], len(starts))

  def channel_means(self: __torch__.K, g: Tensor) -> Tensor:
    # gates of the tokens of one step -> their means over the channels, float32 [tokens, n + 1]
    return torch.select(torch.mean(torch.to(g, FLOAT32), [-1]), 0, 0)

  def gate_means(self: __torch__.K, hub: Tensor, gates: List[Tensor], biases: List[Tensor], j: int) -> Tensor:
    # hub: [1, tokens, hidden], the hub's state before the Experts-into-Hub stitch j
    return (self).channel_means((self).gate(hub, gates, biases, j, 0, 0., 1, 0))

  def stitched_decode_gates(self: __torch__.K, ids: Tensor, models: List[__torch__.Llama], joint: __torch__.Llama, together: List[int], ropes: List[List[Tensor]], rows: List[int], after_layers: List[int], into_hub: List[int], gates: List[Tensor], biases: List[Tensor], projs: List[Tensor], keys: List[List[Tensor]], values: List[List[Tensor]], starts: List[int]) -> List[Tensor]:
    # stitched_decode with gates: its logits, then for every Experts-into-Hub stitch the gates' means over the channels, float32 [tokens, n + 1]
    h = (self).embed_each(ids, models)
    found = [torch.to(h[0], FLOAT32)]
    first = 0
    for j in range(len(after_layers)):
      h = (self).decode_streams(h, models, joint, together, ropes, rows, first, after_layers[j], keys, values, starts)
      h = (self).gathered(h)
      if into_hub[j] == 1:
        g = (self).gate(h[0], gates, biases, j, 0, 0., 1, 0)
        found = torch.append(found, (self).channel_means(g))
        h = (self).experts_into_hub(h, g, projs, j)
      else:
        h = (self).stitch(h, gates, biases, projs, j, 0, 0., 0)
      first = after_layers[j]
    found[0] = (self).decode_logits(h[0], models[0], len(starts))
    return found

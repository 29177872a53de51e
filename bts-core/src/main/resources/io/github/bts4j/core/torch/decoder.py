  # The Llama decoder in TorchScript: Llama 2 (arXiv 2307.09288) as Hugging Face transformers computes it.
  #
  # A model is a flat list of weights, w: [embed_tokens, norm, lm_head], then nine per layer:
  #   input_layernorm, q_proj, k_proj, v_proj, o_proj, post_attention_layernorm, gate_proj, up_proj, down_proj
  # With int8 weights the list goes on with as many scales: [out] for a matrix [out, in], whose weights are int8 * scale; empty for a norm.
  # its biases, b: seven per layer (q, k, v, o, gate, up, down), an empty tensor where there is none; or no entry at all;
  # and its dimensions, dims: [num_heads, num_kv_heads, head_dim, num_layers].
  # rope: [cos, sin], each [positions, head_dim / 2], in the weights' type; row is the row of the first token at hand. A third entry, [batch, 1, sequence,
  # sequence], says which tokens a token may attend to, where that is not all before it.
  # dtypes are PyTorch's numbers: 4 int64, 5 float16, 6 float32, 11 bool, 15 bfloat16.

  def weight_linear(self: __torch__.K, x: Tensor, w: List[Tensor], at: int, b: Optional[Tensor]) -> Tensor:
    # x times the transposed weight number at; int8 weights [out, in] have their scales [out] in the second half of w
    if ops.prim.dtype(w[at]) != 1:
      return (self).linear(x, w[at], b)
    scale = w[at + torch.floordiv(len(w), 2)]
    rows, k = torch.floordiv(torch.numel(x), torch.size(x, -1)), torch.size(x, -1)
    graph = ops.prim.requires_grad(x)
    packed = not graph and rows <= 16 and not ops.prim.is_cuda(x) and (self).packed_int8(ops.prim.dtype(x))
    if not packed or torch.remainder(k, 32) != 0 or torch.remainder(torch.size(w[at], 0), 4) != 0:
      return (self).linear(x, (self).dequantize(w[at], scale), b)
    # libtorch's int8 kernel reads each weight once per four rows; beyond sixteen rows, dequantising first is faster
    y = (self).packed_product(torch.contiguous(torch.reshape(x, [rows, k])), w[at], scale)
    if torch.__isnot__(b, None):
      y = torch.add_(y, torch.to(unchecked_cast(Tensor, b), ops.prim.dtype(y)))
    shape = torch.size(x)
    shape[-1] = torch.size(y, -1)
    return torch.reshape(y, shape)
  
  def dequantize(self: __torch__.K, q: Tensor, scale: Tensor) -> Tensor:
    return torch.mul_(torch.to(q, ops.prim.dtype(scale)), torch.unsqueeze(scale, 1))
  
  def quantize(self: __torch__.K, w: Tensor, dtype: int) -> List[Tensor]:
    # [out, in] -> int8 [out, in] and scales [out] in dtype; the scale is rounded before it is divided by, and upwards, so that nothing is clipped
    n, at = torch.size(w, 0), 0
    q = torch.empty([n, torch.size(w, 1)], dtype=1, layout=0, device=ops.prim.device(w))
    scales = torch.empty([n], dtype=dtype, layout=0, device=ops.prim.device(w))
    while at < n:
      m = min(1024, n - at)
      rows = torch.to(torch.narrow(w, 0, at, m), 6)
      largest = torch.amax(torch.abs(rows), [1])
      scale = torch.to(torch.clamp(torch.mul(largest, 1.00390625 / 127.), 9.9999999999999995e-21), dtype)
      torch.copy_(torch.narrow(scales, 0, at, m), scale)
      torch.copy_(torch.narrow(q, 0, at, m), torch.clamp(torch.round(torch.div(rows, torch.unsqueeze(torch.to(scale, 6), 1))), -127, 127))
      at = at + m
    return [q, scales]
  
  def bias(self: __torch__.K, b: List[Tensor], at: int) -> Optional[Tensor]:
    found : Optional[Tensor] = None
    if len(b) > 0:
      t = b[at]
      if torch.numel(t) > 0:
        found = t
    return found

  def norm(self: __torch__.K, x: Tensor, w: Tensor, eps: float) -> Tensor:
    return torch.rms_norm(x, [torch.size(x, -1)], w, eps)

  def rope_rows(self: __torch__.K, rope: List[Tensor], row: int, length: int) -> List[Tensor]:
    return [torch.narrow(rope[0], 0, row, length), torch.narrow(rope[1], 0, row, length)]

  def rope_mask(self: __torch__.K, rope: List[Tensor]) -> Optional[Tensor]:
    found : Optional[Tensor] = None
    if len(rope) > 2:
      found = rope[2]
    return found

  def masked_rope(self: __torch__.K, rope: List[Tensor], allowed: Tensor) -> List[Tensor]:
    return [rope[0], rope[1], allowed]

  def document_mask(self: __torch__.K, ids: Tensor, token: int, begins: bool) -> Tensor:
    # ids: [batch, sequence] -> bool [batch, 1, sequence, sequence]: the same document and not later. Token begins documents, or it ends them
    marks = torch.eq(ids, token)
    documents = torch.cumsum(marks, 1)
    if not begins:
      documents = torch.sub(documents, torch.to(marks, 4))
    same = torch.eq(torch.unsqueeze(documents, 2), torch.unsqueeze(documents, 1))
    return torch.unsqueeze(torch.tril(same), 1)

  def rotate(self: __torch__.K, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    # x: [batch, sequence, heads, head_dim]; the two halves of head_dim are the two coordinates of each rotated pair
    half = torch.floordiv(torch.size(x, -1), 2)
    a = torch.narrow(x, -1, 0, half)
    b = torch.narrow(x, -1, half, half)
    c = torch.unsqueeze(cos, 1)
    s = torch.unsqueeze(sin, 1)
    return torch.cat([torch.addcmul(torch.mul(a, c), b, s, value=-1), torch.addcmul(torch.mul(b, c), a, s)], -1)

  def repeat_heads(self: __torch__.K, x: Tensor, groups: int) -> Tensor:
    # [batch, kv_heads, sequence, head_dim] -> [batch, heads, sequence, head_dim]; enable_gqa would fall back to the math path on CPU
    if groups == 1:
      return x
    b, h, s, d = torch.size(x, 0), torch.size(x, 1), torch.size(x, 2), torch.size(x, 3)
    return torch.reshape(torch.expand(torch.unsqueeze(x, 2), [b, h, groups, s, d]), [b, h * groups, s, d])

  def attend(self: __torch__.K, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    # Causal attention of the last tokens: q [batch, heads, sequence, head_dim], k and v [batch, kv_heads, keys, head_dim], keys >= sequence
    # -> [batch, heads, sequence, head_dim]. On the CPU, libtorch's fused kernel is half as fast as two batched products, so where no
    # graph is built, blocks of queries go against the keys that they may see; the scores are float32, as in the fused kernel.
    s, keys, dtype = torch.size(q, 2), torch.size(k, 2), ops.prim.dtype(q)
    heads, kv = torch.size(q, 1), torch.size(k, 1)
    groups = torch.floordiv(heads, kv)
    graph = ops.prim.requires_grad(q) or ops.prim.requires_grad(k) or ops.prim.requires_grad(v)
    if graph or ops.prim.is_cuda(q) or (dtype != 6 and dtype != 15):
      kk, vv = (self).repeat_heads(k, groups), (self).repeat_heads(v, groups)
      if s == keys:
        return torch.scaled_dot_product_attention(q, kk, vv, None, 0., True)
      mask = torch.tril(torch.ones([s, keys], dtype=11, layout=0, device=ops.prim.device(q)), keys - s)
      return torch.scaled_dot_product_attention(q, kk, vv, mask, 0., False)
    n, d = torch.size(q, 0), torch.size(q, 3)
    qf = torch.to(q, 6)
    kt = torch.transpose(torch.reshape(torch.to(k, 6), [n * kv, keys, d]), 1, 2)
    vs = torch.reshape(v, [n * kv, keys, d])
    out = torch.empty([n, s, heads, d], dtype=dtype, layout=0, device=ops.prim.device(q))
    unused = torch.empty([1], dtype=6, layout=0, device=ops.prim.device(q))  # beta = 0: what baddbmm would add is not read
    scale = 1. / torch.sqrt(d)
    later = torch.triu(torch.full([64, 64], -inf, dtype=6, layout=0, device=ops.prim.device(q)), 1)
    at = 0
    while at < s:
      m = min(64, s - at)
      end = keys - s + at + m
      block = torch.reshape(torch.narrow(qf, 2, at, m), [n * kv, groups * m, d])
      z = torch.view(torch.baddbmm(unused, block, torch.narrow(kt, 2, 0, end), beta=0, alpha=scale), [n * kv, groups, m, end])
      masked = torch.add_(torch.narrow(z, 3, end - m, m), torch.narrow(torch.narrow(later, 0, 0, m), 1, 0, m))
      p = torch.view(torch.to(torch.softmax(z, -1, None), dtype), [n * kv, groups * m, end])
      a = torch.view(torch.bmm(p, torch.narrow(vs, 1, 0, end)), [n, heads, m, d])
      written = torch.copy_(torch.narrow(out, 1, at, m), torch.transpose(a, 1, 2))
      at = at + m
    return torch.transpose(out, 1, 2)

  def attend_allowed(self: __torch__.K, q: Tensor, k: Tensor, v: Tensor, allowed: Optional[Tensor]) -> Tensor:
    # attention within whole sequences: causal, or to what is allowed
    if torch.__is__(allowed, None):
      return (self).attend(q, k, v)
    mask = torch.to(unchecked_cast(Tensor, allowed), ops.prim.device(q), 11, False, False)
    groups = torch.floordiv(torch.size(q, 1), torch.size(k, 1))
    return torch.scaled_dot_product_attention(q, (self).repeat_heads(k, groups), (self).repeat_heads(v, groups), mask, 0., False)

  def mlp(self: __torch__.K, x: Tensor, w: List[Tensor], b: List[Tensor], layer: int) -> Tensor:
    p = 3 + 9 * layer
    q = 7 * layer
    u = (self).weight_linear(x, w, p + 7, (self).bias(b, q + 5))
    if ops.prim.requires_grad(u) or ops.prim.requires_grad(w[p + 6]) or ops.prim.dtype(w[p + 6]) == 1:
      a = torch.mul(torch.silu((self).weight_linear(x, w, p + 6, (self).bias(b, q + 4))), u)
    else:
      a = torch.mul_((self).linear_silu(x, w[p + 6], (self).bias(b, q + 4)), u)  # nothing is kept for a backward pass: no new buffers
    return (self).weight_linear(a, w, p + 8, (self).bias(b, q + 6))

  def add_residual(self: __torch__.K, x: Tensor, branch: Tensor) -> Tensor:
    if ops.prim.requires_grad(branch) or ops.prim.requires_grad(x):
      return torch.add(x, branch)
    return torch.add_(branch, x)

  def qkv(self: __torch__.K, x: Tensor, w: List[Tensor], b: List[Tensor], dims: List[int], cos: Tensor, sin: Tensor, layer: int) -> List[Tensor]:
    # x: [batch, sequence, hidden] -> rotated q [batch, heads, sequence, head_dim], k and v with kv_heads
    p = 3 + 9 * layer
    r = 7 * layer
    n, s, d = torch.size(x, 0), torch.size(x, 1), dims[2]
    q = torch.view((self).weight_linear(x, w, p + 1, (self).bias(b, r)), [n, s, dims[0], d])
    k = torch.view((self).weight_linear(x, w, p + 2, (self).bias(b, r + 1)), [n, s, dims[1], d])
    v = torch.view((self).weight_linear(x, w, p + 3, (self).bias(b, r + 2)), [n, s, dims[1], d])
    q = (self).rotate(q, cos, sin)
    k = (self).rotate(k, cos, sin)
    return [torch.transpose(q, 1, 2), torch.transpose(k, 1, 2), torch.transpose(v, 1, 2)]

  def attention_output(self: __torch__.K, attended: Tensor, w: List[Tensor], b: List[Tensor], dims: List[int], layer: int) -> Tensor:
    # attended: [batch, heads, sequence, head_dim] -> [batch, sequence, hidden]
    a = torch.reshape(torch.transpose(attended, 1, 2), [torch.size(attended, 0), torch.size(attended, 2), dims[0] * dims[2]])
    return (self).weight_linear(a, w, 7 + 9 * layer, (self).bias(b, 7 * layer + 3))

  def output(self: __torch__.K, x: Tensor, attended: Tensor, w: List[Tensor], b: List[Tensor], dims: List[int], eps: float, layer: int) -> Tensor:
    # attended: [batch, heads, sequence, head_dim]; the rest of the layer after attention
    h = (self).add_residual(x, (self).attention_output(attended, w, b, dims, layer))
    return (self).add_residual(h, (self).mlp((self).norm(h, w[8 + 9 * layer], eps), w, b, layer))

  def layer(self: __torch__.K, x: Tensor, w: List[Tensor], b: List[Tensor], dims: List[int], eps: float, cos: Tensor, sin: Tensor, allowed: Optional[Tensor], layer: int) -> Tensor:
    # one Transformer layer over a whole sequence: [batch, sequence, hidden] -> the same
    q, k, v, = (self).qkv((self).norm(x, w[3 + 9 * layer], eps), w, b, dims, cos, sin, layer)
    return (self).output(x, (self).attend_allowed(q, k, v, allowed), w, b, dims, eps, layer)

  def cached_attention(self: __torch__.K, x: Tensor, w: List[Tensor], b: List[Tensor], dims: List[int], cos: Tensor, sin: Tensor, layer: int, keys: Tensor, values: Tensor, start: int) -> Tensor:
    # x: the normalised state [batch, new tokens, hidden] -> [batch, heads, new tokens, head_dim].
    # keys, values: [batch, kv_heads, capacity, head_dim], filled up to start; the new tokens' rows are written in place
    q, k, v, = (self).qkv(x, w, b, dims, cos, sin, layer)
    n, s = torch.size(x, 0), torch.size(x, 1)
    end = start + s
    torch.copy_(torch.narrow(keys, 2, start, s), k)
    torch.copy_(torch.narrow(values, 2, start, s), v)
    if s == 1:
      # every query head of a group sees the same keys: the group takes the place of the query sequence, and nothing is repeated
      grouped = torch.reshape(q, [n, dims[1], torch.floordiv(dims[0], dims[1]), dims[2]])
      a = torch.scaled_dot_product_attention(grouped, torch.narrow(keys, 2, 0, end), torch.narrow(values, 2, 0, end), None, 0., False)
      return torch.reshape(a, [n, dims[0], 1, dims[2]])
    return (self).attend(q, torch.narrow(keys, 2, 0, end), torch.narrow(values, 2, 0, end))

  def session_ropes(self: __torch__.K, ropes: List[List[Tensor]], rows: List[int], first: int, sessions: int) -> List[Tensor]:
    # one row of the tables for the next token of each session: [sessions, head_dim / 2]
    cos : List[Tensor] = []
    sin : List[Tensor] = []
    for i in range(first, first + sessions):
      cos = torch.append(cos, torch.narrow(ropes[i][0], 0, rows[i], 1))
      sin = torch.append(sin, torch.narrow(ropes[i][1], 0, rows[i], 1))
    return [torch.cat(cos, 0), torch.cat(sin, 0)]

  def sessions_attention(self: __torch__.K, x: Tensor, w: List[Tensor], b: List[Tensor], dims: List[int], cos: Tensor, sin: Tensor, layer: int, keys: List[List[Tensor]], values: List[List[Tensor]], first: int, starts: List[int]) -> Tensor:
    # x: the normalised state [1, sessions, hidden], one new token of each session -> [1, heads, sessions, head_dim].
    # The weights are read once for all of them, attention is each one's own
    q, k, v, = (self).qkv(x, w, b, dims, cos, sin, layer)
    groups = torch.floordiv(dims[0], dims[1])
    attended : List[Tensor] = []
    for i in range(len(starts)):
      key, value, end = keys[first + i][layer], values[first + i][layer], starts[i] + 1
      copied = torch.copy_(torch.narrow(key, 2, starts[i], 1), torch.narrow(k, 2, i, 1))
      copied = torch.copy_(torch.narrow(value, 2, starts[i], 1), torch.narrow(v, 2, i, 1))
      grouped = torch.reshape(torch.narrow(q, 2, i, 1), [1, dims[1], groups, dims[2]])
      a = torch.scaled_dot_product_attention(grouped, torch.narrow(key, 2, 0, end), torch.narrow(value, 2, 0, end), None, 0., False)
      attended = torch.append(attended, torch.reshape(a, [1, dims[0], 1, dims[2]]))
    return torch.cat(attended, 2)

  # A step of decoding: the new tokens of one session, or the next token of each of several. x: [1, tokens, hidden]; starts: the number of tokens in each session's
  # caches. The tables and caches of session i are ropes[first + i], rows[first + i], keys[first + i][layer] and values[first + i][layer].

  def decode_ropes(self: __torch__.K, ropes: List[List[Tensor]], rows: List[int], first: int, tokens: int, sessions: int) -> List[Tensor]:
    if sessions == 1:
      return (self).rope_rows(ropes[first], rows[first], tokens)
    return (self).session_ropes(ropes, rows, first, sessions)

  def decode_attention(self: __torch__.K, x: Tensor, w: List[Tensor], b: List[Tensor], dims: List[int], cos: Tensor, sin: Tensor, layer: int, keys: List[List[Tensor]], values: List[List[Tensor]], first: int, starts: List[int]) -> Tensor:
    if len(starts) == 1:
      return (self).cached_attention(x, w, b, dims, cos, sin, layer, keys[first][layer], values[first][layer], starts[0])
    return (self).sessions_attention(x, w, b, dims, cos, sin, layer, keys, values, first, starts)

  def decode_layer(self: __torch__.K, x: Tensor, w: List[Tensor], b: List[Tensor], dims: List[int], eps: float, cos: Tensor, sin: Tensor, layer: int, keys: List[List[Tensor]], values: List[List[Tensor]], first: int, starts: List[int]) -> Tensor:
    a = (self).decode_attention((self).norm(x, w[3 + 9 * layer], eps), w, b, dims, cos, sin, layer, keys, values, first, starts)
    return (self).output(x, a, w, b, dims, eps, layer)

  def decode_logits(self: __torch__.K, x: Tensor, w: List[Tensor], eps: float, sessions: int) -> Tensor:
    # of each session's last token: float32 [sessions, vocabulary]
    if sessions == 1:
      last = torch.select(x, 1, -1)
    else:
      last = torch.select(x, 0, 0)
    return torch.to((self).weight_linear((self).final_norm(last, w, eps), w, 2, None), 6)

  def decode(self: __torch__.K, ids: Tensor, w: List[Tensor], b: List[Tensor], dims: List[int], eps: float, ropes: List[List[Tensor]], rows: List[int], keys: List[List[Tensor]], values: List[List[Tensor]], starts: List[int]) -> Tensor:
    # ids: [1, tokens] -> float32 logits [sessions, vocabulary]
    cos, sin, = (self).decode_ropes(ropes, rows, 0, torch.size(ids, 1), len(starts))
    x = (self).embed(ids, w)
    for i in range(dims[3]):
      x = (self).decode_layer(x, w, b, dims, eps, cos, sin, i, keys, values, 0, starts)
    return (self).decode_logits(x, w, eps, len(starts))

  def embed(self: __torch__.K, ids: Tensor, w: List[Tensor]) -> Tensor:
    if ops.prim.dtype(w[0]) != 1:
      return torch.embedding(w[0], ids)
    scale = w[torch.floordiv(len(w), 2)]
    return torch.mul(torch.to(torch.embedding(w[0], ids), ops.prim.dtype(scale)), torch.embedding(torch.unsqueeze(scale, 1), ids))

  def final_norm(self: __torch__.K, x: Tensor, w: List[Tensor], eps: float) -> Tensor:
    return (self).norm(x, w[1], eps)

  def forward_hidden(self: __torch__.K, ids: Tensor, w: List[Tensor], b: List[Tensor], dims: List[int], eps: float, rope: List[Tensor], row: int) -> Tensor:
    # ids: [batch, sequence] -> the state after the final norm, [batch, sequence, hidden]
    cos, sin, = (self).rope_rows(rope, row, torch.size(ids, 1))
    x = (self).embed(ids, w)
    for i in range(dims[3]):
      x = (self).layer(x, w, b, dims, eps, cos, sin, (self).rope_mask(rope), i)
    return (self).final_norm(x, w, eps)

  def forward(self: __torch__.K, ids: Tensor, w: List[Tensor], b: List[Tensor], dims: List[int], eps: float, rope: List[Tensor], row: int) -> Tensor:
    # ids: [batch, sequence] -> float32 logits [batch, sequence, vocabulary]
    return torch.to((self).weight_linear((self).forward_hidden(ids, w, b, dims, eps, rope, row), w, 2, None), 6)

  def forward_states(self: __torch__.K, ids: Tensor, w: List[Tensor], b: List[Tensor], dims: List[int], eps: float, rope: List[Tensor], row: int) -> List[Tensor]:
    # float32 [embeddings, after layer 1, .., after layer L - 1, after the final norm]: Hugging Face's hidden_states
    cos, sin, = (self).rope_rows(rope, row, torch.size(ids, 1))
    x = (self).embed(ids, w)
    states = [torch.to(x, 6)]
    for i in range(dims[3]):
      x = (self).layer(x, w, b, dims, eps, cos, sin, (self).rope_mask(rope), i)
      if i + 1 < dims[3]:
        states = torch.append(states, torch.to(x, 6))
    states = torch.append(states, torch.to((self).final_norm(x, w, eps), 6))
    return states

  # Activation checkpointing cuts the graph into parts, each with leaves of its own; every part's gradient is the next one's to send down.

  def leaves(self: __torch__.K, h: List[Tensor]) -> List[Tensor]:
    out : List[Tensor] = []
    for x in h:
      out = torch.append(out, torch.requires_grad_(torch.detach(x)))
    return out

  def leaf_gradients(self: __torch__.K, h: List[Tensor]) -> List[Tensor]:
    out : List[Tensor] = []
    for x in h:
      g : Optional[Tensor] = ops.prim.grad(x)
      if torch.__is__(g, None):
        out = torch.append(out, torch.zeros_like(x))
      else:
        out = torch.append(out, unchecked_cast(Tensor, g))
    return out

  def detached(self: __torch__.K, x: Tensor) -> Tensor:
    return torch.detach(x)

  def backward_each(self: __torch__.K, outputs: List[Tensor], gradients: List[Tensor]) -> None:
    # an output that no trained weight has touched is passed over
    found : List[Tensor] = []
    given : List[Optional[Tensor]] = []
    for i in range(len(outputs)):
      if ops.prim.requires_grad(outputs[i]):
        found = torch.append(found, outputs[i])
        given = torch.append(given, gradients[i])
    torch.autograd.backward(found, given, None, False)

  def layer_graph(self: __torch__.K, x: Tensor, w: List[Tensor], b: List[Tensor], dims: List[int], eps: float, rope: List[Tensor], row: int, layer: int) -> List[Tensor]:
    # [leaf, state behind the layer]
    leaf = torch.requires_grad_(torch.detach(x))
    cos, sin, = (self).rope_rows(rope, row, torch.size(x, 1))
    return [leaf, (self).layer(leaf, w, b, dims, eps, cos, sin, (self).rope_mask(rope), layer)]

  def token_loss(self: __torch__.K, states: Tensor, head: Tensor, labels: Tensor, chunk: int) -> Tensor:
    # states: [batch, sequence, hidden] after the final norm; labels: [batch, sequence]
    # -> float32 cross-entropy per token in nats, [batch * sequence], 0 where the label is negative
    hidden = torch.flatten(states, 0, 1)
    targets = torch.flatten(labels, 0, 1)
    n = torch.size(hidden, 0)
    loss = torch.empty([n], dtype=6, layout=0, device=ops.prim.device(hidden))
    at = 0
    while at < n:
      m = min(chunk, n - at)
      z = torch.to((self).linear(torch.narrow(hidden, 0, at, m), head, None), 6)
      t = torch.narrow(targets, 0, at, m)
      nll = torch.cross_entropy_loss(z, torch.clamp(t, 0), None, 0, -100, 0.)
      torch.copy_(torch.narrow(loss, 0, at, m), torch.mul(nll, torch.ge(t, 0)))
      at = at + chunk
    return loss

  def loss_gradient(self: __torch__.K, states: Tensor, head: Tensor, labels: Tensor, token_weights: Tensor, chunk: int) -> List[Tensor]:
    # The loss sum_t weight_t * cross_entropy_t and its gradients, chunk by chunk: the logits of one chunk are all that exists at once.
    # states: [batch, sequence, hidden]; labels, token_weights: [batch, sequence]
    # -> [cross-entropy per token in nats [batch * sequence], d loss / d states, d loss / d head (empty where the head is frozen)].
    h = torch.flatten(torch.detach(states), 0, 1)
    targets = torch.flatten(labels, 0, 1)
    weights = torch.flatten(token_weights, 0, 1)
    e = torch.detach(head)
    trained = ops.prim.requires_grad(head)
    n = torch.size(h, 0)
    loss = torch.empty([n], dtype=6, layout=0, device=ops.prim.device(h))
    grad = torch.empty_like(h)
    grad_head = torch.empty([0], dtype=6, layout=0, device=ops.prim.device(h))
    if trained:
      grad_head = torch.zeros_like(e)
    at = 0
    while at < n:
      m = min(chunk, n - at)
      x = torch.narrow(h, 0, at, m)
      z = torch.to((self).linear(x, e, None), 6)
      t = torch.unsqueeze(torch.narrow(targets, 0, at, m), 1)
      index = torch.clamp(t, 0)
      wt = torch.unsqueeze(torch.narrow(weights, 0, at, m), 1)
      lse = torch.logsumexp(z, [1], True)
      nll = torch.mul(torch.sub(lse, torch.gather(z, 1, index)), torch.ge(t, 0))
      torch.copy_(torch.narrow(loss, 0, at, m), torch.squeeze(nll, 1))
      z = torch.exp_(torch.sub_(z, lse))
      z = torch.scatter_add_(z, 1, index, torch.full([m, 1], -1., dtype=6, layout=0, device=ops.prim.device(h)))
      z = torch.mul_(z, torch.mul(wt, torch.ge(t, 0)))
      dz = torch.to(z, ops.prim.dtype(h))
      torch.copy_(torch.narrow(grad, 0, at, m), (self).linear(dz, torch.t(e), None))
      if trained:
        grad_head = torch.add_(grad_head, (self).linear(torch.t(dz), torch.t(x), None))
      at = at + chunk
    return [loss, torch.view_as(grad, states), grad_head]

  def backward(self: __torch__.K, output: Tensor, gradient: Tensor, head: Tensor, grad_head: Tensor) -> None:
    # the head's gradient joins the graph's, for with tied embeddings both belong to one weight
    outputs = [output]
    gradients : List[Optional[Tensor]] = [gradient]
    if torch.numel(grad_head) > 0:
      outputs = torch.append(outputs, head)
      gradients = torch.append(gradients, grad_head)
    torch.autograd.backward(outputs, gradients, None, False)

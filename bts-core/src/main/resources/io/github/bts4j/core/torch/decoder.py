  # The Llama decoder in TorchScript: Llama 2 (arXiv 2307.09288) as Hugging Face transformers computes it.
  #
  # m: the weights of one model by their names, and its dimensions; made once, by llama.
  # rope: [cos, sin], each [positions, head_dim / 2], in the weights' type; row is the row of the first token at hand. A third entry, [batch, 1, sequence,
  # sequence], says which tokens a token may attend to, where that is not all before it.

class Linear(NamedTuple):
  # y = x weight^T + bias; int8 weights [out, in] stand for weight * scale, with a scale for each row.
  # lora: nothing, or what an adapter adds: [a, b] with a: [r, in] and b: [out, r], its scale within b; DoRA's factor [out] behind them.
  # With a dimension more, what several adapters add, each to its own rows: a: [n, r, in], b: [n, out, r], factor: [n, out]
  weight : Tensor
  bias : Optional[Tensor]
  scale : Optional[Tensor]
  lora : List[Tensor]

class Layer(NamedTuple):
  input_layernorm : Tensor
  q_proj : __torch__.Linear
  k_proj : __torch__.Linear
  v_proj : __torch__.Linear
  o_proj : __torch__.Linear
  post_attention_layernorm : Tensor
  gate_proj : __torch__.Linear
  up_proj : __torch__.Linear
  down_proj : __torch__.Linear

class Llama(NamedTuple):
  embed_tokens : __torch__.Linear
  norm : Tensor
  lm_head : __torch__.Linear
  layers : List[__torch__.Layer]
  num_heads : int
  num_kv_heads : int
  head_dim : int
  eps : float

  def optional(self: __torch__.K, tensors: Dict[str, Tensor], name: str) -> Optional[Tensor]:
    found : Optional[Tensor] = None
    if torch.__contains__(tensors, name):
      found = tensors[name]
    return found

  def linear_weights(self: __torch__.K, tensors: Dict[str, Tensor], name: str) -> __torch__.Linear:
    weight = name + ".weight"
    lora : List[Tensor] = []
    for part in [".lora_A", ".lora_B", ".lora_factor"]:
      if torch.__contains__(tensors, name + part):
        lora = torch.append(lora, tensors[name + part])
    return __torch__.Linear(tensors[weight], (self).optional(tensors, name + ".bias"), (self).optional(tensors, weight + "_scale"), lora)

  def llama(self: __torch__.K, tensors: Dict[str, Tensor], num_layers: int, num_heads: int, num_kv_heads: int, head_dim: int, eps: float, tied: bool) -> __torch__.Llama:
    # tensors: by their Hugging Face names; tied: the head is the embedding
    layers : List[__torch__.Layer] = []
    for i in range(num_layers):
      p = torch.format("model.layers.{}.", i)
      a = p + "self_attn."
      f = p + "mlp."
      layers = torch.append(layers, __torch__.Layer(tensors[p + "input_layernorm.weight"], (self).linear_weights(tensors, a + "q_proj"), (self).linear_weights(tensors, a + "k_proj"), (self).linear_weights(tensors, a + "v_proj"), (self).linear_weights(tensors, a + "o_proj"), tensors[p + "post_attention_layernorm.weight"], (self).linear_weights(tensors, f + "gate_proj"), (self).linear_weights(tensors, f + "up_proj"), (self).linear_weights(tensors, f + "down_proj")))
    embedding = (self).linear_weights(tensors, "model.embed_tokens")
    lm_head = embedding
    if not tied:
      lm_head = (self).linear_weights(tensors, "lm_head")
    return __torch__.Llama(embedding, tensors["model.norm.weight"], lm_head, layers, num_heads, num_kv_heads, head_dim, eps)

  def weight_linear(self: __torch__.K, x: Tensor, w: __torch__.Linear) -> Tensor:
    if len(w.lora) > 0:
      return (self).adapted_linear(x, w)
    if ops.prim.dtype(w.weight) != INT8:
      return (self).linear(x, w.weight, w.bias)
    scale = unchecked_cast(Tensor, w.scale)
    rows, k = torch.floordiv(torch.numel(x), torch.size(x, -1)), torch.size(x, -1)
    graph = ops.prim.requires_grad(x)
    packed = not graph and rows <= 16 and not ops.prim.is_cuda(x) and (self).packed_int8(ops.prim.dtype(x))
    if not packed or torch.remainder(k, 32) != 0 or torch.remainder(torch.size(w.weight, 0), 4) != 0:
      return (self).linear(x, (self).dequantize(w.weight, scale), w.bias)
    # libtorch's int8 kernel reads each weight once per four rows; beyond sixteen rows, dequantising first is faster
    y = (self).packed_product(torch.contiguous(torch.reshape(x, [rows, k])), w.weight, scale)
    if torch.__isnot__(w.bias, None):
      y = torch.add_(y, torch.to(unchecked_cast(Tensor, w.bias), ops.prim.dtype(y)))
    shape = torch.size(x)
    shape[-1] = torch.size(y, -1)
    return torch.reshape(y, shape)

  def adapted_linear(self: __torch__.K, x: Tensor, w: __torch__.Linear) -> Tensor:
    # y = x W^T + (x A^T) B^T + bias; of DoRA y = f * (x W^T + (x A^T) B^T) + bias
    if torch.dim(w.lora[0]) == 3:
      return (self).jointly_adapted_linear(x, w)
    dora = len(w.lora) > 2
    bias = w.bias
    if dora:
      bias = None
    y = (self).linear(x, w.weight, bias)
    z = (self).linear((self).linear(x, w.lora[0], None), w.lora[1], None)
    if ops.prim.requires_grad(y) or ops.prim.requires_grad(z):
      y = torch.add(y, z)
    else:
      y = torch.add_(y, z)
    if dora:
      y = torch.mul(y, w.lora[2])
      if torch.__isnot__(w.bias, None):
        y = torch.add(y, unchecked_cast(Tensor, w.bias))
    return y

  def jointly_adapted_linear(self: __torch__.K, x: Tensor, w: __torch__.Linear) -> Tensor:
    # x: [1, rows, in], no gradients: as many rows of the base as of each of n adapters, one's after the other's. The weight is read once for all of them
    a, b, dora, bias = w.lora[0], w.lora[1], len(w.lora) > 2, w.bias
    if dora:
      bias = None
    y = (self).linear(x, w.weight, bias)
    n = torch.size(a, 0)
    each = torch.floordiv(torch.size(x, 1), n + 1)
    adapted = torch.view(torch.narrow(y, 1, each, n * each), [n, each, torch.size(y, -1)])
    low = torch.bmm(torch.reshape(torch.narrow(x, 1, each, n * each), [n, each, torch.size(x, -1)]), torch.transpose(a, 1, 2))
    adapted = torch.add_(adapted, torch.bmm(low, torch.transpose(b, 1, 2)))
    if dora:
      adapted = torch.mul_(adapted, torch.unsqueeze(w.lora[2], 1))
      if torch.__isnot__(w.bias, None):
        y = torch.add_(y, unchecked_cast(Tensor, w.bias))
    return y

  def stacked(self: __torch__.K, parts: List[Tensor], dim: int, size: int) -> Tensor:
    # tensors of one shape but for dimension dim, where zeros make them equally long: [n, ..]
    shape = torch.size(parts[0])
    shape[dim] = size
    out = torch.zeros([len(parts)] + shape, dtype=ops.prim.dtype(parts[0]), layout=0, device=ops.prim.device(parts[0]))
    for i in range(len(parts)):
      into = torch.narrow(torch.select(out, 0, i), dim, 0, torch.size(parts[i], dim))
      into = torch.copy_(into, parts[i])
    return out

  def dequantize(self: __torch__.K, q: Tensor, scale: Tensor) -> Tensor:
    return torch.mul_(torch.to(q, ops.prim.dtype(scale)), torch.unsqueeze(scale, 1))

  def quantize(self: __torch__.K, w: Tensor, dtype: int) -> List[Tensor]:
    # [out, in] -> int8 [out, in] and scales [out] in dtype; the scale is rounded before it is divided by, and upwards, so that nothing is clipped
    n, at = torch.size(w, 0), 0
    q = torch.empty([n, torch.size(w, 1)], dtype=INT8, layout=0, device=ops.prim.device(w))
    scales = torch.empty([n], dtype=dtype, layout=0, device=ops.prim.device(w))
    while at < n:
      m = min(1024, n - at)
      rows = torch.to(torch.narrow(w, 0, at, m), FLOAT32)
      largest = torch.amax(torch.abs(rows), [1])
      scale = torch.to(torch.clamp(torch.mul(largest, 1.00390625 / 127.), 9.9999999999999995e-21), dtype)
      torch.copy_(torch.narrow(scales, 0, at, m), scale)
      torch.copy_(torch.narrow(q, 0, at, m), torch.clamp(torch.round(torch.div(rows, torch.unsqueeze(torch.to(scale, FLOAT32), 1))), -127, 127))
      at = at + m
    return [q, scales]

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
      documents = torch.sub(documents, torch.to(marks, INT64))
    return (self).within_documents(documents)

  def within_documents(self: __torch__.K, documents: Tensor) -> Tensor:
    # documents: [batch, sequence] -> bool [batch, 1, sequence, sequence]: the same document and not later
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
    if graph or ops.prim.is_cuda(q) or (dtype != FLOAT32 and dtype != BFLOAT16):
      kk, vv = (self).repeat_heads(k, groups), (self).repeat_heads(v, groups)
      if s == keys:
        return torch.scaled_dot_product_attention(q, kk, vv, None, 0., True)
      mask = torch.tril(torch.ones([s, keys], dtype=BOOL, layout=0, device=ops.prim.device(q)), keys - s)
      return torch.scaled_dot_product_attention(q, kk, vv, mask, 0., False)
    n, d = torch.size(q, 0), torch.size(q, 3)
    qf = torch.to(q, FLOAT32)
    kt = torch.transpose(torch.reshape(torch.to(k, FLOAT32), [n * kv, keys, d]), 1, 2)
    vs = torch.reshape(v, [n * kv, keys, d])
    out = torch.empty([n, s, heads, d], dtype=dtype, layout=0, device=ops.prim.device(q))
    unused = torch.empty([1], dtype=FLOAT32, layout=0, device=ops.prim.device(q))  # beta = 0: what baddbmm would add is not read
    scale = 1. / torch.sqrt(d)
    later = torch.triu(torch.full([64, 64], -inf, dtype=FLOAT32, layout=0, device=ops.prim.device(q)), 1)
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
    mask = torch.to(unchecked_cast(Tensor, allowed), ops.prim.device(q), BOOL, False, False)
    groups = torch.floordiv(torch.size(q, 1), torch.size(k, 1))
    return torch.scaled_dot_product_attention(q, (self).repeat_heads(k, groups), (self).repeat_heads(v, groups), mask, 0., False)

  def mlp(self: __torch__.K, x: Tensor, l: __torch__.Layer) -> Tensor:
    u = (self).weight_linear(x, l.up_proj)
    if ops.prim.requires_grad(u) or ops.prim.requires_grad(l.gate_proj.weight) or len(l.gate_proj.lora) > 0 or ops.prim.dtype(l.gate_proj.weight) == INT8:
      a = torch.mul(torch.silu((self).weight_linear(x, l.gate_proj)), u)
    else:
      a = torch.mul_((self).linear_silu(x, l.gate_proj.weight, l.gate_proj.bias), u)  # nothing is kept for a backward pass: no new buffers
    return (self).weight_linear(a, l.down_proj)

  def add_residual(self: __torch__.K, x: Tensor, branch: Tensor) -> Tensor:
    if ops.prim.requires_grad(branch) or ops.prim.requires_grad(x):
      return torch.add(x, branch)
    return torch.add_(branch, x)

  def qkv(self: __torch__.K, x: Tensor, m: __torch__.Llama, l: __torch__.Layer, cos: Tensor, sin: Tensor) -> List[Tensor]:
    # x: [batch, sequence, hidden] -> rotated q [batch, heads, sequence, head_dim], k and v with kv_heads
    n, s, d = torch.size(x, 0), torch.size(x, 1), m.head_dim
    q = torch.view((self).weight_linear(x, l.q_proj), [n, s, m.num_heads, d])
    k = torch.view((self).weight_linear(x, l.k_proj), [n, s, m.num_kv_heads, d])
    v = torch.view((self).weight_linear(x, l.v_proj), [n, s, m.num_kv_heads, d])
    q = (self).rotate(q, cos, sin)
    k = (self).rotate(k, cos, sin)
    return [torch.transpose(q, 1, 2), torch.transpose(k, 1, 2), torch.transpose(v, 1, 2)]

  def attention_output(self: __torch__.K, attended: Tensor, l: __torch__.Layer) -> Tensor:
    # attended: [batch, heads, sequence, head_dim] -> [batch, sequence, hidden]
    a = torch.reshape(torch.transpose(attended, 1, 2), [torch.size(attended, 0), torch.size(attended, 2), torch.size(attended, 1) * torch.size(attended, 3)])
    return (self).weight_linear(a, l.o_proj)

  def output(self: __torch__.K, x: Tensor, attended: Tensor, m: __torch__.Llama, l: __torch__.Layer) -> Tensor:
    # attended: [batch, heads, sequence, head_dim]; the rest of the layer after attention
    h = (self).add_residual(x, (self).attention_output(attended, l))
    return (self).add_residual(h, (self).mlp((self).norm(h, l.post_attention_layernorm, m.eps), l))

  def layer(self: __torch__.K, x: Tensor, m: __torch__.Llama, l: __torch__.Layer, cos: Tensor, sin: Tensor, allowed: Optional[Tensor]) -> Tensor:
    # one Transformer layer over a whole sequence: [batch, sequence, hidden] -> the same
    q, k, v, = (self).qkv((self).norm(x, l.input_layernorm, m.eps), m, l, cos, sin)
    return (self).output(x, (self).attend_allowed(q, k, v, allowed), m, l)

  def cached_attention(self: __torch__.K, x: Tensor, m: __torch__.Llama, l: __torch__.Layer, cos: Tensor, sin: Tensor, keys: Tensor, values: Tensor, start: int) -> Tensor:
    # x: the normalised state [batch, new tokens, hidden] -> [batch, heads, new tokens, head_dim].
    # keys, values: [batch, kv_heads, capacity, head_dim], filled up to start; the new tokens' rows are written in place
    q, k, v, = (self).qkv(x, m, l, cos, sin)
    n, s = torch.size(x, 0), torch.size(x, 1)
    end = start + s
    torch.copy_(torch.narrow(keys, 2, start, s), k)
    torch.copy_(torch.narrow(values, 2, start, s), v)
    if s == 1:
      # every query head of a group sees the same keys: the group takes the place of the query sequence, and nothing is repeated
      grouped = torch.reshape(q, [n, m.num_kv_heads, torch.floordiv(m.num_heads, m.num_kv_heads), m.head_dim])
      a = torch.scaled_dot_product_attention(grouped, torch.narrow(keys, 2, 0, end), torch.narrow(values, 2, 0, end), None, 0., False)
      return torch.reshape(a, [n, m.num_heads, 1, m.head_dim])
    return (self).attend(q, torch.narrow(keys, 2, 0, end), torch.narrow(values, 2, 0, end))

  def copy_cache(self: __torch__.K, cache: List[Tensor], start: int, end: int) -> Tensor:
    # one tensor [1, kv_heads, capacity, head_dim] per layer -> [layers, 1, kv_heads, end - start, head_dim]
    parts : List[Tensor] = []
    for layer in range(len(cache)):
      parts = torch.append(parts, torch.narrow(cache[layer], 2, start, end - start))
    return torch.stack(parts)

  def restore_cache(self: __torch__.K, cache: List[Tensor], copy: Tensor, start: int) -> None:
    for layer in range(len(cache)):
      written = torch.copy_(torch.narrow(cache[layer], 2, start, torch.size(copy, 3)), torch.select(copy, 0, layer))

  def session_ropes(self: __torch__.K, ropes: List[List[Tensor]], rows: List[int], first: int, sessions: int) -> List[Tensor]:
    # one row of the tables for the next token of each session: [sessions, head_dim / 2]
    cos : List[Tensor] = []
    sin : List[Tensor] = []
    for i in range(first, first + sessions):
      cos = torch.append(cos, torch.narrow(ropes[i][0], 0, rows[i], 1))
      sin = torch.append(sin, torch.narrow(ropes[i][1], 0, rows[i], 1))
    return [torch.cat(cos, 0), torch.cat(sin, 0)]

  def sessions_attention(self: __torch__.K, x: Tensor, m: __torch__.Llama, layer: int, cos: Tensor, sin: Tensor, keys: List[List[Tensor]], values: List[List[Tensor]], first: int, starts: List[int]) -> Tensor:
    # x: the normalised state [1, sessions, hidden], one new token of each session -> [1, heads, sessions, head_dim].
    # The weights are read once for all of them, attention is each one's own
    q, k, v, = (self).qkv(x, m, m.layers[layer], cos, sin)
    groups = torch.floordiv(m.num_heads, m.num_kv_heads)
    attended : List[Tensor] = []
    for i in range(len(starts)):
      key, value, end = keys[first + i][layer], values[first + i][layer], starts[i] + 1
      copied = torch.copy_(torch.narrow(key, 2, starts[i], 1), torch.narrow(k, 2, i, 1))
      copied = torch.copy_(torch.narrow(value, 2, starts[i], 1), torch.narrow(v, 2, i, 1))
      grouped = torch.reshape(torch.narrow(q, 2, i, 1), [1, m.num_kv_heads, groups, m.head_dim])
      a = torch.scaled_dot_product_attention(grouped, torch.narrow(key, 2, 0, end), torch.narrow(value, 2, 0, end), None, 0., False)
      attended = torch.append(attended, torch.reshape(a, [1, m.num_heads, 1, m.head_dim]))
    return torch.cat(attended, 2)

  # A step of decoding: the new tokens of one session, or the next token of each of several. x: [1, tokens, hidden]; starts: the number of tokens in each session's
  # caches. The tables and caches of session i are ropes[first + i], rows[first + i], keys[first + i][layer] and values[first + i][layer].

  def decode_ropes(self: __torch__.K, ropes: List[List[Tensor]], rows: List[int], first: int, tokens: int, sessions: int) -> List[Tensor]:
    if sessions == 1:
      return (self).rope_rows(ropes[first], rows[first], tokens)
    return (self).session_ropes(ropes, rows, first, sessions)

  def decode_attention(self: __torch__.K, x: Tensor, m: __torch__.Llama, layer: int, cos: Tensor, sin: Tensor, keys: List[List[Tensor]], values: List[List[Tensor]], first: int, starts: List[int]) -> Tensor:
    if len(starts) == 1:
      return (self).cached_attention(x, m, m.layers[layer], cos, sin, keys[first][layer], values[first][layer], starts[0])
    return (self).sessions_attention(x, m, layer, cos, sin, keys, values, first, starts)

  def decode_layer(self: __torch__.K, x: Tensor, m: __torch__.Llama, layer: int, cos: Tensor, sin: Tensor, keys: List[List[Tensor]], values: List[List[Tensor]], first: int, starts: List[int]) -> Tensor:
    l = m.layers[layer]
    a = (self).decode_attention((self).norm(x, l.input_layernorm, m.eps), m, layer, cos, sin, keys, values, first, starts)
    return (self).output(x, a, m, l)

  def decode_logits(self: __torch__.K, x: Tensor, m: __torch__.Llama, sessions: int) -> Tensor:
    # of each session's last token: float32 [sessions, vocabulary]
    if sessions == 1:
      last = torch.select(x, 1, -1)
    else:
      last = torch.select(x, 0, 0)
    return (self).head_logits((self).final_norm(last, m), m)

  def decode(self: __torch__.K, ids: Tensor, m: __torch__.Llama, ropes: List[List[Tensor]], rows: List[int], keys: List[List[Tensor]], values: List[List[Tensor]], starts: List[int]) -> Tensor:
    # ids: [1, tokens] -> float32 logits [sessions, vocabulary]
    cos, sin, = (self).decode_ropes(ropes, rows, 0, torch.size(ids, 1), len(starts))
    x = (self).embed(ids, m)
    for i in range(len(m.layers)):
      x = (self).decode_layer(x, m, i, cos, sin, keys, values, 0, starts)
    return (self).decode_logits(x, m, len(starts))

  def embed(self: __torch__.K, ids: Tensor, m: __torch__.Llama) -> Tensor:
    w = m.embed_tokens
    if ops.prim.dtype(w.weight) != INT8:
      return torch.embedding(w.weight, ids)
    scale = unchecked_cast(Tensor, w.scale)
    return torch.mul(torch.to(torch.embedding(w.weight, ids), ops.prim.dtype(scale)), torch.embedding(torch.unsqueeze(scale, 1), ids))

  def final_norm(self: __torch__.K, x: Tensor, m: __torch__.Llama) -> Tensor:
    return (self).norm(x, m.norm, m.eps)

  def head_logits(self: __torch__.K, x: Tensor, m: __torch__.Llama) -> Tensor:
    # the state after the final norm, [.., hidden] -> float32 [.., vocabulary]
    return torch.to((self).weight_linear(x, m.lm_head), FLOAT32)

  def forward_hidden(self: __torch__.K, ids: Tensor, m: __torch__.Llama, rope: List[Tensor], row: int) -> Tensor:
    # ids: [batch, sequence] -> the state after the final norm, [batch, sequence, hidden]
    cos, sin, = (self).rope_rows(rope, row, torch.size(ids, 1))
    x = (self).embed(ids, m)
    for i in range(len(m.layers)):
      x = (self).layer(x, m, m.layers[i], cos, sin, (self).rope_mask(rope))
    return (self).final_norm(x, m)

  def forward(self: __torch__.K, ids: Tensor, m: __torch__.Llama, rope: List[Tensor], row: int) -> Tensor:
    # ids: [batch, sequence] -> float32 logits [batch, sequence, vocabulary]
    return (self).head_logits((self).forward_hidden(ids, m, rope, row), m)

  def forward_states(self: __torch__.K, ids: Tensor, m: __torch__.Llama, rope: List[Tensor], row: int) -> List[Tensor]:
    # float32 [embeddings, after layer 1, .., after layer L - 1, after the final norm]: Hugging Face's hidden_states
    cos, sin, = (self).rope_rows(rope, row, torch.size(ids, 1))
    x = (self).embed(ids, m)
    states = [torch.to(x, FLOAT32)]
    for i in range(len(m.layers)):
      x = (self).layer(x, m, m.layers[i], cos, sin, (self).rope_mask(rope))
      if i + 1 < len(m.layers):
        states = torch.append(states, torch.to(x, FLOAT32))
    states = torch.append(states, torch.to((self).final_norm(x, m), FLOAT32))
    return states

  def token_loss(self: __torch__.K, states: Tensor, head: Tensor, labels: Tensor, chunk: int) -> Tensor:
    # states: [batch, sequence, hidden] after the final norm; labels: [batch, sequence]
    # -> float32 cross-entropy per token in nats, [batch * sequence], 0 where the label is negative
    hidden = torch.flatten(states, 0, 1)
    targets = torch.flatten(labels, 0, 1)
    n = torch.size(hidden, 0)
    loss = torch.empty([n], dtype=FLOAT32, layout=0, device=ops.prim.device(hidden))
    at = 0
    while at < n:
      m = min(chunk, n - at)
      z = torch.to((self).linear(torch.narrow(hidden, 0, at, m), head, None), FLOAT32)
      t = torch.narrow(targets, 0, at, m)
      nll = torch.cross_entropy_loss(z, torch.clamp(t, 0), None, 0, -100, 0.)
      torch.copy_(torch.narrow(loss, 0, at, m), torch.mul(nll, torch.ge(t, 0)))
      at = at + chunk
    return loss

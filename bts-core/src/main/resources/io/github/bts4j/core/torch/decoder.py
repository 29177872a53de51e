  # The Llama decoder in TorchScript: Llama 2 (arXiv 2307.09288) and the families that Traits.java describes, as Hugging Face transformers computes them.
  #
  # m: the weights of one model by their names, and its dimensions; made once, by llama.
  # rope: [cos, sin], each [positions, rotated / 2], in the weights' type; row is the row of the first token at hand. Models with two tables have the second one's
  # columns behind the first one's. A third entry, [batch, 1, sequence, sequence], says which tokens a token may attend to, where that is not all before it.

class Linear(NamedTuple):
  # y = x weight^T + bias; int8 weights [out, in] stand for weight * scale, with a scale for each row.
  # lora: nothing, or what an adapter adds: [a, b] with a: [r, in] and b: [out, r], its scale within b; DoRA's factor [out] behind them.
  # With a dimension more, what several adapters add, each to its own rows: a: [n, r, in], b: [n, out, r], factor: [n, out]
  # blocks: 0, or ggml's number of the type of weights that are bytes [out, bytes of a row]; -1 for weights that were dequantised, which are multiplied as those are
  weight : Tensor
  bias : Optional[Tensor]
  scale : Optional[Tensor]
  lora : List[Tensor]
  blocks : int

class Layer(NamedTuple):
  # norms before and after each branch, and of queries and keys: [head_dim] for each head, or of all heads together. Llama has those before.
  # window: the last tokens that a token attends to, itself included, or 0 for all; rotation: 0 for the whole table, 1 or 2 for its first or second half, -1 for none
  before_attention : Optional[Tensor]
  q_proj : __torch__.Linear
  k_proj : __torch__.Linear
  v_proj : __torch__.Linear
  o_proj : __torch__.Linear
  q_norm : Optional[Tensor]
  k_norm : Optional[Tensor]
  after_attention : Optional[Tensor]
  before_mlp : Optional[Tensor]
  gate_proj : __torch__.Linear
  up_proj : __torch__.Linear
  down_proj : __torch__.Linear
  after_mlp : Optional[Tensor]
  gelu : bool
  window : int
  rotation : int

class Llama(NamedTuple):
  # norm_weight: 0 for a weight that multiplies what is rounded, 1 before it is rounded, 2 for 1 + weight before it is rounded
  embed_tokens : __torch__.Linear
  norm : Tensor
  lm_head : __torch__.Linear
  layers : List[__torch__.Layer]
  num_heads : int
  num_kv_heads : int
  head_dim : int
  eps : float
  norm_weight : int
  attention_scale : float
  embedding_multiplier : float
  residual_multiplier : float
  logits_divisor : float

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
    blocks = 0
    if torch.__contains__(tensors, weight + "_type"):
      blocks = int(tensors[weight + "_type"])
    return __torch__.Linear(tensors[weight], (self).optional(tensors, name + ".bias"), (self).optional(tensors, weight + "_scale"), lora, blocks)

  def decoder_layer(self: __torch__.K, tensors: Dict[str, Tensor], i: int, gelu: bool, window: int, rotation: int) -> __torch__.Layer:
    p = torch.format("model.layers.{}.", i)
    a = p + "self_attn."
    f = p + "mlp."
    return __torch__.Layer((self).optional(tensors, p + "before_attention"), (self).linear_weights(tensors, a + "q_proj"), (self).linear_weights(tensors, a + "k_proj"), (self).linear_weights(tensors, a + "v_proj"), (self).linear_weights(tensors, a + "o_proj"), (self).optional(tensors, a + "q_norm.weight"), (self).optional(tensors, a + "k_norm.weight"), (self).optional(tensors, p + "after_attention"), (self).optional(tensors, p + "before_mlp"), (self).linear_weights(tensors, f + "gate_proj"), (self).linear_weights(tensors, f + "up_proj"), (self).linear_weights(tensors, f + "down_proj"), (self).optional(tensors, p + "after_mlp"), gelu, window, rotation)

  def llama(self: __torch__.K, tensors: Dict[str, Tensor], sizes: List[int], windows: List[int], rotations: List[int], eps: float, attention_scale: float, embedding_multiplier: float, residual_multiplier: float, logits_divisor: float) -> __torch__.Llama:
    # tensors: by their Hugging Face names, but for the norms of a layer; sizes: heads, heads of keys and values, size of a head, kind of norm weight,
    # whether the activation is GELU, whether the head is the embedding; windows, rotations: of each layer
    layers : List[__torch__.Layer] = []
    for i in range(len(windows)):
      layers = torch.append(layers, (self).decoder_layer(tensors, i, sizes[4] == 1, windows[i], rotations[i]))
    embedding = (self).linear_weights(tensors, "model.embed_tokens")
    lm_head = embedding
    if sizes[5] == 0:
      lm_head = (self).linear_weights(tensors, "lm_head")
    return __torch__.Llama(embedding, tensors["model.norm.weight"], lm_head, layers, sizes[0], sizes[1], sizes[2], eps, sizes[3], attention_scale, embedding_multiplier, residual_multiplier, logits_divisor)

  def weight_linear(self: __torch__.K, x: Tensor, w: __torch__.Linear) -> Tensor:
    if len(w.lora) > 0:
      return (self).adapted_linear(x, w)
    if w.blocks > 0:
      return (self).linear(x, (self).dequantize_blocks(w.weight, w.blocks, ops.prim.dtype(x)), w.bias)
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
    low = (self).linear(x, w.lora[0], None)
    if ops.prim.requires_grad(y) or ops.prim.requires_grad(low):
      y = torch.add(y, (self).linear(low, w.lora[1], None))
    else:
      y = (self).add_product(y, low, w.lora[1], 1.)
    if dora:
      y = torch.mul(y, w.lora[2])
      if torch.__isnot__(w.bias, None):
        y = torch.add(y, unchecked_cast(Tensor, w.bias))
    return y

  def add_product(self: __torch__.K, sum: Tensor, x: Tensor, w: Tensor, factor: float) -> Tensor:
    # sum + factor x w^T in place of sum, [.., out], without a graph; one operation where that is no slower
    if ops.prim.dtype(x) != BFLOAT16 or ops.prim.is_cuda(x) or torch.floordiv(torch.numel(x), torch.size(x, -1)) <= 4:
      return torch.add_(sum, (self).linear(x, w, None), alpha=factor)
    rows = torch.view(sum, [-1, torch.size(sum, -1)])
    return torch.view_as(torch.addmm_(rows, torch.reshape(x, [-1, torch.size(x, -1)]), torch.t(w), beta=1, alpha=factor), sum)

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

  def gelu_tanh(self: __torch__.K, x: Tensor) -> Tensor:
    # x / 2 (1 + tanh(u)) = x sigmoid(2 u) with u = sqrt(2 / pi) (x + 0.044715 x^3), in float32
    f = torch.to(x, FLOAT32)
    u = torch.add(f, torch.mul(torch.pow(f, 3), 0.044714999999999998))
    return torch.to(torch.mul(f, torch.sigmoid(torch.mul(u, 1.5957691216057308))), ops.prim.dtype(x))

  def mlp(self: __torch__.K, x: Tensor, l: __torch__.Layer) -> Tensor:
    u = (self).weight_linear(x, l.up_proj)
    if l.gelu:
      a = torch.mul((self).gelu_tanh((self).weight_linear(x, l.gate_proj)), u)
    elif ops.prim.requires_grad(u) or ops.prim.requires_grad(l.gate_proj.weight) or len(l.gate_proj.lora) > 0 or l.gate_proj.blocks != 0 or ops.prim.dtype(l.gate_proj.weight) == INT8:
      a = torch.mul(torch.silu((self).weight_linear(x, l.gate_proj)), u)
    else:
      a = torch.mul_((self).linear_silu(x, l.gate_proj.weight, l.gate_proj.bias), u)  # nothing is kept for a backward pass: no new buffers
    return (self).weight_linear(a, l.down_proj)

  def add_residual(self: __torch__.K, x: Tensor, branch: Tensor) -> Tensor:
    if ops.prim.requires_grad(branch) or ops.prim.requires_grad(x):
      return torch.add(x, branch)
    return torch.add_(branch, x)

  def add_branch(self: __torch__.K, x: Tensor, branch: Tensor, w: Optional[Tensor], m: __torch__.Llama) -> Tensor:
    # w: the norm behind the branch, if there is one
    b = (self).optional_norm(branch, w, m)
    if m.residual_multiplier != 1.:
      b = torch.mul(b, m.residual_multiplier)
    return (self).add_residual(x, b)

  def qkv(self: __torch__.K, x: Tensor, m: __torch__.Llama, l: __torch__.Layer, cos: Tensor, sin: Tensor) -> List[Tensor]:
    # x: [batch, sequence, hidden] -> rotated q [batch, heads, sequence, head_dim], k and v with kv_heads
    n, s, d = torch.size(x, 0), torch.size(x, 1), m.head_dim
    q = torch.view((self).heads_norm((self).weight_linear(x, l.q_proj), l.q_norm, m), [n, s, m.num_heads, d])
    k = torch.view((self).heads_norm((self).weight_linear(x, l.k_proj), l.k_norm, m), [n, s, m.num_kv_heads, d])
    v = torch.view((self).weight_linear(x, l.v_proj), [n, s, m.num_kv_heads, d])
    q = (self).rotate_layer(q, l, cos, sin)
    k = (self).rotate_layer(k, l, cos, sin)
    return [torch.transpose(q, 1, 2), torch.transpose(k, 1, 2), torch.transpose(v, 1, 2)]

  def attention_output(self: __torch__.K, attended: Tensor, l: __torch__.Layer) -> Tensor:
    # attended: [batch, heads, sequence, head_dim] -> [batch, sequence, hidden]
    return (self).weight_linear((self).by_head(attended), l.o_proj)

  def by_head(self: __torch__.K, x: Tensor) -> Tensor:
    # [batch, heads, sequence, head_dim] -> [batch, sequence, heads * head_dim]
    return torch.flatten(torch.transpose(x, 1, 2), 2)

  def output(self: __torch__.K, x: Tensor, attended: Tensor, m: __torch__.Llama, l: __torch__.Layer) -> Tensor:
    # attended: [batch, heads, sequence, head_dim]; the rest of the layer after attention
    h = (self).add_branch(x, (self).attention_output(attended, l), l.after_attention, m)
    return (self).add_branch(h, (self).mlp((self).optional_norm(h, l.before_mlp, m), l), l.after_mlp, m)

  def layer(self: __torch__.K, x: Tensor, m: __torch__.Llama, l: __torch__.Layer, cos: Tensor, sin: Tensor, allowed: Optional[Tensor]) -> Tensor:
    # one Transformer layer over a whole sequence: [batch, sequence, hidden] -> the same
    q, k, v, = (self).qkv((self).optional_norm(x, l.before_attention, m), m, l, cos, sin)
    return (self).output(x, (self).attend_allowed(q, k, v, allowed, m.attention_scale, l.window), m, l)

  def cached_attention(self: __torch__.K, x: Tensor, m: __torch__.Llama, l: __torch__.Layer, cos: Tensor, sin: Tensor, keys: Tensor, values: Tensor, start: int) -> Tensor:
    # x: the normalised state [batch, new tokens, hidden] -> [batch, heads, new tokens, head_dim].
    # keys, values: [batch, kv_heads, capacity, head_dim], filled up to start; the new tokens' rows are written in place
    q, k, v, = (self).qkv(x, m, l, cos, sin)
    s = torch.size(x, 1)
    end = start + s
    torch.copy_(torch.narrow(keys, 2, start, s), k)
    torch.copy_(torch.narrow(values, 2, start, s), v)
    if s == 1:
      return (self).attend_last(q, keys, values, end, m, l.window)
    return (self).attend(q, torch.narrow(keys, 2, 0, end), torch.narrow(values, 2, 0, end), m.attention_scale, l.window)

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
    l = m.layers[layer]
    q, k, v, = (self).qkv(x, m, l, cos, sin)
    attended : List[Tensor] = []
    for i in range(len(starts)):
      key, value, end = keys[first + i][layer], values[first + i][layer], starts[i] + 1
      copied = torch.copy_(torch.narrow(key, 2, starts[i], 1), torch.narrow(k, 2, i, 1))
      copied = torch.copy_(torch.narrow(value, 2, starts[i], 1), torch.narrow(v, 2, i, 1))
      attended = torch.append(attended, (self).attend_last(torch.narrow(q, 2, i, 1), key, value, end, m, l.window))
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
    a = (self).decode_attention((self).optional_norm(x, l.before_attention, m), m, layer, cos, sin, keys, values, first, starts)
    return (self).output(x, a, m, l)

  def decode_layers(self: __torch__.K, x: Tensor, m: __torch__.Llama, ropes: List[List[Tensor]], rows: List[int], keys: List[List[Tensor]], values: List[List[Tensor]], at: int, starts: List[int], first: int, last: int) -> Tensor:
    # layers first .. last - 1 (0-based) of m for new tokens x: [1, tokens, hidden]; its caches grow by them.
    # at: where the first session's caches and ropes of this model are
    cos, sin, = (self).decode_ropes(ropes, rows, at, torch.size(x, 1), len(starts))
    for layer in range(first, last):
      x = (self).decode_layer(x, m, layer, cos, sin, keys, values, at, starts)
    return x

  def dequantized_linear(self: __torch__.K, w: __torch__.Linear, dtype: int) -> __torch__.Linear:
    # what weight_linear multiplies many rows by
    if w.blocks != 0:
      return __torch__.Linear((self).dequantize_blocks(w.weight, w.blocks, dtype), w.bias, None, w.lora, -1)
    if ops.prim.dtype(w.weight) == INT8:
      return __torch__.Linear((self).dequantize(w.weight, unchecked_cast(Tensor, w.scale)), w.bias, None, w.lora, -1)
    return w

  def dequantized_layer(self: __torch__.K, l: __torch__.Layer, dtype: int) -> __torch__.Layer:
    return __torch__.Layer(l.before_attention, (self).dequantized_linear(l.q_proj, dtype), (self).dequantized_linear(l.k_proj, dtype), (self).dequantized_linear(l.v_proj, dtype), (self).dequantized_linear(l.o_proj, dtype), l.q_norm, l.k_norm, l.after_attention, l.before_mlp, (self).dequantized_linear(l.gate_proj, dtype), (self).dequantized_linear(l.up_proj, dtype), (self).dequantized_linear(l.down_proj, dtype), l.after_mlp, l.gelu, l.window, l.rotation)

  def decode_blocks(self: __torch__.K, x: List[Tensor], m: __torch__.Llama, ropes: List[List[Tensor]], rows: List[int], keys: List[List[Tensor]], values: List[List[Tensor]], at: int, start: int, first: int, last: int) -> List[Tensor]:
    # decode_layers of a prompt in blocks, each [1, tokens, hidden]: the bits are those of one block after another, but a layer's weights are read once,
    # and dequantised once for the blocks that are long enough for that
    states = torch.list(x)
    for layer in range(first, last):
      stored = m.layers[layer]
      plain = stored
      if len(x) > 1:
        plain = (self).dequantized_layer(stored, ops.prim.dtype(x[0]))
      done = 0
      for i in range(len(x)):
        state = states[i]
        n = torch.size(state, 1)
        l = stored
        if n > 16:
          l = plain
        cos, sin, = (self).rope_rows(ropes[at], rows[at] + done, n)
        a = (self).cached_attention((self).optional_norm(state, l.before_attention, m), m, l, cos, sin, keys[at][layer], values[at][layer], start + done)
        states[i] = (self).output(state, a, m, l)
        done = done + n
    return states

  def decode_logits(self: __torch__.K, x: Tensor, m: __torch__.Llama, sessions: int) -> Tensor:
    # of each session's last token: float32 [sessions, vocabulary]
    if sessions == 1:
      last = torch.select(x, 1, -1)
    else:
      last = torch.select(x, 0, 0)
    return (self).head_logits((self).final_norm(last, m), m)

  def decode(self: __torch__.K, ids: Tensor, m: __torch__.Llama, ropes: List[List[Tensor]], rows: List[int], keys: List[List[Tensor]], values: List[List[Tensor]], starts: List[int]) -> Tensor:
    # ids: [1, tokens] -> float32 logits [sessions, vocabulary]
    x = (self).decode_layers((self).embed(ids, m), m, ropes, rows, keys, values, 0, starts, 0, len(m.layers))
    return (self).decode_logits(x, m, len(starts))

  def embed(self: __torch__.K, ids: Tensor, m: __torch__.Llama) -> Tensor:
    w = m.embed_tokens
    x = torch.embedding(w.weight, ids)
    if w.blocks != 0:
      x = torch.reshape((self).dequantize_blocks(torch.reshape(x, [-1, torch.size(x, -1)]), w.blocks, ops.prim.dtype(m.norm)), torch.size(ids) + [-1])
    if ops.prim.dtype(w.weight) == INT8:
      scale = unchecked_cast(Tensor, w.scale)
      x = torch.mul(torch.to(x, ops.prim.dtype(scale)), torch.embedding(torch.unsqueeze(scale, 1), ids))
    if m.embedding_multiplier != 1.:
      x = torch.mul(x, m.embedding_multiplier)
    return x

  def final_norm(self: __torch__.K, x: Tensor, m: __torch__.Llama) -> Tensor:
    # what the head reads: where logits are divided, that is divided instead
    y = (self).norm(x, m.norm, m)
    if m.logits_divisor != 1.:
      y = torch.div(y, m.logits_divisor)
    return y

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
    states = torch.append(states, torch.to((self).norm(x, m.norm, m), FLOAT32))
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

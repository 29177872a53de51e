  # Training over the decoder's kernels: the loss and its gradient, and activation checkpointing.

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

  def layer_graph(self: __torch__.K, x: Tensor, m: __torch__.Llama, rope: List[Tensor], row: int, layer: int) -> List[Tensor]:
    # [leaf, state behind the layer]
    leaf = torch.requires_grad_(torch.detach(x))
    cos, sin, = (self).rope_rows(rope, row, torch.size(x, 1))
    return [leaf, (self).layer(leaf, m, m.layers[layer], cos, sin, (self).rope_mask(rope))]

  def loss_gradient(self: __torch__.K, states: Tensor, head: Tensor, labels: Tensor, token_weight: float, chunk: int) -> List[Tensor]:
    # The loss sum_t token_weight * cross_entropy_t and its gradients, chunk by chunk: the logits of one chunk are all that exists at once, in buffers that all chunks share.
    # states: [batch, sequence, hidden]; labels: [batch, sequence], negative where a token does not count
    # -> [cross-entropy per token in nats [batch * sequence], d loss / d states, d loss / d head (empty where the head is frozen)].
    h = torch.flatten(torch.detach(states), 0, 1)
    targets = torch.unsqueeze(torch.flatten(labels, 0, 1), 1)
    counted = torch.to(torch.ge(targets, 0), FLOAT32)
    e = torch.detach(head)
    trained = ops.prim.requires_grad(head)
    n, dtype = torch.size(h, 0), ops.prim.dtype(h)
    rows = min(chunk, n)
    loss = torch.empty([n], dtype=FLOAT32, layout=0, device=ops.prim.device(h))
    grad = torch.empty_like(h)
    grad_head = torch.empty([0], dtype=FLOAT32, layout=0, device=ops.prim.device(h))
    if trained:
      grad_head = torch.zeros_like(e)
    minus = torch.full([rows, 1], -1., dtype=FLOAT32, layout=0, device=ops.prim.device(h))
    probabilities = torch.empty([rows, torch.size(e, 0)], dtype=FLOAT32, layout=0, device=ops.prim.device(h))
    logits = torch.empty([0], dtype=FLOAT32, layout=0, device=ops.prim.device(h))
    if dtype != FLOAT32:
      logits = torch.empty_like(probabilities)
    at = 0
    while at < n:
      m = min(chunk, n - at)
      x, c = torch.narrow(h, 0, at, m), torch.narrow(counted, 0, at, m)
      z = (self).linear(x, e, None)
      if dtype != FLOAT32:
        z = torch.copy_(torch.narrow(logits, 0, 0, m), z)
      index = torch.clamp(torch.narrow(targets, 0, at, m), 0)
      p = torch._softmax(z, 1, False, out=torch.narrow(probabilities, 0, 0, m))
      # of the likeliest token, log sum exp z = z - log p; its p is 1 / vocabulary at least
      lse = torch.sub(torch.amax(z, [1], True), torch.log(torch.amax(p, [1], True)))
      nll = torch.mul(torch.sub(lse, torch.gather(z, 1, index)), c)
      torch.copy_(torch.narrow(loss, 0, at, m), torch.squeeze(nll, 1))
      p = torch.scatter_add_(p, 1, index, torch.narrow(minus, 0, 0, m))
      dz = torch.to(p, dtype)
      torch.copy_(torch.narrow(grad, 0, at, m), torch.mul((self).linear(dz, torch.t(e), None), torch.mul(c, token_weight)))
      if trained:
        grad_head = (self).add_product(grad_head, torch.t(dz), torch.t(torch.mul(x, torch.to(c, dtype))), token_weight)
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

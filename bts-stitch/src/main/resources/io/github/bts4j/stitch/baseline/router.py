  # Expert routing (arXiv 2502.00075, section 3.2) over the decoder's kernels: a linear map of the mean input embedding, and a softmax over the models.
  #
  # ids: one int64 [tokens] per sequence, of any lengths; m: the hub; router: float32 [models, hidden].

  def mean_embeddings(self: __torch__.K, ids: List[Tensor], m: __torch__.Llama) -> Tensor:
    # -> float32 [batch, hidden]
    means : List[Tensor] = []
    for x in ids:
      means = torch.append(means, torch.mean(torch.to((self).embed(x, m), FLOAT32), [0]))
    return torch.stack(means)

  def route_probabilities(self: __torch__.K, ids: List[Tensor], m: __torch__.Llama, router: Tensor) -> Tensor:
    # -> [batch, models]
    return torch.softmax(torch.linear((self).mean_embeddings(ids, m), router, None), -1, None)

  def route_losses(self: __torch__.K, ids: List[Tensor], m: __torch__.Llama, router: Tensor, targets: Tensor) -> Tensor:
    # targets: the best model of each sequence, int64 [batch] -> cross-entropy in nats, [batch]
    logits = torch.linear((self).mean_embeddings(ids, m), router, None)
    return torch.cross_entropy_loss(logits, targets, None, 0, -100, 0.)

  def put_rows(self: __torch__.K, target: Tensor, values: Tensor, rows: Tensor) -> None:
    # target: [batch, sequence, vocabulary]; values: [rows, some first positions, vocabulary]; rows: int64 [rows]
    torch.index_copy_(torch.narrow(target, 1, 0, torch.size(values, 1)), 0, rows, values)

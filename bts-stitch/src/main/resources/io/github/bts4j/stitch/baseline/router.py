  # Expert routing (arXiv 2502.00075, section 3.2) over the decoder's kernels: a linear map of the mean input embedding, and a softmax over the models.
  #
  # ids: one int64 [tokens] per sequence, of any lengths; w: the hub's weights; router: float32 [models, hidden].

  def mean_embeddings(self: __torch__.K, ids: List[Tensor], w: List[Tensor]) -> Tensor:
    # -> float32 [batch, hidden]
    means : List[Tensor] = []
    for x in ids:
      means = torch.append(means, torch.mean(torch.to((self).embed(x, w), 6), [0]))
    return torch.stack(means)

  def route_probabilities(self: __torch__.K, ids: List[Tensor], w: List[Tensor], router: Tensor) -> Tensor:
    # -> [batch, models]
    return torch.softmax(torch.linear((self).mean_embeddings(ids, w), router, None), -1, None)

  def route_losses(self: __torch__.K, ids: List[Tensor], w: List[Tensor], router: Tensor, targets: Tensor) -> Tensor:
    # targets: the best model of each sequence, int64 [batch] -> cross-entropy in nats, [batch]
    logits = torch.linear((self).mean_embeddings(ids, w), router, None)
    return torch.cross_entropy_loss(logits, targets, None, 0, -100, 0.)

  def put_rows(self: __torch__.K, target: Tensor, values: Tensor, rows: Tensor) -> None:
    # target: [batch, sequence, vocabulary]; values: [rows, some first positions, vocabulary]; rows: int64 [rows]
    torch.index_copy_(torch.narrow(target, 1, 0, torch.size(values, 1)), 0, rows, values)

  def put_router(self: __torch__.K, target: Tensor, value: Tensor) -> None:
    torch.copy_(target, value)

  # The ensemble of Branch-Train-Merge (arXiv 2208.03306, section 2.3): log p = logsumexp over models of (log posterior + log p_model).

  def top_models(self: __torch__.K, weights: Tensor, k: int) -> Tensor:
    # log-weights [model, batch, sequence] -> the same, minus infinity but for the k highest of each token; of equal ones the earlier is the higher
    if k == torch.size(weights, 0):
      return weights
    values, order, = torch.sort(weights, stable=True, dim=0, descending=True)
    kept = torch.scatter(torch.full_like(weights, -inf), 0, torch.narrow(order, 0, 0, k), torch.narrow(values, 0, 0, k))
    return kept

  def mixture(self: __torch__.K, logits: List[Tensor], ids: Tensor, top_k: int) -> Tensor:
    # logits: one [batch, sequence, vocabulary] per model; ids: [batch, sequence] -> log-probabilities of the same shape.
    # The posterior at position t has seen tokens 1 .. t (token 0 is given), each scored by the models from the tokens before it.
    n = torch.size(ids, 1)
    next = torch.unsqueeze(torch.narrow(ids, 1, 1, n - 1), -1)
    parts : List[Tensor] = []
    seen : List[Tensor] = []
    for i in range(len(logits)):
      p = torch.log_softmax(logits[i], -1, None)
      parts = torch.append(parts, p)
      likelihood = torch.squeeze(torch.gather(torch.narrow(p, 1, 0, n - 1), -1, next), -1)
      start = torch.zeros([torch.size(ids, 0), 1], dtype=FLOAT32, layout=0, device=ops.prim.device(ids))
      seen = torch.append(seen, torch.cat([start, torch.cumsum(likelihood, 1)], 1))
    posterior = torch.log_softmax((self).top_models(torch.stack(seen), top_k), 0, None)
    for i in range(len(parts)):
      parts[i] = torch.add(parts[i], torch.unsqueeze(posterior[i], -1))
    return torch.logsumexp(torch.stack(parts), [0], False)

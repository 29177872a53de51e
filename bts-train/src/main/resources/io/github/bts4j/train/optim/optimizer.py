  # AdamW in torch.optim's arithmetic (libtorch's own fused kernel) and clipping by the global norm, in place.

  def global_norm(self: __torch__.K, grads: List[Tensor]) -> float:
    # the 2-norm of all gradients together, as torch.nn.utils.clip_grad_norm_ computes it
    return float(torch.item(torch.linalg_vector_norm(torch.stack(torch._foreach_norm(grads, 2)), 2)))

  def norms(self: __torch__.K, grads: List[Tensor]) -> Tensor:
    # the 2-norm of each, [tensors]
    return torch.stack(torch._foreach_norm(grads, 2))

  def scale_each(self: __torch__.K, grads: List[Tensor], factors: Tensor) -> None:
    torch._foreach_mul_(grads, torch.unbind(factors))

  def scale(self: __torch__.K, grads: List[Tensor], factor: float) -> None:
    torch._foreach_mul_(grads, factor)

  def zero(self: __torch__.K, grads: List[Tensor]) -> None:
    torch._foreach_zero_(grads)

  def average(self: __torch__.K, averages: List[Tensor], params: List[Tensor], decay: float) -> None:
    torch._foreach_lerp_(averages, params, 1. - decay)

  def adamw(self: __torch__.K, params: List[Tensor], grads: List[Tensor], exp_avgs: List[Tensor], exp_avg_sqs: List[Tensor], steps: List[Tensor], lr: float, beta1: float, beta2: float, eps: float, weight_decay: float) -> None:
    # steps: one float32 scalar per parameter; they count this step first
    torch._foreach_add_(steps, 1)
    torch._fused_adamw_(params, grads, exp_avgs, exp_avg_sqs, [], steps, lr=lr, beta1=beta1, beta2=beta2, weight_decay=weight_decay, eps=eps, amsgrad=False, maximize=False)

  def adamw_policy(self: __torch__.K, params: List[Tensor], grads: List[Tensor], exp_avgs: List[Tensor], exp_avg_sqs: List[Tensor], steps: List[Tensor], lr: float, beta1: float, beta2: float, eps: float, weight_decay: float, policy: int, update_clipping: bool) -> None:
    # AdamW with another denominator: policy 1 is sqrt(v^), the update being 0 where v^ is; policy 2 is max(sqrt(v^), eps).
    # With update_clipping the learning rate is divided by max(1, sqrt(mean(g^2 / max(v^, eps^2)))): StableAdamW.
    torch._foreach_add_(steps, 1)
    for i in range(len(params)):
      t = float(torch.item(steps[i]))
      p = torch.detach(params[i])
      m = torch.lerp_(exp_avgs[i], grads[i], 1. - beta1)
      v = torch.addcmul_(torch.mul_(exp_avg_sqs[i], beta2), grads[i], grads[i], value=1. - beta2)
      c1, c2 = 1. - torch.pow(beta1, t), 1. - torch.pow(beta2, t)
      root, rate = torch.sqrt(v), lr
      if update_clipping:
        ratio = torch.div(grads[i], torch.clamp(root, max(eps * torch.sqrt(c2), 1e-22)))
        rate = lr / max(1., torch.sqrt(float(torch.item((self).dot(ratio, ratio))) * c2 / torch.numel(ratio)))
      moved = torch.add_(torch.mul_(p, 1. - rate * weight_decay), (self).direction(m, root, eps * torch.sqrt(c2), policy), alpha=-rate * torch.sqrt(c2) / c1)

  def direction(self: __torch__.K, m: Tensor, root: Tensor, e: float, policy: int) -> Tensor:
    # the update without its bias corrections: root is sqrt(v), e is eps sqrt(1 - beta2^t); times sqrt(1 - beta2^t) / (1 - beta1^t) it is u
    if policy == 0:
      return torch.div(m, torch.add(root, e))
    if policy == 2:
      return torch.div(m, torch.clamp(root, e))
    return torch.masked_fill_(torch.div(m, root), torch.eq(root, 0.), 0.)

  def dot(self: __torch__.K, a: Tensor, b: Tensor) -> Tensor:
    return torch.dot(torch.reshape(a, [-1]), torch.reshape(b, [-1]))

  def before(self: __torch__.K, grads: List[Tensor], exp_avgs: List[Tensor], exp_avg_sqs: List[Tensor], steps: List[Tensor], beta1: float, beta2: float, eps: float, policy: int) -> Tensor:
    # per tensor, of the moments of the step before: <m, g>, <m, m>, <g, g>, <u, g>, <u, u>, the latter two up to the scale of u; [tensors, 5]
    rows : List[Tensor] = []
    for i in range(len(grads)):
      m, g = exp_avgs[i], grads[i]
      if float(torch.item(steps[i])) == 0.:
        u = m
      else:
        e = eps * torch.sqrt(1. - torch.pow(beta2, float(torch.item(steps[i]))))
        u = (self).direction(m, torch.sqrt(exp_avg_sqs[i]), e, policy)
      rows = torch.append(rows, torch.stack([(self).dot(m, g), (self).dot(m, m), (self).dot(g, g), (self).dot(u, g), (self).dot(u, u)]))
    return torch.stack(rows)

  def after(self: __torch__.K, grads: List[Tensor], exp_avgs: List[Tensor], exp_avg_sqs: List[Tensor], steps: List[Tensor], beta1: float, beta2: float, eps: float, policy: int, sigma: float, bound: float, bins: int, sample: int) -> Tensor:
    # per tensor, of the moments of this step, over the components with v^ > 0: their number, how many have sqrt(v^) < eps, sum v^, sum m^2,
    # sum u^2, sum g^2 / max(v^, eps^2); then of at most `sample` components, evenly spaced: how many, how many have |r| > 3 sigma, and the
    # histogram of r over [-bound, bound]; [tensors, 8 + bins]
    rows : List[Tensor] = []
    for i in range(len(grads)):
      t = float(torch.item(steps[i]))
      m, v, g = torch.reshape(exp_avgs[i], [-1]), torch.reshape(exp_avg_sqs[i], [-1]), torch.reshape(grads[i], [-1])
      c1, c2 = 1. - torch.pow(beta1, t), 1. - torch.pow(beta2, t)
      root, e = torch.sqrt(v), eps * torch.sqrt(c2)
      active = torch.count_nonzero(v)
      below = torch.sub(torch.count_nonzero(torch.lt(root, e)), torch.rsub(active, torch.numel(m))) if e > 0. else torch.zeros_like(active)
      u = (self).direction(m, root, e, policy)
      ratio = torch.div(g, torch.clamp_(root, max(e, 1e-22)))
      stride = torch.floordiv(torch.numel(m) - 1, sample) + 1
      vs = torch.slice(v, 0, 0, None, stride)
      kept = torch.gt(vs, 0.)
      r = torch.masked_select(torch.mul(torch.div(torch.slice(m, 0, 0, None, stride), torch.sqrt(vs)), torch.sqrt(c2) / c1), kept)
      sums = [active, below, torch.mul(torch.sum(v), 1. / c2), torch.mul((self).dot(m, m), 1. / (c1 * c1)), torch.mul((self).dot(u, u), c2 / (c1 * c1)), torch.mul((self).dot(ratio, ratio), c2), torch.sum(kept), torch.sum(torch.gt(torch.abs(r), 3. * sigma))]
      floats : List[Tensor] = []
      for s in sums:
        floats = torch.append(floats, torch.to(s, FLOAT32))
      rows = torch.append(rows, torch.cat([torch.stack(floats), torch.histc(r, bins, -bound, bound)]))
    return torch.stack(rows)

  def add(self: __torch__.K, sums: List[Tensor], more: List[Tensor]) -> None:
    torch._foreach_add_(sums, more)

  def make_gradients(self: __torch__.K, params: List[Tensor]) -> None:
    # a parameter that no pass has reached yet has no gradient; now it has one of zeros
    for p in params:
      g : Optional[Tensor] = ops.prim.grad(p)
      if torch.__is__(g, None):
        given : List[Optional[Tensor]] = [torch.zeros_like(p)]
        torch.autograd.backward([p], given, None, False)

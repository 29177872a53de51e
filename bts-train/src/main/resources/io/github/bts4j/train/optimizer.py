  # AdamW in torch.optim's arithmetic (libtorch's own fused kernel) and clipping by the global norm, in place.

  def global_norm(self: __torch__.K, grads: List[Tensor]) -> float:
    # the 2-norm of all gradients together, as torch.nn.utils.clip_grad_norm_ computes it
    return float(torch.item(torch.linalg_vector_norm(torch.stack(torch._foreach_norm(grads, 2)), 2)))

  def scale(self: __torch__.K, grads: List[Tensor], factor: float) -> None:
    torch._foreach_mul_(grads, factor)

  def zero(self: __torch__.K, grads: List[Tensor]) -> None:
    torch._foreach_zero_(grads)

  def adamw(self: __torch__.K, params: List[Tensor], grads: List[Tensor], exp_avgs: List[Tensor], exp_avg_sqs: List[Tensor], steps: List[Tensor], lr: float, beta1: float, beta2: float, eps: float, weight_decay: float) -> None:
    # steps: one float32 scalar per parameter; they count this step first
    torch._foreach_add_(steps, 1)
    torch._fused_adamw_(params, grads, exp_avgs, exp_avg_sqs, [], steps, lr=lr, beta1=beta1, beta2=beta2, weight_decay=weight_decay, eps=eps, amsgrad=False, maximize=False)

  def adamw_policy(self: __torch__.K, params: List[Tensor], grads: List[Tensor], exp_avgs: List[Tensor], exp_avg_sqs: List[Tensor], steps: List[Tensor], lr: float, beta1: float, beta2: float, eps: float, weight_decay: float, policy: int) -> None:
    # AdamW with another denominator: policy 1 is sqrt(v^), the update being 0 where v^ is; policy 2 is max(sqrt(v^), eps)
    torch._foreach_add_(steps, 1)
    for i in range(len(params)):
      t = float(torch.item(steps[i]))
      p = torch.detach(params[i])
      decayed = torch.mul_(p, 1. - lr * weight_decay)
      m = torch.lerp_(exp_avgs[i], grads[i], 1. - beta1)
      v = torch.addcmul_(torch.mul_(exp_avg_sqs[i], beta2), grads[i], grads[i], value=1. - beta2)
      moved = torch.add_(p, (self).direction(m, v, t, beta1, beta2, eps, policy), alpha=-lr)

  def direction(self: __torch__.K, m: Tensor, v: Tensor, t: float, beta1: float, beta2: float, eps: float, policy: int) -> Tensor:
    # the update u of t steps; 0 before the first
    if t == 0.:
      return torch.zeros_like(m)
    root = torch.mul_(torch.sqrt(v), 1. / torch.sqrt(1. - torch.pow(beta2, t)))
    scale = 1. / (1. - torch.pow(beta1, t))
    if policy == 0:
      return torch.mul_(torch.div(m, torch.add_(root, eps)), scale)
    if policy == 2:
      return torch.mul_(torch.div(m, torch.clamp_(root, eps)), scale)
    u = torch.mul_(torch.div(m, root), scale)
    return torch.masked_fill_(u, torch.eq(root, 0.), 0.)

  def dot(self: __torch__.K, a: Tensor, b: Tensor) -> Tensor:
    return torch.dot(torch.reshape(a, [-1]), torch.reshape(b, [-1]))

  def before(self: __torch__.K, grads: List[Tensor], exp_avgs: List[Tensor], exp_avg_sqs: List[Tensor], steps: List[Tensor], beta1: float, beta2: float, eps: float, policy: int) -> Tensor:
    # per tensor, of the moments of the step before: <m, g>, <m, m>, <g, g>, <u, g>, <u, u>; [tensors, 5]
    rows : List[Tensor] = []
    for i in range(len(grads)):
      m, g = exp_avgs[i], grads[i]
      u = (self).direction(m, exp_avg_sqs[i], float(torch.item(steps[i])), beta1, beta2, eps, policy)
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
      zero = torch.sum(torch.eq(v, 0.))
      small = torch.sum(torch.lt(v, eps * eps * c2))
      below = torch.sub(small, zero) if eps > 0. else torch.zeros_like(zero)
      u = (self).direction(m, v, t, beta1, beta2, eps, policy)
      ratio = torch.div(g, torch.sqrt_(torch.clamp_(torch.mul(v, 1. / c2), max(eps * eps, 1e-45))))
      stride = torch.floordiv(torch.numel(m) - 1, sample) + 1
      vs = torch.slice(v, 0, 0, None, stride)
      kept = torch.gt(vs, 0.)
      r = torch.masked_select(torch.mul(torch.div(torch.slice(m, 0, 0, None, stride), torch.sqrt(vs)), torch.sqrt(c2) / c1), kept)
      sums = [torch.sub(torch.numel(m), zero), below, torch.mul(torch.sum(v), 1. / c2), torch.mul((self).dot(m, m), 1. / (c1 * c1)), (self).dot(u, u), (self).dot(ratio, ratio), torch.sum(kept), torch.sum(torch.gt(torch.abs(r), 3. * sigma))]
      floats : List[Tensor] = []
      for s in sums:
        floats = torch.append(floats, torch.to(s, 6))
      rows = torch.append(rows, torch.cat([torch.stack(floats), torch.histc(r, bins, -bound, bound)]))
    return torch.stack(rows)
